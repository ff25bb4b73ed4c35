"""`nakctl run FILE`: prepare, open the channel, record, run, seal, tell."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from nakctl.cli import beginning, console
from nakctl.cli.apart import HasBegun, started
from nakctl.cli.asked_runs import AskedRun
from nakctl.cli.json_output import print_last
from nakctl.cli.one_run import Options, is_free, run_one
from nakctl.cli.prepare import Wishes
from nakctl.cli.report import LEFT_BEHIND
from nakctl.cli.signals import asked_to_stop
from nakctl.errors import ExitCode, InputError

__all__ = ["Options", "run"]


def run(file: str, wishes: Wishes, each: list[str], options: Options) -> int:
    """One run per combination of --each, all prepared before the first one starts."""
    asked = beginning.asked(file, wishes, each, options)
    are_free = all(is_free(one.ready, options) for one in asked)
    if options.detach and len(asked) > 1 and not are_free:
        raise InputError("--detach starts one run, and --each asks for several")
    places = [one.ready.place for one in asked]
    for said in beginning.leftovers({one.out.parent for one in asked}, places):
        if not options.quiet:
            print(said, file=sys.stderr)
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
        silent = options.quiet or options.as_json
        if not silent and sys.stdout is not None and sys.stdout.isatty():  # it may take a while
            console.say(f"starting the channel {one.ready.place.name} ...")
        try:
            job = beginning.job_of(one, options, sys.argv[1:])
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
