"""Going on with a run whose program died: recognised by its mark, nothing loaded, in the same file, to its
end.

The process that does it is a `runner`. Where it is not certain that what is on the channel is this run's,
nothing is touched, the journal neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nakctl.cli.dead_run import Asked, DeadRun, SealAsItIs, adopt, opened, recognised, refuse_old
from nakctl.cli.going_on import NotKept, gone_on_with
from nakctl.cli.one_run import Ended, Show, sealed
from nakctl.cli.signals import StopAsked
from nakctl.cli.stop_dead import HAD_ENDED, recovered
from nakctl.errors import ChannelError, ChannelTaken, InputError, NakctlError, RecordError, typed
from nakctl.record import fence
from nakctl.record.journal_reader import JournalReader
from nakctl.record.recorder import Recorder
from nakctl.run import successor
from nakctl.run.run import UNDER_CURRENT
from nakctl.run.successor import Chain


def take_over(path: Path, asked: Asked, signals: StopAsked, show: Show) -> dict[str, Any]:
    """To the end of the run; how it ended.

    NakctlError: nothing has changed.
    """
    with fence.fenced(path) as held:
        case = DeadRun(path, held, JournalReader(path), asked, signals)
        try:
            recorder, ended, trouble = _gone_on(case, show)
        except SealAsItIs as found:
            case.journal.close()
            held.close()
            show.recording(path)
            return recovered(case, found)
        finally:
            case.journal.close()
        return sealed(recorder, case.header, ended, trouble)


def _gone_on(case: DeadRun, show: Show) -> tuple[Recorder, Ended, NakctlError | None]:
    refuse_old(case)
    end = case.journal.end()
    if end is not None:
        _refuse_under_current(case, end["end_reason"])
        raise SealAsItIs(HAD_ENDED, end["end_reason"])
    chain = successor.last_chain(case.journal)
    try:
        return _with_channel(case, chain, show)
    except ChannelTaken as error:
        if not case.asked.anew:
            more = f"nakctl attach --continue {typed(case.path)} begins what is left of the run"
            raise ChannelTaken(f"{error}; {more}") from None
    return _with_channel(case, chain, show, anew=True)


def _with_channel(
    case: DeadRun, chain: Chain, show: Show, *, anew: bool = False
) -> tuple[Recorder, Ended, NakctlError | None]:
    """anew: nothing of the run is on the channel. It is opened as for a new run then, and whoever uses it is
    not disturbed."""
    is_lost, adopting = chain.may_run and anew, chain.may_run and not anew
    with opened(case, "going on with", adopting=adopting) as channel:
        look = None if anew else recognised(case, chain, channel)
        if adopting:
            adopt(case, chain, channel)
        try:
            recorder, outcome = gone_on_with(
                case, chain, channel, look, None, begun=show.recording, is_lost=is_lost
            )
        except NotKept as error:
            raise RecordError(
                f"{case.path.name} is not gone on with, its channel left as it is: {error}"
            ) from None
        trouble: NakctlError | None = None
        try:
            if not outcome.hangs:
                channel.close()
        except ChannelError as error:
            trouble = error
    return recorder, Ended(outcome), trouble


def _refuse_under_current(case: DeadRun, reason: str) -> None:
    if UNDER_CURRENT in reason:
        raise InputError(
            f"{case.path} has ended, and its channel was not seen stopped: nakctl stop {typed(case.path)}"
        )
