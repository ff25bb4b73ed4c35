"""A run is about to begin, whoever asks for it: what is refused or mended, and what its process is told."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from nakctl.campaign.made_of import MadeOf, difference, made_of
from nakctl.cli.asked_runs import AskedRun, asked_runs
from nakctl.cli.health import look
from nakctl.cli.one_run import Options, is_free, refuse_real_time, refuse_speed
from nakctl.cli.prepare import Prepared, Wishes, refuse_seed
from nakctl.cli.run_sensors import logged
from nakctl.cli.signals import StopAsked
from nakctl.device.driver import Place
from nakctl.errors import InputError, NakctlError
from nakctl.record import files, lock, registry
from nakctl.rig import load_driver


def asked(
    file: str,
    wishes: Wishes,
    each: Sequence[str],
    options: Options,
    folder: Path = Path(),
    promised: Container[Path] = (),
) -> list[AskedRun]:
    """One run per combination of `each`, all prepared and free of errors before the first one starts.

    folder  of files that are not named; promised: names that they are not to have
    InputError and its kin: nothing was started.
    """
    refuse_seed(options.seed)
    refuse_speed(options.speed)
    found = asked_runs(file, wishes, each, options.out, folder, promised)
    for one in found:
        refuse_real_time(one.ready, options)
        logged(one.ready, is_free(one.ready, options))
    return found


class Checked(Protocol):
    """A run that was checked. file, wishes: what from; ready: as what."""

    @property
    def file(self) -> str: ...
    @property
    def wishes(self) -> Wishes: ...
    @property
    def ready(self) -> Prepared: ...
    @property
    def out(self) -> Path: ...


def job_of(one: Checked, options: Options, command_line: Sequence[str]) -> dict[str, Any]:
    """A new run, for `apart.started`. command_line: what asks for it in a terminal, without `nakctl`."""
    return {
        "do": "run", "file": one.file, "wishes": one.wishes.dump(), "out": str(one.out),
        "options": options.dump(), "command_line": [*command_line],
        "made_of": made_of_run(one.ready, options.seed),
    }  # fmt: skip


def refuse_changed(ready: Prepared, seed: int, was: MadeOf) -> None:
    """InputError if it would be another run than the one that was checked, which may be days ago."""
    now = made_of_run(ready, seed)
    other = difference(was, now) or ("made with another program" if was["program"] != now["program"] else "")
    if other:
        raise InputError(
            f"{ready.loaded.document.file}: it would be {other} than when it was checked, so nothing was "
            "started; check it again"
        )


def made_of_run(ready: Prepared, seed: int) -> MadeOf:
    from nakctl.device import program_json

    cell, driver = ready.cell, ready.driver
    declared: dict[str, Any] = {
        name: getattr(cell, name) for name in ("capacity_C", "working_is", "three_electrodes")
    }
    if driver.virtual_time:
        declared["model"] = load_driver(ready.place.driver).cell(cell.simulated_as).facts
        declared["sensors"] = [spec.as_json() for spec in logged(ready, True)]
    return made_of(
        text=ready.loaded.document.text,
        tables=ready.loaded.texts,
        params=ready.plan.params,
        program=program_json.dump(ready.program),
        cell=cell.name,
        area_cm2=cell.area_cm2,
        cell_is=declared,
        channel=f"{ready.place.driver} {ready.place.instrument}",
        seed=seed if ready.simulated else None,
    )


def leftovers(folders: set[Path], places: Sequence[Place]) -> Iterator[str]:
    """Runs that were killed in these folders become whole files before a new one is started there: what is to
    be said of each. One whose chain may go on on a channel is left alone, unless it has ended and the new run
    is for that channel, one of `places`; so is one that lies elsewhere.
    """
    from nakctl.cli.results import goes_on
    from nakctl.record.fence import may_go_on
    from nakctl.record.recover import recover, unsealed

    here = [path for folder in sorted(folders) for path in unsealed(folder)]
    known = {path.resolve() for path in here}
    others = [run for run in registry.known_runs() if run.outlives and run.path not in known]
    elsewhere = [run.path for run in others if look(run).is_left]
    for path in (*here, *(path for path in elsewhere if _is_on_one_of(path, places))):
        if lock.is_held(files.sealer_of(path)):  # by its own program, perhaps: it is being made whole
            continue
        try:
            if channel := may_go_on(path):
                yield _brought_home(path, places) or goes_on(path, channel)
            else:
                yield f"{path} was left unsealed: {recover(path).message}"
        except NakctlError as error:  # no reason not to start another run
            yield str(error)
        except OSError as error:
            yield f"{path} was left unsealed: {error.strerror or error}"


def _brought_home(path: Path, places: Sequence[Place]) -> str:
    """The rows of a killed run whose chain has ended on a channel that is wanted now, in its own file; what
    there is to say of that. "": its channel is another one. NakctlError: it was left alone.
    """
    from nakctl.cli.dead_run import Asked
    from nakctl.cli.stop_dead import finish_dead

    if not _is_on_one_of(path, places):
        return ""
    told = finish_dead(path, Asked(standing=True), StopAsked())
    return f"{path} was left unsealed, and is whole now: {told['status']}: {told['end_reason']}"


def _is_on_one_of(path: Path, places: Sequence[Place]) -> bool:
    from nakctl.cli.dead_run import is_on

    try:
        return any(is_on(path, place) for place in places)
    except NakctlError:  # nobody can say
        return False
