"""`nakctl` without a start of Python for each command: a process that has everything imported forks for them.

A request comes over a Unix socket, as JSON with the file descriptors of stdin, stdout, stderr and of a pipe. Into
that the number of the process is written, and in the end its exit code, a line each. It leads a group of its own.

With `witness`, it tells in FILE.witness, past all buffers, how many rows came from the channel, and how many
its journal had when `append` returned: those a kill must not take.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from nakctl.booking.book import Page
from nakctl.booking.entry import Entry
from nakctl.cli import main
from nakctl.device.channel import Reading
from nakctl.record.journal import Journal
from nakctl.run.logbook import Logbook


def told_to_a_witness(path: Path) -> None:
    """Every block of rows, when it came from the channel (r) and when `append` returned with it (k): how many
    rows there were in all."""
    counts = {b"r": 0, b"k": 0}
    append, said = Journal.append, Logbook.said

    def tell(what: bytes, rows: int) -> None:
        counts[what] += rows
        if rows:
            with path.open("ab", buffering=0) as witness:
                witness.write(b"%s %d\n" % (what, counts[what]))

    def witnessed_append(journal: Journal, entries: Sequence[Entry], **how: bool) -> None:
        append(journal, entries, **how)
        if not journal.waiting:
            tell(b"k", sum(len(each.samples) + len(each.points) for each in entries))

    def witnessed_said(logbook: Logbook, reading: Reading) -> Page:
        tell(b"r", len(reading.samples) + len(reading.points))
        return said(logbook, reading)

    Journal.append, Logbook.said = witnessed_append, witnessed_said  # type: ignore[method-assign]


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
