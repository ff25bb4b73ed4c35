"""What the library does without an instrument: versions, texts, parameters, conversions, finding."""

from __future__ import annotations

import struct
from collections.abc import Callable

from nakctl_sim.instrument.abi import LABEL_BYTES, Board, Kind
from nakctl_sim.instrument.arguments import buffered
from nakctl_sim.instrument.c3x import word_to_float
from nakctl_sim.instrument.calls import Answer, values_of
from nakctl_sim.instrument.codes import FIND_INVALID_PARAMETER, Code, Refused, text

VERSION = "6.8.1.0"
RECORD = struct.Struct(f"<{LABEL_BYTES}siIi")


class Local:
    """address: of the one device there is to find."""

    def __init__(self, address: str) -> None:
        self._address = address.partition("://")[2]

    def answer(self, name: str, fields: tuple[bytes, ...]) -> Answer:
        return HANDLERS[name](self, *values_of(name, fields))

    def version(self, room: int) -> Answer:
        """The size that comes back does not count the NUL."""
        if room < len(VERSION) + 1:
            return Answer(Code.INVALID_PARAMETERS)
        return Answer(Code.OK, (buffered(len(VERSION), VERSION.encode() + b"\0"),))

    def error_text(self, code: int, room: int) -> Answer:
        """The size that comes back counts the NUL; too little room is zeroed."""
        message = text(code).encode() + b"\0"
        if room < len(message):
            return Answer(Code.FUNCTION_FAILED, (buffered(room, bytes(room)),))
        return Answer(Code.OK, (buffered(len(message), message),))

    def define_single(self, label: str, value: float, index: int) -> Answer:
        return _record(label, Kind.SINGLE, struct.unpack("<I", struct.pack("<f", value))[0], index)

    def define_int(self, label: str, value: int, index: int) -> Answer:
        return _record(label, Kind.INT, value & 0xFFFFFFFF, index)

    def define_bool(self, label: str, value: int, index: int) -> Answer:
        return _record(label, Kind.BOOL, value, index)

    def to_single(self, word: int) -> Answer:
        return self.to_channel_single(word, Board.ESSENTIAL)

    def to_channel_single(self, word: int, board: int) -> Answer:
        if board == Board.DIGICORE:
            return Answer(Code.OK, (word.to_bytes(4, "little"),))
        return Answer(Code.OK, (struct.pack("<f", word_to_float(word)),))

    def to_seconds(self, words: list[int], timebase_s: float, board: int) -> Answer:
        low, high = words if board == Board.DIGICORE else reversed(words)
        return Answer(Code.OK, (struct.pack("<d", timebase_s * ((high << 32) | low)),))

    def usb_infos(self, _index: int, *_rooms: int) -> Answer:
        """No: there is nothing on USB."""
        return Answer(0)

    def find(self, room: int) -> Answer:
        """One device, as text in UTF-16: fields by `$`, devices by `%`."""
        host = self._address.partition("/")[0]
        fields = ("Ethernet", host, "0.0.0.0", "255.0.0.0", "00.00.00.00.00.00", "virtual", "virtual", "0")
        found = ("$".join((*fields, self._address)) + "%").encode("utf-16-le")
        if room < len(found):
            return Answer(FIND_INVALID_PARAMETER)
        return Answer(Code.OK, (buffered(len(found), found), struct.pack("<I", 1)))

    def find_usb(self, _room: int) -> Answer:
        return Answer(Code.OK, (buffered(0, b""), struct.pack("<I", 0)))


def _record(label: str | None, kind: Kind, bits: int, index: int) -> Answer:
    """Labels of 1 to 64 characters; what they say is nobody's business here."""
    raw = (label or "").encode("latin-1")
    if not 1 <= len(raw) <= LABEL_BYTES:
        raise Refused(Code.FUNCTION_FAILED)
    return Answer(Code.OK, (RECORD.pack(raw, kind, bits, index),))


HANDLERS: dict[str, Callable[..., Answer]] = {
    "BL_GetLibVersion": Local.version,
    "BL_GetErrorMsg": Local.error_text,
    "BL_DefineSglParameter": Local.define_single,
    "BL_DefineIntParameter": Local.define_int,
    "BL_DefineBoolParameter": Local.define_bool,
    "BL_ConvertNumericIntoSingle": Local.to_single,
    "BL_ConvertChannelNumericIntoSingle": Local.to_channel_single,
    "BL_ConvertTimeChannelNumericIntoSeconds": Local.to_seconds,
    "BL_GetUSBdeviceinfos": Local.usb_infos,
    "BL_FindEChemDev": Local.find,
    "BL_FindEChemEthDev": Local.find,
    "BL_FindEChemUsbDev": Local.find_usb,
}
