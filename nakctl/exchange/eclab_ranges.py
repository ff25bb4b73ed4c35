"""The numbers of current ranges in EC-Lab's files, as yadg 6.2 has them (dgbowl/yadg, `param_map`)."""

from __future__ import annotations

from typing import Any

import numpy as np

_RANGES = {
    1: "10 mA", 2: "100 uA", 3: "1 uA", 4: "2 A", 5: "1 A", 6: "5 A", 7: "10 A", 8: "20 A", 9: "1 A",
    10: "100 mA", 11: "10 mA", 12: "1 mA", 13: "100 uA", 14: "10 uA", 15: "auto", 16: "100 mA", 17: "10 mA",
    18: "1 mA", 19: "100 uA", 20: "100 uA", 21: "10 uA", 22: "1 uA", 23: "100 nA", 24: "10 nA", 25: "1 nA",
    37: "1 A", 38: "100 mA", 39: "10 mA", 40: "1 mA", 41: "100 uA", 42: "10 uA", 43: "1 uA", 44: "100 nA",
    45: "10 nA",
}  # fmt: skip


def named(codes: Any) -> dict[int, str]:
    """Those that occur and are known, by number."""
    return {code: _RANGES[code] for code in np.unique(codes).tolist() if code in _RANGES}
