"""The only loop that touches the world: carry out the engine's commands, read the channel, keep it all.

    one block > to the record, without waiting > judge > command    the next block if more waits, else sleep

One thin loop around pure parts: `engine` decides, `guard` watches, `proof` says why a chain is over;
`logbook` hands over what comes, and books it. Nothing but the channel may hold it up: the record is written
beside it, and a call that does not come back is seen by `supervisor`, which can leave without it.

The one blanket `except` of the run stands here: whatever happens, the channel is stopped.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from nakctl.booking.book import Page
from nakctl.booking.ending import Ending, Status, gravest, interrupted
from nakctl.booking.event import Event
from nakctl.booking.table import Table
from nakctl.decide import engine
from nakctl.decide.cut import Cut, at_unmet, cut_at, is_cut, is_whole, left_behind
from nakctl.decide.gate import Gate
from nakctl.decide.guard import Guard
from nakctl.decide.later import capacity_C, values_of
from nakctl.decide.proof import NOT_FED, why_over
from nakctl.decide.remainder import behind
from nakctl.decide.stopping import Stopping
from nakctl.device.channel import POINT, Channel, Look, Reading, State, Watch
from nakctl.device.ends import End
from nakctl.device.known import knowing, lasting, with_capacity
from nakctl.device.program import Ask, Capacity, Program, Segment, segments
from nakctl.device.sensor import Sensors
from nakctl.errors import ChannelError, ChannelTaken, LinkLost, NakctlError, place_of
from nakctl.run import outside as seen
from nakctl.run.clock import Clock
from nakctl.run.logbook import Logbook, Progress
from nakctl.run.outside import Outside
from nakctl.run.pulse import Abandoned, Pulse
from nakctl.run.reading import Reader, nothing
from nakctl.run.recording import Recording
from nakctl.run.requests import Requests
from nakctl.run.sensing import Bench
from nakctl.run.starting import Started, Starts
from nakctl.text.numbers import si

Answer = TypeVar("Answer")

UNDER_CURRENT = "THE CELL MAY STILL BE UNDER CURRENT"
PAUSED_LOOK_s = 10.0  # how often a channel is looked at that stands while the run is paused
PAUSED_ROUND_s = 1.0  # of virtual time
INSIST_s = 0.5  # between two tries to load or start where nobody answered
LAST_TRIES, LAST_TRY_s = 100, 0.05  # to leave the cell open, after an error nobody expected
NOBODY = "nobody (its time is virtual)"
SHORTEST_TOP_UP_s = 0.5  # less is not worth another open circuit


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. error: what interrupted it, if anything did.

    cell_open         the channel was seen stopped; False: the cell may be under current
    end_kind, end_id, end_value  as in `Ending`
    hangs             a call of the channel never came back: this process has to leave without its threads
    goes_on           nobody meant the end of the run: it is left for whoever comes after
    """

    status: Status
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
    goes_on: bool = False


def asked_to_end(reason: str) -> Ending:
    return Ending("end run", reason, "aborted", "operator")


class Control:
    """One run. `until_the_end` is the loop."""

    def __init__(
        self,
        program: Program,
        channel: Channel,
        clock: Clock,
        samples: Table,
        sensors: Sensors,
        recording: Recording,
        pulse: Pulse,
        *,
        poll_s: float,
        reaction_s: float,
        observe: Callable[[Progress], None],
        requests: Callable[[Logbook], Requests],
        times_asked: Callable[[], int],
        run_id: str,
        outside: Outside,
        outlives: bool = False,
        since_s: float = 0.0,
    ) -> None:
        """outlives: the channel goes on without this program; since_s: for how long the run has gone on."""
        self.program, self.channel, self.clock = program, channel, clock
        self.poll_s, self.reaction_s, self.pulse = poll_s, reaction_s, pulse
        # in virtual time a round takes as long as it is computed
        self.promised_s = math.inf if math.isinf(clock.horizon_s()) else reaction_s
        self.screen, self.times_asked, self.outside = observe, times_asked, outside
        self.start_s = clock.now_s() - since_s
        self.logbook = Logbook(program, recording, samples, self.now_s, clock.unix_time_s)
        self.requests = requests(self.logbook)
        self.run_id, self.outlives = run_id, outlives
        self.reader = Reader(channel, clock, pulse, self.logbook, self.now_s)
        self.gate = Gate()
        self.bench = Bench(program, sensors, self.now_s, self.logbook)
        self.guard = Guard(program)
        self.state = engine.EngineState()
        self.seen: Ending | None = None  # what the guard asked for after the last read
        self.pending: deque[engine.Event] = deque([engine.Begin()])
        self.ended: Ending | None = None
        self.error: NakctlError | None = None
        self.is_lost = False  # what was on the channel is gone, and the run can be gone on with
        self.cell_open = True
        self.starts = Starts(self.logbook)
        self.stopping = Stopping(self.start_s)
        self.paused_s = self.looked_s = -math.inf  # since when the run is paused; its channel was looked at
        self.shown: Look | None = None  # what it showed then
        self.asks = ""  # what a person is asked for, while the run waits for that

    def now_s(self) -> float:
        return self.clock.now_s() - self.start_s

    def until_the_end(self) -> Outcome:
        """The run; how it ended."""
        try:
            self.begin()
            while self.ended is None:
                self.round()
        except NakctlError as error:  # before anything ran, or of the record: the loop could not go on
            self.make_safe()
            self.fail(error)
        except Abandoned:
            raise
        except BaseException as error:
            self.leave_after(error)
            raise
        return self.lost() if self.is_lost else self.outcome()

    def begin(self) -> None:
        """Before the first round."""
        self.check()

    def check(self) -> None:
        """All chains against this very channel, before the first one starts."""
        for segment in segments(self.program.nodes):
            self.call("check", lambda segment=segment: self.channel.check(segment))  # type: ignore[misc]

    def round(self) -> None:
        """Commands, one block, to the record, judge; sleep if there is nothing more to do."""
        self.perform_what_waits()
        if self.ended is not None:
            return
        self.pulse.begin_round()
        self.hear_the_operator()
        if self.ended is not None:
            return
        if self.state.phase is engine.Phase.PAUSED:
            self.wait()
            return
        reading = self.next_reading()
        page = self.keep(reading)
        sensed = self.bench.look()
        self.tell_late_rounds()
        self.look_at_the_record()
        progress = self.logbook.progress(reading.points, self.bench.shown)
        progress = replace(progress, slopes=self.guard.slopes_now) if self.guard.slopes else progress
        if math.isnan(progress.Ece_V) and reading.look is not None:
            progress = replace(progress, Ece_V=reading.look.Ece_V)
        self.observe(progress)
        self.outside.round(self.doing(progress), progress, self.ends)
        self.pending.extend(self.judge(reading, page, sensed))
        self.logbook.turn()
        if self.state.phase is engine.Phase.STOPPING and self.may_run_on(reading):
            self.insist_on_stop()
        elif self.reader.is_mute:
            self.leave_unreadable()
        self.pulse.end_round(self.promised_s)
        if not self.pending and not reading.more and self.ended is None:
            self.clock.sleep(self.poll_s)

    def perform_what_waits(self) -> None:
        while self.pending and self.ended is None:
            self.perform(self.pending.popleft())

    def wait(self) -> None:
        """A round of a run that is paused: the sensors, the time of the run, the channel now and then."""
        self.bench.hold()
        look = self.look_at_times()
        sensed = self.bench.look()
        self.look_at_the_record()
        told = self.logbook.progress(np.empty(0, POINT), self.bench.shown)
        progress = replace(told, time_s=self.now_s())
        if look is not None:
            progress = replace(progress, Ewe_V=look.Ewe_V, I_A=look.I_A)
        self.observe(progress)
        self.outside.round(seen.PAUSED, progress, self.ends)
        ending = gravest(self.guard.out_of_time(self.now_s()), sensed)
        if ending is not None and ending.then == "end run":  # a sensor that settles ends no step now
            self.pending.append(engine.Tripped(ending))
        elif who := self.requests.resumed() or self.answers_by_itself():
            paused_s = self.now_s() - self.paused_s
            facts = {"who": who, "paused_s": paused_s}
            self.logbook.note(1, "resumed", f"resumed by {who} after {paused_s:.4g} s", facts)
            self.guard.after_a_pause()
            self.bench.let_go_on()
            self.asks = ""
            self.outside.asks("")
            self.pending.append(engine.Begin())
        self.logbook.turn()
        self.pulse.end_round(self.promised_s)
        if not self.pending:
            self.clock.sleep(self.poll_s)
            self.clock.advance_to(self.clock.now_s() + PAUSED_ROUND_s)  # virtual time: nobody else moves it

    def answers_by_itself(self) -> str:
        """Who answers where nobody can be asked: time that does not go by waits for no person."""
        return NOBODY if self.asks and math.isinf(self.clock.horizon_s()) else ""

    def look_at_times(self) -> Look | None:
        """What a channel shows that stands. It is not judged: the cell is open."""
        if self.now_s() - self.looked_s >= PAUSED_LOOK_s:
            self.looked_s = self.now_s()
            with suppress(ChannelError):  # what is wrong with it is told when it is needed again
                look = self.call("look", self.channel.look)
                if look is not None and look.running and (self.shown is None or not self.shown.running):
                    self.alarm("state", "the run is paused, and somebody else has started its channel")
                self.shown = look or self.shown
        return self.shown

    def observe(self, progress: Progress) -> None:
        self.outside.noticed(progress)
        self.screen(progress)

    def doing(self, progress: Progress) -> str:
        """In one word, for others."""
        ending = self.state.ending
        if self.state.phase is engine.Phase.STOPPING and ending is not None and ending.then == "end run":
            return seen.STOPPING
        return seen.WAITING if progress.step is not None and progress.step.settle else seen.RUNNING

    def ends(self) -> list[End]:
        """What may end the step or the run now."""
        return [*self.guard.of_run, *self.guard.own]

    # --- the engine's commands ---------------------------------------------------------------------------

    def perform(self, event: engine.Event) -> None:
        """Feed one event to the engine and carry out its commands."""
        before, event = self.state, self.asked_for(event)
        if isinstance(event, engine.Replaced):
            before = engine.EngineState()  # its place was one of another program
        known = self.logbook.book.ledger.last_times()
        self.state, commands = engine.react(self.program, self.state, event, known)
        for command in commands:
            self.carry_out(command, before)

    def carry_out(self, command: engine.Command, before: engine.EngineState) -> None:
        match command:
            case engine.Load():
                self.load(command.segment, before)
            case engine.Stop():
                self.begin_to_stop(command.reason)
            case engine.Apply():
                if not self.is_to_end():
                    self.bench.apply(command.set_point)
            case engine.Wait():
                self.ask(command.ask)
            case engine.Measure():
                self.measure(command.capacity)
            case engine.Finish():
                if before.phase is engine.Phase.PAUSED:
                    self.logbook.over(command.ending)
                self.ended = command.ending

    def begin_to_stop(self, reason: str) -> None:
        ending = self.state.ending
        if ending is not None:
            met = self.guard.step_count if ending is self.seen else 0
            self.logbook.meant_to_stop(ending, met)
        as_planned = ending is None or ending.status == "completed"
        self.logbook.note(0 if as_planned else 1, "stop", f"stopping: {reason}")
        self.stopping = Stopping(self.now_s())
        self.insist_on_stop()

    def asked_for(self, event: engine.Event) -> engine.Event:
        """What becomes of the end of a chain that somebody cut, or behind which they want a pause."""
        if isinstance(event, engine.ChainEnded) and is_cut(event.ending):
            event = self.go_on_from(event.ending, None)
        asked = self.requests.instead(self.program, self.state, event)
        if asked is event or not isinstance(asked, engine.ChainEnded) or not is_cut(asked.ending):
            return asked
        return self.go_on_from(asked.ending, event)

    def go_on_from(self, cut: Ending, over: engine.Event | None) -> engine.Event:
        """What is left from here on, at once or after a pause. over: nothing of the chain is left."""
        step_s, position = self.guard.elapsed_s, self.state.position
        if cut.kind == "unmet" and over is None:
            return self.hold_on(cut)
        if isinstance(over, engine.Replaced):
            left = self.program
        elif isinstance(over, engine.ChainEnded):
            left = left_behind(self.program, position, None, over.ending, step_s)
        else:
            left = left_behind(self.program, position, self.cut(), cut, step_s, self.loaded)
        return self.go_on_with(left, cut, waits=cut.kind not in ("skipped", NOT_FED.kind))

    def hold_on(self, unmet: Ending) -> engine.Event:
        """A step without a time has outlasted its chain: it is loaded again, and what follows it."""
        cut, is_met = at_unmet(self.reader.segment, self.reader.visit)
        why = replace(unmet, then="next step") if is_met else unmet
        left = left_behind(self.program, self.state.position, cut, why, self.guard.elapsed_s, self.loaded)
        return self.go_on_with(left, why, waits=False)

    def go_on_with(self, left: Program, why: Ending, *, waits: bool, asks: str = "") -> engine.Replaced:
        """From now on the program in force is this remainder of it; nothing is loaded. asks: a person."""
        self.program = left
        self.logbook.replaced(left, waits=waits, why=why.reason, asks=asks)
        if why.kind == "unmet":
            self.logbook.note(1, "held_on", f"{why.reason}: the step is loaded again")
            return engine.Replaced()
        if why.kind == NOT_FED.kind:
            told = "it is loaded now, and the cell is open meanwhile"
            self.logbook.note(1, "not_fed", f"{why.reason}: {told}")
            return engine.Replaced()
        self.requests.came("pause" if waits else "skip", why)
        if not waits:
            reason = f"the last step was {why.reason}"
            ended = Ending("end run", reason, "aborted", "operator")
            return engine.Replaced(otherwise=ended if why.then == "next step" else None)
        self.paused_s, self.looked_s, self.shown = self.now_s(), self.now_s(), self.reader.look
        self.outside.asks(asks)
        if asks:
            self.logbook.note(
                1, "ask", f"asked for: {asks}; the cell is open, and the run waits for an answer"
            )
        else:
            self.logbook.note(1, "paused", f"{why.reason}; the cell is open")
        return engine.Replaced(waits=True)

    def ask(self, ask: Ask) -> None:
        """A person, as the program says: a pause in all but who wanted it."""
        if self.is_to_end():
            return
        self.asks = ask.text
        left = behind(self.program, self.state.position)
        self.perform(self.go_on_with(left, Ending("go on", ask.text), waits=True, asks=ask.text))

    def measure(self, asked: Capacity) -> None:
        """What is left of the program is said for the capacity that was measured, and goes on at once."""
        if self.is_to_end():
            return
        found_C, trouble = capacity_C(asked, self.logbook.book.ledger.last_times())
        if trouble is not None:
            self.ended = trouble
            return
        self.program = self.guard.program = with_capacity(behind(self.program, self.state.position), found_C)
        text = f"{asked.label} measured a capacity of {si(found_C / 3600, 'Ah')}"
        self.logbook.replaced(self.program, waits=False, why=text)
        facts = {"capacity_C": found_C, "planned_C": asked.about_C}
        self.logbook.note(0, "capacity", f"{text}: what follows is done with it", facts)
        self.perform(engine.Replaced())

    @property
    def loaded(self) -> Segment | None:
        """The chain that was loaded, where it is not the one of the program to the letter."""
        node = engine.node_of(self.program.nodes, self.state.position)
        return self.reader.segment if isinstance(node, Segment) and node.is_open else None

    def cut(self) -> Cut:
        """Where the chain was left that has stopped."""
        visit, ran_s = self.reader.visit, self.guard.time_s - self.guard.start_s
        return cut_at(self.reader.segment, visit, self.logbook.last_rows(visit), ran_s)

    def load(self, segment: Segment, before: engine.EngineState) -> None:
        """Load and start a chain. Of a step there may be nothing missing: then its top-up is over at once."""
        missing_s = self.guard.missing_s(segment) if segment.tops_up else math.inf
        if missing_s < max(SHORTEST_TOP_UP_s, self.reaction_s):
            self.pending.append(engine.ChainEnded())
            return
        if self.is_to_end():
            return
        lasting_s: float | None = None
        if segment.tops_up:
            segment, lasting_s = lasting(segment, missing_s), missing_s
            self.logbook.note(
                1, "top_up", f"the chain was over early: {missing_s:.4g} s of the step are made up for"
            )
        ledger = self.logbook.book.ledger
        known, trouble = values_of(self.program, segment, ledger.measured, ledger.last_times())
        if trouble is not None:
            self.ended = trouble
            return
        new_cycle = engine.went_round(before.position, self.state.position)
        self.load_and_start(knowing(segment, known), new_cycle, lasting_s, known)

    def load_and_start(
        self, segment: Segment, new_cycle: bool, lasting_s: float | None, known: Sequence[float] = ()
    ) -> None:
        mark = f"nakctl {self.run_id} {self.logbook.segment + 1} 0" if self.run_id else ""
        self.logbook.meant_to_load(
            self.state.position, new_cycle=new_cycle, lasting_s=lasting_s, mark=mark, known=known
        )
        if self.is_to_end() or not self.insist("load", lambda: self.channel.load(segment, mark)):
            return
        self.logbook.done("load")
        self.logbook.meant("start", durable=True)
        if self.is_to_end():
            return
        called_s = self.now_s()
        self.cell_open = False
        started = self.insist("start", self.channel.start)
        returned_s = self.now_s()
        if started:
            self.logbook.done("start", called_s=called_s, returned_s=returned_s)
            self.starts.waiting = Started(called_s, returned_s)
        # what was not answered may have been heard: then rows of this chain come
        self.open_segment(segment, returned_s)

    def open_segment(self, segment: Segment, start_s: float) -> None:
        """Everybody who looks at rows begins anew."""
        self.guard.open_segment(segment, start_s)
        self.gate.open_segment(segment)
        self.reader.open_segment(segment, needs_rows=self.guard.needs_rows)
        self.bench.guard.open_segment(segment)

    def is_to_end(self) -> bool:
        """Whether nothing further may be started: somebody asked for the end, or there is no record. The cell
        is open, so this is the end.
        """
        if self.ended is not None:
            return True
        reason = self.requests.stop_asked()
        if reason is not None:
            self.ended = asked_to_end(reason)
        self.look_at_the_record()
        if self.error is not None:
            self.ended = interrupted(str(self.error), "trouble")
        return self.ended is not None

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
                reason = self.requests.stop_asked()
                self.requests.hear(self.state)
                if reason is not None:
                    self.logbook.done(name, refused=str(error))
                    ending = asked_to_end(reason)
                    self.logbook.note(1, "stop", f"stopping: {reason}")
                    self.error = error
                    self.interrupt(ending)
                    return False
            except ChannelError as error:
                self.logbook.done(name, refused=str(error))
                self.trouble(error)
                return False
            self.outside.round(seen.RUNNING, None, self.ends)
            self.clock.sleep(INSIST_s)
            self.clock.advance_to(self.clock.now_s() + INSIST_s)  # virtual time: nobody else moves it

    # --- reading -----------------------------------------------------------------------------------------

    def call(self, name: str, call: Callable[[], Answer]) -> Answer:
        """Every call of the channel goes through here: the supervisor sees when one does not come back."""
        with self.pulse.calling(name):
            return call()

    def next_reading(self) -> Reading:
        try:
            return self.reader.next(self.watch())
        except ChannelError as error:
            self.trouble(error)
            self.leave_unreadable()
            return nothing()

    def keep(self, reading: Reading) -> Page:
        """To the record before anything else; then into the book. What is wrong with it is told."""
        page = self.logbook.said(reading)
        start = self.starts.settle(reading, self.reader.tie)
        if start is not None:
            self.guard.start_s = start.time_s
            page = self.logbook.began(start)
        self.logbook.note_steps(page.newest.steps)
        for notice in self.gate.look_at(page.samples, page.points, reading.look):
            self.logbook.notice(notice)
        return page

    def look_at_the_record(self) -> None:
        """Without a record there is no experiment; but the channel is stopped like in any other end."""
        trouble = self.logbook.lost or self.logbook.unbooked
        if trouble is not None and self.error is None:
            self.error = trouble
            self.interrupt(interrupted(str(self.error), "trouble"))

    # --- what is watched ---------------------------------------------------------------------------------

    def watch(self) -> Watch:
        """What the channel may hand over early for: the cell's values, and the sensors' rates.

        Where the clock has a horizon, the channel cannot run ahead of its sensors anyway.
        """
        watch, every_s = self.guard.watch(), self.bench.guard.every_s
        if every_s is None or math.isfinite(self.clock.horizon_s()):
            return watch
        if watch.every_s is not None and watch.every_s <= every_s:
            return watch
        return replace(watch, every_s=every_s)

    def judge(self, reading: Reading, page: Page, sensed: Ending | None) -> list[engine.Event]:
        """What the engine has to know after a read. sensed: the ending that the sensors ask for."""
        stands_still = self.reader.is_mute and self.state.phase is engine.Phase.RUNNING
        late = self.guard.out_of_time(self.now_s()) if stands_still else None
        self.seen = self.guard.judge(page.newest, reading.look) or late
        ending = gravest(sensed, self.seen, self.left_early(), self.boundary(reading))
        running = self.state.phase in (engine.Phase.RUNNING, engine.Phase.STOPPING)
        if not running:
            return []
        if reading.state is State.STOPPED:
            self.cell_open = True
            if ending is not None and ending is self.seen and self.state.phase is engine.Phase.RUNNING:
                self.logbook.meant_to_stop(ending, self.guard.step_count)
            meant = gravest(self.state.ending, ending) or self.explain()
            meant = self.cut_in_time(meant) if is_cut(meant) and meant.kind != "unmet" else meant
            self.logbook.over(meant)
            return [engine.ChainEnded(meant)]
        is_known = gravest(self.state.ending, ending) is self.state.ending  # then the round may take its time
        return [] if ending is None or is_known else [engine.Tripped(ending)]

    def cut_in_time(self, ending: Ending) -> Ending | None:
        """Of a chain that was told to stop for what somebody asked: it may have been done by then."""
        ending = self.requests.in_time(ending)
        is_done = ending.then == "go on" and is_whole(self.reader.segment, self.cut())
        return None if is_done else ending

    def boundary(self, reading: Reading) -> Ending | None:
        """The end that somebody asked for at a boundary that has come, in a chain that would go on."""
        if self.state.phase is not engine.Phase.RUNNING or reading.state is State.STOPPED:
            return None
        return self.requests.met(self.reader.segment, self.reader.visit)

    def left_early(self) -> Ending | None:
        """A chain that goes on after a technique that ended too soon is none that anybody planned."""
        why = self.logbook.book.ledger.left_early
        return interrupted(why) if why else None

    def explain(self) -> Ending | None:
        """Why a chain that nobody stopped is over; None: it was done."""
        look = self.reader.look
        elapsed_s = math.nan if look is None else look.elapsed_s
        last = self.logbook.last_rows(self.reader.visit)
        why = why_over(self.program, self.reader.segment, last, elapsed_s, self.reader.ends_before)
        return why or self.bench.guard.timed_out()

    # --- trouble -----------------------------------------------------------------------------------------

    def hear_the_operator(self) -> None:
        reason = self.requests.stop_asked()
        self.requests.hear(self.state)
        self.reader.needs_rows = self.guard.needs_rows or bool(self.requests.wishes)
        can_end = self.can_be_stopped() or self.state.phase is engine.Phase.PAUSED
        if reason is not None and can_end:
            self.interrupt(asked_to_end(reason))
            self.perform(self.pending.pop())

    def can_be_stopped(self) -> bool:
        """Something runs, and nobody has stopped it yet."""
        return self.state.phase is engine.Phase.RUNNING

    def interrupt(self, ending: Ending) -> None:
        self.pending.append(engine.Interrupted(ending))

    def alarm(self, code: str, message: str) -> None:
        self.logbook.note(2, code, message)
        self.logbook.turn()
        self.observe(self.logbook.progress(np.empty(0, POINT), self.bench.shown))

    def trouble(self, error: ChannelError) -> None:
        """The experiment does not survive it: the channel is stopped, its last rows are read."""
        if self.error is None:
            self.error = error
            self.logbook.note(2, "trouble", str(error))
        self.interrupt(interrupted(str(self.error), "trouble"))
        if isinstance(error, ChannelTaken):  # there is nothing of ours to stop or to read
            meant, self.ended = self.state.ending, interrupted(str(self.error), "trouble")
            self.is_lost = self.outlives and (meant is None or meant.then != "end run")

    def leave_unreadable(self) -> None:
        """Is the cell open, and can rows be read, are two questions: the first may be answered alone."""
        if self.state.phase is not engine.Phase.STOPPING or not self.stopping.is_unreadable(self.now_s()):
            return
        with suppress(ChannelError):
            look = self.call("look", self.channel.look)
            if look is not None and not look.running:
                self.cell_open = True
                self.logbook.note(2, "unread", "the channel has stopped, and its last rows cannot be read")
                self.ended = self.state.ending

    def tell_late_rounds(self) -> None:
        late = self.pulse.late_rounds()
        if late is not None:
            many = "" if late.rounds == 1 else f", the longest of {late.rounds} late ones"
            text = f"a round of the run took {late.took_s:.3g} s{many}: {late.waited_for}"
            self.logbook.note(1, "late_round", text, {"took_s": late.took_s, "rounds": late.rounds})

    # --- the end -----------------------------------------------------------------------------------------

    def may_run_on(self, reading: Reading) -> bool:
        """Whether the channel has not stopped, as far as it says so. Its last rows may take their time."""
        return reading.state is not State.STOPPED and (reading.look is None or reading.look.running)

    def insist_on_stop(self) -> None:
        """Ask for the stop if it is time, and tell if that does not help."""
        stopping, now_s = self.stopping, self.now_s()
        if not stopping.is_due(now_s):
            return
        try:
            self.call("stop", self.channel.stop)
        except ChannelTaken as error:
            self.trouble(error)
            return
        except ChannelError as error:
            stopping.why = str(error)
        if alarm := stopping.alarm(now_s, self.times_asked()):
            self.alarm("not_stopped", f"{UNDER_CURRENT}: {alarm}")
        if stopping.is_given_up(self.times_asked()):
            self.logbook.note(2, "given_up", f"{UNDER_CURRENT}: the operator gave up stopping the channel")
            self.ended = self.state.ending or interrupted(stopping.why)
            self.error = self.error or ChannelError(stopping.why or "the channel does not stop")

    def make_safe(self) -> None:
        """After an error that the loop cannot go on from: open the cell, keep what can be kept. What fails
        once more, be it the same fault, is no reason not to ask for the stop again.
        """
        for _ in range(LAST_TRIES):
            with suppress(Exception):
                self.call("stop", self.channel.stop)
            if self.cell_open:  # nothing was started
                return
            with suppress(Exception):
                reading = self.reader.read(Watch())
                self.cell_open = reading.state is State.STOPPED
                self.keep(reading)
            if self.cell_open:
                return
            self.clock.sleep(LAST_TRY_s)

    def leave_after(self, error: BaseException) -> None:
        """After a fault of our own: nobody else may write the record before all that was read is there."""
        try:
            self.make_safe()
        finally:
            with suppress(Exception):
                self.logbook.over(interrupted(f"a fault of nakctl itself ({place_of(error)})", "trouble"))
            self.logbook.let_go()

    def fail(self, error: NakctlError) -> None:
        self.error = self.error or error
        self.ended = interrupted(str(self.error), "trouble")

    def lost(self) -> Outcome:
        """What was on the channel is gone: the instrument was switched off, or somebody else loaded it. What
        is left of the run is for a person to begin, who has looked at the cell."""
        self.bench.close()
        self.alarm(
            "lost", "the run has not ended: what is left of it waits until somebody continues or ends it"
        )
        self.outside.lost(str(self.error))
        return self.unended(self.error)

    def left_behind(self, error: ChannelError) -> Outcome:
        """A call never came back."""
        self.logbook.tell(Event(self.now_s(), 2, "left_behind", 0, str(error)))
        return self.unended(error, hangs=True)

    def unended(self, error: NakctlError | None, *, hangs: bool = False) -> Outcome:
        """Nobody meant the end of the run: it is left for whoever comes after."""
        self.logbook.let_go()
        ledger = self.logbook.book.ledger
        duration_s = float(ledger.last_sample["time"][0])
        return Outcome(
            "interrupted", str(error), duration_s, ledger.rows, ledger.spectra.count, error,
            cell_open=False, hangs=hangs, goes_on=True,
        )  # fmt: skip

    def outcome(self) -> Outcome:
        """Hand over the last step and the last events, and say how it ended."""
        ending = self.ended or interrupted("the run was left")
        if not self.cell_open:
            ending = replace(ending, reason=f"{ending.reason}: {UNDER_CURRENT}")
            self.error = self.error or ChannelError(ending.reason)
        if self.error is not None:
            self.logbook.over(ending)
        self.logbook.meant("end", ending=ending.as_json())
        self.logbook.note(0 if ending.status == "completed" else 2, "end", ending.reason)
        self.bench.close()
        self.requests.over(ending, self.cell_open)
        self.logbook.finish()
        if self.logbook.lost is not None and self.error is None:  # else the first trouble is the one to tell
            self.fail(self.logbook.lost)
            ending = self.ended or ending
        ledger = self.logbook.book.ledger
        duration_s = float(ledger.last_sample["time"][0])
        return Outcome(
            ending.status, ending.reason, duration_s, ledger.rows, ledger.spectra.count, self.error,
            self.cell_open, ending.kind, ending.end_id, ending.value,
        )  # fmt: skip
