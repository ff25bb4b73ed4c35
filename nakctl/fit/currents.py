"""Which current a step of a run kept, and whether its cell was at rest meanwhile."""

from __future__ import annotations

import numpy as np

from nakctl.device.channel import Flag
from nakctl.fit.rows import Bools, Floats
from nakctl.record.read import Run
from nakctl.results.excitation import SWEEPS, sweeps_at_rest

UNUSABLE = (Flag.I_OVERLOAD | Flag.E_OVERLOAD | Flag.NO_VALUE | Flag.BAD_TIME).value
AS_SET = 0.02  # so near to what was set a current is what was set, as the instrument gave it
LITTLE = 0.2  # of the amplitude
TOLD = 3.0  # standard errors


def currents(run: Run, looked_at: int) -> tuple[Floats, Bools]:
    """Of each step, (n,): the current that it kept, NaN if it kept none or lies beyond those that are looked
    at; and whether the cell was at rest."""
    little = _little(run)
    kept_A = np.full(len(run.steps), np.nan)
    kept_A[:looked_at] = [_kept_A(run, place, little[place]) for place in range(looked_at)]
    return kept_A, np.asarray(little | (kept_A == 0))


def _little(run: Run) -> Bools:
    """Which steps are spectra with no direct current, or so little that the cell is at rest all the same: a
    potential that is held is not quite that of the cell."""
    found, steps, table = sweeps_at_rest(run), run.steps, run.impedance
    for place in np.flatnonzero(np.isin(steps["technique"], SWEEPS) & ~found):
        mine = table["step_count"] == steps["step_count"][place]
        if mine.any():
            I_A, amplitude_A = (table[name][mine].astype(np.float64) for name in ("I_dc", "I_amp"))
            found[place] = abs(float(I_A.mean())) <= LITTLE * float(np.median(amplitude_A))
    return found


def _kept_A(run: Run, place: int, little: np.bool_) -> float:
    """The current of a step that kept one, NaN of others. What was read of it is nearer to the truth than
    what was set."""
    technique, first = run.steps["technique"][place], int(run.steps["first_row"][place])
    rows = slice(first, first + int(run.steps["row_count"][place]))
    if technique == "OCV":
        return 0.0
    control_A, read_A = (run.samples[name][rows].astype(np.float64) for name in ("control", "I"))
    known_A = read_A[np.isfinite(read_A) & ((run.samples["flags"][rows] & UNUSABLE) == 0)]
    if little:
        return _mean_A(known_A) if technique == "PEIS" else 0.0
    if technique not in ("CP", "GEIS"):
        return np.nan
    if len(known_A) == 0:
        return float(control_A[0]) if len(control_A) else np.nan
    middle_A = float(np.median(known_A))
    set_A = float(control_A[0])
    moved = np.isfinite(set_A) and (np.ptp(control_A) > 0 or abs(middle_A - set_A) > AS_SET * abs(set_A))
    return np.nan if moved else middle_A


def _mean_A(known_A: Floats) -> float:
    """Of a potential that was held at rest: none, if it is not told from noise."""
    if len(known_A) < 2:
        return 0.0
    mean_A, error_A = float(known_A.mean()), float(known_A.std(ddof=1)) / len(known_A) ** 0.5
    return mean_A if abs(mean_A) > TOLD * error_A else 0.0
