"""A run is about to begin, whoever asks for it: what is refused or mended, and what its process is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nakctl.cli.asked_runs import AskedRun, asked_runs
from nakctl.cli.health import look
from nakctl.cli.one_run import Options, is_free, refuse_real_time, refuse_speed
from nakctl.cli.prepare import Wishes, refuse_seed
from nakctl.cli.run_sensors import logged
from nakctl.cli.signals import StopAsked
from nakctl.device.driver import Place
from nakctl.errors import NakctlError
from nakctl.record import registry


def asked(
    file: str, wishes: Wishes, each: Sequence[str], options: Options, folder: Path = Path()
) -> list[AskedRun]:
    """One run per combination of `each`, all prepared and free of errors before the first one starts.

    folder  of files that are not named. InputError and its kin: nothing was started.
    """
    refuse_seed(options.seed)
    refuse_speed(options.speed)
    found = asked_runs(file, wishes, each, options.out, folder)
    for one in found:
        refuse_real_time(one.ready, options)
        logged(one.ready, is_free(one.ready, options))
    return found


def job_of(
    file: str, wishes: Wishes, out: Path, options: Options, command_line: Sequence[str]
) -> dict[str, Any]:
    """A new run, for `apart.started`. command_line: what asks for it in a terminal, without `nakctl`."""
    return {
        "do": "run", "file": file, "wishes": wishes.dump(), "out": str(out), "options": options.dump(),
        "command_line": [*command_line],
    }  # fmt: skip


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
        try:
            if channel := may_go_on(path):
                yield _brought_home(path, places) or goes_on(path, channel)
            else:
                yield f"{path} was left unsealed: {recover(path).message}"
        except NakctlError as error:  # no reason not to start another run
            yield str(error)


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
