"""The steps of a plan as a readable tree: one line per step and what matters about it below.

The levels of a staircase do the same things with other numbers, so one line stands for all of them, with
numbers from the first level to the last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.device.program import Ask, SetPoint
from nakctl.plan import plan as p
from nakctl.render.leaf_text import detail, leaf_lines, line, net_charge
from nakctl.render.view import View
from nakctl.text.numbers import count, different, duration, listed, plural, span

FEW_LEVELS = 8


def tree(view: View) -> Iterator[str]:
    """The lines of all steps."""
    for step in view.scene.plan.steps:
        yield from _alike((step,), view, 0)


def _alike(steps: tuple[p.Step, ...], view: View, depth: int) -> Iterator[str]:
    """Lines of steps that differ in their numbers alone (one step, or one of each level)."""
    first = steps[0]
    match first:
        case p.Repeat():
            yield from _repeat(first, view, depth)
            inner = [step.steps for step in steps if isinstance(step, p.Repeat)]
        case p.Staircase():
            yield from _staircase(first, view, depth)
            inner = [one_pass for step in steps if isinstance(step, p.Staircase) for one_pass in step.passes]
        case p.If():
            yield from _if(first, view, depth)
            return
        case Ask():
            yield from line(first.label, depth, "until answered", "host", first.text)
            yield from detail(
                depth, "the cell is open meanwhile; Enter where the run is shown, or nakctl resume"
            )
            return
        case SetPoint():
            yield from _set([step for step in steps if isinstance(step, SetPoint)], view, depth)
            return
        case _:
            yield from leaf_lines(
                [step for step in steps if isinstance(step, p.Hold | p.Spectrum)], view, depth
            )
            return
    if len({tuple(map(shape, one_pass)) for one_pass in inner}) == 1:
        inner_steps: Sequence[tuple[p.Step, ...]] = list(zip(*inner, strict=True))
    else:
        inner_steps = [(step,) for one_pass in inner for step in one_pass]
    for same in inner_steps:
        yield from _alike(same, view, depth + 1)


def shape(step: p.Step) -> tuple[object, ...]:
    """What two steps must share to be told in one line: everything but their numbers."""
    match step:
        case p.Repeat():
            return ("repeat", step.times, str(step.until), *map(shape, step.steps))
        case p.Staircase():
            inner = (shape(each) for one_pass in step.passes for each in one_pass)
            return ("staircase", step.levels, *inner)
        case p.Spectrum():
            return ("spectrum", step.sweep.name, step.bias is None, len(step.cutoffs))
        case p.If():
            return ("if", str(step.when), *map(shape, step.then), "else", *map(shape, step.otherwise))
        case Ask():
            return ("ask", step.text)
        case SetPoint():
            return ("set", step.sensor, step.slope is None)
        case p.Hold():
            sweep = None if step.spectra is None else step.spectra.sweep.name
            of = (len(step.cutoffs), str(step.settle), None if step.same is None else step.same.label)
            return ("hold", step.kind, step.to is None, sweep, *of)


def _set(points: Sequence[SetPoint], view: View, depth: int) -> Iterator[str]:
    first = points[0]
    said = span([point.text for point in points])
    if first.slope is None:
        yield from line(first.label, depth, "", "host", f"{first.sensor} to {said}")
        return
    rate = span(different([point.slope.rate_text for point in points if point.slope is not None]))
    known = [ramp for ramp in view.ramps if ramp.point in points]
    takes = different([duration(ramp.duration_s) for ramp in known if ramp.duration_s is not None])
    starts = different([ramp.start_text or "where it is then" for ramp in known])
    yield from line(first.label, depth, "", "host", f"{first.sensor} to {said} at {rate}")
    lasts = f", takes {span(takes)}" if takes else ""
    yield from detail(depth, f"from {span(starts)}{lasts}; the next step begins at once")


def _if(step: p.If, view: View, depth: int) -> Iterator[str]:
    """Both ways."""
    yield from line(step.label, depth, "", "host", f"if {step.when}:")
    for side in step.then:
        yield from _alike((side,), view, depth + 1)
    if step.otherwise:
        yield from line(step.label, depth, "", "host", "else:")
    for side in step.otherwise:
        yield from _alike((side,), view, depth + 1)


def _repeat(repeat: p.Repeat, view: View, depth: int) -> Iterator[str]:
    one_pass = view.amounts(repeat.steps)
    area_cm2 = view.scene.plan.area_cm2
    of_pass = f"a pass: {duration(one_pass.duration_s)}, {plural(one_pass.samples, 'row')}"
    if one_pass.moved_C:
        of_pass += f", {net_charge(one_pass, area_cm2)}"
    until = "" if repeat.until is None else f"until {repeat.until}, asked by the host after each pass"
    if until and repeat.times is not None:
        of_pass += f"; {until}"
    if repeat.times is None:
        ends = until or "until a cutoff, a rule or a limit ends it"
        yield from line(repeat.label, depth, "without end", "", ends)
        yield from detail(depth, of_pass)
        return
    if repeat.times == 1 and not repeat.begins:
        yield from line(repeat.label, depth, duration(one_pass.duration_s), "", "")
        return
    total = one_pass * repeat.times
    in_all = net_charge(total, area_cm2) if total.moved_C else ""
    yield from line(
        f"{repeat.label}, {count(repeat.times)} times", depth, duration(total.duration_s), "", in_all
    )
    yield from detail(depth, of_pass)


def _staircase(staircase: p.Staircase, view: View, depth: int) -> Iterator[str]:
    levels = staircase.levels
    takes = duration(view.amount(staircase).duration_s)
    few = len(levels) <= FEW_LEVELS
    said = listed(levels) if few else f"levels 1..{len(levels)}: {span((levels[0], levels[-1]))}"
    yield from line(staircase.label, depth, takes, "", said)
