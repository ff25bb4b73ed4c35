"""Runs whose program dies with any call of the channel, and whoever goes on with them, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kept import Kept
from running import done

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.entry import Entry, Kind
from nakctl.device.channel import Channel, Watch
from nakctl.device.driver import Place
from nakctl.errors import LinkLost
from nakctl.run.clock import FreeClock
from nakctl.run.run import Outcome, run
from nakctl.run.successor import last_chain, replayed
from nakctl_sim.channel import SimChannel

CALLS = ("load", "start", "read", "look", "stop")
PLACE = Place("sim", "sim", "SP-300", 1, {})


class Half:
    """A journal as it was when so many entries were in it. Reads: `successor.Journal`."""

    def __init__(self, kept: Kept, count: int) -> None:
        self.kept, self._entries = kept, [e._replace(seq=k + 1) for k, e in enumerate(kept.entries[:count])]

    def latest(self, *kinds: Kind) -> Iterator[Entry]:
        return (entry for entry in reversed(self._entries) if entry.kind in kinds)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        return iter(self._entries[after:])

    def book(self) -> Book:
        return Book(self.kept.program, layout.SAMPLES.dtype)

    def memo(self) -> dict[str, Any] | None:
        newest = next(self.latest("said"), None)
        return newest and {"seq": newest.seq, "segment": newest.segment, "memo": newest.memo}


class Died(BaseException):
    """As a program that is killed: it does nothing more."""


class Mortal:
    """A channel whose program dies with the n-th call: as it is heard, or before. What that still does, as it
    dies, is heard by nobody. at 0: it lives."""

    def __init__(self, inner: Channel, at: int, *, heard: bool) -> None:
        self.inner, self.at, self.heard, self.calls = inner, at, heard, 0
        self.lost: Any = None  # what the last call brought, and nobody kept

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            return getattr(self.inner, name)

        def call(*given: Any) -> Any:
            self.calls += 1
            if name == "read":  # a block at a time
                given = (Watch(every_s=0.7),)
            if self.at and self.calls > self.at:
                raise LinkLost("dead")
            if self.calls != self.at:
                return getattr(self.inner, name)(*given)
            if self.heard:
                self.lost = getattr(self.inner, name)(*given)
            raise Died

        return call


def gone_on_with(
    at: int, *, heard: bool, steps: str, sensors: Any = None, **options: Any
) -> tuple[Outcome, Kept, Mortal]:
    """A run whose program dies with a call of the channel, and its successor, which goes on to its end."""
    options["sensors"] = sensors
    channels: list[Mortal] = []

    def mortal(channel: Channel) -> Any:
        channels.append(Mortal(channel, at, heard=heard))
        return channels[-1]

    kept = Kept()
    with suppress(Died):
        return *done(steps, sink=kept, wrap=mortal, run_id="me", **options), channels[0]
    [dead] = channels
    fault = [
        k for k, entry in enumerate(kept.entries) if entry.kind == "over" and "fault" in str(entry.facts)
    ]
    del kept.entries[fault[0] if fault else len(kept.entries) :]
    half = Half(kept, len(kept.entries))
    chain = last_chain(half)
    channel = SimChannel(dead.inner.board, dead.inner.info)  # type: ignore[attr-defined]
    if chain.may_run:
        channel.adopt(chain.segment, chain.memo, chain.mark)
    later, left = Kept(), replayed(half, chain.time_s)
    assert left.book.program is not None  # the one in force
    outcome = run(
        left.book.program, channel, FreeClock(), later, poll_s=0.0, run_id="me", left=left, sensors=sensors
    )
    kept.entries += later.entries
    return outcome, kept, dead


def successors(steps: str, *, every: int = 2, **options: Any) -> Iterator[tuple[int, Kept]]:
    """Of programs that die with each so many-th call: which, and what its run came to, if it was completed. In
    the others the rows are lost that prove that a chain was done."""
    at = every
    while True:
        outcome, kept, dead = gone_on_with(at, heard=True, steps=steps, **options)
        if dead.calls < at:
            return
        if outcome.status == "completed":
            yield at, kept
        at += every
