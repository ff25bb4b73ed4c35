"""`nakctl sim fit RUN.h5...`: the numbers of a simulated cell, from runs of a real one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.cli import sim_fit_file
from nakctl.cli.json_output import print_json
from nakctl.cli.sim_fit_runs import Wanted, asked, opened, quantity
from nakctl.errors import ExitCode, InputError, need, typed
from nakctl.text.numbers import wrapped

if TYPE_CHECKING:
    from nakctl.device.driver import Driver
    from nakctl.device.fitting import Asked, Fits
    from nakctl.fit.findings import Fit


def fit(files: list[Path], wanted: Wanted, as_json: bool) -> int:
    """InputError: the files, or the options, are no good for it."""
    need("nakctl sim fit", "fit", "scipy")
    driver, simulator = _simulator()
    _refuse_model(wanted.model, simulator)
    within = quantity("--within", wanted.within, "fraction")
    runs = opened(files)
    cell, simulated = asked(runs, wanted), runs[0].header.simulated
    target = sim_fit_file.target(wanted, files[0], cell.name)
    from nakctl.fit.fit import fit as fitted

    with _progress() as told:
        found = fitted(runs, simulator.subject, cell, within, told)
    text = sim_fit_file.text(found, cell, files, wanted, simulated=simulated)
    sim_fit_file.write(target, text, wanted, driver)
    if as_json:
        about = {"file": str(target), "cell": cell.name, "simulated": simulated}
        print_json(about | {"area_cm2": cell.area_cm2, "within": within} | _as_json(found))
    else:
        print("\n".join(_lines(found, cell, target, within, simulated=simulated)))
    return ExitCode.DONE


def _simulator() -> tuple[Driver, Fits]:
    from nakctl.device.fitting import Fits
    from nakctl.rig import SIMULATOR, load_driver

    driver = load_driver(SIMULATOR)
    if not isinstance(driver, Fits):
        raise InputError(f"the driver {SIMULATOR} that is installed here has no cells to be fitted")
    return driver, driver


def _refuse_model(model: str, simulator: Fits) -> None:
    if not model or model in simulator.fit_models:
        return
    if model in simulator.not_fitted:
        raise InputError(f"--model {model}: {simulator.not_fitted[model]}")
    from nakctl.text.faults import did_you_mean

    hint = did_you_mean(model, simulator.fit_models) or ";"
    there_are = ", ".join(simulator.fit_models)
    raise InputError(f"--model {model}: there is no such model to fit{hint} there are: {there_are}")


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


def _lines(found: Fit, asked: Asked, target: Path, within: float, *, simulated: bool) -> Iterator[str]:
    from nakctl.fit import told

    kind = "SIMULATED cell" if simulated else "cell"
    yield f"{kind} {asked.name}, {asked.area_cm2:.4g} cm2, model {found.subject.model}"
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
    yield f"{target}: nakctl run pristine-eis --cell {typed(target)}"


def _as_json(found: Fit) -> dict[str, Any]:
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
        "model": found.subject.model,
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
        "read": {name: one.value for name, one in found.subject.read.items()},
        "combinations": [
            {
                "name": one.name,
                "unit": one.unit,
                "shipped": one.shipped,
                "value": one.value,
                "error": one.error,
                "members": one.members,
                "carried_by": one.carried_by,
                "certain": one.certain,
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
                "noise": one.noise,
            }
            for one in found.left
        ],
        "told": told.left_over(found),
    }
