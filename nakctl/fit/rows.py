"""What of a run drives a cell again and what was read of it, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Complex = npt.NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class Rows:
    """In the order of time, each (n,): samples, points of spectra, and moments at which the cell was opened.

    time_s    of the run
    I_A       since the row before; end_A: at this row
    Ewe_V     NaN: none that counts
    f_Hz, z_ohm  of a point; NaN of other rows
    spectrum  its number; 0 of other rows
    at_rest   no current flows, but what little a spectrum needs
    step      row of the table of steps
    T_K       NaN: nobody knows
    """

    time_s: Floats
    I_A: Floats
    end_A: Floats
    Ewe_V: Floats
    f_Hz: Floats
    z_ohm: Complex
    spectrum: Ints
    at_rest: Bools
    step: Ints
    T_K: Floats

    def __len__(self) -> int:
        return len(self.time_s)

    def of(self, which: Bools | Ints) -> Rows:
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))


_FLOATS, _INTS = np.zeros(0), np.zeros(0, np.intp)
NO_ROWS = Rows(*(_FLOATS,) * 5, np.zeros(0, np.complex128), _INTS, np.zeros(0, np.bool_), _INTS, _FLOATS)
