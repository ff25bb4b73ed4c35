"""The simulated cells by name or from a file, without computing anything: cheap to ask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from nakctl.device.cell import Cell
from nakctl.errors import CellError
from nakctl.text.faults import in_order, problems
from nakctl.text.reader import Document, read_file
from nakctl_sim.cell.cell_file import Build, CircuitCell, CircuitFile, NakFile

HERE = Path(__file__).parent
File = TypeVar("File", NakFile, CircuitFile)
BUILT_IN = "built-in"  # the source of the cells that come along


@dataclass(frozen=True, slots=True)
class NakDescription:
    """A NaK cell with everything filled in: parameters by symbol (units as in nak.yaml), lengths in cm.

    scatter_seed  which specimen of it; None: exactly as described
    """

    cell: Cell
    composition_wt_percent_K: float
    NaK_volume_cm3: float
    pellet_thickness_cm: float
    parameters: dict[str, float]
    scatter_seed: int | None = None


@dataclass(frozen=True, slots=True)
class CircuitDescription:
    """A circuit; its parts have units of their own."""

    cell: Cell
    circuit: CircuitCell


Description = NakDescription | CircuitDescription


def names() -> tuple[str, ...]:
    """The built-in cells."""
    return tuple(_built_in())


def describe(name_or_path: str) -> Cell:
    """Name, area and electrodes of a cell. CellError: there is no such cell, or its file has faults."""
    return read(name_or_path).cell


def read(name_or_path: str) -> Description:
    """A built-in cell by name, or the cell of a file: `my-cell.yaml`, `my-cell.yaml#NaK65`."""
    if name_or_path in _built_in():
        return _described(_built_in()[name_or_path], name_or_path, BUILT_IN)
    path, _, chosen = (name_or_path, "", "") if _is_file(name_or_path) else name_or_path.rpartition("#")
    if not _is_file(path):
        raise CellError(f"there is no cell {name_or_path}: name one of {', '.join(names())}, or a .yaml file")
    file = _load(Path(path))
    return _described(file, _chosen(file, path, chosen), name_or_path)


def _is_file(text: str) -> bool:
    return text.lower().endswith((".yaml", ".yml"))


def _described(file: NakFile | CircuitFile, name: str, source: str) -> Description:
    if isinstance(file, NakFile):
        return _nak(file, name, source)
    return _circuit(file.cells[name], name, source)


def _circuit(circuit: CircuitCell, name: str, source: str) -> CircuitDescription:
    facts = {"model": "circuit", "note": circuit.note}
    return CircuitDescription(Cell(name, circuit.area.value, source=source, facts=facts), circuit)


def _nak(file: NakFile, name: str, source: str) -> NakDescription:
    """Fill in what is left out: the cell's own words first, then its file's, then the shipped ones."""
    own, shipped = file.cells[name], _defaults()
    build = _given(shipped.build) | _given(file.build) | _given(own)
    parameters = shipped.parameters.given() | file.parameters.given() | own.parameters.given()
    if "contact_fraction" in build:
        parameters["th_0"] = build["contact_fraction"].value
    _check(parameters, source)
    facts = {
        "model": "nak",
        "note": own.note,
        "composition_wt_percent_K": own.composition_wt_percent_K,
        "NaK_volume": str(build["NaK_volume"]),
        "parameters": parameters,
    }
    cell = Cell(
        name,
        build["area"].value,
        working=own.working,
        counter=build["counter"],
        reference=build["reference"],
        electrolyte=f"{build['electrolyte']} {build['pellet_thickness']}",
        source=source,
        facts=facts,
    )
    return NakDescription(
        cell,
        own.composition_wt_percent_K,
        build["NaK_volume"].value,
        build["pellet_thickness"].value,
        parameters,
        None if own.scatter is None else own.scatter.seed,
    )


def _check(parameters: dict[str, float], source: str) -> None:
    """What one value alone does not show."""
    pure = 1000.0 / parameters["v_Na"]
    if not parameters["c_K"] < parameters["c_Na"] <= pure:
        raise CellError(f"{source}: c_K must be below c_Na, and c_Na at most 1000/v_Na = {pure:.2f} mol/L")


def _given(words: Build) -> dict[str, Any]:
    return {name: value for name in Build.model_fields if (value := getattr(words, name)) is not None}


@cache
def _built_in() -> dict[str, NakFile | CircuitFile]:
    files = _defaults(), _load(HERE / "circuits.yaml")
    return {name: file for file in files for name in file.cells}


@cache
def _defaults() -> NakFile:
    return _validated(read_file(HERE / "nak.yaml", CellError), NakFile)


def _chosen(file: NakFile | CircuitFile, path: str, chosen: str) -> str:
    """The cell of a file: the only one, or the one named."""
    first, there = next(iter(file.cells)), ", ".join(file.cells)
    if chosen and chosen not in file.cells:
        raise CellError(f"{path} holds no cell {chosen}; it holds {there}")
    if not chosen and len(file.cells) > 1:
        raise CellError(f"{path} holds several cells: {there}; name one of them, as in {path}#{first}")
    return chosen or first


def _load(path: Path) -> NakFile | CircuitFile:
    document = read_file(path, CellError)
    if document.data.get("model") == "circuit":
        return _validated(document, CircuitFile)
    return _validated(document, NakFile)


def _validated(document: Document, model: type[File]) -> File:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = problems(error, document.data, model, {}, "a cell's file")
        raise CellError(in_order(found, document)) from None
