"""What PyBaMM and unicycler leave out, and a person has to say: limits, capacity, which electrode WE is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.text.units import UnitError, parse

Refuse = Callable[[str], None]
_AROUND_V = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Asked:
    """Options of the command line.

    capacity  of the cell, e.g. `2.1 mAh`: C-rates are of it
    working   which electrode of the cell WE is: charging oxidises a positive one
    limits    `-0.1 V, 4.5 V`; None: around the potentials that the steps name
    longest   the time of a step that names none
    """

    capacity: str | None = None
    working: Literal["positive", "negative"] = "positive"
    limits: tuple[str, str] | None = None
    longest: str | None = None

    def word(self, way: str) -> str:
        """`strip` or `plate`: what charging or discharging does to WE."""
        return "strip" if (way == "charge") == (self.working == "positive") else "plate"

    def current(self, rate: Decimal, written: str, refuse: Refuse) -> str | None:
        """The current of a C-rate."""
        if self.capacity is None:
            refuse(f'{written} is of the cell\'s capacity: give it, e.g. --capacity "2.1 mAh"')
            return None
        try:
            charge_C = parse(self.capacity, ("charge",)).value
        except UnitError as problem:
            refuse(f"--capacity {self.capacity}: {problem}")
            return None
        value, unit = notation.scaled(float(f"{Decimal(repr(charge_C)) / 3600 * rate:.7g}"), "A")
        return notation.quantity(Decimal(value), unit)

    def without_time(self, refuse: Refuse) -> Step:
        if self.longest is None:
            refuse('this step has no time, and nakctl wants one: give the longest, e.g. --longest "24 h"')
            return {}
        return {"for": self.longest, "#for": "at most: it names no time"}


def limits_around(asked: Asked, potentials: Sequence[Decimal], refuse: Refuse) -> dict[str, Any]:
    """The words of `limits`. Half a volt around the potentials named is a proposal, and says so."""
    if asked.limits is not None:
        return {"Ewe": list(asked.limits)}
    if not potentials:
        refuse(
            'no step names a potential, so no limits of Ewe can be proposed: give --limits "-0.1 V, 4.5 V"'
        )
        return {"Ewe": ["-1 V", "1 V"]}
    low, high = min(potentials) - _AROUND_V, max(potentials) + _AROUND_V
    ends = [f"{notation.plain(low)} V", f"{notation.plain(high)} V"]
    return {"Ewe": ends, "#Ewe": "a proposal, half a volt around what the steps name: set yours"}
