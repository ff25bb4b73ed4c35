"""What the rows of a run mean, asked of whoever knows: the record itself only keeps the answer.

The rooms above the record offer a function in the entry point group `nakctl.conclusions`: it is given the
path of the finished file and returns what belongs into /entry/results: name -> number, text or
{"value": number, "units": text}; `record.describe.fields` says what else.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl.errors import place_of
from nakctl.offered import offered, ours

GROUP = "nakctl.conclusions"
TROUBLE = "trouble"  # name under which it stands that a conclusion could not be drawn


def make_ready() -> None:
    """Load what is ours ahead: of others nobody knows what that does."""
    with suppress(ImportError):  # that is told when they are drawn
        for point in ours(GROUP):
            point.load()


def conclusions(path: Path) -> dict[str, Any]:
    """What all of them say. One that fails costs its own answer, and is noted under TROUBLE."""
    found: dict[str, Any] = {}
    troubles: list[str] = []
    for point in {each.value: each for each in offered(GROUP)}.values():
        try:
            found |= json.loads(json.dumps(point.load()(path)))
        except ImportError:
            troubles.append(f"{point.name}: what would draw it is not installed in order")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the run is to be sealed
            troubles.append(f"{point.name}: a fault of the program ({place_of(error)})")
    return found | ({TROUBLE: "; ".join(troubles)} if troubles else {})
