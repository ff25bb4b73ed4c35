"""What is said of a run that is over: how it ended, the code to leave with, and the key figures."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def report(finished: Finished, outcome: Outcome, error: NakctlError | None, code: ExitCode) -> dict[str, Any]:
    """How it ended, and the key figures."""
    from nakctl.cli.screen import CELL_OPEN, CELL_UNSAFE

    unsafe = LEFT_BEHIND if outcome.hangs else CELL_UNSAFE
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
    }
    if finished.message:
        told["message"] = finished.message
    if error is not None:
        told["error"] = str(error)
    return _with_figures(told, finished.path) if finished.sealed else told


def _with_figures(told: dict[str, Any], path: Path) -> dict[str, Any]:
    """Read back from the sealed file, so that what is printed is what is in it."""
    try:
        from nakctl.record.read import open_run
        from nakctl.results.summary import summary

        with open_run(path) as opened:
            return told | summary(opened)
    except Exception as error:  # noqa: BLE001  (how the cell is left is told all the same)
        failed = f"nakctl itself failed: {type(error).__name__}: {error}"
        why = str(error) if isinstance(error, NakctlError) else failed
        return told | {"message": f"its figures could not be read: {why}"}


def load_meanwhile() -> None:
    """Load what `report` reads the figures with, while another process seals the file: it takes as long."""
    threading.Thread(target=_load, daemon=True).start()


def _load() -> None:
    with suppress(Exception):  # of which `report` tells
        import nakctl.record.read
        import nakctl.results.summary  # noqa: F401
