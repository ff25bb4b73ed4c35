"""What the library refused, as errors that say what to do."""

from __future__ import annotations

from nakctl.errors import ChannelError, LinkLost
from nakctl_biologic.remedies import LINK, look_up


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


class EclibLinkLost(EclibError, LinkLost):
    """The same, where the instrument does not answer."""


def failure(call: str, code: int, channel: int | None = None, text: str = "") -> EclibError:
    """The error of a call that returned this negative code."""
    lost = code in LINK and not call.startswith("BL_Find")
    return (EclibLinkLost if lost else EclibError)(call, code, channel, text)


class RowError(ChannelError):
    """The channel handed over rows of another shape than its technique has."""
