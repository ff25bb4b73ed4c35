"""Rows of a channel -> rows of the record: steps, cycles and charge are counted here (spectra: `spectra.py`).

A channel says only which technique of its chain a row belongs to, and how often that technique had been
started. From one row to the next this tells whether a new step began and whether a loop of the experiment
was passed; both are looked up in small tables made once per segment, so that a read of 50 000 rows is booked
with array operations.

Charge: within a technique the trapezoid over its samples; from one technique to the next the new current over
the time between the two rows (the instrument records the last row of a technique at its end); between
segments nothing, because the cell was open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import SAMPLE, Flag, Reading, Rows, State
from nakctl.device.program import Ca, Cp, Eis, Loop, Program, Segment, Technique
from nakctl.record import layout
from nakctl.run.spectra import SpectrumBook

C_PER_Ah = 3600.0
WHOLE = b"duration"  # end_reason of a step that lasted as long as planned


@dataclass(frozen=True, slots=True)
class Booked:
    """Rows of the tables of `record.layout`. step_charge_Ah: (n,) charge since each sample's step began."""

    samples: Rows
    impedance: Rows
    spectra: Rows
    steps: Rows
    step_charge_Ah: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Chain:
    """The loaded segment: what each technique means, and what it means to come to one from another."""

    start_s: float
    step_id: npt.NDArray[np.uint32]  # (n,)
    control: npt.NDArray[np.float32]  # (n,)
    new_step: npt.NDArray[np.bool_]  # (n, n): from, to
    new_cycle: npt.NDArray[np.bool_]  # (n, n)


class Ledger:
    """Books one run. `samples` is the dtype of the record's main table."""

    def __init__(self, program: Program, samples: np.dtype[np.void]) -> None:
        self.program = program
        self.dtype = samples
        self.spectra = SpectrumBook()
        self.labels = np.array([b"", *(layout.cut(step.label, 64) for step in program.steps)], "S64")
        self.names = np.array([b"", *(step.technique.encode() for step in program.steps)], "S16")
        self.rows = 0
        self.cycle = 1
        self.level = 0
        self.Q_Ah = 0.0
        self.open = np.empty(0, layout.STEPS.dtype)  # the running step so far: one row or none
        self.open_Q_Ah = 0.0
        self.ending = WHOLE  # why the running step ends, if it ends now
        self.last: np.void | None = None  # the last row of this segment, as the channel gave it
        self.last_sample: Rows = np.zeros(1, samples)
        self.fresh_cycle = False

    def open_segment(self, segment: Segment, start_s: float, new_cycle: bool) -> None:
        """A chain starts at start_s of the run. new_cycle: a loop of the host was passed to come here."""
        self.chain = _chain_of(self.program, segment, start_s)
        self.spectra.open_segment(segment)
        self.last = None
        self.fresh_cycle = new_cycle

    def book(self, reading: Reading) -> Booked:
        """The rows of one read, in order of time."""
        rows, of_point = _merged(reading)
        samples, step_charge_Ah, steps = self._book_samples(rows)
        impedance, spectra = self.spectra.book(reading.points, samples[of_point])
        if reading.state is State.STOPPED:
            spectra = np.concatenate([spectra, self.spectra.close()])
        return Booked(samples, impedance, spectra, steps, step_charge_Ah)

    def note_end(self, reason: str) -> None:
        """The running step ends before its time, for a reason that its rows cannot tell."""
        self.ending = layout.cut(reason, 64)

    def finish(self) -> Rows:
        """The last step, for the table of steps."""
        steps, self.open = self.open, self.open[:0]
        steps["end_reason"] = self._reasons(steps, self.last_sample[: len(steps)])
        return steps

    # --- samples and steps -----------------------------------------------------------------------------

    def _book_samples(self, rows: Rows) -> tuple[Rows, npt.NDArray[np.float64], Rows]:
        samples = np.zeros(len(rows), self.dtype)
        if len(rows) == 0:
            return samples, np.zeros(0), np.empty(0, layout.STEPS.dtype)
        chain, technique = self.chain, rows["technique"]
        before = self._rows_before(rows)
        changed = (technique != before["technique"]) | (rows["passes"] != before["passes"])
        new_step = changed & chain.new_step[before["technique"], technique]
        new_cycle = changed & chain.new_cycle[before["technique"], technique]
        if self.last is None:
            changed[0] = True
            new_step[0], new_cycle[0] = self._entering(int(technique[0]))
        self._fill(samples, rows, technique)
        samples["cycle"] = self.cycle + np.cumsum(new_cycle)
        # summed from the charge so far, row by row: how rows are cut into reads changes no bit
        samples["Q"] = np.cumsum(np.append(self.Q_Ah, _charge_Ah(rows, before, changed)))[1:]
        samples["step_count"] = self.open["step_count"].sum() + np.cumsum(new_step)
        steps, step_charge_Ah = self._turn_over(samples, new_step, before["time_s"] + chain.start_s)
        self._remember(rows, samples)
        return samples, step_charge_Ah, steps

    def _rows_before(self, rows: Rows) -> Rows:
        """Each row's predecessor; before the first row of a segment, its start with that row's technique."""
        before = np.empty_like(rows)
        before[1:] = rows[:-1]
        before[0] = rows[0] if self.last is None else self.last
        if self.last is None:
            before["time_s"][0] = 0.0
        return before

    def _entering(self, technique: int) -> tuple[bool, bool]:
        """The first row of a segment: does it begin a step, a cycle?"""
        step_id = int(self.chain.step_id[technique])
        level = self.program.step(step_id).level
        begun = len(self.open) > 0
        new_cycle = begun and (self.fresh_cycle or _other_level(self.level, level))
        return new_cycle or not begun or int(self.open["step_id"][0]) != step_id, new_cycle

    def _fill(self, samples: Rows, rows: Rows, technique: Rows) -> None:
        samples["time"] = self.chain.start_s + rows["time_s"]
        samples["Ewe"] = rows["Ewe_V"]
        samples["I"] = rows["I_A"]
        samples["flags"] = rows["flags"]
        samples["I_range"] = rows["I_range"]
        samples["step_id"] = self.chain.step_id[technique]
        samples["control"] = self.chain.control[technique]
        if "Ece" in (samples.dtype.names or ()):
            samples["Ece"] = rows["Ece_V"]

    def _turn_over(
        self, samples: Rows, new_step: npt.NDArray[np.bool_], time_before_s: npt.NDArray[np.float64]
    ) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Close the steps that ended among these samples; leave the last one open."""
        starts = np.flatnonzero(new_step)
        steps = np.concatenate([self.open, self._begun(samples[starts], starts, time_before_s[starts])])
        ends = np.append(starts, len(samples))[-len(steps) :]  # relative: the sample after each step's last
        steps["row_count"] = self.rows + ends - steps["first_row"].astype(np.int64)
        lasts = np.concatenate([self.last_sample, samples])[ends]
        steps["t_end"] = lasts["time"]
        closed, self.open = steps[:-1], steps[-1:].copy()
        closed["end_reason"] = self._reasons(closed, lasts[:-1])
        Q_before = np.append(self.Q_Ah, samples["Q"][:-1])
        base_Ah = np.full(len(samples), self.open_Q_Ah)
        if len(starts):
            base_Ah[starts[0] :] = Q_before[starts].repeat(np.diff(starts, append=len(samples)))
            self.open_Q_Ah = float(Q_before[starts[-1]])
        return closed, samples["Q"] - base_Ah

    def _begun(
        self, firsts: Rows, starts: npt.NDArray[np.intp], time_before_s: npt.NDArray[np.float64]
    ) -> Rows:
        """A step begins where the one before it ended, which is before its own first sample."""
        begun = np.zeros(len(firsts), layout.STEPS.dtype)
        for name in ("step_count", "step_id", "cycle"):
            begun[name] = firsts[name]
        begun["technique"] = self.names[firsts["step_id"]]
        begun["label"] = self.labels[firsts["step_id"]]
        begun["t_start"] = time_before_s
        begun["first_row"] = self.rows + starts
        return begun

    def _reasons(self, steps: Rows, lasts: Rows) -> npt.NDArray[np.bytes_]:
        """Why steps ended: the note of the host for the running one, else a test that the last row met."""
        reasons = np.full(len(steps), WHOLE, "S64")
        for k in np.flatnonzero(lasts["flags"] & Flag.TEST_MET):
            reasons[k] = self._test_met(lasts[k])
        if len(steps) and self.ending != WHOLE:
            reasons[0] = self.ending
        if len(steps):
            self.ending = WHOLE
        return reasons

    def _test_met(self, last: np.void) -> bytes:
        cutoffs = self.program.step(int(last["step_id"])).cutoffs
        reading = {"Ewe": float(last["Ewe"]), "|I|": abs(float(last["I"]))}
        near = sorted((abs(reading[c.quantity] - c.value), c) for c in cutoffs if c.quantity in reading)
        return layout.cut(str(near[0][1]), 64) if near else b"limit"

    def _remember(self, rows: Rows, samples: Rows) -> None:
        self.last = rows[-1]
        self.last_sample = samples[-1:]
        self.rows += len(rows)
        self.Q_Ah = float(samples["Q"][-1])
        self.cycle = int(samples["cycle"][-1])
        self.level = self.program.step(int(samples["step_id"][-1])).level


def _merged(reading: Reading) -> tuple[Rows, npt.NDArray[np.intp]]:
    """Samples, and the DC values of the impedance rows as samples too; and where those went."""
    points = reading.points
    if len(points) == 0:  # no copies of the long reads of a pulse train
        return reading.samples, np.empty(0, np.intp)
    from_points = np.zeros(len(points), SAMPLE)
    for name in ("time_s", "technique", "passes", "I_range"):
        from_points[name] = points[name]
    from_points["Ewe_V"], from_points["I_A"] = points["E_dc_V"], points["I_dc_A"]
    from_points["Ece_V"] = np.nan
    from_points["flags"] = points["flags"] | Flag.FROM_EIS
    rows = np.concatenate([reading.samples, from_points])
    order = np.argsort(rows["time_s"], kind="stable")
    place = np.empty(len(rows), np.intp)
    place[order] = np.arange(len(rows))
    return rows[order], place[len(reading.samples) :]


def _charge_Ah(rows: Rows, before: Rows, changed: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    I_A = rows["I_A"].astype(np.float64)
    mean_A = np.where(changed, I_A, (I_A + before["I_A"]) / 2)
    return np.asarray(mean_A * (rows["time_s"] - before["time_s"]) / C_PER_Ah)


def _chain_of(program: Program, segment: Segment, start_s: float) -> _Chain:
    techniques = segment.techniques
    count = len(techniques)
    step_id = np.array([0 if isinstance(t, Loop) else t.step for t in techniques], np.uint32)
    new_step = np.zeros((count, count), np.bool_)
    new_cycle = np.zeros((count, count), np.bool_)
    played = [k for k, t in enumerate(techniques) if not isinstance(t, Loop)]
    for a in played:
        for b in played:
            loop = None if b > a else _loop_taken(techniques, a, b)
            levels = [program.step(int(step_id[k])).level for k in (a, b)]
            new_cycle[a, b] = loop.passes if loop else _other_level(*levels)
            new_step[a, b] = new_cycle[a, b] or step_id[a] != step_id[b]
    control = np.array([_control(t) for t in techniques], np.float32)
    return _Chain(start_s, step_id, control, new_step, new_cycle)


def _other_level(before: int, after: int) -> bool:
    """From one level of a staircase to another; 0 is outside of any."""
    return 0 not in (before, after) and before != after


def _loop_taken(techniques: tuple[Technique, ...], a: int, b: int) -> Loop | None:
    """The loop by which a chain comes back from a to b: the first after a that reaches back far enough."""
    return next((t for t in techniques[a + 1 :] if isinstance(t, Loop) and t.to <= b), None)


def _control(technique: Technique) -> float:
    match technique:
        case Cp():
            return technique.I_A
        case Ca():
            return technique.E_V
        case Eis(vs_previous=False):
            return technique.bias
        case _:
            return float("nan")
