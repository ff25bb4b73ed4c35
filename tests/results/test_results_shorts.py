"""Shorts: told by the rule, found in rows that nobody watched, and not seen where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as runs

from nakctl.booking.event import Event
from nakctl.record.read import open_run
from nakctl.results.shorts import shorted, verdict
from nakctl.results.summary import summary, told

# Area 0.5 cm2. 0.1, 0.2, 0.4 mA/cm2: each stripped and plated for 100 s at 1 kohm; in the last one the cell
# shorts after 40 s: 80 mV fall to 2 mV.
HEALTHY = [runs.strip(sign * I_A, [sign * 1e3 * I_A] * 100) for I_A in (5e-5, 1e-4, 2e-4) for sign in (1, -1)]
SHORTED = [*HEALTHY[:-1], runs.strip(-2e-4, [-0.2] * 40 + [-0.002] * 60)]


def figures(path: Path) -> dict[str, Any]:
    return summary(open_run(path))


def test_a_short_that_no_rule_was_set_for_is_found(tmp_path: Path) -> None:
    path = runs.written(tmp_path / "run.h5", [*SHORTED, runs.rest(5)])
    found = figures(path)
    assert (found["short_rule_set"], found["short_found_by"]) == (False, "data")
    assert (found["short_while"], found["short_cycle"]) == ("plating", 1)
    assert found["short_at_mA_cm2"] == pytest.approx(0.4)
    assert found["ccd_mA_cm2"] == pytest.approx(0.2)
    # the third low sample is certain: 43 s at 0.2 mA, in the sixth step
    assert found["short_at_s"] == 543.0
    assert found["short_at_mAh_cm2"] == pytest.approx(0.2 * 43 / 3600 / 0.5, rel=1e-5)
    assert told(found)[:2] == [
        "short while plating at 0.4 mA/cm2, after 0.00478 mAh/cm2 of that step, in cycle 1 at 9 min 3 s: "
        "seen in the data, no short rule was set",
        "critical current density: 0.2 mA/cm2 (the last level held)",
    ]
    assert shorted(open_run(path))


def test_a_level_is_held_only_by_a_whole_step(tmp_path: Path) -> None:
    broken = runs.strip(1.5e-4, [0.15] * 50, end_kind="cutoff", end_reason="Ewe above 0.15 V")
    found = figures(runs.written(tmp_path / "run.h5", [*SHORTED[:-2], broken, *SHORTED[-2:]]))
    assert found["ccd_mA_cm2"] == pytest.approx(0.2)  # 0.3 mA/cm2 was broken off


def test_a_fall_at_the_end_of_a_step_is_counted_on_into_the_next(tmp_path: Path) -> None:
    steps = [*HEALTHY[:4], runs.strip(2e-4, [0.2] * 98 + [0.002] * 2), runs.strip(-2e-4, [-0.002] * 100)]
    found = figures(runs.written(tmp_path / "run.h5", steps))
    assert (found["short_at_s"], found["short_while"]) == (501.0, "plating")


def test_a_potential_that_rises_again_after_a_pause_is_no_short(tmp_path: Path) -> None:
    paused = runs.strip(-2e-4, [-0.2] * 40 + [-0.002] * 5 + [-0.2] * 55)
    resumed = Event(540.5, 1, "resumed", 6, "resumed by ada@pc after 10 s")
    steps = [*HEALTHY[:-1], paused]
    assert verdict(open_run(runs.written(tmp_path / "a.h5", steps))).short is not None  # type: ignore[union-attr]
    assert verdict(open_run(runs.written(tmp_path / "b.h5", steps, events=[resumed]))).short is None  # type: ignore[union-attr]


def test_a_rule_that_ended_the_run_is_believed(tmp_path: Path) -> None:
    steps = [
        *SHORTED[:-1],
        runs.strip(-2e-4, [-0.2] * 40 + [-0.002] * 3, end_kind="rule", end_reason="short"),
    ]
    path = runs.written(
        tmp_path / "run.h5", steps, end=("completed", "short"), end_kind="rule", end_id=1,
        more={"ends": runs.ends(("rule", "short", "below", 0.0))}, rules=[runs.SHORT_RULE],
    )  # fmt: skip
    found = figures(path)
    assert (found["short_rule_set"], found["short_found_by"]) == (True, "rule")
    assert found["ccd_mA_cm2"] == pytest.approx(0.2)
    assert told(found)[0] == "short while plating at 0.4 mA/cm2, after 0.00478 mAh/cm2 of that step"


def test_another_end_that_came_first_does_not_hide_the_short(tmp_path: Path) -> None:
    path = runs.written(
        tmp_path / "run.h5", SHORTED, end=("aborted", "stopped by the operator"), end_kind="operator",
        rules=[runs.SHORT_RULE],
    )  # fmt: skip
    assert told(figures(path))[0].endswith(": seen in the data, the short rule did not end the run")


def test_the_numbers_of_a_rule_that_was_set_are_those_that_are_looked_for(tmp_path: Path) -> None:
    loose = runs.SHORT_RULE | {"below_V": 0.001}
    run = open_run(runs.written(tmp_path / "run.h5", SHORTED, rules=[loose]))
    found = verdict(run)
    assert found is not None
    assert (found.short, found.rule_set) == (None, True)
    assert found.looked_for is not None and found.looked_for.below_V == 0.001
    assert not any("short" in line for line in told(summary(run)))  # the rule watched: nothing to say


FALLING_LEVELS = [
    runs.strip(2e-3, [0.2] * 100),
    # the same 100 ohm at a hundredth of the current: 200 mV relax to 2 mV
    runs.strip(2e-5, (0.002 + 0.198 * np.exp(-np.arange(100) / 5)).tolist()),
    runs.strip(-2e-3, [-0.2] * 100),
]


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        (HEALTHY, "none is seen in the data"),
        (FALLING_LEVELS, "none is seen in the data"),
        # a symmetric cell of little resistance, and one whose noise reaches the threshold
        ([runs.strip(s * 1e-3, [s * 0.004] * 50) for s in (1, -1, 1)], "never was above 15 mV"),
        ([runs.strip(1e-3, [0.0149, 0.0152, 0.0148] * 20)], "none is seen in the data"),
        # polarity: through zero, and that is a rise
        ([runs.strip(s * 1e-3, np.linspace(-s * 0.1, s * 0.1, 200).tolist()) for s in (1, -1)], "none is seen"),
        # a potential that is held says nothing
        ([runs.strip(1e-3, [0.1] * 9), runs.Step("CA", 1e-4, [0.1] + [0.0] * 20, control=0.0)], "none is seen"),
        # impedance inside of a rest
        ([runs.strip(1e-3, [0.1] * 9), runs.Step("GEIS", 1e-6, [0.1] + [0.0] * 20, control=np.nan)], "none is seen"),
        # readings that are none
        ([runs.strip(1e-3, [0.1, np.nan, 0.1, np.nan])], "none is seen in the data"),
        ([runs.strip(1e-3, [np.nan] * 4)], "never was above 15 mV"),
    ],
)  # fmt: skip
def test_no_short_is_seen_where_there_is_none(tmp_path: Path, steps: list[runs.Step], says: str) -> None:
    path = runs.written(tmp_path / "run.h5", [*steps, runs.rest(5)])
    found = figures(path)
    assert "short_while" not in found
    assert told(found)[0].startswith("no short rule was set, and ")
    assert says in told(found)[0]
    assert not shorted(open_run(path))


SPARSE = [runs.strip(s * 5e-5, [s * 0.155] * 12, every_s=300.0) for s in (1, -1)]
SPARSE_SHORTED = [*SPARSE, runs.strip(1e-4, [0.155] * 6 + [0.003] * 6, every_s=300.0)]


def test_rows_that_lie_further_apart_than_the_window_hide_no_short(tmp_path: Path) -> None:
    found = figures(runs.written(tmp_path / "run.h5", SPARSE_SHORTED))
    assert (found["short_while"], found["short_found_by"]) == ("stripping", "data")
    assert found["short_at_s"] == (12 + 12 + 6 + 3) * 300.0
    assert found["ccd_mA_cm2"] == pytest.approx(0.1)


def test_rows_that_became_sparse_only_later_hide_no_short_either(tmp_path: Path) -> None:
    """A step recorded by the change of Ewe: close rows at first, and then one every 5 min."""
    tables = runs.tables_of([runs.strip(1e-4, [0.155] * 126 + [0.003] * 6)])
    tables["samples"]["time"][100:] = 100 + 300.0 * np.arange(1, 33)
    tables["steps"]["t_end"] = tables["samples"]["time"][-1]
    path = runs.written(tmp_path / "run.h5", [runs.rest(1)], tables=tables)
    assert figures(path)["short_at_s"] == tables["samples"]["time"][128]


def test_a_slow_relaxation_seen_in_sparse_rows_is_no_short(tmp_path: Path) -> None:
    slow = runs.strip(1e-4, (0.155 * np.exp(-np.arange(60) / 10)).tolist(), every_s=300.0)
    assert "short_while" not in figures(runs.written(tmp_path / "run.h5", [slow]))


@pytest.mark.parametrize("steps", [SPARSE, SPARSE_SHORTED])
def test_a_rule_whose_window_holds_less_than_two_rows_is_said_to_be_blind(
    tmp_path: Path, steps: list[runs.Step]
) -> None:
    found = figures(runs.written(tmp_path / "run.h5", steps, rules=[runs.SHORT_RULE]))
    assert (found["short_rule_within_s"], found["short_rows_apart_s"]) == (120.0, 300.0)
    assert (
        "the short rule was blind: its window of 2 min holds less than two rows, which are 5 min apart"
        in told(found)
    )


def test_a_rule_that_sees_enough_rows_is_not_called_blind(tmp_path: Path) -> None:
    found = figures(runs.written(tmp_path / "run.h5", HEALTHY, rules=[runs.SHORT_RULE]))
    assert "short_rows_apart_s" not in found
    assert not any("blind" in line for line in told(found))


NOT_LOOKED_AT = "shorts are not looked for in 2 steps at a held potential, where Ewe cannot fall"
HELD = [runs.Step("CA", I_A, [0.1] * 20, control=0.1) for I_A in (3e-4, 13e-3)]


def test_steps_at_a_held_potential_are_said_not_to_be_looked_at(tmp_path: Path) -> None:
    only = figures(runs.written(tmp_path / "held.h5", [*HELD, runs.rest(5)]))
    assert told(only)[0] == NOT_LOOKED_AT
    both = figures(runs.written(tmp_path / "both.h5", [*HEALTHY, *HELD]))
    assert told(both)[:2] == ["no short rule was set, and none is seen in the data", NOT_LOOKED_AT]
    found = figures(runs.written(tmp_path / "short.h5", [*SHORTED, *HELD]))
    assert NOT_LOOKED_AT not in told(found)


def test_a_run_without_current_says_nothing_of_shorts(tmp_path: Path) -> None:
    found = figures(runs.written(tmp_path / "run.h5", [runs.rest(5)]))
    assert not any("short" in key for key in found)
    assert not any("short" in line for line in told(found))


def test_a_short_without_a_known_area_is_told_without_a_level(tmp_path: Path) -> None:
    found = figures(runs.written(tmp_path / "run.h5", SHORTED, sample={"name": "cell"}))
    assert (
        told(found)[0]
        == "short while plating, in cycle 1 at 9 min 3 s: seen in the data, no short rule was set"
    )
    assert "ccd_mA_cm2" not in found
