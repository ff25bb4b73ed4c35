"""The times at which the cell lay open between two chains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import results_runs as runs

from nakctl.record.read import open_run
from nakctl.results.interruptions import interruptions
from nakctl.results.summary import summary, told

FIRST = (0.0, 0.0, 0, 1, 0.0)  # the first chain: nothing ran before
STEPS = [
    runs.strip(1e-3, [0.1] * 600),
    runs.strip(5e-4, [0.05] * 600),
    runs.rest(60),
    runs.Step("PEIS", 1e-8, [0.0] * 60, control=0.0),
    runs.strip(1e-3, [0.1] * 60),
]  # begin at 0, 600, 1200, 1260, 1320 s


def test_they_are_counted_and_the_one_under_current_has_its_place(tmp_path: Path) -> None:
    more = {
        "chains": runs.chains(
            FIRST,
            (600.0, 0.5, 1, 2, 1e-3),  # from one current to a smaller one: under current
            (1200.0, 0.5, 2, 3, 5e-4),  # to a rest
            (1320.0, 0.5, 4, 5, 1e-8),  # after impedance at open circuit, whose little current is none
        )
    }
    run = open_run(runs.written(tmp_path / "run.h5", STEPS, more=more))
    found = interruptions(run)
    assert found is not None
    assert found.from_s.tolist() == [600.0, 1200.0, 1320.0]
    assert found.length_s == pytest.approx([0.5] * 3)
    assert (found.before, found.after) == (("1.1", "2.1", "4.1"), ("2.1", "3.1", "5.1"))
    assert found.under_current.tolist() == [True, False, False]
    said = summary(run)
    assert (said["interruptions"], said["interruptions_under_current"]) == (3, 1)
    assert said["interruptions_longest_s"] == 0.5
    line = "3 interruptions of 500 ms, 1 of them under current: between steps 1.1 and 2.1 at 10 min"
    assert line in told(said)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], None),
        ([(1200.0, 2.0, 2, 3, 5e-4)], "1 interruption of 2 s, not under current: between steps 2.1 and 3.1 at 20 min"),
        ([(1200.0, 2.0, 2, 3, 5e-4), (1260.0, 9.0, 3, 4, 0.0)], "2 interruptions of 2 s to 9 s, none of them under current: the first between steps 2.1 and 3.1 at 20 min"),
        # the chain goes on with the step that it broke off
        ([(300.0, 2.0, 1, 1, 1e-3)], "1 interruption of 2 s, under current: within step 1.1 at 5 min"),
        # nothing was recorded after it
        ([(1380.0, 2.0, 5, 9, 1e-3)], "1 interruption of 2 s, not under current: between steps 5.1 and 9 at 23 min"),
    ],
)  # fmt: skip
def test_how_they_are_told(
    tmp_path: Path, rows: list[tuple[float, float, int, int, float]], line: str | None
) -> None:
    path = runs.written(tmp_path / "run.h5", STEPS, more={"chains": runs.chains(FIRST, *rows)})
    said = summary(open_run(path))
    assert said["interruptions"] == len(rows)
    assert [each for each in told(said) if "interruption" in each] == ([line] if line else [])


STAIRS = [runs.strip(I_A, [0.1] * 60, step_id=step_id) for I_A, step_id in ((1e-4, 1), (2e-4, 2), (3e-4, 2))]


@pytest.mark.parametrize(
    ("chain", "place"),
    [
        ((60.0, 0.5, 1, 2, 1e-4), "between levels of step 1.1"),
        ((120.0, 0.5, 2, 2, 2e-4), "between rounds of step 1.1"),
        ((150.0, 0.5, 3, 2, 3e-4), "within step 1.1"),
    ],
)
def test_two_steps_of_one_number_are_not_one_step(
    tmp_path: Path, chain: tuple[float, float, int, int, float], place: str
) -> None:
    """All levels of a staircase have the number that it has in the protocol."""
    tables = runs.tables_of(STAIRS)
    tables["steps"]["label"] = b"1.1 strip"
    more = {"chains": runs.chains(FIRST, chain)}
    said = summary(open_run(runs.written(tmp_path / "run.h5", STAIRS, tables=tables, more=more)))
    assert said["interruption_place"] == place
    assert any(f": {place} at " in line for line in told(said))


def planned(*durations_s: float) -> dict[str, Any]:
    steps = [{"step": k + 1, "once": {"duration_s": each}} for k, each in enumerate(durations_s)]
    return {"plan": {"data": json.dumps({"steps": steps})}}


@pytest.mark.parametrize(
    ("duration_s", "end_kind", "from_s", "length_s"),
    [
        (601.0, "duration", 601.0, 0.5),  # no row where the step ended, 1 s after its last one
        (600.0, "duration", 600.0, 1.5),  # it has one
        (550.0, "duration", 600.0, 1.5),  # longer than planned: the row was under current
        (700.0, "duration", 600.0, 1.5),  # it was not done yet
        (601.0, "cutoff", 600.0, 1.5),  # ended by something else, nobody knows when
    ],
)
def test_a_step_without_a_row_at_its_end_lasted_as_long_as_planned(
    tmp_path: Path, duration_s: float, end_kind: str, from_s: float, length_s: float
) -> None:
    steps = [runs.strip(1e-3, [0.1] * 600, end_kind=end_kind), runs.strip(5e-4, [0.05] * 600)]
    more = {"chains": runs.chains(FIRST, (600.0, 1.5, 1, 2, 1e-3))}
    path = runs.written(tmp_path / "run.h5", steps, more=more, **planned(duration_s, 600.0))
    found = interruptions(open_run(path))
    assert found is not None
    assert (found.from_s.tolist(), found.length_s.tolist()) == ([from_s], pytest.approx([length_s]))


def test_a_step_that_was_broken_off_and_goes_on_is_not_over_where_it_was_planned_to_be(
    tmp_path: Path,
) -> None:
    more = {"chains": runs.chains(FIRST, (300.0, 200.0, 1, 1, 1e-3))}
    path = runs.written(tmp_path / "run.h5", STEPS, more=more, **planned(400.0))
    found = interruptions(open_run(path))
    assert found is not None
    assert (found.from_s.tolist(), found.length_s.tolist()) == ([300.0], [200.0])


def test_a_file_that_does_not_tell_claims_nothing(tmp_path: Path) -> None:
    run = open_run(runs.written(tmp_path / "run.h5", STEPS))
    assert interruptions(run) is None
    assert not any("interruption" in key for key in summary(run))
