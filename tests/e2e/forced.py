"""A channel whose readings are replaced: what a broken lead, board or clock would hand over."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from nakctl.device.channel import Channel, Flag, Look, Reading, Rows, Watch

BACK_s = 1.5
Change = Callable[[Rows], None]


class Forced:
    """Passes everything on to a channel, and changes rows and looks from from_s of a segment on.

    name  one of CHANGES. most: so many rows at the most; None: all of them
    """

    def __init__(self, channel: Channel, name: str, from_s: float = 0.0, most: int | None = None) -> None:
        self._channel = channel
        self._change, self._look = CHANGES[name]()
        self._from_s = from_s
        self._left = math.inf if most is None else most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    def read(self, watch: Watch) -> Reading:
        reading = self._channel.read(watch)
        samples, points = self._changed(reading.samples), self._changed(reading.points)
        return replace(reading, samples=samples, points=points, look=self._looked(reading.look))

    def look(self) -> Look | None:
        return self._looked(self._channel.look())

    def _changed(self, rows: Rows) -> Rows:
        first = int(np.searchsorted(rows["time_s"], self._from_s))
        n = int(min(len(rows) - first, self._left))
        changed = rows.copy()
        if n > 0:
            self._change(changed[first : first + n])
            self._left -= n
        return changed

    def _looked(self, look: Look | None) -> Look | None:
        return look if look is None or look.elapsed_s < self._from_s or not self._left else self._look(look)


def _put(rows: Rows, quantity: str, value: float) -> None:
    """In samples or in points: Ewe or I."""
    names = {"Ewe": ("Ewe_V", "E_dc_V"), "I": ("I_A", "I_dc_A")}[quantity]
    for name in set(names) & set(rows.dtype.names or ()):
        rows[name] = value


def _frozen() -> tuple[Change, Callable[[Look], Look]]:
    """Ewe and I stay what they were at first."""
    first: dict[str, float] = {}

    def change(rows: Rows) -> None:
        sampled = "Ewe_V" in (rows.dtype.names or ())
        first.setdefault("Ewe", float(rows["Ewe_V" if sampled else "E_dc_V"][0]))
        first.setdefault("I", float(rows["I_A" if sampled else "I_dc_A"][0]))
        for quantity, value in first.items():
            _put(rows, quantity, value)

    def looked(look: Look) -> Look:
        return replace(look, Ewe_V=first.setdefault("Ewe", look.Ewe_V), I_A=first.setdefault("I", look.I_A))

    return change, looked


def _no_current() -> tuple[Change, Callable[[Look], Look]]:
    return lambda rows: _put(rows, "I", 0.0), lambda look: replace(look, I_A=0.0)


def _overload() -> tuple[Change, Callable[[Look], Look]]:
    def change(rows: Rows) -> None:
        rows["flags"] |= int(Flag.I_OVERLOAD)

    return change, lambda look: look


def _time_back() -> tuple[Change, Callable[[Look], Look]]:
    def change(rows: Rows) -> None:
        rows["time_s"] -= BACK_s

    return change, lambda look: look


def _no_Ewe() -> tuple[Change, Callable[[Look], Look]]:
    return lambda rows: _put(rows, "Ewe", math.nan), lambda look: replace(look, Ewe_V=math.nan)


def _no_time() -> tuple[Change, Callable[[Look], Look]]:
    def change(rows: Rows) -> None:
        rows["time_s"] = math.nan

    return change, lambda look: look


CHANGES = {
    "frozen": _frozen,
    "no current": _no_current,
    "overload": _overload,
    "time back": _time_back,
    "no Ewe": _no_Ewe,
    "no time": _no_time,
}
