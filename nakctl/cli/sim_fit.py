"""`nakctl sim fit RUN.h5...`: the numbers of a simulated cell, from runs of a real one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl import __version__
from nakctl.cli.json_output import print_json
from nakctl.cli.results import recover_if_killed
from nakctl.errors import ExitCode, InputError, RecordError, need, typed
from nakctl.text.numbers import wrapped

if TYPE_CHECKING:
    from nakctl.device.driver import Driver
    from nakctl.device.fitting import Asked, Fits
    from nakctl.fit.findings import Fit
    from nakctl.record.read import Run

ENDINGS = (".yaml", ".yml")
SAME_AREA = 1e-3  # relative


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


def fit(files: list[Path], wanted: Wanted, as_json: bool) -> int:
    """InputError: the files, or the options, are no good for it."""
    need("nakctl sim fit", "fit", "scipy")
    driver, simulator = _simulator()
    _refuse_model(wanted.model, simulator)
    within = _quantity("--within", wanted.within, "fraction") or 0.0
    runs = _opened(files)
    asked = _asked(runs, wanted)
    target = _target(wanted, files[0], asked.name)
    from nakctl.fit.fit import fit as fitted

    with _progress() as told:
        found = fitted(runs, simulator.subject, asked, within, told)
    _write(target, _text(found, asked, files, within), driver)
    if as_json:
        print_json(_as_json(found, asked, target, within))
    else:
        print("\n".join(_lines(found, asked, target, within)))
    return ExitCode.DONE


def _simulator() -> tuple[Driver, Fits]:
    from nakctl.device.fitting import Fits
    from nakctl.rig import SIMULATOR, load_driver

    driver = load_driver(SIMULATOR)
    if not isinstance(driver, Fits):
        raise InputError(f"the driver {SIMULATOR} that is installed here has no cells to be fitted")
    return driver, driver


def _refuse_model(model: str, simulator: Fits) -> None:
    if model and model not in simulator.fit_models:
        from nakctl.text.faults import did_you_mean

        hint = did_you_mean(model, simulator.fit_models) or ";"
        there_are = ", ".join(simulator.fit_models)
        raise InputError(f"--model {model}: there is no such model to fit{hint} there are: {there_are}")


def _quantity(option: str, text: str | None, dimension: str) -> float | None:
    if text is None:
        return None
    from nakctl.text.units import UnitError, parse

    try:
        value = parse(text, (dimension,)).value
    except UnitError as error:
        raise InputError(f"{option} {text}: {error}") from None
    if value <= 0:
        raise InputError(f"{option} {text}: it is above 0")
    return value


# --- the runs -----------------------------------------------------------------------------------------------


def _opened(files: Sequence[Path]) -> list[Run]:
    """Each run once. All that cannot be read is told at once."""
    from nakctl.record.read import open_run

    runs: dict[str, Run] = {}
    wrong: list[str] = []
    for file in files:
        try:
            if file.suffix.lower() in ENDINGS:
                raise InputError(f"{file} is no result file; a cell to begin with is named by --like")
            recover_if_killed(file)
            run = open_run(file)
            runs.setdefault(run.header.run_id, run)
        except (InputError, RecordError) as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("\n".join(wrong))
    return list(runs.values())


def _asked(runs: Sequence[Run], wanted: Wanted) -> Asked:
    """The one cell that all runs are of."""
    from nakctl.device.fitting import Asked

    names = {run.header.cell: run for run in runs if run.header.cell}
    if len(names) > 1 and not wanted.name:
        told = ", ".join(f"{run.path} is of {name}" for name, run in names.items())
        raise InputError(
            f"runs of several cells: {told}; fit one at a time, or say with --name that it is one"
        )
    described = next((run for run in runs if run.header.cell), runs[0])
    return Asked(
        name=wanted.name or described.header.cell or described.path.stem,
        area_cm2=_area_cm2(runs, wanted.area),
        sample=described.header.sample,
        model=wanted.model,
        like=wanted.like,
        percent_K=_percent(wanted.percent_K),
        thickness_cm=_quantity("--thickness", wanted.thickness, "length"),
    )


def _percent(given: float | None) -> float | None:
    if given is not None and not 0 <= given <= 100:
        raise InputError(f"--composition {given:g}: wt% K of the alloy, 0 to 100")
    return given


def _area_cm2(runs: Sequence[Run], said: str | None) -> float:
    if said is not None:
        return _quantity("--area", said, "area") or 0.0
    known = {run.header.area_cm2: run for run in runs if run.header.area_cm2}
    if not known:
        raise InputError(
            f"{runs[0].path} does not say how large the electrode is: say it with --area 0.79cm2"
        )
    (first_cm2, first), *others = known.items()
    for area_cm2, run in others:
        if abs((area_cm2 or 0.0) / (first_cm2 or 1.0) - 1.0) > SAME_AREA:
            raise InputError(
                f"{first.path} is of {first_cm2:g} cm2, {run.path} of {area_cm2:g} cm2: two cells; "
                "fit one at a time, or say with --area how large it is"
            )
    return float(first_cm2 or 0.0)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """How far it is, in one line of a terminal; nothing where nobody looks."""
    stream, widest = sys.stderr, 0

    def told(text: str) -> None:
        nonlocal widest
        if stream.isatty():
            print(f"\r{text:<{widest}}", end="", file=stream, flush=True)
            widest = max(widest, len(text))

    try:
        yield told
    finally:
        if widest:
            print("\r" + " " * widest + "\r", end="", file=stream, flush=True)


# --- the cell's file ----------------------------------------------------------------------------------------


def _target(wanted: Wanted, first: Path, name: str) -> Path:
    """By default beside the first run."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    path = wanted.out or first.with_name(f"{plain}-fit.yaml")
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: the name of a cell's file ends in .yaml")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the file another name")
    if path.exists() and not wanted.overwrite:
        raise InputError(f"{path} exists already; --overwrite replaces it")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    from nakctl.record.files import refuse_unwritable

    refuse_unwritable(path)
    return path


def _text(found: Fit, asked: Asked, files: Sequence[Path], within: float) -> str:
    from nakctl.fit import told

    kind = "SIMULATED runs" if _simulated(asked) else "runs"
    unknown = [f"  {symbols}: {why}" for symbols, why in told.unknown(found)]
    comments = [
        f"{asked.name}, fitted to {kind} by nakctl {__version__} on {date.today().isoformat()}:",
        f"  nakctl sim fit {' '.join(typed(file.name) for file in files)}",
        "",
        *told.used(found),
        *found.subject.said,
        *told.left_over(found),
        "",
        f"{told.ERRORS}. What is not among the parameters keeps the value of the simulator:",
        *unknown,
        "",
    ]
    lines = [part for line in comments for part in wrapped(line, "", "    ") or [""]]
    return found.subject.file_text(told.written(found), lines, f"fitted to {asked.name}, see above")


def _simulated(asked: Asked) -> bool:
    return bool(asked.sample.get("simulated"))


def _write(target: Path, text: str, driver: Driver) -> None:
    """Whole, and read once by who will simulate it, or not at all."""
    from nakctl.record import files

    fresh = target.with_name(f".{target.stem}.{os.getpid()}.yaml")
    try:
        fresh.write_text(text, encoding="utf-8")
        driver.cell(str(fresh))
        files.put_in_place(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)


# --- what is told -------------------------------------------------------------------------------------------


def _lines(found: Fit, asked: Asked, target: Path, within: float) -> Iterator[str]:
    from nakctl.fit import told

    simulated = "SIMULATED " if _simulated(asked) else ""
    yield f"{simulated}cell {asked.name}, {asked.area_cm2:.4g} cm2, model {found.subject.model}"
    for line in told.used(found):
        yield from wrapped(line, "from ", "  ")
    for line in found.subject.said:
        yield from wrapped(line, "taken: ", "  ")
    yield ""
    yield from told.table(found, "like" if asked.like else "shipped")
    yield from told.legend(found, within)
    yield ""
    yield "not determined, left as it was:"
    for symbols, why in told.unknown(found):
        yield from wrapped(f"{symbols}: {why}", "  ", "    ")
    yield ""
    for line in told.left_over(found):
        yield from wrapped(line, "", "  ")
    yield f"{target}: nakctl run ccd --cell {typed(target)}"


def _as_json(found: Fit, asked: Asked, target: Path, within: float) -> dict[str, Any]:
    from nakctl.fit import told

    runs = [
        {
            "file": part.path,
            "spectra_at_rest": part.resting,
            "spectra_under_current": part.spectra,
            "readings_of_Ewe_under_current": part.Ewe,
            "readings_of_Ewe_at_rest": part.Ewe_at_rest,
            "left_out": part.said,
            "offset_of_Ewe_V": offset_V,
        }
        for part, offset_V in zip(found.history.parts, found.offsets_V, strict=True)
    ]
    return {
        "file": str(target),
        "cell": asked.name,
        "simulated": _simulated(asked),
        "model": found.subject.model,
        "area_cm2": asked.area_cm2,
        "within": within,
        "runs": runs,
        "taken_for_granted": found.subject.said,
        "parameters": [
            {
                "symbol": one.symbol,
                "unit": one.unit,
                "shipped": one.shipped,
                "value": one.value,
                "error": one.error,
                "certain": one.certain,
                "from": told.sourced(found, one.blocks),
                "why_not": one.why,
            }
            for one in found.found
        ],
        "read": {name: value for name, (value, _) in found.subject.read.items()},
        "combinations": [
            {
                "name": one.name,
                "unit": one.unit,
                "shipped": one.shipped,
                "value": one.value,
                "error": one.error,
                "members": one.members,
                "carried_by": one.carried_by,
                "from": told.sourced(found, one.blocks),
            }
            for one in found.combined
        ],
        "not_looked_for": dict(found.subject.kept),
        "left_over": [
            {
                "file": found.history.parts[one.block.run].path,
                "of": one.block.of,
                "at_rest": one.block.at_rest,
                "rms": one.rms,
                "steady": one.steady,
            }
            for one in found.left
        ],
        "told": told.left_over(found),
    }
