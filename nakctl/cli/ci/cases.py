"""Which protocol runs on which cells, with which parameters; and what is wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nakctl.cli.ci.base import tables_of
from nakctl.cli.ci.benches import Bench, troubles_of
from nakctl.cli.ci.outcome import Case, Outcome, Trouble
from nakctl.cli.prepare import Prepared, Wishes, prepare
from nakctl.cli.run_sensors import logged
from nakctl.errors import CellError, InputError
from nakctl.protocol.load import Loaded, load
from nakctl.protocol.model import Expect
from nakctl.rig import DEFAULT, DEFAULT_SIMULATED_CELL, SIMULATOR, load_driver
from nakctl.text.faults import did_you_mean
from nakctl.text.reader import read_file

NOWHERE = Wishes(None, None, {}, None)


@dataclass(frozen=True)
class Script:
    """A protocol and its bench. troubles: why nothing of it can run."""

    file: Path
    bench: Bench
    loaded: Loaded | None = None
    troubles: tuple[Trouble, ...] = ()


def script_of(file: Path, bench: Bench | InputError) -> Script:
    """bench: or why there is none."""
    found, own = (bench, ()) if isinstance(bench, Bench) else (Bench(), troubles_of(bench, str(file)))
    try:
        return Script(file, found, load(file), tuple(own))
    except InputError as error:
        return Script(file, found, None, (*own, *troubles_of(error, str(file))))


def needs(script: Script) -> frozenset[Path]:
    """The files that decide what comes of a protocol: itself, its tables, its rig, and those of the cells."""
    try:
        tables = [script.file.parent / name for name in tables_of(read_file(script.file).data)]
    except InputError:
        tables = []
    rig = [script.bench.file] if script.bench.file is not None else []
    cells = [cell.simulated_as for cell in script.bench.rig.cells.values()]
    entries = script.loaded.protocol.expect if script.loaded is not None else []
    cells += [_beside(name, script) for expect in entries for name in expect.named_cells]
    of_cells = [Path(cell.rpartition("#")[0] or cell) for cell in cells if cell]
    return frozenset(path.resolve() for path in (script.file, *tables, *rig, *of_cells))


def looked_at(script: Script) -> Iterator[tuple[Outcome, Prepared | None]]:
    """Every case, checked and planned; of a protocol that comes to none, what is wrong."""
    nothing = Case(str(script.file), "", NOWHERE)
    if script.loaded is None or script.troubles or script.bench.troubles:
        why = f"{script.bench.file} has faults" if script.bench.troubles else ""
        yield Outcome(replace(nothing, skipped=why), script.troubles), None
        return
    cases, troubles = cases_of(script)
    if troubles:
        yield Outcome(nothing, tuple(troubles)), None
    yield from map(prepared, cases)


def cases_of(script: Script) -> tuple[list[Case], list[Trouble]]:
    """Every cell with every set of parameters, once; and cells that nobody knows."""
    assert script.loaded is not None
    wanted: dict[tuple[str, tuple[tuple[str, str], ...]], Case] = {}
    troubles: list[Trouble] = []
    for number, expect in enumerate(script.loaded.protocol.expect or [Expect()]):
        wrong = [one for name in expect.named_cells if (one := _unknown(name, number, script)) is not None]
        troubles += wrong
        for name, also in [] if wrong else _cells(expect, script.bench):
            wanted.setdefault((name, tuple(expect.sets.items())), _case(name, also, expect, script))
    return list(wanted.values()), troubles


def _cells(expect: Expect, bench: Bench) -> list[tuple[str, tuple[str, ...]]]:
    """Those named, else those of the rig that differ, each with others that are simulated alike."""
    if expect.named_cells:
        return [(name, ()) for name in expect.named_cells]
    if bench.different or bench.rig.cells:
        return list(bench.different.items()) or [(name, ()) for name in bench.rig.cells]
    return [(DEFAULT_SIMULATED_CELL, ())]


def _case(name: str, also: tuple[str, ...], expect: Expect, script: Script) -> Case:
    rig = script.bench.rig
    if name not in rig.cells:
        return Case(
            str(script.file), name, Wishes(DEFAULT, _beside(name, script), expect.sets, rig.file, dry=True)
        )
    if script.bench.stand_ins[name] is not None:
        chosen = not expect.named_cells and len(script.bench.different) > 1
        on_it = Wishes(None, name, expect.sets, rig.file, dry=True)
        return Case(str(script.file), name, on_it, also, chosen=chosen)
    on_it = Wishes(rig.cell_places[name], name, expect.sets, rig.file)
    return Case(str(script.file), name, on_it, skipped=f"no cell of {rig.file} says what simulates it")


def _beside(name: str, script: Script) -> str:
    """A file of cells lies beside the protocol."""
    is_file = name.partition("#")[0].lower().endswith((".yaml", ".yml"))
    return str(script.file.parent / name) if is_file else name


def _unknown(name: str, number: int, script: Script) -> Trouble | None:
    """A cell that an expectation is for, and that is not to be had."""
    assert script.loaded is not None
    loaded, rig = script.loaded, script.bench.rig
    loc = loaded.expect_loc(number)
    mark = loaded.document.mark((*loc, "cells" if loaded.protocol.expect[number].cells else "cell"))
    driver = load_driver(SIMULATOR)
    if name in rig.cells:
        if script.bench.stand_ins[name] is not None:
            return None
        text = f"{rig.file} does not say what simulates {name}: add simulated_as to it"
    else:
        try:
            driver.cell(_beside(name, script))
            return None
        except CellError as error:
            if error.faults:
                return Trouble("check", error.faults[0])
        known = [*rig.cells, *(cell.name for cell in driver.cells())]
        there = (
            f"{rig.file} has {', '.join(rig.cells)}" if rig.cells else "nakctl cells lists those there are"
        )
        text = f"there is no cell {name}{did_you_mean(name, known) or ';'} {there}"
    return Trouble("check", loaded.document.fault(mark, text))


def prepared(case: Case) -> tuple[Outcome, Prepared | None]:
    """Checked and planned, as for its run; None: there is no plan. What has troubles is not run."""
    try:
        ready = prepare(case.file, case.wishes)
    except InputError as error:
        return Outcome(case, tuple(troubles_of(error, case.file))), None
    document = ready.loaded.document
    warnings = tuple(
        each.fault(document.file, document.fault(each.mark, "").text)
        for each in ready.findings
        if each.severity == "warning"
    )
    numbers = tuple(k for k, _ in ready.loaded.expected(case.cell, ready.cell.name))
    found = Outcome(replace(case, expected=numbers), (), warnings, _on(ready), ready.estimate.duration_s)
    try:
        ready.require_no_errors()
        if not case.skipped:
            logged(ready, free=True)
    except InputError as error:
        return replace(found, troubles=tuple(troubles_of(error, case.file))), ready
    return found, ready


def _on(ready: Prepared) -> str:
    """What it runs on: the cell that stands for it, and the instrument."""
    area = f"{ready.cell.area_cm2:g} cm2"
    stand_in = Path(ready.cell.simulated_as.rpartition("#")[2]).stem
    known = "" if stand_in in ("", ready.cell.name) else f" as {stand_in}"
    return f"{ready.cell.name}{known}, {area}, {ready.instrument.name}"
