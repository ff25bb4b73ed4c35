"""A run from its program to its outcome; `control` is the loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from nakctl.booking import layout
from nakctl.booking.table import Table
from nakctl.device.channel import Channel
from nakctl.device.program import Program
from nakctl.device.sensor import Sensors
from nakctl.run.clock import Clock
from nakctl.run.control import UNDER_CURRENT, Control, Outcome
from nakctl.run.logbook import Progress
from nakctl.run.outside import Outside
from nakctl.run.postman import NoPost, Post
from nakctl.run.recording import Sink
from nakctl.run.requests import Heard, Requests
from nakctl.run.sensing import NoSensors
from nakctl.run.successor import Left
from nakctl.run.supervisor import supervised
from nakctl.run.taking_over import TakenOver

__all__ = ["UNDER_CURRENT", "Outcome", "REACTION_s", "run"]

REACTION_s = 0.2


def run(
    program: Program,
    channel: Channel,
    clock: Clock,
    sink: Sink,
    *,
    poll_s: float,
    reaction_s: float = REACTION_s,
    samples: Table = layout.SAMPLES,
    observe: Callable[[Progress], None] = lambda progress: None,
    stop_asked: Callable[[], str | None] = lambda: None,
    post: Post | None = None,
    heard: Heard = Heard(),  # noqa: B008  (a value)
    times_asked: Callable[[], int] = lambda: 0,
    sensors: Sensors | None = None,
    run_id: str = "",
    outside: Outside | None = None,
    left: Left | None = None,
    outlives: bool = False,
) -> Outcome:
    """Run a program on a channel until it ends, for whatever reason; the channel is left stopped.

    poll_s: how long to sleep between reads; reaction_s: what the plan promises of the host, longer rounds are
    events. observe is called after every read and may not wait; stop_asked gives the operator's reason to end
    the run, or None; times_asked how often he did: twice more after the alarm leaves a channel that does not
    stop; post brings what others ask for; heard is what they had asked the run for before; run_id stands in
    the mark on the channel; sensors are looked at after every read; outside is told how the run stands; left:
    by a program that died, in whose place this one goes on with the channel it has adopted; outlives: the
    channel goes on without this program, so a call that hangs is no end of the run, nor that something else
    is on the channel. An error that is not
    nakctl's own is raised again after the channel was stopped.
    """
    planned = program if left is None else left.book.planned or program
    outside = outside or Outside(virtual=math.isinf(clock.horizon_s()))
    kind = Control if left is None else partial(TakenOver, left=left)
    control = partial(
        kind, program, channel, clock, samples, sensors or NoSensors(), poll_s=poll_s,
        reaction_s=reaction_s, observe=observe, times_asked=times_asked, run_id=run_id, outside=outside,
        outlives=outlives,
        requests=lambda logbook: Requests(planned, logbook, post or NoPost(), stop_asked, heard),
    )  # fmt: skip
    outside.begin(planned)
    try:
        outcome = supervised(control, clock, sink, channel.patience_s)
    except BaseException:
        outside.end("interrupted", "a fault of nakctl itself")
        raise
    if not outcome.goes_on:
        outside.end(outcome.status, outcome.reason, cell_open=outcome.cell_open)
    return outcome
