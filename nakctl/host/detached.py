"""Start a process that goes on when the terminal is closed, the connection lost, or its starter ended."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nakctl import isolated
from nakctl.host.windows_job import BREAK_AWAY, Job

STAYS = (
    "this run ends when this window is closed or the connection is lost, because they let no program out: "
    "keep them open, or start it from a plain command prompt (conhost.exe)"
)


@dataclass(frozen=True, slots=True)
class Detached:
    """A process that was started.

    warning  what may end it all the same, as a sentence for the user; "" if nothing is known
    pid      None: the system's scheduler started it, and does not say. On Windows, in a virtual environment,
             that of a launcher: who it is, is to be had from the process itself
    """

    warning: str = ""
    pid: int | None = None
    _over: list[int] = field(default_factory=list)

    def exit_code(self) -> int | None:
        """None: it goes on, or nobody can say. Does not wait."""
        return self._over[0] if self._over else None


class Windows(Protocol):
    """What is asked of Windows, so that each answer of it can be tried anywhere."""

    def job(self) -> Job:
        """That of this process."""

    def landing(self, flags: int) -> Job:
        """That of a child which was started with these flags. PermissionError: they are refused."""

    def schedule(self, module: str, arguments: tuple[str, ...], output: Path | None) -> bool:
        """Have the Task Scheduler start it; whether it has begun."""


def start_detached(
    module: str, *arguments: str, output: Path | None = None, windows: Windows | None = None
) -> Detached:
    """Start `python -m MODULE ARGUMENTS` isolated, so that nothing but its own end ends it.

    It has no terminal: its standard input is empty, what it prints is appended to `output`, or lost. It has
    the folder and the environment of this process. On Windows this may take seconds, if the Task Scheduler
    is needed.

    Nothing that was started so survives that its user logs off from Windows, or on Linux where the system is
    set to end all of them (KillUserProcesses). For that there is `nakctl autostart`.

    windows  how Windows is asked; None: it itself, where this is Windows
    Raises OSError if the system cannot start a process.
    """
    if windows is None and sys.platform == "win32":
        from nakctl.host.windows_system import ThisWindows

        windows = ThisWindows()
    if windows is None:
        return _started(module, arguments, output)
    flags = _way_out(windows)
    if flags is not None:
        return _started(module, arguments, output, flags)
    if windows.schedule(module, arguments, output):
        return Detached()
    return _started(module, arguments, output, warning=STAYS)


def _way_out(windows: Windows) -> int | None:
    """Flags with which a child is in no job that may end it; None: there are none."""
    job = windows.job()
    if not job.is_one:
        return 0
    # A child may leave the innermost job unasked, as it leaves that of the launcher of a virtual environment,
    # and come to be in one around it: only a child that was started can tell.
    for flags in (BREAK_AWAY, 0) if job.lets_break_away else (0,):
        try:
            if not windows.landing(flags).ends_all:
                return flags
        except PermissionError:  # refused by a job around it
            continue
    return None


def _started(
    module: str, arguments: tuple[str, ...], output: Path | None, flags: int = 0, warning: str = ""
) -> Detached:
    with nullcontext(subprocess.DEVNULL) if output is None else output.open("ab") as sink:
        process = isolated.start(module, *arguments, stdout=sink, stderr=sink, flags=flags)
    detached = Detached(warning, process.pid)
    threading.Thread(target=_bury, args=(process, detached._over), daemon=True).start()
    return detached


def _bury(process: subprocess.Popen[str], over: list[int]) -> None:
    """Its starter may live longer than it, and would keep it in the list of processes."""
    over.append(process.wait())
