"""One impedance sweep as the instrument measures it: when, at which frequencies, with which errors.

All random numbers of a sweep are drawn when it begins, so that they do not depend on how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import OF_COUNTER, POINT, Flag, Rows
from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange
from nakctl.device.program import Eis
from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.cell.models import Model
from nakctl_sim.imperfections import Imperfections
from nakctl_sim.kernel import Kernel

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

N_DRAWS = 9  # per frequency: frequency, scatter of Z (2), voltage phasor (2), current phasor (2), DC (2)
N_DRAWS_CE = 5  # scatter of Zce (2), voltage phasor (2), DC
LOW_AMPLITUDE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep of n frequencies under way.

    f_Hz       (n,) as realised; ends_s: when each is done, from the start of the technique
    states, dc (n k,), (3 n,): the cell and its Ewe_V, I_A, Ece_V at that time, filled as the sweep goes on
    draws      (n, N_DRAWS) standard normal; draws_ce (n, N_DRAWS_CE): of the counter electrode
    """

    eis: Eis
    at: int
    passes: int
    start_s: float
    f_Hz: Floats
    ends_s: Numbers
    states: Numbers
    dc: Numbers
    draws: Floats
    draws_ce: Floats


def nominal_Hz(eis: Eis) -> Floats:
    if eis.spacing == "log":
        return np.geomspace(eis.f_first_Hz, eis.f_last_Hz, eis.n_frequencies)
    return np.linspace(eis.f_first_Hz, eis.f_last_Hz, eis.n_frequencies)


def schedule(eis: Eis, instrument: Instrument, factor: float) -> tuple[Floats, Floats]:
    """Nominal frequencies, and how long each takes (s). factor: over what the instrument's data say."""
    f_Hz = nominal_Hz(eis)
    seconds = [instrument.eis_seconds(float(f), eis.average, eis.wait_periods) for f in f_Hz]
    return f_Hz, factor * np.array(seconds)


def begin(
    eis: Eis,
    scheduled: tuple[Floats, Floats],
    faults: Imperfections,
    x: Numbers,
    random: tuple[np.random.Generator, np.random.Generator],
    kernel: Kernel,
    *,
    at: int,
    passes: int,
    start_s: float,
    hold_s: float,
) -> Sweep:
    """random: for what is measured of the working electrode, and of the counter electrode."""
    nominal, seconds = scheduled
    numbers = kernel.numbers
    draws = random[0].standard_normal((len(nominal), N_DRAWS))
    draws_ce = random[1].standard_normal((len(nominal), N_DRAWS_CE))
    return Sweep(
        eis=eis,
        at=at,
        passes=passes,
        start_s=start_s,
        f_Hz=nominal * (1.0 + faults.frequency_error * draws[:, 0]),
        ends_s=numbers(hold_s + np.cumsum(seconds)),
        states=numbers(np.tile(x, len(nominal))),
        dc=kernel.zeros(3 * len(nominal)),
        draws=draws,
        draws_ce=draws_ce,
    )


def points(
    sweep: Sweep,
    first: int,
    last: int,
    model: Model,
    faults: Imperfections,
    ranges: tuple[CurrentRange, PotentialRange],
    *,
    counter: bool,
) -> Rows:
    """Rows first:last of the sweep, cut out of all of them: no number depends on how many are asked for.

    counter  the instrument tells of the counter electrode, too
    """
    current, potential = ranges
    states, dc = np.array(sweep.states).reshape(len(sweep.f_Hz), -1), np.array(sweep.dc).reshape(-1, 3)
    Z_true = model.impedance(states, sweep.f_Hz)
    E_phasor, I_phasor, I_true = _phasors(sweep, Z_true, faults, current.full_A)
    E_phasor *= 1.0 + faults.eis_scatter * _complex(sweep.draws[:, 1:3])
    Z = E_phasor / I_phasor
    E_amp, I_amp = np.abs(E_phasor), np.abs(I_phasor)
    E_dc = dc[:, 0] + faults.noise * potential.high_V * sweep.draws[:, 7]
    I_dc = dc[:, 1] + faults.noise * current.full_A * sweep.draws[:, 8]

    rows = np.zeros(len(Z), POINT)
    rows["time_s"] = sweep.start_s + np.array(sweep.ends_s)
    rows["frequency_Hz"] = sweep.f_Hz
    rows["Z_re_ohm"], rows["Z_im_ohm"] = Z.real, Z.imag
    rows["E_dc_V"] = np.clip(E_dc, potential.low_V, potential.high_V)
    rows["I_dc_A"] = np.clip(I_dc, -current.full_A, current.full_A)
    rows["E_amp_V"], rows["I_amp_A"] = E_amp, I_amp
    if counter:
        Z_counter = model.counter_impedance(states, sweep.f_Hz)
        _of_counter(rows, sweep, Z_counter, dc[:, 2], faults, (I_phasor, I_true, potential))
    else:
        for name in OF_COUNTER:
            rows[name] = np.nan
    rows["technique"], rows["passes"], rows["I_range"] = sweep.at, sweep.passes, current.code
    driven = I_amp if sweep.eis.control == "GEIS" else E_amp
    E_beyond = (E_dc + E_amp > potential.high_V) | (E_dc - E_amp < potential.low_V)
    rows["flags"] = (
        int(Flag.I_OVERLOAD) * (np.abs(I_dc) + I_amp > current.full_A)
        | int(Flag.E_OVERLOAD) * E_beyond
        | int(Flag.LOW_AMPLITUDE) * (driven < LOW_AMPLITUDE_SHARE * sweep.eis.amplitude_peak)
    )
    return rows[first:last]


def _of_counter(
    rows: Rows,
    sweep: Sweep,
    Z_counter: Complex,
    Ece_V: Floats,
    faults: Imperfections,
    measured: tuple[Complex, Complex, PotentialRange],
) -> None:
    """What is measured of the counter electrode. measured: I, as it is seen and as it flows, and the range of
    potentials."""
    I_phasor, I_true, potential = measured
    draws, noise_V = sweep.draws_ce, faults.phasor_noise_V(sweep.f_Hz, sweep.eis.average)
    E_phasor = -Z_counter * I_true + noise_V * _complex(draws[:, 2:4])
    E_phasor *= 1.0 + faults.eis_scatter * _complex(draws[:, 0:2])
    Z = -E_phasor / I_phasor
    Ece_V = Ece_V + faults.noise * potential.high_V * draws[:, 4]
    rows["Zce_re_ohm"], rows["Zce_im_ohm"] = Z.real, Z.imag
    rows["Ece_dc_V"], rows["Ece_amp_V"] = np.clip(Ece_V, potential.low_V, potential.high_V), np.abs(E_phasor)


def _phasors(
    sweep: Sweep, Z: Complex, faults: Imperfections, full_A: float
) -> tuple[Complex, Complex, Complex]:
    """Voltage and current as measured: the driven one is real but for its noise; and the current itself."""
    amplitude = sweep.eis.amplitude_peak * faults.amplitude_kept(sweep.f_Hz)
    I_true: Complex = np.asarray(amplitude + 0j if sweep.eis.control == "GEIS" else amplitude / Z)
    noise_V = faults.phasor_noise_V(sweep.f_Hz, sweep.eis.average) * _complex(sweep.draws[:, 3:5])
    noise_A = faults.phasor_noise_A(full_A, sweep.eis.average) * _complex(sweep.draws[:, 5:7])
    return Z * I_true + noise_V, I_true + noise_A, I_true


def _complex(draws: Floats) -> Complex:
    return draws[:, 0] + 1j * draws[:, 1]
