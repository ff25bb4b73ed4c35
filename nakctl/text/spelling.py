"""One spelling of quantities: `1mA/cm²` -> `1 mA/cm2`. The number and the unit stay what was written."""

from __future__ import annotations

import re

# As in `units`, but for the sign of per cent, which is how it is usually written.
_PLAINLY = str.maketrans({
    "µ": "u", "μ": "u", "\u2126": "ohm", "\u03a9": "ohm", "°": "deg", "−": "-", "·": "*", "⋅": "*",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "⁻": "-", "¹": "1", "²": "2", "³": "3",
})  # fmt: skip
_NUMBER_AND_UNIT = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?(?![\d.])) ?(\D.*)", re.ASCII
)
_C_RATE = re.compile(r"[+-]?[\d. ]*C( ?/ ?[\d.]+)?", re.ASCII)


def respelled(text: str) -> str:
    """The same quantity, or list of quantities, with a blank before each unit and plain letters in it.

    `5µA` -> `5 uA`; `0.1,0.2mA` -> `0.1, 0.2 mA`; `10mV vs OCV` -> `10 mV vs OCV`; C-rates as they are.
    """
    plain = " ".join(text.translate(_PLAINLY).split())
    return ", ".join(_one(part.strip()) for part in plain.split(","))


def _one(text: str) -> str:
    found = _NUMBER_AND_UNIT.fullmatch(text)
    if found is None or _C_RATE.fullmatch(text):
        return text
    return f"{found[1]} {found[2]}"
