"""What the sensors' process tells the run, one line of JSON per beat; `heard` is the other end of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from nakctl.device.sensor import Latest, SensorNotice


def line_of(beat: int, at: float, values: Mapping[str, Latest], notices: Iterable[SensorNotice]) -> str:
    """The line, without its end. beat: counted from 1; at: the clock then, `time.perf_counter`."""
    said = {
        "beat": beat,
        "at": at,
        "values": {
            name: [each.time_s, each.value, each.low, each.high, each.trouble, each.gap_s]
            for name, each in values.items()
        },
        "notices": [
            [each.sensor, each.severity, each.code, each.message, each.time_s, each.facts] for each in notices
        ],
    }
    return json.dumps(said)
