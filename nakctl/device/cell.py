"""The cell on a channel, as far as a plan and a file need to know it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    area_cm2   geometric area that areal currents and charges refer to
    electrodes working, counter, reference: what they are made of
    facts      whatever else belongs into the file (composition, pressure, note, model parameters)
    source     where its data stand: the name of a model, a file, a rig entry
    """

    name: str
    area_cm2: float
    working: str = ""
    counter: str = ""
    reference: str = ""
    electrolyte: str = ""
    source: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
