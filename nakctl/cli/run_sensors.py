"""The sensors of a run: which are logged beside it, and who does that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nakctl.checks.sensors import uses
from nakctl.cli.prepare import Prepared
from nakctl.device.sensor import Sensors, SensorSpec, load_service
from nakctl.errors import InputError

# How a stand-in is written, by what the sensor shows.
STAND_INS = {
    "pressure": "{model: press, start: 2 MPa, table: [[10 min, 10 MPa]]}",
    "temperature": "{model: chamber, start: 25 degC, table: [[10 min, 60 degC]]}",
}


def logged(ready: Prepared, free: bool) -> tuple[SensorSpec, ...]:
    """The sensors of the rig that belong beside this run. InputError if it needs one that does not.

    A simulated sensor is no witness beside a real cell. A real one cannot follow virtual time, and has no
    business in a dry run: there its stand-in takes its place, if it has one.
    """
    simulated = free or ready.dry
    in_place = ready.stand_ins if simulated else {}
    fitting = {
        name: spec
        for name, spec in {**ready.sensors, **in_place}.items()
        if (spec.simulated or not simulated) and (ready.simulated or not spec.simulated)
    }
    for use in uses(ready.plan):
        spec = ready.sensors[use.sensor]
        if use.sensor in fitting:
            continue
        if spec.simulated:
            raise InputError(
                f"{use.sensor} is simulated, {ready.place.name} is a real channel: they do not mix"
            )
        if ready.dry:
            raise InputError(
                f"{use.sensor} is a real instrument, and this is a dry run{_or_a_stand_in(spec)}"
            )
        raise InputError(
            f"{use.sensor} is a real instrument and keeps real time; so must this run: --realtime, --speed X"
            f"{_or_a_stand_in(spec)}"
        )
    return tuple(fitting.values())


def _or_a_stand_in(spec: SensorSpec) -> str:
    """What else would help, if there is a model of what the sensor shows."""
    if spec.dimension not in STAND_INS:
        return ""
    return f"; or let something stand for it in its entry: simulated_as: {STAND_INS[spec.dimension]}"


@contextmanager
def beside(
    out: Path, specs: tuple[SensorSpec, ...], free: bool, *, goes_on: bool = False
) -> Iterator[Sensors | None]:
    """They are logged while this lasts. None if there are none: then nothing is imported or started.

    goes_on  behind what a program that died had logged of them
    """
    if not specs:
        yield None
        return
    service = load_service()
    sensors = service.on_free_clock(out, specs) if free else service.beside(out, specs, goes_on=goes_on)
    try:
        yield sensors
    finally:
        sensors.close()
