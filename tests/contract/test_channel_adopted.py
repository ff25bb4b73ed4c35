"""A channel outlives whoever speaks for it: another one goes on where the last kept reading left off."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from channel_bench import (
    MARK,
    MIXED,
    MOVING,
    NOTHING,
    AdoptedEachRead,
    MakeChannel,
    Run,
    ca,
    chain,
    collected,
    cp,
    drain,
    eis,
    ocv,
    pulses,
    run,
    start,
    through_json,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nakctl.device.channel import Channel, Reading, State
from nakctl.device.driver import ClockLike
from nakctl.device.program import Loop, Segment, Test
from nakctl.errors import ChannelError, ChannelTaken
from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.clock import StepClock

CELL = "NaK50"
MOST_READS = 5_000
ABOVE, BELOW = Test("Ewe", "above", 0.1), Test("Ewe", "below", -1.0)
SEGMENTS = {
    "mixed": MIXED,
    "moving": MOVING,
    "pulses": pulses(6),
    "nested loops": chain(
        ocv(0.4, 0.1),
        cp(1e-4, 0.3, 0.1),
        Loop(1, 3, passes=False),
        ca(0.02, 0.5, 0.1),
        Loop(0, 2, passes=True),
    ),
    "sweeps": chain(
        eis(n=4, hold_s=0.5), Loop(0, 3, passes=False), eis("PEIS", 0.0, 5e-3, n=3, vs_previous=True)
    ),
    "tests that were met": chain(cp(0.8e-3, 60.0, 0.5, ABOVE, BELOW), ocv(1.0), Loop(0, 2, passes=True)),
    "stopped by a test": chain(ocv(1.0), cp(0.8e-3, 60.0, 0.5, ABOVE, on_test="stop"), ocv(1.0)),
}


def same(one: Run, other: Run) -> bool:
    """Bit for bit."""
    return one.samples.tobytes() == other.samples.tobytes() and one.points.tobytes() == other.points.tobytes()


def began(channel: Channel, segment: Segment, mark: str = MARK) -> Channel:
    channel.load(segment, mark)
    channel.start()
    return channel


def readings_of(channel: Channel, clock: ClockLike, pause_s: float = 0.1) -> list[Reading]:
    """Until STOPPED."""
    readings: list[Reading] = []
    for _ in range(MOST_READS):
        readings.append(channel.read(NOTHING))
        if readings[-1].state is State.STOPPED:
            return readings
        if not readings[-1].more:
            clock.sleep(pause_s)
    raise AssertionError(f"no end after {MOST_READS} reads")


def adopted(
    make: MakeChannel, dropped: Channel, segment: Segment, last: Reading | None, *, is_cut: bool = True
) -> Channel:
    channel = make.again(dropped, is_cut=is_cut)
    channel.adopt(segment, {} if last is None else through_json(last.memo), MARK if last is None else "")
    return channel


# dropped after every read


@pytest.mark.parametrize("pause_s", [None, 0.23], ids=["free", "often"])
@pytest.mark.parametrize("name", SEGMENTS)
def test_no_row_is_lost_or_doubled(make_channel: MakeChannel, name: str, pause_s: float | None) -> None:
    """And STOPPED is said once more."""
    clocks = [FreeClock() if pause_s is None else StepClock() for _ in range(2)]
    plain = began(make_channel(clocks[0], CELL), SEGMENTS[name])
    channel = began(AdoptedEachRead(make_channel(clocks[1], CELL), make_channel), SEGMENTS[name])
    whole, found = (
        readings_of(each, clock, pause_s or 0.1) for each, clock in zip((plain, channel), clocks, strict=True)
    )
    assert [reading.visit for reading in found] == [reading.visit for reading in whole]
    one, other = collected(whole), collected(found)
    assert same(one, other)
    assert one.reads == other.reads
    assert [notice.code for notice in one.notices] == [notice.code for notice in other.notices]
    again = channel.read(NOTHING)
    assert (again.state, len(again.samples), len(again.points)) == (State.STOPPED, 0, 0)


def test_segment_after_segment(make_channel: MakeChannel) -> None:
    """Whoever adopted a chain at its end loads the next one; the cell is what it was."""
    clock, other = StepClock(), StepClock()
    plain, channel = make_channel(clock, CELL), AdoptedEachRead(make_channel(other, CELL), make_channel)
    for name in ("pulses", "mixed", "sweeps"):
        assert same(run(channel, other, SEGMENTS[name]), run(plain, clock, SEGMENTS[name]))


def test_many_full_blocks(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = AdoptedEachRead(make_channel(clock), make_channel)
    start(channel, clock, chain(ocv(80.0, 1e-3)))
    clock.sleep(75.0)
    readings = readings_of(channel, clock)
    assert sum(reading.more for reading in readings) >= 2
    times_s = collected(readings).samples["time_s"]
    assert np.allclose(times_s[1:], np.arange(1, 80_001) * 1e-3, atol=1e-9)


@pytest.mark.parametrize("stop_s", [0.0, 0.7, 2.4, 5.2, 7.3])
@pytest.mark.parametrize("dropped", ["each read", "after the stop"])
def test_a_stop_under_way(make_channel: MakeChannel, stop_s: float, dropped: str) -> None:
    stopped = []
    for drops in (False, True):
        clock = StepClock()
        channel = make_channel(clock, CELL)
        if drops and dropped == "each read":
            channel = AdoptedEachRead(channel, make_channel)
        channel = began(channel, MIXED)
        clock.sleep(stop_s)
        first = channel.read(NOTHING)
        channel.stop()
        if drops and dropped == "after the stop":
            channel = adopted(make_channel, channel, MIXED, first)
        stopped.append(collected([first, *readings_of(channel, clock, 0.05)]))
    assert same(*stopped)
    if dropped == "each read":  # else nobody knows that it was told to
        codes = [[notice.code for notice in each.notices] for each in stopped]
        assert codes[0] == codes[1]


def test_a_stop_by_the_successor(make_channel: MakeChannel) -> None:
    clock, other = StepClock(), StepClock()
    plain = began(make_channel(clock, CELL), pulses(None))
    dropped = began(make_channel(other, CELL), pulses(None))
    found = []
    for channel, its in ((plain, clock), (dropped, other)):
        its.sleep(4.2)
        first = channel.read(NOTHING)
        channel = adopted(make_channel, channel, pulses(None), first) if channel is dropped else channel
        channel.stop()
        found.append(collected([first, *readings_of(channel, its)]))
        look = channel.look()
        assert look is not None
        assert not look.running
    assert same(*found)


# dropped once


@pytest.mark.parametrize("after_s", [0.0, 1.3, 4.9, 60.0])
def test_before_the_first_read(make_channel: MakeChannel, after_s: float) -> None:
    """Its first rows wait, or all of them: then it has stopped."""
    clock, other = StepClock(), StepClock()
    whole = run(make_channel(clock, CELL), clock, MIXED)
    channel = began(make_channel(other, CELL), MIXED)
    other.sleep(after_s)
    found = drain(adopted(make_channel, channel, MIXED, None), other)
    assert same(found, whole)


def test_on_a_free_clock_before_the_first_read(make_channel: MakeChannel) -> None:
    clock, other = FreeClock(), FreeClock()
    whole = run(make_channel(clock, CELL), clock, MIXED)
    channel = began(make_channel(other, CELL), MIXED)
    assert same(drain(adopted(make_channel, channel, MIXED, None), other), whole)


def test_before_its_start(make_channel: MakeChannel) -> None:
    """Which was meant, and never asked for: it is over without a row, and may be loaded again."""
    clock, other = StepClock(), StepClock()
    whole = run(make_channel(clock, CELL), clock, MIXED)
    channel = make_channel(other, CELL)
    channel.load(MIXED, MARK)
    channel = adopted(make_channel, channel, MIXED, None)
    nothing = drain(channel, other)
    assert (len(nothing.samples), len(nothing.points)) == (0, 0)
    began(channel, MIXED)
    assert same(drain(channel, other), whole)


@pytest.mark.parametrize("left", ["rows wait", "no row waits"])
def test_it_stopped_while_nobody_spoke_for_it(make_channel: MakeChannel, left: str) -> None:
    """STOPPED was not said yet."""
    clock = StepClock()
    whole = run(make_channel(clock, CELL), clock, pulses(2))
    channel = began(make_channel(clock, CELL), pulses(2))
    clock.sleep(3.7)
    readings = [channel.read(NOTHING)]
    clock.sleep(30.0)
    if left == "no row waits":
        while sum(len(reading.samples) for reading in readings) < len(whole.samples):
            readings.append(channel.read(NOTHING))
    channel = adopted(make_channel, channel, pulses(2), readings[-1])
    readings += readings_of(channel, clock)
    assert same(collected(readings), whole)
    assert readings[-1].state is State.STOPPED
    look = channel.look()
    assert look is not None
    assert (look.running, look.filled) == (False, 0.0)


def test_the_old_connection_may_still_be_there(make_channel: MakeChannel) -> None:
    clock = StepClock()
    whole = run(make_channel(clock, CELL), clock, MIXED)
    old = began(make_channel(clock, CELL), MIXED)
    clock.sleep(2.3)
    first = old.read(NOTHING)
    channel = adopted(make_channel, old, MIXED, first, is_cut=False)
    assert same(collected([first, *readings_of(channel, clock)]), whole)


def test_what_was_read_and_not_kept_is_lost_and_nothing_else(make_channel: MakeChannel) -> None:
    """The passes of what follows are right all the same."""
    clock = StepClock()
    whole = run(make_channel(clock, CELL), clock, pulses(6)).samples
    channel = began(make_channel(clock, CELL), pulses(6))
    clock.sleep(4.3)
    kept = collected([channel.read(NOTHING)]).samples
    last = channel.read(NOTHING)
    while last.more:
        kept = np.concatenate([kept, last.samples])
        last = channel.read(NOTHING)
    kept = np.concatenate([kept, last.samples])
    clock.sleep(0.9)
    lost = channel.read(NOTHING)
    assert 0 < len(lost.samples) < 10
    found = drain(adopted(make_channel, channel, pulses(6), last), clock).samples
    assert np.concatenate([kept, lost.samples, found]).tobytes() == whole.tobytes()


# whose it is


def test_another_program_loaded_it(make_channel: MakeChannel) -> None:
    """Neither the one that was dropped nor its memo has anything to say there; what runs goes on."""
    clock = StepClock()
    channel = began(make_channel(clock, CELL), pulses(1))
    last = readings_of(channel, clock)[-1]
    other = adopted(make_channel, channel, pulses(1), last, is_cut=False)
    began(other, MIXED, "nakctl somebody else 1 1")
    clock.sleep(1.0)
    for memo, mark in ((through_json(last.memo), ""), (through_json(last.memo), MARK), ({}, MARK)):
        late = make_channel.again(other, is_cut=False)
        for _ in range(2):
            with pytest.raises(ChannelTaken, match=r"another program loaded .*nakctl somebody else 1 1"):
                late.adopt(pulses(1), memo, mark)
        for doing in (
            late.stop,
            late.start,
            lambda late=late: late.load(pulses(1)),
            lambda late=late: late.read(NOTHING),
        ):
            with pytest.raises(ChannelTaken):
                doing()
        late.close()
    whole = StepClock()
    plain = make_channel(whole, CELL)
    run(plain, whole, pulses(1))
    assert len(drain(other, clock).samples) == len(run(plain, whole, MIXED).samples)


def test_it_is_known_by_a_mark_alone(make_channel: MakeChannel) -> None:
    channel = began(make_channel(StepClock()), MIXED)
    other = make_channel.again(channel)
    with pytest.raises(ChannelError, match="known by its mark"):
        other.adopt(MIXED, {})
    with pytest.raises(ChannelTaken):
        other.adopt(MIXED, {}, "nakctl another run 1 1")
    other.adopt(MIXED, {}, MARK)
    assert other.read(NOTHING).state is State.RUNNING


def test_every_load_has_a_mark_of_its_own(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = make_channel(clock)
    memos = []
    for _ in range(2):
        channel.load(pulses(1))
        assert channel.read(NOTHING).memo == {}
        channel.start()
        memos.append(through_json(readings_of(channel, clock)[-1].memo))
    other = make_channel.again(channel)
    with pytest.raises(ChannelTaken):
        other.adopt(pulses(1), memos[0])
    other.adopt(pulses(1), memos[1])
    assert other.read(NOTHING).state is State.STOPPED


@pytest.mark.parametrize("running", [False, True])
def test_whoever_speaks_for_a_channel_adopts_nothing(make_channel: MakeChannel, running: bool) -> None:
    channel = make_channel()
    channel.load(pulses(1), MARK)
    if running:
        channel.start()
    with pytest.raises(ChannelError):
        channel.adopt(pulses(1), {}, MARK)


def test_who_has_not_adopted_takes_nothing(make_channel: MakeChannel) -> None:
    """No row, and not the channel."""
    clock, other = StepClock(), StepClock()
    whole = run(make_channel(clock, CELL), clock, MIXED)
    channel = began(make_channel(other, CELL), MIXED)
    other.sleep(2.3)
    late = make_channel.again(channel)
    with suppress(ChannelError):
        assert len(late.read(NOTHING).samples) == 0
    with pytest.raises(ChannelError):
        late.load(pulses(1))
    late.adopt(MIXED, {}, MARK)
    assert same(drain(late, other), whole)


def test_what_was_closed_has_stopped(make_channel: MakeChannel) -> None:
    """Its rows wait for whoever comes."""
    clock = StepClock()
    channel = began(make_channel(clock, CELL), pulses(None))
    clock.sleep(2.3)
    first = channel.read(NOTHING)
    clock.sleep(2.0)
    channel.close()
    clock.sleep(60.0)
    done = drain(adopted(make_channel, channel, pulses(None), first), clock)
    assert 4.0 < done.samples["time_s"][-1] < 6.0


# what a memo takes


def test_the_memo_of_the_longest_chain(make_channel: MakeChannel) -> None:
    """60 techniques in a loop in a loop; every memo is put through JSON, and its size looked at, on the way."""
    clock, other = StepClock(), StepClock()
    inner = [cp(1e-4, 0.02, 0.01), ocv(0.02, 0.01), cp(-1e-4, 0.02, 0.01)] * 19
    segment = chain(*inner, Loop(0, 2, passes=False), ocv(0.1, 0.05), Loop(0, 2, passes=True))
    assert len(segment.techniques) == 60
    whole = run(make_channel(clock), clock, segment, pause_s=0.11)
    channel = AdoptedEachRead(make_channel(other), make_channel)
    assert same(run(channel, other, segment, pause_s=0.11), whole)
    assert len(np.unique(whole.samples["technique"])) == 58


def test_a_long_mark(make_channel: MakeChannel) -> None:
    mark = f"nakctl {'läng ' * 100}1 2"
    channel = began(make_channel(StepClock()), pulses(1), mark)
    last = channel.read(NOTHING)
    for memo, its in ((last.memo, ""), (last.memo, mark), ({}, mark)):
        make_channel.again(channel).adopt(pulses(1), through_json(memo), its)
    with pytest.raises(ChannelTaken):
        make_channel.again(channel).adopt(pulses(1), {}, f"{mark} ")


# by chance

milliseconds = st.integers(20, 900).map(lambda ms: ms * 1e-3)
intervals = st.integers(10, 300).map(lambda ms: ms * 1e-3)
techniques = st.one_of(
    st.builds(ocv, milliseconds, intervals),
    st.builds(cp, st.sampled_from([-4e-4, 4e-4]), milliseconds, intervals),
    st.builds(eis, n=st.integers(1, 3), hold_s=st.sampled_from([0.0, 0.2])),
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(techniques, min_size=1, max_size=3),
    times=st.integers(1, 3),
    drops=st.sets(st.integers(0, 60), max_size=15),
    pauses_s=st.lists(st.floats(0.0, 0.8), min_size=1, max_size=5),
    data=st.data(),
)
def test_dropped_at_any_time(
    make_channel: MakeChannel,
    body: list,
    times: int,
    drops: set[int],
    pauses_s: list[float],
    data: st.DataObject,
) -> None:
    """Also more than once between two reads, and a stop by whoever speaks for it then."""
    segment = Segment((*body, Loop(0, times, passes=True)))
    stops_at = data.draw(st.none() | st.integers(0, 30))
    done = []
    for dropped_at in (set(), drops):
        clock = StepClock()
        channel = began(make_channel(clock), segment)
        readings: list[Reading] = []
        while not readings or readings[-1].state is State.RUNNING:
            n = len(readings)
            for _ in range(2 if n in dropped_at else 0):
                channel = adopted(make_channel, channel, segment, readings[-1] if readings else None)
            if n == stops_at:
                channel.stop()
            readings.append(channel.read(NOTHING))
            clock.sleep(pauses_s[n % len(pauses_s)] + 0.01)
        done.append(collected(readings))
    assert same(*done)


# nobody's any more


def test_whose_it_is_can_be_asked_by_anybody(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = began(make_channel(clock, CELL), pulses(40))
    clock.sleep(1.0)
    channel.read(NOTHING)
    asked = make_channel.again(channel)
    assert asked.whose() == MARK
    look = asked.look()
    assert look is not None
    assert look.running
    with pytest.raises(ChannelTaken):
        asked.adopt(pulses(40), {}, "another")
    assert asked.whose() == MARK


def test_what_is_seized_is_switched_off_and_keeps_its_rows(make_channel: MakeChannel) -> None:
    """Also by one who was told that it is not his."""
    clocks = StepClock(), StepClock()
    whole = [began(make_channel(clock, CELL), pulses(40)) for clock in clocks]
    rows = []
    for channel, clock in zip(whole, clocks, strict=True):
        clock.sleep(1.0)
        first = channel.read(NOTHING)
        clock.sleep(1.0)
        if clock is clocks[0]:
            channel.stop()
        else:
            seized = make_channel.again(channel)
            with suppress(ChannelTaken):
                seized.adopt(pulses(40), {}, "another")
            seized.seize()
            seized.stop()
            clock.sleep(0.1)
            look = seized.look()
            assert look is not None
            assert not look.running
            channel = make_channel.again(seized)
            channel.adopt(pulses(40), through_json(first.memo))
        rest = collected(readings_of(channel, clock))
        rows.append((first.samples.tobytes() + rest.samples.tobytes(), rest.points.tobytes()))
    assert rows[0] == rows[1]
