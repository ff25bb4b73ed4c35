"""`nakctl check FILE...`"""

from __future__ import annotations

import sys
from typing import Any

from nakctl.cli.json_output import print_json
from nakctl.cli.prepare import Wishes, prepare
from nakctl.errors import ExitCode, Fault, InputError


def check(files: list[str], wishes: Wishes, as_json: bool) -> int:
    """Every file is checked, also after one with faults."""
    reports = [_report(file, wishes) for file in files]
    ok = all(report["ok"] for report in reports)
    if as_json:
        print_json({"ok": ok, "files": reports})
    else:
        for report in reports:
            _print(report)
    return ExitCode.DONE if ok else ExitCode.BAD_INPUT


def _report(file: str, wishes: Wishes) -> dict[str, Any]:
    try:
        prepared = prepare(file, wishes)
        warnings = prepared.warnings()
        prepared.require_no_errors()
    except InputError as error:
        return {"file": file, "ok": False, "errors": errors(error), "text": str(error), "warnings": []}
    where = f"{prepared.place.name}, cell {prepared.cell.name}"
    return {"file": file, "ok": True, "errors": [], "text": f"{file}: ok on {where}", "warnings": warnings}


def errors(error: InputError) -> list[dict[str, Any]]:
    """Each fault with its place, for `--json`."""
    return [_fault(fault) for fault in error.faults] or [{"message": str(error)}]


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
