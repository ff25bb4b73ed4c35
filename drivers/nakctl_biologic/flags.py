"""What the values of rows say about themselves: overloads, tests that were met, amplitudes that were not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag, Rows
from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange
from nakctl.device.program import Done, Eis, Hardware, Test, Tested

LOW_AMPLITUDE_SHARE = 0.5

Bits = npt.NDArray[np.uint16]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges that a technique was loaded with."""

    current: CurrentRange
    potential: PotentialRange


def ranges_of(hardware: Hardware, instrument: Instrument) -> Ranges:
    currents = {each.name: each for each in instrument.I_ranges}
    potentials = {each.name: each for each in instrument.E_ranges}
    return Ranges(currents[hardware.I_range], potentials[hardware.E_range])


def sample_flags(rows: Rows, technique: Done, ranges: Ranges) -> Bits:
    """(n,) bits for rows of SAMPLE.

    A reading at the end of its range is an overload: rows carry no flag of their own. A row that meets a test
    is the one that ended its technique, because the instrument tests more often than it records.
    """
    flags = _overloads(rows["Ewe_V"], rows["Ewe_V"], np.abs(rows["I_A"]), ranges)
    flags |= _no_value(rows["Ewe_V"], rows["I_A"])
    if isinstance(technique, Tested):
        for test in technique.tests:
            flags |= _bit(_meets(rows, test), Flag.TEST_MET)
    return flags


def point_flags(rows: Rows, technique: Eis, ranges: Ranges) -> Bits:
    """(n,) bits for rows of POINT: DC value and amplitude together must stay within the range."""
    E_V, amplitude_V = rows["E_dc_V"], rows["E_amp_V"]
    I_peak_A = np.abs(rows["I_dc_A"]) + rows["I_amp_A"]
    driven = rows["I_amp_A"] if technique.control == "GEIS" else amplitude_V
    low = driven < LOW_AMPLITUDE_SHARE * technique.amplitude_peak
    overloads = _overloads(E_V - amplitude_V, E_V + amplitude_V, I_peak_A, ranges)
    return overloads | _bit(low, Flag.LOW_AMPLITUDE) | _no_value(E_V, rows["I_dc_A"])


def in_order(rows: Rows, last_s: float, slack: float) -> bool:
    """Make the times of one visit's rows go on from last_s: one that is no number, or goes back, becomes that
    of the row before, and is flagged unless it is nearer than slack (of itself). Whether there was any."""
    told_s = rows["time_s"].copy()
    good = np.isfinite(told_s)
    rows["time_s"] = np.maximum.accumulate(np.concatenate([[last_s], np.where(good, told_s, last_s)]))[1:]
    bad = ~good | (told_s < rows["time_s"] * (1.0 - slack))
    rows["flags"] |= _bit(bad, Flag.BAD_TIME)
    return bool(bad.any())


def _overloads(E_low_V: Singles, E_high_V: Singles, I_peak_A: Singles, ranges: Ranges) -> Bits:
    potential = ranges.potential
    E_beyond = (E_low_V <= np.float32(potential.low_V)) | (E_high_V >= np.float32(potential.high_V))
    I_beyond = I_peak_A >= np.float32(ranges.current.full_A)
    return _bit(E_beyond, Flag.E_OVERLOAD) | _bit(I_beyond, Flag.I_OVERLOAD)


def _no_value(E_V: Singles, I_A: Singles) -> Bits:
    """The smallest number of a C3x word means -infinity; newer boards may send NaN."""
    return _bit(~(np.isfinite(E_V) & np.isfinite(I_A)), Flag.NO_VALUE)


def _meets(rows: Rows, test: Test) -> npt.NDArray[np.bool_]:
    value: Singles = rows["Ewe_V"] if test.quantity == "Ewe" else np.abs(rows["I_A"])
    limit = np.float32(test.value)  # as it was sent
    return np.asarray(value >= limit if test.side == "above" else value <= limit)


def _bit(where: npt.NDArray[np.bool_], flag: Flag) -> Bits:
    return np.where(where, np.uint16(flag), np.uint16(0)).astype(np.uint16)
