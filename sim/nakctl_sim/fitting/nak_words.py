"""What the words for a sample say of a cell with NaK, Na or K."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

METALS = {"Na": 0.0, "sodium": 0.0, "K": 99.99, "potassium": 99.99}
_ALLOY = re.compile(r"(?<![a-z])Na-?K(?:[ _-]?(\d{2}(?:\.\d+)?)(?!\d))?(?![a-z])", re.IGNORECASE)


def is_told(sample: Mapping[str, Any]) -> bool:
    """Whether they are of such a cell."""
    return percent_K(sample)[0] is not None or any(map(_ALLOY.search, _words(sample)))


def percent_K(sample: Mapping[str, Any]) -> tuple[float | None, bool]:
    """wt% K of the working electrode, where somebody said it; and whether only the name of the cell does,
    whose number may as well be that of the cell."""
    given = (sample.get("facts") or {}).get("composition_wt_percent_K")
    if isinstance(given, int | float):
        return float(given), False
    for place, text in enumerate(_words(sample)):
        found = _ALLOY.search(text)
        if found and found[1]:
            return float(found[1]), place > 0
        if text.strip() in METALS:
            return METALS[text.strip()], place > 0
    return None, False


def _words(sample: Mapping[str, Any]) -> list[str]:
    return [str(sample.get(name, "")) for name in ("working_electrode", "name")]
