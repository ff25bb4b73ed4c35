"""What is looked at beside the rows, and how fast rows may come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from biologic_bench import (
    FAMILIES,
    NOTHING,
    bench,
    calls_of,
    chain,
    cp,
    drain,
    ocv,
    under_current,
)

from nakctl.device.channel import State, Visit
from nakctl.device.program import Loop
from nakctl_sim.instrument.habits import Habits


def test_a_look_stands_beside_every_block() -> None:
    one = under_current(every_s=0.5)
    one.clock.sleep(1.0)
    look = one.channel.read(NOTHING).look
    assert look is not None
    assert look.running
    assert look.Ewe_V == pytest.approx(0.06, abs=0.01)
    assert pytest.approx(2e-4, rel=0.01) == look.I_A
    assert look.elapsed_s == pytest.approx(2.75, abs=0.3)


def test_looking_takes_no_row() -> None:
    one = bench(habits=Habits(memory_bytes=20_000))
    one.channel.load(chain(ocv(5.0, 0.01)))
    one.channel.start()
    filled = []
    for _ in range(40):
        one.clock.sleep(0.1)
        look = one.channel.look()
        assert look is not None
        filled.append(look.filled)
    assert filled == sorted(filled)
    assert filled[-1] == pytest.approx(401 * 12 / 20_000)
    assert len(drain(one).samples) == 501


def test_one_read_is_one_exchange_and_seldom_a_message() -> None:
    one = under_current()
    before = calls_of(one).copy()
    for _ in range(100):
        one.clock.sleep(0.1)
        one.channel.read(NOTHING)
    asked = calls_of(one) - before
    assert asked.pop("BL_GetData") == 100
    assert 9 <= asked.pop("BL_GetMessage") <= 11
    assert not asked


def test_all_messages_of_the_end_are_told() -> None:
    one = under_current(*[f"message=word {n}@t3" for n in range(7)])
    one.clock.sleep(2.0)
    one.channel.stop()
    done = drain(one)
    assert [n.message for n in done.notices if n.code == "instrument"] == [f"word {n}" for n in range(7)]


def test_messages_without_end_do_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = under_current()
    monkeypatch.setattr(one.channel._link.device, "message", lambda channel: "again and again")
    one.channel.stop()
    assert drain(one).codes().count("instrument") < 30


def test_a_paused_channel_is_an_alarm_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = under_current()
    device = one.channel._link.device
    empty, values = device.data(0)
    values.State = 2
    empty = replace(empty, words=empty.words[:0], n_rows=0)
    monkeypatch.setattr(device, "data", lambda channel: (empty, values))
    readings = [one.channel.read(NOTHING) for _ in range(5)]
    assert {reading.state for reading in readings} == {State.RUNNING}
    assert [n.code for reading in readings for n in reading.notices if n.severity == 2] == ["state"]
    assert all(reading.look and reading.look.running for reading in readings)  # it may be under current


def test_more_is_said_as_long_as_rows_wait() -> None:
    """Blocks are of one visit each, so few rows may be many blocks."""
    one = bench()
    one.channel.load(chain(cp(4e-4, 0.05), ocv(0.05), Loop(0, 30, passes=True), ocv(100.0)))
    one.channel.start()
    one.clock.sleep(4.0)
    readings = [one.channel.read(NOTHING)]
    while readings[-1].more:
        readings.append(one.channel.read(NOTHING))
    assert len(readings) == 61
    assert one.instrument.boards[0].memory.filled == 0
    assert readings[-1].visit == Visit(3, 0, pytest.approx(3.0, abs=1e-3))


@pytest.mark.parametrize("like", FAMILIES)
def test_as_many_rows_as_the_instrument_can_make(like: str) -> None:
    """40 us apart, one block per read, ten seconds late in the middle: none is lost."""
    one = bench(like, habits=Habits(memory_bytes=16 * 2**20))
    every_s = 50e-6 if like == "VMP-3" else 40e-6
    segment = chain(cp(1e-4, 2.0, every_s=every_s), ocv(12.0, 40e-6))
    one.channel.check(segment)
    one.channel.load(segment)
    one.channel.start()
    one.clock.sleep(0.5)
    largest, readings = 0, 0
    parts = []
    while True:
        reading = one.channel.read(NOTHING)
        parts.append(reading.samples)
        largest, readings = max(largest, len(reading.samples)), readings + 1
        if reading.state is State.STOPPED:
            break
        if not reading.more:
            one.clock.sleep(10.0 if one.clock.now_s() > 3.0 else 0.2)
    times_s = np.concatenate(parts)["time_s"]
    assert largest <= 333
    assert len(times_s) >= 2.0 / every_s + 12.0 / 40e-6
    assert np.all(np.diff(times_s) < 1.5 * max(every_s, 40e-6))
