"""The rows of a run whose program died come home: fetched behind what its journal has, to its end.

One loop carries that out, `run.run`, begun where the program left off.
"""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from nakctl.booking import layout
from nakctl.booking.ending import Ending, interrupted
from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event
from nakctl.cli import console
from nakctl.cli.dead_run import DeadRun, say, where
from nakctl.cli.report import report
from nakctl.device.channel import Channel, Look
from nakctl.device.instrument import instrument
from nakctl.device.program import Eis, Loop
from nakctl.errors import (
    ChannelError,
    ExitCode,
    RecordError,
)
from nakctl.record.asked import who_asks
from nakctl.record.boot import boot_id
from nakctl.record.journal import Journal
from nakctl.record.recorder import Finished, Legacy, Recorder
from nakctl.record.slot import blocks_of
from nakctl.run import successor
from nakctl.run.clock import WallClock
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.run import Outcome, run
from nakctl.run.successor import Chain
from nakctl.text.numbers import duration


class NotKept(Exception):
    """What is fetched could not be kept: the channel can only be switched off."""


def fetched(case: DeadRun, chain: Chain, channel: Channel, look: Look | None) -> dict[str, Any]:
    """Stopped, its rows fetched, its end written."""
    try:
        recorder, ending = _resumed(case, chain)
    except RecordError as error:
        raise NotKept(f"nothing can be recorded ({error})") from error
    runs = look is None or look.running
    try:
        if runs and chain.stop is None:
            recorder.append([_meant_to_stop(chain, recorder, ending)])
        if runs:
            with suppress(ChannelError):  # it is asked for again, until it is seen
                channel.stop()
        left = successor.replayed(case.journal, _now_s(case, chain))
    except RecordError as error:  # what is written from here on, nobody could read
        recorder.abandon()
        raise NotKept(f"its journal is damaged ({error})") from error
    except BaseException:
        recorder.abandon()
        raise
    with _Telling(case) as telling:
        outcome = run(
            left.book.program,  # type: ignore[arg-type]  # one that meant to load a chain has a program
            channel,
            WallClock(case.speed),
            recorder,
            poll_s=_poll_s(case, chain),
            samples=case.journal.tables["samples"],
            observe=telling,
            stop_asked=lambda: ending.reason,
            times_asked=case.signals.count,
            run_id=str(case.header["run_id"]),
            left=left,
            outside=Outside(recorder.tell, _facts(case)),
        )
    return _sealed(case, recorder, outcome)


def _facts(case: DeadRun) -> dict[str, Any]:
    """What others see of who goes on."""
    return {"run_id": str(case.header["run_id"]), "pid": os.getpid(), "boot": boot_id()}


def _resumed(case: DeadRun, chain: Chain) -> tuple[Recorder, Ending]:
    """The record, and why the run ends now; both stand in the journal."""
    unix_s = time.time()
    time_s = successor.now_s(chain, unix_s, case.speed)
    unwatched_s = 0.0 if math.isnan(chain.unix_s) else max(0.0, unix_s - chain.unix_s)
    ending = Ending("end run", case.asked.sentence(unwatched_s), "aborted", "operator")
    if case.asked.standing:
        ending = interrupted(ending.reason, "trouble")
    text = f"the program of the run had died; nobody watched for {duration(unwatched_s)} at the most"
    events = [Event(time_s, 1, "taken_over", 0, text, {"unwatched_s": unwatched_s})]
    blocks = blocks_of(case.path)
    missing = 0 if blocks is None else max(0, blocks.begun - chain.block)
    if missing:
        many = f"{missing} blocks of rows" if missing > 1 else "one block of rows"
        text = f"{many} may be missing here: the program ended while it fetched or kept them"
        events.append(Event(time_s, 1, layout.GAP_CODE, 0, text, {"blocks": missing}))
    legacy = Legacy(
        str(case.header["run_id"]), "asked", time_s, unix_s, chain.block, chain.sensor_block, events
    )
    journal = Journal.reopen(case.path, case.held, case.journal.elsewhere())
    recorder = Recorder.resume(case.path, journal, legacy)
    told = {"verb": "stop", "who": who_asks(), "reason": ending.reason}
    recorder.append([Entry("asked", chain.number, time_s, unix_s, told)])
    return recorder, ending


def _meant_to_stop(chain: Chain, recorder: Recorder, ending: Ending) -> Entry:
    facts = {"verb": "stop", "ending": ending.as_json(), "step_count": 0}
    return Entry("meant", chain.number, recorder.time_s, time.time(), facts)


def _now_s(case: DeadRun, chain: Chain) -> float:
    return successor.now_s(chain, time.time(), case.speed)


def _poll_s(case: DeadRun, chain: Chain) -> float:
    about = instrument(where(case.header, case.asked.rig)[1].instrument)
    has_eis = any(isinstance(each, Eis) for each in chain.segment.techniques if not isinstance(each, Loop))
    return (about.eis_poll_s if has_eis else about.poll_s) / max(1.0, case.speed)


def closed(case: DeadRun, chain: Chain, why: str) -> dict[str, Any]:
    """There is nothing to stop, and nothing to fetch: the run is ended as its journal says."""
    left = successor.replayed(case.journal, 0.0)
    recorder, asked = _resumed(case, chain)
    ending = successor.led_to(left, asked)
    entries = []
    if chain.is_over and (chain.was_cut or not chain.told):
        facts = {"ending": ending.as_json(), "is_met": False}
        entries.append(Entry("over", chain.number, recorder.time_s, time.time(), facts))
    facts = {"verb": "end", "ending": ending.as_json()}
    entries.append(Entry("meant", chain.number, recorder.time_s, time.time(), facts))
    end = Event(recorder.time_s, 0 if ending.status == "completed" else 2, "end", 0, ending.reason)
    recorder.append([*entries, event_entry(end, segment=chain.number, unix_s=time.time())])
    say(case, f"{case.path.name}: {why}")
    ledger = left.book.ledger
    outcome = Outcome(
        ending.status, ending.reason, float(ledger.last_sample["time"][0]), ledger.rows, ledger.spectra.count,
        end_kind=ending.kind, end_id=ending.end_id, end_value=ending.value,
    )  # fmt: skip
    return _sealed(case, recorder, outcome)


def _sealed(case: DeadRun, recorder: Recorder, outcome: Outcome) -> dict[str, Any]:
    """Of a cell that was not seen open the run is left without an end: it can be asked for again."""
    case.journal.close()  # Windows removes no file that is open
    if not outcome.cell_open:
        recorder.abandon()
        again = f"not sealed, so that it can be asked for again: nakctl stop {case.path}"
        finished = Finished(case.path, False, again)
    else:
        finished = recorder.finish(
            outcome.status, outcome.reason, {"cell_state": "open"},
            end_kind=outcome.end_kind, end_id=outcome.end_id, end_value=outcome.end_value,
        )  # fmt: skip
    return _report(case, finished, outcome)


def _report(case: DeadRun, finished: Finished, outcome: Outcome) -> dict[str, Any]:
    code = ExitCode.DONE if outcome.cell_open else ExitCode.INSTRUMENT
    if outcome.cell_open and not finished.sealed:
        code = ExitCode.FAILED
    return report(case.header, finished, outcome, outcome.error, code)


class _Telling:
    """Alarms and warnings, as they come. A terminal that stands still holds nobody up."""

    def __init__(self, case: DeadRun) -> None:
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
