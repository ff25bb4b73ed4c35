"""What is wrong with a text that somebody wrote as an address, and what they meant: common to all kinds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wrong:
    """why: what is wrong; offer: what would be right, "" if that cannot be seen."""

    why: str
    offer: str = ""

    def __str__(self) -> str:
        return f"{self.why}; write {self.offer}" if self.offer else self.why


LAST_PORT = 65535
_CHANGES = 4
_OTHER_FORM = re.compile(r" |PORT|'|^port:")  # more than another spelling of the same word
_IPV4 = re.compile(r"\d+(\.\d+){3}")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_INVISIBLE = set("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_LIKE = {
    ":": "\u2236\ua789\u02d0\u05c3",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    ".": "\u2024\u3002",
    "/": "\u2044\u2215",
}
# Letters that look like Latin ones: Cyrillic, then Greek.
_LETTERS = dict(
    zip(
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0405\u0408"
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458"
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd",
        "ABEKMHOPCTXISJaeopcyxisjABEZHIKMNOPTYXov",
        strict=True,
    )
)
_MEANT = {odd: plain for plain, many in _LIKE.items() for odd in many} | _LETTERS


def sound(found: T | Wrong, read: Callable[[str], T | Wrong]) -> T | Wrong:
    """With an offer that is taken itself, or with what is wrong with that one, too."""
    for _ in range(_CHANGES):
        if not isinstance(found, Wrong) or not found.offer or _OTHER_FORM.search(found.offer):
            return found
        offered = read(found.offer)
        if not isinstance(offered, Wrong):
            return found
        found = Wrong(found.why if offered.offer else f"{found.why}: {offered.why}", offered.offer)
    return Wrong(found.why) if isinstance(found, Wrong) else found


def cleaned(text: str) -> tuple[str, str]:
    """The text in plain characters without anything around it, and what kept it from that ("": nothing)."""
    meant = [_meant(character) for character in text]
    odd = next(((was, now) for was, now in zip(text, meant, strict=True) if was != now), None)
    plain = "".join(meant)
    bare = plain.strip().strip("\"'").strip()
    if odd is not None:
        return bare, _odd(*odd)
    if bare != plain.strip():
        return bare, "has quotes in it"
    if bare != plain:
        return bare, f"has a blank at its {'end' if plain.rstrip() != plain else 'beginning'}"
    return bare, ""


def _meant(character: str) -> str:
    """The plain character that this one looks like; itself if there is none."""
    if character in _INVISIBLE:
        return ""
    if character in _MEANT:
        return _MEANT[character]
    if character.isascii():
        return character
    if character.isspace():
        return " "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    wide = unicodedata.normalize("NFKC", character)
    return wide if len(wide) == 1 and wide.isascii() else character


def _odd(was: str, now: str) -> str:
    called = f"{unicodedata.name(was, 'a character without a name').lower()}, U+{ord(was):04X}"
    if now == "":
        return f"has an invisible character in it ({called})"
    return f"has a character that only looks like {'a blank' if now == ' ' else now} ({called})"


def not_plain(text: str) -> Wrong | None:
    """A character that no address has."""
    odd = next(
        (character for character in text if not character.isascii() or not character.isprintable()), ""
    )
    return Wrong(f"has {odd!r} (U+{ord(odd):04X}) in it, which no address has") if odd else None


def port_trouble(port: str) -> Wrong | None:
    """The number of a TCP port."""
    if not port.isdecimal() or (port[0] == "0" and port != "0"):
        return Wrong(f"{port or 'nothing'} is no number of a port")
    if not 1 <= int(port) <= LAST_PORT:
        return Wrong(f"there is no port {port}: they go from 1 to {LAST_PORT}")
    return None


def host_trouble(host: str) -> Wrong | None:
    """A name or an IPv4 address of a computer; offer: the host alone."""
    if not host:
        return Wrong("has no host")
    if (meant := _host_meant(host)) != host:
        return Wrong(f"{host} is no host", meant if host_trouble(meant) is None else "")
    if _IPV4.fullmatch(host):
        over = next((number for number in host.split(".") if int(number) > 255), None)
        return Wrong(f"{over} in {host} is greater than 255") if over else None
    labels = host.split(".")
    if labels[-1].isdecimal() or sum(label.isdecimal() for label in labels) > 1:  # no name ends in a number
        return Wrong(f"{host} is no IPv4 address: that is four numbers with dots between")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return Wrong(f"{host} is no name of a host")
    return None


def _host_meant(host: str) -> str:
    """Dots for commas, digits for letters that look like them, no blanks, no zeros before a number."""
    meant = without_blanks(host).strip(".")
    if re.fullmatch(r"\d+([.,]\d+){3}", meant):
        meant = meant.replace(",", ".")
    digits = meant.translate(str.maketrans("OolI", "0011"))
    if _IPV4.fullmatch(digits) and sum(character.isdigit() for character in meant) > 1:
        meant = digits
    if _IPV4.fullmatch(meant):  # 010 is eight to some systems, and ten to others
        meant = ".".join(number.lstrip("0") or "0" for number in meant.split("."))
    return meant


def without_blanks(text: str) -> str:
    """Blanks beside something else than a letter or a digit are gone; the others may stand for anything."""
    return re.sub(r"(?<!\w)\s+|\s+(?!\w)", "", text)


def host_and_port(text: str) -> tuple[str, str] | None:
    """`192.168.1.5:5025`, `meter.lab:5025`: what stands before and behind the one colon."""
    found = re.fullmatch(r"([A-Za-z0-9._-]+)[:;, ]\s*(\d+)", text)
    return (found[1], found[2]) if found is not None and host_trouble(found[1]) is None else None
