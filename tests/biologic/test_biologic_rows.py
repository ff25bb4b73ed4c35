"""Words -> rows, one buffer at a time: every layout, written by hand from the format's definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from biologic_bench import block, c3x, c3x_single

from nakctl.errors import ChannelError
from nakctl_biologic.codes import Board
from nakctl_biologic.data_words import decode_c3x
from nakctl_biologic.errors import RowError
from nakctl_biologic.layouts import layout
from nakctl_biologic.rows import point_rows, range_codes, sample_rows

ESSENTIAL, PREMIUM, DIGICORE = Board.ESSENTIAL, Board.PREMIUM, Board.DIGICORE
TB_s = 2e-5

COLUMNS = [
    (100, 0, ESSENTIAL, 4), (100, 0, PREMIUM, 3), (155, 0, ESSENTIAL, 5), (155, 0, PREMIUM, 5),
    (157, 0, ESSENTIAL, 5), (157, 0, PREMIUM, 5), (107, 0, ESSENTIAL, 4), (107, 0, PREMIUM, 4),
    (104, 0, PREMIUM, 4), (107, 1, ESSENTIAL, 15), (107, 1, PREMIUM, 14), (104, 1, ESSENTIAL, 15),
    (158, 0, ESSENTIAL, 6), (158, 0, PREMIUM, 5), (156, 0, ESSENTIAL, 5), (156, 0, PREMIUM, 5),
    (110, 0, ESSENTIAL, 6), (111, 0, ESSENTIAL, 6),
    (113, 0, PREMIUM, 5), (114, 0, ESSENTIAL, 5), (113, 1, ESSENTIAL, 16), (114, 1, PREMIUM, 15),
]  # fmt: skip


@pytest.mark.parametrize(("id", "process", "board", "count"), COLUMNS)
def test_how_many_columns(id: int, process: int, board: Board, count: int) -> None:
    assert len(layout(id, process, board).columns) == count


@pytest.mark.parametrize(("id", "process"), [(100, 1), (155, 1), (107, 2), (107, -1), (150, 0), (126, 0)])
def test_rows_that_nobody_described(id: int, process: int) -> None:
    with pytest.raises(ChannelError, match="no known layout"):
        layout(id, process, PREMIUM)


# samples


def test_rest_on_an_sp300() -> None:
    words = [[0, 50_000, c3x_single(0.2)], [1, 0, c3x_single(-4.2)]]
    rows = sample_rows(block(words, 100, start_s=10.0), PREMIUM, TB_s, 7)
    assert rows["time_s"].tolist() == [11.0, 10.0 + 2**32 * TB_s]
    assert rows["Ewe_V"].tolist() == [np.float32(0.2), np.float32(-4.2)]
    assert rows["I_A"].tolist() == [0.0, 0.0]
    assert np.isnan(rows["Ece_V"]).all()
    assert rows["I_range"].tolist() == [7, 7]


def test_the_second_value_of_a_rest_on_a_vmp3_is_Ece() -> None:
    rows = sample_rows(block([[0, 1, c3x(0.5), c3x(-0.25)]], 100), ESSENTIAL, TB_s, 7)
    assert (rows["Ewe_V"][0], rows["Ece_V"][0], rows["I_A"][0]) == (0.5, -0.25, 0.0)


@pytest.mark.parametrize("id", [155, 157])
@pytest.mark.parametrize("board", [ESSENTIAL, PREMIUM])
def test_driven(id: int, board: Board) -> None:
    rows = sample_rows(block([[0, 3, c3x(1.5), c3x_single(1e-9), 2]], id, technique=4), board, TB_s, 5)
    assert rows["time_s"][0] == pytest.approx(6e-5)
    assert (rows["Ewe_V"][0], rows["I_A"][0]) == (1.5, np.float32(1e-9))
    assert rows["technique"][0] == 4


SET, NOW_V, NOW_A = c3x(9.0), c3x(1.5), c3x(0.25)


@pytest.mark.parametrize(
    ("id", "board", "row"),
    [
        (158, ESSENTIAL, [SET, NOW_A, NOW_V, 0]),
        (158, PREMIUM, [NOW_A, NOW_V, 0]),
        (156, ESSENTIAL, [NOW_A, NOW_V, 0]),
        (156, ESSENTIAL, [SET, NOW_A, NOW_V, 0]),
        (156, PREMIUM, [NOW_A, NOW_V, 0]),
        (110, ESSENTIAL, [NOW_V, NOW_A, SET, 0]),
        (111, ESSENTIAL, [NOW_V, NOW_A, SET, 0]),
    ],
)
def test_where_Ewe_and_I_stand_in_a_scan_a_ramp_a_power_and_a_load(
    id: int, board: Board, row: list[int]
) -> None:
    rows = sample_rows(block([[0, 3, *row]], id), board, TB_s, 5)
    assert (rows["Ewe_V"][0], rows["I_A"][0]) == (1.5, 0.25)


@pytest.mark.parametrize(
    ("id", "board", "columns"), [(156, PREMIUM, 6), (158, ESSENTIAL, 5), (156, ESSENTIAL, 7)]
)
def test_columns_that_no_scan_has(id: int, board: Board, columns: int) -> None:
    with pytest.raises(RowError, match="columns"):
        sample_rows(block([[0] * columns], id), board, TB_s, 5)


def test_digicore_says_the_low_word_first_and_speaks_ieee() -> None:
    rows = sample_rows(block([[50_000, 0, 0x3FC00000]], 100), DIGICORE, TB_s, 7)
    assert (rows["time_s"][0], rows["Ewe_V"][0]) == (1.0, 1.5)


def test_a_word_of_zeros_is_one_volt() -> None:
    assert sample_rows(block([[0, 1, 0]], 100), PREMIUM, TB_s, 7)["Ewe_V"][0] == 1.0


@pytest.mark.parametrize(("columns", "board"), [(4, PREMIUM), (3, ESSENTIAL), (5, PREMIUM)])
def test_another_number_of_columns_is_named(columns: int, board: Board) -> None:
    """An `xctr` word would add columns."""
    expected = {PREMIUM: 3, ESSENTIAL: 4}[board]
    with pytest.raises(
        RowError, match=rf"have {columns} columns on a {board.name} board; expected are {expected}"
    ):
        sample_rows(block([[0] * columns], 100), board, TB_s, 7)


# impedance

PHASE = -0.75
GARBAGE = 0xDEADBEEF


def point(f_Hz: float = 7e6, E_V: float = 0.5, I_A: float = 0.25, t_s: float = 3.0) -> list[int]:
    """A row of 14 columns; the unused ones hold anything."""
    numbers = [f_Hz, E_V, I_A, PHASE, 0.125, -0.0625]
    return [
        *map(c3x, numbers), GARBAGE, c3x(0.0), c3x(0.0), c3x(0.0), c3x(1.0), GARBAGE, GARBAGE, c3x(t_s),
    ]  # fmt: skip


def test_phase_in_radians() -> None:
    rows = point_rows(block([point()], 107, process=1), PREMIUM, 7)
    Z = rows["Z_re_ohm"][0] + 1j * rows["Z_im_ohm"][0]
    assert pytest.approx(2.0 * np.exp(1j * PHASE)) == Z
    assert Z.imag < 0  # a capacitor
    assert rows["frequency_Hz"][0] == 7e6
    assert (rows["E_dc_V"][0], rows["I_dc_A"][0], rows["E_amp_V"][0], rows["I_amp_A"][0]) == (
        0.125,
        -0.0625,
        0.5,
        0.25,
    )


def test_the_time_of_a_point_is_absolute() -> None:
    """And a single: the earliest that it may stand for."""
    one = block([point(t_s=40_000.0)], 107, process=1, start_s=39_000.0)
    t_s = point_rows(one, PREMIUM, 7)["time_s"][0]
    rounding_s = float(np.spacing(np.float32(40_000.0))) / 2
    assert 40_000.0 - 2 * rounding_s < t_s <= 40_000.0 - rounding_s
    assert np.float32(t_s) in (np.float32(40_000.0), np.nextafter(np.float32(40_000.0), np.float32(0)))


def test_no_current_no_impedance() -> None:
    rows = point_rows(block([point(I_A=0.0), point()], 104, process=1), PREMIUM, 7)
    assert math.isnan(rows["Z_re_ohm"][0])
    assert not math.isnan(rows["Z_re_ohm"][1])


INTEGER = [(7, 7), (1, 1), (14, 14), (10, 10)]
FLOAT = [(c3x(7.0), 7), (c3x(1.0), 1), (c3x(10.0), 10), (c3x(0.0), 0), (c3x(14.0), 14)]
NONSENSE = [(c3x(7.5), -1), (c3x(99.0), -1), (0xFFFFFFFF, -1), (GARBAGE, -1)]


@pytest.mark.parametrize(("word", "code"), [*INTEGER, *FLOAT, *NONSENSE])
def test_the_range_column_is_an_integer_or_a_float(word: int, code: int) -> None:
    words = np.array([word], np.uint32)
    assert range_codes(words, decode_c3x(words)).tolist() == [code]


@pytest.mark.parametrize(("word", "code"), [(6, 6), (c3x(6.0), 6), (GARBAGE, 8)])
def test_a_vmp3_tells_the_range_of_each_point(word: int, code: int) -> None:
    """Where it makes no sense, the range that was loaded counts."""
    rows = point_rows(block([[*point(), word]], 107, process=1), ESSENTIAL, 8)
    assert rows["I_range"].tolist() == [code]


def test_a_staircase_has_its_step_last() -> None:
    rows = point_rows(block([[*point(), 3]], 114, process=1), PREMIUM, 7)
    assert rows["I_range"].tolist() == [7]
    rows = point_rows(block([[*point(), 6, 3]], 114, process=1), ESSENTIAL, 7)
    assert rows["I_range"].tolist() == [6]
    rows = sample_rows(block([[0, 1, c3x(0.5), c3x(0.25), 3]], 114), PREMIUM, TB_s, 7)
    assert rows["I_A"].tolist() == [0.25]
