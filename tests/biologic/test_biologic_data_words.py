"""C3x floats, IEEE floats and times: the published table, the definition, and all classes of words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl_biologic.data_words import decode_c3x, decode_ieee, encode_c3x, seconds, timebase

TABLE = [
    (0x80000000, 0.0), (0x00000000, 1.0), (0xFF800000, -1.0), (0x00400000, 1.5), (0x00C00000, -1.5),
    (0xFD4CCCCD, 0.2), (0xFDB33333, -0.2), (0x01490FDB, 3.14159274), (0xF603126F, 0.001),
    (0xF6FCED91, -0.001), (0xEA0637BD, 2.5e-7), (0xE209705F, 1e-9), (0x02F9999A, -4.2), (0x00800000, -2.0),
    (0x13742400, 1e6), (0x16559F80, 7e6),
]  # fmt: skip
EDGES = [
    (0x81000000, 0.0),  # exponent -127 is flushed
    (0x81FFFFFF, 0.0),
    (0x80FFFFFF, 0.0),  # exponent -128 is 0, whatever the mantissa
    (0x82000000, 2.0**-126),
    (0x82800000, -(2.0**-125)),
    (0x7F7FFFFF, (2 - 2.0**-23) * 2.0**127),
    (0x7F800001, -(2 - 2.0**-23) * 2.0**127),
    (0x7F800000, -math.inf),
]


def words(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def by_definition(word: int) -> float:
    exponent = word >> 24
    exponent -= 256 if exponent > 127 else 0
    fraction = (word & 0x7FFFFF) / 2**23
    mantissa = fraction - 2 if word & 0x800000 else fraction + 1
    return (
        0.0
        if exponent <= -127
        else -math.inf
        if mantissa == -2 and exponent == 127
        else mantissa * 2.0**exponent
    )


@pytest.mark.parametrize(("word", "value"), [*TABLE, *EDGES])
def test_decode(word: int, value: float) -> None:
    assert decode_c3x(words(word))[0] == np.float32(value)


@pytest.mark.parametrize(("word", "value"), [*TABLE, EDGES[3], EDGES[5], EDGES[6], EDGES[7]])
def test_encode(word: int, value: float) -> None:
    assert encode_c3x([value])[0] == word


@pytest.mark.parametrize("tiny", [0.0, -0.0, 1e-40, -1e-40, -(2.0**-126)])
def test_what_is_too_small_becomes_zero(tiny: float) -> None:
    assert encode_c3x([tiny])[0] == 0x80000000


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_no_word_can_hold(value: float) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        encode_c3x([1.0, value])


exponents = st.integers(0, 255)
fractions = st.one_of(st.sampled_from([0, 1, 0x400000, 0x7FFFFE, 0x7FFFFF]), st.integers(0, 0x7FFFFF))
any_word = st.builds(lambda e, s, f: e << 24 | s << 23 | f, exponents, st.integers(0, 1), fractions)


@given(st.lists(any_word, min_size=1, max_size=50))
def test_every_word_as_defined(found: list[int]) -> None:
    expected = [by_definition(word) for word in found]
    assert decode_c3x(words(*found)).tolist() == expected


def test_every_exponent_with_the_edges_of_the_mantissa() -> None:
    """All classes of the 2^32 words: 256 exponents, both signs, the mantissas at which carries happen."""
    edges = [0, 1, 2, 0x3FFFFF, 0x400000, 0x400001, 0x7FFFFE, 0x7FFFFF]
    found = [e << 24 | s << 23 | f for e in range(256) for s in (0, 1) for f in edges]
    assert decode_c3x(words(*found)).tolist() == [by_definition(word) for word in found]


@given(st.lists(any_word, min_size=1, max_size=50))
def test_words_come_back(found: list[int]) -> None:
    values = decode_c3x(words(*found))
    again = encode_c3x(values)
    assert [a for a, v in zip(again.tolist(), values, strict=True) if v != 0] == [
        w for w, v in zip(found, values, strict=True) if v != 0
    ]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_numbers_come_back(values: list[float]) -> None:
    """All singles but those too small."""
    kept = [0.0 if -(2.0**-126) <= value < 2.0**-126 else value for value in values]
    assert decode_c3x(encode_c3x(values)).tolist() == kept


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=40))
def test_a_strided_column_decodes_like_a_copy(found: list[int]) -> None:
    column = words(*found)[::2]
    assert decode_c3x(column).tobytes() == decode_c3x(column.copy()).tobytes()


def test_ieee() -> None:
    assert decode_ieee(words(0x3FC00000, 0x80000000, 0xFF800000)).tolist() == [1.5, 0.0, -math.inf]


# times


def test_ticks_are_64_bits() -> None:
    high, low = words(0, 0, 1), words(0, 50_000, 5)
    assert seconds(high, low, 2e-5, 0.0).tolist() == [0.0, 1.0, (2**32 + 5) * 2e-5]


@pytest.mark.parametrize(("start_s", "expected_s"), [(math.nan, 1.0), (0.0, 1.0), (100.5, 101.5)])
def test_start_time(start_s: float, expected_s: float) -> None:
    assert seconds(words(0), words(50_000), 2e-5, start_s).tolist() == [expected_s]


@pytest.mark.parametrize("meant_s", [20e-6, 24e-6, 25e-6, 40e-6, 45e-6, 1e-3])
def test_the_time_base_is_read_as_it_was_meant(meant_s: float) -> None:
    assert timebase(float(np.float32(meant_s))) == meant_s


def test_a_week_is_exact_to_a_tick() -> None:
    ticks = round(7 * 86_400 / 2e-5)
    told = timebase(1.99999994948e-05)
    got = seconds(
        words(ticks >> 32, ticks >> 32), words(ticks & 0xFFFFFFFF, (ticks & 0xFFFFFFFF) + 1), told, 0.0
    )
    assert got[0] == 604_800.0
    assert got[1] - got[0] == pytest.approx(2e-5, rel=1e-5)
