"""How long a channel's memory holds what a chain records while nobody reads. Pure.

The instrument's memory is the queue between it and the host: a slow disk, a pulled cable and a dead program
are survived for as long as it lasts.
"""

from __future__ import annotations

import math

from nakctl.device.instrument import Instrument
from nakctl.device.program import Eis, Loop, Segment, Technique
from nakctl.device.techniques import loaded_as
from nakctl.errors import LimitError
from nakctl_biologic.codes import Board, Id
from nakctl_biologic.layouts import DC, IMPEDANCE, layout
from nakctl_biologic.params import extras_of

WORD_BYTES = 4
LEAST_s = 5.0  # what a host may be late without losing a row


def bytes_per_s(technique: Technique, instrument: Instrument, board: Board) -> float:
    """What it records at the most by time alone; rows that a change of value adds are not foreseen."""
    if isinstance(technique, Loop):
        return 0.0
    id_of_rows = Id[loaded_as(technique)]
    extras = extras_of(technique, instrument, board)
    samples = len(layout(id_of_rows, DC, board, extras).columns) / technique.every_s
    if isinstance(technique, Eis):
        points = len(layout(id_of_rows, IMPEDANCE, board).columns) / instrument.eis_s_per_average
        return WORD_BYTES * max(samples, points)
    return WORD_BYTES * samples


def memory_s(segment: Segment, memory_bytes: int, instrument: Instrument, board: Board) -> float:
    """The shortest time in which the memory can run full: that of the technique that records fastest.

    NaN: the channel does not say how large its memory is.
    """
    if memory_bytes <= 0:
        return math.nan
    fastest = max((bytes_per_s(each, instrument, board) for each in segment.techniques), default=0.0)
    return memory_bytes / fastest if fastest > 0 else math.inf


def check_memory(segment: Segment, memory_bytes: int, instrument: Instrument, board: Board) -> None:
    """LimitError: rows would be lost as soon as the host is late by LEAST_s."""
    holds_s = memory_s(segment, memory_bytes, instrument, board)
    if holds_s < LEAST_s:
        raise LimitError(
            f"the memory of this channel, {memory_bytes} bytes, holds {holds_s:.3g} s of what the chain "
            f"records fastest; it must hold {LEAST_s:g} s: record less often"
        )
