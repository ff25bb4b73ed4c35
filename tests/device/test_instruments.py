"""The instruments' files: whole, sensible, and every value with its source."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nakctl.checks.triggers import OUTPUT
from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange, instrument, instruments
from nakctl.device.techniques import KINDS, LOAD, POWER
from nakctl.errors import RigError

CONFIDENCE = {"verified", "hardware", "documented", "transcribed", "single", "unverified"}
ALL = [instrument(name) for name in instruments()]


@pytest.mark.parametrize("name", ["SP-300", "sp300", "SP 300", "sp-300"])
def test_a_name_may_be_spelt_as_people_do(name: str) -> None:
    assert instrument(name).name == "SP-300"


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(RigError, match="SP-200 is no instrument nakctl knows; there are: SP-300, VMP-3"):
        instrument("SP-200")


@pytest.mark.parametrize("each", ALL, ids=instruments())
def test_every_value_has_unit_source_and_confidence(each: Instrument) -> None:
    told = {name.partition(".")[0] for name in each.facts}
    assert told == set(Instrument.__dataclass_fields__) - {"name", "family", "facts"} - missing(each)
    for name, fact in each.facts.items():
        assert fact.unit, name
        assert len(fact.source) > 10, name
        assert fact.confidence in CONFIDENCE, name


def missing(each: Instrument) -> set[str]:
    return {"f_full_amplitude_Hz"} if each.f_full_amplitude_Hz is None else set()


@pytest.mark.parametrize("each", ALL, ids=instruments())
def test_ranges_ascend_by_code_and_by_size(each: Instrument) -> None:
    assert [r.code for r in each.I_ranges] == sorted({r.code for r in each.I_ranges})
    assert [r.full_A for r in each.I_ranges] == sorted({r.full_A for r in each.I_ranges})
    assert each.I_ranges[-1].full_A == each.I_max_A
    assert [(r.name, r.code, r.low_V, r.high_V) for r in each.E_ranges] == [
        ("2.5 V", 0, -2.5, 2.5),
        ("5 V", 1, -5.0, 5.0),
        ("10 V", 2, -10.0, 10.0),
    ]


@pytest.mark.parametrize("each", ALL, ids=instruments())
def test_no_technique_is_longer_than_the_counter_of_its_time_base(each: Instrument) -> None:
    of_vmp3_alone = {POWER.loaded, LOAD.loaded} if each.name == "VMP-3" else set()
    everywhere = {kind.loaded for kind in KINDS.values()} - {POWER.loaded, LOAD.loaded}
    assert set(each.timebase_s) == everywhere | of_vmp3_alone | {OUTPUT}
    assert each.longest_s <= min(each.timebase_s.values()) * 2**31


def test_what_tells_the_instruments_apart() -> None:
    sp300, vmp3 = instrument("SP-300"), instrument("VMP-3")
    assert (sp300.f_max_Hz, vmp3.f_max_Hz) == (7e6, 1e6)
    assert (sp300.bandwidth, sp300.bandwidth_max) == (8, 9)
    assert (vmp3.bandwidth, vmp3.bandwidth_max) == (5, 7)
    assert (sp300.I_ranges[0].name, vmp3.I_ranges[0].name) == ("10 nA", "10 uA")
    assert (sp300.I_max_A, vmp3.I_max_A) == (0.5, 0.4)


def test_a_range_does_not_show_what_lies_at_its_end() -> None:
    """Nothing beyond it can be seen, and noise makes an overload of it."""
    current, potential = CurrentRange("1 mA", 8, 1e-3), PotentialRange("5 V", 1, -5.0, 5.0)
    assert [current.shows(each) for each in (0.0, 0.99e-3, 0.995e-3, 1e-3)] == [True, True, False, False]
    for sign in (1, -1):
        assert [potential.shows(sign * each) for each in (0.0, 4.95, 4.96, 5.0)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "first_Hz", "last_Hz", "count", "average", "seconds"),
    [
        # Rows of public EC-Lab recordings: 0.68 to 1.10 s each on the SP-300, 0.3 to 0.5 s on the VMP3
        # where a period is short, about 2.1 periods where it is long (2.3 s to 10.6 s from 1 Hz to 0.2 Hz).
        ("SP-300", 200e3, 100.0, 21, 2, (14, 23)),
        ("VMP-3", 1e6, 10.0, 31, 2, (9, 16)),
        ("VMP-3", 0.2, 0.2, 1, 2, (10, 11)),
    ],
)
def test_spectra_take_as_long_as_recorded_ones(
    name: str, first_Hz: float, last_Hz: float, count: int, average: int, seconds: tuple[float, float]
) -> None:
    each, ratio = instrument(name), (last_Hz / first_Hz) ** (1 / max(1, count - 1))
    total_s = sum(each.eis_seconds(first_Hz * ratio**k, average, 0.1) for k in range(count))
    assert seconds[0] < total_s < seconds[1]


def test_the_files_are_read_without_heavy_imports() -> None:
    code = "import sys, nakctl.device.instrument as l; l.instrument('sp300'); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"numpy", "pydantic"} & set(modules.stdout.split())
