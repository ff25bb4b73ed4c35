"""What the host watches on the bench: limits of sensors, and steps that wait for one to settle.

Values come in the sensors' own units and are compared in SI. Between two looks a sensor's extremes count, not
only its last value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace

from nakctl.booking.ending import Ending, Status, ending_of
from nakctl.device.ends import End
from nakctl.device.events import EVENTS
from nakctl.device.program import Loop, Program, Segment, SetPoint, Settle
from nakctl.device.sensor import FROZEN, NONE_READ, Latest, Look, Ramp, SensorNotice, Sensors, SensorSpec
from nakctl.run.logbook import Logbook
from nakctl.run.successor import Setting

SOONEST_LOOK_s = 0.2  # as the guard of Ewe: how often a channel in virtual time hands over
BLIND_AFTER_s, BLIND_PERIODS = 10.0, 3  # so long, the longer one, unless the rig says otherwise
SEEN = (f"sensor_{FROZEN}", "sensor_not_set")  # faults of a sensor that shows values all the same
SILENT_AFTER = 5  # readings that fail in a row, and a sensor's last value says nothing any more


class NoSensors:
    """A run without any."""

    specs: Mapping[str, SensorSpec] = {}
    unseen_s: Mapping[str, float] = {}

    def look(self, now_s: Callable[[], float]) -> Look:
        return Look({})

    def set(self, name: str, value: float | Ramp) -> None:
        raise KeyError(name)

    def close(self) -> Look:
        return Look({})


class Bench:
    """What stands beside the cell, as the loop sees it: looked at once per round, told and judged.

    logbook  keeps what is told
    """

    # targets: where each sensor was set to, as what it was asked for last; a plain set-point is its value.
    # to_begin: ramps whose sensor has shown nothing yet to begin at. held: ramps that a pause holds.

    def __init__(
        self, program: Program, sensors: Sensors, now_s: Callable[[], float], logbook: Logbook
    ) -> None:
        self.sensors, self.now_s, self.logbook = sensors, now_s, logbook
        self.guard = SensorGuard(program, sensors)
        self._shown: dict[str, str] = {}
        self._values: dict[str, float] = {}
        self.targets: dict[str, float | Ramp] = {}
        self.to_begin: dict[str, SetPoint] = {}
        self.held: dict[str, Ramp] = {}
        self.holds = False
        self._early: Ending | None = None  # asked for by a look between two rounds

    @property
    def shown(self) -> tuple[str, ...]:
        """What each sensor showed last."""
        return tuple(self._shown.values())

    def look(self) -> Ending | None:
        """The ending that the sensors ask for, if any."""
        look = self.sensors.look(self.now_s)
        for notice in look.notices:
            self._tell(notice)
            if notice.severity > 0 and notice.sensor:
                self._shown[notice.sensor] = f"{notice.sensor} {notice.code.removeprefix('sensor_')}"
        for name, seen in look.latest.items():
            but = f" ({seen.trouble})" if seen.trouble else ""
            self._shown[name] = f"{name} {seen.value:.4g} {self.sensors.specs[name].unit}{but}"
            self._values[name] = seen.value
        self._begin_ramps()
        ending = self.guard.look(look.latest)
        for notice in self.guard.goes_on_blind():
            self._tell(notice)
        early, self._early = self._early, None
        return ending or early

    def apply(self, point: SetPoint) -> None:
        """Ask for a set-point; what comes of it, a notice of the sensor tells."""
        name, spec = point.sensor, self.sensors.specs[point.sensor]
        self.to_begin.pop(name, None)
        self.held.pop(name, None)
        if point.slope is None:
            text = f"{point.label}: {name} shall go to {point.text}"
            self._set(name, spec.from_si(point.value), text, durable=True)
            return
        self.to_begin[name] = point
        if self._start(point) is None:  # in virtual time the next look may be hours away
            early = self.look()
            self._early = early if early is not None and early.then == "end run" else None
        self._begin_ramps(durable=True)

    def _begin_ramps(self, *, durable: bool = False) -> None:
        """Those whose beginning is known: it was said, or set before in this run, or is shown by now."""
        if self.holds:
            return
        for name, point in list(self.to_begin.items()):
            start = self._start(point)
            if start is not None and point.slope is not None:
                del self.to_begin[name]
                spec = self.sensors.specs[name]
                per_s = abs(point.slope.rate / spec.SI_factor)
                text = f"{point.label}: {name} ramps from {start:.5g} {spec.unit} to {point.text}"
                ramp = Ramp(start, spec.from_si(point.value), per_s, self.now_s())
                self._set(name, ramp, f"{text} at {point.slope.rate_text}", durable=durable)

    def _start(self, point: SetPoint) -> float | None:
        if point.slope is not None and point.slope.start is not None:
            return self.sensors.specs[point.sensor].from_si(point.slope.start)
        last = self.targets.get(point.sensor)
        if last is None:
            return self._values.get(point.sensor)
        return last.at(self.now_s()) if isinstance(last, Ramp) else last

    def _set(
        self, name: str, target: float | Ramp, text: str, held: Ramp | None = None, *, durable: bool = False
    ) -> None:
        """Keep what is meant, then ask for it. held: the ramp that a pause holds there. durable: only while
        the cell is open, for nothing else is done until the disk has it."""
        facts = {"ramp": asdict(target)} if isinstance(target, Ramp) else {}
        facts |= {"held": asdict(held)} if held is not None else {}
        value = target.to if isinstance(target, Ramp) else target
        self.logbook.meant("set", durable=durable, sensor=name, value=value, **facts)
        self.logbook.note(0, "set", text, facts)
        self.targets[name] = target
        self.sensors.set(name, target)
        self.logbook.done("set", sensor=name)

    def _moving(self) -> Iterator[tuple[str, Ramp]]:
        """The ramps that are under way."""
        for name, target in self.targets.items():
            if isinstance(target, Ramp) and not target.is_over(self.now_s()):
                yield name, target

    def hold(self) -> None:
        """Somebody paused the run: a set-point that moves stays where it is, until the run goes on."""
        if self.holds:
            return
        self.holds = True
        for name, ramp in list(self._moving()):
            at, unit = ramp.at(self.now_s()), self.sensors.specs[name].unit
            self.held[name] = replace(ramp, start=at)
            self._set(name, at, f"the ramp of {name} holds at {at:.5g} {unit} while the run is paused", ramp)

    def let_go_on(self) -> None:
        """The run is resumed: what `hold` held goes on from there."""
        self.holds = False
        held, self.held = self.held, {}
        for name, ramp in held.items():
            unit = self.sensors.specs[name].unit
            text = f"the ramp of {name} goes on from {ramp.start:.5g} {unit} to {ramp.to:g} {unit}"
            self._set(name, replace(ramp, since_s=self.now_s()), text)
        self._begin_ramps()

    def go_on_with(self, left: Setting, *, paused: bool) -> None:
        """In the place of another program. Its ramps stood still since it died: they go on from there."""
        known = self.sensors.specs.keys()
        self.targets = {name: target for name, target in left.targets.items() if name in known}
        self.held = {name: ramp for name, ramp in left.held.items() if name in known}
        self.holds = paused
        for name, ramp in left.moving():
            if name in known:
                at, unit = ramp.at(left.died_s), self.sensors.specs[name].unit
                text = f"the ramp of {name} goes on from {at:.5g} {unit}, where its program died"
                self._set(name, replace(ramp, start=at, since_s=self.now_s()), text)

    def close(self) -> None:
        """Nobody moves a set-point when the run is over: one on its way stays where it is."""
        for name, ramp in self._moving():
            unit = self.sensors.specs[name].unit
            text = f"the ramp of {name} to {ramp.to:g} {unit} is left at {ramp.at(self.now_s()):.5g} {unit}"
            self.logbook.note(1, "ramp_left", text)
        for name, point in self.to_begin.items():
            self.logbook.note(2, "ramp_left", f"{point.label}: {name} showed no value to ramp from")
        for notice in self.sensors.close().notices:
            self._tell(notice)

    def _tell(self, notice: SensorNotice) -> None:
        told = self.guard.told(notice)
        time_s = self.now_s() if told.time_s is None else told.time_s
        facts = {"sensor": told.sensor, **told.facts}
        self.logbook.note_at(time_s, told.severity, told.code, told.message, facts)


class SensorGuard:
    """Watches one run."""

    def __init__(self, program: Program, sensors: Sensors) -> None:
        self.program, self.sensors, self.specs = program, sensors, sensors.specs
        # of a run whose program died, nobody reads the sensors any more
        self.limits = [end for end in program.ends if end.quantity == "sensor" and end.sensor in self.specs]
        self.guarding = {limit.sensor for limit in self.limits}
        self.waits: Settle | None = None  # of the loaded segment
        self.settling: _Settling | None = None
        self._wrong: dict[str, str] = {}  # of sensors, and of all of them under "": what was told last
        self._blind_told: set[str] = set()

    def open_segment(self, segment: Segment) -> None:
        self.waits = settle = self._settle(segment)
        is_seen = settle is not None and settle.sensor in self.specs
        self.settling = _Settling(settle, self.specs[settle.sensor]) if settle and is_seen else None

    @property
    def every_s(self) -> float | None:
        """How often to look, in the channel's own time; None: nothing to look at."""
        watched = set(self.guarding)
        if self.settling is not None:
            watched.add(self.settling.settle.sensor)
        rates_s = [max(SOONEST_LOOK_s, self.specs[name].every_s) for name in watched]
        return min(rates_s, default=None)

    def look(self, latest: Mapping[str, Latest]) -> Ending | None:
        """The ending that the sensors ask for, if any: a limit before anything else."""
        beyond = [ending for limit in self.limits for ending in self._beyond(limit, latest)]
        met = beyond or [ending for limit in self.limits for ending in self._blind(limit)]
        if met:
            return met[0]
        if self.settling is not None and self.settling.look(latest):
            return Ending("next step", str(self.settling.settle), kind="settled")
        return None

    def told(self, notice: SensorNotice) -> SensorNotice:
        """With what it means for the limits: a fault of a sensor that one rests on is an alarm."""
        self._remember(notice)
        if notice.code in NONE_READ and self.guarding:
            return replace(notice, severity=2, message=f"{notice.message}; {self._guard_nothing()}")
        if notice.severity == 1 and notice.sensor in self.guarding:
            frozen = notice.code == f"sensor_{FROZEN}"
            meaning = "go on guarding with this value" if frozen else "guard nothing meanwhile"
            return replace(notice, severity=2, message=f"{notice.message}; its limits {meaning}")
        return notice

    def _remember(self, notice: SensorNotice) -> None:
        """What is wrong, for the reason of an end."""
        if notice.code == "sensors_back":
            self._wrong.clear()  # who reads them now tells what is wrong with each
        elif notice.code == "sensor_back":
            self._wrong.pop(notice.sensor, None)
        elif notice.code in NONE_READ or (notice.sensor and notice.severity and notice.code not in SEEN):
            known = EVENTS.get(notice.code)
            self._wrong[notice.sensor] = known.text if known else notice.message

    def _guard_nothing(self) -> str:
        count = len(self.limits)
        return f"{count} limits guard nothing meanwhile" if count > 1 else "1 limit guards nothing meanwhile"

    def _beyond(self, limit: End, latest: Mapping[str, Latest]) -> Iterator[Ending]:
        seen = latest.get(limit.sensor)
        if seen is None:
            return
        spec = self.specs[limit.sensor]
        value = spec.to_si(seen.high if limit.side == "above" else seen.low)
        if value > limit.value if limit.side == "above" else value < limit.value:
            yield ending_of(limit, value)

    def _blind(self, limit: End) -> Iterator[Ending]:
        """A limit that nobody watches is none: to go on would be to run without it."""
        if self.specs[limit.sensor].blind == "stop" and self._is_blind(limit.sensor):
            yield replace(ending_of(limit, math.nan), reason=f"limit: {self._unseen(limit.sensor)}")

    def goes_on_blind(self) -> Iterator[SensorNotice]:
        """Sensors that cannot be seen for so long that others would end the run: told once each time."""
        blind = {name for name in self.guarding if self._is_blind(name)}
        for name in sorted(blind - self._blind_told):
            if self.specs[name].blind == "go on":
                text = f"{self._unseen(name)}; the run goes on without its limits, as the rig says"
                yield SensorNotice(
                    name, 2, "sensor_blind", text, None, {"seconds": self.sensors.unseen_s[name]}
                )
        self._blind_told = blind

    def _is_blind(self, name: str) -> bool:
        return self.sensors.unseen_s[name] > blind_after_s(self.specs[name])

    def _unseen(self, name: str) -> str:
        """How long, and why, as far as that was told; what ails the process that reads all of them first."""
        why = self._wrong.get("") or self._wrong.get(name) or "nothing is known of it"
        return f"{name} cannot be seen for {self.sensors.unseen_s[name]:.3g} s: {why}"

    def timed_out(self) -> Ending | None:
        """What it means that a waiting step lasted as long as it might; None if it was no such step."""
        if self.waits is None:
            return None
        settle = self.waits
        status: Status = "stopped" if settle.then == "end run" else "completed"
        return Ending(settle.then, f"timed out: {settle}", status, "timeout")

    def _settle(self, segment: Segment) -> Settle | None:
        """A step that waits is a segment of its own."""
        first = next(each for each in segment.techniques if not isinstance(each, Loop))
        return self.program.step(first.step).settle


def blind_after_s(spec: SensorSpec) -> float:
    """For how long a limit may rest on a sensor that nobody sees."""
    if spec.blind_after_s is not None:
        return spec.blind_after_s
    return max(BLIND_AFTER_s, BLIND_PERIODS * spec.every_s)


class _Settling:
    """One wait: since when all readings have been within the band."""

    def __init__(self, settle: Settle, spec: SensorSpec) -> None:
        self.settle, self.spec = settle, spec
        self.within_since_s: float | None = None
        self.silent_after_s = SILENT_AFTER * spec.every_s + spec.timeout_s

    def look(self, latest: Mapping[str, Latest]) -> bool:
        """Whether it has settled. A silence counts when the sensor is back: nobody knows what it did."""
        seen = latest.get(self.settle.sensor)
        if seen is None:
            return False
        furthest = max(abs(self.spec.to_si(value) - self.settle.of) for value in (seen.low, seen.high))
        if seen.trouble or seen.gap_s > self.silent_after_s or furthest > self.settle.within:
            self.within_since_s = None
        elif self.within_since_s is None:
            self.within_since_s = seen.time_s
        return self.within_since_s is not None and seen.time_s - self.within_since_s >= self.settle.for_s
