"""What the library refused, as errors that say what to do."""

from __future__ import annotations

from nakctl.errors import ChannelError, ChannelTaken, LinkLost
from nakctl_biologic.remedies import BUSY, LINK, UNHEARD, look_up

PASSING = frozenset({"again", "reconnect", "fatal"})
NO_KERNEL = frozenset({-9, -103, -308})  # all of them may mean that another firmware is on the channel


class EclibError(ChannelError):
    """A call of the library failed.

    code, name  as in the vendor's header; kind as in `remedies`
    call        the function; channel: numbered from 1 as on the front panel, None for the whole instrument
    text        the library's own words; remedy: one sentence
    """

    def __init__(self, call: str, code: int, channel: int | None = None, text: str = "") -> None:
        entry = look_up(call, code)
        self.call, self.code, self.channel, self.text = call, code, channel, text
        self.name, self.kind, self.remedy = entry.name, entry.kind, entry.remedy
        where = "" if channel is None else f" on channel {channel}"
        said = f' ("{text}")' if text else ""
        super().__init__(f"{call}{where}: {entry.meaning}, {entry.name} {code}{said}. {entry.remedy}")

    @property
    def passing(self) -> bool:
        """A read that fails like this says nothing of whose channel it is: the next one may be answered."""
        return self.kind in PASSING

    @property
    def unheard(self) -> bool:
        """The call did not get as far as the instrument, so no rows can have left it."""
        return self.code in UNHEARD


class EclibLinkLost(EclibError, LinkLost):
    """The same, where the call was not heard or not answered."""


class EclibTaken(EclibError, ChannelTaken):
    """The same, where the library's kernel is not on the channel any more."""


def failure(call: str, code: int, channel: int | None = None, text: str = "") -> EclibError:
    """The error of a call that returned this negative code."""
    if code in NO_KERNEL:
        return EclibTaken(call, code, channel, text)
    lost = code in LINK | BUSY and not call.startswith("BL_Find")
    return (EclibLinkLost if lost else EclibError)(call, code, channel, text)


class RowError(ChannelError):
    """The channel handed over rows of another shape than its technique has."""
