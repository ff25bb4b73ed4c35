"""The link to one channel, and how it is brought back after a pulled cable.

A channel runs on by itself and keeps its rows in its memory. So nothing is loaded when the link is back, and
no firmware: reading goes on where it was.
"""

from __future__ import annotations

import uuid
from typing import NoReturn

from nakctl.device.driver import ClockLike
from nakctl.errors import ChannelError, LinkLost
from nakctl_biologic.codes import Firmware
from nakctl_biologic.device import Device
from nakctl_biologic.errors import EclibError

# Between tries, about a minute in all: a switch that starts anew is back by then.
PAUSES_s = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 10.0, 10.0, 10.0, 10.0)


class Link:
    """device, number: the channel, from 0. Knows whether the link is up, and how often it was tried."""

    def __init__(self, device: Device, number: int, clock: ClockLike) -> None:
        self.device = device
        self.number = number
        self._clock = clock
        self._signature: str | None = None
        self._tries = 0
        self.down_since_s: float | None = None

    @property
    def is_up(self) -> bool:
        return self.down_since_s is None

    def lost(self) -> None:
        """A call found the link gone."""
        if self.down_since_s is None:
            self.down_since_s = self._clock.now_s()

    def works(self) -> None:
        """Everything was read: tries are counted anew. A connection alone proves nothing."""
        self._tries = 0

    def sign(self) -> None:
        """Write this run's own mark on the channel, if it takes one, to know it again."""
        mark = f"nakctl {uuid.uuid4().hex}"
        try:
            self.device.sign(self.number, mark)
            readable = self.device.signature(self.number) == mark
        except LinkLost:
            raise
        except (EclibError, KeyError):
            readable = False
        self._signature = mark if readable else None

    def try_again(self) -> float | None:
        """Wait a while and try once to come back: how long the link was down, or None if it still is.

        LinkLost: that was the last try. ChannelError: the channel is not the one that was left.
        """
        assert self.down_since_s is not None
        if self._tries == len(PAUSES_s):
            self._give_up("it breaks again and again")
        self._clock.sleep(PAUSES_s[self._tries])
        self._tries += 1
        try:
            self.device.disconnect()
            self.device.connect()
            self._recognise()
        except LinkLost as error:
            if self._tries < len(PAUSES_s):
                return None
            self._give_up(str(error))
        outage_s, self.down_since_s = self._clock.now_s() - self.down_since_s, None
        return outage_s

    def _give_up(self, why: str) -> NoReturn:
        """Who asks again, to stop the channel, gets as many tries again."""
        self._tries = 0
        raise LinkLost(f"{len(PAUSES_s)} tries did not bring the link back: {why}") from None

    def restore(self) -> float:
        """Try until the link is back: how long it was down. LinkLost, ChannelError as above."""
        outage_s = None
        while outage_s is None:
            outage_s = self.try_again()
        return outage_s

    def _recognise(self) -> None:
        code, infos = self.device.channel_infos(self.number)
        if code < 0 or infos.FirmwareCode != Firmware.KERNEL:
            raise ChannelError(
                f"channel {self.number + 1} lost its firmware while the link was down (it was switched off, "
                "or another program took it): the run is over"
            )
        if self._signature is not None and self.device.signature(self.number) != self._signature:
            raise ChannelError(
                f"another program loaded channel {self.number + 1} while the link was down: the run is over"
            )
