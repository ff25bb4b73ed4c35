"""The only loop that touches the world: carry out the engine's commands, read the channel, keep it all.

One thin loop around pure parts: `engine` decides, `ledger` books, `guard` watches.
The one blanket `except` of the project stands here: whatever happens, the channel is stopped and the record
gets its end.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Channel, Notice, Reading, Rows, State, Watch
from nakctl.device.program import Program, Segment, SetPoint, StepInfo
from nakctl.device.sensor import SensorNotice, Sensors
from nakctl.errors import NakctlError, RecordError
from nakctl.record import layout
from nakctl.record.journal import Event as RecordedEvent
from nakctl.run import engine
from nakctl.run.clock import Clock
from nakctl.run.guard import Guard
from nakctl.run.ledger import Booked, Ledger
from nakctl.run.sensing import NoSensors, SensorGuard

CLOCK_ROW_EVERY_s = 60.0


class Sink(Protocol):
    """Keeps tables (of `record.layout`, by name) and events; one call is one transaction.

    Returns what it had to note of itself (and keeps): the disk refuses, the live view was restarted.
    """

    def append(
        self, tables: Mapping[str, npt.NDArray[Any]], events: Sequence[RecordedEvent]
    ) -> Sequence[RecordedEvent]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """What a screen may show after a read.

    Q_Ah is net, + stripped; step None before the first row; news: events of this read worth a look
    (severity 1 and up).
    """

    time_s: float
    step: StepInfo | None
    cycle: int
    Ewe_V: float
    I_A: float
    Q_Ah: float
    samples: int
    spectra: int
    points: Rows
    news: tuple[RecordedEvent, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. error: what interrupted it, if anything did."""

    status: engine.Status
    reason: str
    duration_s: float
    samples: int
    spectra: int
    error: NakctlError | None = None


def run(
    program: Program,
    channel: Channel,
    clock: Clock,
    sink: Sink,
    *,
    poll_s: float,
    samples: layout.Table = layout.SAMPLES,
    observe: Callable[[Progress], None] = lambda progress: None,
    stop_asked: Callable[[], str | None] = lambda: None,
    sensors: Sensors | None = None,
) -> Outcome:
    """Run a program on a channel until it ends, for whatever reason; the channel is left stopped.

    poll_s: how long to wait between reads. observe is called after every read; stop_asked gives the
    operator's reason to end the run, or None; sensors are looked at after every read. An error that is not
    nakctl's own is raised again after the channel was stopped.
    """
    runner = _Run(program, channel, clock, sink, samples, sensors or NoSensors())
    try:
        ending = runner.until_the_end(poll_s, observe, stop_asked)
    except NakctlError as error:
        runner.make_safe()
        return runner.outcome(engine.Ending("end run", str(error), "interrupted"), error)
    except BaseException:
        runner.make_safe()
        raise
    return runner.outcome(ending)


class _Run:
    def __init__(
        self,
        program: Program,
        channel: Channel,
        clock: Clock,
        sink: Sink,
        samples: layout.Table,
        sensors: Sensors,
    ) -> None:
        self.program, self.channel, self.clock, self.sink = program, channel, clock, sink
        self.sensors = sensors
        self.guard = Guard(program)
        self.sensing = SensorGuard(program, sensors)
        self.ledger = Ledger(program, samples.dtype)
        self.state = engine.EngineState()
        self.start_s = clock.now_s()
        self.segment_start_s = 0.0
        self.ended: engine.Ending | None = None
        self.events: list[RecordedEvent] = []  # not yet kept
        self.news: tuple[RecordedEvent, ...] = ()
        self.next_clock_row_s = 0.0

    def until_the_end(
        self, poll_s: float, observe: Callable[[Progress], None], stop_asked: Callable[[], str | None]
    ) -> engine.Ending:
        pending: deque[engine.Event] = deque([engine.Begin()])
        while self.ended is None:
            while pending and self.ended is None:
                self.perform(pending.popleft())
            if self.ended is not None:
                break
            reason = stop_asked()
            if reason is not None and self.state.phase is engine.Phase.RUNNING:
                pending.append(engine.Interrupted(engine.Ending("end run", reason, "aborted")))
                continue
            reading = self.channel.read(self.watch())
            sensed = self.look_at_sensors()
            booked = self.keep(reading)
            observe(self.progress(reading))
            pending.extend(self.judge(reading, booked, sensed))
            if not pending:
                self.clock.sleep(poll_s)
        return self.ended

    def perform(self, event: engine.Event) -> None:
        """Feed one event to the engine and carry out its commands."""
        before = self.state
        self.state, commands = engine.react(self.program, self.state, event)
        for command in commands:
            match command:
                case engine.Load():
                    self.load(command, before)
                case engine.Stop():
                    self.note(1, "stop", f"stopping: {command.reason}")
                    self.channel.stop()
                case engine.Apply():
                    self.apply(command.set_point)
                case engine.Finish():
                    self.ended = command.ending

    def apply(self, point: SetPoint) -> None:
        """Ask for a set-point; what comes of it, a notice of the sensor tells."""
        self.note(0, "set", f"{point.label}: {point.sensor} shall go to {point.text}")
        self.sensors.set(point.sensor, self.sensors.specs[point.sensor].from_si(point.value))

    def load(self, command: engine.Load, before: engine.EngineState) -> None:
        gap_from_s = self.now_s()
        self.channel.load(command.segment)
        self.channel.start()
        self.segment_start_s = self.now_s()
        passed = [f.passes for f in before.position] != [f.passes for f in self.state.position]
        self.ledger.open_segment(command.segment, self.segment_start_s, passed and bool(before.position))
        self.guard.open_segment(command.segment)
        self.sensing.open_segment(command.segment)
        gap_s = self.segment_start_s - gap_from_s
        text = f"chain of {len(command.segment.techniques)} techniques; cell open for {gap_s:.3g} s"
        self.note(0, "segment", text, {"open_s": gap_s})

    def watch(self) -> Watch:
        """What the channel may hand over early for: the cell's values, and the sensors' rates.

        Where the clock has a horizon, the channel cannot run ahead of its sensors anyway.
        """
        watch, every_s = self.guard.watch(), self.sensing.every_s
        if every_s is None or math.isfinite(self.clock.horizon_s()):
            return watch
        if watch.every_s is not None and watch.every_s <= every_s:
            return watch
        return replace(watch, every_s=every_s)

    def look_at_sensors(self) -> engine.Ending | None:
        look = self.sensors.look(self.now_s)
        self.events += map(self.event_of_sensor, look.notices)
        return self.sensing.look(look.latest)

    def judge(self, reading: Reading, booked: Booked, sensed: engine.Ending | None) -> list[engine.Event]:
        """What the engine has to know after a read. sensed: the ending that the sensors ask for."""
        found: list[engine.Event] = []
        ending = self.guard.look(booked.samples, booked.step_charge_Ah) or sensed
        if ending is not None:
            found.append(engine.Tripped(ending))
        if reading.state is State.STOPPED:
            meant = ending or self.state.ending or self.explain()
            if meant is not None:
                self.ledger.note_end(meant.reason)
            found.append(engine.ChainEnded(meant))
        return found

    def explain(self) -> engine.Ending | None:
        segment = engine.node_at(self.program.nodes, self.state.position)
        assert isinstance(segment, Segment)
        last = None if self.ledger.last is None else self.ledger.last_sample
        return self.guard.explain(last, segment) or self.sensing.timed_out()

    # --- keeping ---------------------------------------------------------------------------------------

    def keep(self, reading: Reading) -> Booked:
        """Book what was read, and hand it over with everything noted since the last time."""
        booked = self.ledger.book(reading)
        self.events += [self.event_of(notice) for notice in reading.notices]
        tables = {
            "samples": booked.samples,
            "impedance": booked.impedance,
            "spectra": booked.spectra,
            "steps": booked.steps,
            "clock": self.clock_rows(),
        }
        filled = {name: rows for name, rows in tables.items() if len(rows)}
        self.news = ()
        if filled or self.events:
            noted = [*self.events, *self.sink.append(filled, self.events)]
            self.news = tuple(event for event in noted if event.severity > 0)
            self.events = []
        return booked

    def clock_rows(self) -> Rows:
        """Once a minute: which wall-clock time belongs to which time of the run."""
        unix_s, now_s = self.clock.unix_time_s(), self.now_s()
        if unix_s is None or now_s < self.next_clock_row_s:
            return np.empty(0, layout.CLOCK.dtype)
        self.next_clock_row_s = now_s + CLOCK_ROW_EVERY_s
        return np.array([(now_s, unix_s)], layout.CLOCK.dtype)

    def note(self, severity: int, code: str, message: str, facts: dict[str, Any] | None = None) -> None:
        step_count = int(self.ledger.last_sample["step_count"][0])
        self.events.append(RecordedEvent(self.now_s(), severity, code, step_count, message, facts or {}))

    def event_of(self, notice: Notice) -> RecordedEvent:
        time_s = self.segment_start_s + notice.time_s
        step_count = int(self.ledger.last_sample["step_count"][0])
        facts = dict(notice.facts)
        return RecordedEvent(time_s, notice.severity, notice.code, step_count, notice.message, facts)

    def event_of_sensor(self, notice: SensorNotice) -> RecordedEvent:
        """A fault of a sensor that a limit rests on is an alarm."""
        time_s = self.now_s() if notice.time_s is None else notice.time_s
        severity, message = notice.severity, notice.message
        if severity == 1 and notice.sensor in self.sensing.guarding:
            severity, message = 2, f"{message}; its limits guard nothing meanwhile"
        step_count = int(self.ledger.last_sample["step_count"][0])
        facts = {"sensor": notice.sensor, **notice.facts}
        return RecordedEvent(time_s, severity, notice.code, step_count, message, facts)

    # --- the end ---------------------------------------------------------------------------------------

    def make_safe(self) -> None:
        """After trouble: open the cell if the channel can still be reached, and keep its last rows."""
        try:
            self.channel.stop()
            state = State.RUNNING
            while state is State.RUNNING:
                reading = self.channel.read(self.guard.watch())
                self.keep(reading)
                state = reading.state
        except NakctlError as error:
            self.note(2, "not-safe", f"the channel could not be stopped, or its last rows not kept: {error}")

    def outcome(self, ending: engine.Ending, error: NakctlError | None = None) -> Outcome:
        """Hand over the last step and the last events, and say how it ended."""
        if error is not None:
            self.ledger.note_end(ending.reason)
        self.note(0 if ending.status == "completed" else 2, "end", ending.reason)
        self.events += map(self.event_of_sensor, self.sensors.close().notices)
        last = {"spectra": self.ledger.spectra.close(), "steps": self.ledger.finish()}
        try:
            self.sink.append({name: rows for name, rows in last.items() if len(rows)}, self.events)
        except RecordError:
            if error is None:  # else the first trouble is the one to tell
                raise
        duration_s = float(self.ledger.last_sample["time"][0])
        return Outcome(
            ending.status, ending.reason, duration_s, self.ledger.rows, self.ledger.spectra.count, error
        )

    def now_s(self) -> float:
        return self.clock.now_s() - self.start_s

    def progress(self, reading: Reading) -> Progress:
        row = self.ledger.last_sample[0]
        step_id = int(row["step_id"])
        return Progress(
            time_s=float(row["time"]),
            step=self.program.step(step_id) if step_id else None,
            cycle=int(row["cycle"]),
            Ewe_V=float(row["Ewe"]),
            I_A=float(row["I"]),
            Q_Ah=float(row["Q"]),
            samples=self.ledger.rows,
            spectra=self.ledger.spectra.count,
            points=reading.points,
            news=self.news,
        )
