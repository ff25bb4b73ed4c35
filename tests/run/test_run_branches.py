"""What a run does next may depend on how a step ended when it was done last."""

from __future__ import annotations

import pytest
from asking import paused, ran, request
from dying import gone_on_with, successors
from running import done

STRIP = "{strip: 1 mA, for: 4 s, label: first, record: {every: 0.1 s}, until: {Ewe_above: 0.2 V}}"
LONG = STRIP.replace("0.2 V", "2 V")
PLATE = "{plate: 0.1 mA, for: 3 s, record: {every: 0.1 s}}"
REST = "{rest: 2 s, record: {every: 0.1 s}}"
IF = "{if: {step: first, ended_by: cutoff}, then: [%s], else: [%s]}"
ONLY = "{if: {step: first, ended_by: cutoff}, then: [%s]}"
UNTIL = "until: {step: first, ended_by: cutoff}"


def labels(kept) -> list[str]:
    return [label for label, _ in kept.steps()]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (f"- {STRIP}\n- {IF % (PLATE, REST)}", ["first", "plate 0.1 mA/cm2"]),
        (f"- {LONG}\n- {IF % (PLATE, REST)}", ["first", "rest"]),
        (f"- {LONG}\n- {ONLY % PLATE}\n- {REST}", ["first", "rest"]),
        (f"- {LONG}\n- {ONLY % PLATE}", ["first"]),
        (f"- {ONLY % PLATE}\n- {LONG}", ["first"]),
        (f"- repeat: 4\n  {UNTIL}\n  steps: [{LONG}, {REST}]", ["first", "rest"] * 4),
        (f"- repeat: 4\n  {UNTIL}\n  steps: [{STRIP}, {REST}]", ["first", "rest"]),
        (f"- repeat: forever\n  {UNTIL}\n  steps: [{STRIP}, {REST}]\n- {PLATE}",
         ["first", "rest", "plate 0.1 mA/cm2"]),
        (f"- repeat: 2\n  steps: [{STRIP}, {IF % (PLATE, REST)}, {REST}]",
         ["first", "plate 0.1 mA/cm2", "rest"] * 2),
        # what the sides do changes nothing of which one is taken
        (f"- {STRIP}\n- {IF % (LONG, REST)}", ["first", "first"]),
        # out of a loop from within a branch
        (f"- repeat: 3\n  steps: [{STRIP}, "
         + ONLY % "{rest: 2 s, until: {Ewe_below: 3 V, then: end loop}}" + f", {PLATE}]\n- {REST}",
         ["first", "rest", "rest"]),
    ],
)  # fmt: skip
def test_what_follows(steps: str, expected: list[str]) -> None:
    outcome, kept = done(steps)
    assert (outcome.status, labels(kept)) == ("completed", expected)


def test_a_short_tells_what_follows() -> None:
    head = """\
nakctl: 1
name: test
limits: {Ewe: [-5 V, 5 V], I: 10 mA, time: 1000 h}
finally: rest
rules: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}}
steps:
"""
    steps = """
    - plate: 2 mA/cm2
      label: level
      for: 20 h
      until: {short: true}
    - if: {step: level, ended_by: short}
      then:
        - plate: 2 mA/cm2
          for: 10 min
      else:
        - rest: 1 min
    """
    _, kept = done(steps, "NaK50", head=head)
    assert labels(kept) == ["level", "plate 2 mA/cm2"]


COURSES = {
    "branch": f"- {STRIP}\n- {IF % (PLATE, REST)}\n- {REST}",
    "else": f"- {LONG}\n- {IF % (PLATE, REST)}\n- {REST}",
    "in a loop": f"- repeat: 2\n  steps: [{STRIP}, {IF % (PLATE, REST)}, {REST}]",
    "until": f"- repeat: 3\n  {UNTIL}\n  steps: [{LONG}, {REST}]\n- {PLATE}",
    "until it did": f"- repeat: 3\n  {UNTIL}\n  steps: [{STRIP}, {REST}]\n- {PLATE}",
    "nested": f"- repeat: 2\n  steps: [{{repeat: 3, {UNTIL}, steps: [{STRIP}, {ONLY % REST}]}}, {PLATE}]",
}


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
def test_whoever_comes_next_goes_the_same_way(steps: str) -> None:
    _, whole, _ = gone_on_with(0, heard=False, steps=steps)
    at = 0
    for at, kept in successors(steps):
        assert labels(kept) == labels(whole), at
        assert kept["steps"]["cycle"].tolist() == whole["steps"]["cycle"].tolist(), at
    assert at > 8


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize(("asked_s", "after"), [(0.3, "step"), (2.0, None), (6.0, "step"), (9.0, None)])
def test_a_pause_changes_no_way(steps: str, asked_s: float, after: str | None) -> None:
    usual = ran(steps)[1]
    outcome, kept = paused(steps, asked_s, after)
    assert outcome.status == "completed"
    assert labels(kept) == labels(usual)
    assert kept["steps"]["cycle"].tolist() == usual["steps"]["cycle"].tolist()


def test_a_step_that_is_skipped_ended_so() -> None:
    steps = f"- {LONG}\n- {{if: {{step: first, ended_by: skipped}}, then: [{REST}], else: [{PLATE}]}}"
    _, kept, _ = ran(steps, (1.0, request("skip")))
    assert labels(kept) == ["first", "rest"]
