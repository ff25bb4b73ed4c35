"""One file of EC-Lab, as it was read: columns by EC-Lab's names, and what stands before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# By EC-Lab's name in text, its number in .mpr (of the settings' first byte, as yadg found them) and how file
# names call it: what our steps are called. "": it does several things, and each row tells which.
_TECHNIQUES: tuple[tuple[str, tuple[int, ...], str, str], ...] = (
    ("Open Circuit Voltage", (0x0B,), "OCV", "OCV"),
    ("Chronopotentiometry", (0x19,), "CP", "CP"),
    ("Constant Current", (0x76,), "coC", "CP"),
    ("Chronoamperometry / Chronocoulometry", (0x18,), "CA", "CA"),
    ("Constant Voltage", (0x75,), "coV", "CA"),
    ("Cyclic Voltammetry", (0x06, 0x30), "CV", "CV"),
    ("Cyclic Voltammetry Advanced", (0x33,), "CVA", "CV"),
    ("Linear Sweep Voltammetry", (0x6C,), "LSV", "LSV"),
    ("Potentio Electrochemical Impedance Spectroscopy", (0x1D,), "PEIS", "PEIS"),
    ("Galvano Electrochemical Impedance Spectroscopy", (0x1E,), "GEIS", "GEIS"),
    ("Staircase Potentio Electrochemical Impedance Spectroscopy", (), "SPEIS", "PEIS"),
    ("Staircase Galvano Electrochemical Impedance Spectroscopy", (), "SGEIS", "GEIS"),
    ("Galvanostatic Cycling with Potential Limitation", (0x04, 0x77), "GCPL", ""),
    ("Battery Capacity Determination", (0x88,), "BCD", ""),
    ("Modulo Bat", (0x7F,), "MB", ""),
)
NOT_GIVEN = 0.001  # what EC-Lab writes for an area or a mass that nobody gave, whatever its unit
KNOWN = tuple(short for _, _, short, _ in _TECHNIQUES)
_BY_NAME = {name.casefold(): (short, ours) for name, _, short, ours in _TECHNIQUES}
_BY_NUMBER = {number: (short, ours) for _, numbers, short, ours in _TECHNIQUES for number in numbers}
_BY_SHORT = {short.casefold(): (short, ours) for _, _, short, ours in _TECHNIQUES}


@dataclass(frozen=True)
class Recording:
    """technique: of KNOWN, "" not known; ours: what our steps of it are called, "" each row tells.

    columns  by EC-Lab's names, each (n,), NaN where there is no number
    loops    rows at which a pass of an EC-Lab loop begins, without the first
    start    on the wall clock beside the instrument; None: the file does not tell
    facts    what else it says: device, EC-Lab's version, comments, ...
    area_cm2  None: nobody gave one
    """

    name: str
    sha256: str
    technique: str
    ours: str
    columns: dict[str, Floats]
    start: datetime | None = None
    loops: tuple[int, ...] = ()
    area_cm2: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def find(self, *names: str) -> Floats | None:
        """The first of these columns that is there."""
        return next((self.columns[name] for name in names if name in self.columns), None)


def by_name(name: str) -> tuple[str, str] | None:
    """EC-Lab's short name of a technique and ours, by the line that a text begins with."""
    found = _BY_NAME.get(name.casefold())
    if found is None and name.casefold().startswith(_TECHNIQUES[12][0].casefold()):  # ... 2 to 7
        return _BY_SHORT["gcpl"]
    return found


def finite(values: Floats) -> Floats:
    """NaN for what is no number that could have been measured: our tables hold single precision."""
    return np.where(np.abs(values) <= np.finfo(np.float32).max, values, np.nan)


def by_number(number: int) -> tuple[str, str] | None:
    return _BY_NUMBER.get(number)


def by_file_name(name: str) -> tuple[str, str] | None:
    """As EC-Lab names files: NAME_02_GEIS_C01.mpr."""
    words = name.rpartition(".")[0].split("_")
    found = [_BY_SHORT[word.casefold()] for word in words if word.casefold() in _BY_SHORT]
    return found[-1] if found else None


def by_columns(columns: dict[str, Floats]) -> tuple[str, str]:
    """Of a text without a head. What was held in a spectrum shows in its amplitude, which stays the same."""
    if "mode" in columns:
        return "", ""
    E_V, I_A = columns.get("|Ewe|/V"), columns.get("|I|/A")
    if "freq/Hz" not in columns or E_V is None or I_A is None:
        return "", ""
    return ("GEIS", "GEIS") if _spread(I_A) < _spread(E_V) else ("PEIS", "PEIS")


def _spread(amplitude: Floats) -> float:
    known = amplitude[np.isfinite(amplitude) & (amplitude > 0)]
    return float(known.std() / known.mean()) if len(known) else 0.0


def area_cm2(value: float, unit: str) -> float | None:
    """None for EC-Lab's own value, which nobody gave and some show as 0.000; and for no known unit."""
    scale = {"cm": 1.0, "mm": 0.01, "m": 1e4, "µm": 1e-8, "um": 1e-8}.get(unit)
    if scale is None or value in (0.0, NOT_GIVEN):
        return None
    return float(f"{value * scale:.9g}")
