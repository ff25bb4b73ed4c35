"""What a comparison of two plans gives: values, in SI and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# A reviewer has to see these first: the cell is less protected than it was, or disturbed more often.
Weight = Literal["wider", "removed", "weaker", "worse", "narrower", "added", ""]
ALARMING: tuple[Weight, ...] = ("wider", "removed", "weaker", "worse")
Weighs = Literal["", "more", "less", "fewer", "often"]
Became = Literal["changed", "new", "removed", "moved"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a plan says, by which two plans are compared.

    value   in SI; one for each level of a staircase; equal values are no difference, whatever their text says
    text    as people say it
    unit    of the values, for machines
    weighs  which change is one for the worse: to "more", to "less", to "fewer" parts of the value, to more
            "often"; empty: none
    is_setting  of little interest in a step that is new, or gone
    """

    name: str
    value: tuple[Any, ...]
    text: str
    unit: str = ""
    weighs: Weighs = ""
    is_setting: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A fact that is another one now. before, after: as people say it; empty: there was, or is, none.

    relative  `+25 %`, where one factor says it for all values
    """

    what: str
    before: str
    after: str
    relative: str = ""
    weight: Weight = ""
    values_before: tuple[Any, ...] = ()
    values_after: tuple[Any, ...] = ()
    unit: str = ""
    is_setting: bool = False

    @property
    def is_alarming(self) -> bool:
        return self.weight in ALARMING


@dataclass(frozen=True, slots=True)
class StepChange:
    """A step that is no longer what it was. number_before, number_after: empty where there is none.

    changes  of a new or removed step: all that it does, or did
    """

    became: Became
    name: str
    number_before: str
    number_after: str
    changes: tuple[Change, ...]

    @property
    def number(self) -> str:
        """`2.1`, or `3.1 (was 2.1)`."""
        if self.number_before and self.number_after and self.number_before != self.number_after:
            return f"{self.number_after} (was {self.number_before})"
        return self.number_after or self.number_before


@dataclass(frozen=True, slots=True)
class Difference:
    """How a plan differs from another one.

    same    the instrument gets the same: whatever else is told here is a matter of words
    limits  what ends the whole run; run: what all of it takes; steps: only those that differ
    notes   what makes no difference to the cell, in sentences
    """

    before: str
    after: str
    on: str
    same: bool
    limits: tuple[Change, ...] = ()
    steps: tuple[StepChange, ...] = ()
    run: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def alarming(self) -> tuple[tuple[str, Change], ...]:
        """Limits, ends of steps and watchers that protect less than before, with where."""
        of_steps = (
            (f"step {step.number} {step.name}", change)
            for step in self.steps
            if step.became == "changed"
            for change in step.changes
        )
        of_run = (("in all", change) for change in self.run)
        found = (*(("limit", change) for change in self.limits), *of_steps, *of_run)
        return tuple((where, change) for where, change in found if change.is_alarming)
