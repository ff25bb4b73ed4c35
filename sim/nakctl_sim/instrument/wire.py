"""How a call travels between processes: one message each way, every integer little-endian.

message   uint32 length of what follows, then that
request   uint8 length of the name, the name, then the arguments as fields
answer    int32 code, then what comes out as fields; before it, while a call hangs, empty messages
field     uint32 length and the raw bytes of the argument; length 2^32 - 1: nothing there
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

from nakctl_sim.instrument.calls import CALLS, Answer

LENGTH, CODE = struct.Struct("<I"), struct.Struct("<i")
NOTHING = 0xFFFFFFFF
LONGEST = 1 << 24  # far beyond any call: something else is talking
STILL_BUSY = b""
Fields = tuple[bytes | None, ...]


class WireError(Exception):
    """What came is no message of ours."""


def send(link: socket.socket, message: bytes) -> None:
    link.sendall(LENGTH.pack(len(message)) + message)


def receive(link: socket.socket) -> bytes | None:
    """The next message; None: the other side has hung up. WireError, OSError."""
    head = _exactly(link, LENGTH.size)
    if not head:
        return None
    (length,) = LENGTH.unpack(head)
    if length > LONGEST:
        raise WireError(f"a message of {length} bytes")
    message = _exactly(link, length)
    if len(message) < length:
        raise WireError("half a message")
    return message


def _exactly(link: socket.socket, n: int) -> bytes:
    """n bytes, or none if the other side has hung up before."""
    parts: list[bytes] = []
    left = n
    while left:
        part = link.recv(left)
        if not part:
            return b""
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def pack_request(name: str, fields: Fields) -> bytes:
    raw = name.encode()
    return bytes([len(raw)]) + raw + _pack(fields)


def unpack_request(message: bytes) -> tuple[str, tuple[bytes, ...]]:
    """WireError: no function of the library, or other arguments than it has."""
    if not message:
        raise WireError("an empty request")
    end = 1 + message[0]
    name = message[1:end].decode("ascii", "replace")
    fields = tuple(field for field in _unpack(message[end:]) if field is not None)
    if name not in CALLS or len(fields) != len(CALLS[name].arguments):
        raise WireError(f"no call: {name} with {len(fields)} arguments")
    return name, fields


def pack_answer(answer: Answer) -> bytes:
    return CODE.pack(answer.code) + _pack(answer.out)


def unpack_answer(message: bytes) -> Answer:
    if len(message) < CODE.size:
        raise WireError("no answer")
    (code,) = CODE.unpack_from(message)
    return Answer(code, _unpack(message[CODE.size :]))


def _pack(fields: Iterable[bytes | None]) -> bytes:
    return b"".join(
        LENGTH.pack(NOTHING) if field is None else LENGTH.pack(len(field)) + field for field in fields
    )


def _unpack(data: bytes) -> Fields:
    fields: list[bytes | None] = []
    at = 0
    while at < len(data):
        if at + LENGTH.size > len(data):
            raise WireError("half a field")
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size
        if length == NOTHING:
            fields.append(None)
            continue
        if at + length > len(data):
            raise WireError("half a field")
        fields.append(data[at : at + length])
        at += length
    return tuple(fields)
