"""What is known of a run at any moment, also of one that was killed: its blocks of rows, and its state.

`NAME.h5.slot`, 8 KiB of a mapped file, so that a process that is killed leaves all as it was:

    0     magic 8 bytes | version u32 | unused u32 | begun u64 | kept u64
    64    one place for a state: number u64 | length u32 | checksum u32 | JSON
    4128  another one

A block is begun before the channel is asked for it, and kept once the journal has it. One that brought
nothing was none. A slot of version 1 is half as long and ends after that.

The state is written into the two places by turns. A place that is being written has the number 0; when it is
whole it has one more than the other. So the newer whole one is always there to be read, even after a kill in
the middle of a write, and nobody waits for anybody. The checksum covers the number, for processors that do
not write in order. One thread writes at a time: who comes second leaves it.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import struct
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nakctl.record.files import slot_of

SIZE = 8192
SIZE_OF_VERSION_1 = 4096
_HEAD = struct.Struct("<8sII")
_MAGIC, _VERSION = b"nakctl\0\0", 2
_BEGUN, _KEPT = _HEAD.size, _HEAD.size + 8
_COUNT = struct.Struct("<Q")
_PLACES = (64, 64 + 4064)
_ABOUT = struct.Struct("<QII")  # before each state
MOST_BYTES = 4064 - _ABOUT.size
_LOOKS, _PAUSE_S = 50, 0.0005  # of a reader who always meets a write
_SHORTEST = 20  # letters that are left of a long text


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
            _take_room(file.fileno())
            self._map = mmap.mmap(file.fileno(), SIZE)
        self._number = 0
        self._writing = threading.Lock()

    @classmethod
    def reopen(cls, path: Path, block: int) -> Slot:
        """Of a run that is gone on with behind this block: what may be missing before it was told."""
        slot = cls(path)
        slot.begin(block)
        slot.keep(block)
        return slot

    def begin(self, block: int) -> None:
        if self._is_whole():
            _COUNT.pack_into(self._map, _BEGUN, block)

    def keep(self, block: int) -> None:
        if self._is_whole():
            _COUNT.pack_into(self._map, _KEPT, block)

    def tell(self, state: Mapping[str, Any]) -> None:
        """Of any thread. Waits for nothing and raises nothing: what cannot be told now is told later."""
        if not self._writing.acquire(blocking=False):
            return
        try:
            self._write(_fitting(state))
        except (OSError, ValueError, TypeError):  # closed; or the disk is gone
            return
        finally:
            self._writing.release()

    def close(self) -> None:
        with self._writing:
            self._map.close()

    def _is_whole(self) -> bool:
        """A file that was cut under us would end the process at the first byte beyond its end, so it is
        asked for its size just before. Nothing can be done about who cuts it within that microsecond.
        """
        return self._map.size() >= SIZE

    def _write(self, content: bytes) -> None:
        if not self._is_whole():
            return
        number = self._number + 1
        place = _PLACES[number % 2]
        begin = place + _ABOUT.size
        _COUNT.pack_into(self._map, place, 0)
        self._map[begin : begin + len(content)] = content
        _ABOUT.pack_into(self._map, place, number, len(content), _checksum(number, content))
        self._number = number


def blocks_of(path: Path) -> Blocks | None:
    """What the slot of NAME.h5 says; None: there is none that can be read."""
    content = _read(path)
    if content is None:
        return None
    (begun,), (kept,) = (_COUNT.unpack_from(content, place) for place in (_BEGUN, _KEPT))
    return Blocks(begun, kept)


def state_of(path: Path) -> dict[str, Any] | None:
    """The state that was told last; None: none, or it cannot be read."""
    for _ in range(_LOOKS):
        content = _read(path)
        if content is None or len(content) < SIZE:
            return None
        states = [_state_at(content, place) for place in _PLACES]
        if whole := [state for state in states if state is not None]:
            return _told(max(whole)[1])
        if not any(content[place : place + _ABOUT.size].strip(b"\0") for place in _PLACES):
            return None  # nothing was told yet
        time.sleep(_PAUSE_S)
    return None


def _read(path: Path) -> bytes | None:
    """As it is at one moment, but for what is written meanwhile."""
    try:
        content = slot_of(path).read_bytes()
    except OSError:
        return None
    if len(content) < SIZE_OF_VERSION_1:
        return None
    magic, version, _ = _HEAD.unpack_from(content)
    if magic != _MAGIC or version not in (1, _VERSION) or (version == _VERSION and len(content) < SIZE):
        return None
    return content


def _state_at(content: bytes, place: int) -> tuple[int, bytes] | None:
    """Number and content; None while it is being written."""
    number, length, checksum = _ABOUT.unpack_from(content, place)
    if number == 0 or length > MOST_BYTES:
        return None
    found = content[place + _ABOUT.size : place + _ABOUT.size + length]
    return (number, found) if _checksum(number, found) == checksum else None


def _told(content: bytes) -> dict[str, Any] | None:
    try:
        state = json.loads(content)
    except ValueError:
        return None
    return state if isinstance(state, dict) else None


def _checksum(number: int, content: bytes) -> int:
    return zlib.crc32(content, number & 0xFFFFFFFF)


def _fitting(state: Mapping[str, Any]) -> bytes:
    """As JSON; if it is too long its longest texts are cut. ValueError: it is too long even so."""
    content = _packed(state)
    longest = 2 * MOST_BYTES
    while len(content) > MOST_BYTES:
        longest //= 2
        if longest < _SHORTEST:
            raise ValueError("too much to tell")
        content = _packed(_cut(state, longest))
    return content


def _packed(state: Mapping[str, Any]) -> bytes:
    return json.dumps(state, separators=(",", ":")).encode()


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= longest else f"{value[:longest]}..."
    if isinstance(value, Mapping):
        return {name: _cut(each, longest) for name, each in value.items()}
    return [_cut(each, longest) for each in value] if isinstance(value, list | tuple) else value


def _take_room(descriptor: int) -> None:
    """So that no write into the map meets a full disk. OSError: there is none."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, SIZE)
        except OSError as error:
            if error.errno not in (
                errno.EOPNOTSUPP,
                errno.EINVAL,
            ):  # not all systems can; it was written
                raise
