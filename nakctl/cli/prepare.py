"""From a file's name to everything known before the start. Pure reading: nothing is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.checks.check import check
from nakctl.checks.expected import check_expected
from nakctl.checks.findings import Finding
from nakctl.checks.sensors import check_sensors
from nakctl.device.cell import Cell
from nakctl.device.driver import Driver, Place
from nakctl.device.instrument import Instrument, instrument
from nakctl.device.program import Program
from nakctl.errors import InputError, LimitError, Mark
from nakctl.plan.compile import compile_protocol
from nakctl.plan.estimate import Estimate, estimate
from nakctl.plan.lower import lower
from nakctl.plan.plan import Plan
from nakctl.protocol.load import Loaded, load
from nakctl.protocol.model import Expect
from nakctl.protocol.params import BY_SET
from nakctl.rig import RIG_FILE, Rig, find_rig, load_driver

if TYPE_CHECKING:
    from nakctl.device.sensor import SensorSpec


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says about where and with what.

    dry    on the simulator, whatever the rig says
    sets_by  what whoever asks calls `sets`
    looks  nothing is started: the channel need not be named if the cell sits on one, or there is but one
    """

    on: str | None
    cell: str | None
    sets: Mapping[str, str]
    rig: Path | None
    dry: bool = False
    looks: bool = False
    sets_by: str = BY_SET

    def dump(self) -> dict[str, Any]:
        rig = None if self.rig is None else str(self.rig)
        return {"on": self.on, "cell": self.cell, "sets": dict(self.sets), "rig": rig, "dry": self.dry}

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Wishes:
        rig = None if told["rig"] is None else Path(told["rig"])
        return cls(told["on"], told["cell"], told["sets"], rig, told["dry"])


@dataclass(frozen=True, slots=True)
class Prepared:
    """A protocol on its way: read, compiled, lowered, estimated and checked.

    stand_ins  what takes the place of real sensors in a dry run, by the same names
    rig        the rig file; None: there is none
    dry        asked for in so many words: nothing of the bench is real
    """

    loaded: Loaded
    place: Place
    driver: Driver
    cell: Cell
    instrument: Instrument
    plan: Plan
    program: Program
    estimate: Estimate
    findings: tuple[Finding, ...]
    sensors: Mapping[str, SensorSpec]
    stand_ins: Mapping[str, SensorSpec]
    rig: Path | None = None
    dry: bool = False

    @property
    def simulated(self) -> bool:
        return self.driver.simulated(self.place)

    def require_no_errors(self) -> None:
        """LimitError with every finding that forbids a start."""
        document = self.loaded.document
        errors = [f for f in self.findings if f.severity == "error"]
        if errors:
            raise LimitError(f.fault(document.file, document.fault(f.mark, "").text) for f in errors)

    def warnings(self) -> list[str]:
        document = self.loaded.document
        found = [f for f in self.findings if f.severity == "warning"]
        return [f"warning: {f.fault(document.file, document.fault(f.mark, '').text)}" for f in found]


@dataclass(frozen=True, slots=True)
class Where:
    rig: Rig
    place: Place
    cell: Cell


def where(wishes: Wishes, rig: Rig | None = None) -> Where:
    """The channel and the cell. rig: if it was read already. RigError, CellError."""
    rig = rig or find_rig(wishes.rig)
    if wishes.dry:
        place = rig.dry_place(wishes.on, wishes.cell)
    else:
        place = rig.place(rig.seat(wishes.cell) if wishes.looks and wishes.on is None else wishes.on)
    return Where(rig, place, rig.cell(wishes.cell, place))


def as_wired(place: Place) -> Instrument:
    """What sits on a place, as the rig says that it may be used."""
    device = instrument(place.instrument)
    return device if place.feeding else replace(device, feeds=False)


def prepare(file: str, wishes: Wishes) -> Prepared:
    """Everything up to the start. InputError and its kin, with every fault found."""
    at = where(wishes)
    return prepared(load(file, wishes.sets, wishes.sets_by), at, dry=wishes.dry)


def prepared(loaded: Loaded, at: Where, *, dry: bool) -> Prepared:
    """A protocol for a cell on a channel."""
    rig, place, cell = at.rig, at.place, at.cell
    device = as_wired(place)
    plan = compile_protocol(loaded, cell)
    program = lower(plan, device)
    bench = f"in {rig.file}" if rig.file else f"without a {RIG_FILE}"
    found = (
        *check(plan, program, device),
        *check_sensors(plan, rig.sensors, bench),
        *check_expected(_expected(loaded), program),
    )
    driver = load_driver(place.driver)
    return Prepared(
        loaded=loaded,
        place=place,
        driver=driver,
        cell=cell,
        instrument=device,
        plan=plan,
        program=program,
        estimate=estimate(plan, program, device, None if driver.virtual_time else device.poll_s),
        findings=tuple(sorted(found, key=lambda finding: (finding.severity, finding.mark))),
        sensors=rig.sensors,
        stand_ins=rig.stand_ins,
        rig=rig.file,
        dry=dry,
    )


def _expected(loaded: Loaded) -> list[tuple[Mark, Expect]]:
    return [(loaded.mark(*loaded.expect_loc(k), "ends"), expect) for k, expect in loaded.expected()]


def shorter(ready: Prepared, techniques: int, *, feeds: bool = True) -> Prepared:
    """The same with at most so many techniques in a chain. feeds: longer ones can be handed over while they
    run, as far as anybody knows. LimitError: some step needs more."""
    device = replace(ready.instrument, chain_length=techniques, feeds=ready.instrument.feeds and feeds)
    program = replace(lower(ready.plan, device), chain_length=techniques)
    found = check(ready.plan, program, device)
    poll_s = None if ready.driver.virtual_time else device.poll_s
    again = replace(
        ready, instrument=device, program=program, findings=tuple(found),
        estimate=estimate(ready.plan, program, device, poll_s),
    )  # fmt: skip
    again.require_no_errors()
    return again


def refuse_seed(seed: int) -> None:
    """InputError if no file could keep it, or no generator take it."""
    if not 0 <= seed < 1 << 63:
        raise InputError(f"--seed {seed}: give a whole number from 0 to 2^63 - 1")
