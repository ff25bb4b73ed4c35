"""A line of an instrument -> the number that a person reads there, or none."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from bench import spec_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lines_by_hand import ROWS

from nakctl.device.sensor import Raw, SensorTrouble
from nakctl_sensors.reply import number_in, value_of

METER = spec_of("a", kind="serial", port="x", unit="V")
OPTIONS: dict[str, Any] = {"pattern": None, "decimal": None, "thousands": None, "says": None}


def read(line: str, agreed: str, **declared: Any) -> float | None:
    """In the unit agreed; None if it is refused."""
    options = OPTIONS | {"agreed": agreed} | declared
    try:
        value = number_in(line, options).value
        return value_of(Raw(value, 0.0, 0.0), METER)
    except SensorTrouble:
        return None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: repr(row[0]))
def test_lines_read_as_a_person_reads_them(row: Any) -> None:
    line, agreed, value, *declared = row
    found = read(line, agreed, **(declared[0] if declared else {}))
    assert found == (value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9))


def test_there_are_at_least_two_hundred_of_them() -> None:
    assert len({str(row) for row in ROWS}) >= 200


# A pattern, a line, and the number; None where the pattern found a part of one.
PATTERNS = [
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", ".953", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "-.53", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "- 12.5", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "23,57", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "1,013.25", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "0x1F", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "1.2E +03", None),
    (r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)", "12.5", 12.5),
    (r"(\d+\.\d+)", "-12.5", None),
    (r"(\d+\.\d+)", "T-12.5", None),
    (r"T-(\d+\.\d+)", "T-12.5", 12.5),
    (r"[+-]?\s*(\d+\.\d+)", "- 12.5", None),
    (r"[+-]?(\d+\.\d+)", "+12.5", None),
    (r".*?(\d+\.\d+)", "T: -12.5", None),
    (r"T:\s*(\S+)", "T: -12.5", -12.5),
    (r"([+-]\s*\d+\.\d+)", "ST,- 12.5kg", -12.5),
    (r"(\d+)", "12.5", None),
    (r"(\d+)\.\d+", "12.5", None),
    (r"(\d+)$", "1.2E03", None),
    (r"(\d+\.\d+)", "1.5E3", None),
    (r"(\d+\.\d+)", "12.5-", None),
    (r"(\d+)", "2026-11-26", None),
    (r"^([^,]*),", "23.5,45.2", 23.5),
    (r"^[^,]*,([^,]*)", "23.5,45.2", 45.2),
    (r"^.{3}(\d{3})\d{3}$", "123456789", 456),
    (r"No\.(\d+)", "No.5", 5),
    (r"PV([\d.]+)", "PV23.5", 23.5),
    (r"T=([\d.]+)", "T=1000 g", 1.0),
    (r"T=([\d.]+)", "T=23.5 bar", None),
    (r"T=([\d.]+)", "T=23.5 ok", 23.5),
    (r"T=([\d.]+)", "T=1.2.3", None),
    (r"T=(\S+)", "T=12,5", None),
    (r"(?P<value>[\d.]+)\s*(?P<unit>[a-z]+)", "12.5 g", 0.0125),
    (r"(?P<value>[\d.]+)\s*(?P<unit>[a-z]+)", "12.5 pcs", None),
]


@pytest.mark.parametrize(("pattern", "line", "value"), PATTERNS)
def test_a_pattern_finds_a_whole_number_or_none(pattern: str, line: str, value: float | None) -> None:
    assert read(line, "kg", pattern=pattern) == value


def test_a_pattern_reads_a_decimal_comma_that_is_declared() -> None:
    assert read("T=12,5", "kg", pattern=r"T=(\S+)", decimal=",") == 12.5


# --- generated lines: never another number ---------------------------------------------------------------


def in_digits(value: float, digits: int, exponent: bool) -> str:
    return f"{value:.{digits}e}" if exponent else f"{value:.{digits}f}"


numbers = st.builds(in_digits, st.floats(-1e6, 1e6).filter(math.isfinite), st.integers(0, 6), st.booleans())


def grouped(text: str, thousands: str, decimal: str) -> str:
    """The same number with marks between its thousands, and this decimal mark."""
    whole, point, rest = text.partition(".")
    sign, whole = (whole[0], whole[1:]) if whole[:1] in "+-" else ("", whole)
    groups = [whole[max(0, k - 3) : k] for k in range(len(whole), 0, -3)][::-1]
    return sign + thousands.join(groups) + (decimal + rest if point else "")


MARKS = [("", "."), ("", ","), (",", "."), (".", ","), ("'", "."), (" ", "."), (" ", ",")]
SIGNS = ["", "+", "- ", "+ ", "-  "]
BEFORE = [
    "", " ", "T: ", "T1=", "ST,GS,", "S S   ", "N  ", "PV ", "CH2 ", "CH 2 ", "T-", "#", "$", "0x", "E", "1,", "1 ",
    "12:30:05 ", "A1;", "(", "<", "G ", "x", ".", "-", "1.", "ERR ", "OL ",
]  # fmt: skip
BEHIND = [
    "", " ", "kg", " kg", " g", "g", " lb", " MPa", " ST", "%", ";", ",", " 5", ",5", ".5", "E3", "e", "-", "+", ")",
    " E+03", "x", "h", "°C", " C", "/", "*", "?", " psi", "^2", " kg 1", ", OK", " kg ST", ".", "'5",
]  # fmt: skip
FACTORS = {"g": 1e-3, " g": 1e-3, " lb": 0.45359237}
# Decorations that leave a person sure of the number, if its own form does. Beside these it may be refused only.
SURE_BEFORE = {"", " ", "T: ", "T1=", "ST,GS,", "S S   ", "N  ", "PV ", "CH2 ", "A1;", "G "}
SURE_BEHIND = {"", " ", "kg", " kg", "g", " g", " lb", ";", ",", " kg ST", ", OK"}


def in_one_way(line: str) -> set[float]:
    """The number that the whole line is by itself: `1.` and `5` make 1.5."""
    plain = re.sub(r"^([+-]) +", r"\1", line.strip().rstrip(",; "))
    for thousands, decimal in (",.", "'.", ".,", "',"):
        if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(\{thousands}\d{{3}})+\{decimal}\d+", plain):
            return {float(plain.replace(thousands, "").replace(decimal, "."))}
    return {float(plain)} if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain) else set()


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, float, set[float]]:
    """A line, the number written into it, and the values that a person could swear to, in kg."""
    text = draw(numbers)
    bare = text.removeprefix("-")
    negative = text.startswith("-")
    sign = draw(st.sampled_from(["-", "- "] if negative else ["", "+", "+ "]))
    thousands, decimal = draw(st.sampled_from(MARKS))
    body = bare if "e" in bare else grouped(bare, thousands, decimal)
    if "e" in bare:
        body = bare.replace(".", decimal)
    before, behind = draw(st.sampled_from(BEFORE)), draw(st.sampled_from(BEHIND))
    if before[-1:].isalpha() and (thousands == " " or behind == " 5"):
        before = ""  # what a person makes of `x1 000`, or `x0 5`, is a name and a number
    value = float(text)
    line = before + sign + body + behind
    meant = in_one_way(line)
    if before in SURE_BEFORE:
        meant |= in_one_way(sign + body + behind)
    if behind in SURE_BEHIND:
        bare_of = in_one_way(before + sign + body)
        if before in SURE_BEFORE:
            bare_of |= {value} | in_one_way(sign + body)
        meant |= {each * FACTORS.get(behind, 1.0) for each in bare_of}
    return line, value, meant


@settings(max_examples=2000)
@given(lines())
@example(("- 12.5", -12.5, {-12.5}))
def test_a_line_is_read_right_or_refused(drawn: tuple[str, float, set[float]]) -> None:
    line, _, meant = drawn
    found = read(line, "kg")
    if found is not None:
        assert any(found == pytest.approx(each, rel=1e-9, abs=1e-12) for each in meant), line


@settings(max_examples=500)
@given(numbers, st.sampled_from(["", "T: ", "ST,GS,"]), st.sampled_from(["", "kg", " kg"]))
def test_a_plain_line_is_not_refused(text: str, before: str, behind: str) -> None:
    assert read(before + text + behind, "kg") == float(text)


@settings(max_examples=500)
@given(st.floats(-1e6, 1e6), st.integers(1, 6))
def test_what_is_declared_is_read(value: float, digits: int) -> None:
    text = f"{value:.{digits}f}"
    for thousands, decimal in MARKS:
        line = grouped(text, thousands, decimal)
        declared = {"decimal": decimal, "thousands": thousands or None}
        assert read(line, "kg", **declared) == float(text), line


@settings(max_examples=1000)
@given(st.text(st.sampled_from("0123456789.,+- '"), max_size=12))
def test_nothing_is_read_that_python_reads_otherwise(line: str) -> None:
    """Of characters that numbers are made of, nothing declared."""
    found = read(line, "kg")
    if found is not None:
        assert in_one_way(line.lstrip(", ")) == {found}


# --- no value is no value --------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf, 9.9e37, -9.9e37, 9.91e37, 32767.0, -1.0])
def test_sentinels_are_no_values(raw: float) -> None:
    spec = spec_of("a", kind="modbus", port="COM3", register=1, unit="degC", invalid=[32767, -1])
    with pytest.raises(SensorTrouble) as told:
        value_of(Raw(raw, 0.0, 0.0), spec)
    assert told.value.code == "no_value"


@pytest.mark.parametrize(
    ("raw", "well"), [(-2000, True), (-2001, False), (8500, True), (8501, False), (0, True)]
)
def test_a_plausible_range_is_that_of_the_value(raw: float, well: bool) -> None:
    words = {"kind": "modbus", "port": "COM3", "register": 1, "unit": "degC", "scale": 0.1}
    spec = spec_of("a", **words, plausible=["-200 degC", "850 degC"])
    if well:
        assert value_of(Raw(raw, 0.0, 0.0), spec) == pytest.approx(raw / 10)
        return
    with pytest.raises(SensorTrouble) as told:
        value_of(Raw(raw, 0.0, 0.0), spec)
    assert told.value.code == "implausible"


def test_a_plausible_range_may_be_that_of_what_is_shown() -> None:
    spec = spec_of(
        "a", kind="serial", port="COM3", unit="MPa", scale=0.25, says="kg", plausible=["-1 kg", "2000 kg"]
    )
    assert spec.plausible == (-1, 2000)
    turned = spec_of("a", kind="serial", port="COM3", unit="MPa", scale=-0.5, plausible=["1 MPa", "20 MPa"])
    assert turned.plausible == (-40, -2)


@pytest.mark.parametrize(
    ("words", "line", "phrase"),
    [
        ({"unit": "degC"}, "23,57", 'write `decimal: ","`'),
        ({"unit": "MPa", "scale": 0.25}, "12.5 kg", "write `says: kg`"),
        ({"unit": "MPa"}, "12.5 ksi", "write `says: ksi`"),
        ({"unit": "kg"}, "12.5 bar", "shows bar, not kg"),
        ({"unit": "kg", "says": "kg"}, "12.5", "shows no unit, not kg"),
        ({"unit": "kg"}, "1 2", "say with `pattern` which is meant"),
        ({"unit": "kg"}, "OL", "says that it has no value"),
    ],
)
def test_a_line_that_is_refused_says_what_would_be_right(words: Any, line: str, phrase: str) -> None:
    with pytest.raises(SensorTrouble) as told:
        number_in(line, spec_of("a", kind="serial", port="COM3", **words).options)
    assert phrase in str(told.value)
    assert repr(line)[1:-1] in str(told.value)


def test_a_unit_that_is_shown_is_compared_after_a_scale_too() -> None:
    options = spec_of("a", kind="serial", port="x", unit="MPa", scale=0.25, says="kg").options
    assert number_in("12.5 kg", options) == (12.5, "")
    assert number_in("12500 g", options) == (12.5, "g")
    bar = spec_of("a", kind="serial", port="x", unit="MPa", says="bar").options
    assert number_in("10 bar", bar) == (1.0, "")
