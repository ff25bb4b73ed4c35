"""`nakctl attach`: somebody goes on with a run whose program died, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from nakctl.cli import console, keeper
from nakctl.cli.apart import NotBegun, started
from nakctl.cli.health import look
from nakctl.cli.screen.drawing import kind_here
from nakctl.cli.which_run import find_run, known_runs
from nakctl.errors import ExitCode, InputError, NakctlError, typed
from nakctl.record.boot import boot_id, is_same_boot
from nakctl.record.registry import KnownRun
from nakctl.record.standing import Standing, standing


def attach(name: str | None, every: bool, anew: bool, allowed: Sequence[str], detach: bool) -> int:
    """One run, which is shown then on a terminal; or every: each of this computer that nobody watches, as
    after a restart.

    anew    where nothing of the run is on its channel any more, what is left of the run is begun
    allowed to make room for it there: load_firmware, discard_rows
    detach  it is not shown
    InputError: there is no such run, or it is over. NakctlError: nobody goes on with it, nothing has changed.
    """
    if every == (name is not None):
        raise InputError("name one run, or give --all")
    if name is None:
        if anew or allowed:
            raise InputError("--continue is said of one run: look at its cell before")
        return _attach_all()
    if allowed and not anew:
        raise InputError("--load-firmware and --discard-rows are for --continue: else nothing is loaded")
    return _attach(find_run(name), anew, allowed, detach)


def _attach(run: KnownRun, anew: bool, allowed: Sequence[str], detach: bool) -> int:
    match standing(run.path):
        case Standing.LIVE:
            said = f"{run.path}: its program lives, and goes on with it"
        case Standing.SEALED:
            raise InputError(f"{run.path} is over: nakctl show {typed(run.path)}")
        case Standing.DEAD | Standing.ENDED:
            said = _gone_on_with(run, "asked", anew, allowed)
    if detach or kind_here() != "moving":
        console.say(said)
        return ExitCode.DONE
    from nakctl.cli.foreground import shown

    return int(shown(run.path, silent=False)["exit_code"])


def _attach_all() -> int:
    """As a task of the system runs it every few minutes: without a word where all is well."""
    code = ExitCode.DONE
    there = [look(run) for run in known_runs()]
    if any(one.held for one in there):
        keeper.start_if_gone()
    for one in there:
        if not one.is_left:
            continue
        try:
            console.say(_gone_on_with(one.run, _why(one.run)))
        except NakctlError as error:
            console.say(f"{one.run.path}: {error}", to=sys.stderr)
            code = max(code, error.exit_code)
    return code


def _why(run: KnownRun) -> str:
    return "died" if is_same_boot(run.boot, boot_id()) else "boot"


def _gone_on_with(run: KnownRun, why: str, anew: bool = False, allowed: Sequence[str] = ()) -> str:
    job = {"do": "take over", "path": str(run.path), "why": why, "anew": anew, "allowed": [*allowed]}
    try:
        path: Path = started(job, console.say)
    except KeyboardInterrupt:
        how = f"no longer waited for, and may be gone on with all the same: nakctl status {run.short_id}"
        raise NotBegun(how, ExitCode.INTERRUPTED) from None
    return f"{path}: gone on with; nakctl status {run.short_id} shows it"
