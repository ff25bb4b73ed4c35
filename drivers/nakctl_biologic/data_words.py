"""Data words of a channel -> numbers. Pure, whole arrays at a time.

Boards of the VMP-3 family (ESSENTIAL) and of the SP-300 family (PREMIUM) hand over floats of the Texas
Instruments TMS320C3x: `eeeeeeee s fffffff ffffffff ffffffff`, exponent e and mantissa both in two's
complement. Boards of the newest kind (DIGICORE) hand over IEEE 754 singles, and the low word of a time before
the high one.
Source: TMS320C3x User's Guide, "Single-Precision Floating-Point Format"; the vendor's own
BL_ConvertNumericIntoSingle gives the same, but for the smallest exponent, which it flushes to 0 as we do.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

FRACTION = 0x007F_FFFF
SIGN = 0x0080_0000  # of a C3x word
ONE = 1 << 23  # 1.0 of a mantissa, which neither format writes down
BIAS = 127  # of the exponent of an IEEE single
FLUSHED = -127  # exponents from here down mean 0
ZERO = 0x8000_0000


def decode_c3x(words: Words) -> Singles:
    """(n,) words -> (n,) singles, exact. -2^128, which no single can hold, becomes -infinity."""
    exponent = words.view(np.int32) >> 24
    fraction = (words & np.uint32(FRACTION)).view(np.int32)
    negative = (words & np.uint32(SIGN)) != 0
    # A negative mantissa is -2 + f: its size 2 - f carries into the exponent by itself where f is 0.
    size = ((exponent + BIAS) << 23) + np.where(negative, ONE - fraction, fraction)
    bits: Words = size.view(np.uint32) | (negative.astype(np.uint32) << 31)
    bits[exponent <= FLUSHED] = 0
    return bits.view(np.float32)


def encode_c3x(values: npt.ArrayLike) -> Words:
    """(n,) numbers -> (n,) words, rounded to single first; what is too small becomes 0.

    ValueError: +infinity and NaN have no word.
    """
    singles = np.asarray(values, np.float32)
    if not np.all(singles < math.inf):
        raise ValueError("a C3x word cannot hold +infinity or NaN")
    bits = singles.view(np.uint32)
    negative = np.signbit(singles)
    size = (bits & np.uint32(0x7FFF_FFFF)).view(np.int32)
    # The inverse of the carry above: one unit of size less, and the fraction counts down to it.
    exponent = ((size - negative) >> 23) - BIAS
    fraction = np.where(negative, -size, size) & FRACTION
    words = (
        ((exponent.view(np.uint32) & 0xFF) << 24) | (negative * np.uint32(SIGN)) | fraction.view(np.uint32)
    )
    return np.where(exponent <= FLUSHED, np.uint32(ZERO), words)


def decode_ieee(words: Words) -> Singles:
    """(n,) words of a DIGICORE board -> (n,) singles."""
    return words.view(np.float32)


def seconds(high: Words, low: Words, timebase_s: float, start_s: float) -> Floats:
    """(n,) times: 64-bit ticks of timebase_s since start_s, whose NaN means 0. Exact to 2^53 ticks."""
    ticks = (high.astype(np.uint64) << np.uint64(32)) | low
    return np.asarray((0.0 if math.isnan(start_s) else start_s) + timebase_s * ticks.astype(np.float64))


def timebase(single: float) -> float:
    """The time base meant by the single that the library gives: 1.99999994948e-05 is 2e-05.

    Uncorrected, it would be 2 ms per day.
    """
    return float(f"{single:.7g}")
