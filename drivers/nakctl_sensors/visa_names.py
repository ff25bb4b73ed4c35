"""VISA addresses as they are written. pyvisa's parser takes them apart; what it lets pass is looked at here.

It reads `socket` or `instr` in small letters as names of their own, takes a port for the name of a device
when SOCKET is missing, and takes any text for a number.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nakctl_sensors.port_names import looks_serial
from nakctl_sensors.spelling import (
    Wrong,
    cleaned,
    host_and_port,
    host_trouble,
    not_plain,
    port_trouble,
    sound,
    without_blanks,
)

_INTERFACES = ("TCPIP", "GPIB", "USB", "ASRL", "VICP", "VXI", "PXI", "PRLGX-TCPIP", "PRLGX-ASRL")
_CLASSES = ("INSTR", "SOCKET", "RAW", "INTFC", "BACKPLANE", "MEMACC", "SERVANT")
_TALKING = {
    "GPIBInstr",
    "TCPIPInstr",
    "TCPIPSocket",
    "USBInstr",
    "USBRaw",
    "ASRLInstr",
    "VICPInstr",
    "VXIInstr",
}
_HEAD = re.compile(rf"({'|'.join(_INTERFACES)})(\d*|(?<=ASRL).+)", re.IGNORECASE)
_DEVICES = ("inst", "hislip", "gpib", "usb", "com")  # of a LAN device; a number follows
_MEANT = {
    "TCP": "TCPIP", "TCPI": "TCPIP", "TCP/IP": "TCPIP", "TCP-IP": "TCPIP", "TCIP": "TCPIP", "TPCIP": "TCPIP",
    "LAN": "TCPIP", "IP": "TCPIP", "SOCKET": "TCPIP", "GBIP": "GPIB", "GPIP": "GPIB", "IEEE": "GPIB",
    "HPIB": "GPIB", "USBTMC": "USB", "SERIAL": "ASRL", "ASLR": "ASRL", "ARSL": "ASRL",
}  # fmt: skip
_FORMS = {
    "TCPIP": "TCPIP::192.168.1.5::5025::SOCKET or TCPIP::192.168.1.5::INSTR",
    "GPIB": "GPIB::16::INSTR",
    "USB": "USB::0x2A8D::0x1301::MY1234::INSTR",
    "ASRL": "ASRL3::INSTR",
}


@dataclass(frozen=True, slots=True)
class Visa:
    """text: in its usual spelling. serial: it is a serial port; None: the VISA library alone knows."""

    text: str
    serial: bool | None


def visa(text: str, backend: str = "") -> Visa | Wrong:
    """The address, or what is wrong with it. backend: as in rig.yaml, for names that a library gives."""
    return sound(_read(text, backend), _read)


def _read(text: str, backend: str = "") -> Visa | Wrong:
    plain, odd = cleaned(text)
    if odd:
        meant = _read(plain, backend) if plain else Wrong("is empty")
        return Wrong(odd, meant.offer if isinstance(meant, Wrong) else meant.text)
    if not plain:
        return Wrong("is empty: write an address such as " + _FORMS["TCPIP"])
    if wrong := not_plain(plain):
        return wrong
    if "://" in plain:
        return _url(plain)
    found = _plain(plain, backend)
    if isinstance(found, Wrong) and not found.offer:
        even = re.sub(r"[:;]+", "::", plain)
        meant = _plain(even, backend) if even != plain else found
        return Wrong(f"{plain} needs double colons", meant.text) if isinstance(meant, Visa) else found
    return found


def _plain(plain: str, backend: str) -> Visa | Wrong:
    """Of plain characters, and no URL."""
    if "::" not in plain and re.fullmatch(r"ASRL(\d+|/dev/\S+)", plain, re.IGNORECASE) is None:
        return _without_colons(plain, backend)
    if re.fullmatch(r"PXI\d*::.+::INSTR", plain, re.IGNORECASE):
        return Visa(plain.upper(), False)  # pyvisa does not know their form, and the library does
    return _in_parts(plain)


def _better(why: str, meant: str) -> Wrong:
    """Offers what was meant, in the spelling in which it can stand."""
    found = _read(meant)
    if isinstance(found, Visa):
        return Wrong(why, found.text)
    return Wrong(why if found.offer else f"{why}: {found.why}", found.offer)


def _url(text: str) -> Visa | Wrong:
    scheme, _, rest = text.partition("://")
    rest = rest.rstrip("/")
    if scheme.lower() == "visa":
        return Visa(text, None)  # NI's way to a VISA server on another computer
    if port := looks_serial(rest):
        return _serial(text, port)
    there = host_and_port(rest)
    meant = f"TCPIP::{there[0]}::{there[1]}::SOCKET" if there else f"TCPIP::{rest}::INSTR"
    return _better(f"{text} is no VISA address", meant)


def _without_colons(text: str, backend: str) -> Visa | Wrong:
    """Without `::` it is a port, a host, has single colons, or is a name that was given in the library."""
    why = f"{text} is no VISA address"
    if port := looks_serial(text):
        return _serial(text, port)
    if text[:4].lower() == "usb:" and "0x" not in text.lower():
        return Wrong(f"{why}, but the name of an adapter", f"kind: serial with port: {text}")
    parts = re.split(r"\s*[:;,\s]\s*", text.strip(":;, "))
    if len(parts) > 1 and (_HEAD.fullmatch(parts[0]) or parts[0].upper() in _MEANT):
        return _better(f"{text} needs double colons", "::".join(parts))
    if joined := re.fullmatch(r"GPIB[-_]?(\d{1,2})(?:[-_.](\d{1,2}))?", text, re.IGNORECASE):
        board, address = (joined[1], joined[2]) if joined[2] else ("", joined[1])
        return _better(why, f"GPIB{board}::{address}::INSTR")
    if there := host_and_port(text):
        return _better(why, f"TCPIP::{there[0]}::{there[1]}::SOCKET")
    if re.fullmatch(r"[\d.,]+", text) or "." in text:
        wrong = host_trouble(text)
        host = text if wrong is None else wrong.offer
        either = f"TCPIP::{host}::INSTR, or TCPIP::{host}::PORT::SOCKET with its port"
        return Wrong(why if wrong is None else wrong.why, either if host else "")
    if (head := _HEAD.fullmatch(text)) or text.upper() in _MEANT:
        interface = head[1].upper() if head else _MEANT[text.upper()]
        return Wrong(f"{why}: it has the form {_FORMS.get(interface, _FORMS['TCPIP'])}")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text):
        return Wrong(f"{why}: it has a form such as {' or '.join(_FORMS.values())}")
    if backend.startswith("@") or backend.endswith("@sim"):
        return Wrong(f"{why}, and {backend} knows no names that somebody gave: write {_FORMS['TCPIP']}")
    return Visa(text, None)


def _serial(text: str, port: str) -> Wrong:
    asrl = f"ASRL{port.removeprefix('COM')}::INSTR"
    return Wrong(f"{text} is no VISA address", f"{asrl}, or kind: serial with port: {port}")


# --- the parts ------------------------------------------------------------------------------------------


def _in_parts(text: str) -> Visa | Wrong:
    """First what keeps it from being taken apart, then pyvisa, then each of its parts."""
    for look in (_blanks, _colons, _interface, _last):
        wrong = look(text)
        if wrong is not None:
            return wrong
    right = _capitals(text)
    from pyvisa.rname import InvalidResourceName, ResourceName

    try:
        found: Any = ResourceName.from_string(right)
    except InvalidResourceName:
        head = _HEAD.fullmatch(right.split("::")[0])
        return _uneven(right, head[1] if head else "")
    called = type(found).__name__
    if called not in _TALKING:
        return Wrong(f"{text} is no instrument that answers questions")
    return _CHECKS[called](right, found) or Visa(right, called == "ASRLInstr")


def _blanks(text: str) -> Wrong | None:
    if not re.search(r"\s", text):
        return None
    bare = without_blanks(text)
    why = f"{text!r} has a blank in it"
    return Wrong(why) if re.search(r"\s", bare) else _better(why, bare)


def _colons(text: str) -> Wrong | None:
    """Three in a row, or some at the end."""
    if re.match(r"(?i)(TCPIP|VICP)\d*::\[?[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*\]?::", text) and "[" in text:
        return Wrong(
            f"{text}: pyvisa cannot read IPv6 addresses, whose colons it takes for its own; "
            "write the name of the host, or its IPv4 address"
        )
    right = re.sub(":{3,}", "::", text).rstrip(":")
    return _better(f"{text} has too many colons", right) if right != text else None


def _interface(text: str) -> Wrong | None:
    """Its first part."""
    first, _, rest = text.partition("::")
    if _HEAD.fullmatch(first):
        return None
    if not first:
        return Wrong(f"{text} is no VISA address: it has a form such as {_FORMS['TCPIP']}")
    why = f"{first} is no interface that VISA knows"
    name, board = re.fullmatch(r"(.*?)(\d*)", first, re.DOTALL).groups()  # type: ignore[union-attr]
    if name.upper() in _MEANT:
        return _better(why, f"{_MEANT[name.upper()]}{board}::{rest}")
    if port := looks_serial(first):
        return _serial(text, port)
    if single := re.fullmatch(rf"({'|'.join(_INTERFACES)})(\d*)[:;,.](.+)", first, re.IGNORECASE):
        return _better(f"{text} needs double colons", f"{single[1]}{single[2]}::{single[3]}::{rest}")
    near = difflib.get_close_matches(name.upper(), _INTERFACES[:4], 1, 0.6)
    if near:
        return _better(why, f"{near[0]}{board}::{rest}")
    if host_trouble(first) is None and "." in first:
        return _better(f"{text} names no interface", f"TCPIP::{text}")
    return Wrong(f"{why}: it knows {', '.join(_INTERFACES[:4])}")


def _last(text: str) -> Wrong | None:
    """INST, SOCKT: nearly a class."""
    before, _, last = text.rpartition("::")
    if last.upper() in _CLASSES or not re.fullmatch(
        r"[A-Za-z]+|[A-Za-z]*[^A-Za-z:][A-Za-z]+[.,;]?|\w+[.,;]", last
    ):
        return None
    near = difflib.get_close_matches(last.upper(), ("INSTR", "SOCKET"), 1, 0.7)
    if not near or (near[0] == "SOCKET" and not text.upper().startswith("TCPIP")):
        return None
    return _better(f"{last} is no kind of resource", f"{before}::{near[0]}")


def _capitals(text: str) -> str:
    """TCPIP and SOCKET for tcpip and socket: pyvisa knows the latter in capitals only."""
    first, *middle, last = text.split("::") if "::" in text else (text, "INSTR")
    head = _HEAD.fullmatch(first)
    first = head[1].upper() + head[2] if head else first
    return "::".join([first, *middle, last.upper() if last.upper() in _CLASSES else last])


def _uneven(text: str, interface: str) -> Wrong:
    """pyvisa could not take it apart: too many or too few parts."""
    parts = text.split("::")
    if interface == "ASRL" and len(parts) > 2 and re.fullmatch(r"(COM)?\d+|/dev/.+", parts[1]):
        return _better(f"{text} has colons behind ASRL", f"ASRL{parts[1].removeprefix('COM')}::INSTR")
    if interface == "TCPIP" and parts[-1] == "SOCKET" and len(parts) == 3:
        there = host_and_port(parts[1])
        if wrong := None if there else host_trouble(parts[1]):
            return wrong
        if there is None:
            return Wrong(f"{text} needs a port, such as {parts[0]}::{parts[1]}::5025::SOCKET")
        return _better(f"{text} needs double colons", f"{parts[0]}::{there[0]}::{there[1]}::SOCKET")
    if interface == "TCPIP" and len(parts) == 5 and parts[3].isdecimal():
        return Wrong(f"{text} has too many parts", f"{parts[0]}::{parts[1]}::{parts[3]}::SOCKET")
    if interface == "TCPIP" and len(parts) == 4 and parts[2].isdecimal():
        return _better(f"{text} lacks SOCKET at its end", f"{parts[0]}::{parts[1]}::{parts[2]}::SOCKET")
    form = _FORMS.get(interface)
    return Wrong(f"{text} is no VISA address" + (f": it has the form {form}" if form else ""))


# --- what pyvisa lets pass -------------------------------------------------------------------------------


def _lan(text: str, found: Any) -> Wrong | None:
    device, host = found.lan_device_name, found.host_address
    if there := host_and_port(host):
        return _better(f"{text} needs double colons", text.replace(host, f"{there[0]}::{there[1]}", 1))
    with_port = re.fullmatch(r"([^,]+),\d+", host)  # as pyvisa-py takes it
    if wrong := _host(text, with_port[1] if with_port else host):
        return wrong
    if re.fullmatch(r"\d+:+[A-Za-z]+", device):
        return _better(f"{text} needs double colons", text.replace(device, re.sub(":+", "::", device)))
    if device.isdecimal():
        return _better(
            f"{text} lacks SOCKET at its end, so that {device} is the name of a device",
            f"{'::'.join(text.split('::')[:2])}::{device}::SOCKET",
        )
    return _device(text, device)


def _device(text: str, device: str) -> Wrong | None:
    """inst0, hislip0, `gpib0,16`, and what a maker has named."""
    parts = re.fullmatch(r"([A-Za-z][A-Za-z_-]*)(\d*)((?<=\d)[,\[][\w.,:\[\]-]+|)", device)
    why = f"{device} in {text} is no name of a device: inst0, hislip0 and gpib0,16 are"
    if parts is None:
        return Wrong(why)
    name = parts[1].lower()
    near = difflib.get_close_matches(name, _DEVICES, 1, 0.75)
    if near and (near[0] != name or not parts[2]):
        right = f"{near[0]}{parts[2] or '0'}{parts[3]}"
        return _better(why, text.replace(f"::{device}", f"::{right}", 1))
    return None


def _socket(text: str, found: Any) -> Wrong | None:
    if wrong := _host(text, found.host_address):
        return wrong
    bad = port_trouble(found.port)
    return Wrong(f"{text}: {bad.why}") if bad else None


def _vicp(text: str, found: Any) -> Wrong | None:
    return _host(text, found.host_address)


def _host(text: str, host: str) -> Wrong | None:
    wrong = host_trouble(host)
    if wrong is None:
        return None
    return _better(wrong.why, text.replace(host, wrong.offer, 1)) if wrong.offer else wrong


def _gpib(text: str, found: Any) -> Wrong | None:
    primary, secondary = found.primary_address, found.secondary_address
    if not primary.isdecimal():
        return Wrong(f"{primary} in {text} is no GPIB address: they are numbers from 0 to 30")
    if int(primary) > 30:
        return Wrong(f"there is no GPIB address {int(primary)}: they go from 0 to 30")
    if primary != str(int(primary)):
        return _better(f"{text} has a 0 before its address", text.replace(primary, str(int(primary)), 1))
    if secondary is not None and not (
        secondary.isdecimal() and (int(secondary) <= 30 or 96 <= int(secondary) <= 126)
    ):
        return Wrong(
            f"{secondary} in {text} is no secondary address: they go from 0 to 30, or from 96 to 126"
        )
    return None


def _usb(text: str, found: Any) -> Wrong | None:
    for written in (found.manufacturer_id, found.model_code):
        if not re.fullmatch(r"0[xX][0-9A-Fa-f]{1,4}|0|[1-9]\d*", written):
            if re.fullmatch(_BARE_HEX, written):
                right = "::".join(_hex(part) for part in text.split("::"))
                return _better(f"{written} in {text} is a hexadecimal number without 0x", right)
            return Wrong(f"{written} in {text} is no number of a maker or model: it looks like 0x2A8D")
        if int(written, 0) > 0xFFFF:
            return Wrong(f"{written} in {text} is greater than 65535 (0xFFFF)")
    if re.search(r"[:;,\s]", found.serial_number):
        return Wrong(f"{found.serial_number} in {text} is no serial number of an instrument")
    if not found.usb_interface_number.isdecimal():
        return Wrong(f"{found.usb_interface_number} in {text} is no number of a USB interface")
    return None


_BARE_HEX = r"(?:[oO]?[xX])?([0-9A-Fa-f]{4})"


def _hex(part: str) -> str:
    bare = re.fullmatch(_BARE_HEX, part)
    return f"0x{bare[1].upper()}" if bare else part


def _asrl(text: str, found: Any) -> Wrong | None:
    if found.board.upper().startswith("COM") and found.board[3:].isdecimal():
        return Wrong(
            f"{text}: VISA counts serial ports by their number alone", f"ASRL{found.board[3:]}::INSTR"
        )
    if text.split("::")[0] == "ASRL":
        return Wrong(f"{text} names no port: write its number, such as ASRL3::INSTR")
    if re.fullmatch(r"tty\w+", found.board):
        return Wrong(f"{text} is no port", f"ASRL/dev/{found.board}::INSTR")
    if not re.fullmatch(r"\d+|/dev/\S+", found.board):
        return Wrong(f"{found.board} in {text} is no serial port: write its number, or its path from /dev on")
    return None


def _vxi(text: str, found: Any) -> Wrong | None:
    address = found.vxi_logical_address
    fits = address.isdecimal() and int(address) <= 255
    return None if fits else Wrong(f"{address} in {text} is no VXI address: they go from 0 to 255")


_CHECKS: dict[str, Callable[[str, Any], Wrong | None]] = {
    "TCPIPInstr": _lan,
    "TCPIPSocket": _socket,
    "VICPInstr": _vicp,
    "GPIBInstr": _gpib,
    "USBInstr": _usb,
    "USBRaw": _usb,
    "ASRLInstr": _asrl,
    "VXIInstr": _vxi,
}
