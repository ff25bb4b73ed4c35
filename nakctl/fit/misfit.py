"""How far a cell of given numbers is from what was read, in standard deviations.

Ewe is compared apart from one offset per run: a reference electrode may be off by millivolts, a hundred times
the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nakctl.device.fitting import Subject, Symbol, Values
from nakctl.fit import errors
from nakctl.fit.errors import Errors
from nakctl.fit.history import History
from nakctl.fit.rows import Complex, Floats

FAR = 10.0  # standard deviations, from which on more counts ever less
# Of a logarithm, or of an exponent, to see what it changes. Numbers that go together do so to a part in 1e4
# of what each does, and what a step leaves uncertain of that would look like knowledge.
STEP = 1e-5


@dataclass(frozen=True, slots=True)
class Free:
    """One number that is looked for: x is its logarithm, or itself where it is linear.

    base     by symbol: its value where x is 0; one symbol with base 1, or several that go together
    centre, spread  where x is expected, and how well that is known beforehand
    """

    name: str
    base: Values
    low: float
    high: float
    centre: float
    spread: float
    linear: bool = False

    def values(self, x: float) -> dict[str, float]:
        factor = x if self.linear else float(np.exp(x))
        return {symbol: base * factor for symbol, base in self.base.items()}

    def x(self, values: Values) -> float:
        symbol, base = next(iter(self.base.items()))
        ratio = values[symbol] / base
        return ratio if self.linear else float(np.log(max(ratio, 1e-300)))


def free(symbol: Symbol, start: float) -> Free:
    """start: where it is expected if nothing is shipped."""
    expected = symbol.value if symbol.value > 0 else start  # NaN: nothing is
    places = np.array([symbol.low, symbol.high, expected])
    low, high, centre = (places if symbol.linear else np.log(places)).tolist()
    return Free(symbol.name, {symbol.name: 1.0}, low, high, centre, symbol.spread, symbol.linear)


@dataclass(frozen=True)
class Misfit:
    """fixed: values of what is not looked for."""

    subject: Subject
    history: History
    errors: Errors
    frees: tuple[Free, ...]
    fixed: Values

    def of(self, frees: Sequence[Free], fixed: Values) -> Misfit:
        return replace(self, frees=tuple(frees), fixed=dict(fixed))

    def values(self, x: Floats) -> dict[str, float]:
        found = dict(self.fixed)
        for one, at in zip(self.frees, x, strict=True):
            found |= one.values(float(at))
        return found

    def x(self, values: Values) -> Floats:
        return np.array([one.x(values) for one in self.frees], np.float64)

    def weighed(self, values: Values) -> Misfit:
        """With the errors that these values leave over."""
        left = errors.left_over(self.errors, self.history, *self.left(values), len(self.frees))
        return replace(self, errors=left)

    def left(self, values: Values) -> tuple[Floats, Complex]:
        """Of Ewe (V) and of Z (over |Z|), each (n,) of the history; NaN: not compared."""
        answer = self.subject.answer(values, self.history.course)
        with np.errstate(all="ignore"):
            left_V = self.history.Ewe_V - answer.Ewe_V
            left_z = (self.history.z_ohm - answer.z_ohm) / self.errors.size_ohm
        return self._without_offset(left_V), left_z

    def _without_offset(self, left_V: Floats) -> Floats:
        found = left_V.copy()
        for run in range(len(self.history.parts)):
            here = (self.history.run == run) & np.isfinite(left_V)
            if here.any():
                weight = self.errors.Ewe_V[here] ** -2.0
                found[here] -= float((weight * left_V[here]).sum() / weight.sum())
        return found

    def of_data(self, values: Values) -> Floats:
        """Of Ewe, Re Z, Im Z of what is compared, in standard deviations."""
        left_V, left_z = self.left(values)
        E, z = np.isfinite(self.history.Ewe_V), np.isfinite(self.history.z_ohm)
        scaled_z = left_z[z] / self.errors.z[z]
        found = np.concatenate([left_V[E] / self.errors.Ewe_V[E], scaled_z.real, scaled_z.imag])
        return np.asarray(FAR * np.arcsinh(np.nan_to_num(found, nan=1e9, posinf=1e9, neginf=-1e9) / FAR))

    def of_all(self, x: Floats) -> Floats:
        """And of what was expected of each number."""
        expected = [(at - one.centre) / one.spread for one, at in zip(self.frees, x, strict=True)]
        return np.concatenate([self.of_data(self.values(x)), expected])

    def slopes(self, x: Floats, *, both_ways: bool = False) -> Floats:
        """(m, k), of `of_data`. both_ways: more exactly, for twice the time."""
        here = self.of_data(self.values(x))
        columns = [self._slope(x, k, here, both_ways) for k in range(len(self.frees))]
        return np.array(columns).T.reshape(len(here), len(self.frees))

    def _slope(self, x: Floats, k: int, here: Floats, both_ways: bool) -> Floats:
        if x[k] + STEP >= self.frees[k].high:
            return (here - self._moved(x, k, -STEP)) / STEP
        if both_ways:
            return (self._moved(x, k, STEP) - self._moved(x, k, -STEP)) / (2.0 * STEP)
        return (self._moved(x, k, STEP) - here) / STEP

    def _moved(self, x: Floats, k: int, step: float) -> Floats:
        moved = x.copy()
        moved[k] += step
        return self.of_data(self.values(moved))
