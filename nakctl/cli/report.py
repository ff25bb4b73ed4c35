"""What is said of a run that is over: how it ended, the code to leave with, and the key figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.errors import EXIT_CODES, ExitCode, NakctlError, typed
from nakctl.record import files, peek
from nakctl.record.standing import Over, over, sealed_file

if TYPE_CHECKING:
    from nakctl.record.recorder import Finished
    from nakctl.run.run import Outcome

CELL_OPEN, CELL_UNSAFE = "open", "may be under current"
LEFT_BEHIND = "unknown: a call of the channel never came back"


def exit_code(outcome: Outcome, trouble: NakctlError | None, sealed: bool) -> ExitCode:
    """Whatever else there is: a cell that may be under current, or a channel that was lost, comes first."""
    if trouble is not None or not outcome.cell_open:
        return ExitCode.INSTRUMENT
    code = EXIT_CODES[outcome.status] if outcome.error is None else outcome.error.exit_code
    return code if sealed else max(code, ExitCode.FAILED)


def report(
    about: Mapping[str, Any],
    finished: Finished,
    outcome: Outcome,
    error: NakctlError | None,
    code: ExitCode,
) -> dict[str, Any]:
    """How it ended, and the figures, as whoever verified the sealed file read them from it.

    about  what the file says of the run before its first row
    """
    from nakctl.booking import layout

    sample = about["sample"]
    told: dict[str, Any] = {
        "file": str(finished.path),
        "sealed": finished.sealed,
        "exit_code": int(code),
        "status": outcome.status,
        "end_reason": outcome.reason,
        "end_kind": outcome.end_kind,
        "end_id": outcome.end_id,
        "end_value": outcome.end_value,
        "cell_state": _cell_state(outcome.cell_open, outcome.hangs),
        "title": layout.title(about),
        "simulated": about["simulated"],
        "cell": sample["name"],
        "area_cm2": sample["area_cm2"],
        "start_time": about["start_time"],
    }
    if message := finished.message or _missing(finished):
        told["message"] = message
    if error is not None:
        told["error"] = str(error)
    return told | _found(finished.found, told)


def report_of(path: Path) -> dict[str, Any]:
    """The same of a run that is over, told by its files. RecordError: they cannot be read."""
    how = over(path)
    is_sealed = not files.journal_of(path).exists()
    told = _from_file(path, how) if is_sealed else _from_journal(path, how)
    if error := how.told.get("error"):
        told["error"] = error
    return told


def _from_file(path: Path, how: Over) -> dict[str, Any]:
    from nakctl.record.read import open_run

    file = sealed_file(path)
    with open_run(file) as run:
        header = run.header
    told = {
        "file": str(file), "sealed": True, "exit_code": how.code,
        "status": header.status, "end_reason": header.end_reason,
        "end_kind": header.end.kind, "end_id": header.end.id, "end_value": header.end.value,
        "cell_state": _cell_state(how.cell_open, how.told.get("hangs") is True), "title": header.title,
        "simulated": header.simulated, "cell": header.cell, "area_cm2": header.area_cm2,
        "start_time": header.start_time,
    }  # fmt: skip
    if message := header.recovery or header.unbooked:
        told["message"] = message
    elif "text" not in header.results:
        told["message"] = _no_figures(header.results, file)
    return told | _found(header.results, told)


def _from_journal(path: Path, how: Over) -> dict[str, Any]:
    """It holds no figures: these are drawn when it is sealed."""
    from nakctl.booking import layout

    header = peek.header(path) or {}
    sample, end = header.get("sample") or {}, how.told
    value = end.get("end_value")
    return {
        "file": str(path), "sealed": False, "exit_code": max(how.code, int(ExitCode.FAILED)),
        "status": how.status, "end_reason": how.reason,
        "end_kind": end.get("end_kind", ""), "end_id": end.get("end_id", 0),
        "end_value": math.nan if value is None else value,
        "cell_state": _cell_state(how.cell_open, end.get("hangs") is True), "title": layout.title(header),
        "simulated": header.get("simulated") is True, "cell": sample.get("name", ""),
        "area_cm2": sample.get("area_cm2"), "start_time": header.get("start_time", ""),
        "message": f"not sealed: nakctl recover {typed(path)}",
    }  # fmt: skip


def unrecorded(path: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    """Of a run whose end no disk took: as its program told last. It is in no file, and holds no figures."""
    is_open = state.get("cell_open") is True
    return {
        "file": str(path), "sealed": False,
        "exit_code": int(ExitCode.FAILED if is_open else ExitCode.INSTRUMENT),
        "status": state.get("status", "interrupted"), "end_reason": state.get("reason", ""),
        "cell_state": _cell_state(is_open, hangs=False), "simulated": state.get("simulated") is True,
        "cell": state.get("cell", ""), "area_cm2": state.get("area_cm2"),
        "start_time": state.get("started", ""),
        "message": f"its end could not be recorded, nor its file be sealed: nakctl recover {typed(path)}",
    }  # fmt: skip


def _cell_state(is_open: bool, hangs: bool) -> str:
    if is_open:
        return CELL_OPEN
    return LEFT_BEHIND if hangs else CELL_UNSAFE


def _found(found: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _number(value) for name, value in found.items() if name not in told}


def _missing(finished: Finished) -> str:
    """Of a file that is whole all the same."""
    if finished.sealed and "text" not in finished.found:
        return _no_figures(finished.found, finished.path)
    return ""


def _no_figures(found: Mapping[str, Any], path: Path) -> str:
    trouble = found.get("trouble", "they were not told")
    return f"its figures could not be read ({trouble}): nakctl show {typed(path)}"


def _number(value: Any) -> Any:
    """Without its unit, which its name has, and what it is."""
    said = isinstance(value, dict) and "value" in value and value.keys() <= {"value", "units", "definition"}
    return value["value"] if said and len(value) > 1 else value
