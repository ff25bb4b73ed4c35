"""Which runs a command line asks for: one per combination of --each, each with a file of its own."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from nakctl.campaign.naming import SUFFIX, plain
from nakctl.cli.prepare import Prepared, Wishes, prepare
from nakctl.errors import InputError
from nakctl.record import files


@dataclass(frozen=True, slots=True)
class AskedRun:
    """One of them. wishes: with which it was prepared from its file; out: its result."""

    file: str
    wishes: Wishes
    ready: Prepared
    out: Path


def asked_runs(
    file: str,
    wishes: Wishes,
    each: Sequence[str],
    out: Path | None,
    folder: Path = Path(),
    promised: Container[Path] = (),
) -> list[AskedRun]:
    """Everything prepared, and free of errors, before the first one starts. InputError.

    folder    where a file lies that `out` does not name; promised: names that it is not to have
    """
    found: dict[Path, AskedRun] = {}
    for chosen in _combinations(each):
        own = replace(wishes, sets={**wishes.sets, **chosen})
        ready = prepare(file, own)
        ready.require_no_errors()
        path = _result_file(ready, out, chosen, folder, promised)
        if path in found:
            raise InputError(f"--each asks for the same run twice: both would be written into {path}")
        files.refuse_existing(path)
        files.refuse_unwritable(path)
        found[path] = AskedRun(file, own, ready, path)
    return list(found.values())


def _combinations(each: Sequence[str]) -> Iterator[dict[str, str]]:
    from nakctl.protocol.params import split_each

    sweeps = [split_each(text) for text in each]
    for values in itertools.product(*(values for _, values in sweeps)):
        yield dict(zip((name for name, _ in sweeps), values, strict=True))


def _result_file(
    ready: Prepared, out: Path | None, chosen: dict[str, str], folder: Path, promised: Container[Path]
) -> Path:
    """The file asked for, or one named by date, protocol and cell that does not exist."""
    swept = "".join(f"_{name}-{plain(value)}" for name, value in chosen.items())
    if out is not None:
        return _asked_for(out, swept)
    date = datetime.now().astimezone().strftime("%Y-%m-%d_%H%M")
    stem = f"{date}_{Path(ready.loaded.document.file).stem}_{plain(ready.cell.name)}{swept}"
    return free_name(folder / f"{stem}{SUFFIX}", promised)


def free_name(path: Path, promised: Container[Path] = ()) -> Path:
    """The file, or NAME_2.h5, NAME_3.h5, ...: the first that is neither there, recorded nor promised.

    InputError: there cannot be any.
    """
    files.refuse_no_place(path)
    others = (path.with_name(f"{path.stem}_{count}{SUFFIX}") for count in itertools.count(2))
    names = itertools.chain([path], others)
    return next(each for each in names if each not in promised and not files.is_taken(each))


def _asked_for(out: Path, swept: str) -> Path:
    if out.name in ("", "..") or out.is_dir():
        raise InputError(f"--out {out} is a folder: give the name of a result file, such as {out / 'run.h5'}")
    if out.suffix not in ("", SUFFIX):
        raise InputError(f"--out {out}: the name of a result file ends in {SUFFIX}")
    return out.with_name(f"{out.stem}{swept}{SUFFIX}")
