"""The runs that a cell is fitted to, and what they and the command line say of it: it has to be one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from nakctl.cli.results import recover_if_killed
from nakctl.errors import InputError, RecordError, typed

if TYPE_CHECKING:
    from nakctl.device.fitting import Asked
    from nakctl.record.read import Run

ENDINGS = (".yaml", ".yml")
RECORDINGS = (".mpr", ".mpt")
SAME_AREA = 1e-3  # relative
WITHIN = "10 %"  # as the command line declares it
OVERLAP_s = 60.0  # clocks of two computers may differ by so much


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options, as they were typed."""

    out: Path | None
    model: str
    like: str
    name: str
    area: str | None
    percent_K: float | None
    thickness: str | None
    within: str
    overwrite: bool

    def typed(self) -> list[str]:
        """Those that a fit depends on."""
        percent = None if self.percent_K is None else f"{self.percent_K:g}"
        words = {"model": self.model, "like": self.like, "name": self.name, "area": self.area}
        words |= {"composition": percent, "thickness": self.thickness}
        words |= {"within": self.within if self.within != WITHIN else None}
        return [part for name, value in words.items() if value for part in (f"--{name}", value)]


def quantity(option: str, text: str, dimension: str) -> float:
    """InputError: it is none, or not above 0."""
    from nakctl.text.units import UnitError, parse

    try:
        value = parse(text, (dimension,)).value
    except UnitError as error:
        raise InputError(f"{option} {text}: {error}") from None
    if value <= 0:
        raise InputError(f"{option} {text}: it is above 0")
    return value


def opened(files: Sequence[Path]) -> list[Run]:
    """Each run once. All that cannot be read is told at once."""
    from nakctl.record.read import open_run

    runs: dict[str, Run] = {}
    wrong: list[str] = []
    for file in files:
        try:
            if file.suffix.lower() in ENDINGS:
                raise InputError(f"{file} is no result file; a cell to begin with is named by --like")
            if file.suffix.lower() in RECORDINGS and file.is_file():
                raise InputError(f"{file} is as EC-Lab wrote it: nakctl import {typed(file)} first")
            recover_if_killed(file)
            run = open_run(file)
            runs.setdefault(run.header.run_id, run)
        except (InputError, RecordError) as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("\n".join(wrong))
    return list(runs.values())


def asked(runs: Sequence[Run], wanted: Wanted) -> Asked:
    """The one cell that all runs are of. All that speaks against it is told at once."""
    from nakctl.device.fitting import Asked

    wrong = list(_of_two_cells(runs, wanted))
    if not wanted.area and not any(run.header.area_cm2 for run in runs):
        wrong.append(f"{runs[0].path} does not say how large the electrode is: say it with --area 0.79cm2")
    if wanted.percent_K is not None and not 0 <= wanted.percent_K <= 100:
        wrong.append(f"--composition {wanted.percent_K:g}: wt% K of the alloy, 0 to 100")
    if wrong:
        raise InputError("\n".join(wrong))
    described = next((run for run in runs if run.header.cell), runs[0])
    name = wanted.name or described.header.cell or described.path.stem
    area_cm2 = next((run.header.area_cm2 for run in runs if run.header.area_cm2), 0.0)
    return Asked(
        name=" ".join("".join(c if c.isprintable() else " " for c in name).split()) or "cell",
        area_cm2=quantity("--area", wanted.area, "area") if wanted.area else area_cm2,
        sample=described.header.sample,
        model=wanted.model,
        like=wanted.like,
        percent_K=wanted.percent_K,
        thickness_cm=quantity("--thickness", wanted.thickness, "length") if wanted.thickness else None,
    )


def _of_two_cells(runs: Sequence[Run], wanted: Wanted) -> Iterator[str]:
    def said(word: str) -> Callable[[Run], str]:
        return lambda run: str(run.header.sample.get(word, "")).strip()

    yield from _differ(runs, lambda run: "a SIMULATED cell" if run.header.simulated else "a real one", "")
    if not wanted.name:
        way_out = ", or say with --name that it is one"
        yield from _differ(runs, lambda run: run.header.cell, way_out)
        if wanted.percent_K is None:
            yield from _differ(runs, said("working_electrode"), way_out)
        if not wanted.thickness:
            yield from _differ(runs, said("electrolyte"), way_out)
    if not wanted.area:
        yield from _of_two_areas(runs)
    yield from _at_the_same_time(runs)


def _differ(runs: Sequence[Run], of: Callable[[Run], str], way_out: str) -> Iterator[str]:
    words = {of(run): run for run in reversed(runs) if of(run)}
    if len(words) > 1:
        told = ", ".join(f"{run.path} is of {word}" for word, run in reversed(words.items()))
        yield f"runs of several cells: {told}; fit one at a time{way_out}"


def _of_two_areas(runs: Sequence[Run]) -> Iterator[str]:
    known = [(run.header.area_cm2, run.path) for run in runs if run.header.area_cm2]
    for area_cm2, path in known[1:]:
        first_cm2, first = known[0]
        if abs(area_cm2 / first_cm2 - 1.0) > SAME_AREA:
            yield (
                f"{first} is of {first_cm2:g} cm2, {path} of {area_cm2:g} cm2: two cells; "
                "fit one at a time, or say with --area how large it is"
            )
            return


def _at_the_same_time(runs: Sequence[Run]) -> Iterator[str]:
    """Simulated cells begin anew, whenever that was."""
    times = []
    for run in runs:
        try:
            began_s = datetime.fromisoformat(run.header.start_time).timestamp()
        except ValueError:  # an import of files that do not say it
            continue
        if not run.header.simulated:
            times.append((began_s, began_s + run.header.duration_s, run.path))
    for (_, ended_s, first), (began_s, its_end_s, second) in pairwise(sorted(times)):
        if min(ended_s, its_end_s) - began_s > OVERLAP_s:
            yield (
                f"{first} was still being recorded when {second} began: two cells, or one run twice; "
                "fit one at a time"
            )
