"""The steps of a plan as a tree of what each says of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nakctl.device.program import Ask, SetPoint
from nakctl.plan import plan as p
from nakctl.plan.scene import Leaf
from nakctl.protocol.model import LEVELS
from nakctl.render.difference.facts import of_leaves
from nakctl.render.difference.value import Fact
from nakctl.render.leaf_text import shared_label
from nakctl.render.tree import shape
from nakctl.render.view import View
from nakctl.text.numbers import different, listed, plural, span
from nakctl.text.units import parse

LEVELS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A step of a plan, or the same step at all levels of a staircase.

    kind    what it is, without its numbers
    inner   the steps that it holds
    """

    number: str
    name: str
    kind: str
    facts: tuple[Fact, ...]
    inner: tuple[Entry, ...] = ()


def entries(view: View) -> tuple[Entry, ...]:
    """All steps of a plan."""
    return tuple(_entry((step,), view) for step in view.scene.plan.steps)


def _entry(steps: Sequence[p.Step], view: View) -> Entry:
    """Of steps that differ in their numbers alone: one, or one of each level."""
    first = steps[0]
    number, _, name = first.label.partition(" ")
    match first:
        case p.Repeat():
            inner = _inner([step.steps for step in steps if isinstance(step, p.Repeat)], view)
            return Entry(number, name, "repeat", tuple(_of_repeat(first)), inner)
        case p.Staircase():
            passes = [each for step in steps if isinstance(step, p.Staircase) for each in step.passes]
            return Entry(number, name, "staircase", tuple(_of_staircase(first)), _inner(passes, view))
        case p.If():
            then, otherwise = _inner([first.then], view), _inner([first.otherwise], view)
            when = Fact("condition", (first.when.label, first.when.by), str(first.when))
            sides = Fact("steps of the first side", (len(then),), str(len(then)))
            return Entry(number, name, "if", (when, sides), (*then, *otherwise))
        case Ask():
            return Entry(number, name, "ask", (Fact("asks", (first.text,), first.text),))
        case SetPoint():
            points = [step for step in steps if isinstance(step, SetPoint)]
            return Entry(number, f"set {first.sensor}", "set", tuple(_of_set(points)))
        case _:
            leaves = [step for step in steps if isinstance(step, p.Hold | p.Spectrum)]
            number, _, name = shared_label([leaf.label for leaf in leaves]).partition(" ")
            return Entry(number, name, _kind(leaves[0]), tuple(of_leaves(leaves, view)))


def _inner(passes: Sequence[Sequence[p.Step]], view: View) -> tuple[Entry, ...]:
    """Of several passes through the same steps."""
    if len({tuple(map(shape, one_pass)) for one_pass in passes}) == 1:
        return tuple(_entry(same, view) for same in zip(*passes, strict=True))
    return tuple(_entry((step,), view) for one_pass in passes for step in one_pass)


def _kind(leaf: Leaf) -> str:
    return leaf.sweep.control if isinstance(leaf, p.Spectrum) else leaf.technique or leaf.kind


# --- steps that hold others ------------------------------------------------------------------------------


def _of_repeat(repeat: p.Repeat) -> Iterator[Fact]:
    passes = "without end" if repeat.times is None else plural(repeat.times, "time")
    yield Fact("passes", (repeat.times,), passes)
    if repeat.until is not None:
        yield Fact("until", (repeat.until.label, repeat.until.by), str(repeat.until))


def _of_staircase(staircase: p.Staircase) -> Iterator[Fact]:
    texts = staircase.levels
    if staircase.is_table:
        yield Fact("lines", (len(texts),), plural(len(texts), "line"))
        return
    many = len(texts) > LEVELS_SHOWN
    said = f"{len(texts)} levels, {span((texts[0], texts[-1]))}" if many else listed(texts)
    yield Fact("levels", tuple(parse(text, LEVELS, zero=True).value for text in texts), said)


def _of_set(points: Sequence[SetPoint]) -> Iterator[Fact]:
    yield Fact("set-point", tuple(point.value for point in points), span([point.text for point in points]))
    slopes = [point.slope for point in points if point.slope is not None]
    if slopes:
        yield Fact("rate", tuple(s.rate for s in slopes), span(different([s.rate_text for s in slopes])))
        starts = [s.start_text or "where it is then" for s in slopes]
        yield Fact("from", tuple(s.start for s in slopes), span(different(starts)))
