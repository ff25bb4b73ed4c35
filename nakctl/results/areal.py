"""Values per geometric area: the one place that divides by it. An unknown area is no area of 1 cm2."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError
from nakctl.record.read import Run

Floats = npt.NDArray[np.float64]


class UnknownArea(InputError, LookupError):
    """The file does not say how large the electrode is."""


def area_cm2(run: Run) -> float:
    """Geometric area of the electrode. UnknownArea where the file does not say, or says what cannot be."""
    if not run.header.area_cm2:
        raise UnknownArea(f"{run.path} does not say how large the electrode is, so nothing areal follows")
    return run.header.area_cm2


def current_mA_cm2(I_A: Any, area_cm2: float) -> Floats:
    return np.asarray(I_A, np.float64) / area_cm2 * 1e3


def charge_mAh_cm2(Q_Ah: Any, area_cm2: float) -> Floats:
    return np.asarray(Q_Ah, np.float64) / area_cm2 * 1e3


# What a picture shows where an area is known, and where it is not: values and the label of their axis, or the
# unit alone where a quantity has several axes.


def current_shown(I_A: Any, known_cm2: float | None) -> tuple[Floats, str]:
    if known_cm2:
        return current_mA_cm2(I_A, known_cm2), "j / mA cm⁻²"
    return current_mA_cm2(I_A, 1.0), "I / mA"


def charge_shown(Q_Ah: Any, known_cm2: float | None) -> tuple[Floats, str]:
    """The label is the unit: a charge is net, stripped, or of a step."""
    if known_cm2:
        return charge_mAh_cm2(Q_Ah, known_cm2), "mAh cm⁻²"
    return charge_mAh_cm2(Q_Ah, 1.0), "mAh"


def impedance_shown(Z_ohm: Any, known_cm2: float | None) -> tuple[npt.NDArray[np.complex128], str]:
    """The label is the unit: parts of Z have axes of their own."""
    return np.asarray(Z_ohm, np.complex128) * (known_cm2 or 1.0), "Ω cm²" if known_cm2 else "Ω"
