"""Which files of a folder are ours, and which rig is whose."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nakctl.cli import revision
from nakctl.errors import InputError
from nakctl.protocol.kind_of_file import SUFFIXES, kind_of_path
from nakctl.rig import RIG_FILE

_VENV = "pyvenv.cfg"
_NEVER = frozenset({"node_modules", "__pycache__", "site-packages"})


@dataclass(frozen=True, slots=True)
class Found:
    """Files of ours, sorted, as they are shown: from the working folder. folder: which was looked in."""

    folder: Path
    protocols: tuple[Path, ...] = ()
    rigs: tuple[Path, ...] = ()
    cells: tuple[Path, ...] = ()
    campaigns: tuple[Path, ...] = ()


def found_in(named: Path) -> Found:
    """Of a folder, or that one protocol. InputError: there is no such folder."""
    if named.is_file():
        return Found(named.parent, (named,), tuple(_rigs_above(named.parent, and_in_it=True)))
    if not named.is_dir():
        raise InputError(f"{named}: there is no such folder")
    kinds = {path: kind_of_path(path) for path in _candidates(named)}
    of = {kind: tuple(path for path, known in kinds.items() if known == kind) for kind in set(kinds.values())}
    rigs = (*of.get("rig", ()), *_rigs_above(named))
    return Found(named, of.get("protocol", ()), rigs, of.get("cells", ()), of.get("campaign", ()))


def _candidates(folder: Path) -> Iterator[Path]:
    """YAML files that somebody wrote: none that git ignores, none of an environment of Python."""
    try:
        names = revision.files_below(folder)
    except InputError:
        names = list(_walked(folder))
    venvs = {path for name in names for path in name.parents if (folder / path / _VENV).exists()}
    for name in names:
        is_ours = not _is_hidden(name) and not venvs & {*name.parents}
        if name.suffix.lower() in SUFFIXES and is_ours:
            yield folder / name


def _walked(folder: Path) -> Iterator[Path]:
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not (Path(place) / name / _VENV).exists())
        inner[:] = [name for name in inner if name not in _NEVER and not name.startswith(".")]
        yield from (Path(place).relative_to(folder) / name for name in sorted(names))


def _is_hidden(name: Path) -> bool:
    return any(part.startswith(".") or part in _NEVER for part in name.parts[:-1])


def _rigs_above(folder: Path, *, and_in_it: bool = False) -> Iterator[Path]:
    """Up to the top of the repository; without one, none."""
    here = folder.resolve()
    try:
        last = revision.top(here).resolve()
    except InputError:
        last = here
    for place in (*([here] if and_in_it else []), *here.parents):
        if not place.is_relative_to(last):
            return
        if (place / RIG_FILE).is_file():
            yield shown(place / RIG_FILE)


def shown(path: Path) -> Path:
    """As people see it: from the working folder."""
    try:
        return Path(os.path.relpath(path))
    except ValueError:  # on another drive of Windows
        return path


def rig_of(protocol: Path, rigs: Collection[Path]) -> Path | None:
    """That of its folder, or the nearest above; of several rig.yaml. InputError: none is called so."""
    for folder in protocol.resolve().parents:
        here = [rig for rig in rigs if rig.resolve().parent == folder]
        named = [rig for rig in here if rig.name == RIG_FILE]
        if len(here) > 1 and not named:
            listed = ", ".join(rig.name for rig in here)
            raise InputError(f"{shown(folder)} holds several rigs ({listed}): call one of them {RIG_FILE}")
        if here:
            return (named or here)[0]
    return None
