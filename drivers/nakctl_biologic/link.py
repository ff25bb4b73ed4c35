"""The link to one channel, and how it is brought back after a pulled cable.

A channel runs on by itself and keeps its rows in its memory. So nothing is loaded when the link is back, and
no firmware: reading goes on where it was. Nothing here waits: a try to come back is made when its time has
come and somebody calls, and there is no last one. How long it is worth is for the run to say.
"""

from __future__ import annotations

import hashlib
import re
import uuid

from nakctl.device.driver import ClockLike
from nakctl.errors import ChannelTaken, LinkLost
from nakctl_biologic.codes import Firmware
from nakctl_biologic.device import Device
from nakctl_biologic.errors import EclibError, EclibLinkLost
from nakctl_biologic.remedies import CUT, LINK

# The instrument has 255 letters for it. A memo has to hold it, too, so it is shorter.
LONGEST_MARK = 120
DIGEST = 16
STRANGE = re.compile(r"[^ !#-\[\]-~]")  # all but the letters that stand for themselves in ASCII and in JSON
REFUSED_s = 30.0  # what refuses an order for so long was no hiccup
PAUSES_s = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # between tries to come back; then always the last


class NotOurs(ChannelTaken):
    """What is on the channel now is not what was loaded there: hands off."""


class Link:
    """device, number: the channel, from 0. Knows since when nobody answers, and when to try again.

    silent_since_s  on the clock; None: the last call that counts was answered
    said            why the last call or the last try failed
    lost            why the channel is somebody else's now, "" as long as it is ours
    mark            by which it is known again; "": it keeps none
    """

    def __init__(self, device: Device, number: int, clock: ClockLike) -> None:
        self.device = device
        self.number = number
        self.silent_since_s: float | None = None
        self.said = ""
        self.lost = ""
        self.mark = ""
        self._next_mark = ""  # that is being written: it may be there already
        self._clock = clock
        self._cut = False  # a new connection is needed
        self._is_new = False  # the connection; nothing was asked since
        self._failures = 0  # calls in a row that were not answered
        self._refused_since_s: float | None = None
        self._tries = 0
        self._next_try_s = 0.0

    def silent(self, error: EclibError) -> None:
        """A call was not heard or not answered. The link is taken for cut if that is certain, or at the
        second time: the first may be a hiccup. On a new connection that is never certain: it may be this
        call alone, and others can tell how the cell is."""
        if self.silent_since_s is None:
            self.silent_since_s = self._clock.now_s()
        self.said = str(error)
        self._failures += 1
        certain = error.code in CUT and not self._is_new
        self._is_new = False
        if not self._cut and (certain or (error.code in LINK and self._failures > 1)):
            self._later()

    def bear(self, error: EclibError) -> None:
        """A question that was not answered is silence; one whose answer ends the run is not."""
        told = error if error.passing else self.weighed(error)
        if not (told.passing or isinstance(told, LinkLost)):
            raise told
        self.silent(told)

    def weighed(self, error: EclibError) -> EclibError:
        """LinkLost: the same call may be made once more. ChannelTaken: the channel itself says so, too.

        One answer that the kernel is gone may be wrong, and whoever believes it leaves a cell connected.
        """
        is_taken = isinstance(error, ChannelTaken)
        if isinstance(error, LinkLost) or (is_taken and not self._is_still_ours()):
            return error
        told = error.call, error.code, error.channel, error.text
        if (is_taken or error.passing) and not self._is_refused_late():
            return EclibLinkLost(*told)
        return EclibError(*told)

    def _is_still_ours(self) -> bool:
        try:
            self.recognise()
        except NotOurs:
            return False
        except EclibError:  # nobody can say; the next call will
            return True
        return True

    def _is_refused_late(self) -> bool:
        now_s = self._clock.now_s()
        if self._refused_since_s is None:
            self._refused_since_s = now_s
        return now_s - self._refused_since_s >= REFUSED_s

    def answered(self) -> float | None:
        """A call that counts was answered: for how long there had been silence, None if there was none.

        A new connection alone proves nothing.
        """
        since_s, self.silent_since_s = self.silent_since_s, None
        self._failures, self._tries, self._refused_since_s = 0, 0, None
        return None if since_s is None else self._clock.now_s() - since_s

    def reach(self) -> bool:
        """Whether a call is worth making. Where the link is cut, that takes a new connection first: one try,
        if its time has come. NotOurs: the channel is not the one that was left."""
        if not self._cut:
            return True
        if self._clock.now_s() < self._next_try_s:
            return False
        try:
            self.device.disconnect()
            self.device.connect()
            self.recognise()
        except EclibError as error:  # also of an instrument that is only just back
            self.said = str(error)
            self._later()
            return False
        self._cut, self._is_new, self._failures = False, True, 0
        return True

    def must_be_ours(self) -> None:
        if self.lost:
            raise NotOurs(f"{self.lost}; what runs there now is left alone")

    def hurry(self) -> None:
        """Somebody wants the cell open: the next try is due now."""
        self._next_try_s = min(self._next_try_s, self._clock.now_s())

    def _later(self) -> None:
        self._cut = True
        self._next_try_s = self._clock.now_s() + PAUSES_s[min(self._tries, len(PAUSES_s) - 1)]
        self._tries += 1

    def sign(self, mark: str) -> None:
        """Write a mark on the channel, if it takes one, to know it again. "": one that nobody else has.

        EclibError: not now. Without it nobody could go on with the run by himself.
        """
        self._next_mark = mark = as_kept(mark or f"nakctl {uuid.uuid4().hex}")
        try:
            self.device.sign(self.number, mark)
            readable = self.device.signature(self.number) == mark
        except EclibError as error:
            if isinstance(told := self.weighed(error), LinkLost):
                raise told from None
            readable = False
        except KeyError:
            readable = False
        self.mark, self._next_mark = mark if readable else "", ""

    def found(self) -> str:
        """The mark that is on the channel, "" where none is kept."""
        return self.device.signature(self.number) if self.device.keeps_marks else ""

    def disown(self) -> None:
        """Whosever the channel is: nothing that is on it is known again."""
        self.lost = self.mark = ""

    def recognise(self) -> None:
        """NotOurs: the channel is not the one that was left."""
        channel = f"channel {self.number + 1}"
        if not (self._has_kernel() or self._has_kernel()):  # what ends a run is asked twice
            self.lost = (
                f"{channel} has lost its firmware (it was switched off, or another program took it): "
                "what the run had there is gone"
            )
        elif self.mark and self.device.keeps_marks:
            found = self.device.signature(self.number)
            if found not in (self.mark, self._next_mark or self.mark):
                says = f', its mark is "{found}"' if found else ""
                self.lost = f"another program loaded {channel}{says}: what the run had there is gone"
        if self.lost:
            raise NotOurs(self.lost)

    def _has_kernel(self) -> bool:
        code, infos = self.device.channel_infos(self.number)
        return code >= 0 and infos.FirmwareCode == Firmware.KERNEL


def as_kept(mark: str) -> str:
    """How a mark stands on the channel: as it is, if it is short and of ordinary letters. Else its beginning
    and a digest of the whole, so that it is the same every time and no other's."""
    plain = STRANGE.sub("?", mark)
    if plain == mark and len(mark) <= LONGEST_MARK:
        return mark
    digest = hashlib.sha256(mark.encode("utf-8", "backslashreplace")).hexdigest()[:DIGEST]
    return f"{plain[: LONGEST_MARK - DIGEST - 1]} {digest}"
