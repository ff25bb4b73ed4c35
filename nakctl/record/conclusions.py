"""What the rows of a run mean, asked of whoever knows: the record itself only keeps the answer.

The rooms above the record offer a function in the entry point group `nakctl.conclusions`: it is given the
path of the finished file and returns what belongs into /entry/results: name -> number, text or
{"value": number, "units": text}; `record.describe.fields` says what else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.errors import place_of
from nakctl.offered import offered, ours

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "nakctl.conclusions"
TROUBLE = "trouble"  # name under which it stands that a conclusion could not be drawn


def made_ready() -> tuple[EntryPoint, ...]:
    """All of them, found ahead. What is ours is loaded as well: of others nobody knows what that does."""
    with suppress(ImportError):  # that is told when they are drawn
        for point in ours(GROUP):
            point.load()
    return offered(GROUP)


def conclusions(path: Path, points: Sequence[EntryPoint]) -> dict[str, Any]:
    """What all of them say. One that fails costs its own answer, and is noted under TROUBLE.

    points  of `made_ready`
    """
    found: dict[str, Any] = {}
    troubles: list[str] = []
    for point in {each.value: each for each in points}.values():
        try:
            found |= json.loads(json.dumps(point.load()(path)))
        except ImportError:
            troubles.append(f"{point.name}: what would draw it is not installed in order")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong there, the run is to be sealed
            troubles.append(f"{point.name}: a fault of the program ({place_of(error)})")
    return found | ({TROUBLE: "; ".join(troubles)} if troubles else {})
