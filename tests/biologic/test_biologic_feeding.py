"""A chain that is longer than the channel holds, handed over while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from biologic_bench import (
    MARK,
    NOTHING,
    Bench,
    bench,
    calls_of,
    cp,
    eis,
    successor,
    through_json,
    troubles,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.device.channel import POINT, SAMPLE, Reading, Rows, State
from nakctl.device.feeding import Ring, ring_of
from nakctl.device.instrument import instrument
from nakctl.device.program import Cp, Hardware, Segment, Technique, Test
from nakctl.device.techniques import level_of
from nakctl.errors import ChainTooLong, ChannelError
from nakctl_biologic.decoding import Decoder
from nakctl_biologic.device import Device
from nakctl_sim.instrument.habits import Habits

WINDOW = (Test("Ewe", "below", -3.0), Test("Ewe", "above", 3.0))
MOST = 12  # techniques that the channel holds


def levels(n: int, seconds: float = 1.5, n_frequencies: int = 4) -> Segment:
    """A staircase of n currents, each with a spectrum; the range changes on the way."""
    made: list[Technique] = []
    for k in range(n):
        I_A = 2e-5 * (k + 1)
        hardware = Hardware("100 uA" if I_A < 9e-5 else "1 mA", "5 V", 5)
        hold = cp(I_A, seconds, *WINDOW, on_test="stop")
        sweep = replace(eis(n=n_frequencies, bias=I_A), amplitude_peak=5e-6)
        for step, each in enumerate((hold, sweep)):
            made.append(replace(each, step=2 * k + step + 1, hardware=hardware))
    return Segment(tuple(made))


def small(like: str = "SP-300", *faults: str, most: int = MOST, **habits: Any) -> Bench:
    """A channel that is known to hold so many techniques."""
    one = bench(like, habits=Habits(chain_length=most, **habits), faults=faults)
    one.channel._most = most
    return one


@dataclass
class Told:
    """What came of a chain, whoever read it."""

    readings: list[Reading] = field(default_factory=list)
    trouble: str = ""

    @property
    def last(self) -> Reading:
        return self.readings[-1]

    @property
    def samples(self) -> Rows:
        return np.concatenate([np.zeros(0, SAMPLE), *(each.samples for each in self.readings)])

    @property
    def points(self) -> Rows:
        return np.concatenate([np.zeros(0, POINT), *(each.points for each in self.readings)])

    def codes(self) -> list[str]:
        return [notice.code for each in self.readings for notice in each.notices]


def begin(one: Bench, segment: Segment) -> Told:
    one.channel.load(segment, MARK)
    one.channel.start()
    return Told()


def read_on(one: Bench, told: Told, most: int = 20_000) -> Told:
    """To the end, or so many reads."""
    for _ in range(most):
        try:
            told.readings.append(one.channel.read(NOTHING))
        except ChannelError as error:
            told.trouble = str(error)
            one.channel.stop()
            continue
        if told.last.state is State.STOPPED:
            break
        if not told.last.more:
            one.clock.sleep(0.05)
    return told


def followed(segment: Segment, *faults: str, **habits: Any) -> tuple[Bench, Told]:
    one = small("SP-300", *faults, **habits)
    return one, read_on(one, begin(one, segment))


def done(told: Told, segment: Segment) -> int:
    """How many techniques were done: one after the other, each once, each at its own level."""
    samples, points = told.samples, told.points
    visits = [*dict.fromkeys(samples["technique"].tolist())]
    assert visits == sorted(visits)
    assert not samples["passes"].any() and not points["passes"].any()
    seen = sorted({*samples["technique"].tolist(), *points["technique"].tolist()})
    assert seen == [*range(len(seen))]
    asked = np.array([level_of(each) for each in segment.techniques])
    for rows, word in ((samples, "I_A"), (points, "I_dc_A")):
        assert np.allclose(rows[word], asked[rows["technique"]], rtol=0.03, atol=2e-6)
    return len(seen)


def decoded(one: Bench, told: Told, segment: Segment) -> None:
    """What readings kept gives their rows once more."""
    decoder = Decoder(one.channel.info.facts, segment)
    again = [decoder.rows(each.raw) for each in told.readings]
    assert np.concatenate([each[0] for each in again]).tobytes() == told.samples.tobytes()
    assert np.concatenate([each[1] for each in again]).tobytes() == told.points.tobytes()


def ring(segment: Segment) -> Ring:
    found = ring_of(segment.techniques, replace(instrument("SP-300"), chain_length=MOST))
    assert found is not None
    return found


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_a_chain_longer_than_the_channel_holds(like: str) -> None:
    """The same rows as where it is held as a whole, and started once."""
    segment = levels(14)
    one = small(like)
    found = read_on(one, begin(one, segment))
    assert found.codes() == [] and found.last.ends_before is None
    assert done(found, segment) == 28
    decoded(one, found, segment)
    other = small(like, most=100)
    whole = read_on(other, begin(other, segment))
    for rows, expected in ((found.samples, whole.samples), (found.points, whole.points)):
        for word in rows.dtype.names or ():
            assert np.array_equal(rows[word], expected[word], equal_nan=True), word
    assert calls_of(one)["BL_StartChannel"] == 1


HABITS: list[dict[str, Any]] = [
    {"loop_from": 1}, {"nested_loop": "total"}, {"first_start_time": "zero"}, {"update_ahead": True},
    {"rows_in_order_of": "time", "late_row_s": 2e-3}, {"test_row": False, "end_row": False},
]  # fmt: skip


@pytest.mark.parametrize("habits", HABITS, ids=str)
def test_habits_of_the_instrument_do_not_matter(habits: dict[str, Any]) -> None:
    segment = levels(14)
    one, found = followed(segment, **habits)
    assert done(found, segment) == 28 and found.last.ends_before is None
    decoded(one, found, segment)


@pytest.mark.parametrize(
    ("habits", "why"),
    [
        ({"updates": "refused"}, "-15"),
        ({"updates": "ignored"}, ""),
        ({"update_length": 4}, "-15"),
        ({"update_range": "refused"}, "-15"),
    ],
    ids=str,
)
def test_what_is_not_taken_stops_the_chain_at_its_fence(habits: dict[str, Any], why: str) -> None:
    """As a chain that was cut there: the host goes on with the rest."""
    segment = levels(14)
    _, found = followed(segment, **habits)
    first = ring(segment).first_fence + (2 if "update_range" in habits else 0)  # one range for longer
    assert done(found, segment) == first == found.last.ends_before
    assert found.trouble == ""
    notices = [each for reading in found.readings for each in reading.notices]
    assert [(each.code, why in each.message) for each in notices] == ([("not_fed", True)] if why else [])


def test_a_level_of_before_is_seen_and_the_chain_stopped() -> None:
    """An instrument that takes what never ran, and ignores what did."""
    segment = levels(14)
    _, found = followed(segment, updates="ignored after a pass")
    length = ring(segment).length
    assert f"did not take technique {length + 1} of its chain" in found.trouble
    assert "20 uA instead of 120 uA" in found.trouble
    assert int(found.samples["technique"].max()) == length
    of_last = found.samples[found.samples["technique"] == length]
    assert of_last["time_s"][-1] - of_last["time_s"][0] < 0.2


def test_a_range_that_is_not_taken_is_seen() -> None:
    segment = levels(14)
    _, found = followed(segment, update_range="ignored")
    assert "did not take the current range of technique" in found.trouble


@pytest.mark.parametrize("lost", ["lost-reply=BL_UpdateParameters@call", "BL_UpdateParameters=-12@call"])
@pytest.mark.parametrize("at", [1, 2, 3, 6, 9, 11])
def test_a_call_that_is_not_answered_is_made_again(lost: str, at: int) -> None:
    segment = levels(12)
    one, found = followed(segment, f"{lost}{at}")
    assert done(found, segment) == 24 and found.last.ends_before is None
    decoded(one, found, segment)


def test_a_host_that_is_gone(at_level: int = 3) -> None:
    """The channel goes on to its fence, and never does anything twice; the host goes on behind it."""
    segment = levels(14)
    one = small()
    told = begin(one, segment)
    while told.last.visit is None or told.last.visit.technique < 2 * at_level if told.readings else True:
        read_on(one, told, 1)
    one.clock.sleep(1000.0)
    read_on(one, told)
    first = done(told, segment)
    assert first == told.last.ends_before and first <= 2 * at_level + ring(segment).length
    rest = Segment(segment.techniques[first:])
    again = read_on(one, begin(one, rest))
    assert done(again, rest) == len(segment.techniques) - first


def test_a_limit_that_is_met_while_the_host_is_gone() -> None:
    """As in a chain that is held as a whole."""
    limit_V = 0.055  # met under 160 uA
    window = (Test("Ewe", "above", limit_V),)
    techniques = [
        replace(each, tests=window) if isinstance(each, Cp) else each for each in levels(14).techniques
    ]
    segment = Segment(tuple(techniques))
    ends = []
    for most in (MOST, 100):
        one = small(most=most)
        told = begin(one, segment)
        while not told.readings or told.last.visit is None or told.last.visit.technique < 12:
            read_on(one, told, 1)
        one.clock.sleep(1000.0)
        read_on(one, told)
        assert told.last.ends_before is None
        ends.append((done(told, segment), told.samples[-1]["time_s"], told.samples[-1]["Ewe_V"]))
    assert ends[0] == ends[1]
    assert 14 < ends[0][0] < 22


# Reads of a program before it dies, those of them that nobody kept, how long nobody is there, and the call
# whose answer is lost.
Death = tuple[int, int, float, int]
DEATHS = st.lists(
    st.tuples(st.integers(1, 60), st.integers(0, 16), st.floats(0, 12), st.integers(1, 12)), max_size=6
)


@settings(max_examples=10, deadline=None)
@given(st.booleans(), DEATHS)
def test_whoever_goes_on_with_it_and_whatever_gets_lost(update_ahead: bool, deaths: list[Death]) -> None:
    """Programs die, also after calls that nobody kept; answers get lost; hosts sleep."""
    is_gone_on_with(small(update_ahead=update_ahead), deaths)


@pytest.mark.parametrize("unkept", [*range(2, 16, 2)])
def test_a_fence_that_nobody_remembers(unkept: int) -> None:
    """The second program opened the fence that is known, and set another. Whoever comes next, and dies in the
    midst of its calls, leaves what lies behind that one as it should be, or the fence as it stands."""
    is_gone_on_with(small(), [(5, 0, 3.0, 1), (10, 0, 0.5, 1), (1, 0, 1.0, 1), (2, unkept, 7.0, 1)])


def is_gone_on_with(one: Bench, deaths: list[Death]) -> None:
    """To its end, or to a fence from which on the rest is done: each level once, and as it should be."""
    segment = levels(12)
    told = begin(one, segment)
    for reads, unkept, away_s, call in deaths:
        with troubles(one, f"lost-reply=BL_UpdateParameters@call{call}"):
            read_on(one, told, reads)
            memo = through_json(told.last.memo)
            # rows that the dead one took along are lost with it: here only reads that brought none are
            for _ in range(unkept):
                reading = one.channel.read(NOTHING)
                told.readings.append(reading)
                if reading.state is State.STOPPED or len(reading.raw):
                    memo = through_json(reading.memo)
        one.clock.sleep(away_s)
        one.channel = successor(one)
        one.channel._most = MOST
        one.channel.adopt(segment, memo, MARK)
        if told.last.state is State.STOPPED:
            break
    read_on(one, told)
    assert told.trouble == ""
    first = done(told, segment)
    if told.last.ends_before is not None:
        assert first == told.last.ends_before
        rest = Segment(segment.techniques[first:])
        one.channel.load(rest, MARK)
        one.channel.start()
        assert done(read_on(one, Told()), rest) == len(segment.techniques) - first
    else:
        assert first == len(segment.techniques)
    decoded(one, told, segment)


def test_a_library_that_cannot_change_what_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before the run, and that no shorter ring would do."""
    monkeypatch.setattr(Device, "can_update", False)
    one = bench()
    with pytest.raises(ChainTooLong) as caught:
        one.channel.check(levels(40))
    assert not caught.value.can_feed


def test_how_long_a_ring_may_be_is_tried() -> None:
    one = bench(habits=Habits(chain_length=15))
    segment = levels(40)
    one.channel.check(segment)
    assert calls_of(one)["BL_StartChannel"] == 0 and one.channel._holds in range(9, 16)
    assert not calls_of(one)["BL_UpdateParameters"]


@pytest.mark.parametrize("with_memo", [False, True])
def test_whoever_comes_after_a_death_knows_the_ring(with_memo: bool) -> None:
    """By the memo, or, where none was kept, by what the channel says that it is loaded with."""
    segment = levels(12)
    one = small()
    told = begin(one, segment)
    if with_memo:
        read_on(one, told, 30)
    memo = through_json(told.last.memo) if with_memo else {}
    one.channel = successor(one)  # which does not know how few techniques the channel holds
    one.channel.adopt(segment, memo, MARK)
    read_on(one, told)
    assert done(told, segment) == 24 and told.last.ends_before is None
