"""A short protocol, a detector, and what a RunEngine said."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from nakctl.bluesky.status import Status

# Ten levels would do as well: what counts is that each lasts for a few looks at it.
SHORT = """\
nakctl: 1
name: A short staircase
params: {levels: "0.2, 0.4 mA/cm2", hold: 5 min, cutoff: 3 V}
record: {every: 2 s}
limits: {Ewe: [-1 V, $cutoff], I: 1 mA, time: 12 h}
steps:
  - rest: 2 min
  - staircase: $levels
    steps:
      - strip: $level
        for: $hold
finally: rest
"""


class Camera:
    """A detector that is read at once. when: called in its trigger."""

    name, parent = "camera", None

    def __init__(self, when: Any = lambda: None) -> None:
        self.when = when

    def trigger(self) -> Status:
        self.when()
        status = Status("a picture")
        status.finish()
        return status

    def describe(self) -> dict[str, Any]:
        return {"camera_sum": {"source": "test", "dtype": "number", "shape": []}}

    def read(self) -> dict[str, Any]:
        return {"camera_sum": {"value": 7.0, "timestamp": time.time()}}


@dataclass(eq=False)
class Documents:
    """What a RunEngine said."""

    all: list[tuple[str, Any]] = field(default_factory=list)

    def __call__(self, name: str, document: Any) -> None:
        self.all.append((name, document))

    def named(self, name: str) -> list[Any]:
        return [document for kind, document in self.all if kind == name]

    def events(self, stream: str, key: str) -> list[Any]:
        """Values of a key in all events of a stream."""
        ours = {each["uid"] for each in self.named("descriptor") if each["name"] == stream}
        single = [each["data"][key] for each in self.named("event") if each["descriptor"] in ours]
        pages = [each["data"][key] for each in self.named("event_page") if each["descriptor"] in ours]
        return [*single, *(value for page in pages for value in page)]
