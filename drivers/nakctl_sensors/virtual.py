"""Sensors of a run in virtual time: no process, no wall clock, the same readings every time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from nakctl.device.sensor import (
    Latest,
    Look,
    Ramp,
    SensorNotice,
    SensorSpec,
    SensorTrouble,
    Source,
    load_kind,
)
from nakctl.errors import RigError
from nakctl_sensors.extremes import Extremes
from nakctl_sensors.health import Health
from nakctl_sensors.journal import AuxJournal, clear_away
from nakctl_sensors.ramping import Ramping
from nakctl_sensors.reply import value_of

WRITE_AT_LEAST = 20_000  # readings between two transactions


class _Tick:
    """The time of the reading that is being made."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def horizon_s(self) -> float:
        return self.time_s

    def advance_to(self, time_s: float) -> None:
        self.time_s = time_s

    def sleep(self, seconds: float) -> None:
        pass


class _One:
    """A sensor and the readings it still owes."""

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.tick = spec, _Tick()
        self.source: Source = load_kind(spec.kind).open(spec, self.tick)
        self.health = Health(spec)
        self.made = 0
        self.seen_s = 0.0  # when it last showed a value
        self.readings: list[tuple[float, float, float]] = []
        self.extremes = Extremes()
        self.ramp = Ramping()

    def up_to(self, time_s: float) -> None:
        """Beat k is at k * every_s, without adding up rounding errors."""
        while (at_s := self.made * self.spec.every_s) <= time_s:
            self.tick.advance_to(at_s)
            self.made += 1
            try:
                self.ramp.move(self.source, self.health, at_s)
                value = value_of(self.source.read(), self.spec)
            except SensorTrouble as trouble:
                if self.health.ill(trouble.code, str(trouble), at_s):
                    self.readings.append((at_s, float("nan"), 0.0))
                continue
            self.readings.append((at_s, value, 0.0))
            self.extremes.add(at_s, value)
            self.health.well(value, at_s)
            self.seen_s = at_s

    def latest(self) -> Latest:
        seen = self.extremes
        found = Latest(seen.at, seen.value, seen.low, seen.high, self.health.trouble, seen.gap)
        seen.clear()
        return found


class VirtualSensors:
    """Obeys `nakctl.device.sensor.Sensors`. RigError if one of the sensors is a real instrument."""

    def __init__(self, path: Path, specs: tuple[SensorSpec, ...]) -> None:
        real = [spec.name for spec in specs if not spec.simulated]
        if real:
            raise RigError(
                f"{', '.join(real)}: a real instrument keeps real time, so pace the run: --realtime"
            )
        self._specs = {spec.name: spec for spec in specs}
        self._ones = {spec.name: _One(spec) for spec in specs}
        clear_away(path)
        self._journal = AuxJournal(path)
        self._time_s = 0.0

    @property
    def specs(self) -> Mapping[str, SensorSpec]:
        return self._specs

    @property
    def unseen_s(self) -> Mapping[str, float]:
        return {name: self._time_s - one.seen_s for name, one in self._ones.items()}

    def look(self, now_s: Callable[[], float]) -> Look:
        self._time_s = now_s()
        for one in self._ones.values():
            one.up_to(self._time_s)
            if len(one.readings) >= WRITE_AT_LEAST:
                self._write(one)
        return self._taken()

    def set(self, name: str, value: float | Ramp) -> None:
        one = self._ones[name]
        one.up_to(self._time_s)
        one.tick.advance_to(self._time_s)
        one.ramp.begin(value)
        if isinstance(value, Ramp):
            with suppress(SensorTrouble):  # told, and tried again at the next beat
                one.ramp.move(one.source, one.health, self._time_s)
            return
        failure = ""
        try:
            one.source.set(one.spec.raw(value))
        except SensorTrouble as trouble:
            failure = str(trouble)
        one.health.set_point(value, failure)

    def close(self) -> Look:
        for one in self._ones.values():
            self._write(one)
            one.source.close()
        self._journal.close()
        return self._taken()

    def _write(self, one: _One) -> None:
        if one.readings:
            self._journal.add(one.spec.name, one.readings)
            one.readings = []
        self._journal.write()

    def _taken(self) -> Look:
        latest = {name: one.latest() for name, one in self._ones.items() if one.extremes.known}
        notices: list[SensorNotice] = [each for one in self._ones.values() for each in one.health.taken()]
        return Look(latest, tuple(notices))
