"""Names of serial ports, as they are written: COM3, /dev/ttyUSB0, URLs of pyserial, usb:SERIAL.

Nothing is looked up: a rig file is checked on other computers, too, so COM3 is a name on Linux as well.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from nakctl_sensors.spelling import (
    Wrong,
    cleaned,
    host_and_port,
    host_trouble,
    not_plain,
    port_trouble,
    sound,
)

URLS = {"socket", "rfc2217", "loop", "spy", "hwgrep", "alt", "cp2110"}
_OPTIONS = {"socket": {"logging"}, "rfc2217": {"logging", "ign_set_control", "poll_modem", "timeout"}}
_NEAR = 0.75
_TTY = r"(?:tty(?:USB|ACM|S|AMA|XRUSB|AP|GS|O)\d+|(?:cu|tty)\.[\w.-]+|rfcomm\d+)"
_USUAL = ("ttyUSB", "ttyACM", "ttyAMA", "ttyS")
_UNNUMBERED = {"com", *(usual.lower() for usual in _USUAL)}
_HEX4 = r"(?:0[xX])?([0-9A-Fa-f]{3,4})"


@dataclass(frozen=True, slots=True)
class Usb:
    """A USB adapter by its serial number, or, if it has none, by maker and model."""

    serial: str = ""
    vid: int | None = None
    pid: int | None = None


def serial_port(text: str) -> str | Wrong:
    """The port in its usual spelling, or what is wrong with it."""
    return sound(_read(text), _read)


def _read(text: str) -> str | Wrong:
    plain, odd = cleaned(text)
    if odd:
        meant = _read(plain) if plain else Wrong("is empty")
        return Wrong(odd, meant.offer if isinstance(meant, Wrong) else meant)
    if not plain:
        return Wrong("is empty: write COM3, /dev/ttyUSB0 or usb: and a serial number")
    if plain.lower().startswith("usb:"):
        return _usb(plain)
    if "://" in plain:
        return _url(plain)
    if plain.startswith("/dev/"):
        return _path(plain)
    return not_plain(plain) or _name(plain)


def usb_of(port: str) -> Usb | None:
    """What `usb:...` names; None for other ports."""
    if port[:4].lower() != "usb:":
        return None
    found = re.fullmatch(r"([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})", port[4:])
    return Usb(vid=int(found[1], 16), pid=int(found[2], 16)) if found else Usb(port[4:])


def _usb(text: str) -> str | Wrong:
    named = text[4:].strip().lstrip("/")
    if not named:
        return Wrong("needs the serial number of the adapter behind usb:; nakctl sensors probe shows it")
    ids = re.fullmatch(_HEX4 + ":" + _HEX4, named)
    right = f"usb:{ids[1].zfill(4).upper()}:{ids[2].zfill(4).upper()}" if ids else f"usb:{named}"
    if ids is None and not re.fullmatch(r"[!-~]+( [!-~]+)*", named):
        return Wrong(f"{named!r} is no serial number")
    same = right.lower() == text.lower()
    return right if same else Wrong(f"{text} is no name of a USB adapter", right)


# --- names of the operating system ------------------------------------------------------------------------


def looks_serial(text: str) -> str:
    """The port that this is, or nearly is; "" if it is something else altogether."""
    if text.startswith("/dev/"):
        return text
    if re.fullmatch(r"(\\\\\.\\)?COMM?\s*[:#_-]?\s*\d+:?", text, re.IGNORECASE):
        return f"COM{int(''.join(c for c in text if c.isdigit()))}"
    found = re.fullmatch(rf"(?:[/\\]*dev[/\\]+)?({_TTY})", text, re.IGNORECASE)
    return f"/dev/{_cased(found[1])}" if found else ""


def _name(text: str) -> str | Wrong:
    if more := _with_settings(text):
        return more
    windows = re.fullmatch(r"(?:\\\\\.\\)?COM([1-9]\d*)", text, re.IGNORECASE)
    if windows:
        return f"COM{windows[1]}"
    if (meant := looks_serial(text)) and meant != "COM0":
        return Wrong(f"{text} is no port", meant)
    return _of_another_kind(text) or _misspelt(text) or text


def _with_settings(text: str) -> Wrong | None:
    """COM3,9600 and /dev/ttyUSB0:9600."""
    found = re.fullmatch(r"(COM\d+|[^\s:,]*tty[^\s:,]+)\s*[:,@ ]\s*(\d{3,7})\b.*", text, re.IGNORECASE)
    if found is None or not looks_serial(found[1]):
        return None
    return Wrong(f"{text} is more than a port", f"{looks_serial(found[1])}, and baud: {found[2]}")


def _path(text: str) -> str | Wrong:
    if more := _with_settings(text):
        return more
    found = re.fullmatch(rf"/dev/({_TTY})", text, re.IGNORECASE)
    if found and (right := f"/dev/{_cased(found[1])}") != text:
        return Wrong(f"{text} is no port: small and capital letters differ", right)
    split = re.fullmatch(r"/dev/tty/((?:USB|ACM|S|AMA)\d+)/?", text)
    if split or text.endswith("/") or re.search(r"\s", text):
        bare = f"/dev/tty{split[1]}" if split else re.sub(r"\s+", "", text).rstrip("/")
        return Wrong(f"{text} is no port", bare if bare != "/dev" else "")
    return text


def _cased(name: str) -> str:
    """ttyUSB0 for ttyusb0: what the system writes in capitals."""
    usual = re.fullmatch(r"tty(USB|ACM|S|AMA|XRUSB|AP|GS|O)(\d+)", name, re.IGNORECASE)
    return f"tty{usual[1].upper()}{usual[2]}" if usual else name


def _of_another_kind(text: str) -> Wrong | None:
    """What stands under another word, or at another kind of sensor."""
    if "::" in text:
        serial = re.match(r"ASRL(?:COM)?(\d+|/dev/[^:]+)(::|$)", text, re.IGNORECASE)
        if serial:
            port = serial[1] if serial[1].startswith("/") else f"COM{serial[1]}"
            return Wrong(f"{text} is a VISA address, no port", port)
        return Wrong(f"{text} is a VISA address, no port", f"kind: scpi with address: {text}")
    if gpib := re.fullmatch(r"GPIB\D?(\d{1,2})", text, re.IGNORECASE):
        return Wrong(f"{text} is no serial port", f"kind: scpi with address: GPIB::{gpib[1]}::INSTR")
    if ids := re.search(r"SER=(\S+)", text) or re.search(rf"VID:PID={_HEX4}:{_HEX4}", text):
        return Wrong(f"{text} is no port", f"usb:{':'.join(ids.groups()).upper()}")
    if there := host_and_port(text):
        return Wrong(f"{text} is no serial port", f"socket://{there[0]}:{there[1]}")
    if re.fullmatch(r"[\d.]+", text) and host_trouble(text) is None:
        return Wrong(f"{text} is no serial port; a converter at the network is socket://{text}:PORT")
    return None


def _misspelt(text: str) -> Wrong | None:
    """C0M3, ttUSB0: nearly a usual name. Others may be one that a program gave to a port of its own."""
    found = re.fullmatch(r"(?:[/\\]*dev[/\\]+)?([A-Za-z0-9]*?[A-Za-z])(\d+)", text)
    if found is None:
        if text.lower() in _UNNUMBERED:
            return Wrong(f"{text} needs the number of the port behind it, such as COM3 or /dev/ttyUSB0")
        if re.fullmatch(r"[A-Za-z][\w.-]*", text):
            return None
        known = (
            "COM3, /dev/ttyUSB0, usb: and a serial number, or a URL of pyserial such as socket://HOST:PORT"
        )
        return Wrong(f"{text} is no port: that is {known}")
    if re.fullmatch(r"(?i)C[O0]M+|CON|COMN|KOM|CPM|CIM|CMO", found[1]):
        right = f"COM{int(found[2])}"
        return (
            Wrong(f"there is no port {text}: they begin with COM1")
            if right == "COM0"
            else Wrong(f"{text} is no port", right)
        )
    near = {usual: _likeness(found[1].lower(), usual.lower()) for usual in _USUAL if len(found[1]) > 3}
    best = max(near, key=lambda usual: near[usual], default="")
    return Wrong(f"{text} is no port", f"/dev/{best}{found[2]}") if near.get(best, 0) >= _NEAR else None


def _likeness(word: str, usual: str) -> float:
    return difflib.SequenceMatcher(None, word, usual).ratio()


# --- URLs of pyserial -------------------------------------------------------------------------------------


def _url(text: str) -> str | Wrong:
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    match scheme:
        case "socket" | "rfc2217":
            return _network(scheme, rest, text)
        case "spy" | "alt":
            return _wrapped(scheme, rest, text)
        case "hwgrep":
            return _searched(rest, text)
        case "loop" | "cp2110":
            return f"{scheme}://{rest}"
        case "serial" | "file" | "dev":
            inner = _read(f"/{rest.lstrip('/')}" if "/" in rest else rest) if rest else Wrong("")
            return Wrong(f"pyserial knows no {scheme}://", inner.offer if isinstance(inner, Wrong) else inner)
    near = difflib.get_close_matches(scheme, sorted(URLS), 1, _NEAR)
    meant = near[0] if near else "socket"
    inner = _network(meant, rest.rstrip("/"), text) if meant in _OPTIONS else f"{meant}://{rest}"
    right = inner.offer if isinstance(inner, Wrong) else inner
    return Wrong(f"pyserial knows no {scheme}://", right or "socket://HOST:PORT")


def _network(scheme: str, rest: str, text: str) -> str | Wrong:
    """socket://HOST:PORT. pyserial itself fails on a missing port with an error in Python's words."""
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host = parts.hostname or ""
    except ValueError as error:
        return Wrong(f"{text} is no URL: {error}")
    port = (
        parts.netloc.rpartition("]")[2].rpartition(":")[2] if ":" in parts.netloc.rpartition("]")[2] else ""
    )
    named = f"[{host}]" if ":" in host else host
    trouble = None if ":" in host else host_trouble(host)
    if trouble is not None:
        there = f"{scheme}://{trouble.offer}:{port}" if trouble.offer and port_trouble(port) is None else ""
        return Wrong(f"{text}: {trouble.why}", there)
    if not port:
        return Wrong(f"{text} needs a port behind the host: {scheme}://{named}:PORT")
    if bad := port_trouble(port):
        return Wrong(f"{text}: {bad.why}")
    if parts.path.rstrip("/") or parts.fragment or "@" in parts.netloc:
        return Wrong(f"{text} has more than a host and a port", f"{scheme}://{named}:{port}")
    if unknown := _unknown_option(scheme, parts):
        takes = ", ".join(sorted(_OPTIONS[scheme]))
        return Wrong(f"{scheme}:// takes no {unknown}, only {takes}", f"{scheme}://{named}:{port}")
    return f"{scheme}://{named}:{port}" + (f"?{parts.query}" if parts.query else "")


def _unknown_option(scheme: str, parts: SplitResult) -> str:
    given = [part.partition("=")[0] for part in parts.query.split("&") if part]
    return next((option for option in given if option not in _OPTIONS[scheme]), "")


def _wrapped(scheme: str, rest: str, text: str) -> str | Wrong:
    """spy:// and alt:// stand before a port of the system, and no URL or usb: within them is followed."""
    port, mark, options = rest.partition("?")
    if "://" in port or port.lower().startswith("usb:"):
        return Wrong(f"{text}: behind {scheme}:// stands a port of the system, such as {scheme}://COM3")
    inner = _read(port)
    if isinstance(inner, Wrong):
        return Wrong(f"{text}: {inner.why}", inner.offer and f"{scheme}://{inner.offer}{mark}{options}")
    return f"{scheme}://{inner}{mark}{options}"


def _searched(rest: str, text: str) -> str | Wrong:
    pattern = rest.partition("&")[0]
    if not pattern:
        return Wrong("hwgrep:// needs what to look for behind it")
    try:
        re.compile(pattern)
    except re.error as error:
        return Wrong(f"{text}: this is no regular expression: {error}")
    return f"hwgrep://{rest}"
