"""Steps without `for`: a cutoff ends them, no invented time does, and no chain goes on where it was not met."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept import Kept

from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import instrument
from nakctl.plan.compile import compile_protocol
from nakctl.plan.gaps import gaps
from nakctl.plan.lower import lower
from nakctl.protocol.load import understand
from nakctl.run.clock import Clock, FreeClock
from nakctl.run.run import Outcome, run
from nakctl.text.reader import read_text
from nakctl_sim.driver import driver
from nakctl_sim.instrument.clock import StepClock

HEAD = """\
nakctl: 1
name: test
capacity: {capacity}
limits: {{Ewe: [2.5 V, 3.5 V], I: 0.5 mA, time: 1000 h}}
record: {{every: 10 s}}
steps:
"""
# 0.2 mA from 3 V to 3.2 V take 500 s; at 3.2 V the current falls with 25 s.
CELL = """\
model: circuit
cells:
  capacitor: {area: 1 cm2, source: 3 V, series: 50 ohm, capacitor: 0.5 F}
"""
CC_CV = """\
- repeat: {times}
  steps:
    - strip: {current}
      until: {{Ewe_above: 3.2 V}}
    - ca: 3.2 V
      until: {{I_below: {taper}}}
    - plate: {current}
      until: {{Ewe_below: 3 V}}
"""


def simulated(like: str, cell: str) -> tuple[Any, Clock]:
    clock = FreeClock()
    return driver.open(Place("x", "sim", like, 1, {}), driver.cell(cell), clock, 1), clock


def behind_the_library(like: str, cell: str) -> tuple[Any, Clock]:
    from nakctl_biologic.driver import driver as biologic
    from nakctl_sim.instrument import register
    from nakctl_sim.instrument.device import VirtualInstrument

    clock: ClockLike = StepClock()
    address = register("without-time", VirtualInstrument(like, {1: cell}, clock, 1))
    place = Place("x", "biologic", like, 1, {"address": address})
    return biologic.open(place, driver.cell(cell), clock, 1), clock  # type: ignore[return-value]


def done(
    steps: str, tmp_path: Path, *, like: str = "SP-300", capacity: str = "0.2 mAh", make: Any = simulated
) -> tuple[Outcome, Kept]:
    (tmp_path / "cell.yaml").write_text(CELL, encoding="utf-8")
    cell = str(tmp_path / "cell.yaml")
    text = HEAD.format(capacity=capacity) + textwrap.indent(textwrap.dedent(steps), "  ")
    plan = compile_protocol(understand(read_text(text, "t.yaml"), {}), driver.cell(cell))
    channel, clock = make(like, cell)
    kept = Kept()
    kept.program = lower(plan, instrument(like))
    outcome = run(kept.program, channel, clock, kept, poll_s=0.0 if make is simulated else 10.0)
    channel.close()
    return outcome, kept


def ends(kept: Kept) -> list[tuple[str, str]]:
    return [(row["label"].decode().split()[0], row["end_kind"].decode()) for row in kept["steps"]]


def codes(kept: Kept) -> Counter[str]:
    return Counter(event.code for event in kept.events)


def loads(kept: Kept) -> int:
    return sum(entry.kind == "meant" and entry.facts.get("verb") == "load" for entry in kept.entries)


@pytest.mark.parametrize(("make", "times"), [(simulated, 50), (behind_the_library, 4)])
@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_cc_and_cv_are_one_chain_without_a_gap_in_fifty_cycles(
    like: str, make: Any, times: int, tmp_path: Path
) -> None:
    steps = CC_CV.format(times=times, current="1C", taper="C/20")
    outcome, kept = done(steps, tmp_path, like=like, make=make)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert kept.program is not None and not gaps(kept.program)
    assert loads(kept) == 1
    assert ends(kept) == times * [("1.1", "cutoff"), ("1.2", "cutoff"), ("1.3", "cutoff")]
    steps_V = kept["steps"]["end_value"].reshape(times, 3)
    assert steps_V[:, 0] == pytest.approx(3.2, abs=2e-3)
    assert steps_V[:, 1] == pytest.approx(1e-5, rel=0.05)
    assert steps_V[:, 2] == pytest.approx(3.0, abs=2e-3)


@pytest.mark.parametrize("make", [simulated, behind_the_library])
@pytest.mark.parametrize("like", ["SP-300", "VMP-3"])
def test_a_chain_does_not_go_on_because_the_time_is_up(like: str, make: Any, tmp_path: Path) -> None:
    """A capacity that is far too small: the chain holds 216 s, the cell takes 500 s."""
    steps = CC_CV.format(times=4, current="0.2 mA", taper="10 uA") + "- rest: 10 s\n"
    outcome, kept = done(steps, tmp_path, like=like, capacity="8 uAh", make=make)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert ends(kept) == 4 * [("1.1", "cutoff"), ("1.2", "cutoff"), ("1.3", "cutoff")] + [("2", "duration")]
    samples, found = kept["samples"], kept["steps"]
    for step in found[found["end_value"] > 3]:
        rows = samples[step["first_row"] : step["first_row"] + step["row_count"]]
        assert rows["Ewe"][-1] == pytest.approx(3.2, abs=2e-3)  # never left before
    assert set(found["cycle"].tolist()) == {1, 2, 3, 4}
    held_on = codes(kept)["held_on"]
    assert held_on == 4 * 2 * 2  # each strip and each plate twice
    assert loads(kept) == 1 + held_on
    lasted_s = (found["t_end"] - found["t_start"])[:12].reshape(4, 3)
    assert np.all(lasted_s[:, 0] > 450) and np.all(lasted_s[:, 0] < 520)


def test_a_cutoff_that_ends_the_loop_or_the_run_needs_no_time_either(tmp_path: Path) -> None:
    steps = """
        - repeat: forever
          steps:
            - {rest: 1 s}
            - {strip: 0.2 mA, until: {Ewe_above: 3.2 V, then: end loop}}
        - {plate: 0.2 mA, until: {Ewe_below: 3 V, then: end run}}
        - {rest: 1 s}
        """
    for capacity in ("0.2 mAh", "8 uAh"):
        outcome, kept = done(steps, tmp_path, capacity=capacity)
        assert outcome.end_kind == "cutoff"
        assert ends(kept) == [("1.1", "duration"), ("1.2", "cutoff"), ("2", "cutoff")]


def test_what_only_the_host_can_test_ends_a_step_without_a_time(tmp_path: Path) -> None:
    steps = """
        - {strip: 0.2 mA, until: [{Ewe_above: 3.2 V}, {Ewe_below: 2.6 V}]}
        - {rest: forever, until: {Ewe_below: 3.3 V}}
        - {strip: 0.1 mA, until: {charge: 0.01 C}}
        - {ca: 3.23 V, until: {charge: 0.01 C}}
        """
    outcome, kept = done(steps, tmp_path)
    assert (outcome.status, outcome.reason) == ("completed", "all steps done")
    assert ends(kept) == [("1", "cutoff"), ("2", "cutoff"), ("3", "duration"), ("4", "cutoff")]


def test_a_rest_for_ever_lasts_as_long_as_the_run_may(tmp_path: Path) -> None:
    outcome, kept = done("- {rest: forever, record: {every: 1 h}}", tmp_path)
    assert (outcome.status, outcome.reason) == ("stopped", "limit: 1000 h of run time")
    assert ends(kept) == [("1", "limit")]
    assert loads(kept) == 1


def test_a_rest_of_a_month_is_one_short_chain(tmp_path: Path) -> None:
    outcome, kept = done("- {rest: 28 d, record: {every: 1 h}}\n- {strip: 0.1 mA, for: 10 s}", tmp_path)
    assert ends(kept) == [("1", "duration"), ("2", "duration")]
    assert loads(kept) == 1
    assert outcome.duration_s == pytest.approx(28 * 86400 + 10, abs=1)
