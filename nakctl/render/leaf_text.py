"""Lines about one step of a plan, or about the same step at all levels of a staircase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.device.program import Done
from nakctl.device.techniques import change_of
from nakctl.plan import plan as p
from nakctl.plan.estimate import Amount
from nakctl.plan.scene import Leaf, dc_A, dc_V, sweep_of
from nakctl.plan.techniques import sweep_seconds
from nakctl.render.ends_text import ends_told
from nakctl.render.view import View
from nakctl.text.numbers import (
    areal_charge,
    areal_current,
    different,
    duration,
    listed,
    plural,
    si,
    span,
    wrapped,
)

NUMBER, NAME, TIME, TECHNIQUE = 8, 36, 16, 6


def leaf_lines(leaves: Sequence[Leaf], view: View, depth: int) -> Iterator[str]:
    takes = span(different([_takes(leaf, view) for leaf in leaves]))
    technique = " ".join(different([view.scene.program.step(leaf.step_id).technique for leaf in leaves]))
    yield from line(
        shared_label([leaf.label for leaf in leaves]), depth, takes, technique, _imposed(leaves, view)
    )
    yield from detail(depth, _ranges(leaves, view))
    known = (*_of_capacity(leaves, view), *_same_charge(leaves))
    begins = (*_trigger(leaves), *_spectra(leaves, view))
    told = (*begins, *known, *_amounts(leaves, view), *ends_told(leaves, view))
    for about in told:
        yield from detail(depth, about)


def _trigger(leaves: Sequence[Leaf]) -> Iterator[str]:
    if any(leaf.trigger_s for leaf in leaves):
        pulses = span(different([si(leaf.trigger_s, "s") for leaf in leaves]))
        yield f"trigger output high for {pulses} as it begins, by the instrument; no row tells of it"


def _takes(leaf: Leaf, view: View) -> str:
    if isinstance(leaf, p.Hold) and leaf.alone_s is not None:
        return "until met" if leaf.cutoffs else "to the limit"
    if isinstance(leaf, p.Hold) and leaf.same is not None:
        return f"up to {duration(leaf.duration_s)}" if leaf.same.is_known else "same charge"
    return duration(view.once(leaf).duration_s)


def shared_label(labels: Sequence[str]) -> str:
    """`2.1 strip 0.05 .. 0.4 mA/cm2`: words that all share, and the first and last of the others."""
    words = [label.split(" ") for label in labels]
    if len({len(each) for each in words}) > 1:
        return labels[0]
    return " ".join(span(different(column)) for column in zip(*words, strict=True))


def _imposed(leaves: Sequence[Leaf], view: View) -> str:
    """Current in A and per area, or the potential, from the first level to the last."""
    area_cm2 = view.scene.plan.area_cm2
    relative = [leaf.relative.text for leaf in leaves if leaf.relative is not None]
    if relative:
        onward = _onward(leaves[0], "V", 1.0)
        return f"Ewe {span(different(relative))}{onward}"
    volts = [level for leaf in leaves if (level := dc_V(leaf)) is not None]
    if volts:
        return f"Ewe {span([si(level, 'V') for level in volts])}{_onward(leaves[0], 'V', 1.0)}"
    drawn = [leaf for leaf in leaves if isinstance(leaf, p.Hold) and leaf.kind in ("power", "load")]
    if drawn:
        unit = {"power": "W", "load": "ohm"}[drawn[0].kind]
        return span([si(leaf.level or 0.0, unit) for leaf in drawn])
    if _onward(leaves[0], "A", 1.0):
        first_A = [leaf.level or 0.0 for leaf in leaves if isinstance(leaf, p.Hold)]
        return f"{_signed(first_A, 'A', 1)}{_onward(leaves[0], 'A', 1000 / area_cm2)}"
    amperes = [level for leaf in leaves if (level := dc_A(leaf)) is not None and is_closed(leaf)]
    if not amperes:
        return "open circuit"
    return f"{_signed(amperes, 'A', 1)}, {_signed(amperes, 'mA/cm2', 1000 / area_cm2)}"


def _onward(leaf: Leaf, unit: str, areal: float) -> str:
    """` to 5 V, 1 mV/s`, ` to 884 uA, 0.05 mA/cm2/min`: where to, and how fast; of what moves."""
    if not isinstance(leaf, p.Hold) or leaf.to is None:
        return ""
    rate = abs(leaf.to - (leaf.level or 0.0)) / leaf.duration_s
    speed = f"{si(rate, 'V')}/s" if unit == "V" else f"{rate * areal * 60:.4g} mA/cm2/min"
    return f" to {si(leaf.to, unit)}, {speed}"


def is_closed(leaf: Leaf) -> bool:
    """The instrument imposes a current or a potential (a spectrum at open circuit swings around 0)."""
    return (leaf.bias if isinstance(leaf, p.Spectrum) else leaf.level) is not None


def _signed(values: Sequence[float], unit: str, scale: float) -> str:
    texts = [
        areal_current(value * scale / 1000, 1.0) if unit == "mA/cm2" else si(value, unit) for value in values
    ]
    return span([text if text.startswith("-") else f"+{text}" for text in texts])


def _ranges(leaves: Sequence[Leaf], view: View) -> str:
    hardware = [each.hardware for leaf in leaves for each in view.scene.techniques(leaf)]
    I_ranges = [] if _is_rest(leaves[0]) else [f"I {_alternatives([each.I_range for each in hardware])}"]
    E_range = f"E {_alternatives([each.E_range for each in hardware])}"
    bandwidth = f"bandwidth {_alternatives([str(each.bandwidth) for each in hardware])}"
    return f"ranges {', '.join([*I_ranges, E_range, bandwidth])}"


def _alternatives(texts: Sequence[str]) -> str:
    return " | ".join(different(texts))


def _is_rest(leaf: Leaf) -> bool:
    return isinstance(leaf, p.Hold) and leaf.kind == "rest" and leaf.spectra is None


def _spectra(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    sweep = sweep_of(leaves[0])
    if sweep is None:
        return
    unit = "A" if sweep.control == "geis" else "V"
    numbers = span(different([plural(view.once(leaf).spectra, "spectrum", "spectra") for leaf in leaves]))
    name = sweep.name if sweep.name == sweep.control else f"{sweep.name}: {sweep.control}"
    ends = f"{si(sweep.frequencies_Hz[0], 'Hz')} .. {si(sweep.frequencies_Hz[-1], 'Hz')}"
    points = plural(len(sweep.frequencies_Hz), "point")
    takes = duration(sweep_seconds(sweep, view.scene.instrument))
    amplitude = f"{si(sweep.amplitude_peak, unit)} peak"
    yield f"{numbers} {name} {amplitude}, {ends}, {points}, about {takes}{rhythm(leaves[0])}"


def rhythm(leaf: Leaf) -> str:
    if isinstance(leaf, p.Spectrum) or leaf.spectra is None:
        return ""
    if leaf.spectra.starts_s:
        return f" each, at {listed([duration(start_s) for start_s in leaf.spectra.starts_s])}"
    every_s = leaf.spectra.every_s
    return " each, back to back" if every_s is None else f" each, every {duration(every_s)}"


def _of_capacity(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    """Of what the values are that go with a capacity which is measured."""
    capacity = view.scene.plan.capacity
    if capacity is not None and any(leaf.step_id in view.scene.with_capacity for leaf in leaves):
        yield f"at {capacity.text}, until {capacity.label} has measured the capacity"


def _same_charge(leaves: Sequence[Leaf]) -> Iterator[str]:
    """Where its time comes from, and what it is at most."""
    asking = [(leaf, leaf.same) for leaf in leaves if isinstance(leaf, p.Hold) and leaf.same is not None]
    if not asking:
        return
    (first, same), *_ = asking
    most = si(abs(first.level or 0.0) * first.duration_s / 3600, "Ah")
    why = f"at most {most}" if same.is_known else f"at most {duration(first.duration_s)} (limits.time)"
    yield f"the charge that {same.label} moved when it was done last, {why}; a chain begins here"


def _amounts(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    amounts = [view.once(leaf) for leaf in leaves]
    rows = span(different([plural(amount.samples, "row") for amount in amounts]))
    said = f"{rows} ({criteria(leaves[0])})"
    if any(may_add_rows(technique) for technique in view.scene.techniques(leaves[0])):
        said = f"at least {said}"
    charges = different([areal_charge(amount.charge_C, view.scene.plan.area_cm2) for amount in amounts])
    if any(amount.free_s for amount in amounts):
        yield f"charge as the cell lets flow; {said}"
    elif any(amount.moved_C for amount in amounts):
        most = "up to " if isinstance(leaves[0], p.Hold) and leaves[0].same is not None else ""
        yield f"charge {most}{span(charges)}; {said}"
    else:
        yield said


def criteria(leaf: Leaf) -> str:
    """When a row is kept: during sweeps one per frequency, else as the step's `record` says."""
    if isinstance(leaf, p.Spectrum):
        return "one per point"
    parts = [f"every {si(leaf.record.every_s, 's')}"]
    if leaf.kind == "ca":
        parts += [f"dI {si(leaf.record.dI_A, 'A')}"] if leaf.record.dI_A is not None else []
    else:
        parts += [f"dE {si(leaf.record.dE_V, 'V')}"] if leaf.record.dE_V is not None else []
    criteria = " or ".join(parts)
    return criteria if leaf.spectra is None else f"one per point, else {criteria}"


def may_add_rows(technique: Done) -> bool:
    """A criterion of dE or dI keeps rows beyond those of time, how many nobody knows before."""
    return change_of(technique) is not None


def net_charge(amount: Amount, area_cm2: float) -> str:
    """`1.5 mAh/cm2`; both directions are told apart when they differ."""
    net_C = amount.charge_C if abs(amount.charge_C) > 1e-9 * amount.moved_C else 0.0
    if abs(net_C) >= amount.moved_C * (1 - 1e-9):
        return areal_charge(net_C, area_cm2)
    return f"{areal_charge(net_C, area_cm2)} net, {areal_charge(amount.moved_C, area_cm2)} both ways"


def line(label: str, depth: int, takes: str, technique: str, rest: str) -> list[str]:
    """The head of a step, in columns."""
    number, _, name = label.partition(" ")
    head = f"{number:<{NUMBER}}{'  ' * depth}{name}"
    text = f"{head:<{NUMBER + NAME}} {takes:<{TIME}}{technique:<{TECHNIQUE}}{rest}".rstrip()
    return wrapped(text, "", " " * (NUMBER + NAME + 1))


def detail(depth: int, text: str) -> list[str]:
    indent = " " * (NUMBER + 2) + "  " * depth
    return wrapped(text, indent, indent + "  ")
