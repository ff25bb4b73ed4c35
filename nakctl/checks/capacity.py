"""Checks of a capacity that is measured in the run: whether all that follows can go with it."""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.checks.findings import Finding, error
from nakctl.device.instrument import Instrument
from nakctl.plan import plan as p
from nakctl.plan.lower import with_misfits


def misfits(plan: p.Plan, instrument: Instrument) -> Iterator[Finding]:
    """Nothing is done half: what does not simply go with the capacity is not begun."""
    if plan.capacity is None:
        return
    program, found = with_misfits(plan, instrument)
    for misfit in found:
        step = program.step(misfit.step) if misfit.step else None
        what = f"{step.label}: {misfit.what}" if step else misfit.what
        yield error(
            "capacity",
            step.mark if step else plan.capacity.mark,
            f"{what} does not simply go with the capacity, which {plan.capacity.label} measures",
            "write that one as a current, a charge or a time, or the capacity itself",
        )
