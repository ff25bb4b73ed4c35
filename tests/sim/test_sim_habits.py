"""What nobody knows of a real channel, both ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sim_bench import ca, cp, eis, execute, ocv, potentiostat

from nakctl.device.channel import Flag, Rows, Watch
from nakctl.device.program import Eis, Loop, Segment, Technique, Test
from nakctl.errors import RigError
from nakctl_sim.habits import ChannelHabits, with_words

MET = Test("Ewe", "above", 0.2)
CHAIN: tuple[Technique, ...] = (
    cp(0.8e-3, 60.0, 1.0, MET),
    ocv(2.0),
    ca(0.05, 2.0),
    eis(hold_s=1.0, every_s=0.5),
    Loop(0, 2, passes=True),
)


def samples(habits: ChannelHabits, *techniques: Technique) -> Rows:
    return execute(potentiostat(habits=habits), *techniques)[0]


def test_without_a_row_at_a_met_test() -> None:
    """The chain goes on as it does with one, at the same time."""
    usual, without = samples(ChannelHabits(), *CHAIN), samples(ChannelHabits(test_row=False), *CHAIN)
    met = usual["flags"] & Flag.TEST_MET != 0
    assert met.sum() == 2
    assert without.tobytes() == usual[~met].tobytes()


def test_without_a_row_at_an_end() -> None:
    """Of OCV and CA; the hold before a sweep has all its rows, and a met test its own."""
    usual, without = samples(ChannelHabits(), *CHAIN), samples(ChannelHabits(end_row=False), *CHAIN)
    last = np.append(np.diff(usual["technique"].astype(int)) != 0, True)
    ends = last & (usual["technique"] != 3) & (usual["flags"] & Flag.TEST_MET == 0)
    assert ends.sum() == 4
    assert without.tobytes() == usual[~ends].tobytes()


def test_a_test_that_stops_without_a_row() -> None:
    found = samples(ChannelHabits(test_row=False), cp(0.8e-3, 60.0, 1.0, MET, on_test="stop"), ocv(5.0))
    assert set(found["technique"]) == {0}
    assert not np.any(found["Ewe_V"] > 0.2)


@pytest.mark.parametrize("factor", [0.7, 1.35])
def test_slower_and_faster_frequencies(factor: float) -> None:
    """The same points at other times, and a bias that flows for as long."""
    sweep: Eis = eis(bias=1e-4, amplitude_peak=5e-6, hold_s=2.0, f_last_Hz=0.5)
    usual = execute(potentiostat(), sweep)[1]
    found = execute(potentiostat(habits=ChannelHabits(eis_factor=factor)), sweep)[1]
    assert found["time_s"] - 2.0 == pytest.approx(factor * (usual["time_s"] - 2.0), abs=1e-4)
    assert found["frequency_Hz"].tobytes() == usual["frequency_Hz"].tobytes()


def test_a_last_row_that_is_late() -> None:
    """Behind the first row of what follows by as much as was said; the last one of a chain is not."""
    chain = cp(1e-4, 2.0), ocv(2.0), ca(0.05, 2.0), Loop(0, 2, passes=True)
    usual, late = samples(ChannelHabits(), *chain), samples(ChannelHabits(late_row_s=10e-6), *chain)
    assert len(late) == len(usual)
    moved = late["time_s"] != usual["time_s"]
    last = np.append(np.diff(usual["technique"].astype(int)) != 0, False) & (usual["technique"] != 1)
    assert np.array_equal(moved, last)
    after = np.flatnonzero(moved) + 1
    assert late["time_s"][moved] - usual["time_s"][after] == pytest.approx(10e-6, abs=1e-9)


@pytest.mark.parametrize("cuts_s", [0.13, 1.7])
def test_habits_do_not_depend_on_how_time_is_divided(cuts_s: float) -> None:
    habits = ChannelHabits(test_row=False, end_row=False, eis_factor=1.2, late_row_s=1e-5)
    whole = execute(potentiostat(habits=habits), *CHAIN)
    bench = potentiostat(habits=habits)
    bench.load(Segment(CHAIN))
    bench.start()
    outputs = [bench.run(cuts_s * n, Watch()) for n in range(1, math.ceil(100.0 / cuts_s))]
    assert outputs[-1].over
    assert np.concatenate([each.samples for each in outputs]).tobytes() == whole[0].tobytes()
    assert np.concatenate([each.points for each in outputs]).tobytes() == whole[1].tobytes()


@pytest.mark.parametrize("word", ["eis_factor=0", "eis_factor=nan", "late_row_s=-1", "test_row=2", "row=1"])
def test_words_that_are_no_habit(word: str) -> None:
    with pytest.raises(RigError):
        with_words(ChannelHabits(), [word])
