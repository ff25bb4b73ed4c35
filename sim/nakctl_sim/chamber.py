"""The simulated chamber around a simulated cell, and how the cell follows it.

A sensor that is simulated is read in a process of its own, or in virtual time behind the channel: a cell that
felt its readings would make rows that depend on when somebody reads. So the cell does not read it. What a
chamber does is known for all time to come as soon as it is set, because it only follows set-points: the cell
has the same chamber as the sensor, is told the same set-points, and asks it for the temperature at times of
its own. These depend on the chamber alone, so rows still do not depend on reads.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import replace

from nakctl.device.driver import ClockLike
from nakctl.device.sensor import Look, Ramp, Sensors, SensorSpec
from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.cell.models import Model
from nakctl_sim.sensors import Piece

FELT_K = 0.05  # the cell's numbers follow in such steps: 0.2 % of a resistance with 35 kJ/mol at 25 degC
SOONEST_s = 1e-3  # however fast a chamber is: or time would not go on
USUAL = "chamber"  # of several simulated chambers the one of this name


class Chamber:
    """A temperature in the unit of its sensor, at any time of a clock."""

    def __init__(
        self, start: float, time_constant_s: float, table: list[tuple[float, float]], now_s: float = 0.0
    ) -> None:
        """table: when an operator's hand moves its target, from now_s on, and where to."""
        self.time_constant_s = time_constant_s
        self.by_hand = [(now_s + time_s, target) for time_s, target in table]
        self.pieces = [Piece(now_s, start, start)]
        self.since_s = [now_s]
        self.set_times = 0
        self._move(self.by_hand)

    def at(self, time_s: float) -> float:
        k = max(0, bisect_right(self.since_s, time_s) - 1)
        return self.pieces[k].at(time_s, self.time_constant_s)

    def set(self, target: float | Ramp, now_s: float) -> None:
        """What was to come is forgotten, but for the operator's hand."""
        kept = bisect_right(self.since_s, now_s)
        del self.pieces[kept:], self.since_s[kept:]
        moves = steps_of(replace(target, since_s=now_s)) if isinstance(target, Ramp) else [(now_s, target)]
        self._move(sorted([*moves, *(move for move in self.by_hand if move[0] > now_s)]))
        self.set_times += 1

    def _move(self, moves: list[tuple[float, float]]) -> None:
        for time_s, target in moves:
            self.pieces.append(self.pieces[-1].moved(time_s, target, self.time_constant_s))
            self.since_s.append(time_s)

    def leaves_s(self, time_s: float, by: float) -> float:
        """When it will have moved so far from where it is at time_s; inf: never, as far as is known."""
        middle = self.at(time_s)
        k = max(0, bisect_right(self.since_s, time_s) - 1)
        for piece, end_s in zip(self.pieces[k:], [*self.since_s[k + 1 :], math.inf], strict=True):
            begins_s = max(time_s, piece.since_s)
            value = piece.at(begins_s, self.time_constant_s)
            if abs(piece.target - middle) <= by:  # it goes evenly from here to there, both are near
                continue
            edge = middle + math.copysign(by, piece.target - middle)
            share = (edge - piece.target) / (value - piece.target)
            at_s = begins_s - self.time_constant_s * math.log(share) if share < 1.0 else begins_s
            if at_s < end_s:
                return at_s
        return math.inf


def steps_of(ramp: Ramp) -> list[tuple[float, float]]:
    """When each of its set-points is written, and which."""
    count = math.ceil(ramp.lasts_s / ramp.step_s)
    times_s = [ramp.since_s + k * ramp.step_s for k in range(count)]
    return [*((time_s, ramp.at(time_s)) for time_s in times_s), (ramp.since_s + ramp.lasts_s, ramp.to)]


class Warmth:
    """The numbers of one cell, which follow a chamber. zero_s: the clock at the start of a segment."""

    def __init__(self, model: Model, chamber: Chamber, to_K: Callable[[float], float], by: float) -> None:
        self.model, self.chamber, self.to_K, self.by = model, chamber, to_K, by
        self.zero_s = 0.0
        self._came_s = 0.0
        self._due: tuple[int, float] = (-1, math.inf)

    def begin(self, zero_s: float) -> None:
        self.zero_s = zero_s

    def follow(self, x: Numbers, time_s: float) -> None:
        """The numbers of the model, and of the state x, are those of this moment of the segment."""
        self.model.come_to(x, self.to_K(self.chamber.at(self.zero_s + time_s)))
        self._came_s = time_s
        self._due = (-1, math.inf)

    @property
    def due_s(self) -> float:
        """When the numbers have to follow, in the segment."""
        if self._due[0] != self.chamber.set_times:
            leaves_s = self.chamber.leaves_s(self.zero_s + self._came_s, self.by)
            due_s = max(leaves_s - self.zero_s, self._came_s + SOONEST_s)
            self._due = self.chamber.set_times, due_s
        return self._due[1]


class InAChamber:
    """The sensors of a run whose simulated cell stands in the chamber that one of them shows."""

    def __init__(self, sensors: Sensors, name: str, chamber: Chamber, clock: ClockLike) -> None:
        self.sensors, self.name, self.chamber, self.clock = sensors, name, chamber, clock

    @property
    def specs(self) -> Mapping[str, SensorSpec]:
        return self.sensors.specs

    @property
    def unseen_s(self) -> Mapping[str, float]:
        return self.sensors.unseen_s

    def look(self, now_s: Callable[[], float]) -> Look:
        return self.sensors.look(now_s)

    def set(self, name: str, value: float | Ramp) -> None:
        self.sensors.set(name, value)
        if name == self.name:
            self.chamber.set(value, self.clock.now_s())

    def close(self) -> Look:
        return self.sensors.close()


def chamber_among(sensors: Sensors) -> SensorSpec | None:
    """The simulated chamber: the only one, or of several the one that is called so."""
    found = {
        name: spec
        for name, spec in sensors.specs.items()
        if (spec.kind, spec.dimension) == ("sim", "temperature")
    }
    return next(iter(found.values())) if len(found) == 1 else found.get(USUAL)
