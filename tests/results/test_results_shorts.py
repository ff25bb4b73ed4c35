"""Shorts: told by the rule, found in rows that nobody watched, and not seen where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as runs

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
