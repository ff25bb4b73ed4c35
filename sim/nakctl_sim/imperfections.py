"""What a real potentiostat adds to what the cell shows: noise, resolution, set errors, fading amplitude.

Every number is a field with its source. "Recordings" are the public EC-Lab files of an SP-300 and of VMP3s
in `dgbowl/yadg` (tests/test_x_eclab); they ran under EC-Lab's own firmware. Confidence: *measured* there,
*derived* from there with an assumption that is named, or *assumed*.

Not imitated: settling and ringing by bandwidth, cable and lead effects beyond the cell's own inductance,
mains hum, drift of the calibration, errors from a cell that drifts during one frequency (so drift correction
has nothing to correct), non-linear response, time stamps that jitter.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nakctl.device.instrument import Instrument
from nakctl.errors import RigError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Imperfections:
    """The imperfections of one kind of channel.

    noise              of one reading of Ewe or I, standard deviation over full scale. Measured for I: 7 nA on
                       the 1 mA range of a VMP3 during a hold. Assumed the same for Ewe and for the SP-300.
    I_set_error        delivered over asked current, minus 1. Measured: a VMP3 set to 0.380 mA reads
                       0.3806 mA.
    compliance_V       beyond it the amplifier cannot drive the current asked for. Assumed (data-sheet
                       knowledge).
    eis_noise_V        of each component of the voltage phasor, at one average and low frequency. Derived: the
                       quietest frequency of four sweeps on an SP-300 scatters by 8 uV at two averages, which
                       is at most 11 uV at one; 8 uV is taken because the cell has its share in it.
    eis_corner_Hz      above it that noise grows with the root of the frequency. Derived: 8 uV at 9.6 kHz and
                       20 uV at 44 kHz (SP-300).
    eis_noise_top_Hz   where it stops growing. Derived: 41 uV at 200 kHz (SP-300) and 34 uV at 214 kHz (VMP3)
                       are 16 % and 3 % of Z on cells of 8 and 20 ohm, where no recording tells the noise of
                       the instrument from its leads.
    eis_noise          of each component of the current phasor at one average, over full scale. Derived from
                       `noise`: one average of a phasor rests on at least as many readings as a sample.
    eis_scatter        of each component of Z over |Z|, whatever the amplitude. Assumed: 0.1 %.
    edge_Hz, edge_order  the amplitude falls as 1/sqrt(1 + (f/edge)^(2 order)). Derived for the VMP3: full at
                       500 kHz, 2.7 of 50 uA at 1 MHz. Assumed for the SP-300: 90 % at its highest frequency.
    frequency_error    of the frequencies realised, relative. Measured: about 1e-5.
    """

    noise: float
    I_set_error: float
    compliance_V: float
    eis_noise_V: float
    eis_corner_Hz: float
    eis_noise_top_Hz: float
    eis_noise: float
    eis_scatter: float
    edge_Hz: float
    edge_order: float
    frequency_error: float

    def amplitude_kept(self, f_Hz: Floats) -> Floats:
        """The share of the excitation asked for that reaches the cell."""
        return np.asarray(1.0 / np.sqrt(1.0 + (f_Hz / self.edge_Hz) ** (2.0 * self.edge_order)))

    def phasor_noise_V(self, f_Hz: Floats, average: int) -> Floats:
        """Standard deviation of each component of the voltage phasor."""
        growth = np.clip(f_Hz, self.eis_corner_Hz, self.eis_noise_top_Hz) / self.eis_corner_Hz
        return np.asarray(self.eis_noise_V * np.sqrt(growth / average))

    def phasor_noise_A(self, full_A: float, average: int) -> float:
        """Standard deviation of each component of the current phasor."""
        return float(self.eis_noise * full_A / np.sqrt(average))

    def as_facts(self) -> dict[str, Any]:
        return asdict(self)


KNOWN = {
    "SP-300": Imperfections(
        noise=7e-6,
        I_set_error=0.0,
        compliance_V=12.0,
        eis_noise_V=8e-6,
        eis_corner_Hz=9.6e3,
        eis_noise_top_Hz=44e3,
        eis_noise=7e-6,
        eis_scatter=1e-3,
        edge_Hz=10e6,
        edge_order=2.0,
        frequency_error=1e-5,
    ),
    "VMP-3": Imperfections(
        noise=7e-6,
        I_set_error=1.5e-3,
        compliance_V=10.0,
        eis_noise_V=8e-6,
        eis_corner_Hz=9.6e3,
        eis_noise_top_Hz=44e3,
        eis_noise=7e-6,
        eis_scatter=1e-3,
        edge_Hz=660e3,
        edge_order=7.0,
        frequency_error=1e-5,
    ),
}


def imperfections(instrument: Instrument) -> Imperfections:
    """Those of the instrument that the simulated channel stands in for."""
    if instrument.name not in KNOWN:
        there_are = ", ".join(KNOWN)
        raise RigError(f"no imperfections are known for {instrument.name}; there are: {there_are}")
    return KNOWN[instrument.name]
