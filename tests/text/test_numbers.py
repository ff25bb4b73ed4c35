from __future__ import annotations

import pytest

from nakctl.text import numbers


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "V", "0 V"),
        (7e6, "Hz", "7 MHz"),
        (-2.209e-05, "A", "-22.09 uA"),
        (9.9999e-4, "A", "1 mA"),
        (999.96, "Hz", "1 kHz"),
        (1e-5, "Hz", "10 uHz"),
        (3e-16, "A", "0.0003 pA"),
        (float("inf"), "s", "inf s"),
    ],
)
def test_si(value: float, unit: str, text: str) -> None:
    assert numbers.si(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.02, "20 ms"),
        (5, "5 s"),
        (99, "99 s"),
        (100, "1 min 40 s"),
        (3600, "1 h"),
        (3599.9, "1 h"),
        (5400, "1 h 30 min"),
        (54000, "15 h"),
        (2 * 86400, "2 d"),
        (300000, "3 d 11 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["1 h"], "1 h"),
        (["1 h", "1 h"], "1 h"),
        (["0.05 mA/cm2", "0.1 mA/cm2", "0.4 mA/cm2"], "0.05 .. 0.4 mA/cm2"),
        (["50 uA", "1 mA"], "50 uA .. 1 mA"),
        (["9 679 rows", "16 198 rows"], "9 679 .. 16 198 rows"),
        (["1 h 30 min", "2 h 15 min"], "1 h 30 min .. 2 h 15 min"),
        (["strip", "plate"], "strip .. plate"),
    ],
)
def test_span(texts: list[str], text: str) -> None:
    assert numbers.span(texts) == text


def test_small_and_large() -> None:
    assert numbers.count(50_000) == "50 000"
    assert numbers.plural(1, "row") == "1 row"
    assert numbers.plural(1200, "spectrum", "spectra") == "1 200 spectra"
    assert numbers.size(10) == "1 kB"
    assert numbers.size(3.14e6) == "3.1 MB"
    assert numbers.areal_charge(3.6, 2.0) == "0.5 mAh/cm2"
    assert numbers.areal_charge(3.6e-3, 1.0) == "1 uAh/cm2"
    assert numbers.listed(["0.05 mA/cm2", "0.1 mA/cm2"]) == "0.05, 0.1 mA/cm2"
    assert numbers.listed(["50 uA", "1 mA"]) == "50 uA, 1 mA"


def test_a_number_keeps_its_unit_on_its_line() -> None:
    lines = numbers.wrapped("word " * 20 + "0.5 mA/cm2 and more", "  ", "    ")
    assert all(len(line) <= numbers.WIDTH for line in lines)
    assert any("0.5 mA/cm2" in line for line in lines)
