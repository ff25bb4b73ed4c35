"""How long somebody waits at the most who asks for the next boundary."""

from __future__ import annotations

import pytest
from compiling import CELL

from nakctl.device.instrument import instrument
from nakctl.device.program import Program
from nakctl.plan.boundaries import Furthest, furthest
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import estimate
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.text.reader import read_text

HEAD = """\
nakctl: 1
name: t
limits: {Ewe: [-1 V, 1 V]}
finally: rest
spectra:
  one: {kind: geis, amplitude: 5 uA, frequencies: '10, 1 Hz'}
  odd: {kind: geis, amplitude: 5 uA, frequencies: '10, 7, 1 Hz'}
steps:
"""


@pytest.mark.parametrize(
    ("steps", "label", "step_s", "has_spectra"),
    [
        ("[{rest: 10 s}, {strip: 10 uA, for: 1 h}]", "2 strip 0.02 mA/cm2", 3600.0, False),
        ("[{repeat: 9, steps: [{strip: 10 uA, for: 10 s}]}, {rest: 50 s}]", "2 rest", 50.0, False),
        ("[{rest: 1 h}, {geis: one}]", "1 rest", 3600.0, True),
    ],
)
def test_the_longest_step(steps: str, label: str, step_s: float, has_spectra: bool) -> None:
    found, program = furthest_of(steps)
    assert program.step(found.step_id).label == label
    assert found.step_s == pytest.approx(step_s)
    assert (found.spectrum_s is not None) is has_spectra


def test_a_spectrum_of_several_sweeps_is_one() -> None:
    one, _ = furthest_of("[{rest: 1 h}, {geis: one}]")
    odd, _ = furthest_of("[{rest: 1 h}, {geis: odd}]")
    assert one.spectrum_s is not None
    assert odd.spectrum_s is not None
    assert odd.spectrum_s > one.spectrum_s > 1.0


def furthest_of(steps: str) -> tuple[Furthest, Program]:
    on = instrument("SP-300")
    plan = compile_protocol(understand(read_text(f"{HEAD}  {steps}\n", "t.yaml"), {}), CELL)
    program = lower(plan, on)
    return furthest(program, estimate(plan, program, on), on), program
