"""`nakctl`, and the virtual instrument, forked from a process that has everything imported (see `forking`).

With `witness`, it tells in FILE.witness, past all buffers, how many rows came from the channel, and how many
its journal had when `append` returned: those a kill must not take. With `helpers`, the helpers of its record
are forked as well (see `forked_helpers`). It has the `environment` of the request.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import forked_helpers
from forking import Forked, serve

from nakctl import isolated
from nakctl.booking.book import Page
from nakctl.booking.entry import Entry
from nakctl.device.channel import Reading
from nakctl.record.journal import Journal
from nakctl.run.logbook import Logbook
from nakctl_sim.kernel import present

RUNNER, WORKER, CAMPAIGN = "nakctl.cli.runner", "nakctl.cli.worker", "nakctl.cli.campaigns.apart"
OURS = {each: each for each in (RUNNER, WORKER, CAMPAIGN)}  # that a command starts
PROGRAMS = {"nakctl": "nakctl.cli", "nakctl_sim.instrument": "nakctl_sim.instrument.__main__", **OURS}
IMPORTED = (
    "email.parser",  # by what tells the versions of packages
    "h5py",
    "importlib.resources.readers",
    "numpy.char",
    "numpy.ma",  # by np.unique
    "numpy.random",
    "platformdirs.unix",
    "psutil",
    "pydantic.type_adapter",
    "typer._adapters",
    "nakctl.cli.asked_for",
    "nakctl.cli.results",
    "nakctl.device.instruments",
    "nakctl.record.read",
    "nakctl.results.summary",
    "nakctl_biologic.driver",
    "nakctl.cli.app",
    "nakctl.cli.header",
    "nakctl.cli.run",
    "nakctl.cli.foreground",
    "nakctl.cli.screen.run_screen",
    "nakctl.cli.take_over",
    "nakctl.record.recorder",
    "nakctl_sim.board",
    "nakctl_sim.channel",
    "nakctl_sim.driver",
)


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


def start_of_runners(
    start: Callable[..., Any], request: dict[str, Any], asks: socket.socket
) -> Callable[..., Any]:
    """What stands for `isolated.start`: the processes of runs are forked, too, and have the same witness."""

    def forked(module: str, *arguments: str, **pipes: Any) -> Any:
        if module not in OURS:
            return start(module, *arguments, **pipes)
        pipes.pop("flags", None)
        mine = {"program": module, "args": arguments, "cwd": str(Path.cwd())}
        mine["environment"] = dict(os.environ)
        return Forked(asks, {**request, **mine}, **pipes)

    return forked


def begin(request: dict[str, Any], asks: socket.socket, helpers: socket.socket) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    if request["program"] in OURS:
        with Path(request["runners"]).open("a", encoding="ascii") as told:
            told.write(f"{os.getpid()}\n")
    if request["witness"]:
        told_to_a_witness(Path(request["witness"]))
    start = forked_helpers.start(lambda: helpers) if request["helpers"] else isolated.start
    isolated.start = start_of_runners(start, request, asks)
    sys.argv = [request["program"], *request["args"]]
    sys.exit(import_module(PROGRAMS[request["program"]]).main())


def warm_up() -> None:
    """Import what a run imports."""
    for module in (*PROGRAMS.values(), *IMPORTED):
        import_module(module)

    present()


if __name__ == "__main__":
    sockets = [socket.socket(fileno=int(each)) for each in sys.argv[1:]]
    served, asks, helpers = sockets
    warm_up()
    serve(served, partial(begin, asks=asks, helpers=helpers))
    for each in sockets:
        each.close()
