"""Trouble on request, each kind with a name: `NAME`, `NAME=VALUE`, `NAME=VALUE@WHEN`.

WHEN is `t120` (at 120 s of the instrument's clock) or `call17`, `call17-20` (at the 17th call, or at the 17th
to the 20th: of that function, or of all functions for `cable`). Without it, from the start and for ever.

    BL_GetData=-200@call17    a function answers a code, and does nothing (`-104:10s@t60`: for 10 s;
                              `-104:10s@call17`: for 10 s from that call on)
    lost-reply@call17         a BL_GetData (`lost-reply=FUNCTION`: another) is carried out, and its answer is
                              lost: -200, and the rows are gone. With a time: the first one from then on
    hang=BL_GetData:25s@t60   a call is carried out, and comes back 25 s of real time later; without a length:
                              never. With a time: the first one from then on. Other programs are not held up
    cable=10s@t120            no call gets through for 10 s (`5calls`: for five calls); the channels go on
    missing=2                 channel 2 of the panel is not plugged
    eclab=1@t5                EC-Lab's firmware comes onto channel 1, which stops
    lost-kernel=1@t60         channel 1 loses its firmware (-308) and its rows, and stops
    kernel=1                  the kernel on channel 1 does not belong to this library (-309)
    guest                     another program is connected
    stopped=1@t60             another program stops channel 1, and does nothing else
    early-end=1@t60           the technique under way on channel 1 ends, without a row; the chain goes on
    taken=1@t60               another program stops channel 1, loads a rest of its own and starts it
    stolen=1@t60              another program fetches all rows that wait on channel 1
    memory-full=1@t60         the memory of channel 1 takes no row more: the habit memory_full says what
                              comes of that
    stop-ignored=1            BL_StopChannel answers 0, and channel 1 goes on (`1:10s@t60`: for 10 s)
                              (a stop that is refused is `BL_StopChannel=-104`)
    option=301:2@t60          option error 301 at position 2, on every channel
    message=text@t60          an instrument's message, on every channel
    overload=1@t60            I overflows on channel 1, and the instrument says so
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from nakctl.errors import RigError
from nakctl_sim.instrument.calls import CALLS

CABLE, HANG, LOST_REPLY = "cable", "hang", "lost-reply"
EVENTS = (
    *("eclab", "kernel", "lost-kernel", "guest", "stopped", "early-end", "taken", "stolen"),
    *("memory-full", "stop-ignored", "option", "message", "overload"),
)
NAMES = (CABLE, HANG, LOST_REPLY, "missing", *EVENTS)
FETCH = "BL_GetData"
_FORM = re.compile(r"([\w-]+)(?:=(.*?))?(?:@(?:t(\d+(?:\.\d*)?)|call(\d+)(?:-(\d+))?))?")
_LENGTH = re.compile(r"(\d+(?:\.\d*)?)(s|calls)")
_SECONDS = r"(?::\d+(?:\.\d*)?s)?"


@dataclass(frozen=True, slots=True)
class Fault:
    """first_call, last_call: counted from 1; time_s: on the instrument's clock. None: not bound to it."""

    name: str
    value: str = ""
    time_s: float | None = None
    first_call: int | None = None
    last_call: int | None = None

    def falls_on(self, call: int, now_s: float) -> bool:
        if self.first_call is not None and self.last_call is not None:
            return self.first_call <= call <= self.last_call
        return self.at_s <= now_s

    @property
    def at_s(self) -> float:
        return self.time_s or 0.0

    @property
    def subject(self) -> str:
        """What stands before the length: a channel, a code, a function."""
        return self.value.partition(":")[0]

    @property
    def length_s(self) -> float:
        length = self.value.partition(":")[2]
        return float(length.removesuffix("s")) if length else math.inf

    @property
    def channel(self) -> int | None:
        """As on the panel; None: every one."""
        return int(self.subject) if self.subject else None

    @property
    def length(self) -> tuple[float, str]:
        """How long a cable is out: a number of `s` or of `calls`; for ever if nothing is said."""
        found = _LENGTH.fullmatch(self.value)
        return (float(found[1]), found[2]) if found else (math.inf, "s")


def fault(text: str) -> Fault:
    """RigError: it is none."""
    found = _FORM.fullmatch(text)
    if found is None or not (found[1] in NAMES or found[1] in CALLS):
        raise RigError(f"fault {text}: write NAME=VALUE@WHEN, NAME one of {', '.join(NAMES)} or a function")
    name, value, time_s, first, last = found.groups()
    made = Fault(
        name,
        value or "",
        None if time_s is None else float(time_s),
        None if first is None else int(first),
        None if first is None else int(last or first),
    )
    _check(text, made)
    return made


def _check(text: str, made: Fault) -> None:
    value = made.value
    right = {
        CABLE: not value or _LENGTH.fullmatch(value) is not None,
        "option": re.fullmatch(r"\d+:\d+", value) is not None,
        "message": bool(value),
        "missing": value.isdigit(),
        "stop-ignored": re.fullmatch(rf"(\d+{_SECONDS})?", value) is not None,
        HANG: re.fullmatch(rf"\w+{_SECONDS}", value) is not None and _is_call(made.subject),
        LOST_REPLY: not value or _is_call(value),
    }.get(made.name, not value or value.isdigit())
    if made.name in CALLS:
        is_span = made.first_call != made.last_call
        right = re.fullmatch(r"-?\d+" if is_span else rf"-?\d+{_SECONDS}", value) is not None
        right = right and _is_call(made.name)
    if made.name in EVENTS and made.first_call is not None:
        right = False
    if not right:
        raise RigError(f"fault {text}: not of a form that this fault has")


def _is_call(name: str) -> bool:
    """A function that the instrument answers."""
    return name in CALLS and not CALLS[name].local


class Troubles:
    """The faults of one instrument, and what has become of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._calls: Counter[str] = Counter()
        self._total = 0
        self._out_since: dict[Fault, tuple[float, int]] = {}
        self._answered_since_s: dict[Fault, float] = {}
        self._past: set[Fault] = set()
        self.cuts = 0  # how often the cable was pulled

    def missing(self) -> set[int]:
        return {int(each.value) for each in self._faults if each.name == "missing"}

    def count(self, name: str) -> None:
        self._calls[name] += 1
        self._total += 1

    def code_for(self, name: str, now_s: float) -> int | None:
        """What the call under way is to answer instead of being done."""
        for each in self._faults:
            if each.name == name and self._is_answered_with(each, now_s):
                return int(each.subject)
        return None

    def _is_answered_with(self, code: Fault, now_s: float) -> bool:
        """A length counts from the moment that was named, or from when the call that was named is made."""
        falls_on_it = code.falls_on(self._calls[code.name], now_s)
        if code.first_call is None or math.isinf(code.length_s):
            return falls_on_it and now_s < code.at_s + code.length_s
        if falls_on_it:
            self._answered_since_s.setdefault(code, now_s)
        return now_s < self._answered_since_s.get(code, -math.inf) + code.length_s

    def reply_lost(self, name: str, now_s: float) -> bool:
        return bool(self._of_call(LOST_REPLY, name, now_s))

    def hang_s(self, name: str, now_s: float) -> float:
        """How much too late the call under way comes back."""
        return max((each.length_s for each in self._of_call(HANG, name, now_s)), default=0.0)

    def _of_call(self, kind: str, name: str, now_s: float) -> list[Fault]:
        """Those that befall the call under way; one that is bound to a time, once."""
        found = [
            each
            for each in self._faults
            if each.name == kind and (each.subject or FETCH) == name and each not in self._past
        ]
        found = [each for each in found if each.falls_on(self._calls[name], now_s)]
        self._past.update(each for each in found if each.time_s is not None)
        return found

    def cable_out(self, now_s: float) -> bool:
        out = [self._is_out(each, now_s) for each in self._faults if each.name == CABLE]  # see each go out
        return any(out)

    def _is_out(self, cable: Fault, now_s: float) -> bool:
        if cable not in self._out_since:
            if not cable.falls_on(self._total, now_s):
                return False
            since_s = now_s if cable.time_s is None else cable.time_s
            self._out_since[cable] = since_s, self._total
            self.cuts += 1
        since_s, first_call = self._out_since[cable]
        length, unit = cable.length
        return self._total < first_call + length if unit == "calls" else now_s < since_s + length

    def events(self, now_s: float) -> list[Fault]:
        """What happens to the channels by now, each once, in the order of time."""
        due = [
            each
            for each in self._faults
            if each.name in EVENTS and each not in self._past and each.falls_on(0, now_s)
        ]
        self._past.update(due)
        return sorted(due, key=lambda each: each.at_s)
