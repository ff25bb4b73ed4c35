"""From protocol text to plan and program, for tests."""

from __future__ import annotations

import textwrap

from nakctl.device.cell import Cell
from nakctl.device.limits import instrument
from nakctl.device.program import Program
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.plan.plan import Plan
from nakctl.protocol.load import understand
from nakctl.text.reader import read_text

CELL = Cell("test", 0.5)
HEAD = """\
nakctl: 1
name: test
limits: {Ewe: [-3 V, 3 V], I: 10 mA, time: 100 h}
finally: rest
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}
  p: {kind: peis, amplitude: 10 mV, from: 100 kHz, to: 10 Hz, per_decade: 5}
steps:
"""


def compiled(steps: str, cell: Cell = CELL, head: str = HEAD, **overrides: str) -> Plan:
    text = head + textwrap.indent(textwrap.dedent(steps), "  ")
    return compile_protocol(understand(read_text(text, "test.yaml"), overrides), cell)


def lowered(steps: str, name: str = "SP-300", cell: Cell = CELL, head: str = HEAD) -> Program:
    return lower(compiled(steps, cell, head), instrument(name))
