"""Curves and spectra made of letters: what is drawn, in every alphabet, and what a curve keeps of a long run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.cli.screen import trace
from nakctl.cli.screen.canvas import (
    ASCII,
    BLOCKS,
    BRAILLE,
    LABEL,
    Canvas,
    Letters,
    curve,
    letters_for,
    nyquist,
    time_axis,
)
from nakctl.cli.screen.trace import BINS, Trace

ALPHABETS = (BRAILLE, BLOCKS, ASCII)


@pytest.mark.parametrize(
    ("encoding", "letters"),
    [
        ("utf-8", BRAILLE),
        ("cp437", BLOCKS),
        ("cp850", BLOCKS),
        ("cp1252", ASCII),
        ("ascii", ASCII),
        ("?", ASCII),
    ],
)
def test_the_finest_letters_that_can_be_written(
    encoding: str, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert letters_for(encoding) is letters


def test_the_older_windows_console_has_no_braille(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.delenv("WT_SESSION", raising=False)
    assert letters_for("utf-8") is BLOCKS
    monkeypatch.setenv("WT_SESSION", "1")
    assert letters_for("utf-8") is BRAILLE


@pytest.mark.parametrize(
    ("letters", "lower_left", "upper_right"), [(BRAILLE, "⡀", "⠈"), (BLOCKS, "▄", "▀"), (ASCII, ".", "'")]
)
def test_dots_lie_where_they_belong(letters: Letters, lower_left: str, upper_right: str) -> None:
    canvas = Canvas(3, 2, letters)
    canvas.dot(0, 0)
    canvas.dot(canvas.wide - 1, canvas.high - 1)
    canvas.dot(canvas.wide, 0)  # outside
    canvas.dot(0, -1)
    assert canvas.lines() == [f"  {upper_right}", f"{lower_left}  "]


def test_all_dots_of_a_letter() -> None:
    for letters, full in ((BRAILLE, "⣿"), (BLOCKS, "█"), (ASCII, ":")):
        canvas = Canvas(1, 1, letters)
        for x in range(canvas.wide):
            canvas.line(x, 0, x, canvas.high - 1)
        assert canvas.lines() == [full]


def test_a_curve_with_its_bounds() -> None:
    steps = [(k + 0.5, 0.01 * (k // 5), 0.01 * (k // 5)) for k in range(10)]
    assert curve(steps, (0.0, 10.0), "Ewe", "V", (LABEL + 10, 3), ASCII, 0.0) == [
        "     10.0      :''''",
        "   Ewe/mV     .'    ",
        "      0.0 ....:     ",
    ]


def test_of_two_lines_both_say_what_it_is() -> None:
    lines = curve([(0.0, -22e-6, 22e-6)], (0.0, 10.0), "I", "A", (LABEL + 5, 2), ASCII, 0.0)
    assert [line[:LABEL].strip() for line in lines] == ["I 22.0", "-22.0 uA"]


@pytest.mark.parametrize("letters", ALPHABETS)
@pytest.mark.parametrize("size", [(20, 1), (60, 2), (200, 30)])
@pytest.mark.parametrize(
    "bins",
    [
        [],
        [(0.0, 0.0, 0.0)],
        [(5.0, -3.0, -3.0)],
        [(1.0, 1e-12, 2e-12), (9.0, 1e-12, 1e-12)],
        [(1.0, -1e9, 1e9), (2.0, 3e30, 3e30)],
    ],
)
def test_anything_can_be_drawn_and_has_the_size_that_was_asked_for(
    letters: Letters, size: tuple[int, int], bins: list[tuple[float, float, float]]
) -> None:
    lines = curve(bins, (0.0, 10.0), "I", "A", size, letters, 0.02)
    assert [len(line) for line in lines] == [size[0]] * size[1]
    assert any(set(line[LABEL:]) - {" "} for line in lines) == bool(bins)


def test_noise_is_not_blown_up() -> None:
    noisy = [(float(k), 1.0 + 1e-5 * (k % 2), 1.0 + 1e-5 * (k % 2)) for k in range(10)]
    drawn = [line[LABEL:].strip() for line in curve(noisy, (0, 9), "I", "A", (LABEL + 10, 5), ASCII, 0.02)]
    assert [bool(line) for line in drawn] == [False, False, True, False, False]
    assert all(line[LABEL:].strip() for line in curve(noisy, (0, 9), "I", "A", (LABEL + 10, 5), ASCII, 0.0))


def test_a_spectrum_has_one_scale_for_both_parts() -> None:
    """A half circle is twice as wide as it is high, whatever room there is."""
    circle = [
        (10.0**k, 100 + 50 * math.cos(0.1 * k * math.pi), -50 * math.sin(0.1 * k * math.pi))
        for k in range(11)
    ]
    for size in ((30, 12), (60, 12), (30, 40)):
        lines = nyquist(circle, size, ASCII)
        assert [len(line) for line in lines] == [size[0]] * size[1]
        drawn = [line for line in lines[1:-1] if line.strip()]
        wide = max(len(line.rstrip()) for line in drawn) - min(
            len(line) - len(line.lstrip()) for line in drawn
        )
        assert wide / (2 * len(drawn)) == pytest.approx(2.0, rel=0.2)
    assert lines[0].startswith("Z from 1 Hz to 10 GHz")
    assert lines[-1].strip().startswith("Re 50 .. 150, -Im to 50 ohm")


@pytest.mark.parametrize(
    "points", [(), ((1.0, math.nan, 1.0),), ((1.0, 5.0, 0.0),), ((1.0, 5.0, -1.0), (2.0, 5.0, -1.0))]
)
def test_a_spectrum_of_nothing_or_of_one_point(points: tuple[tuple[float, float, float], ...]) -> None:
    assert [len(line) for line in nyquist(points, (30, 6), BRAILLE)] == [30] * 6


def test_the_time_below() -> None:
    assert time_axis((0.0, 3723.0), 40) == " " * LABEL + "0 s" + "1 h 2 min".rjust(40 - LABEL - 3)


# --- what is kept -------------------------------------------------------------------------------------------

row = st.tuples(st.floats(0, 2e6), st.floats(-10, 10), st.floats(-1, 1))


@given(st.lists(row, max_size=300))
def test_whatever_comes_in_any_order_the_extremes_are_kept(
    given_rows: list[tuple[float, float, float]],
) -> None:
    kept = Trace()
    kept.add(given_rows)
    for what in (0, 1):
        bins = list(kept.bins(what))
        assert [time_s for time_s, _, _ in bins] == sorted(time_s for time_s, _, _ in bins)
        if given_rows:
            assert min(least for _, least, _ in bins) == min(each[1 + what] for each in given_rows)
            assert max(greatest for _, _, greatest in bins) == max(each[1 + what] for each in given_rows)
            assert kept.span_s[1] >= max(each[0] for each in given_rows)


def test_three_weeks_take_no_more_room_than_a_minute() -> None:
    kept = Trace()
    for day in range(21):
        kept.add((86400 * day + k * 8.64, math.sin(k), 1e-5) for k in range(10_000))
    assert BINS / 3 < len(list(kept.bins(0))) <= BINS
    first_s, last_s = kept.span_s
    assert (first_s, last_s) == (0.0, pytest.approx(21 * 86400, rel=0.01))


def test_the_last_minutes_are_fine_and_what_was_before_goes() -> None:
    kept = Trace(keep_s=600.0)
    for hour in range(100):
        kept.add((3600 * hour + k, 1.0 if k < 3000 else 0.0, 0.0) for k in range(3600))
        assert len(kept._bins) <= 2 * BINS
    assert kept.span_s == (pytest.approx(359_400, abs=2), pytest.approx(360_000, abs=2))
    bins = list(kept.bins(0))
    assert len(bins) == pytest.approx(600, abs=2)
    assert {greatest for _, _, greatest in bins} == {0.0}


def test_what_is_no_number_is_left_out() -> None:
    kept = Trace()
    kept.add([(math.nan, 1.0, 1.0), (1.0, math.nan, 1.0), (1.0, 1.0, math.inf), (2.0, 3.0, 4.0)])
    assert list(kept.bins(0)) == [(pytest.approx(2.0, abs=trace._NARROWEST_s), 3.0, 3.0)]


def test_who_wants_no_curve_keeps_none() -> None:
    kept = Trace(0.0)
    kept.add([(1.0, 0.1, 1e-3), (2.0, 0.2, 1e-3)])
    assert [*kept.bins(0)] == []
    assert kept.span_s == (0.0, 0.0)
