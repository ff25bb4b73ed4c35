"""`nakctl check FILE|DIR...`"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.cli.prepare import Wishes, prepare
from nakctl.errors import CellError, ExitCode, Fault, InputError, NakctlError
from nakctl.protocol.kind_of_file import files_in, kind_of_path
from nakctl.rig import SIMULATED, SIMULATOR, find_rig, load_driver
from nakctl.text.numbers import plural
from nakctl.text.reader import read_file


def check(files: list[str], wishes: Wishes, as_json: bool, ours: bool = False) -> int:
    """Every file is checked, also after one with faults. ours: those of others are passed over."""
    reports = [_report(file, wishes) for file in named(files, ours)]
    ok = all(report["ok"] for report in reports)
    if as_json:
        print_json({"ok": ok, "files": reports})
    else:
        for report in reports:
            _print(report)
    return ExitCode.DONE if ok else ExitCode.BAD_INPUT


def named(files: Iterable[str], ours: bool) -> Iterator[str]:
    """The files that are meant: of a folder all that are ours. InputError: there are none."""
    for file in files:
        if Path(file).is_dir():
            found = files_in(Path(file))
            if not found:
                raise InputError(f"there is no file of nakctl in {file}")
            yield from map(str, found)
        elif not ours or kind_of_path(Path(file)) is not None:
            yield file


def _report(file: str, wishes: Wishes) -> dict[str, Any]:
    try:
        other = _other(file, wishes)
        if other is not None:
            return {"file": file, "ok": True, "errors": [], "text": f"{file}: ok, {other}", "warnings": []}
        prepared = prepare(file, wishes)
        warnings = prepared.warnings()
        prepared.require_no_errors()
    except InputError as error:
        return {"file": file, "ok": False, "errors": errors(error), "text": str(error), "warnings": []}
    where = f"{prepared.place.name}, cell {prepared.cell.name}"
    return {"file": file, "ok": True, "errors": [], "text": f"{file}: ok on {where}", "warnings": warnings}


def _other(file: str, wishes: Wishes) -> str | None:
    """What it is, if it is no protocol and without fault. InputError."""
    match kind_of_path(Path(file)):
        case "rig":
            rig = find_rig(Path(file))
            named = [name for name in rig.places if name not in SIMULATED]
            return f"a rig with {plural(len(named), 'channel')} and {plural(len(rig.cells), 'cell')}"
        case "cells":
            driver = load_driver(SIMULATOR)
            names = [*read_file(file, CellError).data["cells"]]
            cells = [driver.cell(f"{file}#{name}") for name in names]
            return f"{plural(len(cells), 'simulated cell')}: {', '.join(cell.name for cell in cells)}"
        case "campaign":
            from nakctl.campaign.read import read
            from nakctl.cli.campaigns.planned import planned

            asked = read(Path(file))
            runs = planned(asked, wishes.rig, dry=wishes.dry, out=asked.out)
            return f"a campaign of {plural(len(runs), 'run')}"
        case _:
            return None


def errors(error: NakctlError) -> list[dict[str, Any]]:
    """Each fault with its place, for `--json`."""
    faults = error.faults if isinstance(error, InputError) else ()
    return [_fault(fault) for fault in faults] or [{"message": str(error)}]


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.mark.line,
        "column": fault.mark.column,
        "message": fault.message,
    }


def _print(report: dict[str, Any]) -> None:
    for line in report["warnings"]:
        print(line)
    print(report["text"], file=sys.stdout if report["ok"] else sys.stderr)
