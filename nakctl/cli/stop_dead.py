"""`nakctl stop NAME.h5` for a run whose program is dead: the cell is switched off, its rows come home.

    the lock > whose is the channel? > adopt > look > stop > replay the journal > read to its end > seal

The cell comes first: it is told to stop before anything is replayed. Where it is not certain that what runs
there is this run's, nothing is touched; the journal is changed only once that is known.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

from nakctl.cli import console
from nakctl.cli.dead_run import Asked, DeadRun, SealAsItIs, nothing_changed, opened, say
from nakctl.cli.json_output import print_last
from nakctl.cli.report import report
from nakctl.cli.rows_home import NotKept, closed, fetched
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.decide.stopping import AGAIN_s, Stopping
from nakctl.device.channel import Channel, Look
from nakctl.errors import (
    ChannelError,
    ChannelTaken,
    ExitCode,
    InputError,
    LinkLost,
)
from nakctl.record import fence
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.recorder import Finished
from nakctl.record.recover import recover
from nakctl.run import successor
from nakctl.run.run import UNDER_CURRENT, Outcome
from nakctl.run.successor import Chain
from nakctl.text.numbers import si

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
            return _recovered(case, found)
        finally:
            journal.close()


def _finished(case: DeadRun) -> dict[str, Any]:
    """From the lock to the report."""
    _refuse_old(case)
    try:
        end = case.journal.end()
        if end is not None and UNDER_CURRENT not in end["end_reason"]:
            raise SealAsItIs(
                "the run had come to its end before, and its file was not sealed yet", end["end_reason"]
            )
        chain = successor.last_chain(case.journal)
    except JournalDamage as damage:
        return _switched_off_damaged(case, damage)
    if not chain.may_run:
        return closed(case, chain, "nothing of it was on the channel any more")
    with opened(case) as channel:
        return _with_channel(case, chain, channel)


def _refuse_old(case: DeadRun) -> None:
    if "journal" not in case.header:
        raise InputError(
            f"{case.path} was recorded by an older nakctl, which did not keep how its channel is gone on "
            f"with: stop that in the maker's program, then nakctl recover {case.path}"
        )


# --- whose it is ----------------------------------------------------------------------------------------


def _with_channel(case: DeadRun, chain: Chain, channel: Channel) -> dict[str, Any]:
    """Whose it is decides."""
    try:
        mark, look = channel.whose(), channel.look()
    except LinkLost as error:
        raise LinkLost(f"{nothing_changed(case)}: {error}") from None
    whose = successor.owner(mark, str(case.header["run_id"]), chain)
    if whose != "this run":
        if case.asked.mine:
            return _switched_off(case, chain, channel, f"the channel said that it was of {_named(mark)}")
        raise ChannelTaken(_left_alone(case, mark, look))
    if case.asked.standing and (look is None or look.running):
        raise ChannelError(f"{case.path.name} goes on there: nakctl stop {case.path} switches it off")
    say(case, f"{case.path.name} is on the channel, {_seen(look)}")
    try:
        channel.adopt(chain.segment, chain.memo, chain.mark)
    except LinkLost as error:
        raise LinkLost(f"{nothing_changed(case)}: {error}") from None
    try:
        return fetched(case, chain, channel, look)
    except NotKept as error:
        return _switched_off(case, None, channel, str(error))


def _left_alone(case: DeadRun, mark: str, look: Look | None) -> str:
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
    return closed(case, chain, said)


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
    with opened(case) as channel:
        try:
            mark, look = channel.whose(), channel.look()
        except LinkLost as error:
            raise LinkLost(f"{nothing_changed(case)}: {error}") from None
        if not mark.startswith(f"nakctl {case.header['run_id']} ") and not case.asked.mine:
            raise ChannelTaken(_left_alone(case, mark, look))
        return _switched_off(case, None, channel, f"its journal is damaged ({damage.reason})")


def _recovered(case: DeadRun, found: SealAsItIs) -> dict[str, Any]:
    """Sealed from what the journal has."""
    done = recover(case.path)
    outcome = Outcome(done.status, found.reason, math.nan, done.rows, 0)  # type: ignore[arg-type]
    message = f"{found}; {done.message}"
    return report(case.header, Finished(done.path, True, message), outcome, None, ExitCode.DONE)
