"""What is left of one chain, as chains that begin with their first technique.

Before each of them the cell is at open circuit, which decides what cannot simply go on:

- A hold (OCV, CP, CA) that was cut goes on with the time that is missing. A sweep begins anew, and with it
  its whole spectrum; so does a step that waits for a sensor, whose time is only the longest that it may wait.
- The pulse at the trigger output that belongs to the beginning of a step is not sent again.
- What leads to a sweep is repeated: the rest whose potential it is biased against, the sentinel that tests
  the limits. A sentinel that was left out because the hold before held the same is put in.
- A sentinel behind a hold tests what the hold goes on from: a moment of the hold comes before it. Without one
  the host would take the cutoff for its own, and leave the whole chain.

A chain that becomes longer than the instrument can hold is cut where a pass begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from nakctl.device.feeding import ring_of
from nakctl.device.instrument import Instrument
from nakctl.device.known import held_for
from nakctl.device.program import (
    Done,
    Eis,
    Loop,
    Ocv,
    Program,
    Segment,
    Technique,
    Tested,
    is_sentinel,
    played,
    size_of,
)
from nakctl.device.techniques import kind_of, stops
from nakctl.plan.techniques import OCV_BEFORE_PEIS_s, SENTINEL_s, sentinel

LEAD = 2  # techniques that may have to come before a chain
SHORTEST_s = SENTINEL_s  # no technique is shorter: where less is missing of a hold, nothing is


class Place(NamedTuple):
    """In a chain, in the words of `remainder`. step_over: what is left of the step is left out."""

    technique: int
    passes: int
    lasted_s: float | None = None
    step_over: bool = False


class _Item(NamedTuple):
    """A technique of what is left.

    at         its place in the chain that it comes from, where a loop counts as it did; -1: it was put in
    new_cycle  a cycle begins with it, also where no loop of what is left leads there
    """

    at: int
    technique: Technique
    new_cycle: bool = False


def unrolled(program: Program, segment: Segment, place: Place, device: Instrument) -> list[Segment]:
    """Chains that the instrument holds, or is fed; none: nothing is left."""
    most = device.chain_length
    chains: list[list[_Item]] = []
    for part in _parts(program, segment, place):
        if part and chains and _size(chains[-1]) + _size(part) <= most:
            chains[-1] += part
        elif part:
            chains.append(_led_to(program, segment.techniques, part))
    fitting = (some for items in chains for some in _fitting(program, segment.techniques, items, device))
    return [Segment(_placed(items), new_cycle=_cycles(items)) for items in fitting]


def _fitting(
    program: Program, techniques: Sequence[Technique], items: list[_Item], device: Instrument
) -> Iterator[list[_Item]]:
    """A chain that was fed, and cannot be any more, is cut where steps begin."""
    most, chain = device.chain_length, [item.technique for item in items]
    is_fed = device.feeds and ring_of(chain, device) is not None
    if size_of(chain) <= most or is_fed or any(isinstance(each, Loop) for each in chain):
        yield items
        return
    begins = {at for at in range(1, len(items)) if _step(chain[at]) != _step(chain[at - 1])}
    start = 0
    while _size(items[start:]) > most and start + 1 < len(items):
        one = start + 1  # at least, however little the channel holds
        fitting = [at for at in range(one, len(items)) if at == one or _size(items[start:at]) <= most - LEAD]
        cut = max((at for at in fitting if at in begins), default=fitting[-1])
        yield _led_to(program, techniques, items[start:cut]) if start else items[start:cut]
        start = cut
    yield _led_to(program, techniques, items[start:]) if start else items


def _size(items: Sequence[_Item]) -> int:
    return size_of([item.technique for item in items])


def done_at(segment: Segment, at: int | None) -> Done:
    """The technique in that place; None: the last one."""
    if at is None:
        return played(segment.techniques)[-1]
    done = segment.techniques[at] if 0 <= at < len(segment.techniques) else None
    if done is None or isinstance(done, Loop):
        raise ValueError(f"there is no technique {at} in the chain")
    return done


def fewer(times: int | None, done: int) -> int | None:
    return None if times is None else times - done


def _parts(program: Program, segment: Segment, place: Place) -> Iterator[list[_Item]]:
    """What is left of the chain, in parts that begin where a pass of a loop does: each is a piece of it."""
    techniques, at, begin = segment.techniques, place.technique, place.technique + 1
    step = done_at(segment, at).step
    now = [_Item(k, _begun(each)) for k, each in enumerate(techniques[: at + 1])]
    now += [_Item(k, each, k in segment.new_cycle) for k, each in enumerate(techniques[at + 1 :], at + 1)]
    if (cut := _missing(program, techniques, place)) is not None:
        now[at], begin = _Item(at, _begun(cut)), at
    part: list[_Item] = []
    for end, loop, done in _loops_around(techniques, at, place.passes):
        begin = _begin(techniques, begin, end, step if place.step_over else None) if not part else begin
        if not part and place.step_over and begin == end and _is_within(techniques, loop, end, step):
            begin = end + 1
            continue
        part += now[begin:end]
        begin = end + 1
        body = [_Item(k, techniques[k], k in segment.new_cycle) for k in range(loop.to, end)]
        if [item[:2] for item in part] == [item[:2] for item in body]:  # nothing was done of this pass
            part = _looped(part, end, loop, fewer(loop.times, done))
        elif (more := fewer(loop.times, done + 1)) != 0:
            yield part
            body[0] = body[0]._replace(new_cycle=loop.passes)
            part = _looped(body, end, loop, more)
    if not part:
        begin = _begin(techniques, begin, len(techniques), step if place.step_over else None)
    yield part + now[begin:]


def _loops_around(techniques: Sequence[Technique], at: int, passes: int) -> Iterator[tuple[int, Loop, int]]:
    """(place, loop, passes that were done) of the loops around a technique, from inside."""
    loops = [(place, each) for place, each in enumerate(techniques) if isinstance(each, Loop)]
    if any(inner.to < outer.to <= place for (place, inner), (_, outer) in combinations(loops, 2)):
        raise ValueError("the loops of the chain do not lie within each other")
    for place, loop in loops:
        if loop.to <= at < place:
            passes, done = (0, passes) if loop.times is None else divmod(passes, loop.times)
            yield place, loop, done
    if passes:
        raise ValueError(f"technique {at} of the chain is not started as often as that")


def _looped(body: list[_Item], place: int, loop: Loop, times: int | None) -> list[_Item]:
    return body if times == 1 else [*body, _Item(place, replace(loop, times=times))]


def _begin(techniques: Sequence[Technique], begin: int, end: int, past: int | None) -> int:
    """Where what is left before `end` begins. past: a step that is over, which does not lead into a loop."""
    inner = [each.to for each in techniques[begin:end] if isinstance(each, Loop)]
    stop = min([end, *(to for to in inner if to >= begin)])
    while past is not None and begin < stop and _step(techniques[begin]) == past:
        begin += 1
    return _lead_to(techniques, begin) if begin < end else begin


def _is_within(techniques: Sequence[Technique], loop: Loop, end: int, step: int) -> bool:
    """Whether a loop does nothing but spectra of this step."""
    return not loop.passes and {each.step for each in played(techniques[loop.to : end])} == {step}


def _step(technique: Technique) -> int | None:
    return None if isinstance(technique, Loop) else technique.step


def _placed(items: Sequence[_Item]) -> tuple[Technique, ...]:
    """As a chain, in which loops lead back as far as they did."""
    made: list[Technique] = []
    for place, item in enumerate(items):
        one = item.technique
        made.append(replace(one, to=place - (item.at - one.to)) if isinstance(one, Loop) else one)
    return tuple(made)


def _cycles(items: Sequence[_Item]) -> tuple[int, ...]:
    return tuple(place for place, item in enumerate(items) if item.new_cycle)


# --- what cannot begin by itself ------------------------------------------------------------------------


def _missing(program: Program, techniques: Sequence[Technique], place: Place) -> Done | None:
    """What is missing of a technique that was cut; None: nothing, or it was not cut."""
    technique = techniques[place.technique]
    if place.lasted_s is None or isinstance(technique, Loop):
        return None
    if isinstance(technique, Eis) or is_sentinel(technique) or place.lasted_s <= 0:
        return technique
    if program.step(technique.step).settle is not None or _leads_on(techniques, place.technique):
        return technique
    left_s = technique.duration_s - place.lasted_s
    return None if left_s < SHORTEST_s else held_for(technique, left_s)


def _begun(technique: Technique) -> Technique:
    """Of a step that has begun already: its pulse was sent."""
    return technique if isinstance(technique, Loop) else replace(technique, trigger_s=0.0)


def _leads_on(techniques: Sequence[Technique], at: int) -> bool:
    """Whether this technique is there for the sake of the sweep behind it."""
    if not 0 <= at < len(techniques) - 1:
        return False
    lead, sweep = techniques[at], techniques[at + 1]
    if not isinstance(sweep, Eis) or _step(lead) != sweep.step:
        return False
    return isinstance(lead, Ocv) if sweep.vs_previous else is_sentinel(lead)


def _lead_to(techniques: Sequence[Technique], at: int) -> int:
    """Where a chain has to begin that goes on with this technique; in a spectrum before its first sweep."""
    technique = techniques[at]
    while at and isinstance(technique, Eis) and technique.continues:
        at -= 1
        technique = techniques[at]
    return at - 1 if _leads_on(techniques, at - 1) else at


def _led_to(program: Program, techniques: Sequence[Technique], part: list[_Item]) -> list[_Item]:
    """With what has to come before it, because a chain begins with it."""
    first = part[0]
    begin = _lead_to(techniques, first.at)
    put_in = _put_in(program, techniques, begin)
    again = enumerate(techniques[begin : first.at], begin)
    lead = [*(_Item(-1, each) for each in put_in), *(_Item(k, _begun(each)) for k, each in again)]
    if not lead:
        return part
    lead[0] = lead[0]._replace(new_cycle=first.new_cycle)
    return [*lead, first._replace(new_cycle=False), *part[1:]]


def _put_in(program: Program, techniques: Sequence[Technique], at: int) -> tuple[Technique, ...]:
    """What a technique lacks if a chain begins with it."""
    technique, before = techniques[at], techniques[at - 1] if at else None
    if isinstance(technique, Eis) and technique.vs_previous:
        every_s = min(technique.every_s, OCV_BEFORE_PEIS_s)
        return (Ocv(technique.step, OCV_BEFORE_PEIS_s, every_s, None, technique.hardware),)
    if not isinstance(before, Tested):
        return ()
    if isinstance(technique, Eis) and stops(before) and _holds(before, technique):
        tests = tuple(test for test in before.tests if test.end and program.end(test.end).step == 0)
        kind = "ca" if kind_of(before).imposes == "Ewe" else "cp"
        return sentinel(technique.step, kind, technique.bias, tests, technique.hardware)
    if is_sentinel(technique) and before.on_test == "next" and before.step == _step(technique):
        return (held_for(before, SHORTEST_s),)
    return ()


def _holds(hold: Tested, sweep: Eis) -> bool:
    """Whether it holds the current or the potential that the sweep swings around."""
    level = hold.level if hold.to is None else hold.to
    return kind_of(hold).imposes == kind_of(sweep).imposes and level == sweep.bias
