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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.booking import layout
from nakctl.booking.chain import chain_of, other_level
from nakctl.booking.early import Left, Newest, over_at_s, values, why_left
from nakctl.booking.ending import Ending
from nakctl.booking.order import merged
from nakctl.booking.spectra import SpectrumBook, Swept
from nakctl.booking.table import cut
from nakctl.device.channel import Rows, Visit
from nakctl.device.program import Ocv, Program, Segment, referred, segments

C_PER_Ah = 3600.0
WHOLE = Ending("next step", "duration")  # of a step that lasted as long as planned
UNCLOSED = Ending("end run", "the recording ended before the step did", "interrupted", "unclosed")


Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LastRows:
    """What a chain left behind.

    visit    of its last row; time_s, Ewe_V, I_A: of that row (I absolute), time in the segment
    before   (time_s, Ewe_V, I_A) of the row before, if it is of the same visit
    swept    what came of the last sweep
    """

    visit: Visit
    time_s: float
    Ewe_V: float
    I_A: float
    before: tuple[float, float, float] | None
    swept: Swept


@dataclass(frozen=True, slots=True)
class LastTime:
    """What a step came to when it was done last.

    count     number of it in the run
    kind      why it ended, as in `Ending`; quantity: of the End behind it, "" if there is none
    charge_C  that it moved, > 0 stripped
    """

    count: int
    kind: str
    quantity: str
    charge_C: float


def newest(steps: Iterable[int], known: Mapping[int, LastTime]) -> LastTime | None:
    """Of the one of these steps that was done last; None: none of them was."""
    done = (known[step] for step in steps if step in known)
    return max(done, key=lambda each: each.count, default=None)


@dataclass(frozen=True, slots=True)
class Measured:
    """Potentials that later ones may be counted from; NaN: not measured yet.

    OCV_V  at the end of the latest rest; start_V: at the first row of the run
    last_V, before_V  at the newest row; at the end of the step before that of the newest row
    """

    OCV_V: float = np.nan
    start_V: float = np.nan
    last_V: float = np.nan
    before_V: float = np.nan


@dataclass(frozen=True, slots=True)
class Booked:
    """Rows of the tables of `layout`. step_charge_Ah: (n,) charge since each sample's step began."""

    samples: Rows
    impedance: Rows
    spectra: Rows
    steps: Rows
    step_charge_Ah: Floats

    @classmethod
    def nothing(cls, samples: np.dtype[np.void]) -> Booked:
        """Of a read that brought no rows. samples: dtype of the main table."""
        impedance = np.empty(0, layout.impedance_beside(samples))
        spectra, steps = layout.SPECTRA.empty(), layout.STEPS.empty()
        return cls(np.empty(0, samples), impedance, spectra, steps, np.empty(0))


class Ledger:
    """Books one run. `samples` is the dtype of the record's main table."""

    def __init__(self, program: Program, samples: np.dtype[np.void]) -> None:
        self.program = program
        self.dtype = samples
        self.spectra = SpectrumBook(layout.impedance_beside(samples))
        self.labels = np.array([b"", *(cut(step.label, 64) for step in program.steps)], "S64")
        self.names = np.array([b"", *(step.technique.encode() for step in program.steps)], "S16")
        self.rows = 0
        self.cycle = 1
        self.level = 0
        self.Q_Ah = 0.0
        self.open = np.empty(0, layout.STEPS.dtype)  # the running step so far: one row or none
        self.open_Q_Ah = 0.0
        self.ending: Ending | None = None  # why the running step ends, if it ends now: the host knows
        self.cut: Ending | None = None  # the cutoff that the chain went on from, in the running step
        self.last: np.void | None = None  # the last row of this segment, as the channel gave it
        self.before_last: np.void | None = None  # the row before it, if it is of the same visit
        self.visit_from_s = 0.0  # where the visit of the last row began: the last row before it
        self.swept = Swept()  # of that visit
        self.frequencies_Hz: Floats = np.zeros(
            0
        )  # of the rows that are booked now, as far as they are points
        self.left_early = ""  # a technique that ended before its time with nothing to explain it
        self.last_sample: Rows = np.zeros(1, samples)
        self.fresh_cycle = False
        # of the steps that the program refers to, as far as they are over
        self.refers = np.array(sorted(referred(self.program.nodes)), np.uint32)
        self.known: dict[int, LastTime] = {}
        self.measures = any(segment.later for segment in segments(self.program.nodes))
        self.measured = Measured()
        self.is_rest: Bools = np.zeros(0, np.bool_)  # of the techniques of this segment

    def open_segment(self, segment: Segment, start_s: float, new_cycle: bool) -> None:
        """A chain starts at start_s of the run. new_cycle: a loop of the host went round to come here."""
        self.chain = chain_of(self.program, segment, start_s)
        self.spectra.open_segment(segment)
        self.is_rest = np.array([isinstance(each, Ocv) for each in segment.techniques], np.bool_)
        self.last = None  # so a visit begins with the first row, and with it all that is known of one
        self.fresh_cycle = new_cycle or 0 in segment.new_cycle

    def book(self, given: Rows, points: Rows, newest: Newest, *, stopped: bool = False) -> Booked:
        """The rows of one read, in order of time; or of several, whose rows are in order anyway.

        given, points  of SAMPLE and POINT; newest: as for `over_at_s`; stopped: the chain is over with them
        """
        rows, of_point = merged(given, points)
        self.frequencies_Hz = np.full(len(rows), np.nan)
        self.frequencies_Hz[of_point] = points["frequency_Hz"]
        samples, step_charge_Ah, steps = self._book_samples(rows, newest)
        impedance, spectra = self.spectra.book(points, samples[of_point])
        if stopped:
            spectra = np.concatenate([spectra, self.spectra.close()], dtype=spectra.dtype)
        return Booked(samples, impedance, spectra, steps, step_charge_Ah)

    def last_times(self) -> dict[int, LastTime]:
        """Of the steps that the program refers to, by step_id. The running one is taken to be over."""
        if len(self.open) == 0 or not np.isin(self.open["step_id"], self.refers).any():
            return self.known
        ending = self.ending or self.cut or WHOLE
        step_id, count = int(self.open["step_id"][0]), int(self.open["step_count"][0])
        charge_C = (self.Q_Ah - self.open_Q_Ah) * C_PER_Ah
        return self.known | {step_id: self._last_time(count, ending.kind, ending.end_id, charge_C)}

    def _last_time(self, count: int, kind: str, end_id: int, charge_C: float) -> LastTime:
        quantity = self.program.end(end_id).quantity if end_id else ""
        return LastTime(count, kind, quantity, charge_C)

    def was_met(self, step_count: int, ending: Ending) -> None:
        """Why a step was over that has ended is known only now."""
        for step_id, known in self.known.items():
            if known.count == step_count:
                made = self._last_time(step_count, ending.kind, ending.end_id, known.charge_C)
                self.known[step_id] = made
                return

    def note_end(self, ending: Ending) -> None:
        """The running step ends now, for a reason that its rows cannot tell."""
        self.ending = ending

    def finish(self) -> Rows:
        """The last step, for the table of steps."""
        steps, self.open = self.open, self.open[:0]
        self._end(steps, {})
        return steps

    def last_rows(self, visit: Visit | None) -> LastRows | None:
        """What is known of the end of a chain. visit: of its last row, as the channel says."""
        if self.last is None or visit is None:
            return None
        last, before = self.last, self.before_last
        known = None if before is None else (float(before["time_s"]), *values(before))
        return LastRows(visit, float(last["time_s"]), *values(last), known, self.swept)

    # --- samples and steps -----------------------------------------------------------------------------

    def _book_samples(self, rows: Rows, newest: Newest) -> tuple[Rows, Floats, Rows]:
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
        cuts = self._cuts(rows, before, changed, np.cumsum(new_step), newest)
        steps, step_charge_Ah = self._turn_over(samples, new_step, before["time_s"] + chain.start_s, cuts)
        if self.measures:
            self._measure(samples, technique, new_step)
        self._remember(rows, samples, changed, before)
        return samples, step_charge_Ah, steps

    def _cuts(
        self, rows: Rows, before: Rows, changed: Bools, step_no: Ints, newest: Newest
    ) -> dict[int, Ending]:
        """Why steps ended, where rows tell: {number of the step in this read (0: the running one): why}."""
        at = np.flatnonzero(changed)
        if self.last is None:
            at = at[at > 0]
        begun_s, over_s = self._entered_s(before, changed, at), over_at_s(rows, before, at, newest)
        left = Left(before[at], rows[at], begun_s, over_s, self._swept_before(rows, before, changed, at))
        found, early = why_left(self.program, self.chain, left)
        self.left_early = self.left_early or early
        return {int(step_no[at[place] - 1]) if at[place] else 0: why for place, why in found.items()}

    def _entered_s(self, before: Rows, changed: Bools, left: Ints) -> Floats:
        """When the visits began that were left at these rows: at the last row before each."""
        entered = np.flatnonzero(changed)
        earlier = np.searchsorted(entered, left) - 1  # the change before; -1: in an earlier read
        starts_s = np.append(before["time_s"][entered], self.visit_from_s)
        return np.asarray(starts_s[earlier])

    def _swept_before(self, rows: Rows, before: Rows, changed: Bools, left: Ints) -> dict[int, Swept]:
        """The frequencies of the sweeps that were left, by their place among these."""
        entered = np.flatnonzero(changed)
        sweeps = np.flatnonzero(self.chain.is_sweep[before["technique"][left]]).tolist()
        return {place: self._swept(rows, entered[entered < left[place]], left[place]) for place in sweeps}

    def _swept(self, rows: Rows, entered: Ints, at: int) -> Swept:
        """The frequencies of the visit of the row before `at`. entered: where visits began up to there."""
        if len(entered) == 0:
            return self.swept.and_then(rows[:at], self.frequencies_Hz[:at])
        visit = slice(entered[-1], at)
        return Swept().and_then(rows[visit], self.frequencies_Hz[visit])

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
        new_cycle = begun and (self.fresh_cycle or bool(other_level(self.level, level)))
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
        self,
        samples: Rows,
        new_step: Bools,
        time_before_s: Floats,
        cuts: dict[int, Ending],
    ) -> tuple[Rows, Floats]:
        """Close the steps that ended among these samples; leave the last one open."""
        first = len(self.open)  # 1: the running step is number 0 of `cuts`
        starts = np.flatnonzero(new_step)
        steps = self.open
        if len(starts):
            begun = self._begun(samples[starts], starts, time_before_s[starts])
            steps = np.concatenate([self.open, begun], dtype=begun.dtype)
        ends = np.append(starts, len(samples))[-len(steps) :]  # relative: the sample after each step's last
        steps["row_count"] = self.rows + ends - steps["first_row"].astype(np.int64)
        lasts = np.concatenate([self.last_sample, samples], dtype=samples.dtype)[ends]
        steps["t_end"] = lasts["time"]
        closed, self.open = steps[:-1], steps[-1:].copy()
        of_steps = {number - 1 + first: ending for number, ending in cuts.items()}
        self._end(closed, of_steps)
        self.cut = of_steps.get(len(closed), self.cut)
        Q_before = np.append(self.Q_Ah, samples["Q"][:-1])
        self._know(closed, Q_before[starts])
        base_Ah = np.full(len(samples), self.open_Q_Ah)
        if len(starts):
            base_Ah[starts[0] :] = Q_before[starts].repeat(np.diff(starts, append=len(samples)))
            self.open_Q_Ah = float(Q_before[starts[-1]])
        return closed, samples["Q"] - base_Ah

    def _know(self, closed: Rows, ends_Ah: Floats) -> None:
        """Steps that are over now, and that the program refers to. ends_Ah: Q where each step ended; the
        first one of the run begins without any that ended."""
        if len(closed) == 0 or len(self.refers) == 0:
            return
        ends_Ah = ends_Ah[-len(closed) :]
        charges_C = np.diff(ends_Ah, prepend=self.open_Q_Ah) * C_PER_Ah
        for place in np.flatnonzero(np.isin(closed["step_id"], self.refers)).tolist():
            row = closed[place]
            made = (int(row["step_count"]), row["end_kind"].decode(), int(row["end_id"]))
            self.known[int(row["step_id"])] = self._last_time(*made, float(charges_C[place]))

    def _begun(self, firsts: Rows, starts: npt.NDArray[np.intp], time_before_s: Floats) -> Rows:
        """A step begins where the one before it ended, which is before its own first sample."""
        begun = np.zeros(len(firsts), layout.STEPS.dtype)
        for name in ("step_count", "step_id", "cycle"):
            begun[name] = firsts[name]
        begun["technique"] = self.names[firsts["step_id"]]
        begun["label"] = self.labels[firsts["step_id"]]
        begun["t_start"] = time_before_s
        begun["first_row"] = self.rows + starts
        return begun

    def _end(self, steps: Rows, cuts: dict[int, Ending]) -> None:
        """Why steps ended: what the host noted of the running one, else a cutoff the chain went on from."""
        if len(steps) == 0:
            return
        first = self.ending or cuts.get(0) or self.cut or WHOLE
        steps["end_reason"], steps["end_kind"] = WHOLE.reason.encode(), WHOLE.kind.encode()
        steps["end_value"] = WHOLE.value
        for place, ending in (cuts | {0: first}).items():
            if place < len(steps):  # else the running one's, which goes on
                write_end(steps[place], ending)
        self.ending = self.cut = None

    def _measure(self, samples: Rows, technique: Rows, new_step: Bools) -> None:
        """A reading that is no number is none."""
        known, Ewe_V = self.measured, samples["Ewe"].astype(np.float64)
        seen = np.isfinite(Ewe_V)
        if not seen.any():
            return
        rests, began = np.flatnonzero(seen & self.is_rest[technique]), np.flatnonzero(new_step)
        before_V = known.before_V
        if len(began):
            earlier = Ewe_V[: began[-1]][seen[: began[-1]]]
            before_V = float(earlier[-1]) if len(earlier) else known.last_V
        self.measured = Measured(
            OCV_V=float(Ewe_V[rests[-1]]) if len(rests) else known.OCV_V,
            start_V=float(Ewe_V[seen][0]) if np.isnan(known.start_V) else known.start_V,
            last_V=float(Ewe_V[seen][-1]),
            before_V=before_V,
        )

    def _remember(self, rows: Rows, samples: Rows, changed: Bools, before: Rows) -> None:
        entered = np.flatnonzero(changed)
        if len(entered):
            self.visit_from_s = float(before["time_s"][entered[-1]])
        of_visit = rows[entered[-1] :] if len(entered) else rows
        self.swept = self._swept(rows, entered, len(rows))
        if len(of_visit) > 1:
            self.before_last = of_visit[-2]
        else:
            self.before_last = None if len(entered) else self.last
        self.last = rows[-1]
        self.last_sample = samples[-1:]
        self.rows += len(rows)
        self.Q_Ah = float(samples["Q"][-1])
        self.cycle = int(samples["cycle"][-1])
        self.level = self.program.step(int(samples["step_id"][-1])).level


def write_end(step: np.void, ending: Ending) -> None:
    """Into a row of the table of steps."""
    step["end_reason"] = cut(ending.reason, 128)
    step["end_kind"], step["end_id"] = ending.kind.encode(), ending.end_id
    step["end_value"] = ending.value


def _charge_Ah(rows: Rows, before: Rows, changed: Bools) -> Floats:
    """What is no number, or lies before the row before it, adds nothing."""
    I_A = rows["I_A"].astype(np.float64)
    mean_A = np.where(changed, I_A, (I_A + before["I_A"]) / 2)
    passed_s = np.maximum(rows["time_s"] - before["time_s"], 0.0)
    return np.asarray(np.nan_to_num(mean_A * passed_s, nan=0.0, posinf=0.0, neginf=0.0) / C_PER_Ah)
