"""One buffer of words -> SAMPLE or POINT rows. Pure.

A buffer holds rows of one technique and one process. Its words after NbRows * NbCols are garbage and are not
looked at. What a row cannot tell (passes, flags that need the order of rows) is added in `visits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE, Flag, Rows
from nakctl_biologic.codes import Board
from nakctl_biologic.data_words import Singles, Words, decode_c3x, decode_ieee, seconds
from nakctl_biologic.errors import RowError
from nakctl_biologic.layouts import DC, Layout, layout, other_layout
from nakctl_biologic.structures import MAX_WORDS

I_RANGE_CODES = 15  # 0 .. 14
UNKNOWN_RANGE = -1
NONE = Flag(0)
COUNTER = ("|Ece|", "|Ice|", "phase Ce", "Ece")  # columns of impedance rows
HALF_UNIT = 2.0**-24  # relative rounding of a single


@dataclass(frozen=True, slots=True)
class Block:
    """What one BL_GetData returned, as plain values.

    words        (rows * columns,) those that hold rows
    technique    position in the loaded chain; id: of the technique; process 0 DC, 1 impedance
    loop         counter of the chain's loops
    start_s      of the technique, NaN for 0; timebase_s: that of the technique the channel is at
    lost         IRQskipped, above 0 if rows were lost
    overflow     converters that are beyond their range, as the channel says at this moment
    """

    words: Words
    n_rows: int
    n_columns: int
    technique: int
    id: int
    process: int
    loop: int
    start_s: float
    timebase_s: float
    lost: int
    overflow: Flag = NONE

    @property
    def is_full(self) -> bool:
        """No further row would have fitted in: there may be more."""
        return self.n_rows > 0 and (self.n_rows + 1) * self.n_columns > MAX_WORDS


def layout_of(block: Block, board: Board, extras: tuple[str, ...] = ()) -> Layout:
    """RowError: the rows have more or fewer columns than this technique has on this board, with the extra
    values that were asked for."""
    expected = layout(block.id, block.process, board, extras)
    other = other_layout(block.id, board) if block.process == DC else None
    if other is not None and block.n_columns == len(other.columns):
        expected = other
    if block.n_columns != len(expected.columns) or len(block.words) != block.n_rows * block.n_columns:
        raise RowError(
            f"rows of technique {block.id}, process {block.process}, have {block.n_columns} columns on a "
            f"{board.name} board; expected are {len(expected.columns)}: {', '.join(expected.columns)}"
        )
    return expected


def sample_rows(
    block: Block, board: Board, timebase_s: float, I_range: int, extras: tuple[str, ...] = ()
) -> Rows:
    """(n,) of SAMPLE: rows of process 0. I_range: the code that was loaded. At open circuit I is 0."""
    columns = layout_of(block, board, extras)
    table = block.words.reshape(block.n_rows, block.n_columns)
    singles = _singles(block, board)
    rows = np.zeros(block.n_rows, SAMPLE)
    first, second = table[:, 0], table[:, 1]
    high, low = (second, first) if board is Board.DIGICORE else (first, second)
    rows["time_s"] = seconds(high, low, timebase_s, block.start_s)
    rows["Ewe_V"] = singles[:, columns.place("Ewe")]
    rows["Ece_V"] = singles[:, columns.place("Ece")] if "Ece" in columns else np.nan
    if "I" in columns:
        rows["I_A"] = singles[:, columns.place("I")]
    rows["technique"], rows["I_range"] = block.technique, I_range
    return rows


def point_rows(block: Block, board: Board, I_range: int, *, half_cells: bool = False) -> Rows:
    """(n,) of POINT: rows of process 1. half_cells: what they tell of the counter electrode is looked at.

    Z = |Ewe|/|I| exp(j phase), the phase in radians; NaN where no current flowed. The time is a single: the
    earliest that it may stand for is taken, so that no point lies behind what followed it.
    """
    columns = layout_of(block, board)
    singles = _singles(block, board)
    E_amp, I_amp = singles[:, columns.place("|Ewe|")], singles[:, columns.place("|I|")]
    rows = np.zeros(block.n_rows, POINT)
    Z = _impedance(E_amp, I_amp, singles[:, columns.place("phase")])
    rows["Z_re_ohm"], rows["Z_im_ohm"] = Z.real, Z.imag
    rows["time_s"] = singles[:, columns.place("t")].astype(np.float64) * (1.0 - HALF_UNIT)
    rows["frequency_Hz"] = singles[:, columns.place("frequency")]
    rows["E_dc_V"], rows["I_dc_A"] = singles[:, columns.place("Ewe")], singles[:, columns.place("I")]
    rows["E_amp_V"], rows["I_amp_A"] = E_amp, I_amp
    for name in OF_COUNTER:
        rows[name] = np.nan
    if half_cells:  # as in EC-Lab's own files, a resistor has the phase 0 at this electrode as well
        Ece_amp, I_amp, phase_rad, Ece_V = (singles[:, columns.place(name)] for name in COUNTER)
        Z = _impedance(Ece_amp, I_amp, phase_rad)
        rows["Zce_re_ohm"], rows["Zce_im_ohm"] = Z.real, Z.imag
        rows["Ece_dc_V"], rows["Ece_amp_V"] = Ece_V, Ece_amp
    rows["technique"], rows["I_range"] = block.technique, I_range
    if "I range" in columns:
        words = block.words.reshape(block.n_rows, block.n_columns)[:, columns.place("I range")]
        told = range_codes(words, singles[:, columns.place("I range")])
        rows["I_range"] = np.where(told == UNKNOWN_RANGE, I_range, told)
    return rows


def _singles(block: Block, board: Board) -> Singles:
    """All words as floats; columns of integers come out as nonsense, which nobody reads."""
    decode = decode_ieee if board is Board.DIGICORE else decode_c3x
    return decode(block.words).reshape(block.n_rows, block.n_columns)


def _impedance(E_amp: Singles, I_amp: Singles, phase_rad: Singles) -> npt.NDArray[np.complex128]:
    flows = I_amp > 0
    size = np.divide(E_amp, I_amp, out=np.full(len(I_amp), np.nan), where=flows, dtype=np.float64)
    with np.errstate(invalid="ignore"):  # of words that are no numbers
        return np.asarray(size * np.exp(1j * phase_rad.astype(np.float64)))


def range_codes(words: Words, singles: Singles) -> npt.NDArray[np.int64]:
    """Codes of the current range, whether the column holds an integer or a float; -1 unknown.

    Sources disagree, so each word is taken as what makes sense: 1 to 14 cannot be the words of whole floats.
    Word 0 is the float 1.0, because the range with the code 0 exists only on boards without this column.
    """
    as_integer = (words >= 1) & (words < I_RANGE_CODES)
    sensible = (singles >= 0) & (singles < I_RANGE_CODES) & (singles == np.floor(singles))
    as_float = np.where(sensible, singles, UNKNOWN_RANGE).astype(np.int64)
    return np.where(as_integer, words.astype(np.int64), as_float)
