"""What the host watches between two reads: limits, goals, the short, what no instrument can hold.

Judges booked samples (see `ledger`), whole arrays at a time, and what the channel says of itself beside them.
Slower than the instrument by one round of the loop, and the plan says so.
"""

from __future__ import annotations

import math

import numpy as np

from nakctl.booking.chain import leads_on
from nakctl.booking.ending import Ending, ending_of
from nakctl.booking.ledger import Booked
from nakctl.booking.met import Floats, Met, Readings, first_met, readings_of
from nakctl.decide.short import ShortWatch
from nakctl.decide.slope import SlopeWatch
from nakctl.device.channel import Look, Rows, Watch
from nakctl.device.ends import OF_THREE, SLOPES, End
from nakctl.device.program import Loop, Program, Segment, segments

C_PER_Ah = 3600.0
NOT_AT_ONCE = (*SLOPES, "short")  # what a row alone does not tell
OF_RUN = ("Ewe", "|I|", "time", *OF_THREE)
SOONEST_LOOK_s = 0.2  # how often the host looks when something is near, in the channel's own time
# The chain of a step with spectra ends with a hold that is as long as the estimate lacks: not to be raced.
ASKED_SLACK_s = 0.1


class Guard:
    """Watches one run. `judge` after every read."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.of_run = [end for end in program.ends if not end.step and end.quantity in OF_RUN]
        self.limits = [end for end in self.of_run if end.kind == "limit"]
        # by the step that it ends; 0: the run. What a step says of it goes before
        self.shorts = {end.step: end for end in program.ends if end.quantity == "short"}
        self.shorted = False  # a step was ended by it, and the run goes on
        self.short = None if program.short is None else ShortWatch(program.short)
        self.going_on = _going_on(program)
        self.own: list[End] = []  # of the segment
        self.slopes: dict[int, SlopeWatch] = {}  # of it, by their End; a step that is topped up goes on
        self.shown: list[End] = []  # those of them that what the channel shows may meet, too,
        self.rows_came = False  # once rows tell that the step is under way
        self.asked: End | None = None
        self.charge_rest_s: float | None = None
        self.time_s = 0.0
        self.start_s = 0.0
        self.before_s = 0.0  # that the step of the segment had lasted before it began
        self.elapsed_s = 0.0
        self.step_count = 0  # of the row that met the last ending; 0: no row did

    def open_segment(self, segment: Segment, start_s: float) -> None:
        """A chain begins at start_s of the run."""
        steps = {t.step for t in segment.techniques if not isinstance(t, Loop)}
        mine = [end for end in self.program.ends if end.step in steps]
        self.own = [end for end in mine if end.kind == "cutoff" and end.id not in self.going_on]
        known = self.slopes
        self.slopes = {e.id: known.get(e.id) or SlopeWatch(e) for e in self.own if e.quantity in SLOPES}
        third = [end for end in self.own if end.quantity in OF_THREE]
        self.shown = third if len(steps) == 1 else []  # else it is not known which step is under way
        self.rows_came = False
        asked = [end for end in mine if end.kind == "asked"]
        self.asked = asked[0] if asked and not segment.tops_up else None
        if self.shorted and self.short is not None:
            self.short, self.shorted = ShortWatch(self.short.rule), False
        self.start_s = start_s
        self.elapsed_s = self.before_s = segment.step_s
        self.time_s = max(self.time_s, start_s)

    def go_on(self, last_s: float) -> None:
        """The chain was begun by another one, who booked its rows up to here."""
        self.rows_came = True
        self.time_s = max(self.time_s, last_s)
        self.elapsed_s = max(self.elapsed_s, self.before_s + self.time_s - self.start_s)

    def after_a_pause(self) -> None:
        if self.short is not None:
            self.short.forget()
        self.slopes.clear()

    @property
    def slopes_now(self) -> dict[int, float]:
        """By their End, as far as they are known."""
        return {end_id: each.now for end_id, each in self.slopes.items() if each.now is not None}

    @property
    def needs_rows(self) -> bool:
        """Whether it holds anything in the loaded segment that what the channel shows cannot tell it."""
        goals = (end for end in self.of_run if end.kind == "goal")
        return self._looks_for_a_short or any(end.by == "host" for end in (*self.own, *goals))

    @property
    def _looks_for_a_short(self) -> bool:
        return 0 in self.shorts or any(end.quantity == "short" for end in self.own)

    def watch(self) -> Watch:
        """The tightest values at which a look might matter, in the loaded segment."""
        values: dict[tuple[str, str], list[float]] = {}
        for end in (*self.of_run, *self.own):
            values.setdefault((end.quantity, end.side), []).append(end.value)
        return Watch(
            Ewe_min_V=max(values.get(("Ewe", "below"), []), default=None),
            Ewe_max_V=min(values.get(("Ewe", "above"), []), default=None),
            I_min_A=max(values.get(("|I|", "below"), []), default=None),
            I_max_A=min(values.get(("|I|", "above"), []), default=None),
            Ewe_near_0_V=self.short.rule.below_V if self.short and self._looks_for_a_short else None,
            every_s=self._look_within_s(),
            Ece_min_V=max(values.get(("Ece", "below"), []), default=None),
            Ece_max_V=min(values.get(("Ece", "above"), []), default=None),
            Ewe_minus_Ece_min_V=max(values.get(("Ewe-Ece", "below"), []), default=None),
            Ewe_minus_Ece_max_V=min(values.get(("Ewe-Ece", "above"), []), default=None),
        )

    def _look_within_s(self) -> float | None:
        waits = [
            max(SOONEST_LOOK_s, end.value - self.time_s) for end in self.of_run if end.quantity == "time"
        ]
        if any(end.quantity == "charge" for end in self.own):
            waits.append(max(SOONEST_LOOK_s, self.charge_rest_s or 0.0))
        if self.short is not None and self.short.in_a_row:
            waits.append(SOONEST_LOOK_s)
        waits += [max(SOONEST_LOOK_s, each.may_wait_s(self.time_s)) for each in self.slopes.values()]
        if self.asked is not None:
            waits.append(max(SOONEST_LOOK_s, self.asked.value + ASKED_SLACK_s - self.elapsed_s))
        return min(waits, default=None)

    def judge(self, booked: Booked, look: Look | None) -> Ending | None:
        """The ending that the earliest reading asks for: of the rows, then of what the channel says."""
        met = self._by_rows(booked.samples, booked.step_charge_Ah * C_PER_Ah)
        self.step_count = 0 if met is None else int(booked.samples["step_count"][met.row])
        met = met or self._by_peaks(booked.impedance) or self._by_look(look)
        return None if met is None else ending_of(met.end, met.value)

    def _by_rows(self, samples: Rows, step_charge_C: Floats) -> Met | None:
        if len(samples) == 0:
            return None
        self.rows_came = True
        self.time_s = max(self.time_s, float(samples["time"][-1]))
        self.elapsed_s = max(self.elapsed_s, self.before_s + self.time_s - self.start_s)
        readings = readings_of(samples, step_charge_C)
        self._note_charge(readings)
        at_once = [end for end in (*self.of_run, *self.own) if end.quantity not in NOT_AT_ONCE]
        met = [first_met(at_once, readings), *(each.look(samples) for each in self.slopes.values())]
        found = [each for each in (*met, self._by_short(samples)) if each is not None]
        return min(found, key=lambda each: (each.row, each.end.gravity), default=None)

    def _by_short(self, samples: Rows) -> Met | None:
        """The row at which one is certain, in a step that has an End for it."""
        if self.short is None:
            return None
        places = None if 0 in self.shorts else np.flatnonzero(np.isin(samples["step_id"], list(self.shorts)))
        row = self.short.look(samples if places is None else samples[places])
        if row is None:
            return None
        row = row if places is None else int(places[row])
        end = self.shorts.get(int(samples["step_id"][row])) or self.shorts[0]
        self.shorted = self.shorted or end.step > 0
        return Met(end, float(samples["Ewe"][row]), row)

    def _note_charge(self, readings: Readings) -> None:
        """How long the rest of a charge takes at the present current."""
        asked = [end.value for end in self.own if end.quantity == "charge"]
        I_A = float(readings.I_A[-1])
        left_C = min(asked, default=math.inf) - float(readings.charge_C[-1])
        self.charge_rest_s = left_C / I_A if asked and I_A > 0 else None

    def _by_peaks(self, impedance: Rows) -> Met | None:
        """A sweep swings around its DC values: limits hold for the peaks, too."""
        if len(impedance) == 0:
            return None
        three = "Ece_dc" in (impedance.dtype.names or ())
        for way in (1.0, -1.0):
            nothing = np.zeros(len(impedance))
            readings = Readings(
                time_s=nothing,
                Ewe_V=impedance["E_dc"] + way * impedance["E_amp"].astype(np.float64),
                I_A=np.abs(impedance["I_dc"].astype(np.float64)) + impedance["I_amp"],
                charge_C=nothing,
                step_id=np.zeros(len(impedance), np.uint32),
                **(_peaks_of_three(impedance, way) if three else {}),
            )
            met = first_met([end for end in self.limits if end.quantity != "time"], readings)
            if met is not None:
                return met
        return None

    def _by_look(self, look: Look | None) -> Met | None:
        """Limits by what the channel shows, also where no row came; the time of a step with spectra."""
        if look is None or not look.running:
            return None
        if math.isfinite(look.elapsed_s):
            self.elapsed_s = max(self.elapsed_s, self.before_s + look.elapsed_s)
            self.time_s = max(self.time_s, self.start_s + look.elapsed_s)
        seen = Readings(
            time_s=np.array([self.time_s]),
            Ewe_V=np.array([look.Ewe_V]),
            I_A=np.array([abs(look.I_A)]),
            charge_C=np.zeros(1),
            step_id=np.array([self.shown[0].step if self.shown else 0], np.uint32),
            Ece_V=np.array([look.Ece_V]),
        )
        met = first_met((*self.limits, *(self.shown if self.rows_came else ())), seen)
        if met is None and self.asked is not None and self.elapsed_s >= self.asked.value + ASKED_SLACK_s:
            return Met(self.asked, self.elapsed_s)
        return met

    def out_of_time(self, now_s: float) -> Ending | None:
        """Where no channel runs that tells it: the ends of the run by its time."""
        ends = (end for end in self.of_run if end.quantity == "time" and now_s >= end.value)
        end = min(ends, key=lambda end: end.gravity, default=None)
        return None if end is None else ending_of(end, now_s)

    def missing_s(self, segment: Segment) -> float:
        """How much of its time a step that is topped up still lacks."""
        step = next(t.step for t in segment.techniques if not isinstance(t, Loop))
        [asked] = self.program.ends_of(step, "asked")
        return asked.value - max(self.elapsed_s, segment.step_s)


def _peaks_of_three(impedance: Rows, way: float) -> dict[str, Floats]:
    """Of Ece and of the whole cell, where the impedance of both half-cells was measured; else NaN."""
    Ece_V, Ewe_V = (impedance[name].astype(np.float64) for name in ("Ece_dc", "E_dc"))
    ohm = np.hypot(impedance["Z_re"] + impedance["Zce_re"], impedance["Z_im"] + impedance["Zce_im"])
    return {
        "Ece_V": Ece_V + way * impedance["Ece_amp"],
        "cell_V": Ewe_V - Ece_V + way * ohm * impedance["I_amp"],
    }


def _going_on(program: Program) -> set[int]:
    """Ids of the ends that a chain goes on from by itself, after which the host has nothing to do."""
    techniques = (technique for segment in segments(program.nodes) for technique in segment.techniques)
    return {end.id for technique in techniques for end in leads_on(program, technique)}
