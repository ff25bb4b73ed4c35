"""Steps that move the charge of an earlier one: which steps that may be, and how long they last at most.

Which of the steps of a label was done last may depend on loops and branches. Where one stands before in the
same sequence, nothing older can be it; so each level of a staircase knows its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nakctl.device.known import SHORTEST_s
from nakctl.plan import plan as p
from nakctl.plan.holds import SURELY
from nakctl.plan.scene import Leaf
from nakctl.plan.sweeps import Scope
from nakctl.text.sentences import did_you_mean

SEVERAL = "it is a line of a table, and that of its last line would count"


@dataclass(frozen=True)
class Earlier:
    """The steps of a plan by their label, and which of them a later one may refer to."""

    steps: tuple[p.Step, ...]

    @cached_property
    def _placed(self) -> list[tuple[Leaf, tuple[int, ...]]]:
        return list(_placed(self.steps, (0,)))

    @cached_property
    def _place(self) -> dict[int, int]:
        return {leaf.step_id: place for place, (leaf, _) in enumerate(self._placed)}

    @cached_property
    def _by_label(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, (leaf, _) in enumerate(self._placed):
            found.setdefault(p.label_of(leaf), []).append(place)
        return found

    @cached_property
    def _loops(self) -> list[frozenset[int]]:
        return [frozenset(leaf.step_id for leaf in p.leaves(loop.steps)) for loop in p.repeats(self.steps)]

    @cached_property
    def in_tables(self) -> frozenset[int]:
        """Lines of profiles, by step_id."""
        tables = (step for step in p.walk(self.steps) if isinstance(step, p.Staircase) and step.is_table)
        return frozenset(leaf.step_id for table in tables for one in table.passes for leaf in p.leaves(one))

    @property
    def labels(self) -> list[str]:
        return sorted(self._by_label)

    def of(self, hold: p.Hold) -> tuple[Leaf, ...]:
        """The steps one of which was done last when this one begins, the nearest first; there may be none."""
        assert hold.same is not None
        at = self._place[hold.step_id]
        around = self._placed[at][1]
        found = []
        places = self._by_label.get(hold.same.label, [])
        for place in reversed([each for each in places if each < at]):
            leaf, within = self._placed[place]
            found.append(leaf)
            if around[: len(within)] == within:
                return tuple(found)
        loops = [loop for loop in self._loops if hold.step_id in loop]
        behind = (self._placed[place][0] for place in places if place > at)
        return (*found, *(each for each in behind if any(each.step_id in loop for loop in loops)))


def _placed(steps: Sequence[p.Step], within: tuple[int, ...]) -> Iterator[tuple[Leaf, tuple[int, ...]]]:
    """Every leaf with the sequence that it stands in, told by those around it and a number in each."""
    for at, step in enumerate(steps):
        match step:
            case p.Hold() | p.Spectrum():
                yield step, within
            case p.Repeat():
                yield from _placed(step.steps, (*within, at, 0))
            case p.Staircase():
                for number, one_pass in enumerate(step.passes):
                    yield from _placed(one_pass, (*within, at, number))
            case p.If():
                yield from _placed(step.then, (*within, at, 0))
                yield from _placed(step.otherwise, (*within, at, 1))
            case _:
                pass


def settled(steps: tuple[p.Step, ...], longest_s: float | None, scope: Scope) -> tuple[p.Step, ...]:
    """With how long each such step lasts at most; a fault where nothing says that.

    longest_s  limits.time
    """
    asking = [leaf for leaf in p.leaves(steps) if isinstance(leaf, p.Hold) and leaf.same is not None]
    if not asking:
        return steps
    charges = _Charges(Earlier(steps), longest_s)
    for hold in asking:
        _weigh(hold, charges, scope)
    made = {hold.step_id: charges.settled(hold) for hold in asking}
    return p.mapped(steps, lambda leaf: made.get(leaf.step_id, leaf))


def _weigh(hold: p.Hold, charges: _Charges, scope: Scope) -> None:
    """What is wrong with what it refers to."""
    assert hold.same is not None
    label, mark, earlier = hold.same.label, hold.same.mark, charges.earlier
    if label not in earlier.labels:
        listed = ", ".join(earlier.labels)
        hint = did_you_mean(label, earlier.labels) or ":"
        scope.fault_at(
            mark, f"same charge as: there is no step with the label {label}{hint} labels are {listed}"
        )
        return
    found = earlier.of(hold)
    if any(leaf.step_id in earlier.in_tables for leaf in found):
        scope.fault_at(mark, f"{hold.same}: {SEVERAL}; write the charge itself")
    elif found and all(isinstance(leaf, p.Hold) and leaf.kind == "rest" for leaf in found):
        scope.fault_at(mark, f"{hold.same}: no current flows in that step")
    elif found and charges.longest_s is None and math.isinf(charges.most_C(hold)):
        scope.fault_at(
            mark,
            f"{hold.same}: how much that will be is not known before, so this step lasts at most as long as "
            "the whole run may: write `limits: {..., time: 100 h}`",
        )


class _Charges:
    """What steps move at most, and what they are likely to move, as far as the plan knows."""

    def __init__(self, earlier: Earlier, longest_s: float | None) -> None:
        self.earlier, self.longest_s = earlier, longest_s
        self._most_C: dict[int, float] = {}
        self._likely_C: dict[int, float] = {}  # both by step_id

    def settled(self, hold: p.Hold) -> p.Hold:
        assert hold.same is not None
        I_A, longest_s = abs(hold.level or 0.0), self.longest_s
        if not I_A:
            return hold
        most_s = self.most_C(hold) / I_A
        if longest_s is not None:
            most_s = min(most_s, longest_s)
        if math.isinf(most_s):
            return hold  # a fault was told, or `check` tells that nothing comes before
        most_s = max(most_s, SHORTEST_s)
        likely = min(self.likely_C(hold) / I_A / most_s, 1.0)
        is_known = math.isfinite(self.most_C(hold))
        return replace(hold, duration_s=most_s, same=replace(hold.same, likely=likely, is_known=is_known))

    def most_C(self, leaf: Leaf) -> float:
        """inf: only the cell knows."""
        return self._of(leaf, self._most_C, lambda hold: math.inf)

    def likely_C(self, leaf: Leaf) -> float:
        """Of a step that a cutoff ends the capacity, where that is known."""
        return self._of(leaf, self._likely_C, _of_capacity_C)

    def _of(self, leaf: Leaf, known: dict[int, float], without_time: Callable[[p.Hold], float]) -> float:
        if leaf.step_id not in known:
            known[leaf.step_id] = math.inf  # of steps that refer to each other in a loop
            known[leaf.step_id] = self._moved_C(leaf, known, without_time)
        return known[leaf.step_id]

    def _moved_C(self, leaf: Leaf, known: dict[int, float], without_time: Callable[[p.Hold], float]) -> float:
        if not isinstance(leaf, p.Hold) or leaf.kind not in ("rest", "cp"):
            return math.inf
        if leaf.same is not None:
            of_each = (self._of(each, known, without_time) for each in self.earlier.of(leaf))
            return max(of_each, default=math.inf)
        if leaf.alone_s is not None:
            return without_time(leaf)
        level_A = leaf.level or 0.0
        return abs(level_A if leaf.to is None else (level_A + leaf.to) / 2) * leaf.duration_s


def _of_capacity_C(hold: p.Hold) -> float:
    """The capacity, where the time that a step may be left alone for was made of it; see `Holds`."""
    if not hold.known or hold.alone_s is None:
        return math.inf
    return abs(hold.level or 0.0) * hold.alone_s / SURELY
