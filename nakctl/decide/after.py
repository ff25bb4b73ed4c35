"""Where a run ends or pauses that somebody asked to do so at a boundary: after the step, the cycle or the
spectrum; or now, as a step that is skipped.

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
from nakctl.decide.engine import (
    NOTHING,
    Begin,
    ChainEnded,
    EngineState,
    Event,
    Known,
    Load,
    Phase,
    Replaced,
    react,
    went_round,
)
from nakctl.decide.proof import is_final
from nakctl.device.channel import Visit
from nakctl.device.program import Branch, Eis, HostLoop, Loop, Node, Program, Segment, played

After = Literal["step", "cycle", "spectrum", "now"]
BOUNDARIES: tuple[After, ...] = ("step", "cycle", "spectrum")
Verb = Literal["stop", "pause", "skip"]  # the gravest first


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
    """Somebody wants the run to end or to pause at the next boundary from a place on, or the step there to be
    skipped, which is done now. why: in their words, "" if they gave none.
    """

    after: After
    who: str
    place: Place
    verb: Verb = "stop"
    why: str = ""

    @property
    def number(self) -> int:
        """Of the step, cycle or spectrum that it waits for."""
        place = self.place
        numbers = {"step": place.step, "cycle": place.cycle, "spectrum": place.spectra + 1}
        return numbers.get(self.after, place.step)

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
        case "now":
            return wish.verb != "skip" or place.step == wish.place.step


def is_too_late(wish: Wish, place: Place) -> bool:
    """Whether the step that was to be skipped was over before."""
    return wish.verb == "skip" and place.step > wish.place.step


def met(
    program: Program, wishes: Iterable[Wish], place: Place, segment: Segment, visit: Visit | None
) -> Ending | None:
    """The end that rows of a chain under way ask for. visit: that of the newest one."""
    found = (wish for wish in wishes if is_over(program, wish, place))
    wish = gravest(wish for wish in found if not _ends_anyway(wish, segment, visit))
    return None if wish is None else ending(program, wish)


def gravest(wishes: Iterable[Wish]) -> Wish | None:
    return min(wishes, key=lambda wish: get_args(Verb).index(wish.verb), default=None)


def _ends_anyway(wish: Wish, segment: Segment, visit: Visit | None) -> bool:
    """The spectrum was the last that the chain does: it needs no stop, and what follows is decided then."""
    if wish.after != "spectrum" or visit is None:
        return False
    return isinstance(segment.techniques[visit.technique], Eis) and is_final(segment, visit)


def instead(
    program: Program,
    state: EngineState,
    event: Event,
    wishes: Sequence[Wish],
    place: Place,
    known: Known = NOTHING,
) -> Event:
    """The event that the engine gets where something would be loaded: if it was wished for before that, the
    end of the run or a pause for that of the chain. A step that is to be skipped is skipped once it runs.
    """
    if not wishes or not isinstance(event, ChainEnded | Replaced):
        return event
    after, commands = react(program, state, event, known)
    while after.phase is Phase.PAUSED and after.position:  # somebody is asked before that
        after, commands = react(program, after, Begin(), known)
    load = next((command for command in commands if isinstance(command, Load)), None)
    if load is None:  # the run is over, and ends as it does; or first the capacity is taken: asked again then
        return event
    new_cycle = isinstance(event, ChainEnded) and went_round(state.position, after.position)
    next_place = entered(program, place, load.segment, new_cycle=new_cycle)
    found = (wish for wish in wishes if wish.verb != "skip" and is_over(program, wish, next_place))
    wish = gravest(found)
    return event if wish is None else ChainEnded(ending(program, wish))


def ending(program: Program, wish: Wish) -> Ending:
    """What it comes to at its boundary."""
    where = "" if wish.after == "now" else f" after {wish.told(program)}"
    why = f": {wish.why}" if wish.why else ""
    match wish.verb:
        case "stop":
            return Ending("end run", f"stopped by {wish.who}{where}{why}", "aborted", "operator")
        case "pause":
            return Ending("go on", f"paused by {wish.who}{where}{why}", "aborted", "operator")
        case "skip":
            return Ending("next step", f"skipped by {wish.who}{why}", "aborted", "skipped")


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
        if isinstance(node, Branch):
            yield from _loops(node.body)
        elif isinstance(node, HostLoop):
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
        if isinstance(node, HostLoop | Branch):
            yield from _steps(node.body)
        elif isinstance(node, Segment):
            yield from (each.step for each in played(node.techniques))
