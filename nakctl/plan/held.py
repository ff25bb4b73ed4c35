"""What holds with nobody watching: the ends that the instrument tests, and where its chains lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nakctl.device.ends import End
from nakctl.device.program import Ca, Cp, Done, Eis, Loop, Segment
from nakctl.plan.ends import lead
from nakctl.plan.findings import Leaf, Scene


@dataclass(frozen=True, slots=True)
class Held:
    """Ends of the whole run that the instrument holds in a step.

    always         all through it: the chain does not go on past one
    before_sweeps  right before each spectrum, under its own current or potential
    """

    always: tuple[End, ...]
    before_sweeps: tuple[End, ...]


def held(leaves: Iterable[Leaf], scene: Scene) -> Held:
    """In all of these steps."""
    places = [place for leaf in leaves for place in _places(leaf.step_id, scene.chain(leaf))]
    sweeps = [before for before, this, _ in places if isinstance(this, Eis) and not this.continues]
    of_run = scene.program.ends_of(0)
    always = [end for end in of_run if all(_holds(this, after, end) for _, this, after in places)]
    before = [end for end in of_run if sweeps and all(_stops_at(each, end) for each in sweeps)]
    return Held(_foremost(always), _foremost(before))


def _places(step_id: int, chain: Segment) -> Iterator[tuple[Done | None, Done, Done | None]]:
    """Each technique of a step but its sentinels, between its neighbours in the chain."""
    every = [None if isinstance(each, Loop) else each for each in chain.techniques]
    for before, this, after in zip([None, *every], every, [*every[1:], None], strict=False):
        if this is not None and this.step == step_id and not _is_sentinel(this):
            yield before, this, after


def _is_sentinel(technique: Done | None) -> bool:
    return isinstance(technique, Cp | Ca) and technique.sentinel


def _holds(technique: Done, after: Done | None, end: End) -> bool:
    """The chain stops at the end, or goes on from it to a sentinel that does."""
    if _stops_at(technique, end):
        return True
    return _tests(technique, end) and _is_sentinel(after) and _stops_at(after, end)


def _stops_at(technique: Done | None, end: End) -> bool:
    return _tests(technique, end) and isinstance(technique, Cp | Ca) and technique.on_test == "stop"


def _tests(technique: Done | None, end: End) -> bool:
    """It has a test that is met where the end is, or before."""
    return isinstance(technique, Cp | Ca) and any(lead(test, end) >= 0 for test in technique.tests)


def _foremost(ends: list[End]) -> tuple[End, ...]:
    """Without those that another one of the same side comes before."""
    return tuple(end for end in ends if not any(lead(other, end) > 0 for other in ends))
