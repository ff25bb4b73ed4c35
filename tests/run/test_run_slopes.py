"""Steps that last until Ewe or the current is steady, or is not any more: held by the host."""

from __future__ import annotations

import numpy as np
import pytest
from running import done


def slope(kept, step: int, column: str = "Ewe", over_s: float = 60.0) -> float:
    """|slope| over the end of the step in this place of the table, per hour."""
    row = kept["steps"][step]
    rows = kept["samples"][kept["samples"]["step_count"] == row["step_count"]]
    near = rows[rows["time"] >= rows["time"][-1] - over_s - 0.01]
    return 3600 * abs(np.polyfit(near["time"] - near["time"][0], near[column].astype(float), 1)[0])


GITT = """
- repeat: 3
  steps:
    - strip: 0.5 mA
      for: 2 min
    - rest: 4 h
      until: {dEwe_dt_below: 20 mV/h, over: 1 min}
"""


def test_a_pulse_and_a_rest_until_it_is_steady() -> None:
    outcome, kept = done(GITT, cell="NaK50")
    assert outcome.status == "completed"
    ends = [(row["end_kind"], row["end_reason"]) for row in kept["steps"]]
    assert ends == [(b"duration", b"duration"), (b"cutoff", b"dEwe/dt below 20 mV/h over 1 min")] * 3
    for step in (1, 3, 5):
        assert slope(kept, step) < 20.5
        assert 60 <= kept["steps"][step]["t_end"] - kept["steps"][step]["t_start"] < 4 * 3600


def test_the_time_comes_first_where_it_is_never_met() -> None:
    _, kept = done("- rest: 3 min\n  until: {dEwe_dt_above: 1 V/h, over: 1 min}")
    assert kept.steps() == [("rest", "duration")]


def test_a_potential_until_the_current_is_steady() -> None:
    """Hebb-Wagner: each level until the current is steady, then the next one."""
    steps = """
    - staircase: 0.1, 0.2, 0.3 V
      steps:
        - ca: $level
          for: 2 h
          record: {every: 200 ms}
          until: {dI_dt_below: 10 uA/h, over: 10 s}
    """
    outcome, kept = done(steps)
    assert outcome.status == "completed"
    assert [row["end_kind"] for row in kept["steps"]] == [b"cutoff"] * 3
    for step in range(3):
        assert kept["steps"][step]["end_value"] < 10e-6 / 3600
    levels = [kept["samples"][kept["samples"]["step_count"] == n + 1]["I"][-1] for n in range(3)]
    assert levels == pytest.approx([0.1 / 300, 0.2 / 300, 0.3 / 300], rel=0.05)


def test_plating_until_the_potential_leaps() -> None:
    """A counter electrode that runs out of metal shows it as a spike of Ewe."""
    steps = (
        "- plate: 0.5 mA\n  for: 40 h\n  record: {every: 5 s}\n  until: {dEwe_dt_above: 2 V/h, over: 2 min}"
    )
    outcome, kept = done(steps, cell="NaK50")
    assert outcome.status in ("completed", "stopped")
    assert kept["steps"][0]["end_kind"] in (b"cutoff", b"limit")
