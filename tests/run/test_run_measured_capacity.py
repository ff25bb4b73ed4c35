"""A capacity that the run measures: what follows goes with it, whoever goes on with the run."""

from __future__ import annotations

import numpy as np
import pytest
from asking import paused, ran, request
from dying import gone_on_with, successors
from kept import Kept
from running import HEAD, done

from nakctl.booking import layout
from nakctl.booking.book import Book

CAPACITY = "capacity: {measured_in: out, about: 1.2 uAh, within: 30 %}\n"
MEASURED = HEAD.replace("spectra:", f"{CAPACITY}spectra:")
OUT = "{strip: 1 mA, for: 4 s, label: out, record: {every: 0.1 s}}"  # 1.111 uAh
SHORTER = OUT.replace("4 s", "3.2 s")  # 0.889 uAh
BACK = "{plate: 400C, for: 100 % of capacity, record: {every: 0.1 s}}"
CUT = "{ca: 0.1 V, for: 20 s, until: {I_below: 500C}, record: {every: 0.05 s}}"
ENDED = "{strip: 0.5 mA, for: 10 s, until: {charge: 50 % of capacity, then: end run}, record: {every: 0.1 s}}"
REST = "{rest: 2 s, record: {every: 0.1 s}}"


def labels(kept: Kept) -> list[str]:
    return [label for label, _ in kept.steps()]


def of(kept: Kept, step: int, column: str) -> np.ndarray:
    row = kept["steps"][step]
    return kept["samples"][column][kept["samples"]["step_count"] == row["step_count"]].astype(float)


def current_mA(kept: Kept, step: int) -> float:
    return float(np.median(of(kept, step, "I"))) * 1e3


def currents_mA(kept: Kept) -> list[float]:
    return [current_mA(kept, step) for step in range(len(kept["steps"]))]


def moved_C(kept: Kept) -> float:
    """In the last step that moves something, by the record."""
    ends = [0.0, *(float(of(kept, step, "Q")[-1]) * 3600 for step in range(len(kept["steps"])))]
    return float([each for each in np.abs(np.diff(ends)) if each > 1e-5][-1])


def capacities_C(kept: Kept) -> list[float]:
    return [e.facts["capacity_C"] for e in kept.entries if e.kind == "program" and "capacity_C" in e.facts]


@pytest.mark.parametrize(("out", "factor"), [(OUT, 1.111 / 1.2), (SHORTER, 0.889 / 1.2)])
def test_a_rate_and_a_part_are_of_what_was_measured(out: str, factor: float) -> None:
    """Before it was measured what is written is of the capacity that was planned with."""
    outcome, kept = done(
        f"- {BACK}\n- {out}\n- {REST}\n- {BACK}\n- {{strip: 1 mA, for: 50 % of capacity}}", head=MEASURED
    )
    assert outcome.status == "completed"
    assert current_mA(kept, 0) == pytest.approx(-0.48, rel=1e-3)
    assert current_mA(kept, 3) == pytest.approx(-0.48 * factor, rel=1e-3)
    lasted_s = [float(row["t_end"] - row["t_start"]) for row in kept["steps"]]
    assert lasted_s[3] == pytest.approx(9.0, abs=0.01)
    assert lasted_s[4] == pytest.approx(0.5 * 1.2e-3 * 3.6 * factor / 1e-3, abs=0.01)
    [event] = [each for each in kept.events if each.code == "capacity"]
    assert event.message.startswith("out measured a capacity of ")
    assert event.facts["capacity_C"] == pytest.approx(1.2e-6 * 3600 * factor, rel=1e-3)


@pytest.mark.parametrize("out", [SHORTER, OUT.replace("4 s", "5.2 s"), OUT.replace("strip", "plate")])
def test_an_end_goes_with_it_and_stands_in_the_record_as_it_was_written(out: str) -> None:
    """600 uA of what was planned; more or less of what was measured, in whichever direction."""
    outcome, kept = done(f"- {out}\n- {REST}\n- {CUT}\n- {REST}", head=MEASURED)
    assert outcome.status == "completed"
    row, at_mA = kept["steps"][2], 500 * capacities_C(kept)[0] / 3.6
    assert at_mA == pytest.approx(500 * float(out.split("for: ")[1].split()[0]) * 1e-3 / 3.6, rel=1e-3)
    assert row["end_kind"] == b"cutoff"
    assert row["end_reason"] == b"|I| below 500C (600 uA at 1.2 uAh, measured in out)"
    assert at_mA - 0.1 < of(kept, 2, "I")[-1] * 1e3 < at_mA + 1e-3


def test_who_books_the_rows_judges_by_the_same_ends() -> None:
    _, kept = done(f"- {SHORTER}\n- {REST}\n- {CUT}\n- {REST}", head=MEASURED)
    book = Book(kept.program, layout.SAMPLES.dtype)
    book.take(kept.entries)
    assert book.program is not None
    [planned, found] = [
        next(end.value for end in program.ends if end.kind == "cutoff")
        for program in (kept.program, book.ledger.program)
    ]
    assert (planned, found) == (pytest.approx(600e-6), pytest.approx(444.4e-6, rel=1e-3))
    assert book.program.ends == book.ledger.program.ends


def test_it_is_measured_anew_in_each_pass() -> None:
    steps = f"- staircase: 4 s, 3.2 s, 4.4 s\n  steps: [{OUT.replace('for: 4 s', 'for: $level')}, {BACK}]"
    outcome, kept = done(steps, head=MEASURED)
    assert outcome.status == "completed"
    assert currents_mA(kept)[1::2] == pytest.approx([-0.4 / 3.6 * each for each in (4, 3.2, 4.4)], rel=1e-3)
    outcome, kept = done(f"- repeat: 3\n  steps: [{OUT}, {BACK}]", head=MEASURED)
    assert currents_mA(kept)[1::2] == pytest.approx([-0.444] * 3, rel=2e-3)
    assert kept["steps"]["cycle"].tolist() == [1, 1, 2, 2, 3, 3]
    assert len(capacities_C(kept)) == 3


@pytest.mark.parametrize(("for_s", "words"), [("2.9 s", "805.6 nAh"), ("5.8 s", "1.611 uAh")])
def test_beyond_what_it_may_be_nothing_is_loaded(for_s: str, words: str) -> None:
    outcome, kept = done(f"- {OUT.replace('4 s', for_s)}\n- {BACK}", head=MEASURED)
    assert outcome.status == "interrupted"
    assert f"out measured a capacity of {words}, more than 30 % off the 1.2 uAh" in outcome.reason
    assert "nothing was loaded" in outcome.reason
    assert labels(kept) == ["out"]
    assert outcome.cell_open


COURSES = {
    "once": f"- {SHORTER}\n- {REST}\n- {BACK}\n- {REST}",
    "loop": f"- repeat: 2\n  steps: [{OUT}, {BACK}]\n- {REST}",
    "levels": f"- staircase: 4 s, 3.2 s\n  steps: [{OUT.replace('for: 4 s', 'for: $level')}, {BACK}]\n- {REST}",
    "an end": f"- {SHORTER}\n- {REST}\n- {ENDED}",
    "in a branch": f"- {SHORTER}\n- {{if: {{step: out, ended_by: duration}}, then: [{OUT}, {BACK}]}}\n- {BACK}",
    "same charge": f"- {OUT}\n- {{plate: 400C, for: same charge as out, record: {{every: 0.1 s}}}}\n- {BACK}",
}


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
def test_whoever_comes_next_goes_on_with_the_same(steps: str) -> None:
    _, whole, _ = gone_on_with(0, heard=False, steps=steps, head=MEASURED)
    completed = 0
    for at, kept in successors(steps, head=MEASURED):
        completed += 1
        assert labels(kept) == labels(whole), at
        assert kept["steps"]["cycle"].tolist() == whole["steps"]["cycle"].tolist(), at
        assert currents_mA(kept) == pytest.approx(currents_mA(whole), rel=0.05, abs=2e-2), at
        assert moved_C(kept) == pytest.approx(moved_C(whole), rel=0.25), at
    assert completed > 5


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize(("asked_s", "after"), [(0.3, "step"), (2.0, None), (5.0, "step"), (8.0, None)])
def test_a_pause_changes_nothing_of_it(steps: str, asked_s: float, after: str | None) -> None:
    usual = ran(steps, head=MEASURED)[1]
    outcome, kept = paused(steps, asked_s, after, head=MEASURED)
    assert outcome.status == "completed"
    assert labels(kept) == labels(usual)
    assert kept["steps"]["cycle"].tolist() == usual["steps"]["cycle"].tolist()
    assert currents_mA(kept) == pytest.approx(currents_mA(usual), rel=0.05, abs=2e-2)
    assert moved_C(kept) == pytest.approx(moved_C(usual), rel=0.03)
    assert capacities_C(kept)[-1] == pytest.approx(capacities_C(usual)[-1], rel=5e-3)


def test_a_step_that_is_skipped_has_measured_what_it_moved() -> None:
    outcome, kept, _ = ran(f"- {OUT}\n- {BACK}", (2.5, request("skip")), head=MEASURED)
    assert outcome.status == "interrupted"
    assert "more than 30 % off" in outcome.reason
    assert labels(kept) == ["out"]
