"""What is said of a run that is over: how it ended, the code to leave with, and the key figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nakctl.booking import layout
from nakctl.errors import EXIT_CODES, ExitCode, NakctlError

if TYPE_CHECKING:
    from nakctl.record.recorder import Finished
    from nakctl.run.run import Outcome

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
    from nakctl.cli.screen.run_screen import CELL_OPEN, CELL_UNSAFE

    unsafe = LEFT_BEHIND if outcome.hangs else CELL_UNSAFE
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
        "cell_state": CELL_OPEN if outcome.cell_open else unsafe,
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
    return told | {name: _number(value) for name, value in finished.found.items() if name not in told}


def _missing(finished: Finished) -> str:
    """Of a file that is whole all the same."""
    if finished.sealed and "text" not in finished.found:
        why = finished.found.get("trouble", "they were not told")
        return f"its figures could not be read ({why}): nakctl show {finished.path}"
    return ""


def _number(value: Any) -> Any:
    """Without its unit, which its name has."""
    return value["value"] if isinstance(value, dict) and value.keys() == {"value", "units"} else value
