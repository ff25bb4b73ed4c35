"""From protocol text to plan and program, for tests."""

from __future__ import annotations

import textwrap

from nakctl.device.cell import Cell
from nakctl.device.instrument import instrument
from nakctl.device.program import Program, Segment, Technique, Test
from nakctl.device.program import segments as segments_of
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.plan.plan import Plan, Spectrum, Sweep
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
CP = "strip: 1 mA/cm2, for: 1 h"
SIGN = {"above": ">", "below": "<"}
LOW, HIGH = ("<", -3.0, 1), (">", 3.0, 2)  # the limits of HEAD, as `told` tells them


def compiled(steps: str, cell: Cell = CELL, head: str = HEAD, **overrides: str) -> Plan:
    text = head + textwrap.indent(textwrap.dedent(steps), "  ")
    return compile_protocol(understand(read_text(text, "test.yaml"), overrides), cell)


def lowered(steps: str, name: str = "SP-300", cell: Cell = CELL, head: str = HEAD) -> Program:
    return lower(compiled(steps, cell, head), instrument(name))


def segments(program: Program) -> list[Segment]:
    return list(segments_of(program.nodes))


def chain(program: Program) -> tuple[Technique, ...]:
    [segment] = program.nodes
    assert isinstance(segment, Segment)
    return segment.techniques


def told(tests: tuple[Test, ...]) -> set[tuple[str, float, int]]:
    return {(SIGN[test.side], test.value, test.end) for test in tests}


def lowered_sweep(step: str) -> Sweep:
    """The sweep of the first step, which is a spectrum."""
    [spectrum] = compiled(step).steps
    assert isinstance(spectrum, Spectrum)
    return spectrum.sweep
