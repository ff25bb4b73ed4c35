"""A block of words <-> bytes: what a reading keeps of what the instrument handed over. Pure.

One entry per block: a header, then the words that hold rows, all little-endian. Entries may stand one behind
the other. An entry without rows says that a read brought none while a block was held back.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nakctl.device.channel import Flag
from nakctl.errors import ChannelError
from nakctl_biologic.rows import Block

FORM, OF_RING = 1, 2
# form, overflow, words that follow, reads before it that were not answered; rows, columns, technique, id,
# process, loop, lost; start, time base
HEADER = struct.Struct("<BBHI7idd")
RING = struct.Struct("<IB")  # behind the header of a block of a chain that is fed: slots; of a fence
NO_ROWS = Block(np.zeros(0, np.uint32), 0, 0, 0, 0, 0, 0, 0.0, 0.0, 0)


class Kept(NamedTuple):
    """A block as it came. unanswered: reads before it that were not; slots: of the ring that the channel
    held, 0: the chain as it is; is_fence: its rows are none of the chain."""

    block: Block
    unanswered: int
    slots: int = 0
    is_fence: bool = False


def packed(block: Block, unanswered: int = 0, slots: int = 0, *, is_fence: bool = False) -> bytes:
    """As in Kept."""
    header = HEADER.pack(
        OF_RING if slots else FORM, int(block.overflow), len(block.words), unanswered,
        block.n_rows, block.n_columns, block.technique, block.id, block.process, block.loop, block.lost,
        block.start_s, block.timebase_s,
    )  # fmt: skip
    ring = RING.pack(slots, is_fence) if slots else b""
    return header + ring + block.words.astype("<u4", copy=False).tobytes()


def unpacked(raw: bytes) -> Iterator[Kept]:
    """Block by block. ChannelError: it is damaged."""
    at = 0
    while at < len(raw):
        form = raw[at]
        begin = at + HEADER.size + (RING.size if form == OF_RING else 0)
        if begin > len(raw) or form not in (FORM, OF_RING):
            raise ChannelError("what was kept of the instrument's words is damaged, or of a newer nakctl")
        _, overflow, n_words, unanswered, *counts, start_s, timebase_s = HEADER.unpack_from(raw, at)
        ring = RING.unpack_from(raw, at + HEADER.size) if form == OF_RING else (0, False)
        rows, columns, technique, of, process, loop, lost = counts
        at = begin + 4 * n_words
        if at > len(raw):
            raise ChannelError("what was kept of the instrument's words is cut short")
        words = np.frombuffer(raw, "<u4", n_words, begin).astype(np.uint32)
        block = Block(
            words, rows, columns, technique, of, process, loop, start_s, timebase_s, lost, Flag(overflow)
        )
        yield Kept(block, unanswered, ring[0], bool(ring[1]))
