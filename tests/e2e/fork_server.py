"""`nakctl` without a start of Python for each command: a process that has everything imported forks for them.

A request comes over a Unix socket, as JSON with the file descriptors of stdin, stdout, stderr and of a pipe. Into
that the number of the process is written, and in the end its exit code, a line each. It leads a group of its own.

With `witness`, it tells in FILE.witness, past all buffers, how many samples its journal had when `append`
returned: that is what a kill must not take.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from nakctl.cli import main
from nakctl.record.journal import Journal


def told_to_a_witness(path: Path) -> None:
    """Every append that returned adds how many samples are kept to the witness."""
    append = Journal.append
    kept = 0

    def witnessed(journal: Journal, tables: Mapping[str, Any], events: Any = ()) -> str | None:
        nonlocal kept
        trouble = append(journal, tables, events)
        if trouble is None:
            kept += len(tables.get("samples", ()))
            with path.open("ab", buffering=0) as witness:
                witness.write(b"%d\n" % kept)
        return trouble

    Journal.append = witnessed  # type: ignore[method-assign]


def run(request: dict[str, Any], streams: Sequence[int]) -> NoReturn:
    """As a process that a terminal has started."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if request["witness"]:
        told_to_a_witness(Path(request["witness"]))
    sys.argv = ["nakctl", *request["args"]]
    main()
    sys.exit()


def keep(request: dict[str, Any], descriptors: Sequence[int]) -> None:
    """The parent of one command: tells its number, and how it ended."""
    *streams, report = descriptors
    child = os.fork()
    if child == 0:
        os.close(report)
        run(request, streams)
    for stream in streams:
        os.close(stream)
    os.write(report, b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):  # nobody wants to know
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def warm_up() -> None:
    """Import what a run imports, and load the simulator."""
    import nakctl.cli.header
    import nakctl.cli.run
    import nakctl.cli.screen.run_screen
    import nakctl.record.recorder  # noqa: F401
    from nakctl.device.instrument import instrument
    from nakctl_sim.cell.models import load_model
    from nakctl_sim.warm_up import warm_up as load_simulator

    load_simulator(load_model("NaK50"), instrument("SP-300"))


def serve(control: socket.socket) -> None:
    while True:
        text, descriptors, *_ = socket.recv_fds(control, 1 << 16, 4)
        if not text:
            return
        if os.fork() == 0:
            control.close()
            keep(json.loads(text), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as control:
        warm_up()
        gc.freeze()
        serve(control)
