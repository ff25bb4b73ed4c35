"""Whatever the instrument does where nobody could say: the rows are the same."""

from __future__ import annotations

import numpy as np
import pytest
from biologic_bench import (
    DRAWING,
    FAMILIES,
    MIXED,
    MOVING,
    PULSES,
    SPECTRA,
    bench,
    chain,
    drain,
    eis,
    ocv,
    reference,
    run,
)

from nakctl.device.channel import Rows
from nakctl.errors import ChannelError
from nakctl_sim.instrument.habits import Habits

LONGEST_TICK_s = 1e-4
SEGMENTS = {"mixed": MIXED, "pulses": PULSES, "spectra": SPECTRA, "moving": MOVING}


HABITS = {
    "loop from 1": Habits(loop_from=1),
    "loop of the outermost": Habits(nested_loop="outermost"),
    "loop in total": Habits(nested_loop="total", loop_from=1),
    "column 14 integer": Habits(I_range_column="integer"),
    "STOP right after start": Habits(stop_reads=5),
    "StartTime 0": Habits(first_start_time="zero"),
    "time base of what runs": Habits(timebase_of="running"),
    "padding zero": Habits(padding="zero"),
    "memory stops": Habits(memory_full="stop"),
    "a cv counts in mV/s": Habits(cv_rate="mV/s"),
    "tests of where a scan comes from": Habits(scan_tests_of="origin"),
    "a ramp tells its current": Habits(iscan_control=True),
    "overflow of the last row": Habits(overflow_until="next row"),
    "late row before the next technique": Habits(late_row_s=1e-4, rows_in_order_of="visits"),
    "late row behind the next technique": Habits(late_row_s=1e-4, rows_in_order_of="time"),
}


@pytest.mark.parametrize(
    ("name", "like"),
    [
        *(("mixed", like) for like in FAMILIES),
        ("pulses", "SP-300"),
        ("spectra", "VMP-3"),
        ("moving", "SP-300"),
    ],
)
@pytest.mark.parametrize("habit", HABITS)
def test_no_habit_changes_a_row(like: str, name: str, habit: str) -> None:
    expected = reference(like, SEGMENTS[name])
    done = run(bench(like, habits=HABITS[habit]), SEGMENTS[name])
    samples = in_time(done.samples, expected.samples, HABITS[habit].late_row_s)
    assert samples.tobytes() == expected.samples.tobytes()
    assert done.points.tobytes() == expected.points.tobytes()
    assert done.codes() == []


@pytest.mark.parametrize("habit", HABITS)
def test_no_habit_changes_a_row_of_a_power_or_a_load(habit: str) -> None:
    expected = reference("VMP-3", DRAWING)
    done = run(bench("VMP-3", habits=HABITS[habit]), DRAWING)
    samples = in_time(done.samples, expected.samples, HABITS[habit].late_row_s)
    assert (samples.tobytes(), done.codes()) == (expected.samples.tobytes(), [])


@pytest.mark.parametrize("like", FAMILIES)
def test_rows_that_are_means(like: str) -> None:
    """A quarter of a row back, the current as well."""
    expected, done = reference(like, MOVING), run(bench(like, habits=Habits(scan_means=True)), MOVING)
    assert done.codes() == []
    for word in ("time_s", "technique", "passes"):
        assert done.samples[word].tobytes() == expected.samples[word].tobytes()
    of_scan = expected.samples["technique"] == 1
    back_V = (expected.samples["Ewe_V"] - done.samples["Ewe_V"])[of_scan]
    back_A = (expected.samples["I_A"] - done.samples["I_A"])[of_scan]
    after_half_a_second = slice(1, 5)  # of the first pass; the last row of a scan has less of an interval
    assert back_V[after_half_a_second] == pytest.approx(np.full(4, 0.0125), abs=5e-4)
    assert np.all(back_A[after_half_a_second] > 3e-5)


def test_scans_that_count_vertices_are_refused() -> None:
    """Not misunderstood: what is meant for two vertices says nothing of a third."""
    with pytest.raises(ChannelError, match="-403"):
        run(bench(habits=Habits(scan_number="vertices")), MOVING)


def in_time(samples: Rows, expected: Rows, late_s: float) -> Rows:
    """With the times of late rows mended; no other may differ."""
    moved = samples["time_s"] != expected["time_s"]
    assert bool(moved.any()) == (late_s > 0)
    assert (samples["time_s"][moved] - expected["time_s"][moved] < late_s + LONGEST_TICK_s).all()
    mended = samples.copy()
    mended["time_s"][moved] = expected["time_s"][moved]
    return mended


def test_impedance_rows_that_did_not_live_to_be_read() -> None:
    """At a slow poll they are missed, which a count of the frequencies shows; at 50 ms none is."""
    fleeting = Habits(eis_rows_live_s=0.3)
    segment = chain(eis(n=8), ocv(1.0))
    slow = run(bench(habits=fleeting), segment, pause_s=2.0)
    (gap,) = [notice for notice in slow.notices if notice.code == "gap"]
    assert gap.facts["missing"] == 8 - len(slow.points) > 0
    fast = run(bench(habits=fleeting), segment, pause_s=0.05)
    assert (len(fast.points), fast.codes()) == (8, [])


@pytest.mark.parametrize("full", ["overwrite", "stop"])
def test_a_memory_that_ran_full(full: str) -> None:
    one = bench(habits=Habits(memory_bytes=8000, memory_full=full))  # type: ignore[arg-type]
    one.channel.load(chain(ocv(100.0, 0.01)))
    one.channel.start()
    one.clock.sleep(90.0)
    done = drain(one)
    assert len(done.samples) < 10_001
    assert "gap" in done.codes()
