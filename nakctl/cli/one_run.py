"""One run, from an open channel to a sealed file: in the process of the command where time is virtual, else
in a process of its own (`runner`).
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nakctl.cli.asked_runs import free_name
from nakctl.cli.from_outside import known_run, outside
from nakctl.cli.health import to_be_continued
from nakctl.cli.prepare import Prepared, shorter
from nakctl.cli.report import exit_code, report
from nakctl.cli.run_sensors import beside, logged
from nakctl.cli.signals import StopAsked
from nakctl.device.driver import Place, Surrounds
from nakctl.errors import ChainTooLong, ExitCode, InputError, NakctlError, RecordError, place_of, typed
from nakctl.record import registry
from nakctl.rig.claim import claimed

if TYPE_CHECKING:
    from nakctl.booking.table import Table
    from nakctl.device.channel import Channel
    from nakctl.device.driver import Driver
    from nakctl.device.instrument import Instrument
    from nakctl.device.program import Program
    from nakctl.device.sensor import Sensors
    from nakctl.record.process import Helper
    from nakctl.record.recorder import Recorder
    from nakctl.run.clock import Clock
    from nakctl.run.logbook import Progress
    from nakctl.run.outside import Outside
    from nakctl.run.run import Outcome

_SOON_s = 0.05  # how often a paced simulation is read at least


@dataclass(frozen=True, slots=True)
class Options:
    """How to run, and what to print.

    said  what the file keeps besides, as whoever asked for the run knows it: keys of its header
    """

    out: Path | None
    seed: int
    speed: float | None
    note: str
    as_json: bool
    quiet: bool
    load_firmware: bool = False
    discard_rows: bool = False
    detach: bool = False
    said: Mapping[str, Any] | None = None

    def dump(self) -> dict[str, Any]:
        return {**asdict(self), "out": None if self.out is None else str(self.out)}

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Options:
        return cls(**{**told, "out": None if told["out"] is None else Path(told["out"])})


class Show(Protocol):
    """Who is told how the run goes. Nothing here may wait."""

    def about_to_begin(self) -> None:
        """The channel is open, and nothing was started: the last moment to want no run at all."""

    def recording(self, path: Path) -> None:
        """The record is there: from now on anybody can look at the run."""

    def warn(self, sentence: str) -> None: ...
    def update(self, progress: Progress) -> None: ...
    def sealing(self) -> None: ...
    def tell(self, report: dict[str, Any]) -> None: ...


def run_one(
    ready: Prepared, out: Path, options: Options, stop_asked: StopAsked, show: Show
) -> dict[str, Any] | None:
    """Run, record and seal; what `--json` prints of it. None: it was to stop before anything was started."""
    from nakctl.record.process import waiting
    from nakctl.run.clock import FreeClock, WallClock

    start = datetime.now().astimezone()
    free = is_free(ready, options)
    clock = FreeClock() if free else WallClock(options.speed or 1.0)
    with (
        claimed(ready.place, f"{ready.plan.name}, cell {ready.cell.name}", out),
        waiting("sealer") if free else nullcontext() as ahead,
        _opened(ready, clock, options) as bench,
    ):
        show.about_to_begin()
        if stop_asked():
            return None
        asked, ready = ready, fitting(ready, bench.channel)
        about = _about(ready, bench.channel, start, options)
        recorder, tables = _recorder(ready, out, about, options, ahead)
        with _abandoned_if_torn(recorder):
            if ready is not asked and (text := _shorter_chains(asked, ready)):
                show.warn(text)
                recorder.note(1, "shorter_chains", text)
            known = known_run(ready, recorder, start, options.speed)
            seen = outside(recorder, known, about, free=free)
            seen.opening()
            if not free and (trouble := registry.enter(known)):
                show.warn(trouble)
            show.recording(recorder.path)
            ended = _run(ready, bench.channel, clock, recorder, tables, show, seen, stop_asked, options)
        bench.left_behind = ended.outcome.hangs
    show.sealing()
    told = sealed(recorder, about, ended, bench.trouble)
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
class Ended:
    """How a run ended. trace: where nakctl itself failed, if it did."""

    outcome: Outcome
    trace: str = ""


def _about(ready: Prepared, channel: Channel, start: datetime, options: Options) -> dict[str, Any]:
    """What the file says of the run before its first row."""
    from nakctl.cli.header import header

    sensors = [spec.as_json() for spec in logged(ready, is_free(ready, options))]
    speed = options.speed or 1.0
    about = header(ready, channel.info, start, options.note, options.seed, speed)
    return about | {"sensors": sensors} | dict(options.said or {})


def _recorder(
    ready: Prepared, out: Path, about: Mapping[str, Any], options: Options, ahead: Helper | None
) -> tuple[Recorder, Mapping[str, Table]]:
    """The record and its tables. A run without a name of its own takes the next free one. RecordError."""
    from nakctl.booking import layout
    from nakctl.device import program_json
    from nakctl.record.recorder import Recorder

    program = program_json.dump(ready.program)
    while True:
        try:
            watched = not is_free(ready, options)
            recorder = Recorder.create(out, about, program, watched=watched, ahead=ahead)
            return recorder, layout.tables(about)
        except InputError:
            if options.out is not None or (other := free_name(out)) == out:
                raise
            out = other  # another run was quicker


def _run(
    ready: Prepared,
    channel: Channel,
    clock: Clock,
    recorder: Recorder,
    tables: Mapping[str, Table],
    show: Show,
    seen: Outside,
    stop_asked: StopAsked,
    options: Options,
) -> Ended:
    """Run the program to its end, which is told however it comes."""
    from nakctl.run.postman import Postman, delivered
    from nakctl.run.run import run as run_program

    free = is_free(ready, options)
    try:
        with (
            beside(recorder.path, logged(ready, free), free) as sensors,
            delivered(None if free else Postman(recorder.path)) as post,
        ):
            outcome = run_program(
                ready.program,
                channel,
                clock,
                recorder,
                poll_s=0.0 if free else poll_s(ready.program, ready.instrument, options.speed or 1.0),
                reaction_s=ready.instrument.reaction_s,
                samples=tables["samples"],
                observe=show.update,
                stop_asked=stop_asked,
                times_asked=stop_asked.count,
                post=post,
                sensors=_felt(ready.driver, channel, sensors),
                run_id=recorder.run_id,
                outside=seen,
                outlives=ready.driver.outlives,
            )
        return Ended(outcome)
    except Exception as error:  # noqa: BLE001  (what it was stands in the report, beside file and cell)
        return torn(error)


def _felt(driver: Driver, channel: Channel, sensors: Sensors | None) -> Sensors | None:
    """What the cell feels of what stands beside it: a real one needs no help."""
    if sensors is None or not isinstance(driver, Surrounds):
        return sensors
    return driver.surrounded(channel, sensors)


def fitting(ready: Prepared, channel: Channel) -> Prepared:
    """With chains that this very channel takes: how many techniques it holds, nobody knows before.

    LimitError: it does not take them, however short.
    """
    from nakctl.device.program import segments

    asked, feeds = ready, True
    while True:
        try:
            for segment in segments(ready.program.nodes):
                channel.check(segment)
            return ready
        except ChainTooLong as error:
            tried = min(error.techniques, ready.instrument.chain_length)
            if tried < 2:
                raise
            feeds = feeds and error.can_feed
            ready = shorter(asked, tried - max(1, tried // 4), feeds=feeds)


def _shorter_chains(asked: Prepared, ready: Prepared) -> str:
    from nakctl.device.program import segments

    before, now = (len([*segments(each.program.nodes)]) for each in (asked, ready))
    return (
        f"{ready.place.name} takes no longer chains than {ready.program.chain_length} techniques: the "
        f"program is loaded in {now} chains instead of {before}, and the cell is open between two of them"
    )


def torn(error: Exception) -> Ended:
    """By a fault of our own."""
    from nakctl.run.run import Outcome

    reason = f"a fault of nakctl itself ({place_of(error)})"
    outcome = Outcome("interrupted", reason, math.nan, 0, 0, NakctlError(reason), cell_open=False)
    return Ended(outcome, traceback.format_exc())


def sealed(
    recorder: Recorder, about: Mapping[str, Any], ended: Ended, trouble: NakctlError | None
) -> dict[str, Any]:
    """Seal the file, and report. trouble: of the channel when it was let go."""
    from nakctl.record.recorder import Finished

    outcome = ended.outcome
    error = outcome.error or trouble
    if outcome.goes_on:
        recorder.abandon()
        how = f"another program goes on with it: nakctl attach {typed(recorder.path)}"
        left = Finished(recorder.path, False, how if outcome.hangs else to_be_continued(recorder.path))
        return report(about, left, outcome, error, ExitCode.INSTRUMENT)
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
    if finished.sealed:
        registry.forget(recorder.run_id)
    code = exit_code(outcome, trouble, finished.sealed)
    return report(about, finished, outcome, error, code)


def _place(ready: Prepared, options: Options) -> Place:
    """The rig never allows a firmware to be replaced, or rows to be thrown away: that is said for one run, on
    the command line."""
    asked = {"load_firmware": options.load_firmware, "discard_rows": options.discard_rows}
    allowed = {name: True for name, is_asked in asked.items() if is_asked}
    return replace(ready.place, options={**ready.place.options, **allowed}) if allowed else ready.place


def refuse_speed(speed: float | None) -> None:
    """InputError if no clock can run so."""
    if speed is not None and not 0 < speed < math.inf:
        raise InputError(f"--speed {speed:g}: give a number above 0")


def refuse_real_time(ready: Prepared, options: Options) -> None:
    """InputError if a real channel shall keep another time than a real one does."""
    if options.speed is not None and not ready.simulated:
        raise InputError(
            f"{ready.place.name} is a real channel: it keeps real time, so --speed does not apply"
        )


def is_free(ready: Prepared, options: Options) -> bool:
    """In virtual time, as fast as it can be computed."""
    return ready.driver.virtual_time and options.speed is None


def poll_s(program: Program, about: Instrument, speed: float) -> float:
    """Between reads: as the instrument needs it while it measures impedance, if it ever does."""
    from nakctl.device.program import Eis, segments

    has_eis = any(isinstance(each, Eis) for segment in segments(program.nodes) for each in segment.techniques)
    every_s = about.eis_poll_s if has_eis else about.poll_s
    return min(_SOON_s, every_s) if speed > 1 else every_s


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
