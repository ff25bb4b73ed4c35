"""What the values of rows say about themselves. The ranges are 1 mA and +-5 V."""

from __future__ import annotations

import math

import numpy as np
import pytest
from biologic_bench import RANGE, SP300, ca, cp, eis

from nakctl.device.channel import POINT, SAMPLE, Flag
from nakctl.device.program import Done, Test
from nakctl_biologic.codes import DEVICES, device_name
from nakctl_biologic.flags import point_flags, ranges_of, sample_flags

RANGES = ranges_of(RANGE, SP300)
I, E, MET, LOW, NONE = Flag.I_OVERLOAD, Flag.E_OVERLOAD, Flag.TEST_MET, Flag.LOW_AMPLITUDE, Flag(0)
ABOVE, BELOW = Test("Ewe", "above", 1.0), Test("|I|", "below", 1e-4)


@pytest.mark.parametrize(
    ("technique", "Ewe_V", "I_A", "flags"),
    [
        (cp(), 4.99, 0.99e-3, NONE),
        (cp(), 5.0, 0.0, E),
        (cp(), -5.0, 0.0, E),
        (cp(), 0.0, 1e-3, I),
        (cp(), 0.0, -1e-3, I),
        (cp(), math.nan, 0.0, Flag.NO_VALUE),
        (cp(2e-4, 2.0, ABOVE), 0.99, 2e-4, NONE),
        (cp(2e-4, 2.0, ABOVE), 1.0, 2e-4, MET),
        (ca(0.05, 2.0, BELOW), 0.05, -0.99e-4, MET),
        (ca(0.05, 2.0, BELOW), 0.05, -1.01e-4, NONE),
    ],
)
def test_a_sample(technique: Done, Ewe_V: float, I_A: float, flags: Flag) -> None:
    row = np.zeros(1, SAMPLE)
    row["Ewe_V"], row["I_A"] = Ewe_V, I_A
    assert Flag(int(sample_flags(row, technique, RANGES)[0])) == flags


@pytest.mark.parametrize(
    ("control", "E_dc_V", "I_dc_A", "E_amp_V", "I_amp_A", "flags"),
    [
        ("GEIS", 0.0, 0.9e-3, 0.01, 5e-5, NONE),
        ("GEIS", 0.0, 0.97e-3, 0.01, 5e-5, I),  # the peak, not the mean
        ("GEIS", 0.0, -0.97e-3, 0.01, 5e-5, I),
        ("GEIS", 4.99, 0.0, 0.02, 5e-5, E),
        ("GEIS", -4.99, 0.0, 0.02, 5e-5, E),
        ("GEIS", 0.0, 0.0, 0.01, 2.4e-5, LOW),  # less than half of what was asked
        ("PEIS", 0.0, 0.0, 5e-3, 2.4e-5, NONE),
        ("PEIS", 0.0, 0.0, 2.4e-3, 5e-5, LOW),
    ],
)
def test_a_point(
    control: str, E_dc_V: float, I_dc_A: float, E_amp_V: float, I_amp_A: float, flags: Flag
) -> None:
    row = np.zeros(1, POINT)
    row["E_dc_V"], row["I_dc_A"], row["E_amp_V"], row["I_amp_A"] = E_dc_V, I_dc_A, E_amp_V, I_amp_A
    assert Flag(int(point_flags(row, eis(control), RANGES)[0])) == flags


@pytest.mark.parametrize(("code", "name"), [(0, "VMP"), (16, "SP-300"), (-1, None), (len(DEVICES), None)])
def test_what_no_header_names_has_no_name(code: int, name: str | None) -> None:
    assert device_name(code) == name
