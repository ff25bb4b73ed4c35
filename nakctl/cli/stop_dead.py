"""`nakctl stop NAME.h5` for a run whose program is dead: the cell is switched off, its rows come home.

    the lock > whose is the channel? > adopt > look > stop > replay the journal > read to its end > seal

The cell comes first: it is told to stop before anything is replayed. Where it is not certain that what runs
there is this run's, nothing is touched; the journal is changed only once that is known.
"""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from nakctl.booking import layout
from nakctl.booking.ending import Ending, interrupted
from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event
from nakctl.cli import console
from nakctl.cli.json_output import print_last
from nakctl.cli.report import report
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.decide.stopping import AGAIN_s, Stopping
from nakctl.device.cell import Cell
from nakctl.device.channel import Channel, Look
from nakctl.device.driver import Driver, Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Eis, Loop
from nakctl.errors import (
    ChannelError,
    ChannelGone,
    ChannelTaken,
    ExitCode,
    InputError,
    LinkLost,
    RecordError,
    RigError,
)
from nakctl.record import fence
from nakctl.record.asked import who_asks
from nakctl.record.boot import boot_id
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.recorder import Finished, Legacy, Recorder
from nakctl.record.recover import recover
from nakctl.record.slot import blocks_of
from nakctl.rig import RIG_FILE, find_rig, load_driver
from nakctl.rig.claim import claimed
from nakctl.run import successor
from nakctl.run.clock import WallClock
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.run import UNDER_CURRENT, Outcome, run
from nakctl.run.successor import Chain
from nakctl.text.numbers import duration, si

REFUSED_AGAIN_s = 30.0  # a stop without rows that was refused or not heard is tried for so long


@dataclass(frozen=True, slots=True)
class Asked:
    """How the end is asked for.

    mine     the channel is to be switched off whosever it seems: then no row of it is taken
    standing only a chain that has come to its end by itself is cleared up: one that runs is left alone
    """

    mine: bool = False
    standing: bool = False
    rig: Path | None = None

    def sentence(self, unwatched_s: float) -> str:
        """Why the run ends. unwatched_s: for how long nobody had watched."""
        if self.standing:
            return f"its program had died {duration(unwatched_s)} before, and nobody went on with it"
        unwatched = f"its program had died, and nobody watched for {duration(unwatched_s)}"
        return f"stopped by {who_asks()}; {unwatched}"


def stop_dead(path: Path, asked: Asked, as_json: bool) -> int:
    """Switch off the cell of a run whose program is gone, fetch its rows, and seal its file.

    0 the cell is open and the file is sealed; 1 the file is not sealed; 2 there is no such run, or it is
    recorded by somebody; 3 the cell was not seen open, or is not known to be this run's: told and left alone.
    """
    with asked_to_stop() as signals:
        told = finish_dead(path, asked, signals)
        if as_json:
            print_last(told)
        else:
            from nakctl.cli.screen.run_screen import closing_lines

            console.say(*closing_lines(told))
    return int(told["exit_code"])


def finish_dead(path: Path, asked: Asked, signals: StopAsked) -> dict[str, Any]:
    """The same; what there is to report. NakctlError: nothing has changed."""
    with fence.fenced(path) as held:
        journal = JournalReader(path)
        case = _Case(path, held, journal, asked, signals)
        try:
            return _finished(case)
        except _Recover as found:
            journal.close()
            held.close()
            return _recovered(case, found)
        finally:
            journal.close()


class _Recover(Exception):
    """There is nothing to fetch, or nothing that could be kept, and the cell is open: the file is sealed as
    it is. reason: why the run ended, as far as its journal tells.
    """

    def __init__(self, why: str, reason: str = "") -> None:
        super().__init__(why)
        self.reason = reason or why


@dataclass(frozen=True, slots=True)
class _Case:
    path: Path
    held: BinaryIO
    journal: JournalReader
    asked: Asked
    signals: StopAsked

    @property
    def header(self) -> Mapping[str, Any]:
        return self.journal.header

    @property
    def speed(self) -> float:
        return float(self.header.get("speed") or 1.0)


def _finished(case: _Case) -> dict[str, Any]:
    """From the lock to the report."""
    _refuse_old(case)
    try:
        end = case.journal.end()
        if end is not None and UNDER_CURRENT not in end["end_reason"]:
            raise _Recover(
                "the run had come to its end before, and its file was not sealed yet", end["end_reason"]
            )
        chain = successor.last_chain(case.journal)
    except JournalDamage as damage:
        return _switched_off_damaged(case, damage)
    if not chain.may_run:
        return _closed(case, chain, "nothing of it was on the channel any more")
    with _opened(case) as channel:
        return _with_channel(case, chain, channel)


def _refuse_old(case: _Case) -> None:
    if "journal" not in case.header:
        raise InputError(
            f"{case.path} was recorded by an older nakctl, which did not keep how its channel is gone on "
            f"with: stop that in the maker's program, then nakctl recover {case.path}"
        )


# --- the channel -----------------------------------------------------------------------------------------


@contextmanager
def _opened(case: _Case) -> Iterator[Channel]:
    """Connected, with nothing loaded, started or stopped. ChannelError: nothing has changed."""
    driver, place, cell = where(case.header, case.asked.rig)
    with claimed(place, f"the stop of {case.path.name}", case.path):
        try:
            channel = driver.open(place, cell, WallClock(case.speed), 0, adopting=True)
        except ChannelGone as gone:
            raise _Recover(str(gone)) from None
        except ChannelTaken as error:
            recover_it = f"what was recorded: nakctl recover --as-it-is {case.path}"
            raise ChannelTaken(f"{error} What runs there now is left alone; {recover_it}") from None
        except ChannelError as error:
            kind = LinkLost if isinstance(error, LinkLost) else ChannelError
            raise kind(f"{_nothing_changed(case)}: {error}") from None
        try:
            yield channel
        finally:
            with suppress(ChannelError):  # whether the cell is open was asked before
                channel.close()


def _nothing_changed(case: _Case) -> str:
    return f"{case.path.name} stays as it is, and its cell may be under current; try again"


def where(header: Mapping[str, Any], rig_file: Path | None) -> tuple[Driver, Place, Cell]:
    """The channel that a run was on: as its journal says, what that lacks as rig.yaml says. RigError."""
    sample = header.get("sample") or {}
    cell = Cell(str(sample.get("name", "")), float(sample.get("area_cm2") or 0.0) or 1.0)
    told = header.get("place")
    if told is None:
        told = _place_of_old(header, rig_file)
    place = Place(
        told["name"], told["driver"], told["instrument"], int(told["channel"]), dict(told["options"])
    )
    return load_driver(place.driver), place, cell


def is_on(path: Path, place: Place) -> bool:
    """Whether an unsealed run was on this very channel, whatever it was called."""
    with closing(JournalReader(path)) as journal:
        _, mine, _ = where(journal.header, None)
    return _seat(mine) == _seat(place)


def _seat(place: Place) -> tuple[str, str, int]:
    return place.driver, str(place.options.get("address", "")).strip().lower(), place.channel


def _place_of_old(header: Mapping[str, Any], rig_file: Path | None) -> dict[str, Any]:
    """Of a journal that says less: the rest stands in the rig, under the name of the channel."""
    about = header.get("instrument") or {}
    facts, name, driver = about.get("facts") or {}, str(about.get("channel", "")), about.get("driver")
    rig = find_rig(rig_file)
    row = rig.places.get(name)
    if driver is None or (row is not None and row.driver != driver):
        raise RigError(f"{name} of {rig.file or RIG_FILE} is no channel of the driver that recorded this run")
    options: dict[str, Any] = {} if row is None else dict(row.options)
    if "address" in facts:
        options["address"] = facts["address"]
    elif row is None and load_driver(driver).outlives:
        raise RigError(
            f"the journal does not say where {name} is, and {RIG_FILE} has no channel of that name"
        )
    model = about["model"] if row is None else row.instrument
    number = facts.get("channel_number", 1 if row is None else row.channel)
    return {"name": name, "driver": driver, "instrument": model, "channel": number, "options": options}


def _with_channel(case: _Case, chain: Chain, channel: Channel) -> dict[str, Any]:
    """Whose it is decides."""
    try:
        mark, look = channel.whose(), channel.look()
    except LinkLost as error:
        raise LinkLost(f"{_nothing_changed(case)}: {error}") from None
    whose = successor.owner(mark, str(case.header["run_id"]), chain)
    if whose != "this run":
        if case.asked.mine:
            return _switched_off(case, chain, channel, f"the channel said that it was of {_named(mark)}")
        raise ChannelTaken(_left_alone(case, mark, look))
    if case.asked.standing and (look is None or look.running):
        raise ChannelError(f"{case.path.name} goes on there: nakctl stop {case.path} switches it off")
    _say(case, f"{case.path.name} is on the channel, {_seen(look)}")
    try:
        channel.adopt(chain.segment, chain.memo, chain.mark)
    except LinkLost as error:
        raise LinkLost(f"{_nothing_changed(case)}: {error}") from None
    return _ended(case, chain, channel, look)


def _left_alone(case: _Case, mark: str, look: Look | None) -> str:
    return (
        f"the channel of {case.path.name} is {_seen(look)}, and says that it is of {_named(mark)}, not "
        "of this run: it is left alone. --mine switches it off all the same, and takes none of its rows; "
        f"what {case.path.name} had recorded: nakctl recover --as-it-is {case.path}"
    )


def _named(mark: str) -> str:
    return f'"{mark}"' if mark else "nobody: it has no mark"


def _seen(look: Look | None) -> str:
    if look is None:
        return "which does not answer now"
    values = f"{si(look.Ewe_V, 'V')}, {si(look.I_A, 'A')}"
    return f"under current or at rest in a step ({values})" if look.running else f"stopped ({values})"


# --- with its rows ---------------------------------------------------------------------------------------


def _ended(case: _Case, chain: Chain, channel: Channel, look: Look | None) -> dict[str, Any]:
    """Stopped, its rows fetched, its end written."""
    try:
        recorder, ending = _resumed(case, chain)
    except RecordError as error:
        return _switched_off(case, None, channel, f"nothing can be recorded ({error})")
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
        return _switched_off(case, None, channel, f"its journal is damaged ({error})")
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


def _facts(case: _Case) -> dict[str, Any]:
    """What others see of who goes on."""
    return {"run_id": str(case.header["run_id"]), "pid": os.getpid(), "boot": boot_id()}


def _resumed(case: _Case, chain: Chain) -> tuple[Recorder, Ending]:
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


def _now_s(case: _Case, chain: Chain) -> float:
    return successor.now_s(chain, time.time(), case.speed)


def _poll_s(case: _Case, chain: Chain) -> float:
    about = instrument(where(case.header, case.asked.rig)[1].instrument)
    has_eis = any(isinstance(each, Eis) for each in chain.segment.techniques if not isinstance(each, Loop))
    return (about.eis_poll_s if has_eis else about.poll_s) / max(1.0, case.speed)


def _closed(case: _Case, chain: Chain, why: str) -> dict[str, Any]:
    """There is nothing to stop, and nothing to fetch: the run is ended as its journal says."""
    left = successor.replayed(case.journal, 0.0)
    recorder, asked = _resumed(case, chain)
    ending = successor.led_to(left, asked)
    entries = []
    if chain.is_over and not chain.told:
        facts = {"ending": ending.as_json(), "is_met": False}
        entries.append(Entry("over", chain.number, recorder.time_s, time.time(), facts))
    facts = {"verb": "end", "ending": ending.as_json()}
    entries.append(Entry("meant", chain.number, recorder.time_s, time.time(), facts))
    end = Event(recorder.time_s, 0 if ending.status == "completed" else 2, "end", 0, ending.reason)
    recorder.append([*entries, event_entry(end, segment=chain.number, unix_s=time.time())])
    _say(case, f"{case.path.name}: {why}")
    ledger = left.book.ledger
    outcome = Outcome(
        ending.status, ending.reason, float(ledger.last_sample["time"][0]), ledger.rows, ledger.spectra.count,
        end_kind=ending.kind, end_id=ending.end_id, end_value=ending.value,
    )  # fmt: skip
    return _sealed(case, recorder, outcome)


def _sealed(case: _Case, recorder: Recorder, outcome: Outcome) -> dict[str, Any]:
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


def _report(case: _Case, finished: Finished, outcome: Outcome) -> dict[str, Any]:
    code = ExitCode.DONE if outcome.cell_open else ExitCode.INSTRUMENT
    if outcome.cell_open and not finished.sealed:
        code = ExitCode.FAILED
    return report(case.header, finished, outcome, outcome.error, code)


# --- without its rows ------------------------------------------------------------------------------------


def _switched_off(case: _Case, chain: Chain | None, channel: Channel, why: str) -> dict[str, Any]:
    """Whatever it is, it is stopped, and none of its rows is taken. chain: None: nothing can be recorded."""
    channel.seize()
    trouble = _insist(channel, case.signals)
    if trouble:
        raise ChannelError(f"{UNDER_CURRENT}: {trouble}; {case.path.name} stays as it is")
    said = f"{why}; it was switched off, and none of its rows was taken"
    if chain is None:
        raise _Recover(said)
    return _closed(case, chain, said)


def _insist(channel: Channel, signals: StopAsked) -> str:
    """Ask for the stop until it is seen, or somebody gives up; then what is wrong."""
    began, stopping = time.monotonic(), Stopping(0.0)
    while True:
        now_s = time.monotonic() - began
        try:
            if stopping.is_due(now_s):
                channel.stop()
            look = channel.look()
            if look is not None and not look.running:
                return ""
        except ChannelTaken as error:
            return str(error)
        except ChannelError as error:
            stopping.why = str(error)
        if alarm := stopping.alarm(now_s, signals.count()):
            console.say(f"{UNDER_CURRENT}: {alarm}", to=sys.stderr)
        if stopping.is_given_up(signals.count()) or now_s > REFUSED_AGAIN_s:
            return stopping.why or "it was told to stop, and runs on"
        time.sleep(AGAIN_s / 3)


def _switched_off_damaged(case: _Case, damage: JournalDamage) -> dict[str, Any]:
    """Of a journal that cannot be read to its end nobody knows where its rows belong."""
    with _opened(case) as channel:
        try:
            mark, look = channel.whose(), channel.look()
        except LinkLost as error:
            raise LinkLost(f"{_nothing_changed(case)}: {error}") from None
        if not mark.startswith(f"nakctl {case.header['run_id']} ") and not case.asked.mine:
            raise ChannelTaken(_left_alone(case, mark, look))
        return _switched_off(case, None, channel, f"its journal is damaged ({damage.reason})")


def _recovered(case: _Case, found: _Recover) -> dict[str, Any]:
    """Sealed from what the journal has."""
    done = recover(case.path)
    outcome = Outcome(done.status, found.reason, math.nan, done.rows, 0)  # type: ignore[arg-type]
    message = f"{found}; {done.message}"
    return report(case.header, Finished(done.path, True, message), outcome, None, ExitCode.DONE)


# --- what is told ----------------------------------------------------------------------------------------


class _Telling:
    """Alarms and warnings, as they come. A terminal that stands still holds nobody up."""

    def __init__(self, case: _Case) -> None:
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


def _say(case: _Case, line: str) -> None:
    console.say(line, to=sys.stderr)
