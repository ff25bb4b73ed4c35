"""`nakctl import FILE...`"""

from __future__ import annotations

import sys
from pathlib import Path

from nakctl.cli import console
from nakctl.errors import ExitCode, InputError, need
from nakctl.text.units import UnitError, parse


def import_files(given: list[Path], out: Path | None, area: str | None, cell: str) -> int:
    need("nakctl import", "exports", "galvani", "pandas")
    from nakctl.exchange import eclab
    from nakctl.record import imported

    area_cm2 = None if area is None else _area_cm2(area)
    recordings = [eclab.read(file) for file in given]
    title = eclab.stem_of(given)
    target = out or given[0].with_name(f"{title}.h5")
    _refuse(target)
    made = eclab.made_of(recordings, title, area_cm2, cell)
    imported.write(target, made.header, made.tables, made.events, eclab.STATUS, eclab.END_REASON)
    rows = {name: len(table) for name, table in made.tables.items()}
    print(f"{target}: {rows['samples']} samples, {rows.get('spectra', 0)} spectra, {rows['steps']} steps")
    console.say(*(f"note: {note}" for note in made.notes), to=sys.stderr)
    return ExitCode.DONE


def _area_cm2(text: str) -> float:
    try:
        return parse(text, ("area",)).value
    except UnitError as error:
        raise InputError(f"--area {text}: {error}") from None


def _refuse(target: Path) -> None:
    if target.suffix.lower() != ".h5":
        raise InputError(f"{target}: the name of a result file ends in .h5")
    if not target.parent.is_dir():
        raise InputError(f"there is no folder {target.parent}")
    if target.exists():
        raise InputError(f"{target} exists already; nothing is overwritten")
