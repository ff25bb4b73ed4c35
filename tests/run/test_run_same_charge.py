"""A step that moves the charge of an earlier one: as much as that moved when it was done last, whoever asks."""

from __future__ import annotations

import numpy as np
import pytest
from asking import paused, ran
from dying import gone_on_with, successors
from kept import Kept
from running import HEAD, done

from nakctl.booking.ledger import LastTime, Measured
from nakctl.decide.later import values_of
from nakctl.device.program import segments

STRIP = "{strip: 1 mA, for: 4 s, label: out, record: {every: 0.1 s}, until: {Ewe_above: 0.2 V}}"
LONG = "{strip: 1 mA, for: 4 s, label: out, record: {every: 0.1 s}}"
BACK = "{plate: 0.5 mA, for: same charge as out, record: {every: 0.1 s}}"
REST = "{rest: 2 s, record: {every: 0.1 s}}"


def labels(kept: Kept) -> list[str]:
    return [label for label, _ in kept.steps()]


def moved_C(kept: Kept, step: int) -> float:
    """By the record, from the end of the step before."""
    Q_C, count = kept["samples"]["Q"] * 3600, kept["samples"]["step_count"]
    ends = [float(Q_C[count == row["step_count"]][-1]) for row in kept["steps"][: step + 1]]
    return abs(ends[-1] - (ends[-2] if step else 0.0))


def charges_C(kept: Kept) -> list[float]:
    return [moved_C(kept, step) for step in range(len(kept["steps"]))]


def known(kept: Kept) -> list[list[float]]:
    return [entry.facts["known"] for entry in kept.entries if "known" in entry.facts]


def loads(kept: Kept) -> int:
    return sum((e.kind, e.facts.get("verb")) == ("meant", "load") for e in kept.entries)


@pytest.mark.parametrize("out", [STRIP, LONG])
def test_what_was_stripped_is_plated_back(out: str) -> None:
    outcome, kept = done(f"- {out}\n- {REST}\n- {BACK}\n- {REST}")
    assert outcome.status == "completed"
    assert known(kept) == [[pytest.approx(moved_C(kept, 0), rel=1e-5)]]
    assert moved_C(kept, 2) == pytest.approx(moved_C(kept, 0), rel=5e-3)


def test_a_cutoff_shortens_the_charge() -> None:
    """And with it what comes back: it is measured, not planned."""
    _, cut = done(f"- {STRIP}\n- {BACK}")
    _, whole = done(f"- {LONG}\n- {BACK}")
    assert moved_C(cut, 1) == pytest.approx(moved_C(cut, 0), rel=1e-2)
    assert moved_C(cut, 1) < 0.3 * moved_C(whole, 1)


def test_a_cutoff_of_its_own_ends_it_before() -> None:
    back = BACK.replace("for:", "until: {Ewe_below: -0.05 V}, for:")
    outcome, kept = done(f"- {LONG}\n- {back}\n- {REST}")
    assert outcome.status == "completed"
    assert moved_C(kept, 1) < 0.5 * moved_C(kept, 0)
    assert labels(kept) == ["out", "plate 0.5 mA/cm2", "rest"]


def test_each_pass_takes_its_own() -> None:
    """The last time counts: what the first pass moved is not that of the second."""
    steps = f"""
    - repeat: 2
      steps:
        - {STRIP}
        - {BACK}
        - plate: 0.3 mA
          for: 2 s
    """
    outcome, kept = done(steps, cell="NaK50", head=HEAD.replace("-3 V, 3 V", "-5 V, 5 V"))
    assert outcome.status == "completed"
    assert [moved_C(kept, k) for k in (1, 4)] == pytest.approx([moved_C(kept, k) for k in (0, 3)], rel=2e-3)
    assert len(known(kept)) == 2


def test_at_a_staircase_the_level_before_counts() -> None:
    steps = f"""
    - staircase: 0.1, 0.2, 0.4 mA
      steps:
        - {{strip: $level, for: 2 s, label: out, record: {{every: 0.1 s}}}}
        - {BACK}
    - {{plate: 0.1 mA, for: same charge as out, record: {{every: 0.1 s}}}}
    """
    outcome, kept = done(steps)
    assert outcome.status == "completed"
    back = [moved_C(kept, k) for k in (1, 3, 5, 6)]
    assert back == pytest.approx([0.2e-3, 0.4e-3, 0.8e-3, 0.8e-3], rel=0.02)


def test_of_a_chain_of_them_each_takes_that_of_the_one_before() -> None:
    steps = f"- {LONG}\n- {BACK.replace('for:', 'label: back, for:')}\n- {{strip: 1 mA, for: same charge as back}}"
    _, kept = done(steps)
    assert moved_C(kept, 2) == pytest.approx(moved_C(kept, 0), rel=5e-3)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (f"- repeat: 2\n  steps: [{BACK}, {LONG}]", "out is not known: that step was not done before"),
        (
            f"- {REST}\n- {{if: {{step: rest, ended_by: cutoff}}, then: [{LONG}]}}\n- {BACK}",
            "out is not known: that step was not done before",
        ),
    ],
)
def test_what_was_not_done_before_is_not_loaded(steps: str, words: str) -> None:
    outcome, kept = done(steps)
    assert outcome.status == "interrupted"
    assert words in outcome.reason and "nothing was loaded" in outcome.reason
    assert known(kept) == []
    assert outcome.cell_open


def test_more_than_was_planned_is_not_loaded() -> None:
    _, kept = done(f"- {LONG}\n- {BACK}")
    [segment] = [each for each in segments(kept.program.nodes) if each.charge]
    for charge_C, is_loaded in ((4e-3, True), (-4.1e-3, True), (4.3e-3, False), (0.0, True)):
        last = {1: LastTime(1, "duration", "", charge_C)}
        _, trouble = values_of(kept.program, segment, Measured(), last)
        assert (trouble is None) == is_loaded, charge_C
        assert (
            trouble is None
            or "came to 1.194 uAh, more than the 1.111 uAh that were planned" in trouble.reason
        )


def test_of_a_step_that_moved_nothing_a_moment_is_left() -> None:
    """As with a scan that begins where it ends: the step is done, and the record has it."""
    steps = f"- {{cp: 0 A, for: 2 s, label: out, record: {{every: 0.1 s}}}}\n- {BACK}\n- {REST}"
    outcome, kept = done(steps)
    assert outcome.status == "completed"
    assert labels(kept) == ["out", "plate 0.5 mA/cm2", "rest"]
    assert float(np.ptp(kept["steps"][1][["t_start", "t_end"]].tolist())) < 0.1


COURSES = {
    "cutoff": f"- {STRIP}\n- {REST}\n- {BACK.replace('0.5', '0.02')}\n- {REST}",
    "whole": f"- {LONG}\n- {BACK}\n- {REST}",
    "loop": f"- repeat: 2\n  steps: [{LONG}, {BACK}, {REST}]",
    "levels": f"- staircase: 0.5, 1 mA\n  steps: [{LONG.replace('1 mA', '$level')}, {BACK}, {REST}]",
    "own cutoff": f"- {LONG}\n- {BACK.replace('for:', 'until: {Ewe_below: -2 V}, for:')}\n- {REST}",
}


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
def test_whoever_comes_next_moves_the_same(steps: str) -> None:
    _, whole, _ = gone_on_with(0, heard=False, steps=steps)
    completed = 0
    for at, kept in successors(steps):
        completed += 1
        assert labels(kept) == labels(whole), at
        for each in known(kept):
            assert any(each == pytest.approx(one, rel=1e-3) for one in known(whole)), at
        assert charges_C(kept) == pytest.approx(charges_C(whole), rel=0.15, abs=1e-6), at
    assert completed > 5


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("asked_s", [0.3, 4.0, 9.0])
def test_a_step_that_is_paused_counts_on(steps: str, asked_s: float) -> None:
    """Also the one that is referred to: its charge is that of both its parts."""
    usual = ran(steps)[1]
    outcome, kept = paused(steps, asked_s)
    assert outcome.status == "completed"
    assert labels(kept) == labels(usual)
    assert charges_C(kept) == pytest.approx(charges_C(usual), rel=0.03, abs=1e-6)
