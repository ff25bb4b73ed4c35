"""What the host watches between two reads: limits, rules, and cutoffs that the instrument cannot hold.

Works on booked samples (see `ledger`), whole arrays at a time. Slower than the instrument by one poll, and
the plan says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag, Rows, Watch
from nakctl.device.program import (
    Ca,
    Cp,
    Cutoff,
    Eis,
    EweRule,
    HostLoop,
    Loop,
    Node,
    Program,
    Segment,
    ShortRule,
    StepInfo,
    Technique,
)
from nakctl.run.engine import Ending
from nakctl.run.short import ShortWatch

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]

C_PER_Ah = 3600.0
SOONEST_LOOK_s = 0.2  # how often the host looks when something is near, in the channel's own time
NEAR_V, NEAR_PART = 0.005, 0.01  # how far a reading may be from the test it met: noise and single precision


class Guard:
    """Watches one run. `look` after every read, `explain` when a chain ended before its end."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.acting = {step.step_id: _acting(step, program.nodes) for step in program.steps}
        self.rules = [rule for rule in program.rules if isinstance(rule, EweRule)]
        self.shorts = [ShortWatch(rule) for rule in program.rules if isinstance(rule, ShortRule)]
        self.segment_steps: tuple[int, ...] = ()
        self.charge_rest_s: float | None = None
        self.time_s = 0.0

    def open_segment(self, segment: Segment) -> None:
        self.segment_steps = tuple({t.step for t in segment.techniques if not isinstance(t, Loop)})

    def watch(self) -> Watch:
        """The tightest values at which a look might matter, in the loaded segment."""
        limits = self.program.limits
        cutoffs = [cutoff for step in self.segment_steps for cutoff in self.acting[step]]
        above = [limits.Ewe_max_V, *(r.value_V for r in self.rules if r.side == "above")]
        below = [limits.Ewe_min_V, *(r.value_V for r in self.rules if r.side == "below")]
        I_above: list[float | None] = [limits.I_max_A]
        I_below: list[float | None] = []
        for cutoff in cutoffs:
            if cutoff.quantity == "Ewe":
                (above if cutoff.side == "above" else below).append(cutoff.value)
            elif cutoff.quantity == "|I|":
                (I_above if cutoff.side == "above" else I_below).append(cutoff.value)
        return Watch(
            Ewe_min_V=max((v for v in below if v is not None), default=None),
            Ewe_max_V=min((v for v in above if v is not None), default=None),
            I_min_A=max((v for v in I_below if v is not None), default=None),
            I_max_A=min((v for v in I_above if v is not None), default=None),
            Ewe_near_0_V=max((short.rule.below_V for short in self.shorts), default=None),
            every_s=self._look_within_s(cutoffs),
        )

    def _look_within_s(self, cutoffs: list[Cutoff]) -> float | None:
        waits = []
        if self.program.limits.time_s is not None:
            waits.append(max(SOONEST_LOOK_s, self.program.limits.time_s - self.time_s))
        if any(cutoff.quantity == "charge" for cutoff in cutoffs):
            waits.append(max(SOONEST_LOOK_s, self.charge_rest_s or 0.0))
        if any(short.in_a_row for short in self.shorts):
            waits.append(SOONEST_LOOK_s)
        return min(waits, default=None)

    def look(self, samples: Rows, step_charge_Ah: Floats) -> Ending | None:
        """The ending that the earliest row asks for, if any. samples: booked rows, in order of time.

        step_charge_Ah: (n,) net charge since the start of each sample's step.
        """
        if len(samples) == 0:
            return None
        self.time_s = float(samples["time"][-1])
        found = [*self._limits(samples), *self._rules(samples), *self._cutoffs(samples, step_charge_Ah)]
        return min(found, key=lambda each: each[0])[1] if found else None

    def _limits(self, samples: Rows) -> Iterator[tuple[int, Ending]]:
        limits = self.program.limits
        for value, side in ((limits.Ewe_max_V, "above"), (limits.Ewe_min_V, "below")):
            if value is not None:
                reason = f"limit: Ewe {side} {value:g} V"
                yield from _first(_beyond(samples["Ewe"], side, value), Ending("end run", reason, "stopped"))
        if limits.I_max_A is not None:
            reason = f"limit: |I| above {limits.I_max_A:g} A"
            beyond = np.abs(samples["I"]) > limits.I_max_A * (1 + NEAR_PART)
            yield from _first(beyond, Ending("end run", reason, "stopped"))
        if limits.time_s is not None:
            reason = f"limit: {limits.time_s:g} s of run time"
            yield from _first(samples["time"] >= limits.time_s, Ending("end run", reason, "stopped"))

    def _rules(self, samples: Rows) -> Iterator[tuple[int, Ending]]:
        for rule in self.rules:
            ending = Ending("end run", f"Ewe {rule.side} {rule.value_V:g} V")
            yield from _first(_beyond(samples["Ewe"], rule.side, rule.value_V), ending)
        for short in self.shorts:
            row = short.look(samples)
            if row is not None:
                yield row, Ending("end run", "short")

    def _cutoffs(self, samples: Rows, step_charge_Ah: Floats) -> Iterator[tuple[int, Ending]]:
        for step_id in self.segment_steps:
            for cutoff in self.acting[step_id]:
                mine = samples["step_id"] == step_id
                if cutoff.quantity == "charge":
                    moved_C = np.abs(step_charge_Ah) * C_PER_Ah
                    self._note_rest(cutoff, moved_C[-1], samples["I"][-1])
                    beyond = moved_C >= cutoff.value
                elif cutoff.quantity == "|I|":
                    beyond = _beyond(np.abs(samples["I"]), cutoff.side, cutoff.value)
                else:
                    beyond = _beyond(samples["Ewe"], cutoff.side, cutoff.value)
                yield from _first(mine & beyond, _ending(cutoff))

    def _note_rest(self, cutoff: Cutoff, moved_C: float, I_A: float) -> None:
        """How long the rest of the charge takes at the present current."""
        self.charge_rest_s = (cutoff.value - moved_C) / abs(I_A) if I_A else None

    def explain(self, last: Rows | None, segment: Segment) -> Ending | None:
        """Why a chain is over. last: its last booked row, (1,). None: it was done with all its techniques.

        A test's row may lie a little inside of the test (noise, single precision): the nearest end counts.
        """
        end = segment.techniques[-1]
        done = next(t.step for t in reversed(segment.techniques) if not isinstance(t, Loop))
        if last is None:
            return None
        row = last[-1]
        met = bool(row["flags"] & Flag.TEST_MET)
        endless = isinstance(end, Loop) and end.times is None
        if row["step_id"] == done and not met and not endless:
            return None
        near = [ending for gap, ending in self._ends_near(row) if gap <= 1.0]
        if near:
            return near[0]
        step = self.program.step(int(row["step_id"]))
        return Ending("end run", f"the channel stopped by itself in step {step.label}", "interrupted")

    def _ends_near(self, row: np.void) -> list[tuple[float, Ending]]:
        """Every end of Ewe or |I| and how far off the row is, in units of the tolerance; nearest first."""
        limits = self.program.limits
        step = self.program.step(int(row["step_id"]))
        ends: list[tuple[str, str, float | None, Ending]] = [
            (cutoff.quantity, cutoff.side, cutoff.value, _ending(cutoff)) for cutoff in step.cutoffs
        ]
        ends += [
            ("Ewe", r.side, r.value_V, Ending("end run", f"Ewe {r.side} {r.value_V:g} V")) for r in self.rules
        ]
        for side, value in (("above", limits.Ewe_max_V), ("below", limits.Ewe_min_V)):
            ends.append(("Ewe", side, value, Ending("end run", f"limit: Ewe {side} {value} V", "stopped")))
        I_reason = f"limit: |I| above {limits.I_max_A} A"
        ends.append(("|I|", "above", limits.I_max_A, Ending("end run", I_reason, "stopped")))
        reading = {"Ewe": float(row["Ewe"]), "|I|": abs(float(row["I"]))}
        gaps = [
            (_gap(reading[quantity], side, value, quantity), ending)
            for quantity, side, value, ending in ends
            if value is not None and quantity in reading
        ]
        return sorted(gaps, key=lambda each: each[0])


def _acting(step: StepInfo, nodes: tuple[Node, ...]) -> tuple[Cutoff, ...]:
    """The cutoffs after which the host has to do something: all but those the chain itself goes on from."""
    goes_on = any(isinstance(t, Cp | Ca) and t.on_test == "next" for t in _techniques(step.step_id, nodes))
    return tuple(cutoff for cutoff in step.cutoffs if cutoff.by == "host" or not goes_on)


def _techniques(step_id: int, nodes: tuple[Node, ...]) -> Iterator[Technique]:
    for node in nodes:
        if isinstance(node, HostLoop):
            yield from _techniques(step_id, node.body)
        elif isinstance(node, Segment):
            yield from (t for t in node.techniques if isinstance(t, Cp | Ca | Eis) and t.step == step_id)


def _ending(cutoff: Cutoff) -> Ending:
    return Ending(cutoff.then, str(cutoff))


def _beyond(values: Floats, side: str, limit: float) -> Bools:
    return np.asarray(values > limit if side == "above" else values < limit)


def _first(beyond: Bools, ending: Ending) -> Iterator[tuple[int, Ending]]:
    rows = np.flatnonzero(beyond)
    if len(rows):
        yield int(rows[0]), ending


def _gap(reading: float, side: str, value: float, quantity: str) -> float:
    """How far the reading is inside of the end, in units of the tolerance; 0 or less: beyond it."""
    inside = value - reading if side == "above" else reading - value
    tolerance = max(NEAR_V if quantity == "Ewe" else 0.0, NEAR_PART * abs(value))
    return max(inside, 0.0) / tolerance if tolerance else float(inside > 0) * np.inf
