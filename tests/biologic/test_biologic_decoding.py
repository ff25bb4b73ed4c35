"""What readings keep of the instrument's words gives their rows once more, without an instrument."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from biologic_bench import (
    FAMILIES,
    MIXED,
    NOTHING,
    PULSES,
    SPECTRA,
    Bench,
    bench,
    block,
    chain,
    cp,
    eis,
    ocv,
    troubles,
)
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.channel import Flag, Reading, State
from nakctl.device.driver import Decodes
from nakctl.device.program import Loop, Segment
from nakctl.errors import ChannelError
from nakctl_biologic.decoding import Decoder
from nakctl_biologic.driver import driver
from nakctl_biologic.raw import HEADER, packed, unpacked
from nakctl_biologic.rows import Block
from nakctl_biologic.structures import MAX_WORDS
from nakctl_sim.instrument.habits import Habits

NESTED = chain(
    ocv(0.3), cp(1e-4, 0.4), Loop(1, 2, passes=False), eis(n=2, hold_s=0.2), Loop(0, 2, passes=True)
)
SEGMENTS = {"mixed": MIXED, "pulses": PULSES, "spectra": SPECTRA, "nested": NESTED}
HABITS = {
    "usual": Habits(),
    "late rows": Habits(late_row_s=1e-5, rows_in_order_of="time"),
    "late rows in their order": Habits(late_row_s=1e-4),
    "no last rows": Habits(end_row=False, test_row=False),
    "counts from 1": Habits(loop_from=1, nested_loop="outermost", first_start_time="zero"),
    "counts all": Habits(nested_loop="total", stop_reads=3, I_range_column="integer", padding="zero"),
    "time base of now": Habits(timebase_of="running", overflow_until="next row"),
    "small memory": Habits(memory_bytes=600),
}
FAULTS = {
    "cable": ["cable=1s@t1.3"],
    "connection": ["BL_GetData=-1@call9", "BL_GetData=-201@call30"],
    "hiccups": ["BL_GetData=-200@call5-9", "BL_GetData=-12@call17"],
    "lost replies": ["lost-reply@call8", "lost-reply@call21-22"],
    "stopped": ["stopped=1@t2.4"],
    "early end": ["early-end=1@t1.4"],
    "stolen": ["stolen=1@t1.6"],
}


def readings_of(one: Bench, segment: Segment, pause_s: float) -> list[Reading]:
    one.channel.load(segment)
    one.channel.start()
    readings = [one.channel.read(NOTHING)]
    while readings[-1].state is State.RUNNING:
        if not readings[-1].more:
            one.clock.sleep(pause_s)
        readings.append(one.channel.read(NOTHING))
    return readings


def check(one: Bench, segment: Segment, readings: list[Reading]) -> None:
    """Reading by reading, through the entry point, with what a record keeps of the channel."""
    assert isinstance(driver, Decodes)
    decoder = driver.decoder(json.loads(json.dumps(one.channel.info.facts)), segment)
    for reading in readings:
        samples, points, visit = decoder.rows(reading.raw)
        assert samples.tobytes() == reading.samples.tobytes()
        assert points.tobytes() == reading.points.tobytes()
        assert visit == reading.visit
    rows = sum(len(reading.samples) + len(reading.points) for reading in readings)
    assert rows > 1


@pytest.mark.parametrize("pause_s", [0.05, 0.7])
@pytest.mark.parametrize("habits", HABITS)
@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("like", FAMILIES)
def test_the_rows_of_a_run(like: str, name: str, habits: str, pause_s: float) -> None:
    one = bench(like, habits=HABITS[habits])
    check(one, SEGMENTS[name], readings_of(one, SEGMENTS[name], pause_s))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("habits", ["usual", "late rows"])
@pytest.mark.parametrize("name", SEGMENTS)
def test_the_rows_of_a_run_with_trouble(name: str, habits: str, fault: str) -> None:
    one = bench(habits=HABITS[habits], faults=FAULTS[fault])
    check(one, SEGMENTS[name], readings_of(one, SEGMENTS[name], 0.05))


def test_nothing_is_kept_of_nothing() -> None:
    one = bench()
    assert one.channel.read(NOTHING).raw == b""
    readings = readings_of(one, chain(ocv(2.0)), 0.05)
    for reading in readings:
        assert len(reading.raw) == (HEADER.size + 12 * len(reading.samples) if len(reading.samples) else 0)
    with troubles(one, "cable"):
        assert one.channel.read(NOTHING).raw == b""


def test_a_block_that_waits_is_kept_with_the_read_that_brought_it() -> None:
    """And that it was released without another one is kept, too."""
    habits = Habits(late_row_s=1e-5, rows_in_order_of="time")
    one = bench(habits=habits)
    one.channel.load(chain(cp(2e-4, 2.0), ocv(2.0)))
    one.channel.start()
    one.clock.sleep(2.6)
    readings = [one.channel.read(NOTHING) for _ in range(2)]
    assert (len(readings[1].samples), len(readings[1].raw) > HEADER.size) == (0, True)
    with troubles(one, "BL_GetData=-200@call1"):
        readings.append(one.channel.read(NOTHING))
    assert (len(readings[2].samples), len(readings[2].raw)) == (1, HEADER.size)
    check(one, chain(cp(2e-4, 2.0), ocv(2.0)), readings)


def test_words_that_fit_nothing_are_kept() -> None:
    """The reading that took them in has them, the next one says why it has no rows of them. Nobody answers
    whose they are: else they would not have been taken in."""
    one = bench(faults=["taken=1@t1.2", "BL_GetExperimentInfos=-104@t1.2"])
    segment = chain(cp(1e-4, 100.0))
    one.channel.load(segment)
    one.channel.start()
    readings = []
    with pytest.raises(ChannelError, match="another program"):
        for _ in range(100):
            readings.append(one.channel.read(NOTHING))
            one.clock.sleep(0.3)
    foreign, *others = unpacked(readings[-1].raw)
    assert (foreign.block.id, others, readings[-1].more, len(readings[-1].samples)) == (100, [], True, 0)
    check(one, segment, readings)


def test_the_unanswered_reads_before_a_block() -> None:
    one = bench(faults=["lost-reply@call3-4"])
    readings = readings_of(one, chain(ocv(4.0)), 0.6)
    unanswered = [kept.unanswered for reading in readings for kept in unpacked(reading.raw)]
    assert sorted(set(unanswered)) == [0, 2]


def test_a_run_is_kept_in_few_bytes() -> None:
    """At full speed, 52 bytes of each block of 4 000 are ours."""
    one = bench()
    readings = readings_of(one, chain(cp(1e-4, 2.0, every_s=4e-5)), 0.5)
    rows = sum(len(reading.samples) for reading in readings)
    assert rows > 45_000
    assert sum(len(reading.raw) for reading in readings) < 1.02 * 20 * rows


def test_what_is_not_known_of_the_channel() -> None:
    facts = bench().channel.info.facts
    for name in ("instrument", "board"):
        with pytest.raises(ChannelError, match=f"does not say how its words are to be read: {name}"):
            Decoder({key: value for key, value in facts.items() if key != name}, PULSES)
    for words in ({"board": "DIGIBOARD"}, {"instrument": "SP-9000"}):
        with pytest.raises(ChannelError, match=str(*words.values())):
            Decoder(facts | words, PULSES)


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-1], lambda raw: raw[:30], lambda raw: b"\x07" + raw[1:]]
)
def test_what_is_damaged_is_no_block(damage: Any) -> None:
    raw = packed(block([[0, 1, 2]], 100), 3)
    with pytest.raises(ChannelError, match="of the instrument's words is"):
        list(unpacked(damage(raw)))


integers = st.integers(-(2**31), 2**31 - 1)
times_s = st.floats(allow_nan=True, allow_infinity=True)
blocks = st.builds(
    Block,
    st.lists(st.integers(0, 2**32 - 1), max_size=MAX_WORDS).map(lambda words: np.array(words, np.uint32)),
    *[integers] * 6,
    times_s,
    times_s,
    integers,
    st.sampled_from([Flag(0), Flag.I_OVERLOAD, Flag.E_OVERLOAD, Flag.I_OVERLOAD | Flag.E_OVERLOAD]),
)


of_ring = st.tuples(st.integers(1, 2**16), st.booleans())


@given(st.lists(st.tuples(blocks, st.integers(0, 2**32 - 1), st.none() | of_ring), max_size=4))
def test_blocks_come_back(given_blocks: list[tuple[Block, int, tuple[int, bool] | None]]) -> None:
    """To the bit, and one behind the other; those of a chain that was fed, too."""
    raw = [
        packed(one, n) if ring is None else packed(one, n, ring[0], is_fence=ring[1])
        for one, n, ring in given_blocks
    ]
    found = list(unpacked(b"".join(raw)))
    assert len(found) == len(given_blocks)
    for (one, n, *kept), (other, m, ring) in zip(found, given_blocks, strict=True):
        assert tuple(kept) == (ring or (0, False))
        assert (n, one.words.tobytes(), one.overflow) == (m, other.words.tobytes(), other.overflow)
        for name in ("n_rows", "n_columns", "technique", "id", "process", "loop", "lost"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("start_s", "timebase_s"):
            mine, its = getattr(one, name), getattr(other, name)
            assert mine == its or (math.isnan(mine) and math.isnan(its))
