"""Which files of a folder are ours, and which rig is whose."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nakctl.cli import revision
from nakctl.errors import InputError
from nakctl.protocol.kind_of_file import VENV, is_of_others, is_yaml, kind_of_path, walked
from nakctl.rig import RIG_FILE


@dataclass(frozen=True, slots=True)
class Found:
    """Files of ours, sorted, as they are shown: from the working folder.

    folder   which was looked in
    is_one   only that file was named: it is meant, whether it changed or not
    """

    folder: Path
    protocols: tuple[Path, ...] = ()
    rigs: tuple[Path, ...] = ()
    cells: tuple[Path, ...] = ()
    campaigns: tuple[Path, ...] = ()
    is_one: bool = False


def found_in(named: Path) -> Found:
    """Of a folder, or that one file: one of which nothing else is known is a protocol. InputError: there is
    no such folder."""
    if named.is_file():
        rigs = tuple(_rigs_above(named.parent, and_in_it=True))
        match kind_of_path(named):
            case "rig":
                return Found(named.parent, rigs=(named,), is_one=True)
            case "cells":
                return Found(named.parent, cells=(named,), is_one=True)
            case "campaign":
                return Found(named.parent, rigs=rigs, campaigns=(named,), is_one=True)
            case _:
                return Found(named.parent, (named,), rigs, is_one=True)
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
        names = [name for name in walked(folder) if (folder / name).is_file()]
    venvs = {path for name in names for path in name.parents if (folder / path / VENV).exists()}
    for name in names:
        if is_yaml(name) and not is_of_others(name.parent) and not venvs & {*name.parents}:
            yield folder / name


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


def rigs_around(protocol: Path, top: Path) -> list[Path]:
    """All rigs that stand in its folder, or in one above it, up to the top."""
    folders = [folder for folder in protocol.parents if folder.is_relative_to(top)]
    files = (path for folder in folders for path in sorted(folder.iterdir()))
    return [path for path in files if is_yaml(path) and kind_of_path(path) == "rig"]
