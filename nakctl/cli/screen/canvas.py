"""Small plots of letters: of braille, of blocks, or of ASCII, whichever the terminal can show.

Plot libraries were tried: plotille draws in braille alone, plotext loads an imaging library and takes a
quarter of a second.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nakctl.text.numbers import duration, si

LABEL = 10  # columns before a curve
_PREFIXES = {-12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


@dataclass(frozen=True, slots=True)
class Letters:
    """wide, high: dots in one letter; of: the letter for those that are set, as bits from the lowest on."""

    wide: int
    high: int
    of: Sequence[str]


def _braille() -> tuple[str, ...]:
    bits = (0x40, 0x80, 0x04, 0x20, 0x02, 0x10, 0x01, 0x08)  # from below, left before right
    sums = (sum(bit for place, bit in enumerate(bits) if dots >> place & 1) for dots in range(256))
    return tuple(chr(0x2800 + each) if each else " " for each in sums)


BRAILLE = Letters(2, 4, _braille())
BLOCKS = Letters(1, 2, " ▄▀█")
ASCII = Letters(1, 2, " .':")


def letters_for(encoding: str) -> Letters:
    """The finest that can be written. The fonts of the older Windows console have no braille."""
    has_braille = sys.platform != "win32" or "WT_SESSION" in os.environ
    for letters, sample in ((BRAILLE, "⣿"), (BLOCKS, "▄▀█")):
        if letters is BRAILLE and not has_braille:
            continue
        try:
            sample.encode(encoding)
        except (UnicodeEncodeError, LookupError):
            continue
        return letters
    return ASCII


class Canvas:
    """width, height: in letters. Dots count from below and from the left."""

    def __init__(self, width: int, height: int, letters: Letters) -> None:
        self.width, self.height, self.letters = width, height, letters
        self.wide, self.high = width * letters.wide, height * letters.high
        self._dots = [bytearray(self.wide) for _ in range(self.high)]

    def dot(self, x: int, y: int) -> None:
        if 0 <= x < self.wide and 0 <= y < self.high:
            self._dots[y][x] = 1

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        steps = max(abs(x1 - x0), abs(y1 - y0))
        for step in range(steps + 1):
            part = step / (steps or 1)
            self.dot(round(x0 + part * (x1 - x0)), round(y0 + part * (y1 - y0)))

    def lines(self) -> list[str]:
        """From above."""
        rows = reversed(range(self.height))
        return ["".join(self._letter(column, row) for column in range(self.width)) for row in rows]

    def _letter(self, column: int, row: int) -> str:
        letters, found, place = self.letters, 0, 0
        for y in range(row * letters.high, (row + 1) * letters.high):
            for x in range(column * letters.wide, (column + 1) * letters.wide):
                found |= self._dots[y][x] << place
                place += 1
        return letters.of[found]


def curve(
    bins: Iterable[tuple[float, float, float]],
    span_s: tuple[float, float],
    name: str,
    unit: str,
    size: tuple[int, int],
    letters: Letters,
    least: float,
) -> list[str]:
    """One quantity against time, with its name and its bounds on the left.

    bins  time, least and greatest
    size  columns and lines, labels included
    least  what is shown is at least this part of the greatest value high: noise is not blown up
    """
    width, height = size
    canvas = Canvas(width - LABEL, height, letters)
    found = list(bins)
    low = min((least for _, least, _ in found), default=0.0)
    high = max((greatest for _, _, greatest in found), default=0.0)
    short = least * max(abs(low), abs(high)) - (high - low)
    if short > 0:
        low, high = low - short / 2, high + short / 2
    scale = Scale.of(low, high, unit)
    first_s, last_s = span_s
    across = (canvas.wide - 1) / ((last_s - first_s) or 1.0)
    up = (canvas.high - 1) / ((high - low) or 1.0)
    rest = 0 if high > low else canvas.high // 2  # what does not change lies in the middle
    before: tuple[int, int, int] | None = None
    for time_s, least, greatest in found:
        x = round((time_s - first_s) * across)
        y, to = rest + round((least - low) * up), rest + round((greatest - low) * up)
        if before is not None:
            _join(canvas, before, (x, y, to))
        canvas.line(x, y, x, to)
        before = x, y, to
    lines = zip(_labels(name, scale, low, high, height), canvas.lines(), strict=True)
    return [f"{label:>{LABEL - 1}.{LABEL - 1}} {line}" for label, line in lines]


def _labels(name: str, scale: Scale, low: float, high: float, height: int) -> list[str]:
    """The bounds, and between them what it is; where there is no line between, beside them."""
    below = scale.text(low) if high > low else ""
    if height < 3:
        return [f"{name} {scale.text(high)}", f"{below} {scale.unit}"][:height]
    labels = [""] * height
    labels[0], labels[height // 2], labels[-1] = scale.text(high), f"{name}/{scale.unit}", below
    return labels


def time_axis(span_s: tuple[float, float], width: int) -> str:
    """Below curves of that width."""
    first, last = (duration(round(each, 1)) for each in span_s)
    return " " * LABEL + first + last.rjust(max(width - LABEL - len(first), len(last) + 1))


def nyquist(
    points: Sequence[tuple[float, float, float]], size: tuple[int, int], letters: Letters
) -> list[str]:
    """-Im(Z) against Re(Z), both to the same scale. points: frequency_Hz, Z_re_ohm, Z_im_ohm."""
    width, height = size
    shown = [(re, -im) for _, re, im in points if math.isfinite(re) and math.isfinite(im)]
    canvas = Canvas(width, height - 2, letters)
    if not shown:
        return [" " * width] * height
    left, right = min(re for re, _ in shown), max(re for re, _ in shown)
    low, high = min(0.0, *(im for _, im in shown)), max(im for _, im in shown)
    scale = max((right - left) / max(canvas.wide - 1, 1), (high - low) / max(canvas.high - 1, 1)) or 1.0
    dots = [(round((re - left) / scale), round((im - low) / scale)) for re, im in shown]
    for one, next_one in pairwise([dots[0], *dots]):
        canvas.line(*one, *next_one)
    first, last = (si(each[0], "Hz", 3) for each in (points[0], points[-1]))
    said = Scale.of(min(left, low), max(right, high), "ohm")
    below = f"Re {said.text(left)} .. {said.text(right)}, -Im to {said.text(high)} {said.unit}"
    head = f"Z from {first} to {last}"
    return [f"{line[:width]:<{width}}" for line in (head, *canvas.lines(), below)]


@dataclass(frozen=True, slots=True)
class Scale:
    """How numbers between two bounds are written: with a prefix that fits both, and digits that part them."""

    exponent: int
    decimals: int
    unit: str

    @classmethod
    def of(cls, low: float, high: float, unit: str) -> Scale:
        largest = max(abs(low), abs(high))
        if not (math.isfinite(largest) and largest > 0):
            return cls(0, 0, unit)
        exponent = min(max(3 * math.floor(math.log10(largest) / 3), -12), 9)
        apart = (high - low) / 10**exponent or largest / 10**exponent
        decimals = min(max(2 - math.floor(math.log10(apart)), 0), 5)
        return cls(exponent, decimals, f"{_PREFIXES[exponent]}{unit}")

    def text(self, value: float) -> str:
        return f"{value / 10**self.exponent:.{self.decimals}f}"


def _join(canvas: Canvas, before: tuple[int, int, int], now: tuple[int, int, int]) -> None:
    """The way from one bin to the next, between their nearest ends. Of each: x, least, greatest."""
    (x0, least0, greatest0), (x1, least1, greatest1) = before, now
    start = min(max(least1, least0), greatest0)
    canvas.line(x0, start, x1, min(max(start, least1), greatest1))
