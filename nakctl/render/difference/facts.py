"""What a hold or a spectrum says of itself, as facts that can be compared one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from nakctl.device.ends import Side
from nakctl.plan import plan as p
from nakctl.plan.held import held
from nakctl.plan.scene import Leaf, sweep_of
from nakctl.render.difference.value import Fact, Weighs
from nakctl.render.ends_text import alone
from nakctl.render.leaf_text import criteria, is_closed, rhythm
from nakctl.render.view import View
from nakctl.text.numbers import (
    areal_charge,
    areal_current,
    count,
    different,
    duration,
    plural,
    si,
    span,
)

IMPOSED = {"A": "current", "V": "potential", "W": "power", "ohm": "load"}
UNITS = {
    "Ewe": "V", "Ece": "V", "Ewe-Ece": "V", "|I|": "A", "charge": "C", "dEwe/dt": "V/s", "dI/dt": "A/s",
    "time": "s",
}  # fmt: skip
_GRAVER = ("end run", "end loop", "next step")  # what ends the run ends the loop and the step as well
PC_OFF = "with the PC off"
_HOW_FAR = re.compile(r"\(.*\)|\b(?:end of|at most|about) [^,]*")


def of_leaves(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    """What is imposed, for how long, what it moves, what ends it, what is measured, and who holds limits."""
    yield from _imposed(leaves, view)
    yield from _time(leaves, view)
    yield from _charge(leaves, view)
    yield from _cutoffs(leaves, view)
    yield from _spectra(leaves, view)
    yield from _hardware(leaves, view)
    said = span(different([criteria(leaf) for leaf in leaves]))
    yield Fact("a row", tuple(map(_record, leaves)), said, is_setting=True)
    pulses = tuple(leaf.trigger_s for leaf in leaves)
    said = span(different([si(pulse_s, "s") if pulse_s else "no pulse" for pulse_s in pulses]))
    yield Fact("trigger output", pulses, said, "s", is_setting=True)
    yield from _watched(leaves, view)


def _imposed(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    unit, area_cm2 = _unit(leaves[0]), view.scene.plan.area_cm2
    if not unit:
        return
    name, areal = IMPOSED[unit], "A/cm2" if unit == "A" else unit
    levels = [_level(leaf) for leaf in leaves]
    relative = [leaf.relative for leaf in leaves if leaf.relative is not None]
    of = tuple((each.of, each.add_V) for each in relative) or _areal(levels, unit, area_cm2)
    said = [each.text for each in relative] or [_said(level, unit, area_cm2) for level in levels]
    ends = [leaf.to for leaf in leaves if isinstance(leaf, p.Hold) and leaf.to is not None]
    yield Fact(f"{name} from" if ends else name, of, span(said), areal)
    if ends:
        to = span([_said(end, unit, area_cm2) for end in ends])
        yield Fact(f"{name} to", _areal(ends, unit, area_cm2), to, areal)


def _unit(leaf: Leaf) -> str:
    """Of what the instrument imposes; empty at rest."""
    if not is_closed(leaf) and leaf.relative is None:
        return ""
    if isinstance(leaf, p.Spectrum):
        return "A" if leaf.sweep.control == "geis" else "V"
    return {"cp": "A", "ca": "V", "power": "W", "load": "ohm"}.get(leaf.kind, "")


def _level(leaf: Leaf) -> float:
    return (leaf.bias if isinstance(leaf, p.Spectrum) else leaf.level) or 0.0


def _areal(levels: Sequence[float], unit: str, area_cm2: float) -> tuple[float, ...]:
    return tuple(level / area_cm2 if unit == "A" else level for level in levels)


def _said(level: float, unit: str, area_cm2: float) -> str:
    return areal_current(level, area_cm2) if unit == "A" else si(level, unit)


def _time(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    """Asked for, or at most."""
    holds = [leaf for leaf in leaves if isinstance(leaf, p.Hold)]
    if not holds:
        return
    first = holds[0]
    if first.same is not None:
        yield Fact("time", (first.same.label,), f"that of the same charge as {first.same.label}")
        return
    known = first.alone_s is None
    texts = different([duration(hold.duration_s) for hold in holds])
    said = span(texts) if known else f"until met, at most {span(texts)}"
    yield Fact("time" if known else "longest time", tuple(h.duration_s for h in holds), said, "s")


def _charge(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    amounts = [view.once(leaf) for leaf in leaves]
    if any(amount.moved_C for amount in amounts):
        area_cm2 = view.scene.plan.area_cm2
        name = "charge" if len(leaves) == 1 else "charge of each level"
        values = tuple(amount.charge_C / area_cm2 for amount in amounts)
        texts = different([areal_charge(amount.charge_C, area_cm2) for amount in amounts])
        yield Fact(name, values, span(texts), "C/cm2")


def _cutoffs(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    """What ends the step, by quantity and side, and who watches that."""
    of_leaf = [view.scene.program.ends_of(leaf.step_id, "cutoff") for leaf in leaves]
    seen: dict[str, int] = {}
    for same in zip(*of_leaf, strict=True):
        first = same[0]
        name = f"ends at {first.quantity}" + ("" if first.quantity == "short" else f" {first.side}")
        seen[name] = seen.get(name, 0) + 1
        name += f", {seen[name]}" if seen[name] > 1 else ""
        values = tuple((end.value, end.over_s) for end in same)
        texts = different([end.text.removeprefix(f"{end.quantity} {end.side} ") for end in same])
        yield Fact(name, values, span(texts), UNITS.get(first.quantity, ""), weighs(first.side))
        yield Fact(f"{name}, then", _GRAVER[_GRAVER.index(first.then) :], first.then, "", "fewer")
        by = tuple(end.by for end in same)
        held_there = ("instrument",) if set(by) == {"instrument"} else ()
        said = " or ".join(different([f"the {each}" for each in by]))
        yield Fact(f"{name}, watched by", held_there, said, "", "fewer", is_setting=True)


def weighs(side: Side) -> Weighs:
    """Of a condition: beyond which side the later it is met."""
    return "more" if side == "above" else "less"


def _spectra(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    sweeps = [sweep for leaf in leaves if (sweep := sweep_of(leaf)) is not None]
    if not sweeps:
        return
    sweep, unit = sweeps[0], "A" if sweeps[0].control == "geis" else "V"
    yield Fact("spectra by", (sweep.control,), sweep.control.upper())
    yield Fact("amplitude", (sweep.amplitude_peak,), f"{si(sweep.amplitude_peak, unit)} peak", unit)
    f_Hz = sweep.frequencies_Hz
    ends = f"{si(f_Hz[0], 'Hz')} .. {si(f_Hz[-1], 'Hz')}, {plural(len(f_Hz), 'point')}"
    yield Fact("frequencies", f_Hz, ends, "Hz")
    how = (sweep.average, sweep.wait_periods, sweep.drift_correction)
    drift = ", drift corrected" if sweep.drift_correction else ""
    said = f"{plural(sweep.average, 'time')}, {sweep.wait_periods:g} periods before{drift}"
    yield Fact("each frequency", how, said, is_setting=True)
    numbers = [view.once(leaf).spectra for leaf in leaves]
    many = span(different([count(number) for number in numbers]))
    yield Fact("spectra", tuple(map(round, numbers)), f"{many}{rhythm(leaves[0])}")


def _hardware(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    settings = [each.hardware for leaf in leaves for each in view.scene.techniques(leaf)]
    for name, said in (
        ("I range", [each.I_range for each in settings]),
        ("E range", [each.E_range for each in settings]),
        ("bandwidth", [str(each.bandwidth) for each in settings]),
    ):
        if name != "I range" or _unit(leaves[0]) or sweep_of(leaves[0]) is not None:
            yield Fact(name, tuple(different(said)), " | ".join(different(said)), is_setting=True)


def _record(leaf: Leaf) -> tuple[float | None, ...]:
    return leaf.record.every_s, leaf.record.dE_V, leaf.record.dI_A


def _watched(leaves: Sequence[Leaf], view: View) -> Iterator[Fact]:
    """Who holds the limits of the run in this step, and what holds with the PC off."""
    of_steps = held(leaves, view.scene)
    held_there = {"limits held by the instrument": of_steps.always}
    if sweep_of(leaves[0]) is not None:
        held_there["limits held by it before each spectrum"] = of_steps.before_sweeps
    for name, ends in held_there.items():
        what = tuple(sorted(f"{end.sensor or end.quantity} {end.side}" for end in ends))
        yield Fact(name, what, ", ".join(what) or "none", "", "fewer", is_setting=True)
    settles = [leaf.settle for leaf in leaves if isinstance(leaf, p.Hold) and leaf.settle is not None]
    if settles:
        values = tuple((each.sensor, each.of, each.within, each.for_s, each.then) for each in settles)
        yield Fact("waits for", values, span(different(list(map(str, settles)))))
    said = alone(leaves, view)
    # How far it goes changes with every step after it.
    yield Fact(PC_OFF, (_HOW_FAR.sub("", said),), said, is_setting=True)
