"""The only loop that touches the world: carry out the engine's commands, read the channel, keep it all.

    one block > to the record, without waiting > judge > command    the next block if more waits, else sleep

One thin loop around pure parts: `engine` decides, `guard` watches, `proof` says why a chain is over; `keeper`
hands over what `ledger` books. Nothing but the channel may hold it up: the record is written beside it, and a
call that does not come back is seen by `supervisor`, which tells it and can leave without it.

The instrument's memory is the queue: while the record is behind, nothing is fetched and limits are judged by
what the channel shows. The one blanket `except` of the run stands here: whatever happens, the channel is
stopped.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Channel, Look, Reading, State, Visit, Watch
from nakctl.device.program import Ca, Cp, Eis, Ocv, Program, Segment, SetPoint, segments
from nakctl.device.sensor import SensorNotice, Sensors
from nakctl.errors import ChannelError, ChannelTaken, LinkLost, NakctlError
from nakctl.record import layout
from nakctl.run import engine
from nakctl.run.clock import Clock
from nakctl.run.gate import Gate
from nakctl.run.guard import Guard
from nakctl.run.keeper import Keeper, Progress
from nakctl.run.ledger import Booked
from nakctl.run.proof import why_over
from nakctl.run.pulse import Abandoned, Pulse
from nakctl.run.recording import Recording, Sink
from nakctl.run.sensing import NoSensors, SensorGuard
from nakctl.run.ties import Start, Tie, Ties, start_of, tie

Answer = TypeVar("Answer")

UNDER_CURRENT = "THE CELL MAY STILL BE UNDER CURRENT"
REACTION_s = 0.2
STOP_AGAIN_s = 0.3  # a stop that did not stop is asked for again so soon
STOP_ALARM_s, STOP_REMINDER_s = 1.0, 30.0  # it is an alarm after so long, and again
ASKS_TO_LEAVE = 2  # by the operator, after that alarm: the channel is left as it is
IDLE_s = 0.1  # virtual time goes on by so much where no channel moves it
INSIST_s = 0.5  # between two tries to load or start where nobody answered
LAST_TRIES, LAST_TRY_s = 100, 0.05  # to leave the cell open, after an error nobody expected
UNREADABLE_s = 5.0  # rows of a stopped channel that cannot be read for so long are given up
SHORTEST_TOP_UP_s = 0.5  # less is not worth another open circuit
BEHIND_s, BEHIND_BYTES, NEARLY_FULL = 1.0, 4 << 20, 0.75


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. error: what interrupted it, if anything did.

    cell_open         the channel was seen stopped; False: the cell may be under current
    end_kind, end_id, end_value  as in `engine.Ending`
    hangs             a call of the channel never came back: this process has to leave without its threads
    """

    status: engine.Status
    reason: str
    duration_s: float
    samples: int
    spectra: int
    error: NakctlError | None = None
    cell_open: bool = True
    end_kind: str = ""
    end_id: int = 0
    end_value: float = math.nan
    hangs: bool = False


def run(
    program: Program,
    channel: Channel,
    clock: Clock,
    sink: Sink,
    *,
    poll_s: float,
    reaction_s: float = REACTION_s,
    samples: layout.Table = layout.SAMPLES,
    observe: Callable[[Progress], None] = lambda progress: None,
    stop_asked: Callable[[], str | None] = lambda: None,
    times_asked: Callable[[], int] = lambda: 0,
    sensors: Sensors | None = None,
) -> Outcome:
    """Run a program on a channel until it ends, for whatever reason; the channel is left stopped.

    poll_s: how long to sleep between reads; reaction_s: what the plan promises of the host, longer rounds are
    events. observe is called after every read and may not wait; stop_asked gives the operator's reason to end
    the run, or None; times_asked how often he did: twice more after the alarm leaves a channel that does not
    stop; sensors are looked at after every read. An error that is not nakctl's own is raised again after the
    channel was stopped.
    """
    from nakctl.run.supervisor import supervised

    def control(recording: Recording, pulse: Pulse) -> Control:
        return Control(
            program, channel, clock, recording, samples, sensors or NoSensors(), pulse, poll_s=poll_s,
            reaction_s=reaction_s, observe=observe, stop_asked=stop_asked, times_asked=times_asked,
        )  # fmt: skip

    return supervised(control, clock, sink, channel.patience_s)


class Control:
    """One run. `until_the_end` is the loop."""

    def __init__(
        self,
        program: Program,
        channel: Channel,
        clock: Clock,
        recording: Recording,
        samples: layout.Table,
        sensors: Sensors,
        pulse: Pulse,
        *,
        poll_s: float,
        reaction_s: float,
        observe: Callable[[Progress], None],
        stop_asked: Callable[[], str | None],
        times_asked: Callable[[], int],
    ) -> None:
        self.program, self.channel, self.clock, self.sensors = program, channel, clock, sensors
        self.poll_s, self.reaction_s, self.pulse = poll_s, reaction_s, pulse
        # in virtual time a round takes as long as it is computed
        self.promised_s = math.inf if math.isinf(clock.horizon_s()) else reaction_s
        self.observe, self.stop_asked, self.times_asked = observe, stop_asked, times_asked
        self.guard, self.gate = Guard(program), Gate()
        self.sensing = SensorGuard(program, sensors)
        self.start_s = clock.now_s()
        self.keeper = Keeper(program, recording, samples, self.now_s, clock.unix_time_s)
        self.state = engine.EngineState()
        self.bench: dict[str, str] = {}  # what each sensor showed last
        self.pending: deque[engine.Event] = deque([engine.Begin()])
        self.ended: engine.Ending | None = None
        self.error: NakctlError | None = None
        self.cell_open = True
        self.visit: Visit | None = None
        self.look: Look | None = None
        self.ties = Ties()
        self.starting: tuple[Segment, float, float, bool] | None = None  # not settled yet when it began
        self.stopping = Stopping()
        self.behind_since_s: float | None = None
        self.silent = False  # the channel is not heard, and that was told

    def now_s(self) -> float:
        return self.clock.now_s() - self.start_s

    def until_the_end(self) -> Outcome:
        """The run; how it ended."""
        try:
            self.check()
            while self.ended is None:
                self.round()
        except NakctlError as error:  # before anything ran, or of the record: the loop could not go on
            self.make_safe()
            self.fail(error)
        except Abandoned:
            raise
        except BaseException:
            self.make_safe()
            raise
        return self.outcome()

    def check(self) -> None:
        """All chains against this very channel, before the first one starts."""
        for segment in segments(self.program.nodes):
            self.call("check", lambda segment=segment: self.channel.check(segment))  # type: ignore[misc]

    def round(self) -> None:
        """Commands, one block, to the record, judge; sleep if there is nothing more to do."""
        while self.pending and self.ended is None:
            self.perform(self.pending.popleft())
        if self.ended is not None:
            return
        self.pulse.begin_round()
        self.hear_the_operator()
        reading = self.next_reading()
        sensed = self.look_at_sensors()
        self.tell_late_rounds()
        booked = self.keep(reading)
        self.look_at_the_record()
        self.observe(self.keeper.progress(reading.points, tuple(self.bench.values())))
        self.pending.extend(self.judge(reading, booked, sensed))
        if self.state.phase is engine.Phase.STOPPING and reading.state is not State.STOPPED:
            self.insist_on_stop()
        self.pulse.end_round(self.promised_s)
        if not self.pending and not reading.more and self.ended is None:
            self.clock.sleep(self.poll_s)

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
                    ending = self.state.ending
                    as_planned = ending is not None and ending.kind == "duration"
                    self.keeper.note(0 if as_planned else 1, "stop", f"stopping: {command.reason}")
                    self.stopping = Stopping(since_s=self.now_s())
                    self.insist_on_stop()
                case engine.Apply():
                    self.apply(command.set_point)
                case engine.Finish():
                    self.ended = command.ending

    def load(self, segment: Segment, before: engine.EngineState) -> None:
        """Load and start a chain. Of a step there may be nothing missing: then its top-up is over at once."""
        if segment.tops_up:
            missing_s = self.guard.missing_s(segment)
            if missing_s < max(SHORTEST_TOP_UP_s, self.reaction_s):
                self.pending.append(engine.ChainEnded())
                return
            segment = _lasting(segment, missing_s)
            self.keeper.note(
                1, "top_up", f"the chain was over early: {missing_s:.4g} s of the step are made up for"
            )
        passed = [f.passes for f in before.position] != [f.passes for f in self.state.position]
        if not self.insist("load", lambda: self.channel.load(segment)):
            return
        called_s = self.now_s()
        self.cell_open = False
        if not self.insist("start", self.channel.start):
            return
        self.starting = segment, called_s, self.now_s(), passed and bool(before.position)
        self.visit = None
        self.gate.open_segment(segment)
        self.guard.open_segment(segment, self.now_s())
        self.sensing.open_segment(segment)

    def insist(self, name: str, call: Callable[[], None]) -> bool:
        """Try again while nobody answers, until the operator has enough. False: it was not done."""
        told = False
        while True:
            try:
                self.call(name, call)
                return True
            except LinkLost as error:
                if not told:
                    self.alarm("link", f"the channel does not answer, {name} is tried again: {error}")
                    told = True
                reason = self.stop_asked()
                if reason is not None:
                    self.keeper.note(1, "stop", f"stopping: {reason}")
                    self.error = error
                    self.interrupt(engine.Ending("end run", reason, "aborted", "operator"))
                    return False
            except ChannelError as error:
                self.trouble(error)
                return False
            self.clock.sleep(INSIST_s)
            self.clock.advance_to(self.clock.now_s() + INSIST_s)  # virtual time: nobody else moves it

    def apply(self, point: SetPoint) -> None:
        """Ask for a set-point; what comes of it, a notice of the sensor tells."""
        self.keeper.note(0, "set", f"{point.label}: {point.sensor} shall go to {point.text}")
        self.sensors.set(point.sensor, self.sensors.specs[point.sensor].from_si(point.value))

    # --- reading -----------------------------------------------------------------------------------------

    def call(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Every call of the channel goes through here: the supervisor sees when one does not come back."""
        with self.pulse.calling(name):
            return call()

    def next_reading(self) -> Reading:
        """One block; or, while the record is behind, only what the channel shows."""
        before_s = self.now_s()
        try:
            if self.must_wait_for_the_record():
                reading = _nothing(self.call("look", self.channel.look))
            else:
                reading = self.call("read", lambda: self.channel.read(self.watch()))
        except LinkLost as error:
            reading = self.not_heard(error)
        except ChannelError as error:
            reading = self.not_read(error)
        self.silent = self.silent and reading.look is None
        self.look = reading.look
        self.visit = reading.visit or self.visit
        self.settle_start(reading, tie(reading.look, before_s, self.now_s()))
        return reading if self.behind_since_s is not None else self.gate.passed(reading)

    def must_wait_for_the_record(self) -> bool:
        """Rows wait where they are safe: in the instrument. Those of spectra may expire there."""
        behind = self.keeper.recording.waiting_s > BEHIND_s
        behind = behind or self.keeper.recording.waiting_bytes > BEHIND_BYTES
        if behind != (self.behind_since_s is not None):
            self.tell_behind(behind)
        if not behind or (self.look is not None and self.look.filled > NEARLY_FULL):
            return False
        return not isinstance(self.technique_now(), Eis)

    def technique_now(self) -> object:
        if self.visit is None or self.starting is not None:
            return None
        return self.gate.segment.techniques[self.visit.technique]

    def tell_behind(self, behind: bool) -> None:
        if behind:
            self.behind_since_s = self.now_s()
            self.keeper.note(
                1, "record_behind", "the record is behind: rows wait in the instrument meanwhile"
            )
        elif self.behind_since_s is not None:
            lasted_s = self.now_s() - self.behind_since_s
            self.behind_since_s = None
            text = f"the record has caught up after {lasted_s:.3g} s"
            self.keeper.note(0, "record_caught_up", text, {"lasted_s": lasted_s})

    def settle_start(self, reading: Reading, found: Tie | None) -> None:
        """When the chain began, as soon as it has something to say; from then on its rows can be booked."""
        if self.starting is None:
            if self.clock.unix_time_s() is not None and (kept := self.ties.add(found)) is not None:
                self.keeper.tie(kept)
            return
        silent = not len(reading.samples) and not len(reading.points)
        if silent and found is None and reading.state is not State.STOPPED:
            return
        segment, called_s, returned_s, passed = self.starting
        self.starting = None
        self.open_segment(segment, start_of(called_s, returned_s, found), passed)

    def open_segment(self, segment: Segment, start: Start, passed: bool) -> None:
        best = self.ties.take()
        if best is not None and self.clock.unix_time_s() is not None:
            self.keeper.tie(best)
        open_from_s = float(self.keeper.ledger.last_sample["time"][0]) if self.keeper.chains else 0.0
        open_s = start.time_s - open_from_s
        self.keeper.open_segment(segment, start, new_cycle=passed)
        self.guard.start_s = start.time_s
        text = f"chain of {len(segment.techniques)} techniques; cell open for {open_s:.3g} s"
        self.keeper.note_at(
            start.time_s, 0, "segment", text, {"open_s": open_s, "start_error_s": start.error_s}
        )

    def keep(self, reading: Reading) -> Booked:
        if self.starting is not None:  # nothing came yet: notices wait for the start they count from
            self.keeper.hand_over_notes()
            return Booked.nothing(self.keeper.ledger.dtype)
        return self.keeper.keep(reading)

    def look_at_the_record(self) -> None:
        """Without a record there is no experiment; but the channel is stopped like in any other end."""
        if self.keeper.lost is not None and self.error is None:
            self.error = self.keeper.lost
            self.interrupt(engine.interrupted(str(self.error), "trouble"))

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
        told = self.sensing.told(notice)
        time_s = self.now_s() if told.time_s is None else told.time_s
        self.keeper.note_at(
            time_s, told.severity, told.code, told.message, {"sensor": told.sensor, **told.facts}
        )

    def judge(self, reading: Reading, booked: Booked, sensed: engine.Ending | None) -> list[engine.Event]:
        """What the engine has to know after a read. sensed: the ending that the sensors ask for."""
        ending = self.guard.judge(booked, reading.look) or sensed or self.left_early()
        running = self.state.phase in (engine.Phase.RUNNING, engine.Phase.STOPPING)
        if not running:
            return []
        if reading.state is State.STOPPED:
            self.cell_open = True
            meant = engine.graver(self.state.ending, ending) or self.explain()
            if meant is not None:
                self.keeper.ledger.note_end(meant)
            return [engine.ChainEnded(meant)]
        return [] if ending is None else [engine.Tripped(ending)]

    def left_early(self) -> engine.Ending | None:
        """A chain that goes on after a technique that ended too soon is none that anybody planned."""
        why = self.keeper.ledger.left_early
        return engine.interrupted(why) if why else None

    def explain(self) -> engine.Ending | None:
        """Why a chain that nobody stopped is over; None: it was done."""
        elapsed_s = math.nan if self.look is None else self.look.elapsed_s
        last = self.keeper.ledger.last_rows(self.visit)
        return why_over(self.program, self.gate.segment, last, elapsed_s) or self.sensing.timed_out()

    # --- trouble -----------------------------------------------------------------------------------------

    def hear_the_operator(self) -> None:
        reason = self.stop_asked()
        if reason is not None and self.state.phase is engine.Phase.RUNNING:
            self.interrupt(engine.Ending("end run", reason, "aborted", "operator"))
            self.perform(self.pending.pop())

    def interrupt(self, ending: engine.Ending) -> None:
        self.pending.append(engine.Interrupted(ending))

    def alarm(self, code: str, message: str) -> None:
        self.keeper.note(2, code, message)
        self.keeper.hand_over_notes()
        self.observe(self.keeper.progress(np.empty(0, POINT), tuple(self.bench.values())))

    def not_heard(self, error: LinkLost) -> Reading:
        """A silence: the channel goes on by itself, and so does the run."""
        if not self.silent:
            self.silent = True
            self.keeper.note(2, "link", f"the channel is not heard: {error}")
        self.clock.advance_to(self.clock.now_s() + IDLE_s)
        return _nothing(None)

    def not_read(self, error: ChannelError) -> Reading:
        self.trouble(error)
        self.leave_unreadable()
        self.clock.advance_to(self.clock.now_s() + IDLE_s)
        return _nothing(None)

    def trouble(self, error: ChannelError) -> None:
        """The experiment does not survive it: the channel is stopped, its last rows are read."""
        if self.error is None:
            self.error = error
            self.keeper.note(2, "trouble", str(error))
        self.interrupt(engine.interrupted(str(self.error), "trouble"))
        if isinstance(error, ChannelTaken):  # there is nothing of ours to stop or to read
            self.ended = engine.interrupted(str(self.error), "trouble")

    def leave_unreadable(self) -> None:
        """Is the cell open, and can rows be read, are two questions: the first may be answered alone."""
        stopping, now_s = self.stopping, self.now_s()
        if self.state.phase is not engine.Phase.STOPPING:
            return
        if stopping.unreadable_since_s is None:
            stopping.unreadable_since_s = now_s
        if now_s - stopping.unreadable_since_s < UNREADABLE_s:
            return
        with suppress(ChannelError):
            look = self.call("look", self.channel.look)
            if look is not None and not look.running:
                self.cell_open = True
                self.keeper.note(2, "unread", "the channel has stopped, and its last rows cannot be read")
                self.ended = self.state.ending

    def tell_late_rounds(self) -> None:
        late = self.pulse.late_rounds()
        if late is not None:
            many = "" if late.rounds == 1 else f", the longest of {late.rounds} late ones"
            text = f"a round of the run took {late.took_s:.3g} s{many}: {late.waited_for}"
            self.keeper.note(1, "late_round", text, {"took_s": late.took_s, "rounds": late.rounds})

    # --- the end -----------------------------------------------------------------------------------------

    def insist_on_stop(self) -> None:
        """Stop means stop: asked for until it is seen, with reading and recording going on."""
        stopping, now_s = self.stopping, self.now_s()
        if now_s < stopping.next_s:
            return
        stopping.next_s = now_s + STOP_AGAIN_s
        try:
            self.call("stop", self.channel.stop)
        except ChannelTaken as error:
            self.trouble(error)
            return
        except ChannelError as error:
            stopping.why = str(error)
        waited_s = now_s - stopping.since_s
        if waited_s >= stopping.alarm_s or (stopping.why and not stopping.told):
            if not stopping.told:
                stopping.told, stopping.asked = True, self.times_asked()
            stopping.alarm_s = waited_s + STOP_REMINDER_s
            why = stopping.why or "it was told to stop, and runs on"
            self.alarm("not_stopped", f"{UNDER_CURRENT}: {why}; tried on for {waited_s:.3g} s, and further")
        if stopping.told and self.times_asked() - stopping.asked >= ASKS_TO_LEAVE:
            self.keeper.note(2, "given_up", f"{UNDER_CURRENT}: the operator gave up stopping the channel")
            ending = self.state.ending or engine.interrupted(stopping.why)
            self.error = self.error or ChannelError(stopping.why or "the channel does not stop")
            self.ended = ending

    def make_safe(self) -> None:
        """After an error that the loop cannot go on from: open the cell, keep what can be kept."""
        for _ in range(LAST_TRIES):
            with suppress(NakctlError):
                self.call("stop", self.channel.stop)
            if self.cell_open:  # nothing was started
                return
            with suppress(NakctlError):
                reading = self.gate.passed(self.call("read", lambda: self.channel.read(Watch())))
                self.keep(reading)
                if reading.state is State.STOPPED:
                    self.cell_open = True
                    return
            self.clock.sleep(LAST_TRY_s)

    def fail(self, error: NakctlError) -> None:
        self.error = self.error or error
        self.ended = engine.interrupted(str(self.error), "trouble")

    def outcome(self) -> Outcome:
        """Hand over the last step and the last events, and say how it ended."""
        ending = self.ended or engine.interrupted("the run was left")
        if not self.cell_open:
            ending = replace(ending, reason=f"{ending.reason} {UNDER_CURRENT}")
            self.error = self.error or ChannelError(ending.reason)
        ledger = self.keeper.ledger
        if self.error is not None:
            ledger.note_end(ending)
        self.keeper.note(0 if ending.status == "completed" else 2, "end", ending.reason)
        for notice in self.sensors.close().notices:
            self.note_of_sensor(notice)
        self.keeper.finish()
        if self.keeper.lost is not None and self.error is None:  # else the first trouble is the one to tell
            self.fail(self.keeper.lost)
            ending = self.ended or ending
        duration_s = float(ledger.last_sample["time"][0])
        return Outcome(
            ending.status, ending.reason, duration_s, ledger.rows, ledger.spectra.count, self.error,
            self.cell_open, ending.kind, ending.end_id, ending.value,
        )  # fmt: skip


@dataclass(slots=True)
class Stopping:
    """A stop that is being asked for. next_s: when again; alarm_s: after how long it is an alarm (again);
    asked: how often the operator had asked by then."""

    since_s: float = 0.0
    next_s: float = -math.inf
    alarm_s: float = STOP_ALARM_s
    why: str = ""
    told: bool = False
    asked: int = 0
    unreadable_since_s: float | None = None


def _nothing(look: Look | None) -> Reading:
    return Reading(State.RUNNING, np.zeros(0, SAMPLE), np.zeros(0, POINT), look=look)


def _lasting(segment: Segment, seconds: float) -> Segment:
    """A top-up with what is missing."""
    technique = segment.techniques[0]
    assert isinstance(technique, Ocv | Cp | Ca)
    lasting = replace(technique, duration_s=seconds, every_s=min(technique.every_s, seconds))
    return replace(segment, techniques=(lasting,))
