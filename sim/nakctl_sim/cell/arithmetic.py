"""What the cells and the machine calculate with, and the few things that Python and C do in different ways.

This and the other sources of `nakctl_sim.compiling` are plain Python, and are compiled as they stand where
there is a compiler. `Numbers` are lists here, and arrays of C doubles there.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import MutableSequence

Numbers = MutableSequence[float]

_single = array("f", [0.0])


def relaxed(value: float, target: float, periods: float) -> float:
    """A first-order lag after `periods` time constants: exact for a constant target."""
    if value == target:
        return target  # saves the exponential: most states are at rest most of the time
    return target + (value - target) * math.exp(-periods)


def clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def square(value: float) -> float:
    """value**2 is a power in Python, whose last bit may be another."""
    return value * value


def eighth_power(value: float) -> float:
    return square(square(value * value))


def power(base: float, exponent: float) -> float:
    """Of a base that is not negative; without an error where it is too large a number."""
    try:
        result: float = base**exponent
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return result


def copy(source: Numbers, target: Numbers) -> None:
    target[:] = source


def single(value: float) -> float:
    """As kept in 32 bits."""
    _single[0] = value
    return _single[0]
