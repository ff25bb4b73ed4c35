"""Whole runs, by the loop of every run, on a channel that answers some call with an error code."""

from __future__ import annotations

import pytest
from biologic_bench import Bench, bench
from compiling import HEAD, lowered
from kept import Kept

from nakctl.run.logbook import Progress
from nakctl.run.run import Outcome, run
from nakctl_sim.instrument.clock import StepClock

LONGEST_s = 600.0
SHORT = HEAD.replace("time: 100 h", "time: 20 s")


def ran(one: Bench, steps: str, head: str = HEAD) -> tuple[Outcome, Kept]:
    kept, clock = Kept(), one.clock
    assert isinstance(clock, StepClock)
    kept.program = lowered(steps, head=head)

    def observe(progress: Progress) -> None:
        assert clock.now_s() < LONGEST_s, "no end"

    how = run(kept.program, one.channel, clock, kept, poll_s=0.5, run_id="6fd3a1e2", observe=observe)
    return how, kept


@pytest.mark.parametrize("lasts", ["1 h", "8 s"])
@pytest.mark.parametrize("code", [-12, -104, -200, -1])
def test_a_run_whose_rows_are_never_handed_over_keeps_its_limits_and_comes_to_an_end(
    code: int, lasts: str
) -> None:
    """The channel answers all else: it is looked at, and seen to stop, or to have stopped by itself."""
    one = bench(faults=[f"BL_GetData={code}@call5-1000000"])
    outcome, kept = ran(one, f"- {{strip: 0.1 mA/cm2, for: {lasts}}}", SHORT)
    assert (outcome.status, outcome.cell_open) == ("stopped", True)
    assert outcome.reason == "limit: 20 s of run time"
    codes = [event.code for event in kept.events]
    assert codes.index("not_read") < codes.index("unread")
    assert not one.instrument.boards[0].running


def test_a_channel_that_stands_and_hands_over_no_rows_is_an_alarm_and_not_the_end() -> None:
    """Of a chain that nobody stopped: what it was worth, its rows say."""
    one = bench(faults=["BL_GetData=-12:90s@call5"])
    outcome, kept = ran(one, "- {strip: 0.1 mA/cm2, for: 30 s}")
    assert outcome.status == "completed"
    assert "not_read" in [event.code for event in kept.events if event.severity == 2]
    _, whole = ran(bench(), "- {strip: 0.1 mA/cm2, for: 30 s}")
    assert len(kept["samples"]) == len(whole["samples"])
