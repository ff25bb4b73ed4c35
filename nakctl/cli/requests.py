"""What is asked of a run from any terminal: `stop`, `pause`, `resume`, `skip`, `note`, `wait` for its end."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.cli.health import look
from nakctl.cli.json_output import print_json
from nakctl.cli.which_run import find_run, known_runs
from nakctl.errors import ChannelError, ExitCode, InputError, NakctlError, typed
from nakctl.record import asked, files
from nakctl.record.asked import Answer, Request
from nakctl.record.registry import KnownRun
from nakctl.record.standing import Over, Sealing, Standing, over, standing
from nakctl.text.meant import did_you_mean

if TYPE_CHECKING:
    from nakctl.device.driver import Place

HEARD_s = 30.0  # until a run has answered: it may be loading a chain
MAILBOX_s = 5.0  # until one that starts has its mailbox
STOPPED_s = 60.0  # until the channel is seen stopped, from when the run has heard
TAKEN_OVER_s = 60.0  # until somebody goes on with a run whose program died
LOOK_s, WAIT_s = 0.05, 0.25


class _Over(Exception):
    """The run is not live any more, or none that could have answered."""


def stop(name: str, after: str | None, withdraw: bool, mine: bool, rig: Path | None, as_json: bool) -> int:
    """At once, at the next boundary, or not at all. mine, rig: if its program is gone, see `stop_dead`."""
    if after is not None and withdraw:
        raise InputError("--withdraw takes back what --after asked for: give one of them")
    _check_boundary(after)
    place = _channel(name, rig) if after is None and not withdraw else None
    if place is not None:
        from nakctl.cli.stop_dead import stop_channel

        return stop_channel(place, mine, as_json)
    path = find_run(name).path
    if withdraw:
        request = asked.new_request("withdraw")
    else:
        request = asked.new_request("stop", **({} if after is None else {"after": after}))
    return _stop(path, request, mine, rig, as_json)


def _stop(path: Path, request: Request, mine: bool, rig: Path | None, as_json: bool) -> int:
    try:
        answer = _answered(path, request)
        if answer.state == "waits" and request.is_stop:
            answer = _stopped(path, request)
    except _Over:
        if standing(path) is Standing.DEAD:
            from nakctl.cli.dead_run import Asked
            from nakctl.cli.stop_dead import stop_dead

            return stop_dead(path, Asked(mine, rig=rig), as_json)
        return _is_over(path, as_json)
    except KeyboardInterrupt:
        return _left(path, "what was asked stays asked")
    finally:
        asked.forget(path, request.id)
    if answer.state == "refused":
        raise NakctlError(f"{path}: {answer.text}")
    if answer.cell_open is None:
        return _say(as_json, ExitCode.DONE, path, answer.text, state=answer.state)
    return _cell(path, answer.text, answer.cell_open, as_json)


def _channel(name: str, rig: Path | None) -> Place | None:
    """A channel of the rig on which no run is known."""
    if any(run.place == name for run in known_runs()):
        return None
    from nakctl.rig import SIMULATED, find_rig

    return None if name in SIMULATED else find_rig(rig).places.get(name)


def pause(name: str, after: str | None, now: bool, why: str | None, as_json: bool) -> int:
    """At a boundary, without one after the step; or now, and then until the cell is seen open."""
    if after is not None and now:
        raise InputError("--now waits for no boundary, and --after does: give one of them")
    _check_boundary(after)
    arguments = {"after": None if now else after or "step", "why": why}
    return _asked_of_living(name, "pause", arguments, as_json, until_open=now)


def resume(name: str, why: str | None, as_json: bool) -> int:
    return _asked_of_living(name, "resume", {"why": why}, as_json)


def skip(name: str, why: str | None, as_json: bool) -> int:
    return _asked_of_living(name, "skip", {"why": why}, as_json)


def note(name: str, text: str, as_json: bool) -> int:
    """Into the record, with who and when."""
    return _asked_of_living(name, "note", {"text": text}, as_json)


def _check_boundary(after: str | None) -> None:
    if after is not None and after not in ("step", "cycle", "spectrum"):
        hint = did_you_mean(after, ("step", "cycle", "spectrum"))
        raise InputError(f"--after {after}: after what? One of step, cycle, spectrum{hint}")


def _asked_of_living(
    name: str, verb: str, arguments: dict[str, str | None], as_json: bool, *, until_open: bool = False
) -> int:
    """What only a run can do whose program lives. until_open: its cell is to be seen open, too."""
    run = find_run(name)
    path = run.path
    request = asked.new_request(verb, **{word: text for word, text in arguments.items() if text is not None})
    try:
        answer = _answered(path, request)
        if answer.state == "waits" and until_open:
            answer = _stopped(path, request)
    except _Over:
        if standing(path) is Standing.DEAD:
            raise ChannelError(_dead(run)) from None
        what = "nothing is added to it" if verb == "note" else f"there is nothing to {verb}"
        raise InputError(f"{path} has ended, and {what}") from None
    except KeyboardInterrupt:
        return _left(path, "what was asked stays asked")
    finally:
        asked.forget(path, request.id)
    if answer.state == "refused":
        raise NakctlError(f"{path}: {answer.text}")
    if answer.cell_open is not None:
        return _cell(path, answer.text, answer.cell_open, as_json)
    return _say(as_json, ExitCode.DONE, path, answer.text, state=answer.state)


def wait(name: str, timeout_s: float | None, as_json: bool) -> int:
    """Until the run has ended and is sealed; the code that its program left with."""
    if timeout_s is not None and not 0 <= timeout_s < math.inf:
        raise InputError(f"--timeout {timeout_s:g}: give a number of seconds")
    run = find_run(name)
    path = run.path
    until = math.inf if timeout_s is None else time.monotonic() + timeout_s
    sealing = Sealing(path)
    try:
        dead_since = math.inf
        while (how := standing(path)) is not Standing.SEALED:
            dead_since = min(dead_since, time.monotonic()) if how is Standing.DEAD else math.inf
            if time.monotonic() - dead_since > (TAKEN_OVER_s if run.outlives else 0.0):
                raise ChannelError(_dead(run))
            if how is Standing.ENDED and sealing.stands_still():
                break
            if time.monotonic() >= until:
                if how is Standing.DEAD:
                    raise ChannelError(_dead(run))
                raise NakctlError(f"{path} has not ended within {timeout_s:g} s; it goes on")
            time.sleep(WAIT_s)
    except KeyboardInterrupt:
        return _left(path, "the run goes on")
    found = over(path)
    text, code = _ended(found), found.code
    if how is not Standing.SEALED:
        text, code = f"{text}; it is not sealed: nakctl recover {typed(path)}", max(code, ExitCode.FAILED)
    return _say(as_json, code, path, text, status=found.status, cell_open=found.cell_open)


# --- asking -------------------------------------------------------------------------------------------------


def _answered(path: Path, request: Request) -> Answer:
    """The first answer. _Over: nobody is there to give one."""
    _put(path, request)
    until = time.monotonic() + HEARD_s
    while (answer := asked.answer_to(path, request.id)) is None:
        if standing(path) is not Standing.LIVE:
            raise _Over
        if time.monotonic() > until:
            trouble = ChannelError if request.is_stop else NakctlError
            raise trouble(
                f"{path} has not answered for {HEARD_s:g} s: its program, its disk or its instrument keeps "
                "it waiting; it will hear this as soon as it can"
            )
        time.sleep(LOOK_s)
    return answer


def _put(path: Path, request: Request) -> None:
    until = time.monotonic() + MAILBOX_s
    while True:
        if standing(path) is not Standing.LIVE:
            raise _Over
        try:
            asked.put(path, request)
            return
        except FileNotFoundError:
            if time.monotonic() > until:
                raise NakctlError(
                    f"{path} has no mailbox: in virtual time a run takes no requests, and is over in a moment"
                ) from None
            time.sleep(LOOK_s)
        except OSError as error:
            why = error.strerror or str(error)
            raise NakctlError(
                f"{files.asked_of(path)} takes no request: {why}; Ctrl-C where the run was started stops it"
            ) from error


def _stopped(path: Path, request: Request) -> Answer:
    """What became of the cell."""
    until = time.monotonic() + STOPPED_s
    while True:
        answer = asked.answer_to(path, request.id)
        if answer is not None and answer.state != "waits":
            return answer
        if standing(path) is not Standing.LIVE:
            raise _Over
        if time.monotonic() > until:
            raise ChannelError(
                f"{path} was told to {request.verb}, and its channel was not seen stopped for "
                f"{STOPPED_s:g} s: THE CELL MAY STILL BE UNDER CURRENT; it is tried on"
            )
        time.sleep(LOOK_s)


# --- telling ------------------------------------------------------------------------------------------------


def _is_over(path: Path, as_json: bool) -> int:
    """Of a run that ended before it could answer, or long ago."""
    found = over(path)
    if found.status == "recovered":  # whether by now anybody opened the cell, nobody knows
        raise ChannelError(
            f"{path} has ended: its program was gone before it stopped the channel, which may have gone on: "
            "look at the instrument"
        )
    return _cell(path, _ended(found), found.cell_open, as_json)


def _dead(run: KnownRun) -> str:
    health = look(run).health
    if health.word == "LOST":
        return f"{run.path}: {health.text}"
    return (
        f"the program of {run.path} is gone, and nobody can answer: its channel may go on by itself with "
        "what it was loaded with, and THE CELL MAY STILL BE UNDER CURRENT; "
        f"nakctl stop {typed(run.path)} stops it"
    )


def _ended(found: Over) -> str:
    return f"{found.status}: {found.reason}" if found.reason else found.status


def _cell(path: Path, text: str, cell_open: bool, as_json: bool) -> int:
    code = ExitCode.DONE if cell_open else ExitCode.INSTRUMENT
    cell = "the cell is open" if cell_open else "THE CELL MAY STILL BE UNDER CURRENT"
    told = text if cell in text else f"{text}; {cell}"
    return _say(as_json, code, path, told, cell_open=cell_open)


def _left(path: Path, text: str) -> int:
    """Ctrl-C ends the waiting, and nothing else."""
    print(f"{path}: no longer waited for; {text}", file=sys.stderr)
    return ExitCode.INTERRUPTED


def _say(as_json: bool, code: int, path: Path, text: str, **facts: Any) -> int:
    if as_json:
        print_json({"file": str(path), "exit_code": int(code), "text": text, **facts})
    else:
        print(f"{path}: {text}")
    return code
