"""The potentiostat between its steps: what it is like at a moment, and how it is ended there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sim_bench import ca, cp, dummy_V, eis, execute, ocv, on, potentiostat
from time_bases import SAME_s, counted_s

from nakctl.device.channel import POINT, Watch
from nakctl.device.program import Segment, Technique, Test
from nakctl.errors import LimitError
from nakctl_sim.potentiostat import Potentiostat, peaks_beyond, watched

CHAIN = (
    cp(0.4e-3, 30.0, 4.0, Test("Ewe", "above", 2.0)),
    ocv(20.0, 7.0),
    ca(0.05, 9.0, 4.0, Test("|I|", "below", 1e-9)),
    eis(bias=1e-4, hold_s=1.0, f_last_Hz=0.1, n_frequencies=4),
    cp(0.4e-3, 30.0, 4.0, Test("Ewe", "above", 0.05)),
)


def begun(bench: Potentiostat, *techniques: Technique) -> Potentiostat:
    bench.load(Segment(techniques))
    bench.start()
    return bench


def to(bench: Potentiostat, time_s: float) -> None:
    bench.run(time_s, Watch())


@pytest.mark.parametrize("cell", ["dummy", "NaK50"])
def test_peeking_changes_nothing(cell: str) -> None:
    whole = execute(potentiostat(cell), *CHAIN)
    bench = begun(potentiostat(cell), *CHAIN)
    samples, points, over = [], [], False
    for n in range(1, 400):
        output = bench.run(0.31 * n, Watch())
        samples.append(output.samples)
        points.append(output.points)
        one, other = bench.peek(0.31 * n), bench.peek(0.31 * n)
        assert one == other
        bench.peek(0.31 * n + 1000.0)
        over = output.over
        if over:
            break
    assert over
    assert np.concatenate(samples).tobytes() == whole[0].tobytes()
    assert np.concatenate(points).tobytes() == whole[1].tobytes()


def test_a_peek_follows_the_circuit_between_rows() -> None:
    bench = begun(potentiostat("dummy"), cp(0.5e-3, 60.0, 60.0))
    for time_s in (0.0, 0.0123, 0.05, 0.1, 0.3):
        to(bench, time_s)
        Ewe_V, I_A = bench.peek(time_s)
        assert I_A == 0.5e-3
        assert Ewe_V == pytest.approx(dummy_V(time_s, 0.5e-3), abs=1e-6)
        assert bench.reached_s == time_s


def test_a_peek_within_a_frequency_is_that_of_the_bias() -> None:
    """One frequency takes 110 s; the circuit is where its current has brought it, at any time."""
    sweep = eis(bias=0.5e-3, amplitude_peak=1e-6, f_first_Hz=0.01, n_frequencies=1)
    bench = begun(potentiostat("dummy"), sweep)
    for time_s in (0.01, 0.1, 0.2, 50.0):
        to(bench, time_s)
        assert bench.peek(time_s)[0] == pytest.approx(dummy_V(time_s, 0.5e-3), abs=1e-6)


def test_a_peek_at_an_open_cell() -> None:
    """It relaxes from where the chain left it."""
    bench = potentiostat("dummy")
    assert bench.peek(5.0) == (0.0, 0.0)
    execute(bench, cp(0.5e-3, 2.0))
    bench.halt()
    end_s = counted_s(2.0)
    left_V = bench.peek(end_s)[0]
    assert left_V == pytest.approx(1.0, abs=1e-3)
    assert bench.peek(end_s + 0.1) == pytest.approx((0.5 * math.exp(-1.0), 0.0), abs=1e-3)  # of the slow arc


def test_a_held_potential_is_held_at_any_time() -> None:
    bench = begun(potentiostat("dummy"), ca(0.2, 60.0, 60.0, hardware=on("10 mA")))
    for time_s in (0.01, 0.1, 0.7, 20.0):
        to(bench, time_s)
        assert bench.peek(time_s)[0] == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize("halt_s", [0.0, 7.7, 33.0, 51.7, 61.2])
def test_a_chain_ends_where_it_is_halted(halt_s: float) -> None:
    """Whatever goes on there: no row is lost, none is made later, and the cell is open."""
    whole = execute(potentiostat("dummy"), *CHAIN)
    bench = begun(potentiostat("dummy"), *CHAIN)
    output = bench.run(halt_s, Watch(), cut=True)
    bench.halt()
    assert output.samples.tobytes() == whole[0][whole[0]["time_s"] <= halt_s].tobytes()
    assert output.points.tobytes() == whole[1][whole[1]["time_s"] <= halt_s].tobytes()
    assert bench.reached_s == halt_s
    after = bench.run(math.inf, Watch())
    assert (after.over, len(after.samples), len(after.points)) == (True, 0, 0)
    assert bench.peek(halt_s)[1] == 0.0


AT_A_ROW_s = counted_s(10.0) + counted_s(23.0, "OCV")  # of the rest that follows 10 s of current


@pytest.mark.parametrize(
    ("skip_s", "at", "last_s"), [(7.7, 0, 7 * counted_s(1.0)), (AT_A_ROW_s, 1, AT_A_ROW_s)]
)
def test_a_technique_ends_where_it_is_skipped(skip_s: float, at: int, last_s: float) -> None:
    """Between two rows, and at one."""
    bench = begun(potentiostat("dummy"), cp(0.4e-3, 10.0), ocv(50.0), ca(0.05, 9.0))
    first = bench.run(skip_s, Watch(), cut=True).samples
    bench.skip()
    rest = bench.run(math.inf, Watch()).samples
    samples = np.concatenate([first, rest])
    assert samples["time_s"][samples["technique"] == at][-1] == pytest.approx(last_s, abs=SAME_s)
    assert samples["time_s"][samples["technique"] == at + 1][0] == pytest.approx(skip_s, abs=1e-3)
    assert set(samples["technique"]) == {0, 1, 2}


def test_rows_know_when_their_visit_began() -> None:
    bench = begun(potentiostat(), ocv(2.0), eis(hold_s=0.0), cp(1e-4, 1.0))
    output = bench.run(math.inf, Watch())
    sweep_s = output.points["time_s"][-1] - 2.0
    starts_s = {0: 0.0, 1: 2.0, 2: 2.0 + sweep_s}
    assert output.sample_starts_s == pytest.approx([starts_s[at] for at in output.samples["technique"]])
    assert output.point_starts_s == pytest.approx([2.0] * len(output.points))


def test_what_cannot_be_done_is_found_beforehand() -> None:
    bench = begun(potentiostat(), ocv(2.0))
    bench.check(Segment((cp(1e-4, 1.0),)))
    with pytest.raises(LimitError, match="no range 3 A"):
        bench.check(Segment((cp(1e-4, 1.0, hardware=on("3 A")),)))
    assert len(bench.run(math.inf, Watch()).samples) == 3


@pytest.mark.parametrize(
    ("watch", "expected"),
    [
        (Watch(Ewe_max_V=1.05), [False, True, False, False]),
        (Watch(Ewe_min_V=-1.05), [False, False, True, False]),
        (Watch(I_max_A=1.05e-3), [False, False, False, True]),
        (Watch(), [False] * 4),
    ],
)
def test_of_a_sweep_the_host_watches_the_peaks(watch: Watch, expected: list[bool]) -> None:
    points = np.zeros(4, POINT)
    points["E_dc_V"], points["E_amp_V"] = [0.9, 1.0, -1.0, 0.0], 0.1
    points["I_dc_A"], points["I_amp_A"] = [0.0, 0.0, 0.0, -1e-3], 1e-4
    assert peaks_beyond(points, watched(watch)).tolist() == expected
