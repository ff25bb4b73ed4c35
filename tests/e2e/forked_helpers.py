"""The helpers of a run, forked and not started: most of what such a one does is to import h5py. And small programs
of a test, as for `python -c`, which would import the same.

A forked one is a process of its own all the same, with a group, an environment and a folder as if it had been
started. But nothing isolates it, and its command line is another: tests of helpers, and of who kills them,
start them (`isolated.start`, `started_anew`). For systems that can fork.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from forking import Forked, Server, serve

from nakctl import isolated
from nakctl.record import conclusions

MODULES = ("nakctl.record.sealer", "nakctl.record.verify", "nakctl.record.live", "nakctl_sensors.logger")
STARTED = isolated.start
_turn = threading.Lock()
_servers: list[Server] = []  # the one of this process, by `close`


def control() -> socket.socket:
    """Of the process that forks, which is started when it is needed first."""
    with _turn:
        if not _servers:
            _servers.append(Server(Path(__file__)))
        return _servers[0].control


def close() -> None:
    while _servers:
        _servers.pop().close()


def start(control: Callable[[], socket.socket]) -> Callable[..., Any]:
    """What stands for `isolated.start`."""

    def forked(module: str, *arguments: str, **pipes: Any) -> Any:
        if module not in MODULES:
            return STARTED(module, *arguments, **pipes)
        request = {
            "module": module,
            "arguments": arguments,
            "cwd": str(Path.cwd()),
            "environment": dict(os.environ),
            "searched": [each for each in sys.path if each],
        }
        return Forked(control(), request, **pipes)

    return forked


def python(
    code: str,
    *arguments: str | Path,
    helpers: bool = False,
    environment: Mapping[str, str] | None = None,
    **pipes: Any,
) -> Any:
    """`python -c CODE ARGUMENTS` in the background, which finds the modules that this process finds.

    helpers  are forked as well: for tests that do not ask how they are started, nor what they inherit
    """
    words = [*map(str, arguments)]
    environment = os.environ if environment is None else environment
    if os.name != "posix":
        found = {**environment, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes
        return subprocess.Popen([sys.executable, "-c", code, *words], text=True, env=found, **pipes)
    return Forked(
        control(),
        {
            "code": code,
            "arguments": words,
            "helpers": helpers,
            "cwd": str(Path.cwd()),
            "environment": dict(environment),
            "searched": [each for each in sys.path if each],
        },
        **pipes,
    )


def done(code: str, *arguments: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = python(code, *arguments, **how)
    out, err = process.communicate()
    return subprocess.CompletedProcess([code, *map(str, arguments)], process.wait(), out, err)


def _begin(request: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path += [each for each in request["searched"] if each not in sys.path]
    if "code" in request:
        if not request["helpers"]:
            isolated.start = STARTED
        sys.argv = ["-c", *request["arguments"]]
        exec(compile(request["code"], "<a program of a test>", "exec"), {"__name__": "__main__"})
        sys.exit()
    sys.argv = [request["module"], *request["arguments"]]
    sys.exit(import_module(request["module"]).main())


def _warm_up() -> None:
    """Import what they import."""
    for module in (*MODULES, "nakctl.record.seal", "nakctl.record.read", "numpy.ma", "numpy.char"):
        import_module(module)
    for point in entry_points(group=conclusions.GROUP):
        point.load()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as served, socket.socket(fileno=int(sys.argv[2])) as asks:
        isolated.start = start(lambda: asks)  # one that seals has its file verified
        _warm_up()
        serve(served, _begin)
