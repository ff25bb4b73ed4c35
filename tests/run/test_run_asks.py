"""A protocol asks a person for something: the run waits with its cell open, whoever carries it on."""

from __future__ import annotations

from typing import Any

import pytest
from asking import ran, request
from dying import Half, gone_on_with
from running import done

from nakctl.decide.engine import Phase
from nakctl.run.successor import last_chain, replayed

PULSE = "{strip: 1 mA, for: 4 s, record: {every: 0.1 s}}"
BACK = "{plate: 1 mA, for: 4 s, record: {every: 0.1 s}}"
ASK = "{ask: change the pressure now}"
PLACES = {
    "first": f"- {ASK}\n- {PULSE}\n- {BACK}",
    "between": f"- {PULSE}\n- {ASK}\n- {BACK}",
    "last": f"- {PULSE}\n- {BACK}\n- {ASK}",
    "first of a pass": f"- repeat: 3\n  steps: [{ASK}, {PULSE}, {BACK}]",
    "in a pass": f"- repeat: 3\n  steps: [{PULSE}, {ASK}, {BACK}]",
    "last of a pass": f"- repeat: 3\n  steps: [{PULSE}, {BACK}, {ASK}]",
    "twice": f"- {PULSE}\n- {ASK}\n- {ASK}\n- {BACK}",
    "within": f"- repeat: 2\n  steps: [{ASK}, {{repeat: 2, steps: [{ASK}, {PULSE}]}}, {BACK}]",
    "of a level": f"- staircase: 1, 2 mA\n  steps: [{ASK}, {{strip: $level, for: 4 s}}]",
}


def given(kept: Any) -> list[tuple[Any, ...]]:
    """Steps in their order, with their cycle."""
    return kept["steps"][["label", "step_count", "cycle", "end_kind"]].tolist()


@pytest.mark.parametrize("steps", PLACES.values(), ids=PLACES)
def test_the_cell_gets_what_it_gets_without_the_question(steps: str) -> None:
    plain = steps.replace(f"- {ASK}\n", "").replace(f"\n- {ASK}", "").replace(f", {ASK}", "")
    usual, kept = done(plain.replace(f"{ASK}, ", ""))[1], done(steps)[1]
    assert [row[1:] for row in given(kept)] == [row[1:] for row in given(usual)]
    asked = [event.message for event in kept.events if event.code == "ask"]
    assert asked and all("change the pressure now; the cell is open" in text for text in asked)
    answers = [event for event in kept.events if event.code == "resumed"]
    assert len(answers) == len(asked)
    assert {event.facts["who"] for event in answers} == {"nobody (its time is virtual)"}


@pytest.mark.parametrize("steps", PLACES.values(), ids=PLACES)
def test_a_program_that_dies_anywhere_leaves_the_question_to_who_comes_next(steps: str) -> None:
    _, whole, _ = gone_on_with(0, heard=False, steps=steps)
    at = 0
    while True:
        at += 3
        outcome, kept, dead = gone_on_with(at, heard=True, steps=steps)
        if dead.calls < at:
            break
        if outcome.status == "completed":
            assert given(kept) == given(whole), at
        assert kept.codes().count("ask") <= whole.codes().count("ask")
    assert at > 10


def test_whoever_comes_next_waits_as_well() -> None:
    _, kept = done(PLACES["between"], run_id="me")
    at = next(k for k, entry in enumerate(kept.entries) if entry.kind == "program")
    half = Half(kept, at + 1)
    assert last_chain(half).asks == "change the pressure now"
    assert replayed(half, 0.0).state.phase is Phase.PAUSED
    first = done(PLACES["first"], run_id="me")[1]
    at = next(k for k, entry in enumerate(first.entries) if entry.kind == "program")
    assert replayed(Half(first, at + 1), 0.0).state.phase is Phase.PAUSED


def test_an_end_at_the_boundary_comes_before_the_question() -> None:
    outcome, kept, _ = ran(PLACES["between"], (1.0, request("stop", after="step")))
    assert (outcome.status, outcome.reason) == (
        "aborted", "stopped by ada@pc after step 1 strip 1 mA/cm2",
    )  # fmt: skip
    assert "ask" not in kept.codes()
