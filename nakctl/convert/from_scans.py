"""CV and LSV of EC-Lab as cv and lsv."""

from __future__ import annotations

from decimal import Decimal

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.convert.from_holds import Hardware, potential, rest
from nakctl.convert.reading import Column
from nakctl.convert.windows import scan_step_V


def cv(column: Column, hardware: Hardware) -> list[Step]:
    """`vs.` stands four times: beside Ei, E1, E2 and Ef."""
    first, one, other = (potential(column, f"{E} (V)", nth) for nth, E in enumerate(("Ei", "E1", "E2")))
    rate = _rate(column)
    column.asked.add("Reverse Scan")
    last = potential(column, "Ef (V)", 3) if column.count("Reverse Scan") else None
    column.asked.add("Ef (V)")
    if None in (first, one, other, rate):
        return []
    step: Step = {
        "cv": f"{one}, {other}",
        "from": first,
        "rate": rate,
        "cycles": column.count("nc cycles") + 1,
    }
    step |= {"to": last} if last is not None else {}
    return [step | _kept(column) | hardware.words(column)]


def lsv(column: Column, hardware: Hardware) -> list[Step]:
    """It begins with a rest; `vs.` stands beside Ei and EL."""
    before = rest(column)
    first, last = potential(column, "Ei (V)"), potential(column, "EL (V)", 1)
    rate = _rate(column)
    column.asked |= {"dI", "tI (s)"}
    if None in (first, last, rate):
        return before
    return [*before, {"lsv": last, "from": first, "rate": rate} | _kept(column) | hardware.words(column)]


def _rate(column: Column) -> str | None:
    column.required("dE/dt")
    column.asked.add("dE/dt unit")
    rate = column.amount("dE/dt", "dE/dt unit")
    if rate is None or not rate.value:
        column.fault("dE/dt", "a scan without a rate")
        return None
    return rate.size


def _kept(column: Column) -> Step:
    """EC-Lab averages the current over N of its own small steps; their size follows from its range."""
    ends = [column.amount(f"E range {end} (V)", unit="V") for end in ("min", "max")]
    step_V = None
    if ends[0] is not None and ends[1] is not None:
        step_V = scan_step_V(float(ends[1].value - ends[0].value))
    n = column.count("N")
    if step_V is None or not n:
        return {}
    change = round(Decimal(repr(step_V)) * n * 1000, 4)
    return {"record": {"dE": f"{notation.plain(change)} mV"}}
