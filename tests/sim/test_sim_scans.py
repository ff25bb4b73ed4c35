"""Ramps of the current, scans of the potential, constant power and load, against what circuits must show."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from sim_bench import ca, cp, draw, execute, ocv, on, potentiostat
from time_bases import SAME_s, base_s, counted_s

from nakctl.device.channel import Rows, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Segment, Technique, Test
from nakctl.errors import LimitError
from nakctl_sim.potentiostat import Potentiostat

DOUBLE_LAYER = "{area: 1 cm2, series: 10 ohm, pairs: [{R: 10 kohm, C: 1 mF}]}"
SOURCE = "{area: 1 cm2, source: 3 V, series: 1 kohm}"
E_STEP_V = instrument("SP-300").E_step * 10.0  # of the 5 V range


def bench(tmp_path: Path, circuit: str, like: str = "SP-300") -> Potentiostat:
    file = tmp_path / "cell.yaml"
    file.write_text(f"model: circuit\ncells:\n  one: {circuit}\n")
    return potentiostat(f"{file}#one", like)


def samples_of(one: Potentiostat, *techniques: Technique) -> Rows:
    return execute(one, *techniques)[0]


# a scan of the potential


@pytest.mark.parametrize("rate_V_s", [0.2e-3, 5e-3, 0.1])
def test_a_scan_drives_what_the_cell_takes(tmp_path: Path, rate_V_s: float) -> None:
    """C dE/dt + E/R, beyond the first moments after a turn; both ways, with the sign of the rate."""
    scan_s = 0.3 / rate_V_s
    there, back = ca(0.0, scan_s, scan_s / 60, to_V=0.3), ca(0.3, scan_s, scan_s / 60, to_V=0.0)
    rows = samples_of(bench(tmp_path, DOUBLE_LAYER), there, back)
    way = np.where(rows["technique"] == 0, 1.0, -1.0)
    time_s = rows["time_s"] - np.where(rows["technique"] == 0, 0.0, counted_s(scan_s, "VSCANLIMIT"))
    set_V = np.where(way > 0, rate_V_s * time_s, 0.3 - rate_V_s * time_s)
    settled = time_s > 0.1  # ten times R C of the series resistance
    assert np.allclose(rows["Ewe_V"], set_V, atol=2 * E_STEP_V)
    expected_A = 1e-3 * rate_V_s * way + set_V / 10e3
    assert np.allclose(rows["I_A"][settled], expected_A[settled], atol=1e-7 + 2e-3 * np.abs(expected_A).max())


def test_a_turn_takes_as_long_as_the_cell_needs(tmp_path: Path) -> None:
    """The current of a double layer turns with the time constant of the series resistance, 10 ms."""
    there, back = ca(0.0, 3.0, 1.0, to_V=0.3), ca(0.3, 0.1, 2e-3, to_V=0.29)
    rows = samples_of(bench(tmp_path, "{area: 1 cm2, series: 10 ohm, capacitor: 1 mF}"), there, back)
    after = rows[rows["technique"] == 1]
    time_s = after["time_s"] - counted_s(3.0, "VSCANLIMIT")
    expected_A = 1e-4 * (2 * np.exp(-time_s / 0.01) - 1)
    assert np.allclose(after["I_A"], expected_A, atol=1e-5)


def test_a_scan_ends_where_it_should_and_when(tmp_path: Path) -> None:
    rows = samples_of(bench(tmp_path, DOUBLE_LAYER), ca(-0.1, 7.3, 0.5, to_V=0.25))
    assert rows["time_s"][-1] == pytest.approx(counted_s(7.3, "VSCANLIMIT"), abs=SAME_s)
    assert rows["Ewe_V"][-1] == pytest.approx(0.25, abs=2 * E_STEP_V)
    every_s = counted_s(0.5, "VSCANLIMIT")
    assert rows["time_s"][0] == pytest.approx(base_s("VSCANLIMIT"), abs=SAME_s)
    assert np.allclose(rows["time_s"][1:-1], every_s * np.arange(1, 15), atol=1e-8)


@pytest.mark.parametrize("every_s", [0.1, 100.0])
def test_a_scan_ends_at_a_current(tmp_path: Path, every_s: float) -> None:
    """20 uA of C dE/dt, and E/R beside."""
    test = Test("|I|", "above", 35e-6)
    rows = samples_of(bench(tmp_path, DOUBLE_LAYER), ca(0.0, 50.0, every_s, test, to_V=1.0), ocv(1.0))
    last = rows[rows["technique"] == 0][-1]
    assert last["time_s"] == pytest.approx(0.15 / 0.02, abs=0.05)
    assert last["I_A"] == pytest.approx(35e-6, rel=2e-3)
    assert rows["technique"][-1] == 1


def test_a_scan_against_a_blocking_cell_moves_its_charge(tmp_path: Path) -> None:
    rows = samples_of(
        bench(tmp_path, "{area: 1 cm2, series: 10 ohm, capacitor: 1 mF}"), ca(0.0, 20.0, 0.05, to_V=0.4)
    )
    assert np.trapezoid(rows["I_A"], rows["time_s"]) == pytest.approx(0.4e-3, rel=2e-3)


# a ramp of the current


def ramp_V(t_s: float, A_s: float) -> float:
    """The dummy cell, 100 ohm, 1 kohm || 1 uF, 1 kohm || 100 uF, from no current on."""
    arcs = ((1000.0, 1e-3), (1000.0, 0.1))
    return A_s * (100 * t_s + sum(R * (t_s - T_s * (1 - math.exp(-t_s / T_s))) for R, T_s in arcs))


@pytest.mark.parametrize("seconds", [0.2, 2.0, 1000.0])
@pytest.mark.parametrize("to_A", [0.5e-3, -0.5e-3])
def test_a_ramp_follows_the_circuit(seconds: float, to_A: float) -> None:
    rows = samples_of(potentiostat("dummy"), cp(0.0, seconds, seconds / 50, to_A=to_A))
    assert np.allclose(rows["Ewe_V"], [ramp_V(t, to_A / seconds) for t in rows["time_s"]], atol=0.4e-3)
    assert np.allclose(rows["I_A"], to_A / seconds * rows["time_s"], atol=1e-7)


@pytest.mark.parametrize("every_s", [1.0, 1000.0])
def test_a_ramp_ends_at_its_test(every_s: float) -> None:
    """2.1 kohm: 0.63 V at 0.3 mA."""
    test = Test("Ewe", "above", 0.63)
    rows = samples_of(potentiostat("dummy"), cp(0.0, 1000.0, every_s, test, to_A=0.5e-3), ocv(1.0))
    last = rows[rows["technique"] == 0][-1]
    assert last["I_A"] == pytest.approx(0.3e-3, rel=2e-3)
    assert last["time_s"] == pytest.approx(600.0, rel=2e-3)
    assert rows["technique"][-1] == 1


def test_a_ramp_that_the_amplifier_cannot_drive_stops_at_its_voltage(tmp_path: Path) -> None:
    circuit = "{area: 1 cm2, series: 20 kohm}"
    one = bench(tmp_path, circuit)
    one.load(Segment((cp(0.0, 10.0, 1.0, to_A=1e-3, hardware=on("1 mA", "10 V")),)))
    one.start()
    one.run(9.0, Watch())
    assert one.peek(9.0) == pytest.approx((12.0, 0.6e-3), rel=1e-5)


# a power and a load


def test_a_load_divides_the_voltage_of_a_source(tmp_path: Path) -> None:
    """3 V behind 1 kohm across 2 kohm; the positive electrode is discharged: I < 0."""
    rows = samples_of(bench(tmp_path, SOURCE, "VMP-3"), draw("LOAD", 2e3, 5.0))
    assert np.allclose(rows["Ewe_V"], 2.0, atol=1e-3)
    assert np.allclose(rows["I_A"], -1e-3, atol=2e-6)


@pytest.mark.parametrize(
    ("P_W", "I_A"),
    [(-2e-3, -1e-3), (4e-3, 1e-3), (-2.25e-3, -1.5e-3), (-1.0, -1.5e-3), (0.0, 0.0)],
    ids=["discharge", "charge", "the most there is", "more than there is", "none"],
)
def test_a_power_is_held(tmp_path: Path, P_W: float, I_A: float) -> None:
    """(3 V + 1 kohm I) I: of -1 mA and -2 mA, which both make -2 mW, the smaller one flows."""
    rows = samples_of(bench(tmp_path, SOURCE, "VMP-3"), draw("POWER", P_W, 5.0))
    assert np.allclose(rows["I_A"], I_A, atol=3e-6)
    assert np.allclose(rows["Ewe_V"], 3.0 + 1e3 * I_A, atol=3e-3)


def test_a_power_is_held_while_the_cell_changes() -> None:
    rows = samples_of(potentiostat("NaK50", "VMP-3"), draw("POWER", 1e-4, 600.0, 10.0), ocv(1.0))
    held = rows[rows["technique"] == 0]
    assert np.allclose(held["Ewe_V"] * held["I_A"], 1e-4, rtol=2e-3)
    assert np.ptp(held["Ewe_V"]) > 0.02
    assert held["time_s"][-1] == pytest.approx(600.0, abs=1e-3)


def test_rows_of_a_load_by_change(tmp_path: Path) -> None:
    """A capacitor that is emptied through 100 ohm beside its own 10 ohm."""
    circuit = "{area: 1 cm2, series: 10 ohm, capacitor: 0.1 F}"
    one = bench(tmp_path, circuit, "VMP-3")
    rows = samples_of(
        one, ca(1.0, 20.0, 5.0, hardware=on("100 mA")), draw("LOAD", 100.0, 11.0, 100.0, dE_V=0.02)
    )
    emptied = rows[rows["technique"] == 1]
    time_s = emptied["time_s"] - emptied["time_s"][0]
    assert len(emptied) > 20
    assert np.allclose(emptied["Ewe_V"] / emptied["Ewe_V"][0], np.exp(-time_s / 11.0), atol=0.02)


@pytest.mark.parametrize(("control", "phrase"), [("POWER", "constant power"), ("LOAD", "constant load")])
def test_an_sp_300_has_neither(control: str, phrase: str) -> None:
    with pytest.raises(LimitError, match=f"SP-300 has no technique for {phrase}: use a channel"):
        potentiostat().check(Segment((draw(control, 1e-3, 1.0),)))


# whoever looks, and when

CHAIN = (
    cp(0.0, 30.0, 4.0, Test("Ewe", "above", 0.4), to_A=0.4e-3),
    ocv(5.0, 7.0),
    ca(0.05, 9.0, 4.0, Test("|I|", "below", 1e-9), to_V=-0.05),
    draw("POWER", 1e-5, 10.0, 3.0, dE_V=0.01),
    draw("LOAD", 1e3, 10.0, 3.0),
)


@pytest.mark.parametrize("cell", ["dummy", "NaK50"])
def test_no_look_changes_a_row(cell: str) -> None:
    whole = samples_of(potentiostat(cell, "VMP-3"), *CHAIN)
    one = potentiostat(cell, "VMP-3")
    one.load(Segment(CHAIN))
    one.start()
    parts, n = [], 0
    while not parts or not parts[-1].over:
        n += 1
        parts.append(one.run(0.31 * n, Watch()))
        assert one.peek(0.31 * n) == one.peek(0.31 * n)
    assert np.concatenate([each.samples for each in parts]).tobytes() == whole.tobytes()


def test_a_look_between_rows_sees_where_the_scan_is(tmp_path: Path) -> None:
    one = bench(tmp_path, DOUBLE_LAYER)
    one.load(Segment((ca(0.0, 100.0, 100.0, to_V=1.0),)))
    one.start()
    for time_s in (0.011, 0.7, 33.3):
        one.run(time_s, Watch())
        assert one.peek(time_s)[0] == pytest.approx(0.01 * time_s, abs=1e-6)
