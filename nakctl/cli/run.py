"""`nakctl run FILE`: prepare, open the channel, record, run, seal, tell."""

from __future__ import annotations

import math
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nakctl.cli.asked_runs import asked_runs, free_name
from nakctl.cli.from_outside import known_run, outside
from nakctl.cli.json_output import print_last
from nakctl.cli.prepare import Prepared, Wishes, refuse_seed
from nakctl.cli.report import LEFT_BEHIND, exit_code, report
from nakctl.cli.run_sensors import beside, logged
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.device.driver import Place
from nakctl.errors import ExitCode, InputError, NakctlError, RecordError, place_of
from nakctl.record import registry
from nakctl.rig.claim import claimed

if TYPE_CHECKING:
    from nakctl.booking.table import Table
    from nakctl.cli.screen.run_screen import Screen
    from nakctl.device.channel import Channel
    from nakctl.record.recorder import Recorder
    from nakctl.run.clock import Clock
    from nakctl.run.outside import Outside
    from nakctl.run.postman import Post
    from nakctl.run.run import Outcome

_SOON_s = 0.05  # how often a paced simulation is read at least


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, and what to print."""

    out: Path | None
    seed: int
    speed: float | None
    note: str
    as_json: bool
    quiet: bool
    load_firmware: bool = False
    discard_rows: bool = False


def run(file: str, wishes: Wishes, each: list[str], options: Options) -> int:
    """One run per combination of --each, all prepared before the first one starts."""
    refuse_seed(options.seed)
    if options.speed is not None and not 0 < options.speed < math.inf:
        raise InputError(f"--speed {options.speed:g}: give a number above 0")
    asked = asked_runs(file, wishes, each, options.out)
    for ready, _ in asked:
        if options.speed is not None and not ready.simulated:
            raise InputError(
                f"{ready.place.name} is a real channel: it keeps real time, so --speed does not apply"
            )
        logged(ready, _is_free(ready, options))
    _recover_leftovers({out.parent for _, out in asked}, [ready.place for ready, _ in asked], options)
    with asked_to_stop() as stop_asked:
        reports = _reports(asked, options, stop_asked)
        if not reports:
            raise KeyboardInterrupt
        code = max(each["exit_code"] for each in reports)
        if len(reports) < len(asked) and stop_asked():
            code = max(code, ExitCode.INTERRUPTED)
        if options.as_json:
            print_last({"exit_code": code, "runs": reports} if each else reports[0])
    if any(each["cell_state"] == LEFT_BEHIND for each in reports):
        _leave(int(code))
    return int(code)


def _leave(code: int) -> NoReturn:
    """At once: a call that never came back holds its thread, and what it calls into, for ever."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _reports(
    asked: list[tuple[Prepared, Path]], options: Options, stop_asked: StopAsked
) -> list[dict[str, Any]]:
    """Of each run that was started; after an interruption no further one is."""
    reports: list[dict[str, Any]] = []
    for ready, out in asked:
        if stop_asked():
            break
        with claimed(ready.place, f"{ready.plan.name}, cell {ready.cell.name}", out):
            told = run_one(ready, out, options, stop_asked)
        if told is None:
            break
        reports.append(told)
        if told["exit_code"] in (ExitCode.INTERRUPTED, ExitCode.INSTRUMENT):
            break
    return reports


def _recover_leftovers(folders: set[Path], asked: list[Place], options: Options) -> None:
    """Runs that were killed in these folders become whole files before a new one is started there. One whose
    chain may go on on a channel is left alone, unless it has ended and the new run is for that channel.
    """
    from nakctl.cli.results import GOES_ON
    from nakctl.record.fence import may_go_on
    from nakctl.record.recover import recover, unsealed

    for path in (path for folder in sorted(folders) for path in unsealed(folder)):
        try:
            if channel := may_go_on(path):
                said = _brought_home(path, asked) or GOES_ON.format(file=path, channel=channel)
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
    from nakctl.cli.dead_run import Asked, is_on
    from nakctl.cli.stop_dead import finish_dead

    if not any(is_on(path, place) for place in asked):
        return ""
    told = finish_dead(path, Asked(standing=True), StopAsked())
    return f"{path} was left unsealed, and is whole now: {told['status']}: {told['end_reason']}"


def run_one(ready: Prepared, out: Path, options: Options, stop_asked: StopAsked) -> dict[str, Any] | None:
    """Run, record and seal; what `--json` prints of it. None: it was to stop before anything was started."""
    from nakctl.cli.screen.run_screen import screen
    from nakctl.run.clock import FreeClock, WallClock

    start = datetime.now().astimezone()
    free = _is_free(ready, options)
    clock = FreeClock() if free else WallClock(options.speed or 1.0)
    with screen(ready, out, options.quiet or options.as_json, free) as show:
        with _opened(ready, clock, options) as bench:
            if stop_asked():
                return None
            about = _about(ready, bench.channel, start, options)
            recorder, tables = _recorder(ready, out, about, options)
            show.recording(recorder.path)
            with _abandoned_if_torn(recorder):
                known = known_run(ready, recorder, start, options.speed)
                seen = outside(ready, recorder, known, free=free)
                seen.opening()
                if not free and (trouble := registry.enter(known)):
                    show.warn(trouble)
                ended = _run(ready, bench.channel, clock, recorder, tables, show, seen, stop_asked, options)
            bench.left_behind = ended.outcome.hangs
        show.sealing()
        told = _sealed(recorder, about, ended, bench.trouble)
        if told["sealed"]:
            registry.forget(recorder.run_id)
        show.tell(told)
    return told


@dataclass(slots=True)
class _Bench:
    """An open channel. trouble: why it could not be let go in order, once it was; left_behind: it cannot be
    let go at all, because a call of it never came back."""

    channel: Channel
    trouble: NakctlError | None = None
    left_behind: bool = False


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended. trace: where nakctl itself failed, if it did."""

    outcome: Outcome
    trace: str = ""


def _about(ready: Prepared, channel: Channel, start: datetime, options: Options) -> dict[str, Any]:
    """What the file says of the run before its first row."""
    from nakctl.cli.header import header

    sensors = [spec.as_json() for spec in logged(ready, _is_free(ready, options))]
    speed = options.speed or 1.0
    return header(ready, channel.info, start, options.note, options.seed, speed) | {"sensors": sensors}


def _recorder(
    ready: Prepared, out: Path, about: Mapping[str, Any], options: Options
) -> tuple[Recorder, Mapping[str, Table]]:
    """The record and its tables. A run without a name of its own takes the next free one. RecordError."""
    from nakctl.booking import layout
    from nakctl.device import program_json
    from nakctl.record.recorder import Recorder

    program = program_json.dump(ready.program)
    while True:
        try:
            recorder = Recorder.create(out, about, program, watched=not _is_free(ready, options))
            return recorder, layout.tables(about)
        except InputError:
            if options.out is not None:
                raise
            out = free_name(out)  # another run was quicker


def _run(
    ready: Prepared,
    channel: Channel,
    clock: Clock,
    recorder: Recorder,
    tables: Mapping[str, Table],
    show: Screen,
    seen: Outside,
    stop_asked: StopAsked,
    options: Options,
) -> _Ended:
    """Run the program to its end, which is told however it comes."""
    from nakctl.run.run import Outcome
    from nakctl.run.run import run as run_program

    free = _is_free(ready, options)
    try:
        with beside(recorder.path, logged(ready, free), free) as sensors, _post(recorder.path, free) as post:
            outcome = run_program(
                ready.program,
                channel,
                clock,
                recorder,
                poll_s=_poll_s(ready, free, options.speed or 1.0),
                reaction_s=ready.instrument.reaction_s,
                samples=tables["samples"],
                observe=show.update,
                stop_asked=stop_asked,
                times_asked=stop_asked.count,
                post=post,
                sensors=sensors,
                run_id=recorder.run_id,
                outside=seen,
            )
        return _Ended(outcome)
    except Exception as error:  # noqa: BLE001  (what it was stands in the report, beside file and cell)
        reason = f"a fault of nakctl itself ({place_of(error)})"
        torn = Outcome("interrupted", reason, math.nan, 0, 0, NakctlError(reason), cell_open=False)
        return _Ended(torn, traceback.format_exc())


@contextmanager
def _post(out: Path, free: bool) -> Iterator[Post]:
    """The mailbox of the run while this lasts; in virtual time there is none."""
    from nakctl.run.postman import NoPost, Postman

    if free:
        yield NoPost()
        return
    postman = Postman(out)
    postman.start()
    try:
        yield postman
    finally:
        postman.close()


def _sealed(
    recorder: Recorder, about: Mapping[str, Any], ended: _Ended, trouble: NakctlError | None
) -> dict[str, Any]:
    """Seal the file, and report. trouble: of the channel when it was let go."""
    outcome = ended.outcome
    error = outcome.error or trouble
    with suppress(RecordError):  # of which `finish` tells
        if trouble is not None:
            recorder.note(2, "not_closed", f"the channel was not let go in order: {trouble}")
        if ended.trace:  # for whoever mends it
            recorder.note(2, "fault", outcome.reason, {"trace": ended.trace})
    finished = recorder.finish(
        outcome.status,
        outcome.reason,
        end_kind=outcome.end_kind,
        end_id=outcome.end_id,
        end_value=outcome.end_value,
        exit_code=int(exit_code(outcome, trouble, sealed=True)),
        cell_open=outcome.cell_open,
        error="" if error is None else str(error),
        hangs=outcome.hangs,
    )
    code = exit_code(outcome, trouble, finished.sealed)
    return report(about, finished, outcome, error, code)


def _place(ready: Prepared, options: Options) -> Place:
    """The rig never allows a firmware to be replaced, or rows to be thrown away: that is said for one run, on
    the command line."""
    asked = {"load_firmware": options.load_firmware, "discard_rows": options.discard_rows}
    allowed = {name: True for name, is_asked in asked.items() if is_asked}
    return replace(ready.place, options={**ready.place.options, **allowed}) if allowed else ready.place


def _is_free(ready: Prepared, options: Options) -> bool:
    """In virtual time, as fast as it can be computed."""
    return ready.driver.virtual_time and options.speed is None


def _poll_s(ready: Prepared, free: bool, speed: float) -> float:
    """As often as the instrument needs while it measures impedance, if it ever does."""
    if free:
        return 0.0
    from nakctl.device.program import Eis, segments

    has_eis = any(isinstance(t, Eis) for segment in segments(ready.program.nodes) for t in segment.techniques)
    poll_s = ready.instrument.eis_poll_s if has_eis else ready.instrument.poll_s
    return min(_SOON_s, poll_s) if speed > 1 else poll_s


@contextmanager
def _opened(ready: Prepared, clock: Clock, options: Options) -> Iterator[_Bench]:
    """The channel, let go in the end whatever happens. Opening may take a while: the screen speaks before."""
    bench = _Bench(ready.driver.open(_place(ready, options), ready.cell, clock, options.seed))
    try:
        yield bench
    finally:
        try:
            if not bench.left_behind:
                bench.channel.close()
        except NakctlError as error:
            bench.trouble = error
        except Exception as error:  # noqa: BLE001  (the file is sealed, and told of, all the same)
            bench.trouble = NakctlError(f"a fault of nakctl itself ({place_of(error)})")


@contextmanager
def _abandoned_if_torn(recorder: Recorder) -> Iterator[None]:
    """After an error that nobody expected the journal is left as it is, for `nakctl recover`."""
    try:
        yield
    except BaseException:
        recorder.abandon()
        raise
