"""What a run is made of: by that a result is known as that of the run which is asked for now.

Kept in the result file. The text of a protocol may change in its comments, and nakctl may load another
program for the same text some day: one of both is enough.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

MadeOf = Mapping[str, Any]

# What else has to be the same, and how it is called.
_SAME = {
    "cell": "cell",
    "area_cm2": "area of the cell",
    "cell_is": "description or simulation of the cell",
    "channel": "kind of channel",
    "seed": "seed",
}


def made_of(
    *,
    text: str,
    tables: Mapping[str, str],
    params: Mapping[str, Any],
    program: Mapping[str, Any],
    cell: str,
    area_cm2: float,
    cell_is: Any,
    channel: str,
    seed: int | None,
) -> MadeOf:
    """tables: read beside the protocol; program: as the channel is loaded; cell_is: what decides how the cell
    answers, or what is asked of it; channel: driver and instrument; seed None: there is no simulated noise.
    """
    return {
        "protocol": digest([text, dict(tables)]),
        "params": {name: str(value) for name, value in params.items()},
        "program": digest(program),
        "cell": cell,
        "area_cm2": area_cm2,
        "cell_is": digest(cell_is),
        "channel": channel,
        "seed": seed,
    }


def difference(was: MadeOf, now: MadeOf) -> str:
    """What is another one now, in words; "": nothing that counts. was {}: nobody kept it."""
    if not was:
        return "made by no campaign"
    found = [called for name, called in _SAME.items() if was.get(name) != now.get(name)]
    if was.get("program") != now.get("program"):
        if was.get("params") != now.get("params"):
            found.insert(0, "value of a parameter")
        elif was.get("protocol") != now.get("protocol"):
            found.insert(0, "protocol")
    return f"made with another {', another '.join(found)}" if found else ""


def digest(value: Any) -> str:
    told = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()
