"""In the place of a program that died: its journal goes on, and its chain, by the loop of every run.

    the lock > connected > whose? > adopted > limits > the journal goes on > replayed, with a look at limits
    meanwhile > the loop

With a reason to end the run the loop only stops the channel and fetches its rows; without one it goes on to
the end of the program.
"""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from nakctl.booking import layout
from nakctl.booking.ending import Ending
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.booking.ledger import Booked
from nakctl.cli import console
from nakctl.cli.dead_run import DeadRun, unwatched_s, where
from nakctl.cli.from_outside import born_s, outside
from nakctl.cli.one_run import poll_s
from nakctl.cli.run_sensors import beside
from nakctl.decide.guard import Guard
from nakctl.device.channel import Channel, Look
from nakctl.device.instrument import instrument
from nakctl.device.sensor import Sensors, SensorSpec
from nakctl.errors import ChannelError, RecordError
from nakctl.record import registry
from nakctl.record.asked import who_asks
from nakctl.record.boot import boot_id
from nakctl.record.journal import Journal
from nakctl.record.recorder import Legacy, Recorder
from nakctl.record.registry import KnownRun
from nakctl.record.slot import blocks_of, state_of
from nakctl.run import successor
from nakctl.run.clock import WallClock
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.postman import Postman, delivered
from nakctl.run.requests import HEARD_IN, Heard
from nakctl.run.run import Outcome, run
from nakctl.run.successor import Chain, Left
from nakctl.text.numbers import duration

LOOK_EVERY_s = 0.2  # at the cell, while the journal is replayed


class NotKept(Exception):
    """What is fetched could not be kept: the channel can only be switched off."""


def gone_on_with(
    case: DeadRun,
    chain: Chain,
    channel: Channel,
    look: Look | None,
    ending: Ending | None,
    begun: Callable[[Path], None] = lambda path: None,
    *,
    is_lost: bool = False,
) -> tuple[Recorder, Outcome]:
    """The channel is adopted, if a chain may run there. ending: why the run ends now; None: it goes on. begun
    is called when the record goes on. is_lost: the chain is on the channel no more.

    NotKept: of what may run there nothing could be recorded.
    """
    news = (state_of(case.path) or {}).get("news", ())  # before the slot is made anew
    try:
        recorder, events = resumed(case, chain, ending)
    except RecordError as error:
        raise NotKept(f"nothing can be recorded ({error})") from error
    begun(case.path)
    known = known_again(case)
    seen = outside(recorder, known, case.header, news=news)
    seen.happened(events)
    seen.opening()
    if ending is None and (trouble := registry.enter(known)):
        console.say(f"{case.path.name}: {trouble}", to=sys.stderr)
    try:
        watch = _Watch(case, chain, channel, seen)
        runs = chain.may_run and not is_lost and (look is None or look.running)
        left = replace(_left(case, chain, recorder, watch, look, ending, runs=runs), is_lost=is_lost)
    except RecordError as error:  # what is written from here on, nobody could read
        recorder.abandon()
        raise NotKept(f"its journal is damaged ({error})") from error
    except BaseException:
        recorder.abandon()
        raise
    return recorder, _run(case, channel, recorder, left, seen, goes_on=ending is None)


def _left(
    case: DeadRun,
    chain: Chain,
    recorder: Recorder,
    watch: _Watch,
    look: Look | None,
    ending: Ending | None,
    *,
    runs: bool,
) -> Left:
    """What the dead one left, replayed. The cell comes first: what runs and has to be stopped is, before;
    and its limits are looked at meanwhile."""
    if runs and (stop := ending or watch.met(look)) is not None:
        if chain.stop is None:
            recorder.append([_meant_to_stop(chain, recorder, stop)])
        watch.stop()
    with watch.while_it(runs=runs):
        left = successor.replayed(case.journal, 0.0)
    left = replace(left, now_s=_now_s(case, chain))
    if runs:
        left = _dated(left, watch.look or look)
    if watch.ending is not None:
        recorder.append([_meant_to_stop(chain, recorder, watch.ending)])
        left = replace(left, chain=replace(left.chain, stop=watch.ending))
    return left


def _dated(left: Left, look: Look | None) -> Left:
    """No earlier than the instrument's clock says: that of the computer may have been set back."""
    if look is None or not math.isfinite(look.elapsed_s):
        return left
    began_s = left.book.start_s if left.called_s is None else left.called_s
    return replace(left, now_s=max(left.now_s, began_s + look.elapsed_s))


def _run(
    case: DeadRun, channel: Channel, recorder: Recorder, left: Left, seen: Outside, *, goes_on: bool
) -> Outcome:
    heard = Heard.of(reversed([*case.journal.latest(*HEARD_IN)]))
    program, about = left.book.program, instrument(where(case.header, case.asked.rig)[1].instrument)
    assert program is not None  # of a journal of this version
    with (
        _Telling() as telling,
        _sensors(case, goes_on=goes_on) as sensors,
        delivered(Postman(case.path, clear=False) if goes_on else None) as post,
    ):
        return run(
            program,
            channel,
            WallClock(case.speed),
            recorder,
            poll_s=poll_s(program, about, case.speed),
            reaction_s=about.reaction_s,
            samples=case.journal.tables["samples"],
            observe=telling,
            stop_asked=case.signals,
            times_asked=case.signals.count,
            run_id=recorder.run_id,
            heard=heard,
            post=post,
            sensors=sensors,
            left=left,
            outside=seen,
            outlives=True,
        )


@contextmanager
def _sensors(case: DeadRun, *, goes_on: bool) -> Iterator[Sensors | None]:
    """Those that the run had; who only stops it reads none."""
    told = case.header.get("sensors") or [] if goes_on else []
    specs = tuple(SensorSpec.from_json(each) for each in told)
    with beside(case.path, specs, free=False, goes_on=True) as sensors:
        yield sensors


def known_again(case: DeadRun) -> KnownRun:
    """The entry of the run among those of this computer, with the program that goes on with it."""
    from nakctl.cli.which_run import of_header

    run_id = str(case.header["run_id"])
    listed = next((each for each in registry.known_runs() if each.run_id == run_id), None)
    known = listed or of_header(case.path.resolve(), case.header)
    return replace(known, pid=os.getpid(), boot=boot_id(), born_s=born_s())


def resumed(case: DeadRun, chain: Chain, ending: Ending | None) -> tuple[Recorder, list[Event]]:
    """The record, and what is told in it: who goes on, and what may be missing. RecordError."""
    unix_s = time.time()
    time_s = successor.now_s(chain, unix_s, case.speed)
    alone_s = unwatched_s(chain)
    text = f"the program of the run had died; nobody watched for {duration(alone_s)} at the most"
    events = [Event(time_s, 1, "taken_over", 0, text, {"unwatched_s": alone_s, "why": case.asked.why})]
    blocks = blocks_of(case.path)
    missing = 0 if blocks is None else max(0, blocks.begun - chain.block)
    if missing:
        many = f"{missing} blocks of rows" if missing > 1 else "one block of rows"
        text = f"{many} may be missing here: the program ended while it fetched or kept them"
        events.append(Event(time_s, 1, layout.GAP_CODE, 0, text, {"blocks": missing}))
    run_id = str(case.header["run_id"])
    legacy = Legacy(run_id, case.asked.why, time_s, unix_s, chain.block, chain.sensor_block, events)
    journal = Journal.reopen(case.path, case.held, case.journal.elsewhere())
    recorder = Recorder.resume(case.path, journal, legacy, watched=ending is None)
    if ending is not None:
        told = {"verb": "stop", "who": who_asks(), "reason": ending.reason}
        recorder.append([Entry("asked", chain.number, time_s, unix_s, told)])
    return recorder, events


def _meant_to_stop(chain: Chain, recorder: Recorder, ending: Ending) -> Entry:
    facts = {"verb": "stop", "ending": ending.as_json(), "step_count": 0}
    return Entry("meant", chain.number, recorder.time_s, time.time(), facts)


def _now_s(case: DeadRun, chain: Chain) -> float:
    return successor.now_s(chain, time.time(), case.speed)


class _Watch:
    """Until the loop does all that itself, for a long journal takes a minute to replay: others are told that
    somebody is here, limits are judged by what the channel shows, and what is to be stopped is told so again.

    ending  that a limit asked for meanwhile; look: the newest
    """

    def __init__(self, case: DeadRun, chain: Chain, channel: Channel, seen: Outside) -> None:
        program = case.journal.book().program
        assert program is not None
        self.channel, self.seen = channel, seen
        self.ending: Ending | None = None
        self.look: Look | None = None
        self._stops = False
        self._nothing = Booked.nothing(case.journal.tables["samples"].dtype)
        self._guard = Guard(program)
        if chain.number:
            self._guard.open_segment(chain.segment, 0.0)
            self._guard.asked = None  # how long its step has lasted, only the journal knows
        self._over = threading.Event()

    def met(self, look: Look | None) -> Ending | None:
        return self._guard.judge(self._nothing, look)

    def stop(self) -> None:
        """Until it is seen that it has."""
        self._stops = True
        with suppress(ChannelError):
            self.channel.stop()

    @contextmanager
    def while_it(self, *, runs: bool) -> Iterator[None]:
        """runs: there is something to look at."""
        thread = threading.Thread(target=self._watch, args=(runs,), name="watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self, runs: bool) -> None:
        while not self._over.wait(LOOK_EVERY_s):
            self.seen.opening()
            if not runs:
                continue
            with suppress(ChannelError):
                self.look = self.channel.look() or self.look
                if not self._stops and (ending := self.met(self.look)) is not None:
                    self.ending, self._stops = ending, True
                if self._stops and (self.look is None or self.look.running):
                    self.channel.stop()


class _Telling:
    """Alarms and warnings, as they come. A terminal that stands still holds nobody up."""

    def __init__(self) -> None:
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._print, daemon=True)

    def __call__(self, progress: Progress) -> None:
        for event in progress.news:
            self.lines.put(event.message)

    def __enter__(self) -> _Telling:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.lines.put(None)
        self._thread.join(console.PATIENCE_s)

    def _print(self) -> None:
        while (line := self.lines.get()) is not None:
            console.say(line, to=sys.stderr)
