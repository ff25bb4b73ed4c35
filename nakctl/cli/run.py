"""`nakctl run FILE`: prepare, open the channel, record, run, seal, tell."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from nakctl.cli import console
from nakctl.cli.apart import HasBegun, started
from nakctl.cli.asked_runs import AskedRun, asked_runs
from nakctl.cli.health import look
from nakctl.cli.json_output import print_last
from nakctl.cli.one_run import Options, is_free, run_one
from nakctl.cli.prepare import Wishes, refuse_seed
from nakctl.cli.report import LEFT_BEHIND
from nakctl.cli.run_sensors import logged
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.device.driver import Place
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.record import registry

__all__ = ["Options", "run"]


def run(file: str, wishes: Wishes, each: list[str], options: Options) -> int:
    """One run per combination of --each, all prepared before the first one starts."""
    refuse_seed(options.seed)
    if options.speed is not None and not 0 < options.speed < math.inf:
        raise InputError(f"--speed {options.speed:g}: give a number above 0")
    asked = asked_runs(file, wishes, each, options.out)
    for one in asked:
        if options.speed is not None and not one.ready.simulated:
            raise InputError(
                f"{one.ready.place.name} is a real channel: it keeps real time, so --speed does not apply"
            )
        logged(one.ready, is_free(one.ready, options))
    are_free = all(is_free(one.ready, options) for one in asked)
    if options.detach and len(asked) > 1 and not are_free:
        raise InputError("--detach starts one run, and --each asks for several")
    _recover_leftovers({one.out.parent for one in asked}, [one.ready.place for one in asked], options)
    reports = _in_line(asked, options) if are_free else _apart(asked, options)
    if wishes.dry:
        reports = _beside_expected(asked, reports, silent=options.quiet or options.as_json)
    return _told(reports, options, bool(each))


def _beside_expected(
    asked: list[AskedRun], reports: list[dict[str, Any]], *, silent: bool
) -> list[dict[str, Any]]:
    from nakctl.cli.expected import beside_expected, sentences

    found = [beside_expected(one.ready, told) for one, told in zip(asked, reports, strict=False)]
    for told in () if silent else found:
        console.say(*sentences(told))
    return found


def _told(reports: list[dict[str, Any]], options: Options, several: bool) -> int:
    """The worst exit code."""
    code = max((each["exit_code"] for each in reports), default=ExitCode.DONE)
    if options.as_json and (reports or several):
        print_last({"exit_code": code, "runs": reports} if several else reports[0])
    if any(each.get("cell_state") == LEFT_BEHIND for each in reports):
        _leave(int(code))
    return int(code)


def _leave(code: int) -> NoReturn:
    """At once: a call that never came back holds its thread, and what it calls into, for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _in_line(asked: list[AskedRun], options: Options) -> list[dict[str, Any]]:
    """In virtual time, in this process. After an interruption no further one is begun."""
    from nakctl.cli.screen.run_screen import screen

    reports: list[dict[str, Any]] = []
    with asked_to_stop() as stop_asked:
        for one in asked:
            told = None
            if not stop_asked():
                with screen(one.ready, options.quiet or options.as_json) as show:
                    told = run_one(one.ready, one.out, options, stop_asked, show)
            if told is None:
                if not reports:
                    raise KeyboardInterrupt
                reports[-1]["exit_code"] = max(reports[-1]["exit_code"], int(ExitCode.INTERRUPTED))
                break
            reports.append(told)
            if _is_the_last(told):
                break
    return reports


def _apart(asked: list[AskedRun], options: Options) -> list[dict[str, Any]]:
    """On a wall clock, each in a process of its own, and shown here. After one that is left none is begun."""
    from nakctl.cli.foreground import shown

    reports: list[dict[str, Any]] = []
    for one in asked:
        job = {
            "do": "run", "file": one.file, "wishes": one.wishes.dump(), "out": str(one.out),
            "options": options.dump(), "command_line": sys.argv[1:],
        }  # fmt: skip
        silent = options.quiet or options.as_json
        if not silent and sys.stdout is not None and sys.stdout.isatty():  # it may take a while
            console.say(f"starting the channel {one.ready.place.name} ...")
        try:
            path = started(job, _say_before)
            told = _begun(path, silent) if options.detach else shown(path, silent=silent)
        except HasBegun as late:
            told = shown(late.path, silent=silent, stop=True)
        reports.append(told)
        if told.get("goes_on") or _is_the_last(told):
            break
    return reports


def _begun(path: Path, silent: bool) -> dict[str, Any]:
    from nakctl.cli.foreground import goes_on, watch_or_stop

    if not silent:
        console.say(f"{path}: begun. {watch_or_stop(path)}")
    return goes_on(path, ExitCode.DONE)


def _say_before(sentence: str) -> None:
    console.say(sentence, to=sys.stderr)


def _is_the_last(told: dict[str, Any]) -> bool:
    """What came of it stands in the way of a further one."""
    return told["exit_code"] in (ExitCode.INTERRUPTED, ExitCode.INSTRUMENT)


def _recover_leftovers(folders: set[Path], asked: list[Place], options: Options) -> None:
    """Runs that were killed in these folders become whole files before a new one is started there. One whose
    chain may go on on a channel is left alone, unless it has ended and the new run is for that channel; so is
    one that lies elsewhere.
    """
    from nakctl.cli.results import goes_on
    from nakctl.record.fence import may_go_on
    from nakctl.record.recover import recover, unsealed

    here = [path for folder in sorted(folders) for path in unsealed(folder)]
    known = {path.resolve() for path in here}
    others = [run for run in registry.known_runs() if run.outlives and run.path not in known]
    elsewhere = [run.path for run in others if look(run).is_left]
    for path in (*here, *(path for path in elsewhere if _is_on_one_of(path, asked))):
        try:
            if channel := may_go_on(path):
                said = _brought_home(path, asked) or goes_on(path, channel)
            else:
                said = f"{path} was left unsealed: {recover(path).message}"
        except NakctlError as error:  # no reason not to start another run
            said = str(error)
        if not options.quiet:
            print(said, file=sys.stderr)


def _brought_home(path: Path, asked: list[Place]) -> str:
    """The rows of a killed run whose chain has ended on a channel that is wanted now, in its own file; what
    there is to say of that. "": its channel is another one. NakctlError: it was left alone.
    """
    from nakctl.cli.dead_run import Asked
    from nakctl.cli.stop_dead import finish_dead

    if not _is_on_one_of(path, asked):
        return ""
    told = finish_dead(path, Asked(standing=True), StopAsked())
    return f"{path} was left unsealed, and is whole now: {told['status']}: {told['end_reason']}"


def _is_on_one_of(path: Path, places: list[Place]) -> bool:
    from nakctl.cli.dead_run import is_on

    try:
        return any(is_on(path, place) for place in places)
    except NakctlError:  # nobody can say
        return False
