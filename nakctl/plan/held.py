"""What holds with nobody watching: the ends that the instrument tests, and where its chains lead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from nakctl.device.ends import End
from nakctl.device.program import Done, Eis, Loop, Segment, Technique, Tested, played
from nakctl.device.techniques import kind_of, stops
from nakctl.plan.ends import lead
from nakctl.plan.scene import Leaf, Scene

WATCHED_AGAIN_s = 10.0  # after the program of a run died or hangs, as a rule: the keeper looks each second


@dataclass(frozen=True, slots=True)
class Held:
    """Ends of the whole run that the instrument holds in a step.

    always         all through it: the chain does not go on past one
    before_sweeps  right before each spectrum, under its own current or potential
    missing        limits that nothing but the host holds, where something is imposed on the cell
    """

    always: tuple[End, ...]
    before_sweeps: tuple[End, ...]
    missing: tuple[End, ...]


def held(leaves: Iterable[Leaf], scene: Scene) -> Held:
    """In all of these steps."""
    places = [place for leaf in leaves for place in _places(leaf.step_id, scene.chain(leaf))]
    sweeps = [before for before, (this, *_) in places if isinstance(this, Eis) and not this.continues]
    of_run = scene.program.ends_of(0)
    always = [end for end in of_run if all(_holds(of_step, end) for _, of_step in places)]
    before = [end for end in of_run if sweeps and all(_stops_at(each, end) for each in sweeps)]
    kinds = {kind_of(this) for _, (this, *_) in places}
    imposed = {kind.cannot_break for kind in kinds if kind.imposes}
    missing = [
        end
        for end in of_run
        if end.kind == "limit" and end not in always and any(_may_break(each, end) for each in imposed)
    ]
    return Held(_foremost(always), _foremost(before), tuple(missing))


def ahead(step_id: int, chain: Segment) -> list[int]:
    """The steps that a chain goes on to by itself from this one, itself the first; in a loop all of it."""
    steps = list(dict.fromkeys(each.step for each in played(chain.techniques)))
    has_loops = any(isinstance(each, Loop) for each in chain.techniques)
    at = steps.index(step_id)
    return [*steps[at:], *(steps[:at] if has_loops else ())]


def _may_break(imposed: str, end: End) -> bool:
    return end.quantity not in (imposed, "time")


def _places(step_id: int, chain: Segment) -> Iterator[tuple[Technique | None, list[Done]]]:
    """Of each technique of a step: what is before it, and the step from it on."""
    for place, before in enumerate((None, *chain.techniques[:-1])):
        of_step = list(_of_step(chain.techniques[place:], step_id))
        if of_step:
            yield before, of_step


def _of_step(techniques: Iterable[Technique], step_id: int) -> Iterator[Done]:
    """Those at the beginning that belong to the step."""
    for technique in techniques:
        if isinstance(technique, Loop) or technique.step != step_id:
            return
        yield technique


def _holds(of_step: Iterable[Technique], end: End) -> bool:
    """The first of them stops at the end, or goes on from it by others that test it to one that does."""
    tested = takewhile(lambda each: _tests(each, end), of_step)
    return any(_stops_at(each, end) for each in tested)


def _stops_at(technique: Technique | None, end: End) -> bool:
    return _tests(technique, end) and stops(technique)


def _tests(technique: Technique | None, end: End) -> bool:
    """It has a test that is met where the end is, or before."""
    return isinstance(technique, Tested) and any(lead(test, end) >= 0 for test in technique.tests)


def _foremost(ends: list[End]) -> tuple[End, ...]:
    """Without those that another one of the same side comes before."""
    return tuple(end for end in ends if not any(lead(other, end) > 0 for other in ends))
