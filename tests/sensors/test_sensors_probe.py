"""`nakctl sensors probe`: what it hears, what it proposes, and what it does not write."""

from __future__ import annotations

import pytest

from nakctl_sensors.probe import Setting, line_end, propose, whole_lines

TALKS = [
    # what was heard, the words besides kind, port and baud, the last value; the doubt, "" if it may be written
    (b"kg\r\n-0,523 MPa\r\n-0,524 MPa\r\n", {"decimal": ",", "unit": "MPa", "terminator": "\r\n"}, "-0.524 MPa", ""),
    (b"12.34 kg\n12.35 kg\n12.36 kg\n", {"unit": "kg", "terminator": "\n"}, "12.36 kg", ""),
    (b"x\r12.34 PSI\r12.35 PSI\r", {"unit": "psi", "terminator": "\r"}, "12.35 psi", ""),
    (b"\n-.53 bar\n-.54 bar\n", {"unit": "bar", "terminator": "\n"}, "-0.54 bar", ""),
    (b"\nT1: 23.5 C\nT1: 23.6 C\n", {"unit": "degC", "terminator": "\n"}, "23.6 degC", ""),
    (b"\n1,013.25 mbar\n1,013.50 mbar\n", {"unit": "mbar", "terminator": "\n"}, "1013.5 mbar", ""),
    (b"\n1,013 mbar\n1,014 mbar\n", None, "", "may be a decimal mark or part thousands"),
    (b"\n12.5\n12.6\n", None, "", "its unit is a guess, as it shows none: say --unit"),
    (b"\n12.5 ksi\n12.6 ksi\n", None, "", "as it shows ksi: say --unit"),
]  # fmt: skip


@pytest.mark.parametrize(("heard", "words", "value", "doubt"), TALKS)
def test_what_is_written_reads_what_was_heard(
    heard: bytes, words: dict[str, str] | None, value: str, doubt: str
) -> None:
    found = propose("COM3", Setting(9600), heard, {})
    assert found is not None
    assert doubt in found.doubt
    assert bool(doubt) == bool(found.doubt)
    if words is not None:
        assert found.words == {"kind": "serial", "port": "COM3", "baud": 9600, **words}
        assert found.heard[-1][1] == value


NOTHING = [
    b"12.5 kg\n",
    b"\n12.5 kg\n",
    b"\nhello\nhello\n",
    b"\n12.5 13.5\n12.5 13.5\n",
    b"\x80\xfe\n\x80\xfe\n\x80\n",
]


@pytest.mark.parametrize("heard", NOTHING)
def test_nothing_is_proposed_for_what_is_no_stream_of_numbers(heard: bytes) -> None:
    assert propose("COM3", Setting(9600), heard, {}) is None


def test_a_unit_that_is_said_is_taken() -> None:
    found = propose("COM3", Setting(9600), b"\n12.5\n12.6\n", {"unit": "MPa"})
    assert found is not None
    assert (found.words["unit"], found.doubt) == ("MPa", "")
    says = propose("COM3", Setting(9600), b"\n12.5 ksi\n12.6 ksi\n", {"unit": "psi"})
    assert says is not None
    assert (says.words["says"], says.doubt) == ("ksi", "")


@pytest.mark.parametrize(("decimal", "value"), [(",", "10.028 MPa"), (".", "10028 MPa")])
def test_a_decimal_mark_that_is_said_settles_it(decimal: str, value: str) -> None:
    heard = b"\n10,027 MPa\n10,028 MPa\n"
    found = propose("COM3", Setting(9600), heard, {"decimal": decimal})
    assert found is not None
    assert (found.heard[-1][1], found.doubt) == (value, "")


def test_a_line_that_it_cannot_read_puts_a_dialogue_in_doubt() -> None:
    heard = b"\r\nST,GS,+00012.34kg\r\nOL,GS,+99999.99kg\r\nST,GS,+00012.36kg\r\n"
    found = propose("COM3", Setting(9600), heard, {})
    assert found is not None
    assert found.words["like"] == "loadcell-ascii"
    assert "'OL,GS,+99999.99kg'" in found.doubt
    assert [made for _, made in found.heard][::2] == ["12.34 kg", "12.36 kg"]


@pytest.mark.parametrize(
    ("heard", "answers", "lines"),
    [
        (b"3.45\r\n+00012.34\r\n+0001", False, ["+00012.34"]),
        (b"12.34\r\n", True, ["12.34"]),
        (b"23.5 \xb0C\r\n23.6 \xb0C\r\n", False, ["23.6 °C"]),
    ],
)
def test_only_whole_lines_count(heard: bytes, answers: bool, lines: list[str]) -> None:
    assert whole_lines(heard, answers) == lines


@pytest.mark.parametrize(("heard", "end"), [(b"1\r\n2\r\n", "\r\n"), (b"1\r2\r", "\r"), (b"1\n2\n", "\n")])
def test_the_end_of_its_lines_is_heard(heard: bytes, end: str) -> None:
    assert line_end(heard) == end
