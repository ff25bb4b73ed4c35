"""Numbers as the instrument's processor keeps them: 32-bit floats of a TMS320C3x, and times as counted ticks.

    word = eeeeeeee s fffffff ffffffff ffffffff     e: signed 8 bits, s: sign, f: 23 bits
    s = 0: ( 1 + f / 2^23) * 2^e      s = 1: (-2 + f / 2^23) * 2^e      e = -128: 0

Source: Texas Instruments, TMS320C3x User's Guide, single-precision floating-point format.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

ZERO = np.uint32(0x80000000)
HIGHEST = np.uint32(0x7F7FFFFF)
LOWEST = np.uint32(0x7F800000)  # -2^128
FRACTION = 0x7FFFFF


def floats_to_words(values: npt.ArrayLike) -> Words:
    """C3x words of numbers, rounded to single precision first. Too small becomes 0, infinite the farthest
    there is; a number that is none becomes 0."""
    singles = np.asarray(values, np.float32)
    bits = singles.view(np.uint32) if singles.ndim else singles.reshape(1).view(np.uint32)[0]
    exponent = ((bits >> np.uint32(23)) & np.uint32(0xFF)).astype(np.int64) - 127
    fraction = (bits & np.uint32(FRACTION)).astype(np.int64)
    negative = np.signbit(singles)
    borrowed = negative & (fraction == 0)  # -2^n is (-2 + 0) * 2^(n - 1)
    exponent = exponent - borrowed
    fraction = np.where(negative & ~borrowed, (1 << 23) - fraction, fraction)
    words = ((exponent & 0xFF) << 24) | (negative.astype(np.int64) << 23) | fraction
    tiny = np.abs(singles) < np.finfo(np.float32).tiny
    words = np.where(tiny | np.isnan(singles), ZERO, words)
    words = np.where(np.isposinf(singles), HIGHEST, words)
    return np.where(np.isneginf(singles), LOWEST, words).astype(np.uint32)


def word_to_float(word: int) -> float:
    """What BL_ConvertNumericIntoSingle answers: exponents of -127 and -128 are 0."""
    exponent = (word >> 24) - (256 if word >> 31 else 0)
    if exponent <= -127:
        return 0.0
    value = ((-2.0 if word & 0x800000 else 1.0) + (word & FRACTION) / 2**23) * 2.0**exponent
    return -math.inf if value == -(2.0**128) else value


def ticks_to_words(ticks: npt.ArrayLike) -> Words:
    """(n, 2): high word, low word."""
    counted = np.asarray(ticks, np.uint64)
    pair = np.stack([counted >> np.uint64(32), counted & np.uint64(0xFFFFFFFF)], axis=-1)
    return pair.astype(np.uint32)
