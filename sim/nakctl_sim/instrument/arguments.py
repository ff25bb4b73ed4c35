"""The kinds of arguments the library's functions take, and how each crosses the border between C and bytes.

An argument that goes in is read from the caller's memory into bytes; one that comes out is written there.
So a call is a name and a few byte strings, and can as well be answered in another process.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

from nakctl_sim.instrument.abi import N_CHANNELS, TEccParam, TEccParams
from nakctl_sim.instrument.codes import Code, Refused

Simple = Any  # a ctypes type


def null_refused(address: int | None) -> int:
    """No pointer where one is needed: -4."""
    if not address:
        raise Refused(Code.INVALID_PARAMETERS)
    return address


@dataclass(frozen=True)
class Value:
    """A number or a small structure, by value."""

    ctype: Simple
    comes_out = False

    @property
    def ctypes(self) -> tuple[Any, ...]:
        return (self.ctype,)

    def take(self, value: Any) -> bytes:
        return bytes(value if isinstance(value, ctypes.Structure) else self.ctype(value))

    def read(self, data: bytes) -> Any:
        return plain(self.ctype.from_buffer_copy(data))


@dataclass(frozen=True)
class Text:
    """const char*; None for NULL."""

    comes_out = False
    ctypes = (c_void_p,)

    def take(self, address: int | None) -> bytes:
        return b"" if not address else ctypes.string_at(address) + b"\0"

    def read(self, data: bytes) -> str | None:
        return data[:-1].decode("latin-1") if data else None


@dataclass(frozen=True)
class In:
    """A structure by pointer, or `count` of them."""

    ctype: Simple
    count: int = 1
    comes_out = False
    ctypes = (c_void_p,)

    def take(self, address: int | None) -> bytes:
        return ctypes.string_at(null_refused(address), ctypes.sizeof(self.ctype) * self.count)

    def read(self, data: bytes) -> Any:
        if self.count > 1:
            return list((self.ctype * self.count).from_buffer_copy(data))
        return plain(self.ctype.from_buffer_copy(data))


@dataclass(frozen=True)
class Records:
    """TEccParams, by pointer (as the convention of 64-bit Windows passes what does not fit a register)."""

    comes_out = False
    ctypes = (c_void_p,)

    def take(self, address: int | None) -> bytes:
        params = TEccParams.from_address(null_refused(address))
        if params.len <= 0:
            return b""
        return ctypes.string_at(null_refused(params.params), params.len * ctypes.sizeof(TEccParam))

    def read(self, data: bytes) -> bytes:
        return data


@dataclass(frozen=True)
class Out:
    """Whatever is written behind a pointer."""

    comes_out = True
    ctypes = (c_void_p,)

    def take(self, address: int | None) -> bytes:
        null_refused(address)
        return b""

    def write(self, data: bytes, address: int) -> None:
        ctypes.memmove(address, data, len(data))


@dataclass(frozen=True)
class Buffer:
    """char* with uint32* size: how much room there is, then how much was written."""

    comes_out = True
    ctypes = (c_void_p, POINTER(c_uint32))

    def take(self, address: int | None, size: Any) -> bytes:
        null_refused(address)
        return bytes(c_uint32(size[0] if size else null_refused(None)))

    def read(self, data: bytes) -> int:
        """The room."""
        return int.from_bytes(data, "little")

    def write(self, data: bytes, address: int, size: Any) -> None:
        """data: the new size, then the bytes."""
        size[0] = int.from_bytes(data[:4], "little")
        ctypes.memmove(address, data[4:], len(data) - 4)


def buffered(size: int, data: bytes) -> bytes:
    """What Buffer.write expects."""
    return size.to_bytes(4, "little") + data


def plain(value: Any) -> Any:
    return value if isinstance(value, ctypes.Structure) else value.value


Argument = Value | Text | In | Records | Out | Buffer
CHANNEL_MAP = In(ctypes.c_uint8, N_CHANNELS)
