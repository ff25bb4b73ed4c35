"""Rigs, files of cells and campaigns by themselves: what is wrong, and what stands for which cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nakctl.cli.ci.outcome import Looked, Trouble
from nakctl.device.cell import Cell
from nakctl.errors import NO_MARK, CellError, Fault, InputError, LimitError, RigError
from nakctl.rig import SIMULATED, SIMULATOR, Rig, find_rig, load_driver
from nakctl.text.numbers import plural
from nakctl.text.reader import read_file

NO_RIG = Rig(None, SIMULATED, {}, {}, {})


@dataclass(frozen=True)
class Bench:
    """A rig, as far as dry runs need it. file None: there is none; troubles: what is wrong with it."""

    file: Path | None = None
    rig: Rig = NO_RIG
    troubles: tuple[Trouble, ...] = ()

    @cached_property
    def stand_ins(self) -> dict[str, str | None]:
        """By cell of the rig, what simulates it."""
        return {name: self.rig.stand_in(cell) for name, cell in self.rig.cells.items()}

    @cached_property
    def different(self) -> dict[str, tuple[str, ...]]:
        """Cells that are not simulated alike, each with the others of its kind."""
        alike: dict[object, list[str]] = {}
        for name, cell in self.rig.cells.items():
            if self.stand_ins[name] is not None:
                alike.setdefault(self._kind(cell), []).append(name)
        return {name: tuple(others) for name, *others in alike.values()}

    def _kind(self, cell: Cell) -> object:
        place = self.rig.places[self.rig.cell_places[cell.name]]
        of_cell = (cell.simulated_as, cell.area_cm2, cell.capacity_C, cell.working_is, cell.three_electrodes)
        options = repr(sorted(place.options.items())) if load_driver(place.driver).virtual_time else ""
        return (*of_cell, place.instrument, place.feeding, options)


def bench_of(file: Path) -> Bench:
    try:
        found = Bench(file, find_rig(file))
        _ = found.stand_ins  # files of cells are read, too
    except InputError as error:
        return Bench(file, troubles=tuple(troubles_of(error, str(file))))
    return found


def troubles_of(error: InputError, file: str) -> Iterator[Trouble]:
    """With the place of each, or with the file alone."""
    stage = "plan" if isinstance(error, LimitError) else "check"
    for fault in error.faults or (Fault(file, NO_MARK, str(error).removeprefix(f"{file}: ")),):
        yield Trouble(stage, fault)  # type: ignore[arg-type]


def looked_at_rig(bench: Bench) -> Looked:
    """Its faults, and which of its cells cannot be dry-run."""
    assert bench.file is not None
    if bench.troubles:
        return Looked(str(bench.file), bench.troubles)
    document = read_file(bench.file, RigError)
    warnings = [
        document.fault(document.key_mark(("cells", name)), f"{name}: no dry run, add simulated_as to it")
        for name, known in bench.stand_ins.items()
        if known is None
    ]
    channels = [name for name in bench.rig.places if name not in SIMULATED]
    told = f"{plural(len(channels), 'channel')}, {plural(len(bench.rig.cells), 'cell')}"
    return Looked(str(bench.file), warnings=tuple(warnings), told=told)


def looked_at_cells(file: Path) -> Looked:
    driver = load_driver(SIMULATOR)
    try:
        given = read_file(file, CellError).data.get("cells")
        names = [driver.cell(f"{file}#{name}").name for name in given] if isinstance(given, dict) else []
        if not names:
            driver.cell(str(file))  # tells what is wrong
    except InputError as error:
        return Looked(str(file), tuple(troubles_of(error, str(file))))
    return Looked(str(file), told=", ".join(names))


def looked_at_campaign(file: Path, bench: Bench | InputError) -> Looked:
    """Its faults, those of its protocols as well; what it would run is run by `nakctl campaign`."""
    from nakctl.campaign.read import read
    from nakctl.cli.campaigns.planned import planned

    try:
        if isinstance(bench, InputError):
            raise bench
        asked = read(file)
        runs = planned(asked, bench.file, dry=True, out=asked.out)
    except InputError as error:
        return Looked(str(file), tuple(troubles_of(error, str(file))))
    return Looked(str(file), told=f"a campaign of {plural(len(runs), 'run')}")
