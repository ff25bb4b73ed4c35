"""What a short pulse of current shows of a cell's resistance (HPPC, DC internal resistance)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.current import charge_before_Ah, current_steps
from nakctl.results.staircases import AT_REST

Floats = npt.NDArray[np.float64]

LONGEST_s = 60.0


@dataclass(frozen=True, slots=True)
class PulseResistances:
    """Every pulse of current that begins at rest, in order, each (n,). I > 0 oxidises the working electrode.

    start_s, length_s  of the pulse
    I_A       as set
    Q_Ah      net charge of the run before it: with the cell's capacity, its state of charge
    rest_V    Ewe at the end of the rest
    first_ohm (Ewe - rest_V)/I at the first sample, first_s after the pulse began: the ohmic part, if it is
    soon
    end_ohm   the same at the end of the pulse. +- the resolution of Ewe (0.1 mV, as recorded) over the
              current, and what the potential at rest still drifts meanwhile
    Source: USABC battery test manual, INEEL/EXT-01-00111
    """

    start_s: Floats
    length_s: Floats
    I_A: Floats
    Q_Ah: Floats
    rest_V: Floats
    first_s: Floats
    first_ohm: Floats
    end_ohm: Floats

    def __len__(self) -> int:
        return len(self.start_s)


def pulse_resistances(run: Run, longest_s: float = LONGEST_s) -> PulseResistances:
    """Of steps under a current that lasted longest_s or less, right after a rest."""
    driven, steps, samples = current_steps(run), run.steps, run.samples
    length_s = steps["t_end"][driven.place] - steps["t_start"][driven.place]
    before = driven.place - 1
    rested = (before >= 0) & np.isin(steps["technique"][np.maximum(before, 0)], AT_REST)
    mine = np.flatnonzero(rested & (length_s <= longest_s) & (driven.first > 0))
    first, last, I_A = driven.first[mine], driven.last[mine], driven.I_A[mine]
    Ewe_V = samples["Ewe"].astype(np.float64) if len(mine) else np.zeros(0)
    start_s = steps["t_start"][driven.place[mine]]
    rest_V = Ewe_V[first - 1]
    return PulseResistances(
        start_s=start_s,
        length_s=length_s[mine],
        I_A=I_A,
        Q_Ah=charge_before_Ah(run, first),
        rest_V=rest_V,
        first_s=samples["time"][first] - start_s,
        first_ohm=(Ewe_V[first] - rest_V) / I_A,
        end_ohm=(Ewe_V[last] - rest_V) / I_A,
    )
