"""A campaign that another process carries out, seen from outside: by its files, as runs are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from nakctl.campaign.order import State
from nakctl.cli.campaigns.channels import Channels
from nakctl.cli.campaigns.found import found
from nakctl.cli.campaigns.going import Row, Show, Wish
from nakctl.errors import InputError

EVERY_s = 1.0


def look_on(rows: Sequence[Row], goes_on: Callable[[], bool], show: Show, wish: Wish) -> bool:
    """Until it is over; False: nobody wants to see it. Changes nothing but what is known in the rows."""
    channels = Channels()
    while True:
        is_last = not goes_on()
        for number, row in enumerate(rows):
            if row.state in (State.MISSING, State.RUNNING, State.DEAD):
                _look(number, row, channels, show)
        channels.look()
        while not channels.said.empty():
            show.warn(channels.said.get())
        for number, watched in channels.going.items():
            row = rows[number]
            row.where, row.health, row.ends = watched.state, watched.health.word, watched.run.ends
        show.draw(rows)
        wish.look(on_channels=False)
        if is_last or wish.stops or wish.leaves:
            return is_last
        time.sleep(EVERY_s)


def _look(number: int, row: Row, channels: Channels, show: Show) -> None:
    before = row.state
    with suppress(InputError):  # it is just being put in its place
        row.take(found(row.one))
    if row.state is State.RUNNING and number not in channels.going:
        channels.watch(number, row.one.out)
    if row.state is State.RUNNING and before is State.MISSING:
        show.begun(row)
    elif row.state in (State.DONE, State.FAILED):
        show.ended(row)
