"""Rows of the potentiostat -> rows of words, in the columns of each technique, process and board.

Sources: nupylab, helao-async, Matlab4Potentiostat, which agree; of scans tomato, of ramps tomato and
Matlab4Potentiostat. Columns that nobody reads hold 0 here. A VMP-3's rows of a scan begin with the potential
that is set. It records Ece at open circuit, and in impedance rows |Ece|, |Ice|, the phase of the counter
electrode (turned, so that a resistor has 0, as in EC-Lab's files) and Ece: 0 where the counter electrode is
the reference. Newer boards have values there that are not to be used. What xctr asks for ends a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Rows
from nakctl_sim.instrument.abi import Board
from nakctl_sim.instrument.c3x import Words, floats_to_words, ticks_to_words

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
IMPEDANCE_COLUMNS = 14
OCV, STEPPED = {"ocv"}, {"cp", "ca", "cplimit", "calimit"}
STAIRCASE = {"seisg", "seisp"}
SCANS, RAMPS = {"cv", "vscan", "vscanlimit"}, {"iscan", "iscanlimit"}
DRAWING = {"pow", "load"}
NOT_TO_BE_USED = 7.7


def sample_words(
    samples: Rows,
    name: str,
    board: Board,
    start_s: float,
    timebase_s: float,
    count: Counts,
    set_to: Floats,
    *,
    iscan_control: bool,
    extras: Sequence[str] = (),
) -> Words:
    """Process 0, (n, columns). name of the technique. Of each row, count: cycle, or level of a staircase;
    set_to: the potential, current, power or load that was asked for."""
    ticks = np.rint((samples["time_s"] - start_s) / timebase_s)
    Ewe, I, control = _floats(samples["Ewe_V"]), _floats(samples["I_A"]), _floats(set_to)
    essential = board == Board.ESSENTIAL
    columns = [ticks_to_words(ticks)]
    if name in OCV:
        columns += [Ewe, _floats(np.nan_to_num(samples["Ece_V"]))] if essential else [Ewe]
    elif name in SCANS:
        columns += [control, I, Ewe] if essential else [I, Ewe]
    elif name in RAMPS:
        columns += [control, I, Ewe] if essential and iscan_control else [I, Ewe]
    elif name in DRAWING:
        columns += [Ewe, I, control]
    else:
        columns += [Ewe, I]
    if name in STEPPED | STAIRCASE | SCANS | RAMPS | DRAWING:
        columns.append(_integers(count))
    if "Ece" in extras:
        columns.append(_floats(samples["Ece_V"]))
    return np.hstack(columns)


def point_words(points: Rows, name: str, board: Board, count: Counts, *, float_range: bool) -> Words:
    """Process 1, (n, columns): frequency, |Ewe|, |I|, phase in rad, Ewe, I, ..., absolute time."""
    values = np.zeros((len(points), IMPEDANCE_COLUMNS))
    values[:, 0] = points["frequency_Hz"]
    values[:, 1] = points["E_amp_V"]
    values[:, 2] = points["I_amp_A"]
    values[:, 3] = np.arctan2(points["Z_im_ohm"], points["Z_re_ohm"])
    values[:, 4] = points["E_dc_V"]
    values[:, 5] = points["I_dc_A"]
    if board == Board.ESSENTIAL:
        values[:, 7] = np.nan_to_num(points["Ece_amp_V"])
        values[:, 8] = points["I_amp_A"]
        values[:, 9] = np.nan_to_num(np.arctan2(points["Zce_im_ohm"], points["Zce_re_ohm"]))
        values[:, 10] = np.nan_to_num(points["Ece_dc_V"])
    else:
        values[:, 7:11] = NOT_TO_BE_USED
    values[:, 13] = points["time_s"]
    columns = [floats_to_words(values)]
    if board == Board.ESSENTIAL:
        as_words = _floats if float_range else _integers
        columns.append(as_words(points["I_range"].astype(np.int64)))
    if name in STAIRCASE:
        columns.append(_integers(count))
    return np.hstack(columns)


def _floats(values: npt.NDArray[np.generic]) -> Words:
    return floats_to_words(values)[:, np.newaxis]


def _integers(values: Counts) -> Words:
    return values.astype(np.uint32)[:, np.newaxis]
