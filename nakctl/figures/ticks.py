"""Numbers beside an axis, in plain letters: 10⁻³, and not as a drawing library would mark them up."""

from __future__ import annotations

import math

from matplotlib.axis import Axis as Drawn
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, ScalarFormatter

from nakctl.figures.figure import Axis

_UP = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (0.009, 11_000.0)  # within these, numbers are written out
_WRITTEN = (1e-3, 1e6)  # the same, of linear axes
_EACH_cm, _DECADE_cm = 1.1, 0.6  # of the axis, for a number
_FEW_DECADES = 1.7  # then numbers between the decades are told, too
_PART = 0.8  # of a decade: then all of them
_TOLD_BETWEEN = (2, 5)


class Decades(Formatter):
    """All plain, or all powers of ten, as the axis reaches."""

    def __init__(self, *, between: bool = False) -> None:
        self.between = between

    def __call__(self, value: float, pos: int | None = None) -> str:
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        if value <= 0 or (self.between and not _is_told(value, low, high)):
            return ""
        return told(value, plain=low > _PLAIN[0] and high < _PLAIN[1])


class Numbers(ScalarFormatter):
    """Each number whole, also a small one: 2×10⁻⁶, and no factor in the corner of the axes."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def __call__(self, value: float, pos: int | None = None) -> str:
        top = max(map(abs, self.axis.get_view_interval()))  # type: ignore[union-attr]
        if abs(value) < 1e-9 * top:
            return "0" if top < _WRITTEN[0] else str(super().__call__(0.0, pos))
        if _WRITTEN[0] <= top < _WRITTEN[1]:
            return str(super().__call__(value, pos))
        return f"{'−' if value < 0 else ''}{told(abs(value), plain=False)}"


def told(value: float, *, plain: bool) -> str:
    """1000 or 10³; between two decades 2×10³."""
    if plain:
        return f"{value:.4g}"
    power = math.floor(math.log10(value) + 1e-9)
    first = round(value / 10.0**power, 3)
    decade = f"10{str(power).translate(_UP)}"
    return decade if first == 1 else f"{first:g}×{decade}"


def set_ticks(drawn: Drawn, axis: Axis, room_cm: float) -> None:
    if axis.log:
        set_decades(drawn, room_cm)
    else:
        most = min(max(3, int(room_cm / _EACH_cm)), 9)
        drawn.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=axis.whole))
        drawn.set_major_formatter(Numbers())


def set_decades(drawn: Drawn, room_cm: float) -> None:
    drawn.set_major_locator(LogLocator(numticks=min(max(3, int(room_cm / _DECADE_cm)), 12)))
    drawn.set_major_formatter(Decades())
    drawn.set_minor_locator(LogLocator(subs=[*range(2, 10)], numticks=60))
    drawn.set_minor_formatter(Decades(between=True))


def _is_told(value: float, low: float, high: float) -> bool:
    first = value / 10 ** math.floor(math.log10(value))
    decades = math.log10(high / max(low, 1e-300))
    return decades < _PART or (decades < _FEW_DECADES and round(first, 6) in _TOLD_BETWEEN)
