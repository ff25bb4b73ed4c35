"""How processes of ours are started and behave: whatever lies in the working folder, whatever key is pressed.

A folder of runs may hold an `h5py.py` or a `random.py` of its user, which Python would import before the
real one. So a helper is started with `-I`, which leaves out the working folder. What it leaves out besides
and the parent had (a user's site, a source tree, PYTHONPATH) is searched last. Only nakctl and the package of
the helper are those of the parent in any case: another version may be installed.
"""

from __future__ import annotations

import gc
import os
import signal
import site
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

Pipe = int | IO[bytes] | None

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_DEAF_TO = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def start(
    module: str,
    *arguments: str,
    stdin: Pipe = subprocess.DEVNULL,
    stdout: Pipe = subprocess.PIPE,
    stderr: Pipe = subprocess.PIPE,
    console: bool = False,
    flags: int = 0,
) -> subprocess.Popen[str]:
    """Start `python -m MODULE ARGUMENTS` isolated, in a group of its own: no key of the terminal ends it.

    stdin, stdout, stderr  as for Popen; pipes carry UTF-8
    console  it writes to the console of this process (on Windows; elsewhere all may)
    flags    more creation flags for Windows; elsewhere there are none
    Raises OSError if the system cannot start a process.
    """
    return subprocess.Popen(
        command(module, *arguments),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=os.name == "posix",
        creationflags=_windows_flags(console, flags),
    )


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module isolated, with the interpreter and the warnings of this process.

    Also how often it looks for garbage.
    """
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    # As ASCII literals: a folder may have any name, and this goes through the system's encoding.
    homes = _homes(module)
    boot = (
        f"import gc, runpy, site, sys; gc.set_threshold({gc.get_threshold()[0]}); "
        f"[site.addsitedir(each) for each in {users!a}]; "
        f"sys.path += [each for each in {_searched()!a} if each not in sys.path]; "
        f"[(sys.path.insert(0, home), __import__(name), sys.path.pop(0)) for name, home in {homes!a}]; "
        f"runpy.run_module({module!a}, run_name='__main__', alter_sys=True)"
    )
    warnings = [f"-W{option}" for option in sys.warnoptions]
    return [sys.executable, "-I", *warnings, "-c", boot, *arguments]


def begin() -> None:
    """What a helper does first: no signal of the terminal ends it, and no letter that it cannot write."""
    for name in _DEAF_TO:
        if number := getattr(signal, name, None):
            signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def wake_when_orphaned() -> None:
    """Linux only: a process that was stopped goes on when the one that started it dies, and sees that nobody
    is there any more. Strictly, when the thread ends that started it: to who goes on anyway the signal means
    nothing.
    """
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGCONT))


def _homes(module: str) -> list[tuple[str, str]]:
    """nakctl and the package of the module, and the folder from which this process has them."""
    names = dict.fromkeys(("nakctl", module.partition(".")[0]))
    found = {name: getattr(sys.modules.get(name), "__path__", None) for name in names}
    return [(name, str(Path(path[0]).resolve().parent)) for name, path in found.items() if path]


def _searched() -> list[str]:
    """Where this process finds modules, without the working folder."""
    return [each for each in sys.path if not _is_working_folder(each)]


def _is_working_folder(folder: str) -> bool:
    if folder == "":
        return True
    with suppress(OSError):
        return Path(folder).samefile(Path.cwd())
    return False


def _windows_flags(console: bool, flags: int) -> int:
    """On Windows Ctrl-C goes to all processes of a group, and a closed window to all of its console."""
    if sys.platform != "win32":
        return 0
    own = subprocess.CREATE_NEW_PROCESS_GROUP | flags
    # Not DETACHED_PROCESS: the launcher of a virtual environment would open a window for its child.
    return own if console else own | subprocess.CREATE_NO_WINDOW
