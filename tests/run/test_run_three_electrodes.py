"""Whole runs of a cell with three electrodes: ends of Ece and of the cell, and the spectra of both halves."""

from __future__ import annotations

import numpy as np
import pytest
from kept import Kept
from running import done

from nakctl.booking import layout
from nakctl.device.instrument import instrument

HEAD = """\
nakctl: 1
name: test
three_electrodes: true
limits: {Ewe: [2 V, 5 V], Ece: [LOWEST, 3 V], Ewe_minus_Ece: [0 V, HIGHEST], time: 100 h}
finally: rest
spectra:
  g: {kind: geis, amplitude: 50 uA, from: 10 kHz, to: 1 Hz, per_decade: 4}
steps:
"""
BOTH = pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
CHARGE = """
- rest: 10 s
- strip: 1 mA/cm2
  for: 3 h
  record: {every: 20 s}
  until: CUTOFF
- rest: 10 s
"""


def run(steps: str, like: str, lowest: str = "-0.5 V", highest: str = "4.5 V"):  # type: ignore[no-untyped-def]
    head = HEAD.replace("LOWEST", lowest).replace("HIGHEST", highest)
    table = layout.SAMPLES_3E
    kept = Kept(samples=table)
    return done(steps, "three-electrode", head=head, like=like, sink=kept, samples=table)


@BOTH
@pytest.mark.parametrize(
    ("cutoff", "end_value"),
    [("{Ece_below: 50 mV}", 0.05), ("{Ewe_minus_Ece_above: 3.8 V}", 3.8)],
    ids=["Ece", "cell"],
)
def test_a_cutoff_ends_the_step_and_the_run_goes_on(like: str, cutoff: str, end_value: float) -> None:
    outcome, kept = run(CHARGE.replace("CUTOFF", cutoff), like)
    assert outcome.reason == "all steps done"
    assert [row["end_kind"].decode() for row in kept["steps"]] == ["duration", "cutoff", "duration"]
    assert kept["steps"]["end_value"][1] == pytest.approx(end_value, abs=2e-3)
    charging = kept["samples"][kept["samples"]["step_count"] == 2]
    assert np.isfinite(charging["Ece"]).all() == ("CPLIMIT" in instrument(like).Ece_rows)


@BOTH
def test_graphite_is_full_before_the_positive_electrode(like: str) -> None:
    """What this cell is for: no cutoff of Ewe would have seen it."""
    steps = CHARGE.replace("CUTOFF", "[{Ece_below: 0 V}, {Ewe_above: 4.4 V}]")
    _, kept = run(steps, like)
    assert kept["steps"]["end_reason"][1] == b"Ece below 0 V"
    assert kept["samples"]["Ewe"][kept["samples"]["step_count"] == 2].max() < 4.4


FAST = """
- rest: 10 s
- strip: 5 mA/cm2
  for: 30 s
  record: {every: 100 ms}
"""
PASSED = {"Ece": 1.0, "Ewe-Ece": 2.6}  # in V, some seconds after the current began


def passed_s(quantity: str) -> float:
    """When it is passed, after the beginning of the step, where nothing ends it: to a row."""
    outcome, kept = run(FAST, "SP-300")
    assert outcome.status == "completed"
    rows = kept["samples"][kept["samples"]["step_count"] == 2]
    values = rows["Ece"] if quantity == "Ece" else rows["Ewe"] - rows["Ece"]
    beyond = values < PASSED[quantity] if quantity == "Ece" else values > PASSED[quantity]
    return float(rows["time"][np.argmax(beyond)] - kept["steps"]["t_start"][1])


@BOTH
@pytest.mark.parametrize("quantity", PASSED)
def test_a_limit_ends_the_run_within_the_reaction(like: str, quantity: str) -> None:
    limits = {"lowest": "1 V"} if quantity == "Ece" else {"highest": "2.6 V"}
    outcome, kept = run(FAST, like, **limits)
    side = "below 1 V" if quantity == "Ece" else "above 2.6 V"
    assert (outcome.status, outcome.reason) == ("stopped", f"limit: {quantity} {side}")
    ending = kept["steps"][-1]
    assert (ending["end_kind"], ending["step_id"]) == (b"limit", 2)
    lasted_s = ending["t_end"] - ending["t_start"]
    assert 0.0 <= lasted_s - passed_s(quantity) + 0.1 <= 0.1 + 0.1 + instrument(like).reaction_s


def test_spectra_of_both_halves_sum_up_to_that_of_the_cell() -> None:
    """The same cell seen with two electrodes has the impedance of the whole."""
    from nakctl_sim.cell.models import load_model

    _, kept = run("- rest: 5 s\n- geis: g", "VMP-3")
    rows, model = kept["impedance"], load_model("three-electrode")
    assert len(rows) == 17
    f_Hz = rows["frequency"]
    whole = model.impedance(model.x0, f_Hz) + model.counter_impedance(model.x0, f_Hz)
    found = rows["Z_re"] + rows["Zce_re"] + 1j * (rows["Z_im"] + rows["Zce_im"])
    assert np.all(np.abs(found - whole) < 0.05 * np.abs(whole))
    counter = rows["Zce_re"] + 1j * rows["Zce_im"]
    assert np.all(np.abs(counter - model.counter_impedance(model.x0, f_Hz)) < 0.05 * np.abs(whole))
    assert (rows["Zce_re"] > 0).all()


def test_spectra_of_one_half_where_the_other_must_not_be_used() -> None:
    _, kept = run("- rest: 5 s\n- geis: g", "SP-300")
    for name in ("Zce_re", "Zce_im", "Ece_dc", "Ece_amp"):
        assert np.isnan(kept["impedance"][name]).all()
    assert np.isfinite(kept["impedance"]["Z_re"]).all()
