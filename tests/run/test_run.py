"""The loop on a simulated channel: every way a step and a run can end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from running import HEAD, Pulled, done

from nakctl.device.channel import Notice, Reading, Watch


def test_all_steps_done() -> None:
    outcome, kept = done("- rest: 10 s\n- strip: 1 mA\n  for: 20 s\n- geis: g")
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert kept.steps() == [
        ("rest", "duration"),
        ("strip 1 mA/cm2", "duration"),
        ("geis at open circuit", "duration"),
    ]
    assert outcome.samples == len(kept["samples"])
    assert kept["spectra"]["complete"].tolist() == [1]
    assert kept["samples"]["Q"][-1] * 3600 == pytest.approx(0.02, rel=2e-3)


def test_a_cutoff_of_the_instrument_goes_on_in_the_chain() -> None:
    outcome, kept = done("- strip: 1 mA\n  for: 1 h\n  until: {Ewe_above: 0.2 V}\n- rest: 5 s")
    assert kept.steps() == [("strip 1 mA/cm2", "Ewe above 0.2 V"), ("rest", "duration")]
    assert outcome.duration_s < 60
    assert sum(event.code == "segment" for event in kept.events) == 1


def test_a_cutoff_of_the_host_goes_on_with_the_next_chain() -> None:
    """Ewe relaxes at rest, where the instrument tests nothing."""
    _, kept = done(
        "- strip: 1 mA\n  for: 5 s\n- rest: 1 h\n  record: {every: 0.1 s}\n  until: {Ewe_below: 50 mV}\n- strip: 2 mA\n  for: 5 s"
    )
    assert kept.steps() == [
        ("strip 1 mA/cm2", "duration"), ("rest", "Ewe below 50 mV"), ("strip 2 mA/cm2", "duration"),
    ]  # fmt: skip
    rest = kept["samples"][kept["samples"]["step_id"] == 2]
    assert rest["time"][-1] - rest["time"][0] < 2.0  # the host reacts in a moment, also in virtual time
    assert sum(event.code == "segment" for event in kept.events) == 3


def test_end_loop_leaves_the_innermost_loop_only() -> None:
    steps = """
    - repeat: 2
      steps:
        - repeat: forever
          steps:
            - strip: 1 mA
              for: 2 s
              until: {Ewe_above: 0.25 V, then: end loop}
        - rest: 5 s
    """
    _, kept = done(steps)
    labels = [label for label, _ in kept.steps()]
    assert labels.count("rest") == 2
    assert kept["samples"]["cycle"][-1] >= 2


@pytest.mark.parametrize("until", ["", ", until: {charge: 1 Ah, then: end loop}"])
def test_cycles_do_not_depend_on_who_loops(until: str) -> None:
    """The host does where it has to watch a charge."""
    loop = f"[{{strip: 0.1 mA, for: 2 s{until}}}, {{plate: 0.1 mA, for: 2 s}}]"
    _, kept = done(f"- rest: 2 s\n- repeat: 2\n  steps: {loop}\n- rest: 2 s")
    assert kept["steps"]["step_id"].tolist() == [1, 2, 3, 2, 3, 4]
    assert kept["steps"]["cycle"].tolist() == [1, 1, 1, 2, 2, 2]


def test_the_end_of_the_run_as_wanted_and_as_feared() -> None:
    outcome, _ = done("- strip: 1 mA\n  for: 1 h\n  until: {Ewe_above: 0.2 V, then: end run}\n- rest: 5 s")
    assert (outcome.status, outcome.reason) == ("completed", "Ewe above 0.2 V")
    outcome, kept = done("- strip: 1 mA\n  for: 1 h", head=HEAD.replace("3 V]", "0.2 V]"))
    assert (outcome.status, outcome.reason) == ("stopped", "limit: Ewe above 0.2 V")
    assert kept.steps()[-1][1] == "limit: Ewe above 0.2 V"


def test_limits_hold_during_spectra() -> None:
    outcome, kept = done("- strip: 1 mA\n  for: 1 h\n  spectra: g", head=HEAD.replace("3 V]", "0.2 V]"))
    assert outcome.status == "stopped"
    assert kept["samples"]["time"][-1] < 5.0
    assert kept["spectra"]["complete"].tolist() == [0]


def test_the_time_limit_of_the_run() -> None:
    outcome, kept = done("- rest: 10 h", head=HEAD.replace("1000 h", "1 h"))
    assert outcome.status == "stopped"
    assert kept["samples"]["time"][-1] == pytest.approx(3600, abs=5)


def test_a_charge_under_potential_control() -> None:
    outcome, kept = done("- ca: 0.3 V\n  for: 10 h\n  until: {charge: 3.6 C}\n- rest: 1 s")
    assert kept.steps()[0][1] == "charge above 3.6 C"
    assert kept["samples"]["Q"][-1] * 3600 == pytest.approx(3.6, rel=0.01)
    assert outcome.status == "completed"


def test_a_short_ends_the_run_and_the_cell_is_left() -> None:
    head = HEAD.replace(
        "steps:", "stop_when: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}}\nsteps:"
    )
    outcome, kept = done("- plate: 0.7 mA/cm2\n  for: 4 mAh/cm2\n- rest: 1 h", "NaK50", head=head)
    assert (outcome.status, outcome.reason) == ("completed", "short")
    assert kept.steps()[-1] == ("plate 0.7 mA/cm2", "short")
    low = np.abs(kept["samples"]["Ewe"]) < 0.015
    assert low[-3:].all()
    assert low[-20:].sum() < 10  # seen within seconds


def test_the_operator() -> None:
    asked = iter([None] * 5 + ["stopped by the operator"])  # once it runs
    outcome, kept = done("- rest: 1000 h", stop_asked=lambda: next(asked, "again"))
    assert (outcome.status, outcome.reason) == ("aborted", "stopped by the operator")
    assert kept.steps() == [("rest", "stopped by the operator")]


@pytest.mark.parametrize(
    ("step", "severity"),
    [("rest: 1 h\n  until: {Ewe_below: 50 mV}", 0), ("strip: 11 mA\n  for: 1 h", 1)],
)
def test_a_stop_that_was_not_planned_is_a_warning(step: str, severity: int) -> None:
    """The host's cutoff at rest; a current beyond `limits.I`, which nothing but the host holds here."""
    _, kept = done(f"- strip: 1 mA\n  for: 1 s\n- {step}")
    assert [event.severity for event in kept.events if event.code == "stop"] == [severity]


def test_the_same_seed_gives_the_same_rows() -> None:
    steps = "- {pulse: {strip: 1 mA/cm2}, on: 1 s, off: 1 s, repeat: 50}\n- geis: g"
    one, two = (done(steps, "NaK50")[1] for _ in range(2))
    for name in ("samples", "impedance", "spectra", "steps"):
        assert one[name].tobytes() == two[name].tobytes()


def test_what_a_channel_notices_stands_at_its_time_of_the_run() -> None:
    """A channel counts from the start of its chain; the second chain begins later in the run."""

    class Noticing(Pulled):
        def read(self, watch: Watch) -> Reading:
            notice = Notice(1.0, 1, "overload", "I beyond the range")
            return replace(super().read(watch), notices=(notice,))

    steps = "- rest: 1 h\n  until: {Ewe_below: -1 V}\n- rest: 10 s"
    _, kept = done(steps, wrap=lambda channel: Noticing(channel, at_read=-1))
    times = [event.time_s for event in kept.events if event.code == "overload"]
    assert times[0] == pytest.approx(1.0, abs=1.0)
    assert times[-1] > 3600


def test_what_a_step_lacks_is_counted_from_when_its_chain_began() -> None:
    """Frequencies take half as long as estimated: the rest of the step is made up for."""
    late = {"trouble": ["slow-start:3s"], "habits": {"eis_factor": 0.5}}
    _, kept = done("- {strip: 0.1 mA, for: 60 s, spectra: g}", **late)
    (step,) = kept["steps"]
    open_s = float(kept["chains"]["open"][1])
    assert step["t_end"] - step["t_start"] - open_s == pytest.approx(60.0, abs=0.5)


def test_a_chain_that_began_late_has_its_times_from_then() -> None:
    outcome, kept = done("- rest: 10 s", trouble=["slow-start:3s"])
    _, usual = done("- rest: 10 s")
    assert kept["samples"]["time"] - usual["samples"]["time"] == pytest.approx(3.0, abs=1e-4)
    assert kept["steps"]["t_start"][0] == pytest.approx(usual["steps"]["t_start"][0] + 3.0, abs=1e-4)
    assert outcome.status == "completed"
