"""Addresses and registers of Modbus as they are written, and what goes over the wire for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from nakctl_sensors.port_names import looks_serial
from nakctl_sensors.spelling import (
    Wrong,
    cleaned,
    host_trouble,
    not_plain,
    port_trouble,
    sound,
    without_blanks,
)

TCP_PORT = 502
LAST_REGISTER = 65535
# Numbers of manuals: first, last, table. They count from 1, behind a digit that tells the table.
_MANUAL = (
    (30001, 39999, "input"),
    (40001, 49999, "holding"),
    (300001, 365536, "input"),
    (400001, 465536, "holding"),
)
LARGEST_WRITTEN = _MANUAL[-1][1]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device on Modbus TCP listens."""

    host: str
    port: int = TCP_PORT


def endpoint(text: str) -> Endpoint | Wrong:
    """`host`, `host:port`, `[::1]:port`."""
    return sound(_read(text), _read)


def _read(text: str) -> Endpoint | Wrong:
    plain, odd = cleaned(text)
    if odd:
        meant = _read(plain) if plain else Wrong("is empty")
        return Wrong(odd, meant.offer if isinstance(meant, Wrong) else plain)
    if not plain:
        return Wrong("is empty: write a host, such as 192.168.1.5 or 192.168.1.5:502")
    return not_plain(plain) or _elsewhere(plain) or _decorated(plain) or _host_and_port(plain)


def _better(why: str, meant: str, also: str = "") -> Wrong:
    found = _read(meant)
    if isinstance(found, Endpoint):
        return Wrong(why, meant + also)
    return Wrong(why if found.offer else f"{why}: {found.why}", found.offer and found.offer + also)


def _elsewhere(text: str) -> Wrong | None:
    """A serial port, or an address of VISA."""
    why = f"{text} is no host"
    if port := looks_serial(text):
        return Wrong(f"{why}, but a serial port", f"port: {port}")
    if text[:4].lower() == "usb:":
        return Wrong(f"{why}, but a serial port", f"port: {text}")
    if found := re.fullmatch(r"ASRL(\d+|/dev/[^:]+)(::INSTR)?", text, re.IGNORECASE):
        return Wrong(f"{why}, but an address of VISA", f"port: {'COM' * found[1].isdecimal()}{found[1]}")
    if found := re.fullmatch(r"TCPIP\d*::([^:]+)(?:::(\d+))?(?:::[\w,]+)*", text, re.IGNORECASE):
        return _better(f"{why}, but an address of VISA", f"{found[1]}:{found[2]}" if found[2] else found[1])
    if re.match(r"(GPIB|USB|VXI|PXI|VICP)\d*::", text, re.IGNORECASE):
        return Wrong(f"{why}, but an address of VISA, which is kind: scpi")
    return None


def _decorated(text: str) -> Wrong | None:
    """tcp://, /1 behind it, a comma: what is more or other than host:port."""
    if (found := re.fullmatch(r"([\w+.-]+)://(.*)", text)) is not None:
        if found[1].lower() in ("socket", "rfc2217"):
            return Wrong(f"{text} is a serial port: Modbus RTU over the network", f"port: {text}")
        return _better(f"{text} has {found[1]}:// before its host", found[2])
    if found := re.fullmatch(r"(.+?)/+(\d*)", text):
        device = f" with device: {int(found[2])}" if found[2] else ""
        return _better(f"{text} has more than a host and a port", found[1], device)
    if found := re.fullmatch(r"([^:\[\]]+:\d+):(\d+)", text):
        return _better(f"{text} has more than a host and a port", found[1], f" with device: {int(found[2])}")
    if found := re.fullmatch(r"([^\s:;,]+)\s*[\s:;,]\s*(\d+)", text):
        if f"{found[1]}:{found[2]}" != text:
            return _better(f"{text} has no colon between host and port", f"{found[1]}:{found[2]}")
    elif re.search(r"\s", text):
        bare, why = without_blanks(text), f"{text!r} has a blank in it"
        return Wrong(why) if re.search(r"\s", bare) else _better(why, bare)
    return None


def _host_and_port(text: str) -> Endpoint | Wrong:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
        if not _is_ipv6(host) and ":" in host:
            return Wrong(f"[{host}] is no IPv6 address")
        if not _is_ipv6(host):
            return _better(f"[{host}] is no IPv6 address", f"{host}:{port}" if port else host)
    elif _is_ipv6(text):
        return Wrong(f"{text}: an IPv6 address stands in brackets", f"'[{text}]'")
    else:
        host, _, port = text.partition(":")
        port = port if ":" in text else None
        if wrong := host_trouble(host):
            if not host and port:
                return Wrong(f"{text} has no host before its port: write HOST:{port}")
            return Wrong(wrong.why, wrong.offer and wrong.offer + (f":{port}" if port else ""))
    if port == "":
        return Wrong(f"{text} has no port behind its colon", text.rstrip(":"))
    if port is None:
        return Endpoint(host)
    return port_trouble(port) or Endpoint(host, int(port))


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


# --- registers ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Register:
    """number: as it goes over the wire, from 0."""

    number: int
    table: str


def register(number: int, counting: str | None, table: str | None, count: int = 1) -> Register | Wrong:
    """The register meant. table: if it is given; count: how many registers the type takes."""
    found = _by_manual(number, table) if counting == "manual" else _as_sent(number, counting, table)
    if isinstance(found, Register) and found.number + count - 1 > LAST_REGISTER:
        return Wrong(f"a number of 32 bits takes two registers, and {number} is the last one")
    return found


def _as_sent(number: int, counting: str | None, table: str | None) -> Register | Wrong:
    meant = _of_manual(number)
    if counting is None and meant is not None:
        wire = "" if number > LAST_REGISTER else "; if it is meant as sent, add counting: from 0"
        right = f"register: {meant.number} with table: {meant.table}, or add counting: manual{wire}"
        return Wrong(f"{number} is a number of manuals for a register", right)
    if number > LAST_REGISTER:
        return Wrong(f"there is no register {number}: sent are numbers from 0 to {LAST_REGISTER}")
    return Register(number, table or "holding")


def _by_manual(number: int, table: str | None) -> Register | Wrong:
    meant = _of_manual(number)
    if meant is not None:
        if table not in (None, meant.table):
            called = {"input": "an input", "holding": "a holding"}[meant.table]
            why = f"{number} is {called} register in manuals, and table says {table}"
            return Wrong(why, f"table: {meant.table}")
        return meant
    if 1 <= number <= 9999:
        return Register(number - 1, table or "holding")
    if number == 0:
        return Wrong("manuals count registers from 1", "counting: from 0 if it is register 0")
    if 10001 <= number <= 19999:
        why = f"{number} is a single bit in manuals, and only registers can be read"
        return Wrong(why, "counting: from 0 if it is the number of a register as sent")
    hint = f"counting: from 0, with {number} or {number - 1}" if number <= LAST_REGISTER else ""
    known = "1 to 9999, 30001 to 39999, 40001 to 49999, 300001 to 365536 and 400001 to 465536"
    return Wrong(f"{number} is no number of manuals for a register: they are {known}", hint)


def _of_manual(number: int) -> Register | None:
    return next(
        (Register(number - first, table) for first, last, table in _MANUAL if first <= number <= last), None
    )
