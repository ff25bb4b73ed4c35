"""Sensors and the cell in one round of the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hand_made import cp, end, info, points, program, rest, rows
from test_supervisor import Bench, Kept

from nakctl.device.channel import Reading, State, Visit, Watch
from nakctl.device.program import Segment
from nakctl.device.sensor import Latest, Look, Ramp, SensorSpec
from nakctl.run.clock import WallClock
from nakctl.run.run import run

LIMIT = replace(end(1, "sensor", "above", 12.0, kind="limit"), sensor="press")
CUTOFF = end(2, "Ewe", "above", 0.2)
GOAL = end(2, "Ewe", "above", 0.2, kind="goal")


class Peak:
    """A press that was beyond its limit for a moment, seen in one look only."""

    specs: Mapping[str, SensorSpec] = {
        "press": SensorSpec("press", "sim", "", "MPa", "pressure", 1.0, 0.0, every_s=1.0, timeout_s=1.0)
    }
    unseen_s: Mapping[str, float] = {"press": 0.0}

    def __init__(self, at_look: int) -> None:
        self.looks, self.at_look = 0, at_look

    def look(self, now_s: Callable[[], float]) -> Look:
        self.looks += 1
        high = 13.0 if self.looks == self.at_look else 10.0
        return Look({"press": Latest(now_s(), 10.0, 10.0, high)})

    def set(self, name: str, value: float | Ramp) -> None: ...

    def close(self) -> Look:
        return Look({})


class Steps(Bench):
    """Its third row is beyond the cutoff."""

    def read(self, watch: Watch) -> Reading:
        if self.stopped.is_set():
            return super().read(watch)
        self.reads += 1
        row = rows((self.reads * 0.01, 0.3 if self.reads == 3 else 0.1, 1e-3, 0, 0))
        return Reading(State.RUNNING, row, points(), look=self.shown(), visit=Visit(0, 0, 0.0))


@pytest.mark.parametrize("met", [CUTOFF, GOAL], ids=["cutoff", "goal"])
def test_a_limit_of_a_sensor_is_not_lost_behind_what_the_cell_meets_in_the_same_round(met: object) -> None:
    two = program(Segment((cp(1),)), Segment((rest(2),)), steps=[info(1), info(2)], ends=(LIMIT, met))  # type: ignore[arg-type]
    outcome = run(two, Steps(), WallClock(), Kept(), poll_s=0.001, sensors=Peak(3))  # type: ignore[arg-type]
    assert (outcome.status, outcome.end_kind, outcome.end_id) == ("stopped", "limit", 1)
    assert outcome.end_value == 13.0
