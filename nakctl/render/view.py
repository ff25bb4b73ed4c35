"""All that a text about a plan draws on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nakctl.device.program import Ask, SetPoint
from nakctl.plan import plan as p
from nakctl.plan.estimate import Amount, Estimate
from nakctl.plan.ramps import PlannedRamp, ramps
from nakctl.plan.scene import Leaf, Scene


@dataclass(frozen=True, slots=True)
class View:
    scene: Scene
    estimate: Estimate

    @property
    def ramps(self) -> tuple[PlannedRamp, ...]:
        """Of set-points."""
        return tuple(ramps(self.scene.plan.steps, self.estimate))

    def once(self, leaf: Leaf) -> Amount:
        return self.estimate.step(leaf.step_id).once

    def amount(self, step: p.Step) -> Amount:
        """What a step takes with all its repeats; one pass of those without end."""
        match step:
            case p.Repeat():
                return self.amounts(step.steps) * (step.times or 1)
            case p.Staircase():
                return sum((self.amounts(one_pass) for one_pass in step.passes), Amount())
            case p.If():
                sides = [self.amounts(step.then), self.amounts(step.otherwise)]
                return max(sides, key=lambda each: each.duration_s)
            case SetPoint() | Ask():
                return Amount()
            case _:
                return self.once(step)

    def amounts(self, steps: Sequence[p.Step]) -> Amount:
        return sum((self.amount(step) for step in steps), Amount())
