"""No value that was not sent whole, whatever happens to the stream."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from bench import spec_of
from broken_streams import KINDS, broken_kind
from doubles_player import at_a_terminal
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.device.sensor import SensorTrouble, load_kind
from nakctl.run.clock import FreeClock
from nakctl_sensors.line_buffer import LONGEST_LINE, LineBuffer, Width
from nakctl_sensors.numbers import Convention, NoNumber, number_of

posix = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")


@pytest.mark.parametrize("kind", KINDS)
def test_no_value_that_was_not_sent_whole(kind: str) -> None:
    if "serial" in kind and os.name != "posix":
        pytest.skip("needs a pseudo-terminal")
    _, values, wrong = broken_kind(kind, trials=8 if kind == "modbus, RTU" else 25, seed=1)
    assert wrong == 0
    assert values > 0


@posix
@pytest.mark.parametrize(
    ("answers", "timeout", "says"),
    [
        (("+0001", "2.34kg\r\n+00099.00kg\r\n"), "5 s", "stood still"),  # the rest of the one before
        (("", "+00012.00kg\r\n+00099.00kg\r\n"), "0.5 s", "did not answer"),  # one that came too late
    ],
)
def test_what_is_left_of_an_answer_is_not_the_next_one(answers: list[str], timeout: str, says: str) -> None:
    with at_a_terminal() as instrument:
        spec = spec_of(
            "a", kind="serial", query="Q", terminator="\r\n", unit="kg", timeout=timeout, **instrument.place
        )
        source = load_kind("serial").open(spec, FreeClock())
        for answer in (*answers, "+00077.00kg\r\n"):
            instrument.expect("Q", "\r\n", answer)
        with pytest.raises(SensorTrouble, match=says):
            source.read()
        assert source.read().value == 77
        source.close()


@posix
def test_who_was_late_itself_keeps_no_half_of_a_line() -> None:
    with at_a_terminal() as instrument:
        spec = spec_of(
            "a", kind="serial", terminator="\r\n", unit="kg", timeout="5 s", pause="20 ms", **instrument.place
        )
        source: Any = load_kind("serial").open(spec, FreeClock())
        instrument.expect(None, "", "\r\n+00008")
        while not source.lines.held.endswith(b"8"):
            source._more()
        time.sleep(0.05)  # longer than a line may stand still
        instrument.expect(None, "", "9.00kg\r\n+00010.00kg\r\n").result(10)
        assert source.read().value == 10
        source.close()


@posix
def test_a_line_that_lost_a_part_is_no_reading() -> None:
    with at_a_terminal() as instrument:
        spec = spec_of("a", kind="serial", terminator="\r\n", unit="kg", timeout="5 s", **instrument.place)
        source = load_kind("serial").open(spec, FreeClock())
        lines = [
            "+00001.00kg",
            "+00002.00kg",
            "+00003.00kg",
            "+00004.00kg",
            "+005.00kg",
            "+00006.00kg",
            "+00007.00kg",
        ]
        instrument.expect(None, "", "\r\n".join(["", *lines, ""]))
        assert [source.read().value for _ in range(4)] == [1, 2, 3, 4]
        with pytest.raises(SensorTrouble, match="all lines before had 11 characters"):
            source.read()
        assert source.read().value == 7  # behind garbage the next line does not count
        source.close()


def lines_of(buffer: LineBuffer, data: bytes) -> list[bytes]:
    buffer.feed(data)
    found = []
    while (line := buffer.take()) is not None:
        found.append(line)
    return found


def test_what_comes_before_the_first_terminator_is_no_line() -> None:
    buffer = LineBuffer(b"\r\n")
    assert lines_of(buffer, b"23.45\r\n+00011.11\r\n") == [b"+00011.11"]


def test_an_answer_begins_a_line() -> None:
    buffer = LineBuffer(b"\n")
    buffer.begin()
    assert lines_of(buffer, b"1.5\n") == [b"1.5"]


def test_a_line_that_stands_still_is_none_and_neither_is_its_tail() -> None:
    buffer = LineBuffer(b"\n")
    buffer.begin()
    assert lines_of(buffer, b"+0001") == []
    buffer.pause()
    assert buffer.cut is not None
    assert buffer.cut[0] == "half_line"
    assert "'+0001'" in buffer.cut[1]
    assert lines_of(buffer, b"2.34\n5.67\n") == [b"5.67"]


def test_a_pause_between_lines_is_nothing() -> None:
    buffer = LineBuffer(b"\n")
    buffer.begin()
    assert lines_of(buffer, b"1\n") == [b"1"]
    buffer.pause()
    assert (buffer.cut, lines_of(buffer, b"2\n")) == (None, [b"2"])


def is_number(line: bytes) -> bool:
    try:
        number_of(line.decode(), Convention())
    except NoNumber:
        return False
    return True


WIDTHS = [
    ("+00012.34 +00012.35 +10012.36 +012.37 +00012.38", "yyyny"),
    ("+00012.34 +00012.35 +00012.36 +012.34 +012.35 +012.36 +00012.34", "yyynyyy"),  # it was set otherwise
    ("9.97 9.98 9.99 10.00 10.01 -0.5", "yyyyyy"),
    ("+1.0E-03 +1.1E-03 +1.2E-03 +1.E-03", "yyyn"),
    ("+00012.34 +012.35", "yy"),
]


@pytest.mark.parametrize(("lines", "fit"), WIDTHS)
def test_lines_that_are_filled_up_have_one_length(lines: str, fit: str) -> None:
    width = Width()
    assert ["ny"[width.fits(line.encode())] for line in lines.split()] == list(fit)


def test_a_stream_without_ends_is_told_and_does_not_grow() -> None:
    buffer = LineBuffer(b"\r\n")
    buffer.begin()
    for _ in range(100):
        assert lines_of(buffer, b"x" * 100) == []
    assert buffer.cut is not None
    assert buffer.cut[0] == "garbage"
    assert len(buffer.held) <= LONGEST_LINE + 100
    assert lines_of(buffer, b"\r\n1.5\r\n") == [b"1.5"]


LINE = st.from_regex(r"[+-][0-9]{5}\.[0-9]{2}kg", fullmatch=True).map(str.encode)


@settings(max_examples=400)
@given(
    st.lists(LINE, min_size=1, max_size=12),
    st.integers(0, 11),
    st.lists(st.tuples(st.integers(0, 160), st.integers(0, 30)), max_size=3),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_cuts_with_a_pause_leave_whole_lines_only(
    lines: list[bytes], opened_at: int, cuts: list[tuple[int, int]], steps: list[int]
) -> None:
    """Opened in mid-line; some bytes lost while nothing came; the rest in pieces of any size. That a line lost
    its head right behind another one shows in its length, once that of the others is known."""
    first = [b"+00001.11kg", b"+00002.22kg", b"+00003.33kg", b"+00004.44kg"]
    lines = first + lines
    stream = b"".join(line + b"\r\n" for line in lines)[opened_at:]
    parts, before = [], 0
    for at, lost in sorted((at + len(first) * 13, lost) for at, lost in cuts):
        parts.append(stream[before : max(before, at)])
        before = max(before, at) + lost
    parts.append(stream[before:])
    buffer, width, found = LineBuffer(b"\r\n"), Width(), []
    for number, part in enumerate(parts):
        if number:
            buffer.pause()
        while part:
            step = steps[len(found) % len(steps)]
            found += lines_of(buffer, part[:step])
            part = part[step:]
    assert {line for line in found if is_number(line) and width.fits(line)} <= set(lines)
