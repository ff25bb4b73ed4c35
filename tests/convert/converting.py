"""From one form to another, for tests; and what makes two settings or two plans the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nakctl.convert import draft, from_eclab, settings, to_eclab
from nakctl.convert.notation import our_unit
from nakctl.convert.settings import Settings
from nakctl.device.cell import Cell
from nakctl.device.instrument import instrument
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.protocol.load import Loaded, understand
from nakctl.text.reader import read_text

CELL = Cell("test", 0.5)
_NOTHING = ("pass", "Unset", "<None>", "")
_POWERS = {"p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6}


def imported(raw: bytes, file: str = "of-eclab.mps") -> str:
    """The protocol's text. It is loaded, so it is one."""
    made, _ = from_eclab.draft(settings.read(raw, file))
    text = draft.text(made)
    loaded(text)
    return text


def loaded(text: str) -> Loaded:
    return understand(read_text(text, "made.yaml"), {})


def plan_of(text: str, cell: Cell = CELL) -> p.Plan:
    return compile_protocol(loaded(text), cell)


def exported(text: str, on: str = "SP-300", cell: Cell = CELL, decimal: str = "point") -> bytes:
    known = loaded(text)
    plan = compile_protocol(known, cell)
    return to_eclab.settings(plan, known.document, cell, instrument(on), "made.mps", decimal)[0]


def told(text: str) -> list[str]:
    """What a person should know of an exported file."""
    known = loaded(text)
    plan = compile_protocol(known, CELL)
    faults = to_eclab.settings(plan, known.document, CELL, instrument("SP-300"), "made.mps", "point")[1]
    return [fault.message for fault in faults]


def table(read: Settings) -> list[tuple[str, list[dict[str, Any]]]]:
    """Every technique with its sequences; values in SI, and without what says nothing."""
    return [(each.name, [_column(each, i) for i in range(each.columns)]) for each in read.techniques]


def _column(technique: settings.Technique, index: int) -> dict[str, Any]:
    texts = {}
    for row in technique.rows:
        label = row.label
        while label in texts:
            label += "'"
        texts[label] = row.values[index].text.replace(",", ".")
    found: dict[str, Any] = {}
    for label, text in texts.items():
        unit = texts.get(f"unit {label}") or texts.get(f"unit  {label}") or texts.get(f"{label}_unit")
        if label.startswith("unit") or label.endswith("_unit") or label == "Ns" or text in _NOTHING:
            continue
        number = _number(text)
        if number is None:
            found[label] = text
        elif number:
            found[label] = float(f"{number * _factor(unit):.6g}")
    return found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _factor(unit: str | None) -> float:
    if not unit:
        return 1.0
    known, factor = our_unit(unit)
    for base in ("Ah", "Hz", "A", "V", "s"):
        if known.endswith(base) and known.removesuffix(base) in _POWERS:
            return float(factor) * 10.0 ** _POWERS[known.removesuffix(base)]
    return float(factor)


def same_plan(one: p.Plan, other: p.Plan) -> None:
    """Both do the same to the cell: limits, and every step with its level, time, ends, samples and sweep."""
    assert _limits(one) == _limits(other)
    assert (one.goals, one.short) == (other.goals, other.short)
    assert _steps(one.steps) == _steps(other.steps)


def _limits(plan: p.Plan) -> list[tuple[str, str, float]]:
    """A run that is longer than its steps is no limit for EC-Lab."""
    return [(e.quantity, e.side, _round(e.value)) for e in plan.limits.all if e.quantity != "time"]


def _steps(steps: tuple[p.Step, ...]) -> list[Any]:
    """Staircases written out, a repeat of one pass opened, and nested repeats of the same steps kept."""
    found: list[Any] = []
    for step in steps:
        match step:
            case p.Staircase():
                for one_pass in step.passes:
                    found += _steps(one_pass)
            case p.Repeat() if step.times == 1:
                found += _steps(step.steps)
            case p.Repeat():
                found.append((step.times, _steps(step.steps)))
            case p.Hold():
                found.append(_hold(step))
            case p.Spectrum():
                found.append(_spectrum(step))
            case _:
                found.append(step)
    return found


def _hold(hold: p.Hold) -> Any:
    record = replace(
        hold.record,
        dE_V=hold.record.dE_V if hold.kind in ("rest", "cp") else None,
        dI_A=hold.record.dI_A if hold.kind == "ca" else None,
    )
    ends = sorted((c.quantity, c.side, _round(c.value), c.then) for c in hold.cutoffs)
    level = None if hold.level is None else _round(hold.level)
    kept = [_round(value) for value in (record.every_s, record.dE_V or 0.0, record.dI_A or 0.0)]
    return ("hold", hold.kind, level, _round(hold.duration_s), ends, kept, hold.spectra, hold.settle)


def _spectrum(step: p.Spectrum) -> Any:
    sweep = step.sweep
    how = (sweep.control, _round(sweep.amplitude_peak), len(sweep.frequencies_Hz), sweep.average)
    ends = tuple(_round(f) for f in (sweep.frequencies_Hz[0], sweep.frequencies_Hz[-1]))
    bias = None if not step.bias and sweep.control == "geis" else step.bias
    return (
        "spectrum",
        how,
        ends,
        sweep.drift_correction,
        None if bias is None else _round(bias),
        step.cutoffs,
    )


def _round(value: float) -> float:
    return float(f"{value:.5g}")
