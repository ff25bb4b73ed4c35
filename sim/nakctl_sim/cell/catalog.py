"""The simulated cells by name or from a file, without computing anything: cheap to ask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from nakctl.device.cell import Cell, charge_C
from nakctl.errors import CellError
from nakctl.text.faults import Problem, in_order, problems
from nakctl.text.meant import did_you_mean
from nakctl.text.reader import Document, read_file
from nakctl_sim.cell.battery_file import BatteryCell, BatteryFile, Electrode
from nakctl_sim.cell.cell_file import Build, CircuitCell, CircuitFile, Declared, NakFile
from nakctl_sim.cell.polarising_file import BlockingCell, BlockingFile, SymmetricFile

HERE = Path(__file__).parent
File = TypeVar("File", NakFile, CircuitFile, BatteryFile, SymmetricFile, BlockingFile)
AnyFile = NakFile | CircuitFile | BatteryFile | SymmetricFile | BlockingFile
# The word after `model:`, what it may say then, and where the cells of it that come along stand.
MODELS: dict[str, tuple[type[AnyFile], str]] = {
    "nak": (NakFile, "nak.yaml"),
    "circuit": (CircuitFile, "circuits.yaml"),
    "battery": (BatteryFile, "batteries.yaml"),
    "symmetric": (SymmetricFile, "symmetric.yaml"),
    "blocking": (BlockingFile, "blocking.yaml"),
}
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


@dataclass(frozen=True, slots=True)
class BatteryDescription:
    """A cell with two electrodes that store charge; parameters by symbol, units as in batteries.yaml."""

    cell: Cell
    words: BatteryCell
    positive: Electrode
    negative: Electrode
    parameters: dict[str, float]


@dataclass(frozen=True, slots=True)
class PolarisingDescription:
    """A symmetric cell, or one that blocks; parameters by symbol, units as in its file."""

    cell: Cell
    blocks: bool
    parameters: dict[str, float]


Description = NakDescription | CircuitDescription | BatteryDescription | PolarisingDescription


def names() -> tuple[str, ...]:
    """The built-in cells."""
    return tuple(name for model in MODELS for name in _shipped(model).cells)


def describe(name_or_path: str) -> Cell:
    """Name, area and electrodes of a cell. CellError: there is no such cell, or its file has faults."""
    return read(name_or_path).cell


def read(name_or_path: str) -> Description:
    """A built-in cell by name, or the cell of a file: `my-cell.yaml`, `my-cell.yaml#NaK65`."""
    found = _read(name_or_path)
    return replace(found, cell=replace(found.cell, simulated_as=name_or_path))


def _read(name_or_path: str) -> Description:
    for file in map(_shipped, MODELS):  # read as far as needed
        if name_or_path in file.cells:
            return _described(file, name_or_path, BUILT_IN)
    path, _, chosen = (name_or_path, "", "") if _is_file(name_or_path) else name_or_path.rpartition("#")
    if not _is_file(path):
        hint = did_you_mean(name_or_path, names()) or ":"
        known = ", ".join(names())
        raise CellError(f"there is no cell {name_or_path}{hint} name one of {known}, or a .yaml file")
    file = _load(Path(path))
    return _described(file, _chosen(file, path, chosen), name_or_path)


def _is_file(text: str) -> bool:
    return text.lower().endswith((".yaml", ".yml"))


def _described(file: AnyFile, name: str, source: str) -> Description:
    if isinstance(file, NakFile):
        return _nak(file, name, source)
    if isinstance(file, CircuitFile):
        return _circuit(file.cells[name], name, source)
    if isinstance(file, BatteryFile):
        return _battery(file, name, source)
    return _polarising(file, name, source)


def _declared(words: Declared, area_cm2: float) -> dict[str, Any]:
    capacity_C = None if words.capacity is None else charge_C(words.capacity, area_cm2)
    return {"capacity_C": capacity_C, "working_is": words.working_is or ""}


def _circuit(circuit: CircuitCell, name: str, source: str) -> CircuitDescription:
    facts = {"model": "circuit", "note": circuit.note}
    area_cm2 = circuit.area.value
    declared = _declared(circuit, area_cm2) | {"three_electrodes": circuit.counter is not None}
    return CircuitDescription(Cell(name, area_cm2, source=source, facts=facts, **declared), circuit)


def _battery(file: BatteryFile, name: str, source: str) -> BatteryDescription:
    shipped, own = shipped_file(BatteryFile), file.cells[name]
    parameters = shipped.parameters.given() | file.parameters.given() | own.parameters.given()
    electrodes = shipped.electrodes | file.electrodes
    for chosen in (own.positive, own.negative):
        if chosen not in electrodes:
            hint = did_you_mean(chosen, electrodes) or ";"
            raise CellError(
                f"{source}: cell {name} has no electrode {chosen}{hint} there are: {', '.join(electrodes)}"
            )
    positive, negative = electrodes[own.positive], electrodes[own.negative]
    if positive.Q is None:
        raise CellError(f"{source}: positive electrode {own.positive} needs Q: the charge is counted on it")
    sides = {"positive": own.positive, "negative": own.negative}
    working = sides.pop(own.working_is)
    (counter,) = sides.values()
    facts = {
        "model": "battery",
        "note": own.note,
        "state_of_charge": str(own.state_of_charge),
        "parameters": parameters,
        "electrodes": {each: electrodes[each].given() for each in (own.positive, own.negative)},
    }
    cell = Cell(
        name,
        own.area.value,
        working=working,
        counter=counter,
        reference=own.reference if own.three_electrodes else counter,
        electrolyte=own.electrolyte,
        source=source,
        facts=facts,
        three_electrodes=own.three_electrodes,
        **_declared(own, own.area.value),
    )
    return BatteryDescription(cell, own, positive, negative, parameters)


def _polarising(file: SymmetricFile | BlockingFile, name: str, source: str) -> PolarisingDescription:
    own, blocks = file.cells[name], isinstance(file, BlockingFile)
    shipped = shipped_file(BlockingFile) if blocks else shipped_file(SymmetricFile)
    given = shipped.parameters.given() | file.parameters.given() | own.parameters.given()
    working, counter = (own.working, own.counter) if isinstance(own, BlockingCell) else 2 * (own.electrode,)
    cell = Cell(
        name,
        own.area.value,
        working=working,
        counter=counter,
        reference=counter,
        electrolyte=own.electrolyte,
        source=source,
        facts={"model": file.model, "note": own.note, "parameters": given},
        **_declared(own, own.area.value),
    )
    return PolarisingDescription(cell, blocks, given)


def _nak(file: NakFile, name: str, source: str) -> NakDescription:
    """Fill in what is left out: the cell's own words first, then its file's, then the shipped ones."""
    own, shipped = file.cells[name], shipped_file(NakFile)
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
        **_declared(own, build["area"].value),
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
def _shipped(model: str) -> AnyFile:
    return _load(HERE / MODELS[model][1], ours=True)


def shipped_file(kind: type[File]) -> File:
    """That with the cells of this kind that come along."""
    found = next(_shipped(model) for model, (words, _) in MODELS.items() if words is kind)
    return cast(File, found)


def _chosen(file: AnyFile, path: str, chosen: str) -> str:
    """The cell of a file: the only one, or the one named."""
    first, there = next(iter(file.cells)), ", ".join(file.cells)
    if chosen and chosen not in file.cells:
        hint = did_you_mean(chosen, file.cells) or ";"
        raise CellError(f"{path} holds no cell {chosen}{hint} it holds {there}")
    if not chosen and len(file.cells) > 1:
        raise CellError(f"{path} holds several cells: {there}; name one of them, as in {path}#{first}")
    return chosen or first


def _load(path: Path, *, ours: bool = False) -> AnyFile:
    document = read_file(path, CellError, ours=ours)
    model = document.data.get("model", "nak")  # left out: that is told
    if model not in MODELS:
        hint = did_you_mean(str(model), MODELS) or ";"
        text = f"there is no model {model}{hint} models are: {', '.join(MODELS)}"
        raise CellError(in_order([Problem(("model",), text)], document))
    return _validated(document, MODELS[model][0])


def _validated(document: Document, model: type[AnyFile]) -> AnyFile:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        found = problems(error, document.data, model, {}, "a cell's file")
        raise CellError(in_order(found, document)) from None
