"""Where a chain was cut that somebody stopped on the way, and what of its program is left from there on.

A pause and a step that is skipped are the same thing twice: the chain is stopped, what is left of the program
(`remainder`) takes the place of the program, and is begun with; after a pause not before somebody says so.
"""

from __future__ import annotations

from typing import NamedTuple, TypeGuard

from nakctl.booking.chain import ELAPSED_SLACK_s
from nakctl.booking.ending import Ending
from nakctl.booking.ledger import LastRows
from nakctl.booking.spectra import Sweep
from nakctl.decide.engine import Frame
from nakctl.decide.proof import is_final
from nakctl.decide.remainder import remainder
from nakctl.decide.unrolled import SHORTEST_s, done_at
from nakctl.device.channel import Visit
from nakctl.device.program import Draw, Eis, Loop, Ocv, Program, Segment, Technique, Tested, is_sentinel

AT_ITS_BEGIN = Visit(0, 0, 0.0)


class Cut(NamedTuple):
    """A place in a chain, in the words of `remainder`. lasted_s None: the technique was done."""

    technique: int
    passes: int
    lasted_s: float | None


def cut_at(segment: Segment, visit: Visit | None, last: LastRows | None, elapsed_s: float) -> Cut:
    """visit: of the newest row, None: there was none; elapsed_s: for how long the chain was seen to run."""
    visit = visit or AT_ITS_BEGIN
    technique = segment.techniques[visit.technique]
    assert not isinstance(technique, Loop)
    if isinstance(technique, Eis):
        is_over, lasted_s = last is not None and Sweep.of(technique).is_done(last.swept), 0.0
    else:
        lasted_s = max(elapsed_s, 0.0 if last is None else last.time_s) - visit.start_s
        is_over = technique.duration_s - lasted_s < SHORTEST_s
    return Cut(visit.technique, visit.passes, None if is_over else max(0.0, lasted_s))


def at_unmet(segment: Segment, visit: Visit | None) -> tuple[Cut, bool]:
    """Where a step is held on that a sentinel found unmet: at the first of its techniques, anew.

    And whether it was left before its time, so that its cutoff was met, and the sentinel read something else.
    Known where the chain began with this very step.
    """
    visit = visit or AT_ITS_BEGIN
    of_step = done_at(segment, visit.technique).step
    first = visit.technique
    while first and _is_hold(before := segment.techniques[first - 1]) and before.step == of_step:
        first -= 1
    holds = [each for each in segment.techniques[first : visit.technique] if _is_hold(each)]
    planned_s = sum(each.duration_s for each in holds)
    early = not first and not visit.passes and visit.start_s < planned_s - ELAPSED_SLACK_s
    return Cut(first, visit.passes, 0.0), early and is_sentinel(segment.techniques[visit.technique])


def _is_hold(technique: Technique) -> TypeGuard[Ocv | Tested | Draw]:
    return isinstance(technique, Ocv | Tested | Draw)


def is_whole(segment: Segment, cut: Cut) -> bool:
    """Whether the chain had come to its end all the same."""
    return cut.lasted_s is None and is_final(segment, Visit(cut.technique, cut.passes, 0.0))


def is_cut(ending: Ending | None) -> TypeGuard[Ending]:
    """Whether a chain that ended like this was cut by somebody, and what is left of it follows."""
    return ending is not None and (ending.then == "go on" or ending.kind == "skipped")


def left_behind(
    program: Program,
    position: tuple[Frame, ...],
    cut: Cut | None,
    ending: Ending | None,
    step_s: float,
    loaded: Segment | None = None,
) -> Program:
    """What is left. cut None: the segment was done; ending: of it; step_s, loaded: as for `remainder`."""
    then = None if ending is None or ending.then == "go on" else ending.then
    if cut is None:
        return remainder(program, position, step_s=step_s, then=then)
    return remainder(
        program, position, cut.technique, cut.passes, lasted_s=cut.lasted_s, step_s=step_s, then=then,
        loaded=loaded,
    )  # fmt: skip
