"""A run in virtual time on a worker of a Dask cluster, as a task: it is pure, so another one may do it again.

It does what a worker does here (`nakctl.cli.worker`, a process beside that of Dask), in a folder that
vanishes, and gives back the report and the bytes of the sealed file. One that nobody wants any more ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nakctl import __version__
from nakctl.cli.placing import Report, as_placed, placed_report
from nakctl.cli.workers import do_one
from nakctl.errors import ExitCode

Done = tuple[Report | None, str, int, bytes]  # the report and the file; or why there is none, and the code


def done(run: Mapping[str, Any], version: str) -> Done:
    """One run, of which `workers.message` tells. version: of who asks for it."""
    if version != __version__:
        return None, other_version(__version__, version), int(ExitCode.BAD_INPUT), b""
    with tempfile.TemporaryDirectory(prefix="nakctl-", ignore_cleanup_errors=True) as folder:
        out = Path(run["out"])
        file = Path(folder) / out.name
        told = do_one({**run, "out": str(file)}, _is_wanted())
        if "failed" in told:
            return None, as_placed(told["failed"], file, out), int(told["code"]), b""
        if "nothing" in told or not told["report"]["sealed"]:
            report = told.get("report", {})
            why = report.get("message") or report.get("end_reason") or "it was not begun"
            return None, f"{as_placed(why, file, out)}; nothing of it is kept", int(ExitCode.FAILED), b""
        return placed_report(told["report"], file, out), "", 0, file.read_bytes()


def _is_wanted() -> Callable[[], bool]:
    """Whether somebody still waits for the task of this thread: Dask ends none that has begun."""
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except (ValueError, AttributeError):  # a test calls it
        return lambda: True

    def asks() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state not in ("cancelled", "released", "forgotten")

    return asks


def other_version(there: str, here: str) -> str:
    """there "": none."""
    if not there:
        return "nakctl is not installed there: pip install nakctl"
    return f"there is nakctl {there}, and here {here}: install the same"
