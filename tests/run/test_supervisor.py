"""Calls that do not come back, disks and rows that are slow: on a wall clock, with real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import kept
import numpy as np
import pytest
from hand_made import cp, end, info, points, program, rest, rows
from patience import PATIENCE_s, until

from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.decide.gate import Gate
from nakctl.device.channel import ChannelInfo, Look, Notice, Reading, State, Visit, Watch
from nakctl.device.program import Program, Segment
from nakctl.errors import ChannelTaken, LinkLost
from nakctl.run.clock import WallClock
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.pulse import Abandoned, Pulse
from nakctl.run.run import Outcome, run
from nakctl.run.supervisor import _Supervisor

LIMIT = end(1, "Ewe", "above", 3.0, kind="limit")
RESTING = program(Segment((rest(1),)), steps=[info(1)], ends=(LIMIT,))


class Bench:
    """A channel by hand: one row per read at 0.1 V, until it is stopped. `shows` is what a look says."""

    patience_s = 30.0
    info = ChannelInfo("SP-300", "bench", True)

    def __init__(self) -> None:
        self.started, self.stopped = threading.Event(), threading.Event()
        self.reads = self.looks = 0
        self.shows = 0.1

    def check(self, segment: Segment) -> None: ...
    def load(self, segment: Segment, mark: str = "") -> None: ...

    def start(self) -> None:
        self.started.set()

    def look(self) -> Look | None:
        self.looks += 1
        return self.shown()

    def shown(self) -> Look:
        return Look(not self.stopped.is_set(), self.shows, 0.0, self.reads * 0.01)

    def read(self, watch: Watch) -> Reading:
        if self.stopped.is_set():
            return Reading(State.STOPPED, rows(), points(), look=self.shown(), visit=Visit(0, 0, 0.0))
        self.reads += 1
        row = rows((self.reads * 0.01, 0.1, 0.0, 0, 0))
        return Reading(State.RUNNING, row, points(), look=self.shown(), visit=Visit(0, 0, 0.0))

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None: ...


class Kept(kept.Kept):
    """`may_go_on` holds its disk."""

    def __init__(self) -> None:
        super().__init__()
        self.program = RESTING
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
        noted = super().append(entries)
        self.may_go_on.wait(PATIENCE_s)
        return noted

    @property
    def samples(self) -> int:
        return sum(len(entry.samples) for entry in self.entries)


def started(
    channel: Bench, sink: Kept, what: Program = RESTING, poll_s: float = 0.01, **options: Any
) -> tuple[threading.Thread, list[Outcome]]:
    outcomes: list[Outcome] = []

    def work() -> None:
        outcomes.append(run(what, channel, WallClock(), sink, poll_s=poll_s, **options))  # type: ignore[arg-type]

    thread = threading.Thread(target=work)
    thread.start()
    return thread, outcomes


def test_a_call_that_hangs_is_an_alarm_while_it_hangs_and_the_run_goes_on_when_it_is_back() -> None:
    told, back = threading.Event(), threading.Event()

    class Hanging(Bench):
        def read(self, watch: Watch) -> Reading:
            if self.reads == 3 and not back.is_set():
                assert told.wait(PATIENCE_s)  # the alarm comes while this call is under way
                back.set()
            return super().read(watch)

    def observe(progress: Progress) -> None:
        if any(event.code == "call_hangs" and event.severity == 2 for event in progress.news):
            told.set()
        if any(event.code == "call_back" for event in progress.news):
            channel.stopped.set()

    channel, sink = Hanging(), Kept()
    thread, outcomes = started(channel, sink, observe=observe)
    thread.join(PATIENCE_s)
    assert not thread.is_alive()
    assert outcomes[0].end_kind == "interrupted"  # somebody else stopped it, in the end
    assert {"call_hangs", "call_back"} <= set(sink.codes())


@pytest.mark.parametrize(
    ("name", "after_s"), [("read", 1.0), ("look", 1.0), ("stop", 1.0), ("load", 15.0), ("start", 15.0)]
)
def test_what_guards_nothing_may_take_longer(name: str, after_s: float) -> None:
    """The cell is open while a chain is loaded."""
    told: list[str] = []

    class Supervisor(_Supervisor):
        def _tell(self, severity: int, code: str, message: str) -> None:
            told.append(code)

    pulse = Pulse()
    supervisor = Supervisor(SimpleNamespace(), pulse, 60.0)  # type: ignore[arg-type]
    with pulse.calling(name):
        for passed_s in (0.0, after_s):
            supervisor._look(passed_s)
        assert told == []
        supervisor._look(0.1)
        assert told == ["call_hangs"]


def test_what_is_meant_is_on_the_disk_before_it_is_done() -> None:
    """Whoever finds a run that was killed has to know what its channel may have been told."""
    safe: list[str] = []

    class Safe(Kept):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            noted = super().append(entries)
            if durable:
                safe.extend(entry.facts["verb"] for entry in entries if entry.kind == "meant")
            return noted

    class Careful(Bench):
        def load(self, segment: Segment, mark: str = "") -> None:
            assert safe == ["load"]

        def start(self) -> None:
            assert safe == ["load", "start"]
            super().start()
            self.stopped.set()

    run(RESTING, Careful(), WallClock(), Safe(), poll_s=0.01)  # type: ignore[arg-type]
    assert safe[:2] == ["load", "start"]


def test_what_is_to_be_told_meanwhile_is_not_forgotten_over_the_alarm() -> None:
    told, seen = threading.Event(), []

    class Hanging(Bench):
        def stop(self) -> None:
            assert told.wait(PATIENCE_s)
            super().stop()

    def observe(progress: Progress) -> None:
        seen.extend(event.code for event in progress.news)
        if "call_hangs" in seen:
            told.set()

    channel = Hanging()
    channel.shows = 3.5
    thread, outcomes = started(channel, Kept(), observe=observe)
    thread.join(PATIENCE_s)
    assert outcomes[0].status == "stopped"
    assert {"stop", "call_hangs"} <= set(seen)


@pytest.mark.parametrize("outlives", [False, True])
def test_a_call_that_never_comes_back_is_left_behind(outlives: bool) -> None:
    """With the record closed; or, of a channel that goes on by itself, without an end, for whoever comes after."""
    never = threading.Event()

    class Gone(Bench):
        patience_s = 1.5

        def read(self, watch: Watch) -> Reading:
            if self.reads == 5:
                never.wait(2 * PATIENCE_s)
            return super().read(watch)

    channel, sink = Gone(), Kept()
    thread, outcomes = started(channel, sink, outlives=outlives)
    thread.join(PATIENCE_s)
    assert not thread.is_alive()
    outcome = outcomes[0]
    assert (outcome.status, outcome.hangs, outcome.cell_open, outcome.samples) == (
        "interrupted",
        True,
        False,
        5,
    )
    assert "read of the channel has not come back" in outcome.reason
    assert sink.samples == 5
    assert sink.codes()[-1] == ("left_behind" if outlives else "end")
    ends = [entry.kind for entry in sink.entries if entry.kind == "over" or entry.facts.get("verb") == "end"]
    assert bool(ends) != outlives
    never.set()


@pytest.mark.parametrize(("outlives", "to_end"), [(False, False), (True, False), (True, True)])
def test_what_was_on_the_channel_is_gone(outlives: bool, to_end: bool) -> None:
    """No end of the run, if it can be gone on with; one that was to end anyhow has ended."""

    class Gone(Bench):
        def read(self, watch: Watch) -> Reading:
            if self.reads < 5:
                return super().read(watch)
            if to_end and not self.stopped.is_set():
                return Reading(State.RUNNING, rows(), points(), look=Look(True, 3.5, 0.0, 0.1))
            raise ChannelTaken("the firmware is gone")

    told: list[dict[str, Any]] = []
    outside = Outside(lambda state: told.append(dict(state)))
    channel, sink = Gone(), Kept()
    thread, outcomes = started(channel, sink, outlives=outlives, outside=outside)
    thread.join(60)
    assert not thread.is_alive()
    (outcome,) = outcomes
    is_left = outlives and not to_end
    assert (outcome.goes_on, outcome.hangs, outcome.cell_open) == (is_left, False, False)
    assert ("lost" in sink.codes()) == is_left
    ends = [entry.kind for entry in sink.entries if entry.kind == "over" or entry.facts.get("verb") == "end"]
    assert bool(ends) != is_left
    assert told[-1]["state"] == ("lost" if is_left else "ended")
    assert "the firmware is gone" in told[-1]["reason"]


def test_a_call_that_came_back_in_the_last_moment_is_not_left_behind() -> None:
    """Else the loop would go on beside a record that is closed."""
    pulse = Pulse()
    with pulse.calling("read"):
        read = pulse.call
        assert read is not None
    assert not pulse.abandon(read)
    with pytest.raises(Abandoned), pulse.calling("look"):
        assert pulse.call is not None and not pulse.abandon(read) and pulse.abandon(pulse.call)


def test_while_the_disk_stands_still_limits_are_judged_by_what_the_channel_shows() -> None:
    """And nothing more is fetched: the rows wait in the instrument."""
    channel, sink, behind = Bench(), Kept(), threading.Event()

    def observe(progress: Progress) -> None:
        if any(event.code == "record_behind" for event in progress.news):
            behind.set()

    thread, outcomes = started(channel, sink, observe=observe)
    until(lambda: channel.reads > 0)
    sink.may_go_on.clear()
    stood_still = time.monotonic()
    assert behind.wait(PATIENCE_s)
    reads = channel.reads
    channel.shows = 3.5
    assert channel.stopped.wait(PATIENCE_s)
    assert channel.reads == reads
    until(lambda: time.monotonic() - stood_still > 2.0)  # whenever the record's thread had its turn
    sink.may_go_on.set()
    thread.join(PATIENCE_s)
    outcome = outcomes[0]
    assert (outcome.status, outcome.end_kind, outcome.end_value) == ("stopped", "limit", 3.5)
    assert sink.samples == outcome.samples == channel.reads
    assert {"record_behind", "slow_disk"} <= set(sink.codes())


def test_with_its_memory_nearly_full_it_is_read_all_the_same() -> None:
    class Full(Bench):
        def shown(self) -> Look:
            return Look(not self.stopped.is_set(), 0.1, 0.0, self.reads * 0.01, filled=0.8)

    channel, sink = Full(), Kept()
    thread, _ = started(channel, sink)
    until(lambda: channel.reads > 0)
    sink.may_go_on.clear()
    reads = channel.reads
    until(lambda: channel.reads > reads + 100)
    assert channel.looks == 0
    channel.stopped.set()
    sink.may_go_on.set()
    thread.join(PATIENCE_s)


def test_more_rows_than_one_read_carries_are_fetched_without_sleeping_but_judged_block_by_block() -> None:
    class Burst(Bench):
        def read(self, watch: Watch) -> Reading:
            reading = super().read(watch)
            if reading.state is State.STOPPED:
                return reading
            Ewe = 3.2 if self.reads == 50 else 0.1
            many = rows(*((self.reads + k / 200, Ewe, 0.0, 0, 0) for k in range(100)))
            return Reading(State.RUNNING, many, points(), look=None, more=True, visit=Visit(0, 0, 0.0))

    channel, sink = Burst(), Kept()
    outcome = run(RESTING, channel, WallClock(), sink, poll_s=600.0)  # type: ignore[arg-type]
    assert (outcome.status, outcome.samples) == ("stopped", 50 * 100)
    assert outcome.end_value == pytest.approx(3.2)


def test_an_error_of_the_loop_itself_is_raised_here_with_the_channel_stopped() -> None:
    class Odd(Bench):
        def read(self, watch: Watch) -> Reading:
            if not self.stopped.is_set() and self.reads == 2:
                raise ZeroDivisionError
            return super().read(watch)

    channel = Odd()
    with pytest.raises(ZeroDivisionError):
        run(RESTING, channel, WallClock(), Kept(), poll_s=0.01)  # type: ignore[arg-type]
    assert channel.stopped.is_set()


def test_after_an_error_of_the_loop_the_record_has_all_that_was_read_and_nobody_writes_it() -> None:
    class Slow(Kept):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            threading.Event().wait(0.2)
            return super().append(entries)

    class Odd(Bench):
        def read(self, watch: Watch) -> Reading:
            if not self.stopped.is_set() and self.reads == 5:
                raise ZeroDivisionError
            return super().read(watch)

    before, sink = set(threading.enumerate()), Slow()
    with pytest.raises(ZeroDivisionError):
        run(RESTING, Odd(), WallClock(), sink, poll_s=0.01)  # type: ignore[arg-type]
    assert sink.samples == 5
    assert not [each for each in threading.enumerate() if each.name == "record" and each not in before]
    assert sink["steps"]["end_kind"].tolist() == [b"trouble"]


def test_an_error_that_comes_again_keeps_nobody_from_stopping_the_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Deaf(Bench):
        asked = 0

        def stop(self) -> None:
            self.asked += 1
            if self.asked < 3:
                raise LinkLost("no answer from the instrument")
            super().stop()

    def broken(*given: Any) -> list[Notice]:
        raise ZeroDivisionError

    monkeypatch.setattr(Gate, "look_at", broken)
    channel = Deaf()
    with pytest.raises(ZeroDivisionError):
        run(RESTING, channel, WallClock(), Kept(), poll_s=0.01)  # type: ignore[arg-type]
    assert channel.stopped.is_set()


def test_a_start_that_was_heard_and_not_answered_is_stopped_and_its_rows_kept() -> None:
    class Mute(Bench):
        def start(self) -> None:
            super().start()
            raise LinkLost("no answer from the instrument")

        def read(self, watch: Watch) -> Reading:
            if self.reads == 2:  # what runs there matters while the record is behind
                sink.may_go_on.clear()
            return super().read(watch)

        def look(self) -> Look | None:
            if self.looks == 3:
                sink.may_go_on.set()
            return super().look()

        def stop(self) -> None:
            if self.reads + self.looks > 5:
                sink.may_go_on.set()
                super().stop()

    channel, sink = Mute(), Kept()
    asked = lambda: "stopped by the operator" if channel.started.is_set() else None  # noqa: E731
    outcome = run(RESTING, channel, WallClock(), sink, poll_s=0.01, stop_asked=asked)  # type: ignore[arg-type]
    assert (outcome.status, outcome.reason) == ("aborted", "stopped by the operator")
    assert sink.samples == channel.reads > 0
    assert sink["samples"]["time"][0] < 5.0


def test_a_chain_that_starts_late_is_tied_to_the_moment_it_began() -> None:
    """The start call comes back at once, the instrument begins two seconds later."""

    class Late(Bench):
        begins_s = 0.0

        def start(self) -> None:
            self.clock = WallClock()
            super().start()

        def read(self, watch: Watch) -> Reading:
            elapsed_s = self.clock.now_s() - 2.0
            if self.stopped.is_set():
                return Reading(
                    State.STOPPED, rows(), points(), look=Look(False, 0, 0, elapsed_s), visit=Visit(0, 0, 0.0)
                )
            if elapsed_s <= 0:
                return Reading(State.RUNNING, rows(), points(), look=Look(False, 0.0, 0.0, 0.0))
            self.reads += 1
            row = rows((elapsed_s, 0.1, 0.0, 0, 0))
            if self.reads == 3:
                self.stopped.set()
            return Reading(
                State.RUNNING, row, points(), look=Look(True, 0.1, 0.0, elapsed_s), visit=Visit(0, 0, 0.0)
            )

    channel, sink = Late(), Kept()
    run(RESTING, channel, WallClock(), sink, poll_s=0.01)  # type: ignore[arg-type]
    began_s, error_s = float(sink["chains"]["time"][0]), float(sink["chains"]["time_error"][0])
    assert began_s == pytest.approx(2.0, abs=error_s + 0.05)
    assert error_s < 2.0


def test_nothing_is_read_after_a_limit_was_met_by_a_row_but_to_stop() -> None:
    channel, sink = Bench(), Kept()
    over = program(Segment((cp(1),)), steps=[info(1)], ends=(end(1, "Ewe", "above", 0.05, kind="limit"),))
    outcome = run(over, channel, WallClock(), sink, poll_s=0.01)  # type: ignore[arg-type]
    assert outcome.samples <= 2
    assert np.isclose(outcome.end_value, 0.1)


def test_a_channel_that_has_stopped_may_take_its_time_with_its_last_rows() -> None:
    """No alarm, and no further stop: what waits to be fetched is not current."""

    class Slow(Bench):
        stops = drained = 0

        def stop(self) -> None:
            self.stops += 1
            self.stopped.set()

        def read(self, watch: Watch) -> Reading:
            self.reads += 1
            self.drained += self.stopped.is_set()
            state = State.STOPPED if self.drained > 50 else State.RUNNING
            row = rows((self.reads * 0.01, 3.5, 0.0, 0, 0))
            return Reading(state, row, points(), look=self.shown(), visit=Visit(0, 0, 0.0))

    channel, sink = Slow(), Kept()
    outcome = run(RESTING, channel, WallClock(50.0), sink, poll_s=0.01)  # type: ignore[arg-type]
    assert (outcome.status, channel.drained, channel.stops) == ("stopped", 51, 1)
    assert outcome.duration_s > 0.5
    assert "not_stopped" not in sink.codes()
