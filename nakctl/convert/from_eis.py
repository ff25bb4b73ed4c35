"""GEIS and PEIS of EC-Lab as geis and peis, with the hold before them as a step of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.convert.from_holds import Hardware, current, potential
from nakctl.convert.reading import Amount, Column, record


class Sweeps:
    """The sweeps of a file by name: equal ones are declared once."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[str, Any]] = {}

    def name(self, words: dict[str, Any]) -> str:
        for name, known in self.declared.items():
            if known == words:
                return name
        kind = words["kind"]
        same = sum(known["kind"] == kind for known in self.declared.values())
        self.declared[f"{kind}_{same + 1}"] = words
        return f"{kind}_{same + 1}"


def geis(column: Column, hardware: Hardware, sweeps: Sweeps) -> list[Step]:
    if column.text("Ia/Va") == "Va":
        column.fault("Ia/Va", "an amplitude in V for GEIS: nakctl sets the current; write Ia")
    amplitude = column.amount("Ia", "unit  Ia" if column.has("unit  Ia") else "unit Ia")
    sweep = _sweep(column, "geis", amplitude, hardware)
    level = current(column, "Is")
    lasts = column.seconds("tIs (h:m:s)")
    kept = _kept(column, lasts, dE=column.amount("dE (mV)", unit="mV"))
    if level is None or sweep is None:
        return []
    bias: Step = {"during": {"cp": level.text}} if level.value else {}
    step: Step = {"geis": sweeps.name(sweep)} | bias
    if not lasts:
        return _repeated(column, [step])
    hold = _hold({"cp": level.text} if level.value else None, lasts, kept, hardware, column)
    return _repeated(column, [hold, step])


def peis(column: Column, hardware: Hardware, sweeps: Sweeps) -> list[Step]:
    label = "Va (mV)"
    amplitude = column.amount(label, unit="mV")
    sweep = _sweep(column, "peis", amplitude, hardware)
    open_circuit = column.text("vs.") in ("Eoc", "Emeas") and not column.number("E (V)")
    column.asked.add("E (V)")
    level = None if open_circuit else potential(column, "E (V)")
    lasts = column.seconds("tE (h:m:s)")
    kept = _kept(column, lasts, dI=column.amount("dI", "unit dI"))
    if sweep is None or (level is None and not open_circuit):
        return []
    step: Step = {"peis": sweeps.name(sweep)} | ({"during": {"ca": level}} if level else {})
    if not lasts:
        return _repeated(column, [step])
    hold = _hold({"ca": level} if level else None, lasts, kept, hardware, column)
    return _repeated(column, [hold, step])


def _kept(column: Column, lasts: Decimal, **change: Amount | None) -> Step:
    every = column.number("dt (s)")
    return record(every, **change) if lasts and column.text("record") != "0" else {}


def _hold(level: Step | None, lasts: Decimal, kept: Step, hardware: Hardware, column: Column) -> Step:
    """What EC-Lab holds before it sweeps; at open circuit that is a rest."""
    if level is None:
        step: Step = {"rest": notation.duration(lasts)}
        return step | {"record": {w: v for w, v in kept["record"].items() if w != "dI"}} if kept else step
    return level | {"for": notation.duration(lasts)} | kept | hardware.words(column)


def _repeated(column: Column, steps: list[Step]) -> list[Step]:
    passes = column.count("nc cycles") + 1
    return [{"repeat": passes, "steps": steps}] if passes > 1 else steps


def _sweep(column: Column, kind: str, amplitude: Amount | None, hardware: Hardware) -> dict[str, Any] | None:
    """The words of the sweep; None: it cannot be said."""
    if column.text("Mode") not in ("", "Single sine") or column.text("Multi Sine") == "1":
        where = "Mode" if column.has("Mode") else "Multi Sine"
        column.fault(where, "multi-sine: the library that nakctl drives has none; set Single sine")
        return None
    ends = [column.amount(f, f"unit {f}") for f in ("fi", "ff")]
    if amplitude is None or None in ends:
        for label in ("fi", "ff"):
            column.required(label)
        if amplitude is None:
            column.required("Va (mV)" if kind == "peis" else "Ia")
        return None
    first, last = (end.text for end in ends if end is not None)
    words: dict[str, Any] = {"kind": kind, "amplitude": amplitude.size, "from": first, "to": last}
    words |= _spacing(column)
    words |= {"average": max(1, column.count("Na")), "wait_periods": float(column.number("pw"))}
    if column.count("corr"):
        words["drift_correction"] = True
    return words | hardware.words(column)


def _spacing(column: Column) -> dict[str, Any]:
    """Per decade or in all; the files before 11.x say it with numbers."""
    linear = column.text("spacing") == "Linear" or (column.has("Log") and column.text("Log") == "0")
    in_all = column.text("Points") == "from fi to ff" or column.text("Sel Nd") == "0"
    count = column.count("Nt") if column.has("Nt") and in_all else column.count("Nd")
    column.asked |= {"Log", "Nd"}
    if in_all or linear:
        return {"points": max(1, count)} | ({"spacing": "linear"} if linear else {})
    return {"per_decade": count}
