"""A block of words <-> bytes: what a reading keeps of what the instrument handed over. Pure.

One entry per block: a header, then the words that hold rows, all little-endian. Entries may stand one behind
the other. An entry without rows says that a read brought none while a block was held back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from nakctl.device.channel import Flag
from nakctl.errors import ChannelError
from nakctl_biologic.rows import Block

FORM = 1
# form, overflow, words that follow, reads before it that were not answered; rows, columns, technique, id,
# process, loop, lost; start, time base
HEADER = struct.Struct("<BBHI7idd")
NO_ROWS = Block(np.zeros(0, np.uint32), 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0)


def packed(block: Block, unanswered: int = 0) -> bytes:
    """unanswered: reads before it that may have taken rows away."""
    header = HEADER.pack(
        FORM, int(block.overflow), len(block.words), unanswered,
        block.n_rows, block.n_columns, block.technique, block.id, block.process, block.loop, block.lost,
        block.start_s, block.timebase_s,
    )  # fmt: skip
    return header + block.words.astype("<u4", copy=False).tobytes()


def unpacked(raw: bytes) -> Iterator[tuple[Block, int]]:
    """Block by block, each with the reads before it that were not answered. ChannelError: it is damaged."""
    at = 0
    while at < len(raw):
        begin = at + HEADER.size
        if begin > len(raw) or raw[at] != FORM:
            raise ChannelError("what was kept of the instrument's words is damaged, or of a newer nakctl")
        _, overflow, n_words, unanswered, *counts, start_s, timebase_s = HEADER.unpack_from(raw, at)
        rows, columns, technique, of, process, loop, lost = counts
        at = begin + 4 * n_words
        if at > len(raw):
            raise ChannelError("what was kept of the instrument's words is cut short")
        words = np.frombuffer(raw, "<u4", n_words, begin).astype(np.uint32)
        block = Block(
            words, rows, columns, technique, of, process, loop, start_s, timebase_s, lost, Flag(overflow)
        )
        yield block, unanswered
