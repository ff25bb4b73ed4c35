"""Lines about one step of a plan, or about the same step at all levels of a staircase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nakctl.device.ends import End
from nakctl.device.program import Ca, Cp, Eis, Loop, Ocv, Segment, SetPoint, StepInfo
from nakctl.plan import plan as p
from nakctl.plan.estimate import Amount, Estimate
from nakctl.plan.findings import Done, Leaf, Scene, dc_A, dc_V, sweep_of
from nakctl.plan.gaps import played
from nakctl.plan.held import held
from nakctl.plan.numbers import (
    areal_charge,
    areal_current,
    different,
    duration,
    plural,
    si,
    span,
    wrapped,
)
from nakctl.plan.techniques import sweep_seconds

NUMBER, NAME, TIME, TECHNIQUE = 8, 36, 16, 6
MOST_PLACES = 3


@dataclass(frozen=True, slots=True)
class View:
    """All that a text about a plan draws on."""

    scene: Scene
    estimate: Estimate

    def once(self, leaf: Leaf) -> Amount:
        return self.estimate.step(leaf.step_id).once

    def amount(self, step: p.Step) -> Amount:
        """What a step takes with all its repeats; one pass of those without end."""
        match step:
            case p.Repeat():
                return self.amounts(step.steps) * (step.times or 1)
            case p.Staircase():
                return sum((self.amounts(one_pass) for one_pass in step.passes), Amount())
            case SetPoint():
                return Amount()
            case _:
                return self.once(step)

    def amounts(self, steps: Sequence[p.Step]) -> Amount:
        return sum((self.amount(step) for step in steps), Amount())


def leaf_lines(leaves: Sequence[Leaf], view: View, depth: int) -> Iterator[str]:
    takes = span(different([duration(view.once(leaf).duration_s) for leaf in leaves]))
    technique = " ".join(different([view.scene.program.step(leaf.step_id).technique for leaf in leaves]))
    yield from line(_label([leaf.label for leaf in leaves]), depth, takes, technique, _imposed(leaves, view))
    yield from detail(depth, _ranges(leaves, view))
    ends = (*_cutoffs(leaves, view), *_asked(leaves, view), *_settling(leaves), *_held(leaves, view))
    for about in (*_spectra(leaves, view), *_amounts(leaves, view), *ends):
        yield from detail(depth, about)


def _label(labels: Sequence[str]) -> str:
    """`2.1 strip 0.05 .. 0.4 mA/cm2`: words that all share, and the first and last of the others."""
    words = [label.split(" ") for label in labels]
    if len({len(each) for each in words}) > 1:
        return labels[0]
    return " ".join(span(different(column)) for column in zip(*words, strict=True))


def _imposed(leaves: Sequence[Leaf], view: View) -> str:
    """Current in A and per area, or the potential, from the first level to the last."""
    area_cm2 = view.scene.plan.area_cm2
    volts = [level for leaf in leaves if (level := dc_V(leaf)) is not None]
    if volts:
        return f"Ewe {span([si(level, 'V') for level in volts])}"
    amperes = [level for leaf in leaves if (level := dc_A(leaf)) is not None and is_closed(leaf)]
    if not amperes:
        return "open circuit"
    return f"{_signed(amperes, 'A', 1)}, {_signed(amperes, 'mA/cm2', 1000 / area_cm2)}"


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
    yield f"{numbers} {name} {amplitude}, {ends}, {points}, about {takes}{_rhythm(leaves[0])}"


def _rhythm(leaf: Leaf) -> str:
    if isinstance(leaf, p.Spectrum) or leaf.spectra is None:
        return ""
    every_s = leaf.spectra.every_s
    return " each, back to back" if every_s is None else f" each, every {duration(every_s)}"


def _amounts(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    amounts = [view.once(leaf) for leaf in leaves]
    rows = span(different([plural(amount.samples, "row") for amount in amounts]))
    said = f"{rows} ({_criteria(leaves[0])})"
    if any(may_add_rows(technique) for technique in view.scene.techniques(leaves[0])):
        said = f"at least {said}"
    charges = different([areal_charge(amount.charge_C, view.scene.plan.area_cm2) for amount in amounts])
    if any(amount.free_s for amount in amounts):
        yield f"charge as the cell lets flow; {said}"
    elif any(amount.moved_C for amount in amounts):
        yield f"charge {span(charges)}; {said}"
    else:
        yield said


def _criteria(leaf: Leaf) -> str:
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
    match technique:
        case Ocv() | Cp():
            return technique.dE_V is not None
        case Ca():
            return technique.dI_A is not None
        case Eis():
            return False


def _cutoffs(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    of_leaf = [_own(leaf, view) for leaf in leaves]
    for same in zip(*of_leaf, strict=True):
        first = same[0]
        what = span(different([end.text for end in same]))
        watchers = " or ".join(different([_watcher(end, view) for end in same]))
        yield f"{what}: {first.then}, by {watchers}"


def _asked(leaves: Sequence[Leaf], view: View) -> Iterator[str]:
    """The time of a step with spectra, which no estimate decides."""
    ends = [end for leaf in leaves for end in view.scene.program.ends_of(leaf.step_id) if end.kind == "asked"]
    if ends:
        reaction = duration(view.scene.instrument.reaction_s)
        takes = span(different([duration(end.value) for end in ends]))
        yield f"ends after {takes}, by the host within {reaction}; a hold follows if the spectra end before"


def _own(leaf: Leaf, view: View) -> list[End]:
    return [end for end in view.scene.program.ends_of(leaf.step_id) if end.kind == "cutoff"]


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
    yield f"with the PC off {_alone(leaves, view)}"


def _texts(ends: Sequence[End]) -> str:
    return ", ".join(end.text for end in ends)


def _alone(leaves: Sequence[Leaf], view: View) -> str:
    """What a step does with nobody watching: its chain runs to its end by itself, then the cell is open."""
    program = view.scene.program
    chains = [view.scene.chain(leaf) for leaf in leaves]
    endless = [each for each in chains if _is_endless(each)]
    if endless:
        tested = any(isinstance(each, Cp | Ca) and each.tests for each in endless[0].techniques)
        return f"the chain goes on {'until the instrument stops it' if tested else 'without end'}"
    if any(end.kind == "asked" for end in program.ends_of(leaves[0].step_id)):
        takes = span(different([duration(view.once(leaf).duration_s) for leaf in leaves]))
        return f"it goes on for about {takes}, then the cell is open"
    lasts = [played(chain.techniques)[-1].step for chain in chains]
    repeated = any(isinstance(each, Loop) for chain in chains for each in chain.techniques)
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


def _settling(leaves: Sequence[Leaf]) -> Iterator[str]:
    """What a step that waits for a sensor waits for, and what a time-out means."""
    settles = [leaf.settle for leaf in leaves if isinstance(leaf, p.Hold) and leaf.settle is not None]
    if settles:
        yield f"{span(different([str(settle) for settle in settles]))}: next step, by the host"
        yield f"not settled in this time: {settles[0].then}"


def _watcher(end: End, view: View) -> str:
    if end.by == "instrument":
        return "the instrument"
    return f"the host within {duration(view.scene.instrument.reaction_s)} of the row"


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
