"""The sensor contract: what stands on the bench beside the cell, and who reads it.

A *kind* (entry point group `nakctl.sensors`) turns the words of rig.yaml into a `SensorSpec` and opens a
`Source` for it. A *service* (group `nakctl.sensor_service`) reads sources beside a run. A run sees neither:
it sees `Sensors`, whose calls return at once whatever the instruments do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from nakctl.device.driver import ClockLike
from nakctl.errors import NakctlError, RigError
from nakctl.offered import named, offered
from nakctl.text.meant import did_you_mean

if TYPE_CHECKING:
    from nakctl.text.faults import Problem

KINDS, SERVICE = "nakctl.sensors", "nakctl.sensor_service"

# Codes of notices after which no sensor at all is read, until there is a `sensors_back`.
NONE_READ = ("sensors_still", "sensors_died", "sensors_lost")
# A ramp is written in so many steps, but no more and no less often than this.
RAMP_STEPS, RAMP_SOONEST_s, RAMP_LATEST_s = 200, 1.0, 10.0
FROZEN = "frozen"  # the trouble of a sensor whose value does not change by a bit


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """One sensor as rig.yaml describes it, ready dialogue included.

    unit        of its values, as in rig.yaml; dimension: what that is (a key of `text.units.DIMENSIONS`)
    SI_factor, SI_offset  value in SI = factor * value + offset, SI as in `text.units.Quantity`
    scale, offset, points value = curve(scale * raw + offset); points: (shown, true) pairs, lines between them
    every_s     distance of readings; timeout_s: how long an answer may take
    invalid     numbers with which the instrument says that it has no value, before scale
    plausible   lowest and highest number that it can mean, before scale; None: any
    frozen_after_s  a value that stays equal to the last bit for longer is told; None: a steady one is usual
    blind       what a run does when a limit rests on the sensor and it cannot be seen for long
    blind_after_s  how long that is; None: ten seconds or three periods, the longer one
    settable    there is a way to write a set-point
    options     the kind's own words
    """

    name: str
    kind: str
    address: str
    unit: str
    dimension: str
    SI_factor: float
    SI_offset: float
    every_s: float
    timeout_s: float
    scale: float = 1.0
    offset: float = 0.0
    points: tuple[tuple[float, float], ...] = ()
    invalid: tuple[float, ...] = ()
    plausible: tuple[float, float] | None = None
    frozen_after_s: float | None = None
    blind: Literal["stop", "go on"] = "stop"
    blind_after_s: float | None = None
    settable: bool = False
    simulated: bool = False
    about: str = ""
    calibration: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def calibrated(self, raw: float) -> float:
        """The value in `unit`, from the number that the instrument said."""
        shown = self.scale * raw + self.offset
        return _on_line(self.points, shown) if self.points else shown

    def raw(self, value: float) -> float:
        """What the instrument has to be told for this value in `unit`."""
        turned = tuple((true, shown) for shown, true in self.points)
        return ((_on_line(turned, value) if turned else value) - self.offset) / self.scale

    def is_plausible(self, raw: float) -> bool:
        """Whether the instrument can mean this number."""
        return self.plausible is None or self.plausible[0] <= raw <= self.plausible[1]

    def to_si(self, value: float) -> float:
        return self.SI_factor * value + self.SI_offset

    def from_si(self, value: float) -> float:
        return (value - self.SI_offset) / self.SI_factor

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> SensorSpec:
        packed = {
            "points": tuple((shown, true) for shown, true in said["points"]),
            "invalid": tuple(said["invalid"]),
            "plausible": said["plausible"] and tuple(said["plausible"]),
        }
        return cls(**dict(said) | packed)


def _on_line(points: tuple[tuple[float, float], ...], x: float) -> float:
    """On the polygon through at least two points in order of x; beyond its ends straight on."""
    inside = [k for k in range(1, len(points) - 1) if points[k][0] <= x]
    (x0, y0), (x1, y1) = points[inside[-1] if inside else 0], points[inside[-1] + 1 if inside else 1]
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


# --- one instrument ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """A number as the instrument said it, and when: asked and answered, on `time.perf_counter`.

    That clock is one for all processes of a computer (Python documentation, `time`), so its times mean the
    same to whoever logs and to whoever controls the run. shown_unit: the one that value was converted from.
    """

    value: float
    asked: float
    answered: float
    shown_unit: str = ""


class SensorTrouble(NakctlError):
    """A reading that failed. code: for machines, as in events; reopen: the link should be made anew."""

    def __init__(self, code: str, message: str, *, reopen: bool = False) -> None:
        self.code, self.reopen = code, reopen
        super().__init__(message)


class Source(Protocol):
    """An open instrument. Calls may block for its time-out, and raise SensorTrouble.

    listens  it sends by itself: `read` waits for the next value instead of asking for one
    """

    @property
    def listens(self) -> bool: ...

    def read(self) -> Raw: ...

    def set(self, raw: float) -> None:
        """Write a set-point, in the instrument's own number."""

    def close(self) -> None: ...


class SensorKind(Protocol):
    """A family of sensors; importing it is cheap. simulated: its values stand for no instrument."""

    @property
    def simulated(self) -> bool: ...

    def spec(self, name: str, words: Mapping[str, Any]) -> tuple[SensorSpec | None, list[Problem]]:
        """The sensor that these words of rig.yaml describe, or all that is wrong with them."""

    def open(self, spec: SensorSpec, clock: ClockLike) -> Source:
        """Connect. clock: time of the run. SensorTrouble says in one sentence what to do."""


def kind_names() -> tuple[str, ...]:
    return tuple(sorted(point.name for point in offered(KINDS)))


def load_kind(name: str) -> SensorKind:
    """The kind of this name, imported now; RigError if none is installed."""
    found = named(KINDS, name)
    if found is None:
        hint = did_you_mean(name, kind_names()) or ";"
        raise RigError(f"there is no kind of sensor {name}{hint} installed are: {', '.join(kind_names())}")
    return cast(SensorKind, found.load())


@dataclass(frozen=True, slots=True)
class Ramp:
    """A set-point that moves evenly, in the sensor's unit: it left `start` at since_s of the run, and moves
    by per_s (> 0) each second of it, up or down, until it is at `to`.

    It says at any time where the set-point belongs, so whoever reads the sensors after another process has
    died needs to know no more than this.
    """

    start: float
    to: float
    per_s: float
    since_s: float

    @property
    def lasts_s(self) -> float:
        return abs(self.to - self.start) / self.per_s

    @property
    def step_s(self) -> float:
        """How often the set-point is written: a controller may keep each in a memory that wears out."""
        return min(max(self.lasts_s / RAMP_STEPS, RAMP_SOONEST_s), RAMP_LATEST_s)

    def is_over(self, time_s: float) -> bool:
        return time_s - self.since_s >= self.lasts_s

    def at(self, time_s: float) -> float:
        """Where the set-point belongs."""
        if self.is_over(time_s):
            return self.to
        gone = self.per_s * max(0.0, time_s - self.since_s)
        return self.start + math.copysign(gone, self.to - self.start)

    def written(self, time_s: float) -> float:
        """The newest of its steps, which the instrument is told."""
        if self.is_over(time_s):
            return self.to
        steps = math.floor(max(0.0, time_s - self.since_s) / self.step_s)
        return self.at(self.since_s + steps * self.step_s)


# --- all of them, beside a run -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Latest:
    """What is known of a sensor, in its unit. time_s: of the run; low, high: extremes since the last look.

    trouble  code of the fault it has now, "" if it is well
    gap_s    longest time without a reading since the last look
    """

    time_s: float
    value: float
    low: float
    high: float
    trouble: str = ""
    gap_s: float = 0.0

    @property
    def is_seen(self) -> bool:
        """Limits are judged by it. That goes for a frozen value, too: it may be a steady one."""
        return self.trouble in ("", FROZEN)


@dataclass(frozen=True, slots=True)
class SensorNotice:
    """Something about a sensor for the record; time_s None: just now."""

    sensor: str
    severity: int
    code: str
    message: str
    time_s: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    latest: Mapping[str, Latest]
    notices: tuple[SensorNotice, ...] = ()


class Sensors(Protocol):
    """The sensors of one run as its control process sees them. No call waits for an instrument."""

    @property
    def specs(self) -> Mapping[str, SensorSpec]: ...

    @property
    def unseen_s(self) -> Mapping[str, float]:
        """As of the last look: for how long each sensor has shown no value that can be trusted, because it is
        silent or in trouble or nobody reads it. In s in which this process was awake, of the time that the
        instruments live in: the clock's on the wall, virtual for those that are simulated in virtual time."""

    def look(self, now_s: Callable[[], float]) -> Look:
        """The latest values, each new one once. now_s: the run's clock, asked to tie the two together."""

    def set(self, name: str, value: float | Ramp) -> None:
        """Ask for a set-point, in the sensor's unit, which takes the place of what was asked for before. What
        came of it is a notice of a later look: of a ramp when it is where it ends, or cannot be written."""

    def close(self) -> Look:
        """Stop logging; the journal beside the run is whole afterwards."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What `probe` found.

    words    for rig.yaml
    heard    each line of the instrument, and what these words make of it
    remark   how it was recognized; doubt: why the words should not be used as they are, "" if they may
    """

    words: dict[str, Any]
    heard: tuple[tuple[str, str], ...]
    remark: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class PortThere:
    """A serial port of this computer. usb: what `port:` may say to find its adapter wherever it is, or ""."""

    device: str
    usb: str
    description: str


class SensorService(Protocol):
    """What reads sensors. path: of the result file NAME.h5; readings go into NAME.h5.aux."""

    def beside(self, path: Path, specs: tuple[SensorSpec, ...], *, goes_on: bool = False) -> Sensors:
        """In a process of its own, for runs that keep a wall clock, paced or real.

        goes_on  with a run that is taken over: behind the readings there are, and a row that says where they
                 broke off
        """

    def on_free_clock(self, path: Path, specs: tuple[SensorSpec, ...]) -> Sensors:
        """For runs in virtual time. Only simulated sensors can follow those."""

    def read_once(self, spec: SensorSpec) -> Raw:
        """Open, read, close. SensorTrouble."""

    def probe(self, where: str, known: Mapping[str, str], say: Callable[[str], None]) -> Proposal:
        """Try what stands at a port or address. known: words of its entry that cannot be heard, such as unit
        and decimal. RigError with one helpful sentence."""

    def ports(self) -> tuple[PortThere, ...]:
        """The serial ports of this computer; none is opened."""

    def dialogues(self) -> Mapping[str, Mapping[str, Any]]:
        """The ready ones, by the name that `like:` takes."""


def load_service() -> SensorService:
    """The one service that is installed; RigError if there is none."""
    for point in offered(SERVICE):
        return cast(SensorService, point.load())
    raise RigError("nothing that reads sensors is installed (nakctl_sensors)")
