"""Which run may begin next. Pure: what is known of the runs goes in.

A channel with a clock carries one run at a time; what came of the last one there decides about the next. The
cell comes first: after a run that failed, or whose channel nobody knows, nothing begins there by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nakctl.campaign.model import OnFailure, Order


class State(StrEnum):
    """MISSING: it is to be begun; HELD: it is not, until somebody decides; DEAD: its program is gone and did
    not end it, so nobody knows its channel.
    """

    MISSING = "missing"
    RUNNING = "running"
    DEAD = "DEAD"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"


_FAILURES = (State.FAILED, State.DEAD)
_NOT_ENDED = "a run whose program is gone has not ended"


@dataclass(frozen=True, slots=True)
class Stands:
    """A run of a campaign.

    channel   None: it needs none for itself, as in virtual time
    is_safe   the cell was seen open, and its channel answers; of a run that is over
    why       of one that is held
    """

    channel: str | None
    state: State
    is_safe: bool = True
    why: str = ""


def may_begin(runs: Sequence[Stands], order: Order, on_failure: OnFailure) -> list[int]:
    """Numbers of those that may begin now, on channels one each; without a channel all of them."""
    if on_failure == "stop" and any(run.state in _FAILURES for run in runs):
        return []
    found: list[int] = []
    taken = _taken(runs)
    waits = order == "one after another" and any(
        run.channel is not None and run.state in (State.RUNNING, State.DEAD) for run in runs
    )
    for number, run in enumerate(runs):
        if run.state is not State.MISSING:
            continue
        if run.channel is None:
            found.append(number)
        elif run.channel not in taken and not waits:
            taken.add(run.channel)
            waits = order == "one after another"
            found.append(number)
    return found


def held_up(runs: Sequence[Stands], order: Order, on_failure: OnFailure) -> dict[int, str]:
    """Missing runs that will not begin, whatever else ends, and why."""
    failed = any(run.state is State.FAILED for run in runs)
    dead = any(run.state is State.DEAD for run in runs)
    if on_failure == "stop" and (failed or dead):
        why = "another run failed" if failed else _NOT_ENDED
        return {n: why for n, run in enumerate(runs) if run.state is State.MISSING}
    blocked = {run.channel for run in runs if run.channel is not None and _blocks(run)}
    dead = dead and order == "one after another"
    found = {}
    for number, run in enumerate(runs):
        if run.state is State.MISSING and run.channel is not None and (dead or run.channel in blocked):
            is_blocked = run.channel in blocked
            found[number] = f"nobody knows how the cell on {run.channel} is" if is_blocked else _NOT_ENDED
    return found


def is_over(runs: Sequence[Stands], order: Order, on_failure: OnFailure) -> bool:
    """Nothing goes on, and nothing will begin."""
    going = any(run.state is State.RUNNING for run in runs)
    return not going and not may_begin(runs, order, on_failure)


def _taken(runs: Iterable[Stands]) -> set[str]:
    """Channels on which nothing may begin now."""
    return {
        run.channel
        for run in runs
        if run.channel is not None and (run.state is State.RUNNING or _blocks(run))
    }


def _blocks(run: Stands) -> bool:
    return run.state is State.DEAD or (run.state in (State.FAILED, State.HELD) and not run.is_safe)
