"""What a channel says between its rows: looks, the visit under way, what waits, what it could not do."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from channel_bench import MIXED, MakeChannel, chain, collected, cp, drain, eis, fetch, ocv, pulses, run, start
from time_bases import counted_s

from nakctl.device.channel import Look, State, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Hardware, Test
from nakctl.errors import LimitError
from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.clock import StepClock

ALSO_DROPPED = True
OHM, FARAD = 100.0, 0.01
NEVER_s = 1000.0  # no row but the first and the last
SLOW_SWEEP = eis(bias=0.1e-3, amplitude=1e-6, n=2, first_Hz=0.02, last_Hz=0.01, hold_s=0.0)  # 55 s and more
SINGLE = 2e-7


@pytest.fixture
def capacitor(tmp_path: Path) -> str:
    """A cell whose potential rises with the charge, and stays where it is at rest."""
    file = tmp_path / "capacitor.yaml"
    parts = f"    area: 1 cm2\n    series: {OHM} ohm\n    capacitor: {FARAD} F\n"
    file.write_text(f"model: circuit\ncells:\n  capacitor:\n{parts}    note: slow\n")
    return str(file)


def charged_V(I_A: float, time_s: float) -> float:
    return I_A * (OHM + time_s / FARAD)


def seen(look: Look | None) -> Look:
    assert look is not None
    return look


# a look shows the cell as it is now, and consumes nothing


def test_a_look_between_two_rows(make_channel: MakeChannel, capacitor: str) -> None:
    clock = StepClock()
    channel = make_channel(clock, capacitor)
    start(channel, clock, chain(cp(0.1e-3, 60.0, NEVER_s)))
    for _ in range(4):
        clock.sleep(2.5)
        look, again = seen(channel.look()), seen(channel.look())
        assert look == again
        assert look.running
        assert look.Ewe_V == pytest.approx(charged_V(look.I_A, look.elapsed_s), abs=1e-5)
        assert pytest.approx(0.1e-3, rel=5e-3) == look.I_A
    assert look.elapsed_s == pytest.approx(10.0, rel=1e-4)


def test_a_look_within_a_slow_frequency(make_channel: MakeChannel, capacitor: str) -> None:
    clock = StepClock()
    channel = make_channel(clock, capacitor)
    start(channel, clock, chain(SLOW_SWEEP))
    clock.sleep(20.0)
    first = seen(channel.look())
    clock.sleep(20.0)
    later = seen(channel.look())
    assert len(collected(fetch(channel)).points) == 0
    assert later.Ewe_V - first.Ewe_V == pytest.approx(later.I_A * 20.0 / FARAD, rel=1e-3)


def test_a_look_beside_a_block(make_channel: MakeChannel, capacitor: str) -> None:
    clock = StepClock()
    channel = make_channel(clock, capacitor)
    start(channel, clock, chain(cp(0.1e-3, 60.0, NEVER_s)))
    clock.sleep(7.5)
    beside = seen(fetch(channel)[-1].look)
    alone = seen(channel.look())
    assert (beside.running, beside.Ewe_V, beside.I_A, beside.elapsed_s) == (
        alone.running,
        alone.Ewe_V,
        alone.I_A,
        alone.elapsed_s,
    )


def test_looks_consume_nothing(make_channel: MakeChannel) -> None:
    clock, often = StepClock(), StepClock()
    whole = run(make_channel(clock, "NaK50"), clock, MIXED)
    channel = make_channel(often, "NaK50")
    start(channel, often, MIXED)
    readings = []
    while not readings or readings[-1].state is State.RUNNING:
        for _ in range(3):
            often.sleep(0.37)
            channel.look()
        readings += fetch(channel)
    looked = collected(readings)
    assert looked.samples.tobytes() == whole.samples.tobytes()
    assert looked.points.tobytes() == whole.points.tobytes()


def test_a_look_at_a_cell_that_rests(make_channel: MakeChannel, capacitor: str) -> None:
    """Before a run nothing flows; after it the time of the chain stands, and the charge stays."""
    clock = StepClock()
    channel = make_channel(clock, capacitor)
    looks = [seen(channel.look())]
    run(channel, clock, chain(cp(0.1e-3, 5.0)))
    looks.append(seen(channel.look()))
    clock.sleep(30.0)
    looks.append(seen(channel.look()))
    assert [(look.running, look.I_A) for look in looks] == [(False, 0.0)] * 3
    assert [look.elapsed_s for look in looks[1:]] == pytest.approx([5.0, 5.0], abs=1e-4)  # whole time bases
    assert [look.Ewe_V for look in looks[1:]] == pytest.approx([0.05, 0.05], rel=5e-3)
    assert looks[-1].filled == 0.0


def test_a_stop_is_seen_at_once(make_channel: MakeChannel, capacitor: str) -> None:
    """Also while rows wait: whether the cell is open and whether rows can be read are two questions."""
    clock = StepClock()
    channel = make_channel(clock, capacitor)
    start(channel, clock, chain(cp(0.1e-3, 600.0, 0.01)))
    clock.sleep(30.0)
    channel.stop()
    clock.sleep(1.0)
    look = seen(channel.look())
    assert (look.running, look.I_A) == (False, 0.0)
    assert look.filled > 0.0
    samples = drain(channel, clock).samples
    assert len(samples) >= 30.0 / counted_s(0.01, like=channel.info.instrument)
    assert seen(channel.look()).filled == 0.0


# one block per read, and whether more may wait


def test_more_rows_wait(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = make_channel(clock)
    start(channel, clock, chain(ocv(600.0, 1e-3)))
    clock.sleep(60.0)
    readings = fetch(channel)
    assert len(readings) > 1
    assert [reading.more for reading in readings] == [True] * (len(readings) - 1) + [False]
    times_s = collected(readings).samples["time_s"]
    assert len(times_s) == pytest.approx(60_001, abs=1)
    assert all(reading.state is State.RUNNING for reading in readings)


def test_the_newest_visit(make_channel: MakeChannel) -> None:
    """That of the last row so far, with the moment at which it began; none before the first row."""
    clock = StepClock()
    channel = make_channel(clock)
    channel.load(pulses(3))
    assert channel.read(Watch()).visit is None
    channel.start()
    found = []
    for _ in range(18):
        clock.sleep(0.51)
        found.append(fetch(channel)[-1].visit)
    found = [visit for visit in found if visit is not None]
    assert {(visit.technique, visit.passes) for visit in found} == {
        (at, passes) for at in (0, 1) for passes in range(3)
    }
    for visit in found:
        expected_s = 3.0 * visit.passes + (1.0 if visit.technique == 1 else 0.0)
        assert visit.start_s == pytest.approx(expected_s, abs=1e-4)
    assert found == sorted(found, key=lambda visit: visit.start_s)


def test_the_visit_of_a_sweep(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = make_channel(clock)
    start(channel, clock, chain(ocv(1.0), eis(hold_s=0.5)))
    clock.sleep(30.0)
    last = fetch(channel)[-1]
    assert last.visit is not None
    assert (last.visit.technique, last.visit.passes) == (1, 0)
    assert last.visit.start_s == pytest.approx(1.0, abs=1e-4)


# what it could not do, and that it does not wait


def test_a_check_changes_nothing(make_channel: MakeChannel) -> None:
    clock = StepClock()
    whole = run(make_channel(clock), clock, pulses(3))
    channel = make_channel(clock)
    start(channel, clock, pulses(3))
    clock.sleep(1.3)
    channel.check(MIXED)
    with pytest.raises(LimitError):
        channel.check(chain(cp(0.1e-3, 1.0, hardware=Hardware("3 A", "5 V", 5))))
    assert drain(channel, clock).samples.tobytes() == whole.samples.tobytes()


def test_no_call_waits(make_channel: MakeChannel) -> None:
    """The clock is moved by nobody but the reader."""
    clock = StepClock()
    channel = make_channel(clock)
    channel.load(MIXED)
    channel.start()
    clock.sleep(1.0)
    channel.read(Watch())
    channel.look()
    channel.stop()
    channel.read(Watch())
    channel.close()
    assert clock.now_s() == 1.0
    assert 0.0 < channel.patience_s < math.inf


# on a clock that the channel takes along


@pytest.mark.parametrize("every_s", [0.013, 0.37, 5.0])
def test_a_watch_comes_back_to_the_moment(
    make_watching_channel: MakeChannel, capacitor: str, every_s: float
) -> None:
    """Also between rows and within a frequency, and with nothing to hand over."""
    clock = FreeClock()
    channel = make_watching_channel(clock, capacitor)
    start(channel, clock, chain(cp(0.1e-3, 33.0, NEVER_s), SLOW_SWEEP))
    started_s, readings, bare = clock.now_s(), [], 0
    while (clock.now_s() - started_s) < 80.0:
        reading = channel.read(Watch(every_s=every_s))
        readings.append(reading)
        bare += len(reading.samples) == len(reading.points) == 0
        reached_s = clock.now_s() - started_s
        assert reached_s == pytest.approx(len(readings) * every_s, rel=1e-9)
        assert seen(reading.look).elapsed_s == pytest.approx(reached_s, rel=1e-9)
        assert channel.look() == reading.look
    assert bare > len(readings) - 6
    Ewe_V = [seen(reading.look).Ewe_V for reading in readings]
    assert np.all(np.diff(Ewe_V) > 0.0)


def test_a_look_never_sees_a_technique_that_a_test_has_ended(
    make_watching_channel: MakeChannel, capacitor: str
) -> None:
    """The steps of the model are as long as 10 s here; the row that met the test is not kept back by that."""
    limit_V = charged_V(0.01e-3, 1003.21)
    ends = cp(0.01e-3, 2000.0, NEVER_s, Test("Ewe", "above", limit_V))
    clock, at_once = FreeClock(), FreeClock()
    whole = run(make_watching_channel(at_once, capacitor), at_once, chain(ends, ocv(3.0))).samples
    channel = make_watching_channel(clock, capacitor)
    start(channel, clock, chain(ends, ocv(3.0)))
    started_s, readings = clock.now_s(), []
    while not readings or readings[-1].state is State.RUNNING:
        readings.append(channel.read(Watch(every_s=1.0)))
        look, rows = seen(readings[-1].look), readings[-1].samples
        assert look.Ewe_V < limit_V + 1e-3
        assert np.all(rows["time_s"] > clock.now_s() - started_s - 1.0 - 1e-6)
    assert collected(readings).samples.tobytes() == whole.tobytes()


def test_a_stop_takes_effect_a_reaction_after_the_look(
    make_watching_channel: MakeChannel, capacitor: str
) -> None:
    """Whatever the step under way: what was asked for at 10 s is done at 10 s and the instrument's reaction."""
    clock = FreeClock()
    channel = make_watching_channel(clock, capacitor)
    start(channel, clock, chain(SLOW_SWEEP))
    started_s = clock.now_s()
    channel.read(Watch(every_s=10.0))
    channel.stop()
    assert clock.now_s() - started_s == pytest.approx(10.0)
    done = drain(channel, clock)
    stopped_s = 10.0 + instrument(channel.info.instrument).reaction_s
    assert clock.now_s() - started_s == pytest.approx(stopped_s)
    assert seen(channel.look()).Ewe_V == pytest.approx(0.1e-3 * stopped_s / FARAD, rel=5e-3)
    assert len(done.points) == 0
