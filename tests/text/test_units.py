from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.text.units import DIMENSIONS, SPELLINGS, UnitError, parse

AREAL = "areal current"

READ = [
    ("0.05 mA/cm2", AREAL, 5e-5),
    ("0.05 mA/cm^2", AREAL, 5e-5),
    ("0.05 mA/cm**2", AREAL, 5e-5),
    ("0.05 mA/cm²", AREAL, 5e-5),
    ("0.05 mA cm-2", AREAL, 5e-5),
    ("0.05 mA cm⁻²", AREAL, 5e-5),
    ("0.05 mA·cm^-2", AREAL, 5e-5),
    ("50 uA/cm2", AREAL, 5e-5),
    ("-0.4 mA/cm2", AREAL, -4e-4),
    ("−0.4 mA/cm2", AREAL, -4e-4),
    ("4 A/m2", AREAL, 4e-4),
    ("5uA", "current", 5e-6),
    ("5 µA", "current", 5e-6),
    ("5 μA", "current", 5e-6),
    ("1e-3 A", "current", 1e-3),
    ("+1.5E3 nA", "current", 1.5e-6),
    (".5 A", "current", 0.5),
    ("0.3 mA", "current", 0.0003),
    ("0 V", "potential", 0.0),
    ("15 mV", "potential", 0.015),
    ("15 h", "time", 54000.0),
    ("20 ms", "time", 0.02),
    ("1.5 min", "time", 90.0),
    ("2 d", "time", 172800.0),
    ("7 MHz", "frequency", 7e6),
    ("20 kHz", "frequency", 2e4),
    ("1 mHz", "frequency", 1e-3),
    ("4 mAh/cm2", "areal charge", 14.4),
    ("4 mA h cm-2", "areal charge", 14.4),
    ("1.5 C", "charge", 1.5),
    ("1 Ah", "charge", 3600.0),
    ("2 Ω", "resistance", 2.0),
    ("2 kohm", "resistance", 2000.0),
    ("2kΩ", "resistance", 2000.0),
    ("2 MΩ", "resistance", 2e6),
    ("25° C", "temperature", 298.15),
    ("0.4418 cm2", "area", 0.4418),
    ("44.18 mm2", "area", 0.4418),
    ("40 uL", "volume", 0.04),
    ("1 mm", "length", 0.1),
    ("25 degC", "temperature", 298.15),
    ("25 °C", "temperature", 298.15),
    ("300 K", "temperature", 300.0),
    ("10 MPa", "pressure", 1e7),
    ("2 bar", "pressure", 2e5),
    ("75 %", "fraction", 0.75),
    ("75%", "fraction", 0.75),
]

TRAPS = [
    ("10", "time", "10 has no unit: a time needs one; did you mean 10 s?"),
    ("0.4", AREAL, "did you mean 0.4 mA/cm2?"),
    (10, "time", "10 has no unit"),
    (True, "time", "must be a time"),
    (None, "time", "must be a time"),
    ("", "time", "'' is not a number with a unit"),
    ("s", "time", "not a number"),
    ("nan s", "time", "not a number"),
    ("inf s", "time", "not a number"),
    (".inf s", "time", "not a number"),
    ("1e999 V", "potential", "too large"),
    ("1e-400 A", "current", "too small"),
    ("0x10 s", "time", "one number and one unit"),
    ("05 s", "time", "a half is 0.5"),
    ("1.2.3 s", "time", "not a number"),
    ("1,5 s", "time", "a decimal comma: write 1.5 s, with a point"),
    ("1:30", "time", "1.5 h if these are hours and minutes, 1.5 min if minutes and seconds"),
    ("1 h 30 min", "time", "one number and one unit"),
    ("2020-01-01", "time", "one number and one unit"),
    ("5 s/", "time", "one number and one unit"),
    ("5 A//cm2", AREAL, "one number and one unit"),
    ("5 mA/(cm2)", AREAL, "one number and one unit"),
    ("3 V", "time", "3 V is a potential: expected a time, such as 10 s"),
    ("0.4 mA", AREAL, "is a current: expected a current per area"),
    ("5 min", "frequency", "is a time: expected a frequency"),
    ("5 m", "time", "m is the metre: minutes are written 5 min"),
    ("5 V s", "time", "none of the quantities nakctl knows"),
    ("5 degC/s", "temperature", "one number and one unit"),
    ("5 degC s/s", "temperature", "one number and one unit"),
    ("5 /s", "frequency", "one number and one unit"),
    ("7 MHZ", "frequency", "large and small letters differ); did you mean mHz or MHz?"),
    ("7 mhz", "frequency", "did you mean mHz or MHz?"),
    ("5 Ma", "current", "did you mean mA?"),
    ("5 MA", "current", "did you mean mA?"),
    ("5 ma", "current", "did you mean mA?"),
    ("1 H", "time", "did you mean h?"),
    ("1 S", "time", "did you mean s?"),
    ("5 uAmp", "current", "uAmp is no unit; did you mean"),
    ("10 sec", "time", "did you mean s?"),
    ("20 mn", "time", "20 mn: mn is no unit; did you mean min?"),
    ("20 mn", "current", "20 mn: mn is no unit; write for example 5 uA"),
    ("1 cps", "frequency", "cps is no unit; write for example 20 kHz"),
    ("5 mAmp", "current", "did you mean mA?"),
    ("3 Std", "time", "did you mean h?"),
    ("1 mA per cm2", AREAL, "per is no unit; did you mean /?"),
    ("25 \u2103", "temperature", "is a degree celsius (U+2103): write 25 \u00b0C"),
    ("25 \u00baC", "temperature", "write 25 \u00b0C"),
    ("10 Minutes", "time", "did you mean min?"),
    ("5 furlong", "length", "furlong is no unit; write for example 1 mm"),
    ("0 s", "time", "a time must be greater than zero"),
    ("-1 Hz", "frequency", "must be greater than zero"),
    ("1" * 500 + " s", "time", "not a number"),
    ("$rest", "time", "not a number"),
    ("\u0663 s", "time", "not a number"),
]


@pytest.mark.parametrize(("text", "dimension", "value"), READ)
def test_spellings_of_the_field(text: str, dimension: str, value: float) -> None:
    found = parse(text, (dimension,))
    assert (found.value, found.dimension, found.text) == (value, dimension, text)


@pytest.mark.parametrize(("text", "dimension", "phrase"), TRAPS)
def test_traps_are_refused_with_advice(text: object, dimension: str, phrase: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, (dimension,))
    assert phrase in str(caught.value)


def test_several_dimensions_are_told_apart() -> None:
    extent = ("time", "areal charge", "charge")
    assert [parse(text, extent).dimension for text in ("1 h", "1 mAh/cm2", "1 mAh")] == list(extent)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_example_is_what_it_says(name: str) -> None:
    assert parse(DIMENSIONS[name].example, (name,)).dimension == name


# One of each, in SI.
ONE = {
    "current": "pA 1e-12, nA 1e-9, uA 1e-6, mA 1e-3, A 1",
    "potential": "nV 1e-9, uV 1e-6, mV 1e-3, V 1",
    "time": "ns 1e-9, us 1e-6, ms 1e-3, s 1, min 60, h 3600, d 86400",
    "length": "nm 1e-7, um 1e-4, mm 0.1, cm 1, m 100",
    "temperature": "K 1, degC 274.15, degF 255.92777777777778",
    "pressure": "Pa 1, hPa 100, kPa 1000, MPa 1e6, mbar 100, bar 1e5, psi 6894.757293168361, mmHg 133.322387415, "
    "torr 133.32236842105263, mtorr 0.13332236842105263, Torr 133.32236842105263, mTorr 0.13332236842105263, atm 101325",
    "force": "mN 1e-3, N 1, kN 1000, kgf 9.80665, lbf 4.4482216152605",
    "mass": "mg 1e-3, g 1, kg 1000, lb 453.59237, oz 28.349523125",
    "frequency": "uHz 1e-6, mHz 1e-3, Hz 1, kHz 1000, MHz 1e6",
    "charge": "nC 1e-9, uC 1e-6, mC 1e-3, C 1, nAh 3.6e-6, uAh 3.6e-3, mAh 3.6, Ah 3600",
    "power": "uW 1e-6, mW 1e-3, W 1, kW 1000",
    "resistance": "mohm 1e-3, ohm 1, kohm 1e3, Mohm 1e6, Gohm 1e9",
    "capacitance": "pF 1e-12, nF 1e-9, uF 1e-6, mF 1e-3, F 1",
    "volume": "nL 1e-6, uL 1e-3, mL 1, L 1000",
    "fraction": "percent 0.01, ppm 1e-6",
}  # fmt: skip
# Products, quotients and powers, and numbers of all forms.
COMPOSED = [
    ("1 mA/cm2/min", "areal current rate", 1e-3 / 60),
    ("1 uA/s", "current rate", 1e-6),
    ("1 mV/min", "potential rate", 1e-3 / 60),
    ("1 K/min", "temperature rate", 1 / 60),
    ("1 MPa/min", "pressure rate", 1e6 / 60),
    ("6 kN/h", "force rate", 6000 / 3600),
    ("1 mg/min", "mass rate", 1e-3 / 60),
    ("1 mm/min", "length rate", 0.1 / 60),
    ("1 kohm/s", "resistance rate", 1000.0),
    ("5 %/min", "frequency", 0.05 / 60),
    ("5 mW/cm2", "areal power", 5e-3),
    ("2 mA*V", "power", 2e-3),
    ("3 V/mA", "resistance", 3000.0),
    ("3 V A^-1", "resistance", 3.0),
    ("3 A-1 V", "resistance", 3.0),
    ("2 mC/mV", "capacitance", 2.0),
    ("1 N/mm2", "pressure", 1e6),
    ("1 N/cm2", "pressure", 1e4),
    ("2 MPa*cm2", "force", 200.0),
    ("1 kgf/cm2", "pressure", 98066.5),
    ("3 mm^3", "volume", 0.003),
    ("3 mm**2*cm", "volume", 0.03),
    ("5 mA/A", "fraction", 0.005),
    ("5 s/s", "fraction", 5.0),
    ("7 s-1", "frequency", 7.0),
    ("2 ms^-1", "frequency", 2000.0),
    ("0.1 mAh/min", "current", 6e-3),
    ("799e20 mAh/min", "current", 4.794e21),  # a last bit that is lost where 1/60 is rounded first
    ("-40 degF", "temperature", 233.15),
    ("98.6 degF", "temperature", 310.15),
    ("-273.14 degC", "temperature", 0.01),
    ("0.1000000000000000055511151231257827 V", "potential", 0.1),
    ("3.14159265358979323846264338327950288 mV", "potential", 3.14159265358979323846264338327950288e-3),
    ("17e307 V", "potential", 1.7e308),
    ("5. V", "potential", 5.0),
]


def test_each_spelling_is_worth_what_it_says() -> None:
    said = [(name, *one.split()) for name, row in ONE.items() for one in row.split(", ")]
    everything = tuple(name for name in DIMENSIONS if name != "C-rate")
    found = [(*_one(unit, everything), unit) for _, unit, _ in said]
    assert found == [(dimension, float(value), unit) for dimension, unit, value in said]
    assert sorted(unit for _, unit, _ in said) == sorted(SPELLINGS)


def _one(unit: str, dimensions: tuple[str, ...]) -> tuple[str, float]:
    one = parse(f"1 {unit}", dimensions)
    return one.dimension, one.value


@pytest.mark.parametrize(("text", "dimension", "value"), COMPOSED)
def test_products_are_exact(text: str, dimension: str, value: float) -> None:
    found = parse(text, tuple(DIMENSIONS))
    assert (found.dimension, found.value) == (dimension, value)


@given(st.sampled_from(sorted(SPELLINGS)), st.integers(1, 10**6), st.integers(-6, 6))
def test_a_spelling_means_one_thing_whatever_the_number(unit: str, digits: int, power: int) -> None:
    number = f"{digits}e{power}"
    once, twice = (parse(f"{text} {unit}", tuple(DIMENSIONS)) for text in (number, f"{2 * digits}e{power}"))
    assert once.dimension == twice.dimension
    if unit not in ("degC", "degF"):
        assert twice.value == pytest.approx(2 * once.value, rel=1e-15)


LIKE_QUANTITIES = st.from_regex(
    r"[0-9]{0,2}[ */]?([A-Za-z]{1,3}|degC|s|cm2)?[ */^-]{0,2}([A-Za-z]{1,2})?-?[0-9]?"
)


@given(
    st.text(max_size=30) | LIKE_QUANTITIES | st.lists(st.sampled_from([*SPELLINGS, *"1-*/^ "])).map("".join)
)
def test_any_text_is_a_quantity_or_a_sentence(text: str) -> None:
    try:
        parse(text, tuple(DIMENSIONS))
    except UnitError as error:
        assert str(error)
