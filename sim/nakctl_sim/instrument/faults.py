"""Trouble on request, each kind with a name: `NAME`, `NAME=VALUE`, `NAME=VALUE@WHEN`.

WHEN is `t120` (at 120 s of the instrument's clock) or `call17`, `call17-20` (at the 17th call, or at the 17th
to the 20th: of that function, or of all functions for `cable`). Without it, from the start and for ever.

    BL_GetData=-200@call17    a function answers a code, and does nothing
    cable=10s@t120            no call gets through for 10 s (`5calls`: for five calls); the channels go on
    missing=2                 channel 2 of the panel is not plugged
    eclab=1@t5                EC-Lab's firmware comes onto channel 1, which stops
    kernel=1                  the kernel on channel 1 does not belong to this library (-309)
    guest                     another program is connected
    taken=1@t60               another program stops channel 1, loads a rest of its own and starts it
    stolen=1@t60              another program fetches all rows that wait on channel 1
    stop-ignored=1            BL_StopChannel answers 0, and channel 1 goes on
                              (a stop that is refused is `BL_StopChannel=-104`)
    option=301:2@t60          option error 301 at position 2, on every channel
    message=text@t60          an instrument's message, on every channel
    overload=1@t60            I overflows on channel 1, and the instrument says so
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from nakctl.errors import RigError
from nakctl_sim.instrument.calls import CALLS

CABLE = "cable"
EVENTS = ("eclab", "kernel", "guest", "taken", "stolen", "stop-ignored", "option", "message", "overload")
NAMES = (CABLE, "missing", *EVENTS)
_FORM = re.compile(r"([\w-]+)(?:=(.*?))?(?:@(?:t(\d+(?:\.\d*)?)|call(\d+)(?:-(\d+))?))?")
_LENGTH = re.compile(r"(\d+(?:\.\d*)?)(s|calls)")


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
        return self.time_s is None or now_s >= self.time_s

    @property
    def channel(self) -> int | None:
        """As on the panel; None: every one."""
        return int(self.value) if self.value else None

    @property
    def length(self) -> tuple[float, str]:
        """How long a cable is out: a number of `s` or of `calls`; for ever if nothing is said."""
        found = _LENGTH.fullmatch(self.value)
        return (float(found[1]), found[2]) if found else (float("inf"), "s")


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
    }.get(made.name, not value or value.isdigit())
    if made.name in CALLS:
        right = re.fullmatch(r"-?\d+", value) is not None and not CALLS[made.name].local
    if made.name in EVENTS and made.first_call is not None:
        right = False
    if not right:
        raise RigError(f"fault {text}: not of a form that this fault has")


class Troubles:
    """The faults of one instrument, and what has become of them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._calls: Counter[str] = Counter()
        self._total = 0
        self._out_since: dict[Fault, tuple[float, int]] = {}
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
            if each.name == name and each.falls_on(self._calls[name], now_s):
                return int(each.value)
        return None

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
        return sorted(due, key=lambda each: each.time_s or 0.0)
