"""What others may know of a run while it goes on: its state, told a few times a second.

The loop tells it once a round, the supervisor while the loop stands in a call. Whoever reads it (`nakctl
status`) asks nobody: the record keeps the last one where every process can see it, also after a kill. In
virtual time only the beginning and the end are told. Nothing here waits, and nothing raises.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nakctl.booking.cycles import cycles_of
from nakctl.device.channel import Rows
from nakctl.device.ends import OF_THREE, SLOPES, End, way
from nakctl.device.events import news_of

if TYPE_CHECKING:
    from nakctl.booking.event import Event
    from nakctl.device.program import Program
    from nakctl.run.logbook import Progress
    from nakctl.run.pulse import Call

State = dict[str, Any]
EVERY_s = 0.2
MOST_NEWS = 6  # that are kept for whoever looks once a second; they share the slot with all else
_LONGEST = 160  # letters of each
SILENT_s = 0.5  # the supervisor tells that the program lives if nobody has told anything for so long
BENCH_LETTERS = 800  # of what sensors show, so that all of it has room
OPENING, RUNNING, WAITING, PAUSED = "opening", "running", "waiting", "paused"
STOPPING, ENDED = "stopping", "ended"
LOST = "lost"  # what was on the channel is gone, and the run has not ended


class Outside:
    """Of one run.

    tell      takes a state, of any thread; must not wait
    facts     what does not change: whose run it is
    alone     what holds in a step without the PC, by its step_id, and what does not: `alone`, `not_alone`
    news      what a program told that died, and in whose place this one goes on: numbers go on with it
    virtual   there is no wall clock
    """

    def __init__(
        self,
        tell: Callable[[Mapping[str, Any]], None] = lambda state: None,
        facts: Mapping[str, Any] | None = None,
        alone: Callable[[int], Mapping[str, str]] = lambda step_id: {},
        *,
        news: Iterable[State] = (),
        virtual: bool = False,
    ) -> None:
        self._tell, self._alone, self.virtual = tell, alone, virtual
        self._now: State = {**(facts or {}), "virtual": virtual, "state": OPENING, "alarm": None}
        self._now["news"] = list(news)[-MOST_NEWS:]
        self._told_at = -math.inf
        self._samples = 0
        self._step_id = 0
        self._area_cm2 = math.nan

    def opening(self) -> None:
        """The record is there."""
        with suppress(Exception):
            self._write(time.monotonic())

    def begin(self, program: Program) -> None:
        """The loop begins."""
        with suppress(Exception):
            self._area_cm2 = program.area_cm2
            cycles = None if self.virtual else cycles_of(program)
            self._now |= {"steps": len(program.steps), "cycles": cycles}
            self._write(time.monotonic())

    def asks(self, text: str) -> None:
        """What a person is asked for; "": for nothing any more."""
        self._now = self._now | {"asks": text}

    def noticed(self, progress: Progress) -> None:
        """Whatever is shown of the run passes here: the last alarm, point and news are kept."""
        if self.virtual:
            return
        if len(progress.points):
            self._now = self._now | {"point": _newest(progress.points)}
        self.happened(progress.news)

    def happened(self, events: Iterable[Event]) -> None:
        """Also what was told to the record alone, as that the run was taken over."""
        if self.virtual:
            return
        for event in events:
            unix_s = time.time()
            if event.severity > 1:
                alarm = {"code": event.code, "text": event.message, "time_s": event.time_s}
                self._now = self._now | {"alarm": alarm, "alarm_unix_s": unix_s}
            if news_of(event.code, event.severity):
                self._now = self._now | {"news": self._with(event, unix_s)}

    def _with(self, event: Event, unix_s: float) -> list[State]:
        """The last news and this one. Whoever finds a number missing knows how many he has not seen."""
        before = self._now["news"]
        fresh = {
            "number": before[-1]["number"] + 1 if before else 1,
            "severity": event.severity,
            "code": event.code,
            "text": event.message[:_LONGEST],
            "time_s": event.time_s,
            "unix_s": round(unix_s, 1),
        }
        return [*before, fresh][-MOST_NEWS:]

    def round(self, state: str, progress: Progress | None, ends: Callable[[], list[End]]) -> None:
        """The loop has come round. progress None: nothing new is known."""
        now = time.monotonic()
        if self.virtual or now - self._told_at < EVERY_s:
            return
        with suppress(Exception):  # whatever it is: a run does not end because nobody can see it
            told = {"state": state, "round_monotonic_s": now, "round_unix_s": time.time(), "call": None}
            if progress is not None:
                told |= self._where(progress, now)
                told["nearest"] = _nearest(ends(), progress)
            self._now = self._now | told
            self._write(now)

    def beat(self, call: Call | None) -> None:
        """Of the supervisor: the program lives, and the loop may stand in a call."""
        now = time.monotonic()
        if now - self._told_at < SILENT_s:
            return
        with suppress(Exception):
            hanging = None
            if call is not None and now - call.since >= SILENT_s:
                hanging = {"name": call.name, "since_monotonic_s": call.since}
            self._write(now, call=hanging)

    def end(self, status: str, reason: str, *, cell_open: bool = False) -> None:
        """After the loop and its supervisor: nobody tells anything any more. cell_open: it was seen."""
        with suppress(Exception):
            how = {"status": status, "reason": reason, "cell_open": cell_open}
            self._now = self._now | {"state": ENDED, "call": None} | how
            self._write(time.monotonic())

    def lost(self, reason: str) -> None:
        """After the loop, in the place of `end`: the run can be gone on with."""
        with suppress(Exception):
            self._now = self._now | {"state": LOST, "reason": reason}
            self._write(time.monotonic(), call=None)

    def _write(self, now: float, **more: Any) -> None:
        self._told_at = now
        self._tell({**self._now, **more, "told_monotonic_s": now, "told_unix_s": time.time()})

    def _where(self, progress: Progress, now: float) -> State:
        step = progress.step
        found = where(progress, self._area_cm2)
        if progress.samples != self._samples:
            self._samples, found["sampled_monotonic_s"] = progress.samples, now
        if step is not None and step.step_id != self._step_id:
            self._step_id = step.step_id
            with suppress(Exception):
                found |= self._alone(step.step_id)
        return found


def where(progress: Progress, area_cm2: float) -> State:
    """Where a run is, for whoever shows it. point: frequency_Hz and Z_abs_ohm, if one came."""
    step = progress.step
    found: State = {
        "time_s": progress.time_s,
        "step": step.label if step else "",
        "step_id": step.step_id if step else 0,
        "cycle": progress.cycle,
        "Ewe_V": progress.Ewe_V,
        "I_A": progress.I_A,
        "I_mA_cm2": progress.I_A / area_cm2 * 1000,
        "Q_Ah": progress.Q_Ah,
        "Q_mAh_cm2": progress.Q_Ah / area_cm2 * 1000,
        "samples": progress.samples,
        "spectra": progress.spectra,
        "bench": _bench(progress.bench),
    }
    if math.isfinite(progress.Ece_V):
        found["Ece_V"] = progress.Ece_V
    if len(progress.points):
        found["point"] = _newest(progress.points)
    return found


def _newest(points: Rows) -> list[float]:
    """Its frequency_Hz and Z_abs_ohm."""
    point = points[-1]
    return [float(point["frequency_Hz"]), abs(complex(point["Z_re_ohm"], point["Z_im_ohm"]))]


def _bench(shown: Sequence[str]) -> list[str]:
    """What sensors show, as far as there is room."""
    found: list[str] = []
    letters = 0
    for each in shown:
        letters += len(each)
        if letters > BENCH_LETTERS:
            return [*found, f"and {len(shown) - len(found)} more"]
        found.append(each)
    return found


def _nearest(ends: list[End], progress: Progress) -> State | None:
    """The end that least is missing to, as a part of its value (Ewe: of 1 V)."""
    readings = {
        "Ewe": progress.Ewe_V,
        "|I|": abs(progress.I_A),
        "time": progress.time_s,
        "Ece": progress.Ece_V,
        "Ewe-Ece": progress.Ewe_V - progress.Ece_V,
    }
    found: State | None = None
    for end in ends:
        reading = progress.slopes.get(end.id, readings.get(end.quantity, math.nan))
        scale = 1.0 if end.quantity in ("Ewe", *OF_THREE) else abs(end.value) or 1.0
        part = (end.value - reading) * way(end.side) / scale
        if math.isfinite(part) and (found is None or part < found["part"]):
            left = {"quantity": end.quantity, "left": part * scale, "part": part}
            found = {"text": end.text, "kind": end.kind, **left}
            found |= {"now": reading} if end.quantity in SLOPES else {}
    return found
