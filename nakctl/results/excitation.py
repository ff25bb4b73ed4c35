"""How strongly the cell was moved while a spectrum was taken: the measured amplitudes tell two things.

Which of its points mean something: where an instrument's band ends, the amplitude does not come through,
and a spectrum that is complete holds values that are none. A VMP3 asked for 50 uA read back 52 uA up to
462 kHz, 24 uA at 680 kHz and 2.7 uA at 1 MHz, with Re Z < 0 there (dgbowl/yadg, tests/test_x_eclab,
geis.mpr; vsp_peis_with.mpr likewise for a potential).

Whether a current flowed beside it: nobody sets a direct current that is far below the amplitude; it is
the offset of the instrument, or what is left of a relaxation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

REACHED = 0.5  # of the amplitude that is usual in the spectrum
LITTLE = 0.05  # of the amplitude of the current: a direct current below it is none
SWEEPS = ("PEIS", "GEIS")


def reached(f_Hz: Floats, E_amp_V: Floats, I_amp_A: Floats) -> Bools:
    """(k, n), of k spectra at f_Hz (n,): False of the highest frequencies at which neither amplitude came up.

    E_amp_V, I_amp_A  (k, n); NaN: not recorded, then nothing is left out. One of both is enough: the one
                      that was not controlled goes with the impedance.
    """
    weak = _weak(E_amp_V) & _weak(I_amp_A)
    order = np.argsort(-f_Hz, kind="stable")
    found = np.ones(weak.shape, np.bool_)
    found[:, order] = ~np.logical_and.accumulate(weak[:, order], axis=1)
    return found


def _weak(amplitude: Floats) -> Bools:
    if amplitude.shape[1] == 0:
        return np.zeros(amplitude.shape, np.bool_)
    usual = np.median(amplitude, axis=1, keepdims=True)
    return np.asarray(amplitude < REACHED * usual)


def sweeps_at_rest(run: Run) -> Bools:
    """Which steps are spectra without a direct current worth the name, (n,): by the mean of their points."""
    steps, table = run.steps, run.impedance
    found = np.isin(steps["technique"], SWEEPS)
    if not found.any() or len(table) == 0:
        return np.zeros(len(found), np.bool_)
    numbers, place = np.unique(table["step_count"], return_inverse=True)
    size_A, amplitude_A = (np.abs(table[name]).astype(np.float64) for name in ("I_dc", "I_amp"))
    little = np.bincount(place, size_A) <= LITTLE * np.bincount(place, amplitude_A)  # NaN: not known
    return np.asarray(found & np.isin(steps["step_count"], numbers[little]))
