"""Checks of ranges: they exist, hold what is imposed, and show what has to be seen.

Readings stop at the end of a range. So a limit or a cutoff that lies there, or beyond, can never be met.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.checks.findings import Finding, error, warning
from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange
from nakctl.device.program import Eis
from nakctl.device.techniques import kind_of
from nakctl.plan import plan as p
from nakctl.plan.scene import Leaf, Scene, ends_V, peak_A, sweep_of
from nakctl.text.numbers import listed, si

BLIND = "readings stop there, so it would never be seen"


def ranges(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Ranges that the user fixed: they must exist, and hold what is asked."""
    for hardware in dict.fromkeys(each.hardware for each in scene.techniques(leaf)):
        yield from _current_range(leaf, hardware.I_range, scene)
        yield from _potential_range(leaf, hardware.E_range, scene)
        if hardware.bandwidth > scene.instrument.bandwidth_max:
            message = f"{leaf.label}: bandwidth {hardware.bandwidth}; the {scene.instrument.name} has "
            message += f"1 to {scene.instrument.bandwidth_max}"
            yield error("bandwidth", leaf.mark, message)


def _current_range(leaf: Leaf, name: str, scene: Scene) -> Iterator[Finding]:
    found, needed_A = scene.I_range(name), peak_A(leaf)
    if found is None:
        yield _unknown("I-range", leaf, f"{name} is no current range", scene.instrument.I_ranges, scene)
    elif needed_A is not None and found.full_A * (1 + 1e-9) < needed_A <= scene.instrument.I_max_A:
        fits = next(each.name for each in scene.instrument.I_ranges if needed_A <= each.full_A * (1 + 1e-9))
        message = f"{leaf.label}: |I| reaches {si(needed_A, 'A')}, beyond the {name} range"
        yield error("I-range", leaf.mark, message, f"{fits} would hold it")
    elif needed_A is not None and not found.shows(needed_A) and needed_A <= found.full_A * (1 + 1e-9):
        message = f"{leaf.label}: |I| reaches {si(needed_A, 'A')} and fills the {name} range"
        yield warning("I-range-full", leaf.mark, message, "many rows will be flagged as overloads")


def _potential_range(leaf: Leaf, name: str, scene: Scene) -> Iterator[Finding]:
    """Cutoffs and goals need no look of their own: beyond limits.Ewe they never act."""
    found = scene.E_range(name)
    if found is None:
        yield _unknown("E-range", leaf, f"{name} is no potential range", scene.instrument.E_ranges, scene)
        return
    if name == scene.instrument.E_ranges[-1].name:
        return  # what the widest range does not hold is said once, of limits.Ewe
    help = "leave the range out, and one that fits is chosen"
    asked = [(each.value, each.named) for each in _limits(scene, "Ewe")]
    asked += [(end_V, f"Ewe of {si(end_V, 'V')}") for end_V in dict.fromkeys(ends_V(leaf))]
    for value_V, what in asked:
        if not found.low_V <= value_V <= found.high_V:
            yield error("E-range", leaf.mark, f"{leaf.label}: {what} is outside of the {name} range", help)
        elif not found.shows(value_V):
            message = f"{leaf.label}: {what} is at the end of the {name} range: {BLIND}"
            shown = f"this one shows {si(found.least_V, 'V')} to {si(found.most_V, 'V')}"
            yield error("E-range", leaf.mark, message, f"{help}; {shown}")


def _unknown(
    rule: str, leaf: Leaf, what: str, there_are: Sequence[CurrentRange | PotentialRange], scene: Scene
) -> Finding:
    names = listed([each.name for each in there_are])
    return error(rule, leaf.mark, f"{what} of the {scene.instrument.name}", names)


def _limits(scene: Scene, quantity: str) -> list[p.Limit]:
    return [each for each in scene.plan.limits.all if each.quantity == quantity]


def unseen_limit(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under potential control the cell decides the current, so limits.I has to be seen.

    A cutoff that the range shows, and that comes first, will do instead. At open circuit an amplitude of some
    millivolts is all there is: no reason to refuse a fine range.
    """
    for limit in _limits(scene, "|I|"):
        for found, rests in _ranges_of_potential_control(leaf, scene):
            covered = any(_is_met_before(cutoff, limit, found) for cutoff in leaf.cutoffs)
            if found.shows(limit.value) or covered:
                continue
            message = f"{leaf.label}: {limit.named} {_place(limit.value, found)}: {BLIND}"
            help = f"limits.I of {si(found.most_A, 'A')} or less{_wider(limit.value, scene.instrument)}"
            if rests:
                yield warning("unseen-limit", leaf.mark, message, help)
            else:
                own = f"`until: {{I_above: {si(found.most_A, 'A')}, then: end run}}` in this step"
                yield error("unseen-limit", leaf.mark, message, f"{help}, or {own}")


def unseen_cutoff(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A cutoff of |I| that its range does not show is never met (above), or met by any current (below)."""
    limit_A = scene.plan.limits.I_max_A
    for cutoff in leaf.cutoffs:
        if cutoff.quantity != "|I|" or (limit_A is not None and cutoff.value > limit_A):
            continue  # beyond limits.I: said of the limit
        for found, _ in _ranges_of_potential_control(leaf, scene):
            if found.shows(cutoff.value):
                continue
            blind = BLIND if cutoff.side == "above" else "readings stop there, so any current would meet it"
            message = f"{leaf.label}: {cutoff.text} {_place(cutoff.value, found)}: {blind}"
            help = f"{si(found.most_A, 'A')} or less{_wider(cutoff.value, scene.instrument)}"
            yield error("unseen-cutoff", cutoff.mark, message, help)


def _ranges_of_potential_control(leaf: Leaf, scene: Scene) -> Iterator[tuple[CurrentRange, bool]]:
    """Those in which the cell decides the current, and whether it is at open circuit otherwise."""
    controlled = [each for each in scene.techniques(leaf) if kind_of(each).leaves_current_open]
    rests = all(isinstance(each, Eis) and each.vs_previous for each in controlled)
    for name in dict.fromkeys(each.hardware.I_range for each in controlled):
        found = scene.I_range(name)
        if found is not None:
            yield found, rests


def _is_met_before(cutoff: p.Cutoff, limit: p.Limit, found: CurrentRange) -> bool:
    is_first = (cutoff.quantity, cutoff.side) == ("|I|", "above") and cutoff.value <= limit.value
    return is_first and found.shows(cutoff.value)


def _place(current_A: float, found: CurrentRange) -> str:
    return f"is {'beyond' if current_A > found.full_A else 'at the end of'} the {found.name} range"


def _wider(current_A: float, instrument: Instrument) -> str:
    """The range that would show it, if there is one."""
    wider = next((each.name for each in instrument.I_ranges if each.shows(current_A)), None)
    return "" if wider is None else f", or the {wider} range"


def unknown_current(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under potential control the current is not known before; without a hint it gets the largest range."""
    widest, sweep = scene.instrument.I_ranges[-1], sweep_of(leaf)
    fixed = [leaf.ranges.I] if isinstance(leaf, p.Hold) else []
    fixed += [sweep.ranges.I] if sweep is not None else []
    if scene.plan.limits.I_max_A is not None or any(fixed):
        return
    if any(kind_of(each).leaves_current_open for each in scene.techniques(leaf)):
        step = si(widest.full_A * scene.instrument.I_step, "A", 2)
        message = f"{leaf.label}: nothing says how large the current gets, so its range is {widest.name}"
        help = f"resolution {step}: give limits.I, or the range"
        yield warning("unknown-current", leaf.mark, message, help)


def range_of_limit(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """Under potential control limits.I chooses the range, which has to show more than the limit."""
    for limit in _limits(scene, "|I|"):
        filled = next((each for each in scene.instrument.I_ranges if limit.value <= each.full_A), None)
        used = next((found for found, _ in _ranges_of_potential_control(leaf, scene)), None)
        if filled is None or used is None or filled.shows(limit.value) or not used.shows(limit.value):
            continue
        message = f"{leaf.label}: {limit.named} fills the {filled.name} range, "
        message += f"so the current is measured in the {used.name} range"
        help = f"a limit of {si(filled.most_A, 'A')} or less keeps the {filled.name} range"
        yield warning("range-of-limit", leaf.mark, message, help)


RANGE_CHECKS = (ranges, unseen_limit, unseen_cutoff, unknown_current, range_of_limit)
