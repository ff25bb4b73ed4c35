"""How many blocks of rows were begun, and how many are kept: what may be missing after a sudden end is known.

`NAME.h5.slot`, 4 KiB of a mapped file, so that a process that is killed leaves them as they were:

    magic 8 bytes | version u32 | unused u32 | begun u64 | kept u64

A block is begun before the channel is asked for it, and kept once the journal has it. One that brought
nothing was none. The rest is room for what will be told of a run that goes on.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from nakctl.record.files import slot_of

SIZE = 4096
_HEAD = struct.Struct("<8sII")
_MAGIC, _VERSION = b"nakctl\0\0", 1
_BEGUN, _KEPT = _HEAD.size, _HEAD.size + 8
_COUNT = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Blocks:
    """begun may be one ahead, while a block is fetched, or more while the disk is slow."""

    begun: int
    kept: int

    @property
    def missing(self) -> int:
        return max(0, self.begun - self.kept)


class Slot:
    """The writing end; both counters may be set by threads of their own. OSError if there is no room."""

    def __init__(self, path: Path) -> None:
        with slot_of(path).open("w+b") as file:
            file.write(_HEAD.pack(_MAGIC, _VERSION, 0).ljust(SIZE, b"\0"))
            file.flush()
            self._map = mmap.mmap(file.fileno(), SIZE)

    def begin(self, block: int) -> None:
        _COUNT.pack_into(self._map, _BEGUN, block)

    def keep(self, block: int) -> None:
        _COUNT.pack_into(self._map, _KEPT, block)

    def close(self) -> None:
        self._map.close()


def blocks_of(path: Path) -> Blocks | None:
    """What the slot of NAME.h5 says; None: there is none that can be read."""
    try:
        content = slot_of(path).read_bytes()
    except OSError:
        return None
    if len(content) < SIZE or _HEAD.unpack_from(content)[:2] != (_MAGIC, _VERSION):
        return None
    (begun,), (kept,) = (_COUNT.unpack_from(content, place) for place in (_BEGUN, _KEPT))
    return Blocks(begun, kept)
