"""Words against the published format, on known values and on every class of number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from eclib_rows import decode
from hypothesis import example, given
from hypothesis import strategies as st

from nakctl_sim.instrument.c3x import floats_to_words, ticks_to_words, word_to_float

TABLE = [
    (0x80000000, 0.0), (0x00000000, 1.0), (0xFF800000, -1.0), (0x00400000, 1.5), (0x00C00000, -1.5),
    (0xFD4CCCCD, 0.2), (0xFDB33333, -0.2), (0x01490FDB, 3.14159274), (0xF603126F, 0.001),
    (0xF6FCED91, -0.001), (0xEA0637BD, 2.5e-7), (0xE209705F, 1e-9), (0x02F9999A, -4.2),
    (0x00800000, -2.0), (0x13742400, 1e6), (0x16559F80, 7e6),
]  # fmt: skip


@pytest.mark.parametrize(("word", "value"), TABLE)
def test_known_words(word: int, value: float) -> None:
    assert int(floats_to_words(np.array([value]))[0]) == word
    assert np.float32(word_to_float(word)) == np.float32(value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, allow_subnormal=False))
def test_a_number_comes_back(value: float) -> None:
    back = decode(int(floats_to_words(np.array([value], np.float32))[0]))
    assert back == value


@given(st.integers(0, 2**32 - 1))
@example(0x7F800000)
@example(0x7F800001)
@example(0x81FFFFFF)
def test_a_word_comes_back(word: int) -> None:
    exponent = word >> 24
    value = word_to_float(word)
    if exponent in (0x80, 0x81):
        assert value == 0.0
    elif word == 0x7F800000:
        assert value == -math.inf
    elif abs(value) >= 2**-126:  # normal as a single
        assert value == decode(word)
        assert int(floats_to_words(np.array([value], np.float32))[0]) == word


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (math.nan, 0x80000000),
        (math.inf, 0x7F7FFFFF),
        (-math.inf, 0x7F800000),
        (1e-45, 0x80000000),
        (-0.0, 0x80000000),
    ],
)
def test_what_the_format_does_not_have(value: float, word: int) -> None:
    assert int(floats_to_words(np.array([value]))[0]) == word


@given(st.integers(0, 2**63))
def test_ticks_are_high_word_first(ticks: int) -> None:
    assert ticks_to_words(np.array([ticks], np.uint64))[0].tolist() == [ticks >> 32, ticks & 0xFFFFFFFF]
