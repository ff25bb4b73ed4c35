"""The file of a cell that was fitted: where it goes, and what its head says."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl import __version__
from nakctl.cli.sim_fit_runs import ENDINGS, Wanted
from nakctl.errors import InputError, RecordError, typed
from nakctl.text.numbers import wrapped

if TYPE_CHECKING:
    from nakctl.device.driver import Driver
    from nakctl.device.fitting import Asked
    from nakctl.fit.findings import Fit


def target(wanted: Wanted, first: Path, name: str) -> Path:
    """By default beside the first run."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    path = wanted.out or first.with_name(f"{plain}-fit.yaml")
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: the name of a cell's file ends in .yaml")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the file another name")
    _refuse_existing(path, wanted)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    from nakctl.record.files import refuse_unwritable

    refuse_unwritable(path)
    return path


def _refuse_existing(path: Path, wanted: Wanted) -> None:
    if path.exists() and not wanted.overwrite:
        raise InputError(f"{path} exists already; --overwrite replaces it")


def text(found: Fit, asked: Asked, files: Sequence[Path], wanted: Wanted, *, simulated: bool) -> str:
    from nakctl.fit import told

    kind = "SIMULATED runs" if simulated else "runs"
    words = [*(file.name for file in files), *wanted.typed()]
    stays = f"is as in {asked.like}" if asked.like else "keeps the value of the simulator"
    comments = [
        f"{asked.name}, fitted to {kind} by nakctl {__version__} on {date.today().isoformat()}:",
        f"  nakctl sim fit {' '.join(map(typed, words))}",
        "",
        *told.used(found),
        *found.subject.said,
        *told.left_over(found),
        "",
        f"{told.ERRORS}. What is not among the parameters {stays}:",
        *(f"  {symbols}: {why}" for symbols, why in told.unknown(found)),
        "",
    ]
    lines = [part for line in comments for part in wrapped(line, "", "    ") or [""]]
    return found.subject.file_text(told.written(found), lines, f"fitted to {asked.name}, see above")


def write(path: Path, text: str, wanted: Wanted, driver: Driver) -> None:
    """Whole, and read once by who will simulate it, or not at all."""
    from nakctl.record import files

    fresh = path.with_name(f".{path.stem}.{os.getpid()}.yaml")
    try:
        fresh.write_bytes(text.encode("utf-8", "replace"))  # a file's name may be no text
        driver.cell(str(fresh))
        _refuse_existing(path, wanted)  # another fit may have been faster
        files.put_in_place(fresh, path)
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
