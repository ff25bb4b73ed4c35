"""A protocol of seconds, and a run that is over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import Said

# A resting cell with one coarse spectrum, then a hold: every table of a file gets rows, in no time.
SHORT = """\
nakctl: 1
name: A short run
params: {rest: 20 s, current: 10 uA}
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}
steps:
  - rest: $rest
  - peis: coarse
  - strip: $current
    for: 5 s
finally: rest
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that is over, with what the command said."""

    path: Path
    said: Said

    @property
    def report(self) -> Any:
        return self.said.json
