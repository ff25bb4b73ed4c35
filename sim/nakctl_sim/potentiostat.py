"""A potentiostat with a cell on it, in virtual time: executes a segment, hands over the rows it makes.

Promise: the rows depend on the segment, the cell and the seed alone, never on how the time is divided between
calls. The cell lives on from segment to segment; between them it rests at open circuit.

Not imitated: a booster; automatic ranges; settling by bandwidth; a current limit in a held potential other
than the amplifier's own; readings between the steps of the model (the time at which a test is met is found
to 0.1 ms; a change of Ewe or I makes a row when a step ends, and steps grow to 0.1 s or to 1 % of the
technique's time so far; where a potential or a current moves, they move it by no more than the range can
resolve); rows between the frequencies of a sweep; rows lost on the way; a control loop that runs away where
the cell cannot give the power asked for (it gives the most there is).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import POINT, SAMPLE, Flag, Notice, Rows, Watch
from nakctl.device.instrument import Instrument
from nakctl.device.program import Eis, Segment
from nakctl_sim.cell.models import Model
from nakctl_sim.chamber import Chamber, Warmth
from nakctl_sim.executor import spectrum
from nakctl_sim.executor.execution import ROWS_AT_ONCE, Execution
from nakctl_sim.executor.machine import ENDED, NO_NOISE, SWEEPS, WAITS
from nakctl_sim.executor.registers import (
    HIGHEST_CE,
    HIGHEST_CELL,
    HIGHEST_E,
    HIGHEST_I,
    LOWEST_CE,
    LOWEST_CELL,
    LOWEST_E,
    LOWEST_I,
    OVER,
)
from nakctl_sim.executor.tables import E_range, I_range, encode
from nakctl_sim.habits import USUAL, ChannelHabits
from nakctl_sim.imperfections import imperfections
from nakctl_sim.kernel import Chain, Kernel, present

Floats = npt.NDArray[np.float64]

POINTS_AT_ONCE = 8_192
OVERLOADS = Flag.I_OVERLOAD | Flag.E_OVERLOAD
NOTHING = Segment(())


@dataclass(frozen=True, slots=True)
class Output:
    """samples (n,) of SAMPLE and points (m,) of POINT since the last call; sample_starts_s (n,) and
    point_starts_s (m,): when the visit of each began. over: the chain is done. waits: all that can be done
    before the horizon is done; else as many rows were made as one call should make, or the host looks."""

    samples: Rows
    points: Rows
    sample_starts_s: Floats
    point_starts_s: Floats
    notices: tuple[Notice, ...]
    over: bool
    waits: bool


class Potentiostat:
    """One channel's inside. `seed` fixes every random number of its life. kernel: else the best there is."""

    def __init__(
        self,
        model: Model,
        instrument: Instrument,
        seed: int,
        habits: ChannelHabits = USUAL,
        kernel: Kernel | None = None,
    ) -> None:
        self._model = model
        self._instrument = instrument
        self._habits = habits
        self._faults = imperfections(instrument)
        seeds = np.random.SeedSequence(seed).spawn(4)
        for_samples, for_sweeps, for_counter, for_half_cells = seeds
        random = np.random.default_rng(for_samples), np.random.default_rng(for_counter)
        self._sweep_random = np.random.default_rng(for_sweeps), np.random.default_rng(for_half_cells)
        self._kernel = kernel or present()
        self._on = Execution(self._kernel, model.kind, model.p, model.x0, random)
        self._m = self._on.machine
        self._points: list[Rows] = []
        self._point_starts: list[Floats] = []
        self._sweep: spectrum.Sweep | None = None
        self._schedules: dict[int, tuple[Floats, Floats]] = {}  # by technique; a rest repeats one for hours
        self._overloaded: set[int] = set()
        self._reached_s = 0.0
        self._warmth: Warmth | None = None  # of a chamber that the cell stands in
        self.load(NOTHING)
        self._m.phase = OVER

    @property
    def reached_s(self) -> float:
        """How far the segment got: to the horizon of the last `run`, also in the middle of a step."""
        return self._reached_s

    @property
    def technique(self) -> int:
        """Position in the segment of the technique under way; beyond the last one when it is over."""
        return self._m.at

    def has_begun(self, at: int) -> bool:
        """Whether a technique of the segment has run, or does."""
        return self._on.chain[at].started > 0

    def peek(self, time_s: float) -> tuple[float, float]:
        """Ewe_V and I_A at the terminals at time_s, from reached_s on; without errors of measurement.

        Changes nothing. That the technique under way may end before time_s is left out.
        """
        return self.terminals(time_s)[:2]

    def terminals(self, time_s: float) -> tuple[float, float, float]:
        """As `peek`, and Ece_V."""
        return self._on.peek(time_s)

    def check(self, segment: Segment) -> None:
        """LimitError: it cannot be loaded."""
        self._encoded(segment)

    def _encoded(self, segment: Segment) -> Chain:
        third = self._model.cell.three_electrodes
        return encode(segment, self._instrument, self._faults, self._habits, self._kernel, third=third)

    def load(self, segment: Segment) -> None:
        """LimitError if the instrument cannot do it."""
        self._segment = segment
        self._schedules.clear()
        self._on.chain = self._encoded(segment)

    def amend(self, segment: Segment) -> None:
        """Change what is still to come of a running segment: the same techniques, other values."""
        changed = self._encoded(segment)
        self._segment = segment
        self._schedules.clear()
        self._on.amend(changed)

    def warm(self, chamber: Chamber, to_K: Callable[[float], float], by: float) -> None:
        """From the next start on the cell has the temperature of this chamber, but for `by` of its unit."""
        if self._model.at is not None:
            self._warmth = Warmth(self._model, chamber, to_K, by)

    def start(self, zero_s: float = 0.0) -> None:
        """From the first technique, at time 0; the cell is as it was left. zero_s: the chamber's clock."""
        if self._warmth is not None:
            self._warmth.begin(zero_s)
            self._come_to(self._warmth, 0.0)
        self._sweep = None
        self._overloaded.clear()
        self._reached_s = 0.0
        self._on.begin()

    def halt(self) -> None:
        """The chain is over, and the cell open, from what was reached by a `run` that was cut there."""
        self.rest(0.0)
        self._m.phase = OVER
        self._sweep = None

    def skip(self) -> None:
        """The technique under way ends at what was reached by a `run` that was cut there; the next begins."""
        self._kernel.skip(self._on.tape, self._on.chain, self._on.cell)
        self._sweep = None

    def rest(self, seconds: float) -> None:
        """Leave the cell open, unread."""
        self._kernel.open_cell(self._m, self._on.cell, seconds)

    def run(
        self,
        horizon_s: float,
        watch: Watch,
        *,
        cut: bool = False,
        pause_s: float = math.inf,
        most_rows: int = ROWS_AT_ONCE,
    ) -> Output:
        """Go on to horizon_s at most, in steps that nothing but `cut` shortens. Back early with a row beyond
        the watch of the host (its every_s is not looked at), with the first step that passes pause_s, or with
        as many samples as asked for. A cell that follows a chamber gets other numbers on the way."""
        warmth, outputs, made = self._warmth, [], 0
        while warmth is not None and warmth.due_s < horizon_s and made < most_rows:
            due_s = warmth.due_s
            output = self._run(due_s, watch, pause_s=pause_s, most_rows=most_rows - made)
            outputs.append(output)
            if not output.waits:
                return joined(outputs)
            self._come_to(warmth, due_s)
            made += max(len(output.samples), len(output.points))
        if made >= most_rows:
            return replace(joined(outputs), waits=False)
        last = self._run(horizon_s, watch, cut=cut, pause_s=pause_s, most_rows=most_rows - made)
        return joined([*outputs, last]) if outputs else last

    def _run(
        self, horizon_s: float, watch: Watch, *, cut: bool = False, pause_s: float, most_rows: int
    ) -> Output:
        """With the numbers that the cell has."""
        on, seen = self._on, watched(watch)
        on.watch(seen, most_rows)
        while True:
            status = self._kernel.run(on.tape, on.chain, on.cell, horizon_s, pause_s, cut)
            if status == NO_NOISE:
                on.draw()
                continue
            if status == SWEEPS:
                status = self._go_on_sweeping(seen, horizon_s, pause_s, cut)
                if status == ENDED and not self._enough(pause_s):
                    continue
            return self._hand_over(horizon_s, waits=status == WAITS)

    def _come_to(self, warmth: Warmth, time_s: float) -> None:
        """The temperature at time_s of the segment."""
        warmth.follow(self._on.x, time_s)
        self._on.p[:] = self._kernel.numbers(self._model.p)

    def _enough(self, pause_s: float) -> bool:
        return self._time_s >= pause_s or sum(map(len, self._points)) >= POINTS_AT_ONCE

    def _go_on_sweeping(self, watch: list[float], horizon_s: float, pause_s: float, cut: bool) -> int:
        """The host watches peaks, and what they are is known only when they are measured: where one lies
        beyond, the way there is gone again, and no further."""
        sweep = self._sweep = self._sweep or self._begin_sweep()
        first, before = self._m.point, self._on.as_it_is()
        status, rows = self._sweep_on(sweep, horizon_s, pause_s, cut)
        beyond = np.flatnonzero(peaks_beyond(rows, watch))
        if len(beyond):
            self._on.be(before)
            last = first + int(beyond[0])
            status, rows = self._sweep_on(sweep, horizon_s, pause_s, cut, last)
        if len(rows):
            self._points.append(rows)
            self._point_starts.append(np.full(len(rows), sweep.start_s))
        if status == ENDED:
            self._sweep = None
        return status

    def _sweep_on(
        self,
        sweep: spectrum.Sweep,
        horizon_s: float,
        pause_s: float,
        cut: bool,
        last: int | None = None,
    ) -> tuple[int, Rows]:
        """Why it came back, and the rows until there. last: frequency that is the last one to be measured."""
        on, first, of = self._on, self._m.point, (sweep.ends_s, sweep.states, sweep.dc)
        last = len(sweep.ends_s) if last is None else last
        status = self._kernel.sweep(on.tape, on.chain, on.cell, *of, horizon_s, pause_s, cut, last)
        end = len(sweep.ends_s) if status == ENDED else self._m.point
        if end == first:
            return status, np.zeros(0, POINT)
        hardware = sweep.eis.hardware
        ranges = I_range(hardware, self._instrument), E_range(hardware, self._instrument)
        counter = hardware.Ece and self._instrument.half_cells
        return status, spectrum.points(sweep, first, end, self._model, self._faults, ranges, counter=counter)

    def _begin_sweep(self) -> spectrum.Sweep:
        at = self._m.at
        eis = self._segment.techniques[at]
        assert isinstance(eis, Eis)
        if at not in self._schedules:
            self._schedules[at] = spectrum.schedule(eis, self._instrument, self._habits.eis_factor)
        return spectrum.begin(
            eis,
            self._schedules[at],
            self._faults,
            self._on.x,
            self._sweep_random,
            self._kernel,
            at=at,
            passes=self._on.chain[at].started - 1,
            start_s=self._m.start_s,
            hold_s=self._m.tau_s,
        )

    def _hand_over(self, horizon_s: float, *, waits: bool) -> Output:
        samples, sample_starts_s = self._on.take_rows()
        points = np.concatenate(self._points, dtype=POINT) if self._points else np.zeros(0, POINT)
        point_starts_s = np.concatenate(self._point_starts) if self._points else np.zeros(0)
        self._points.clear()
        self._point_starts.clear()
        self._reached_s = max(self._reached_s, horizon_s if waits else self._time_s)
        notices = sorted(self._overloads(samples) + self._overloads(points), key=lambda one: one.time_s)
        over = self._m.phase == OVER
        return Output(samples, points, sample_starts_s, point_starts_s, tuple(notices), over, waits)

    @property
    def _time_s(self) -> float:
        """How far the steps got."""
        return self._m.start_s + self._m.tau_s

    def _overloads(self, rows: Rows) -> list[Notice]:
        """The first overload of each technique of the chain: one is news, thousands are not."""
        overloaded = rows[rows["flags"] & int(OVERLOADS) != 0] if len(rows) else rows
        if not len(overloaded):
            return []
        techniques, first = np.unique(overloaded["technique"], return_index=True)
        news = [
            overload(overloaded[n])
            for at, n in zip(techniques, first, strict=True)
            if at not in self._overloaded
        ]
        self._overloaded.update(techniques.tolist())
        return news


def joined(outputs: list[Output]) -> Output:
    """As one call would have brought it."""
    last = outputs[-1]
    if len(outputs) == 1:
        return last
    return Output(
        np.concatenate([each.samples for each in outputs], dtype=SAMPLE),
        np.concatenate([each.points for each in outputs], dtype=POINT),
        np.concatenate([each.sample_starts_s for each in outputs]),
        np.concatenate([each.point_starts_s for each in outputs]),
        tuple(notice for each in outputs for notice in each.notices),
        last.over,
        last.waits,
    )


def overload(row: np.void) -> Notice:
    flags = Flag(int(row["flags"])) & OVERLOADS
    what = "Ewe" if flags == Flag.E_OVERLOAD else "I" if flags == Flag.I_OVERLOAD else "Ewe and I"
    return Notice(
        time_s=float(row["time_s"]),
        severity=1,
        code="overload",
        message=f"{what} beyond the range",
        facts={"technique": int(row["technique"]), "flags": int(flags)},
    )


def peaks_beyond(points: Rows, watch: list[float]) -> npt.NDArray[np.bool_]:
    """(n,): whether DC value and amplitude together lie beyond what the host watches."""
    E_V, E_amp_V = points["E_dc_V"].astype(np.float64), points["E_amp_V"].astype(np.float64)
    peak_A = np.abs(points["I_dc_A"].astype(np.float64)) + points["I_amp_A"]
    E_beyond = (E_V + E_amp_V > watch[HIGHEST_E]) | (E_V - E_amp_V < watch[LOWEST_E])
    Ece_V, Ece_amp_V = points["Ece_dc_V"].astype(np.float64), points["Ece_amp_V"].astype(np.float64)
    E_beyond |= (Ece_V + Ece_amp_V > watch[HIGHEST_CE]) | (Ece_V - Ece_amp_V < watch[LOWEST_CE])
    cell_V, cell_amp_V = E_V - Ece_V, whole_amplitude_V(points)
    E_beyond |= (cell_V + cell_amp_V > watch[HIGHEST_CELL]) | (cell_V - cell_amp_V < watch[LOWEST_CELL])
    return np.asarray(E_beyond | (peak_A > watch[HIGHEST_I]) | (peak_A < watch[LOWEST_I]))


def whole_amplitude_V(points: Rows) -> Floats:
    """(n,): of Ewe - Ece; NaN where nothing tells of Ece."""
    re_ohm, im_ohm = points["Z_re_ohm"] + points["Zce_re_ohm"], points["Z_im_ohm"] + points["Zce_im_ohm"]
    return np.asarray(np.hypot(re_ohm, im_ohm) * points["I_amp_A"])


def watched(watch: Watch) -> list[float]:
    """As numbers that never wake where the host does not watch; in the order of executor.registers."""
    return [
        -math.inf if watch.Ewe_min_V is None else watch.Ewe_min_V,
        math.inf if watch.Ewe_max_V is None else watch.Ewe_max_V,
        -math.inf if watch.I_min_A is None else watch.I_min_A,
        math.inf if watch.I_max_A is None else watch.I_max_A,
        -1.0 if watch.Ewe_near_0_V is None else watch.Ewe_near_0_V,
        -math.inf if watch.Ece_min_V is None else watch.Ece_min_V,
        math.inf if watch.Ece_max_V is None else watch.Ece_max_V,
        -math.inf if watch.Ewe_minus_Ece_min_V is None else watch.Ewe_minus_Ece_min_V,
        math.inf if watch.Ewe_minus_Ece_max_V is None else watch.Ewe_minus_Ece_max_V,
    ]
