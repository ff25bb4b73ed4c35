"""Experiments of a solid-state lab, from the words to a result that is known: of the simulated cell, or of the text.

Each runs through the real command line. What it shows is compared with what its cell is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest
import yaml
from command_line import nakctl

from nakctl.record.read import Run, open_run
from nakctl.results import (
    activation,
    cycles,
    hebb_wagner,
    pulse_resistances,
    rate_capability,
    scans,
    titration,
)
from nakctl.results import transference as bruce_vincent_of

Floats = npt.NDArray[np.float64]
EXPERIMENTS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("experiments.yaml").read_text(encoding="utf-8")
)
HEAD = """\
nakctl: 1
name: experiment
spectra:
  operando: {kind: geis, amplitude: 5 uA, from: 1 MHz, to: 5 Hz, per_decade: 10}
  resting: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 1 Hz, per_decade: 5}
  quick: {kind: peis, amplitude: 10 mV, from: 1 MHz, to: 10 Hz, per_decade: 2}
record: {every: 10 s, dE: 5 mV}
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a run. samples, steps, impedance: columns by name; run: as results are drawn from it."""

    report: dict[str, Any]
    samples: Mapping[str, Any]
    steps: Mapping[str, Any]
    impedance: Mapping[str, Any]
    chains: Mapping[str, Any]
    sensors: Mapping[str, Mapping[str, Any]]
    run: Run

    def spectra(self) -> list[dict[str, Any]]:
        """The columns of each spectrum."""
        numbers = self.impedance["spectrum"]
        return [
            {name: column[numbers == number] for name, column in self.impedance.items()}
            for number in np.unique(numbers)
        ]

    def K_of(self, spectrum: Mapping[str, Any]) -> float:
        """What the chamber showed in the middle of it."""
        seen = self.sensors["chamber"]
        return float(np.interp(np.mean(spectrum["time"]), seen["time"], seen["value"])) + 273.15

    def of(self, label: str, nth: int = 0) -> dict[str, Any]:
        """The samples of the nth step whose label has this in it."""
        places = [k for k, each in enumerate(self.steps["label"]) if label in each.decode()]
        first, count = (int(self.steps[word][places[nth]]) for word in ("first_row", "row_count"))
        return {name: column[first : first + count] for name, column in self.samples.items()}

    def moved_C(self, label: str, nth: int = 0) -> float:
        of = self.of(label, nth)
        return abs(float(np.trapezoid(of["I"].astype(float), of["time"])))

    @property
    def kinds(self) -> list[str]:
        return [each.decode() for each in self.steps["end_kind"]]


def written(experiment: dict[str, Any], folder: Path) -> str | Path:
    """The protocol: its file, or the name of a shipped one."""
    if "shipped" in experiment:
        return str(experiment["shipped"])
    beside = {"limits": experiment["limits"], **experiment.get("beside", {})}
    text = HEAD + yaml.safe_dump(beside, default_flow_style=None, width=1000, sort_keys=False)
    steps = "".join(f"  {line}\n" for line in experiment["steps"].splitlines())
    file = folder / "experiment.yaml"
    file.write_text(f"{text}steps:\n{steps}", encoding="utf-8")
    if "table" in experiment:
        (folder / "table.csv").write_text(experiment["table"], encoding="utf-8")
    return file


def done(experiment: dict[str, Any], folder: Path) -> Record:
    out = folder / "out.h5"
    sets = [
        word for name, value in experiment.get("set", {}).items() for word in ("--set", f"{name}={value}")
    ]
    if "rig" in experiment:
        (folder / "rig.yaml").write_text(
            yaml.safe_dump({"nakctl-rig": 1, **experiment["rig"]}), encoding="utf-8"
        )
    where = ["--on", experiment.get("channel", "sim-sp300"), "--cell", experiment["cell"]]
    ran = nakctl("run", written(experiment, folder), *where, *sets, "--json", "--out", out, cwd=folder)
    assert ran.code == 0, ran.err
    with h5py.File(out) as file:
        tables = {
            name: {
                column: file[f"entry/{name}/{column}"][:]
                for column in file[f"entry/{name}"]
                if file[f"entry/{name}/{column}"].ndim == 1
            }
            for name in ("samples", "steps", "impedance", "chains")
        }
        sensors = {
            name: {column: seen[column][:] for column in ("time", "value")}
            for name, seen in file.get("entry/aux", {}).items()
        }
    report = ran.json["runs"][0] if "runs" in ran.json else ran.json
    return Record(report, sensors=sensors, run=open_run(out), **tables)


def is_ramp(run: Record) -> None:
    I, t = run.samples["I"].astype(float), run.samples["time"]
    assert run.report["end_reason"] == "short"
    slope = np.polyfit(t, I, 1)[0]
    assert slope == pytest.approx(-0.05e-3 * 0.4418 / 60, rel=1e-3)
    assert run.report["gaps"] == 0


def is_spike(run: Record) -> None:
    assert run.kinds == ["cutoff"]


def ends_at_cutoff(run: Record) -> None:
    assert run.kinds == ["cutoff"]
    assert run.samples["Ewe"][-1] == pytest.approx(1.0, abs=0.2)
    assert run.report["spectra"] > 3


def is_gitt(run: Record) -> None:
    """D from the step and the steady change: sqrt(D) ~ (dEs / dEt) of Weppner and Huggins, with the cell's D."""
    L_cm, D_cm2_s, tau_s = 2.4e-4, 4e-11, 1800.0
    pulses = [
        k for k, label in enumerate(run.steps["label"]) if b"charge C/5" in label and b"dis" not in label
    ]
    k = pulses[len(pulses) // 2]
    first, count = int(run.steps["first_row"][k]), int(run.steps["row_count"][k])
    E, t = run.samples["Ewe"].astype(float), run.samples["time"]
    rest_before, rest_after = (
        E[first - 1],
        E[first + count : int(run.steps["first_row"][k + 1] + run.steps["row_count"][k + 1])][-1],
    )
    on = slice(first, first + count)
    root = np.sqrt(t[on] - run.steps["t_start"][k])
    early = (root > 5) & (root < 25)
    slope = np.polyfit(root[early], E[on][early], 1)[0]
    D = 4 / np.pi * (L_cm * (rest_after - rest_before) / (slope * tau_s)) ** 2
    assert D_cm2_s / 2 < D < 2 * D_cm2_s
    found = titration(run.run, L_cm)
    assert found.D_cm2_s[np.searchsorted(found.start_s, run.steps["t_start"][k])] == pytest.approx(D, rel=0.1)
    assert 0.7 < np.median(found.D_cm2_s) / D_cm2_s < 1.4
    assert run.report["gitt_D_per_L2_Hz"] == pytest.approx(found.D_cm2_s / L_cm**2, rel=1e-4)


def is_cc_cv(run: Record) -> None:
    """No gap between constant current and constant potential, nor between cycles."""
    assert run.report["gaps"] == 0
    assert len(run.chains["time"]) == 1
    tapered = run.of("ca 4.2 V", 1)
    assert abs(tapered["I"][-1]) == pytest.approx(2.1e-3 / 20, rel=0.02)
    assert set(run.kinds) == {"cutoff", "duration"}
    found = cycles(run.run)
    charged_C = run.moved_C("charge C/2", 2) + run.moved_C("ca 4.2 V", 1)
    assert found.strip_Ah[1] * 3600 == pytest.approx(charged_C, rel=2e-3)
    assert found.plate_Ah[1] * 3600 == pytest.approx(run.moved_C("discharge", 1), rel=2e-3)
    assert 0.99 < found.coulombic_efficiency[1] < 1.0
    assert 0.9 < found.energy_efficiency[1] < found.coulombic_efficiency[1]
    assert run.report["cycles_charge_is"] == "strip"


def falls_with_rate(run: Record) -> None:
    moved = [run.moved_C("discharge", nth) / 3.6 for nth in range(6)]  # mAh: C/10, C/5, C/2, 1C, 2C, C/10
    assert moved[0] > moved[1] > moved[2] > moved[3] > moved[4]
    assert moved[5] == pytest.approx(moved[0], rel=0.03)
    assert moved[0] == pytest.approx(1.92, rel=0.03)
    found = rate_capability(run.run)
    assert 1e3 * found.capacity_Ah == pytest.approx(moved, rel=3e-3)
    assert pytest.approx([2.1e-3 / C for C in (10, 5, 2, 1, 0.5, 10)], rel=1e-3) == -found.I_A


def has_capacitance(run: Record) -> None:
    """The area of the last cycle is twice the capacitance times the window."""
    of = {name: column[run.samples["cycle"] == 3] for name, column in run.samples.items()}
    area_C = np.trapezoid(np.abs(of["I"].astype(float)), of["time"])
    assert area_C / (2 * 1.2) == pytest.approx(2e-3, rel=0.02)
    assert np.unique(run.samples["cycle"]).tolist() == [1, 2, 3]
    found = scans(run.run)[2]
    assert (found.anodic, found.cathodic) == (None, None)
    assert 3600 * (found.anodic_Ah + found.cathodic_Ah) == pytest.approx(area_C, rel=6e-3)
    assert found.rate_V_s == pytest.approx(0.01, rel=1e-3)


def stops_at_current(run: Record) -> None:
    scan = run.of("lsv")
    assert abs(scan["I"][-1]) == pytest.approx(50e-6 * 0.785, rel=0.05)
    assert run.steps["end_kind"][-1] == b"cutoff"


def conducts_electrons(run: Record) -> None:
    """I = S/l sigma_e v_e (exp(E/v_e) - 1), of the cell's file."""
    E = np.arange(1, 11) / 10
    expected = 0.785 / 0.1 * 1e-7 * 0.15 * np.expm1(E / 0.15)
    seen = [float(np.mean(run.of(f"ca {each:g} V")["I"][-20:])) for each in E]
    assert seen == pytest.approx(expected.tolist(), rel=0.12)
    found = hebb_wagner(run.run, thickness_cm=0.1)
    assert pytest.approx(np.array(seen), rel=1e-6) == found.I_A
    assert found.conductivity_S_cm[1:-1] == pytest.approx(1e-7 * np.exp(E / 0.15)[1:-1], rel=0.15)


def has_transference_number(run: Record) -> None:
    """t = Iss (dE - I0 R0) / (I0 (dE - Iss Rss)), the resistances of the interfaces from the two spectra: what
    they show between their arcs and the diffusion, without the electrolyte (25 ohm cm2 by the cell's file)."""
    f_Hz, Z, number = (run.impedance[name] for name in ("frequency", "Z_re", "spectrum"))
    plateau = (f_Hz > 5) & (f_Hz < 100)
    R_0, R_ss = (float(np.median(Z[plateau & (number == k)])) - 25 / 1.131 for k in (1, 2))
    hold, dE_V = run.of("ca 0.01 V"), 10e-3
    I_0, I_ss = float(hold["I"][1]), float(np.mean(hold["I"][-10:]))
    t_plus = I_ss * (dE_V - I_0 * R_0) / (I_0 * (dE_V - I_ss * R_ss))
    assert t_plus == pytest.approx(0.2, abs=0.01)
    found = bruce_vincent_of(run.run, electrolyte_ohm=25 / 1.131)
    assert found is not None
    assert found.t_plus == pytest.approx(t_plus, abs=0.01)
    assert found.R_ss_ohm == pytest.approx(R_ss, rel=0.03)
    assert bruce_vincent_of(run.run).t_plus is None  # from 100 kHz on: it is within the arc of the film


def is_symmetric(run: Record) -> None:
    assert run.report["spectra"] == 3
    assert [run.moved_C("strip", nth) for nth in range(6)] == pytest.approx([0.36 * 1.131] * 6, rel=2e-3)


def has_spectra_at_potentials(run: Record) -> None:
    assert run.report["spectra"] == 7
    E_dc = [float(run.impedance["E_dc"][run.impedance["spectrum"] == k][0]) for k in range(1, 8)]
    assert E_dc == sorted(E_dc)


def has_one_capacitance_at_all_potentials(run: Record) -> None:
    """2 mF by the cell's file, so 1/C2 over the potential is flat: no semiconductor. At 1 Hz, which the leak does
    not reach; a potential vs OCV that is wrong would show in E."""
    spectra = run.spectra()
    OCV = float(np.mean(run.of("rest")["Ewe"]))
    E = [float(np.mean(each["E_dc"])) for each in spectra]
    assert pytest.approx([OCV + step for step in (-0.2, -0.1, 0.0, 0.1, 0.2)], abs=2e-3) == E
    C_F = [-1 / (2 * np.pi * each["frequency"][-1] * each["Z_im"][-1]) for each in spectra]
    assert pytest.approx([2e-3] * 5, rel=0.02) == C_F


def falls_with_temperature(run: Record) -> None:
    """At 100 Hz only the electrolyte is seen: grains and their boundaries, by the energies of the cell's file. The
    interface of sodium has no resistance."""
    spectra = run.spectra()
    K = np.array([run.K_of(each) for each in spectra])
    assert (K[0], K[-1]) == (pytest.approx(298.15, abs=0.2), pytest.approx(353, abs=1))
    assert len(spectra) == 12
    seen = [float(each["Z_re"][np.argmin(np.abs(each["frequency"] - 100))]) for each in spectra]
    part = [np.exp(1000 * kJ / 8.314462 * (1 / K - 1 / 298.15)) for kJ in (27, 34)]
    expected = (50 * part[0] + 100 * part[1]) / 0.4418
    assert seen == pytest.approx(expected.tolist(), rel=0.03)
    assert seen[0] / seen[-1] > 6


def has_activation_energy(run: Record) -> None:
    """35 kJ/mol by the cell's file, of grains and boundaries; between their arcs and the blocking electrode."""
    K, ohm = [], []
    for each in run.spectra():
        plateau = (each["frequency"] > 300) & (each["frequency"] < 1e4)
        K.append(run.K_of(each))
        ohm.append(float(np.median(each["Z_re"][plateau])))
    kJ_mol = np.polyfit(1 / np.array(K), np.log(ohm), 1)[0] * 8.314462e-3
    assert [len(ohm), kJ_mol] == [3, pytest.approx(35, rel=0.03)]
    found = activation(run.run)
    assert pytest.approx(np.array(K), abs=0.01) == found.T_K
    assert found.R_ohm == pytest.approx(np.array(ohm), rel=0.02)
    assert abs((found.kJ_mol or 0) - 35) < max(3 * found.error_kJ_mol, 0.5)


def alternates(run: Record) -> None:
    assert len(run.steps["label"]) == 60
    assert run.report["gaps"] == 0


def keeps_power(run: Record) -> None:
    of = run.of("power")
    assert (of["Ewe"].astype(float) * of["I"])[2:] == pytest.approx(-5e-3 * 0.785, rel=0.01)
    assert of["Ewe"][-1] == pytest.approx(3.0, abs=0.05)


def keeps_load(run: Record) -> None:
    of = run.of("load")
    assert (of["Ewe"] / -of["I"].astype(float))[2:] == pytest.approx(1000.0, rel=0.01)


def pulses(run: Record) -> None:
    assert len(run.steps["label"]) == 1000
    assert run.report["gaps"] == 0


def comes_to_rest(run: Record) -> None:
    assert run.kinds[-1] == "cutoff"
    of = run.of("rest")
    last = of["time"] > of["time"][-1] - 300
    slope = np.polyfit(of["time"][last], of["Ewe"][last].astype(float), 1)[0]
    assert abs(slope) * 60 < 0.12e-3


def loses_charge(run: Record) -> None:
    lost = 1 - run.moved_C("discharge") / run.moved_C("charge C/2")
    assert 0.03 < lost < 0.25


def finds_what_leaked(run: Record) -> None:
    """0.17 % of the charge in a day, by the cell's file: the discharge ends when what is left is gone."""
    assert run.kinds == ["duration", "duration", "cutoff"]
    left = run.moved_C("discharge") / run.moved_C("in")
    assert run.moved_C("in") == pytest.approx(0.5 * 2.1 * 3.6, rel=1e-3)
    assert left == pytest.approx(np.exp(-0.0017 * 30), abs=0.01)


def returns_what_was_stripped(run: Record) -> None:
    assert run.kinds == ["cutoff", "duration", "duration"]
    assert run.moved_C("plate") == pytest.approx(run.moved_C("out"), rel=2e-3)
    assert abs(float(run.samples["Q"][-1])) < 2e-3 * float(run.samples["Q"].max())


def sees_three_electrodes(run: Record) -> None:
    assert run.kinds == ["duration", "cutoff", "duration"]
    assert run.of("rest")["Ece"][0] == pytest.approx(0.05, abs=0.05)
    whole = run.impedance["Z_re"] + run.impedance["Zce_re"] if "Zce_re" in run.impedance else None
    assert whole is not None
    assert np.isfinite(run.impedance["Zce_re"]).all()


def holds_until_current(run: Record) -> None:
    of = run.of("ca 4.2 V")
    assert of["I"][-1] == pytest.approx(0.1e-3 * 0.785, rel=0.03)
    assert len(run.chains["time"]) == 1


def is_limited(run: Record) -> None:
    moved = [run.moved_C("charge", nth) for nth in range(6)]
    assert max(moved) <= 3.6 * 1.002
    assert run.report["gaps"] == 0


def titrates(run: Record) -> None:
    assert run.kinds[1::2] == ["cutoff"] * 5


def checks_up(run: Record) -> None:
    assert run.report["spectra"] == 2
    assert [run.kinds.count(kind) for kind in ("cutoff", "duration")] == [20, 2]


def goes_on_with_what_it_measured(run: Record) -> None:
    """Of the cell's own 2.1 mAh C/20 shows a little less; 2.4 mAh was what somebody thought."""
    capacity_C = run.moved_C("formation")
    assert capacity_C == pytest.approx(2.1 * 3.6, rel=0.06)
    assert float(np.median(run.of("1 charge C/20")["I"])) == pytest.approx(2.4e-3 / 20, rel=1e-3)
    assert float(np.median(run.of("charge C/3")["I"])) == pytest.approx(capacity_C / 3600 / 3, rel=1e-3)
    assert run.of("ca 4.2 V")["I"][-1] == pytest.approx(capacity_C / 3600 / 20, rel=0.02)
    assert run.moved_C("discharge C/3") == pytest.approx(capacity_C / 2, rel=2e-3)


def drives(run: Record) -> None:
    assert run.samples["Ewe"][-1] == pytest.approx(2.7, abs=0.1)
    assert run.kinds[-1] == "cutoff"
    seen = {float(f"{each:.1e}") for each in run.samples["I"] if abs(each) > 1e-3}
    assert {-8e-3, -4e-3} <= seen


def is_at_listed_times(run: Record) -> None:
    rest_s = float(run.steps["t_start"][1])
    starts = [float(run.impedance["time"][run.impedance["spectrum"] == k][0]) - rest_s for k in range(1, 6)]
    assert starts == pytest.approx([10, 60, 600, 3600, 36000], abs=3)


def is_hybrid(run: Record) -> None:
    assert run.report["gaps"] <= 1
    assert len([1 for label in run.steps["label"] if b"discharge 1C" in label]) > 5
    found = pulse_resistances(run.run)
    assert {float(f"{each:.2e}") for each in found.I_A} == {-2.1e-3, 1.58e-3}
    # 30 ohm cm2, 13 of lithium, and the least of the positive electrode, over 0.785 cm2: after the sample's 34 us
    assert (found.first_ohm > 30 / 0.785).all()
    for k, (rest, pulse) in enumerate((run.of("rest", 2 * k), run.of("4.1 discharge", k)) for k in range(3)):
        by_hand = (float(pulse["Ewe"][-1]) - float(rest["Ewe"][-1])) / -2.1e-3
        assert found.end_ohm[2 * k] == pytest.approx(by_hand, rel=1e-3)


def goes_on_after_the_short(run: Record) -> None:
    assert run.report["status"] == "completed"
    assert run.kinds[0] == "cutoff"
    assert run.report["spectra"] == 1
    assert float(run.steps["t_end"][1] - run.steps["t_start"][1]) == pytest.approx(600, abs=1)


def asks(run: Record) -> None:
    assert run.report["status"] == "completed"
    assert len(run.steps["label"]) == 2


def takes_the_other_way(run: Record) -> None:
    assert [each.decode().split(" ", 1)[1] for each in run.steps["label"]] == ["first", "rest"]


SHOWS: list[Callable[[Record], None]] = [
    is_ramp, is_spike, ends_at_cutoff, is_gitt, is_cc_cv, falls_with_rate, has_capacitance, stops_at_current,
    conducts_electrons, has_transference_number, is_symmetric, has_spectra_at_potentials,
    has_one_capacitance_at_all_potentials, falls_with_temperature, has_activation_energy, alternates, keeps_power,
    keeps_load, pulses, comes_to_rest, loses_charge, finds_what_leaked, returns_what_was_stripped,
    sees_three_electrodes, holds_until_current, is_limited, titrates, checks_up, goes_on_with_what_it_measured, drives,
    is_at_listed_times, is_hybrid, goes_on_after_the_short, asks, takes_the_other_way,
]  # fmt: skip


@pytest.mark.parametrize(
    ("experiment", "shows"),
    list(zip(EXPERIMENTS, SHOWS, strict=True)),
    ids=[each["sentence"].split(",")[0][:50] for each in EXPERIMENTS],
)
def test_an_experiment(experiment: dict[str, Any], shows: Callable[[Record], None], tmp_path: Path) -> None:
    shows(done(experiment, tmp_path))
