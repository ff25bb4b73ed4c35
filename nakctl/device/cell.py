"""The cell on a channel, as far as a plan and a file need to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from nakctl.text.quantities import Quantity

WorkingIs = Literal["positive", "negative", ""]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    area_cm2   geometric area that areal currents and charges refer to
    electrodes working, counter, reference: what they are made of
    facts      whatever else belongs into the file (composition, pressure, note, model parameters)
    source     where its data stand: the name of a model, a file, a rig entry
    capacity_C       what C-rates and shares of the capacity refer to, as declared; None: nobody said
    working_is       the electrode on WE: charging oxidises a positive one, reduces a negative one; "" neither
    three_electrodes the reference is one of its own, so that Ece is a measurement; else it is the counter
    simulated_as     what a simulated channel puts in its place: a cell that its driver knows by this name, or
                     the file of one; "": nobody said
    """

    name: str
    area_cm2: float
    working: str = ""
    counter: str = ""
    reference: str = ""
    electrolyte: str = ""
    source: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    capacity_C: float | None = None
    working_is: WorkingIs = ""
    three_electrodes: bool = False
    simulated_as: str = ""


def charge_C(said: Quantity, area_cm2: float) -> float:
    """A charge, or a charge per area of a cell."""
    return said.value * (area_cm2 if said.dimension == "areal charge" else 1.0)
