"""Where a run ends that somebody asked to end at a boundary: after the step, the cycle or the spectrum.

A boundary is seen in two ways. Within a chain the first row behind it shows that it was passed: the
instrument goes on by itself, and the current of what follows has begun to flow. Between two chains the host
decides, and then nothing further is started. Where nothing follows, the run is just done.

Steps and cycles are counted as the record counts them. A cycle is also over when its loop is left, though the
record begins no other one there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from nakctl.booking.chain import other_level
from nakctl.booking.ending import Ending
from nakctl.booking.ledger import Ledger
from nakctl.decide.engine import ChainEnded, EngineState, Event, Load, react, went_round
from nakctl.decide.proof import is_final
from nakctl.device.channel import Visit
from nakctl.device.program import Eis, HostLoop, Loop, Node, Program, Segment, played

After = Literal["step", "cycle", "spectrum"]
BOUNDARIES: tuple[After, ...] = get_args(After)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run is. step, cycle: numbers of those under way, from 1; 0: none yet. spectra: how many are
    over. step_id: what the step is in the program.
    """

    step: int
    cycle: int
    spectra: int
    step_id: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants the run to end at the next boundary from a place on."""

    after: After
    who: str
    place: Place

    @property
    def number(self) -> int:
        """Of the step, cycle or spectrum that it waits for."""
        place = self.place
        return {"step": place.step, "cycle": place.cycle, "spectrum": place.spectra + 1}[self.after]

    def told(self, program: Program) -> str:
        """What it waits for."""
        if self.after == "step":
            return f"step {program.step(self.place.step_id).label}"
        return f"{self.after} {self.number}"


def place_of(ledger: Ledger) -> Place:
    """As far as rows tell."""
    row, spectra = ledger.last_sample[0], ledger.spectra
    return Place(
        int(row["step_count"]), ledger.cycle, spectra.count - spectra.is_under_way, int(row["step_id"])
    )


def entered(program: Program, place: Place, segment: Segment, *, new_cycle: bool) -> Place:
    """The place with the first row of a chain. new_cycle: a loop of the host goes round to come there."""
    step_id = played(segment.techniques)[0].step
    begun = place.step > 0
    levels = (program.step(place.step_id).level, program.step(step_id).level) if begun else (0, 0)
    cycle = begun and (new_cycle or 0 in segment.new_cycle or bool(other_level(*levels)))
    step = cycle or not begun or step_id != place.step_id
    return replace(place, step=place.step + step, cycle=place.cycle + cycle, step_id=step_id)


def is_over(program: Program, wish: Wish, place: Place) -> bool:
    """Whether the boundary lies before this place."""
    match wish.after:
        case "step":
            return place.step > wish.place.step
        case "cycle":
            around = steps_around(program, wish.place.step_id)
            left = around is not None and place.step_id not in around
            return place.cycle > wish.place.cycle or left
        case "spectrum":
            return place.spectra > wish.place.spectra


def met(
    program: Program, wishes: Iterable[Wish], place: Place, segment: Segment, visit: Visit | None
) -> Ending | None:
    """The end that rows of a chain under way ask for. visit: that of the newest one."""
    for wish in wishes:
        if is_over(program, wish, place) and not _ends_anyway(wish, segment, visit):
            return ending(program, wish)
    return None


def _ends_anyway(wish: Wish, segment: Segment, visit: Visit | None) -> bool:
    """The spectrum was the last that the chain does: it needs no stop, and what follows is decided then."""
    if wish.after != "spectrum" or visit is None:
        return False
    return isinstance(segment.techniques[visit.technique], Eis) and is_final(segment, visit)


def instead(
    program: Program, state: EngineState, event: Event, wishes: Sequence[Wish], place: Place
) -> Event:
    """The event that the engine gets for one: the end of the run for that of a chain, if it was wished for
    before what would be loaded next.
    """
    if not wishes or not isinstance(event, ChainEnded):
        return event
    after, commands = react(program, state, event)
    load = next((command for command in commands if isinstance(command, Load)), None)
    if load is None:  # the run is over, and ends as it does
        return event
    next_place = entered(program, place, load.segment, new_cycle=went_round(state.position, after.position))
    for wish in wishes:
        if is_over(program, wish, next_place):
            return ChainEnded(ending(program, wish))
    return event


def ending(program: Program, wish: Wish) -> Ending:
    reason = f"stopped by {wish.who} after {wish.told(program)}"
    return Ending("end run", reason, "aborted", "operator")


def steps_around(program: Program, step_id: int) -> frozenset[int] | None:
    """The steps of the innermost loop whose passes are cycles, or of the level, that a step stands in; None:
    it stands in none.
    """
    level = program.step(step_id).level if step_id else 0
    groups = [*_loops(program.nodes)]
    if level:
        groups.append(frozenset(step.step_id for step in program.steps if step.level == level))
    return min((group for group in groups if step_id in group), key=len, default=None)


def _loops(nodes: Sequence[Node]) -> Iterator[frozenset[int]]:
    """The steps of every loop whose passes are cycles."""
    for node in nodes:
        if isinstance(node, HostLoop):
            yield from _loops(node.body)
            if node.times != 1:
                yield frozenset(_steps(node.body))
        elif isinstance(node, Segment):
            techniques = node.techniques
            for at, each in enumerate(techniques):
                if isinstance(each, Loop) and each.passes:
                    yield frozenset(one.step for one in played(techniques[each.to : at]))


def _steps(nodes: Sequence[Node]) -> Iterator[int]:
    for node in nodes:
        if isinstance(node, HostLoop):
            yield from _steps(node.body)
        elif isinstance(node, Segment):
            yield from (each.step for each in played(node.techniques))
