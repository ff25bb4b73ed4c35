"""The only loop that touches the world: carry out the engine's commands, read the channel, keep it all.

One thin loop around pure parts: `engine` decides, `guard` watches; `keeper` hands over what `ledger` books.
The one blanket `except` of the project stands here: whatever happens, the channel is stopped and the record
gets its end.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from nakctl.device.channel import Channel, Reading, State, Watch
from nakctl.device.program import Program, Segment, SetPoint
from nakctl.device.sensor import SensorNotice, Sensors
from nakctl.errors import NakctlError, RecordError
from nakctl.record import layout
from nakctl.run import engine
from nakctl.run.clock import Clock
from nakctl.run.guard import Guard
from nakctl.run.keeper import Keeper, Progress, Sink
from nakctl.run.ledger import Booked
from nakctl.run.sensing import NoSensors, SensorGuard

# After trouble a channel that was told to stop gets this long to say so and to hand over its last rows.
MOST_LAST_READS, LAST_READS_EVERY_s = 200, 0.05
UNDER_CURRENT = "THE CELL MAY STILL BE UNDER CURRENT"


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
        reason = str(error) if runner.make_safe() else f"{error} {UNDER_CURRENT}"
        return runner.outcome(engine.Ending("end run", reason, "interrupted"), error)
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
        self.program, self.channel, self.clock, self.sensors = program, channel, clock, sensors
        self.guard = Guard(program)
        self.sensing = SensorGuard(program, sensors)
        self.start_s = clock.now_s()
        self.keeper = Keeper(program, sink, samples, self.now_s, clock.unix_time_s)
        self.state = engine.EngineState()
        self.bench: dict[str, str] = {}  # what each sensor showed last
        self.ended: engine.Ending | None = None

    def now_s(self) -> float:
        return self.clock.now_s() - self.start_s

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
            booked = self.keeper.keep(reading)
            observe(self.keeper.progress(reading.points, tuple(self.bench.values())))
            pending.extend(self.judge(reading, booked, sensed))
            if not pending:
                self.clock.sleep(poll_s)
        return self.ended

    # --- the engine's commands ---------------------------------------------------------------------------

    def perform(self, event: engine.Event) -> None:
        """Feed one event to the engine and carry out its commands."""
        before = self.state
        self.state, commands = engine.react(self.program, self.state, event)
        for command in commands:
            match command:
                case engine.Load():
                    self.load(command.segment, before)
                case engine.Stop():
                    self.keeper.note(1, "stop", f"stopping: {command.reason}")
                    self.channel.stop()
                case engine.Apply():
                    self.apply(command.set_point)
                case engine.Finish():
                    self.ended = command.ending

    def load(self, segment: Segment, before: engine.EngineState) -> None:
        gap_from_s = self.now_s()
        self.channel.load(segment)
        self.channel.start()
        started_s = self.now_s()
        passed = [f.passes for f in before.position] != [f.passes for f in self.state.position]
        self.keeper.open_segment(segment, started_s, new_cycle=passed and bool(before.position))
        self.guard.open_segment(segment)
        self.sensing.open_segment(segment)
        gap_s = started_s - gap_from_s
        text = f"chain of {len(segment.techniques)} techniques; cell open for {gap_s:.3g} s"
        self.keeper.note(0, "segment", text, {"open_s": gap_s})

    def apply(self, point: SetPoint) -> None:
        """Ask for a set-point; what comes of it, a notice of the sensor tells."""
        self.keeper.note(0, "set", f"{point.label}: {point.sensor} shall go to {point.text}")
        self.sensors.set(point.sensor, self.sensors.specs[point.sensor].from_si(point.value))

    # --- what is watched ---------------------------------------------------------------------------------

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
        for notice in look.notices:
            self.note_of_sensor(notice)
            if notice.severity > 0 and notice.sensor:
                self.bench[notice.sensor] = f"{notice.sensor} {notice.code.removeprefix('sensor_')}"
        for name, seen in look.latest.items():
            self.bench[name] = f"{name} {seen.value:.4g} {self.sensors.specs[name].unit}"
        return self.sensing.look(look.latest)

    def note_of_sensor(self, notice: SensorNotice) -> None:
        """A fault of a sensor that a limit rests on is an alarm."""
        severity, message = notice.severity, notice.message
        if severity == 1 and notice.sensor in self.sensing.guarding:
            severity, message = 2, f"{message}; its limits guard nothing meanwhile"
        time_s = self.now_s() if notice.time_s is None else notice.time_s
        self.keeper.note_at(time_s, severity, notice.code, message, {"sensor": notice.sensor, **notice.facts})

    def judge(self, reading: Reading, booked: Booked, sensed: engine.Ending | None) -> list[engine.Event]:
        """What the engine has to know after a read. sensed: the ending that the sensors ask for."""
        found: list[engine.Event] = []
        ending = self.guard.look(booked.samples, booked.step_charge_Ah) or sensed
        if ending is not None:
            found.append(engine.Tripped(ending))
        if reading.state is State.STOPPED:
            meant = ending or self.state.ending or self.explain()
            if meant is not None:
                self.keeper.ledger.note_end(meant.reason)
            found.append(engine.ChainEnded(meant))
        return found

    def explain(self) -> engine.Ending | None:
        segment = engine.node_at(self.program.nodes, self.state.position)
        assert isinstance(segment, Segment)
        ledger = self.keeper.ledger
        last = None if ledger.last is None else ledger.last_sample
        return self.guard.explain(last, segment) or self.sensing.timed_out()

    # --- the end -----------------------------------------------------------------------------------------

    def make_safe(self) -> bool:
        """After trouble: open the cell, and keep the last rows as far as they can be kept.

        Returns whether the cell is known to be open.
        """
        try:
            self.channel.stop()
            for _ in range(MOST_LAST_READS):
                reading = self.channel.read(self.guard.watch())
                with suppress(RecordError):  # the trouble may be the disk; the cell comes first
                    self.keeper.keep(reading)
                if reading.state is State.STOPPED:
                    return True
                self.clock.sleep(LAST_READS_EVERY_s)
            self.keeper.note(2, "not-safe", f"the channel was told to stop, and runs on: {UNDER_CURRENT}")
        except NakctlError as error:
            self.keeper.note(2, "not-safe", f"{UNDER_CURRENT}: {error}")
        return False

    def outcome(self, ending: engine.Ending, error: NakctlError | None = None) -> Outcome:
        """Hand over the last step and the last events, and say how it ended."""
        ledger = self.keeper.ledger
        if error is not None:
            ledger.note_end(ending.reason)
        self.keeper.note(0 if ending.status == "completed" else 2, "end", ending.reason)
        for notice in self.sensors.close().notices:
            self.note_of_sensor(notice)
        try:
            self.keeper.finish()
        except RecordError:
            if error is None:  # else the first trouble is the one to tell
                raise
        duration_s = float(ledger.last_sample["time"][0])
        return Outcome(ending.status, ending.reason, duration_s, ledger.rows, ledger.spectra.count, error)
