"""What the cell gets is what was asked for, done is proven, and limits hold."""

from __future__ import annotations

import numpy as np
import pytest
from running import HEAD, done

# --- what the cell gets is what was asked for ----------------------------------------------------------

SPECTRA = "- plate: 0.1 mA/cm2\n  for: 0.01 mAh/cm2\n  spectra: g\n- rest: 5 s"


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize("factor", [0.4, 1.0, 1.35, 10.0])
def test_no_estimate_of_a_spectrum_decides_what_the_cell_gets(like: str, factor: float) -> None:
    """Frequencies take 0.4 to 10 times as long as expected; the charge is the one asked for all the same."""
    outcome, kept = done(SPECTRA, like=like, habits={"eis_factor": factor})
    step = kept["steps"][0]
    plated = kept["samples"]["step_id"] == step["step_id"]
    charge_mAh = -1e3 * float(kept["samples"]["Q"][plated][-1])
    assert outcome.status == "completed"
    assert charge_mAh == pytest.approx(0.01, rel=4e-3)  # 0.3 s of 360 s, and the error of the current
    assert (step["end_kind"], step["end_reason"]) == (b"duration", b"duration")
    topped_up = sum(event.code == "top_up" for event in kept.events)
    assert topped_up == (1 if factor < 1 else 0)


def test_the_host_ends_the_step_the_instrument_would_go_on_with() -> None:
    _, kept = done(
        "- rest: 10 min\n  spectra: {use: g, every: 1 min}\n- strip: 1 mA\n  for: 5 s",
        habits={"eis_factor": 30.0},
    )
    first = kept["steps"][0]
    assert first["t_end"] - first["t_start"] == pytest.approx(600.3, abs=0.3)


# --- done is proven ------------------------------------------------------------------------------------

CYCLES = "- repeat: 5\n  steps:\n    - strip: 0.2 mA\n      for: 10 s\n    - plate: 0.2 mA\n      for: 10 s"


@pytest.mark.parametrize("end_row", [True, False])
@pytest.mark.parametrize("trouble", ["stopped@t33", "memory-full@t33", "early-end@t33", "lost-kernel@t33"])
def test_what_something_else_ended_is_never_completed_and_starts_nothing_further(
    trouble: str, end_row: bool
) -> None:
    steps = CYCLES + "\n- rest: 1 h\n  until: {Ewe_below: -1 V}\n- strip: 2 mA\n  for: 5 s"
    outcome, kept = done(steps, trouble=[trouble], habits={"end_row": end_row})
    assert outcome.status == "interrupted"
    assert outcome.end_kind in ("interrupted", "trouble")
    assert len(kept["chains"]) == 1
    assert not (kept["samples"]["step_id"] > 2).any()


@pytest.mark.parametrize("test_row", [True, False])
@pytest.mark.parametrize("end_row", [True, False])
def test_the_habits_of_the_instrument_do_not_change_what_a_run_makes_of_it(
    test_row: bool, end_row: bool
) -> None:
    steps = """
    - repeat: 3
      steps:
        - strip: 1 mA
          for: 1 h
          record: {every: 5 ms}
          until: {Ewe_above: 0.2 V}
        - rest: 5 s
    - strip: 1 mA
      for: 1 h
      record: {every: 5 ms}
      until: {Ewe_above: 0.25 V, then: end run}
    """
    outcome, kept = done(steps, habits={"test_row": test_row, "end_row": end_row})
    assert (outcome.status, outcome.reason, outcome.end_kind) == ("completed", "Ewe above 0.25 V", "cutoff")
    assert [reason for _, reason in kept.steps()] == ["Ewe above 0.2 V", "duration"] * 3 + [
        "Ewe above 0.25 V"
    ]


def test_a_last_row_behind_the_first_of_the_next_technique_makes_no_step() -> None:
    steps = "- strip: 1 mA\n  for: 5 s\n- rest: 5 s\n- plate: 1 mA\n  for: 5 s"
    _, kept = done(steps, habits={"late_row_s": 1e-5})
    assert [label for label, _ in kept.steps()] == ["strip 1 mA/cm2", "rest", "plate 1 mA/cm2"]


def test_a_step_that_ends_at_its_first_row_is_told() -> None:
    outcome, kept = done("- plate: 0.1 mA\n  for: 1 h\n  until: {Ewe_above: -0.5 V}\n- rest: 1 s")
    assert outcome.status == "completed"
    told = [event for event in kept.events if event.code == "ended_at_once"]
    assert [event.severity for event in told] == [1]
    assert "ended at its first row: Ewe above -0.5 V" in told[0].message


# --- limits --------------------------------------------------------------------------------------------


def test_the_chain_never_goes_on_to_the_next_level_of_a_staircase_after_a_limit() -> None:
    steps = "- staircase: 0.1, 0.2, 0.4 mA/cm2\n  as: level\n  steps:\n    - strip: $level\n      for: 10 min\n      until: {Ewe_below: -1 V}"
    outcome, kept = done(steps, head=HEAD.replace("3 V]", "50 mV]"))
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 50 mV")
    assert set(kept["samples"]["step_id"]) == {1, 2}  # 30 mV at 0.1 mA, 60 mV at 0.2 mA
    assert kept.steps()[-1] == ("strip 0.2 mA/cm2", "limit: Ewe above 50 mV")


def test_a_limit_of_the_current_holds_for_the_peaks_of_a_sweep() -> None:
    head = HEAD.replace("I: 10 mA", "I: 300 uA").replace(
        "steps:", "  p: {kind: peis, amplitude: 400 mV, from: 10 kHz, to: 1 Hz, per_decade: 3}\nsteps:"
    )
    outcome, kept = done("- peis: p", head=head)
    assert (outcome.status, outcome.end_kind) == ("stopped", "limit")
    assert outcome.end_value > 300e-6
    assert (np.abs(kept["samples"]["I"]) < 300e-6).all()  # its DC values alone say nothing


SMALL = HEAD.replace("I: 10 mA", "I: 300 uA").replace(
    "steps:", "  p: {kind: peis, amplitude: 400 mV, from: 10 kHz, to: 1 Hz, per_decade: 3}\nsteps:"
)


@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(
    ("steps", "label"),
    [
        ("- peis: p\n- rest: 10 s", "peis at open circuit"),
        ("- rest: 2 min\n  spectra: p", "rest"),
        ("- repeat: 5\n  steps:\n    - peis: p\n    - rest: 10 s", "peis at open circuit"),
    ],
    ids=["alone", "in a rest", "in a loop"],
)
def test_peaks_beyond_a_limit_stop_the_run_at_the_frequency_that_shows_them(
    steps: str, label: str, like: str
) -> None:
    """In virtual time as on the bench: not at the end of the chain, and in the step that met the limit."""
    outcome, kept = done(steps, head=SMALL, like=like)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: |I| above 300 uA")
    assert kept.steps() == [(label, "limit: |I| above 300 uA")]
    peaks_A = abs(kept["impedance"]["I_dc"]) + kept["impedance"]["I_amp"]
    assert len(peaks_A) <= 2  # the first, and what the reaction of the host may let through
    assert peaks_A[0] > 300e-6
    assert outcome.duration_s < 5.0


# --- a short that ends a step ---------------------------------------------------------------------------

RULE = "rules:\n  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}\nsteps:\n"
AFTER_IT = """
- plate: 2 mA/cm2
  for: 20 h
  until: {short: true}
- plate: 2 mA/cm2
  for: 10 min
- geis: g
  during: {plate: 0.1 mA/cm2}
"""


@pytest.mark.parametrize("word", ["rules", "stop_when"])
def test_after_the_short_the_run_goes_on(word: str) -> None:
    """Ten minutes more and one spectrum, then the end; also where a short ends the run in other steps."""
    head = HEAD.replace("steps:\n", RULE.replace("rules", word)).replace("-3 V, 3 V", "-5 V, 5 V")
    outcome, kept = done(AFTER_IT, "NaK50", head=head)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert [row["end_reason"] for row in kept["steps"]] == [b"short", b"duration", b"duration"]
    first = kept["steps"][0]
    assert first["end_kind"] == b"cutoff" and abs(first["end_value"]) < 0.015
    assert kept["steps"][1]["t_end"] - kept["steps"][1]["t_start"] == pytest.approx(600, abs=1)
    assert kept["spectra"]["complete"].all()


def test_a_step_that_does_not_say_so_is_not_ended_by_a_short() -> None:
    steps = AFTER_IT.replace("  until: {short: true}\n", "").replace("20 h", "2 h")
    head = HEAD.replace("steps:\n", RULE).replace("-3 V, 3 V", "-5 V, 5 V")
    _, kept = done(steps, "NaK50", head=head)
    assert kept["steps"][0]["end_kind"] == b"duration"
