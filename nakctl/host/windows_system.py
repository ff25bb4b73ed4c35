"""How Windows itself answers what `detached` asks of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from nakctl import isolated
from nakctl.host import task_scheduler, windows_job
from nakctl.host.windows_job import Job
from nakctl.host.windows_task import errand_xml, without_window

assert sys.platform == "win32"

_LANDING_s = 10.0  # a start of Python without any library
_BEGUN_s = 15.0  # until the Task Scheduler has started something
_LOOK_s = 0.05


class ThisWindows:
    """See `detached.Windows`."""

    def job(self) -> Job:
        return windows_job.job_of(windows_job.own_limits())

    def landing(self, flags: int) -> Job:
        """Not by the launcher of a virtual environment, which has a job of its own for its child."""
        python = getattr(sys, "_base_executable", None) or sys.executable
        try:
            said = subprocess.run(
                [python, "-I", "-S", windows_job.__file__],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=flags | subprocess.CREATE_NO_WINDOW,
                timeout=_LANDING_s,
                check=False,
            ).stdout
            return windows_job.job_of(int(said))
        except (ValueError, subprocess.TimeoutExpired):  # nothing is known, and the worst is supposed
            return Job(is_one=True, ends_all=True)

    def schedule(self, module: str, arguments: tuple[str, ...], output: Path | None) -> bool:
        """As a task that is run once and forgotten. It finds its order in a file, and renames it.

        The scheduler also says "done" where nobody is logged on and it will never start anything. So an order
        that is not taken in time is taken back, and only one of the two can succeed.
        """
        number = uuid.uuid4().hex
        order, name = Path(tempfile.gettempdir()) / f"nakctl-{number}.order", f"nakctl-{number}"
        command = isolated.command("nakctl.host.by_order", str(order))
        try:
            order.write_text(json.dumps(_order(module, arguments, output)), encoding="utf-8")
            task_scheduler.create(
                name, errand_xml(without_window(command), task_scheduler.user(), Path.cwd())
            )
            try:
                task_scheduler.run(name)
                _wait_until_gone(order)
            finally:
                task_scheduler.delete(name)
        except (OSError, task_scheduler.Refused):
            pass
        try:
            order.unlink()
        except FileNotFoundError:
            return True
        except OSError:  # it is being taken this moment
            _wait_until_gone(order)
            return not order.exists()
        return False


def _order(module: str, arguments: tuple[str, ...], output: Path | None) -> dict[str, object]:
    return {
        "module": module,
        "arguments": arguments,
        "output": None if output is None else str(output.absolute()),
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
    }


def _wait_until_gone(file: Path) -> None:
    until = time.monotonic() + _BEGUN_s
    while file.exists() and time.monotonic() < until:
        time.sleep(_LOOK_s)
