"""What is known of an instrument without running anything on it: values between a driver and the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Chassis:
    """A chassis with its channels: a row of the rig, or no more than an address.

    model     what the rig says it is; "" where nobody said
    channels  the names that the rig gives to its channels, by number (from 1, as on the front panel)
    options   the driver's own words of that row, `address` among them
    """

    name: str
    driver: str
    model: str
    channels: Mapping[int, str]
    options: Mapping[str, object]

    @property
    def address(self) -> str:
        return str(self.options.get("address", ""))


@dataclass(frozen=True, slots=True)
class Found:
    """An instrument that answered. link: usb, ethernet ...; channels: the numbers that hold a board.

    model is "" where it is none that nakctl has data of; kind is what it calls itself.
    """

    address: str
    kind: str
    model: str
    link: str
    serial: str = ""
    name: str = ""
    channels: tuple[int, ...] = ()


Severity = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing that was looked at. remedy: one sentence that says what to do; "" if there is nothing."""

    about: str
    severity: Severity
    fact: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What one channel is doing. state: running, stopped, paused, or why it cannot be said.

    owner   what the program that started it left on the instrument, "" if nothing
    Ewe_V, I_A  as measured now; None where the channel does not say
    """

    number: int
    state: str
    firmware: str = ""
    owner: str = ""
    Ewe_V: float | None = None
    I_A: float | None = None


Verdict = Literal["confirmed", "changed", "unsettled"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one experiment on a dummy cell taught about this instrument.

    bears_on  the value that rests on it: an entry of the instrument's data ("sp300.toml: chain_length") or a
              reading that the driver takes as safe
    assumed   what that value says now; found: what the instrument did
    verdict   whether the one confirms the other; "unsettled" if the experiment could not tell
    advice    what to do about it, one sentence; "" if nothing
    """

    question: str
    bears_on: str
    assumed: object
    found: object
    verdict: Verdict
    advice: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
