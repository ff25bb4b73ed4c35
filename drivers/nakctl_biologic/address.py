"""What an address of such an instrument looks like."""

from __future__ import annotations

import re

from nakctl.offered import named

GROUP = "nakctl.eclib"  # libraries that offer themselves, by the scheme of an address
_PLAIN = re.compile(r"\d{1,3}(\.\d{1,3}){3}|USB\d+", re.IGNORECASE)


def is_ours(address: str) -> bool:
    """Four numbers with dots, USB0 ..., or one with the scheme of a library that offers itself."""
    scheme, separator, _ = address.partition("://")
    if separator:
        return named(GROUP, scheme) is not None
    return _PLAIN.fullmatch(address) is not None


def link_of(address: str) -> str:
    if "://" in address:
        return address.partition("://")[0]
    return "usb" if address.upper().startswith("USB") else "ethernet"
