"""A technique's last row that comes late: before the rows of the next technique, behind them, or later still."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from biologic_bench import (
    FAMILIES,
    NOTHING,
    SP300,
    Bench,
    bench,
    block,
    c3x,
    c3x_single,
    chain,
    cp,
    drain,
    eis,
    ocv,
    reference,
    troubles,
)
from compared import STEP_WORDS
from kept import Kept

from nakctl.device.channel import State
from nakctl.device.instrument import instrument
from nakctl.device.program import Loop, Segment
from nakctl.errors import ChannelError, IllegalEvent
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_biologic import params
from nakctl_biologic.codes import Board
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Taken, Visits
from nakctl_sim.driver import driver as models
from nakctl_sim.instrument.habits import Habits

PROTOCOL = """
nakctl: 1
name: late rows
limits: {Ewe: [-1 V, 1 V], I: 5 mA, time: 10 h}
record: {every: 0.5 s}
spectra: {g: {kind: geis, amplitude: 20 uA, from: 10 kHz, to: 100 Hz, per_decade: 3}}
finally: rest
steps:
  - {strip: 0.5 mA/cm2, for: 2 s}
  - {rest: 2 s}
  - {plate: 0.5 mA/cm2, for: 2 s}
  - {geis: g}
  - {ca: 50 mV, for: 2 s}
  - repeat: 3
    steps:
      - {strip: 0.2 mA/cm2, for: 1 s}
      - {plate: 0.2 mA/cm2, for: 1 s, until: {Ewe_below: -1 mV}}
      - {rest: 1 s}
  - {strip: 0.1 mA/cm2, for: 1 s}
"""


def recorded(like: str, poll_s: float, habits: Habits) -> tuple[Outcome, Kept]:
    one = bench(like, "NaK50", habits)
    plan = compile_protocol(understand(read_text(PROTOCOL, "late.yaml"), {}), models.cell("NaK50"))
    kept = Kept()
    kept.program = lower(plan, instrument(like))
    outcome = run(kept.program, one.channel, one.clock, kept, poll_s=poll_s)
    one.channel.close()
    return outcome, kept


@pytest.mark.parametrize("poll_s", [0.1, 3.0])
@pytest.mark.parametrize("order", ["visits", "time"])
@pytest.mark.parametrize("late_s", [1e-5, 1e-4])
@pytest.mark.parametrize("like", FAMILIES)
def test_a_run_is_the_same(like: str, late_s: float, order: Any, poll_s: float) -> None:
    one, expected = recorded(like, poll_s, Habits())
    other, found = recorded(like, poll_s, Habits(late_row_s=late_s, rows_in_order_of=order))
    assert (other.status, other.reason) == (one.status, one.reason) == ("completed", "all steps done")
    assert found["steps"][STEP_WORDS].tolist() == expected["steps"][STEP_WORDS].tolist()
    samples, usual = found["samples"], expected["samples"]
    for word in ("Ewe", "I", "step_count", "flags"):
        assert samples[word].tobytes() == usual[word].tobytes(), word
    assert np.abs(samples["time"] - usual["time"]).max() < late_s + 1e-4
    assert found["impedance"].tobytes() == expected["impedance"].tobytes()
    told, usually = ([e.code for e in kept.events if e.code != "late_round"] for kept in (found, expected))
    assert told == usually


# --- block by block ------------------------------------------------------------------------------------

TICK_s = SP300.timebase_s["CPLIMIT"]
END = round(2.0 / TICK_s)  # ticks of a CP of two seconds
NAN = math.nan


def visits_of(*techniques: Any) -> Visits:
    segment = Segment(techniques)
    return Visits(segment, params.chain(segment, SP300, Board.PREMIUM), SP300, Board.PREMIUM)


def driven(tick: int, at: int = 0, loop: int = 0, start_s: float = NAN) -> Block:
    row = [0, tick, c3x(0.5), c3x_single(2e-4), 0]
    return block([row], 155, technique=at, loop=loop, start_s=start_s, timebase_s=TICK_s)


def rest(tick: int, at: int = 1, loop: int = 0, start_s: float = 2.0) -> Block:
    return block([[0, tick, c3x(0.5)]], 100, technique=at, loop=loop, start_s=start_s, timebase_s=2e-5)


def places(taken: Taken) -> list[tuple[int, int]]:
    assert taken.notices == []
    return [(int(row["technique"]), int(row["passes"])) for row in taken.samples]


def test_a_late_row_takes_its_place_before_the_next_technique() -> None:
    visits = visits_of(cp(), ocv())
    read = [visits.take(each) for each in (driven(1), rest(1), driven(END + 2), rest(25_000))]
    assert [places(each) for each in read] == [[(0, 0)], [], [(0, 0), (1, 0)], [(1, 0)]]
    assert read[2].samples["flags"].tolist() == [0, 0]
    assert visits.finish() == []


def test_a_late_row_of_the_pass_before() -> None:
    """One technique comes again and again."""
    visits = visits_of(cp(), Loop(0, 3, passes=True))
    second, third = (0, 1, 2.0), (0, 2, 4.0)
    blocks = [driven(1), driven(1, *second), driven(END + 2), driven(1, *third), driven(END + 2, *second)]
    read = [visits.take(each) for each in blocks]
    assert [places(each) for each in read] == [[(0, 0)], [], [(0, 0), (0, 1)], [], [(0, 1), (0, 2)]]


def test_a_late_frequency() -> None:
    visits = visits_of(eis(n=2), ocv())
    point = [c3x(1000.0), c3x_single(0.05), c3x_single(5e-5), *[c3x(0.0)] * 3, *[7] * 7]
    blocks = [
        block([[*point, c3x(time_s)]], 107, process=1, technique=0, timebase_s=2.4e-5)
        for time_s in (1.0, 2.0)
    ]
    read = [visits.take(each) for each in (blocks[0], rest(1), blocks[1])]
    assert [(len(each.points), places(each)) for each in read] == [(1, []), (0, []), (1, [(1, 0)])]


@pytest.mark.parametrize(
    "then", [rest(25_000), driven(1, 0, 1, 4.0)], ids=["its own rows", "the one after it"]
)
def test_a_block_waits_for_one_read_only(then: Block) -> None:
    """The last row of the technique before never comes, as it is the habit of some."""
    visits = visits_of(cp(), ocv(), Loop(0, 2, passes=True))
    visits.take(driven(1))
    assert places(visits.take(rest(1))) == []
    assert (1, 0) in places(visits.take(then))


@pytest.mark.parametrize(
    ("last", "first"),
    [(driven(END), rest(1)), (driven(END + 2), rest(1)), (driven(1), rest(1, start_s=NAN))],
    ids=["it is there", "it was late, and there", "no start is told"],
)
def test_nothing_waits_without_need(last: Block, first: Block) -> None:
    visits = visits_of(cp(), ocv())
    visits.take(last)
    assert visits.take(first).samples["technique"].tolist() == [1]


def test_a_row_that_comes_later_still_is_told_and_makes_no_pass() -> None:
    """Visits come in their order, so it has no place among the rows any more: its values are kept."""
    visits = visits_of(cp(), ocv(), Loop(0, 2, passes=True))
    for each in (driven(1), rest(1), rest(25_000)):
        visits.take(each)
    taken = visits.take(driven(END + 2))
    assert len(taken.samples) == 0
    assert [(notice.code, notice.severity) for notice in taken.notices] == [("gap", 1)]
    facts = taken.notices[0].facts
    assert facts["time_s"] == pytest.approx([2.0], abs=1e-3)
    assert (facts["technique"], facts["Ewe_V"], facts["I_A"]) == (0, [0.5], pytest.approx([2e-4]))
    assert places(visits.take(rest(50_000))) == [(1, 0)]
    assert visits.newest is not None
    assert (visits.newest.technique, visits.newest.passes) == (1, 0)


def test_a_technique_that_never_tells_its_start_begins_anew() -> None:
    """Its times begin anew, too: no row of a pass is taken for a late one."""
    visits = visits_of(cp(), ocv(), Loop(0, 2, passes=True))
    for each in (driven(1), driven(END), rest(1), rest(100_000)):
        visits.take(each)
    assert visits.take(driven(1)).samples["passes"].tolist() == [1]


# --- while a block waits -------------------------------------------------------------------------------

PULSE = chain(cp(2e-4, 2.0), ocv(2.0))


def waiting() -> Bench:
    """The first row of the rest was fetched, and not handed over yet."""
    one = bench(habits=Habits(late_row_s=1e-5, rows_in_order_of="time"))
    one.channel.load(PULSE)
    one.channel.start()
    one.clock.sleep(2.6)
    first, second = one.channel.read(NOTHING), one.channel.read(NOTHING)
    assert [len(each.samples) for each in (first, second)] == [4, 0]
    assert first.more
    assert second.more
    assert second.visit is not None
    assert second.visit.technique == 0
    return one


def test_the_order_of_what_is_handed_over() -> None:
    reading = waiting().channel.read(NOTHING)
    assert reading.samples["technique"].tolist() == [0, 1]
    assert reading.visit is not None
    assert reading.visit.technique == 1


def test_silence_keeps_nothing_back() -> None:
    """The row that comes after it has no place any more, and is told."""
    one = waiting()
    with troubles(one, "BL_GetData=-200@call1"):
        silent = one.channel.read(NOTHING)
    assert (silent.look, silent.samples["technique"].tolist()) == (None, [1])
    done = drain(one)
    assert done.samples["technique"].tolist() == [1] * 4
    assert done.codes().count("gap") == 1
    assert 4 + 1 + len(done.samples) + 1 == len(reference("SP-300", PULSE).samples)


@pytest.mark.parametrize("fault", ["eclab", "lost-kernel", "taken"])
@pytest.mark.parametrize("looked", [False, True])
def test_the_channel_is_lost(fault: str, looked: bool) -> None:
    """What was fetched before is handed over first."""
    one = waiting()
    with troubles(one, f"{fault}=1@t0"):
        if looked or fault == "taken":
            with suppress(ChannelError):
                one.channel.look()
            one.clock.sleep(2.0)
        last = one.channel.read(NOTHING)
        assert (last.state, last.samples["technique"].tolist()) == (State.RUNNING, [1])
        for _ in range(2):
            with pytest.raises(ChannelError):
                one.channel.read(NOTHING)


def test_a_stop_loses_no_row() -> None:
    one = waiting()
    one.channel.stop()
    done = drain(one)
    assert done.samples["technique"].tolist()[:2] == [0, 1]
    assert one.channel.read(NOTHING).state is State.STOPPED


def test_a_channel_that_was_closed_hands_over_nothing() -> None:
    one = waiting()
    one.channel.close()
    with pytest.raises(IllegalEvent):
        one.channel.read(NOTHING)
