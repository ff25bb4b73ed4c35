"""A channel that is loaded, started and read, and that nobody stops."""

from __future__ import annotations

import numpy as np

from nakctl.device.channel import Channel, Rows, State, Watch
from nakctl.device.program import Segment


def unwatched(channel: Channel, segment: Segment) -> tuple[Rows, Rows]:
    """Samples and points of a chain that nobody stops."""
    channel.load(segment)
    channel.start()
    readings = [channel.read(Watch())]
    while readings[-1].state is State.RUNNING:
        readings.append(channel.read(Watch()))
    return (
        np.concatenate([each.samples for each in readings]),
        np.concatenate([each.points for each in readings]),
    )
