"""Trouble of a simulated channel on request: `NAME@tSECONDS`, `NAME@tSECONDS:LENGTHs`, `NAME:LENGTHs`.

SECONDS count from the opening of the channel, in its own time; without them, from the start. LENGTH is how
long it lasts; without it, for ever.

    stopped@t75            another program stops the channel: the cell is open, the chain is over
    memory-full@t75        the channel's memory is full, which stops it; it says so until its rows are fetched
    lost-kernel@t75        the firmware is gone: the cell is open, and every call is a ChannelTaken
    early-end@t75          the technique under way ends there, without a row; the chain goes on
    stop-refused@t30:10s   a stop is a ChannelError
    stop-ignored@t30:10s   a stop is heard without an error, and nothing comes of it
    silent@t30:5s          the link is down: reads bring nothing, nobody answers a look, load, start and stop
                           are LinkLost; the channel goes on
    slow-start:3s          the chain begins so long after each start; until then the channel stands

What exists only below the vendor's library (return codes, calls that hang) the virtual instrument has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nakctl.errors import RigError

LOST = "lost-kernel"
ACTS = ("stopped", "memory-full", LOST, "early-end")
LASTS = ("stop-refused", "stop-ignored", "silent")
MUTE = (LOST, "silent")
SLOW_START = "slow-start"
_FORM = re.compile(r"([a-z-]+)(?:@t(\d+(?:\.\d*)?))?(?::(\d+(?:\.\d*)?)s)?")


@dataclass(frozen=True, slots=True)
class Trouble:
    """at_s: since the opening of the channel."""

    name: str
    at_s: float = 0.0
    length_s: float = math.inf

    @property
    def over_s(self) -> float:
        return self.at_s + self.length_s


def trouble(text: str) -> Trouble:
    """RigError says what there is."""
    found = _FORM.fullmatch(text)
    if found is None or found[1] not in (*ACTS, *LASTS, SLOW_START):
        there_are = ", ".join((*ACTS, *LASTS, SLOW_START))
        raise RigError(f"trouble {text}: write NAME@tSECONDS:LENGTHs, NAME one of {there_are}")
    name, at_s, length_s = found.groups()
    acts, slow = name in ACTS, name == SLOW_START
    if (acts and (at_s is None or length_s is not None)) or (slow and (at_s is not None or length_s is None)):
        raise RigError(f"trouble {text}: write {name}:3s" if slow else f"trouble {text}: write {name}@t75")
    return Trouble(name, float(at_s or 0.0), math.inf if length_s is None else float(length_s))


class Troubles:
    """Those of one channel. Times are seconds since it was opened."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        self._to_act = sorted((each for each in troubles if each.name in ACTS), key=lambda each: each.at_s)
        self._all = tuple(troubles)
        self.slow_start_s = sum(each.length_s for each in troubles if each.name == SLOW_START)

    def next_act(self, after_s: float) -> Trouble | None:
        """What happens to a running chain next. What came before after_s found none, and is over."""
        while self._to_act and self._to_act[0].at_s < after_s:
            self._to_act.pop(0)
        return self._to_act[0] if self._to_act else None

    def acted(self) -> None:
        """The next one has happened."""
        self._to_act.pop(0)

    def is_on(self, name: str, now_s: float) -> bool:
        """A kernel is lost after its moment: what was made until then can be fetched then."""
        if name == LOST:
            return any(each.name == LOST and each.at_s < now_s for each in self._all)
        return any(each.name == name and each.at_s <= now_s < each.over_s for each in self._all)

    def next_edge_s(self, now_s: float) -> float:
        """When nobody answers any more, or again: whoever is ahead of its reader has to come back there."""
        edges = [edge for each in self._all if each.name in MUTE for edge in (each.at_s, each.over_s)]
        return min((edge for edge in edges if edge > now_s), default=math.inf)
