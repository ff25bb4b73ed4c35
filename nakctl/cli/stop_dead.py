"""`nakctl stop NAME.h5` for a run whose program is dead: the cell is switched off, its rows come home.

    the lock > whose is the channel? > adopt > look > stop > replay the journal > read to its end > seal

The cell comes first: it is told to stop before anything is replayed. Where it is not certain that what runs
there is this run's, nothing is touched; the journal is changed only once that is known.
"""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event
from nakctl.cli import console
from nakctl.cli.dead_run import (
    Asked,
    DeadRun,
    SealAsItIs,
    adopt,
    asked_whose,
    left_alone,
    named,
    opened,
    recognised,
    refuse_old,
    say,
    shown,
)
from nakctl.cli.going_on import NotKept, gone_on_with, resumed
from nakctl.cli.json_output import print_last
from nakctl.cli.report import report
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.decide.stopping import AGAIN_s, Stopping
from nakctl.device.cell import Cell
from nakctl.device.channel import Channel
from nakctl.device.driver import Place
from nakctl.errors import ChannelError, ChannelTaken, ExitCode, InputError, typed
from nakctl.record import fence
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.recorder import Finished, Recorder
from nakctl.record.recover import recover
from nakctl.rig import load_driver
from nakctl.rig.claim import claimed
from nakctl.run import successor
from nakctl.run.clock import WallClock
from nakctl.run.run import UNDER_CURRENT, Outcome
from nakctl.run.successor import Chain

HAD_ENDED = "the run had come to its end before, and its file was not sealed yet"
REFUSED_AGAIN_s = 30.0  # a stop without rows that was refused or not heard is tried for so long


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
        case = DeadRun(path, held, journal, asked, signals)
        try:
            return _finished(case)
        except SealAsItIs as found:
            journal.close()
            held.close()
            return recovered(case, found)
        finally:
            journal.close()


def _finished(case: DeadRun) -> dict[str, Any]:
    """From the lock to the report."""
    refuse_old(case)
    try:
        end = case.journal.end()
        if end is not None and UNDER_CURRENT not in end["end_reason"]:
            raise SealAsItIs(HAD_ENDED, end["end_reason"])
        chain = successor.last_chain(case.journal)
    except JournalDamage as damage:
        return _switched_off_damaged(case, damage)
    if not chain.may_run:
        return _closed(case, chain, "nothing of it was on the channel any more")
    with opened(case, "the stop of") as channel:
        return _with_channel(case, chain, channel)


def _with_channel(case: DeadRun, chain: Chain, channel: Channel) -> dict[str, Any]:
    """Whose it is decides."""
    try:
        look = recognised(case, chain, channel)
    except ChannelTaken:
        if not case.asked.mine:
            raise
        return _switched_off(
            case, chain, channel, f"the channel said that it was of {named(channel.whose())}"
        )
    if case.asked.standing and (look is None or look.running):
        raise ChannelError(f"{case.path.name} goes on there: nakctl stop {typed(case.path)} switches it off")
    say(case, f"{case.path.name} is on the channel, {shown(look)}")
    try:
        adopt(case, chain, channel)
        return _sealed(case, *gone_on_with(case, chain, channel, look, case.asked.ending(chain)))
    except NotKept as error:
        return _switched_off(case, None, channel, str(error))


# --- without its rows ------------------------------------------------------------------------------------


def _switched_off(case: DeadRun, chain: Chain | None, channel: Channel, why: str) -> dict[str, Any]:
    """Whatever it is, it is stopped, and none of its rows is taken. chain: None: nothing can be recorded."""
    channel.seize()
    trouble = _insist(channel, case.signals)
    if trouble:
        raise ChannelError(f"{UNDER_CURRENT}: {trouble}; {case.path.name} stays as it is")
    said = f"{why}; it was switched off, and none of its rows was taken"
    if chain is None:
        raise SealAsItIs(said)
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


def _switched_off_damaged(case: DeadRun, damage: JournalDamage) -> dict[str, Any]:
    """Of a journal that cannot be read to its end nobody knows where its rows belong."""
    with opened(case, "the stop of") as channel:
        mark, look = asked_whose(case, channel)
        if not mark.startswith(f"nakctl {case.header['run_id']} ") and not case.asked.mine:
            raise ChannelTaken(left_alone(case, mark, look))
        return _switched_off(case, None, channel, f"its journal is damaged ({damage.reason})")


def recovered(case: DeadRun, found: SealAsItIs) -> dict[str, Any]:
    """Sealed from what the journal has."""
    done = recover(case.path)
    outcome = Outcome(done.status, found.reason, math.nan, done.rows, 0)  # type: ignore[arg-type]
    message = f"{found}; {done.message}"
    return report(case.header, Finished(done.path, True, message), outcome, None, ExitCode.DONE)


def stop_channel(place: Place, mine: bool, as_json: bool) -> int:
    """Switch off a channel of which no run is known here; mine: somebody said that this may be done.

    InputError: it stands. ChannelTaken: it runs, and nobody said so. ChannelError: it was not seen stopped.
    """
    driver = load_driver(place.driver)
    with claimed(place, "a stop", Path(place.name)), asked_to_stop() as signals:
        channel = driver.open(place, Cell("", 1.0), WallClock(), 0, adopting=True)
        try:
            mark, look = channel.whose(), channel.look()
            if look is not None and not look.running:
                raise InputError(f"{place.name} is {shown(look)}: there is nothing to stop")
            if not mine:
                raise ChannelTaken(
                    f"{place.name} is {shown(look)}, and says that it is of {named(mark)}; no run of it is "
                    "known here. Give the file of its run, or --mine: it is switched off all the same, and "
                    "none of its rows is taken"
                )
            channel.seize()
            trouble = _insist(channel, signals)
        finally:
            with suppress(ChannelError):
                channel.leave()
    if trouble:
        raise ChannelError(f"{UNDER_CURRENT}: {trouble}")
    told = f"{place.name}: it was switched off, and the cell is open; none of its rows was taken"
    if as_json:
        print_last({"channel": place.name, "exit_code": 0, "text": told, "cell_open": True})
    else:
        console.say(told)
    return ExitCode.DONE


def _closed(case: DeadRun, chain: Chain, why: str) -> dict[str, Any]:
    """There is nothing to stop, and nothing to fetch: the run is ended as its journal says."""
    left = successor.replayed(case.journal, 0.0)
    asked = case.asked.ending(chain)
    recorder, _ = resumed(case, chain, asked)
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
        again = f"not sealed, so that it can be asked for again: nakctl stop {typed(case.path)}"
        finished = Finished(case.path, False, again)
    else:
        finished = recorder.finish(
            outcome.status, outcome.reason, {"cell_state": "open"},
            end_kind=outcome.end_kind, end_id=outcome.end_id, end_value=outcome.end_value,
        )  # fmt: skip
    code = ExitCode.DONE if outcome.cell_open else ExitCode.INSTRUMENT
    if outcome.cell_open and not finished.sealed:
        code = ExitCode.FAILED
    return report(case.header, finished, outcome, outcome.error, code)
