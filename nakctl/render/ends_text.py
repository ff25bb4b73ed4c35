"""Lines about what ends a step, who watches that, and what holds with the PC off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.device.ends import OF_THREE, End
from nakctl.device.program import Draw, Loop, Ocv, Segment, StepInfo, Tested, played
from nakctl.plan import plan as p
from nakctl.plan.held import held
from nakctl.plan.scene import Leaf
from nakctl.render.view import View
from nakctl.text.numbers import different, duration, span

MOST_PLACES = 3


def ends_told(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    yield from _cutoffs(leaves, view)
    yield from _asked(leaves, view)
    yield from _settling(leaves)
    yield from _without_time(leaves, view)
    yield from _held(leaves, view)


def _cutoffs(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    of_leaf = [view.scene.program.ends_of(leaf.step_id, "cutoff") for leaf in leaves]
    for same in zip(*of_leaf, strict=True):
        first = same[0]
        what = span(different([end.text for end in same]))
        watchers = " or ".join(different([_watcher(end, view) for end in same]))
        yield f"{what}: {first.then}, by {watchers}"


def _asked(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    """The time of a step with spectra, which no estimate decides."""
    ends = [end for leaf in leaves for end in view.scene.program.ends_of(leaf.step_id, "asked")]
    if ends:
        reaction = duration(view.scene.instrument.reaction_s)
        takes = span(different([duration(leaf.duration_s) for leaf in leaves if isinstance(leaf, p.Hold)]))
        yield f"ends after {takes}, by the host within {reaction}; a hold follows if the spectra end before"


def _held(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    """Which limits hold without the PC, who holds the others and how fast, and what happens if it is off."""
    of_steps = held(leaves, view.scene)
    by_host = f"by the host within {duration(view.scene.instrument.reaction_s)}"
    if of_steps.always:
        yield f"{_texts(of_steps.always)} by the instrument; other limits {by_host}"
    elif of_steps.before_sweeps:
        yield f"{_texts(of_steps.before_sweeps)} by the instrument before each spectrum; all limits {by_host}"
    else:
        yield f"all limits {by_host}"
    yield f"with the PC off {alone(leaves, view)}"


def _texts(ends: Sequence[End]) -> str:
    return ", ".join(end.text for end in ends)


def alone(leaves: Sequence[Leaf], view: View) -> str:
    """What a step does with nobody watching: its chain runs to its end by itself, then the cell is open."""
    program = view.scene.program
    chains = [view.scene.chain(leaf) for leaf in leaves]
    if any(ring := view.scene.ring(chain) for chain in chains):
        assert ring is not None
        more = f"for at most {ring.ahead} techniques more, as far as its chain was handed over"
        return f"it goes on {more}, then the cell is open"
    endless = [each for each in chains if _is_endless(each)]
    if endless:
        tested = any(isinstance(each, Tested) and each.tests for each in endless[0].techniques)
        return f"the chain goes on {'until the instrument stops it' if tested else 'without end'}"
    if program.ends_of(leaves[0].step_id, "asked"):
        takes = span(different([duration(view.once(leaf).duration_s) for leaf in leaves]))
        return f"it goes on for about {takes}, then the cell is open"
    lasts = [played(chain.techniques)[-1].step for chain in chains]
    repeated = any(isinstance(each, Loop) and each.passes for chain in chains for each in chain.techniques)
    if lasts == [leaf.step_id for leaf in leaves] and not repeated:
        return "it goes to its end, then the cell is open"
    places = different([_place(program.step(step)) for step in lasts])
    if len(places) == 1:
        return f"the chain goes on to the end of {places[0]}, then the cell is open"
    return f"each chain goes on to its end ({_span_of(places)}), then the cell is open"


def _is_endless(chain: Segment) -> bool:
    return any(isinstance(each, Loop) and each.times is None for each in chain.techniques)


def _place(step: StepInfo) -> str:
    """Its number; with its label where a staircase has many of that number."""
    return step.label if step.level else step.label.partition(" ")[0]


def _span_of(places: Sequence[str]) -> str:
    return "; ".join(places) if len(places) <= MOST_PLACES else f"{places[0]}; ...; {places[-1]}"


def _without_time(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    """What becomes of a step that only a cutoff ends, if that is not met for long."""
    program = view.scene.program
    holds = [leaf for leaf in leaves if isinstance(leaf, p.Hold) and leaf.alone_s is not None]
    if not holds:
        return
    longest = f"no time was given: at most {duration(holds[0].duration_s)} (limits.time)"
    if not any(program.ends_of(leaf.step_id, "unmet") for leaf in holds):
        yield longest
        return
    alone_s = [duration(sum(each.duration_s for each in _holds(leaf, view))) for leaf in holds]
    why = f" ({holds[0].known})" if holds[0].known else ""
    gap = duration(view.scene.instrument.load_s)
    yield (
        f"{longest}; what is not met in {span(different(alone_s))}{why} stops the chain, and the host goes "
        f"on with the step after a gap of {gap}"
    )


def _holds(leaf: Leaf, view: View) -> list[Ocv | Tested | Draw]:
    return [each for each in view.scene.techniques(leaf) if isinstance(each, Ocv | Tested | Draw)]


def _settling(leaves: Sequence[Leaf]) -> Iterator[str]:
    """What a step that waits for a sensor waits for, and what a time-out means."""
    settles = [leaf.settle for leaf in leaves if isinstance(leaf, p.Hold) and leaf.settle is not None]
    if settles:
        yield f"{span(different([str(settle) for settle in settles]))}: next step, by the host"
        yield f"not settled in this time: {settles[0].then}"


def _watcher(end: End, view: View) -> str:
    if end.by == "instrument":
        return "the instrument"
    within = f"the host within {duration(view.scene.instrument.reaction_s)}"
    return within if end.quantity in OF_THREE else f"{within} of the row"
