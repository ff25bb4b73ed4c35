"""`nakctl run FILE`: prepare, open the channel, record, run, seal, tell."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from nakctl.cli.jobs import jobs
from nakctl.cli.prepare import Prepared, Wishes, print_json
from nakctl.cli.sensing import beside, logged
from nakctl.device.driver import Place
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.rig.claim import claimed

if TYPE_CHECKING:
    from nakctl.device.channel import Channel
    from nakctl.record.recorder import Recorder
    from nakctl.run.clock import Clock

STOPPED_BY_OPERATOR = "stopped by the operator"
_EXIT_CODES = {"completed": ExitCode.DONE, "stopped": ExitCode.FAILED, "aborted": ExitCode.INTERRUPTED}
# SIGBREAK is Windows' Ctrl-Break, and its closed console. One that is ignored, as under nohup, stays ignored.
_END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
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


def run(file: str, wishes: Wishes, each: list[str], options: Options) -> int:
    """One run per combination of --each, all prepared before the first one starts."""
    if options.speed is not None and not 0 < options.speed < math.inf:
        raise InputError(f"--speed {options.speed:g}: give a number above 0")
    asked = jobs(file, wishes, each, options.out)
    for ready, _ in asked:
        if options.speed is not None and not ready.simulated:
            raise InputError(
                f"{ready.place.name} is a real channel: it keeps real time, so --speed does not apply"
            )
        logged(ready, _is_free(ready, options))
    _recover_leftovers({out.parent for _, out in asked}, options)
    reports: list[dict[str, Any]] = []
    for ready, out in asked:
        with claimed(ready.place, f"{ready.plan.name}, cell {ready.cell.name}", out):
            report = run_one(ready, out, options)
        reports.append(report)
        if report["exit_code"] in (ExitCode.INTERRUPTED, ExitCode.INSTRUMENT):
            break
    code: int = max(report["exit_code"] for report in reports)
    if options.as_json:
        print_json({"exit_code": code, "runs": reports} if each else reports[0])
    return code


def _recover_leftovers(folders: set[Path], options: Options) -> None:
    """Runs that were killed in these folders become whole files before a new one is started there."""
    from nakctl.record.recover import recover, unsealed

    for path in (path for folder in sorted(folders) for path in unsealed(folder)):
        try:
            said = f"{path} was left unsealed: {recover(path).message}"
        except NakctlError as error:  # no reason not to start another run
            said = str(error)
        if not options.quiet:
            print(said, file=sys.stderr)


def run_one(ready: Prepared, out: Path, options: Options) -> dict[str, Any]:
    """Run, record and seal; what `--json` prints of it."""
    from nakctl.cli.header import header
    from nakctl.cli.screen import screen
    from nakctl.record import layout
    from nakctl.record.recorder import Recorder
    from nakctl.run.clock import FreeClock, WallClock
    from nakctl.run.run import run as run_program

    start = datetime.now().astimezone()
    free = _is_free(ready, options)
    specs = logged(ready, free)
    clock = FreeClock() if free else WallClock(options.speed or 1.0)
    show = screen(ready, out, start, options.quiet or options.as_json)
    with show, _opened(ready, clock, options) as channel, _asked_to_stop() as stop_asked:
        about = header(ready, channel.info, start, options.note, options.seed)
        about["sensors"] = [spec.as_json() for spec in specs]
        recorder = Recorder.create(out, about)
        with _abandoned_if_torn(recorder), beside(out, specs, free) as sensors:
            outcome = run_program(
                ready.program,
                channel,
                clock,
                recorder,
                poll_s=_poll_s(ready, free, options.speed or 1.0),
                samples=layout.tables(about)["samples"],
                observe=show.update,
                stop_asked=stop_asked,
                sensors=sensors,
            )
            show.sealing()
            finished = recorder.finish(outcome.status, outcome.reason)
    code = outcome.error.exit_code if outcome.error else _EXIT_CODES[outcome.status]
    if not finished.sealed:
        code = max(code, ExitCode.FAILED)
    report = _report(finished.path, finished.sealed, finished.message, outcome, int(code))
    show.tell(report)
    return report


def _place(ready: Prepared, options: Options) -> Place:
    """The rig never allows a firmware to be replaced: that is said for one run, on the command line."""
    if not options.load_firmware:
        return ready.place
    return replace(ready.place, options={**ready.place.options, "load_firmware": True})


def _is_free(ready: Prepared, options: Options) -> bool:
    """In virtual time, as fast as it can be computed."""
    return ready.driver.virtual_time and options.speed is None


def _poll_s(ready: Prepared, free: bool, speed: float) -> float:
    """As often as the instrument needs while it measures impedance, if it ever does."""
    if free:
        return 0.0
    from nakctl.device.program import Eis
    from nakctl.plan.findings import segments

    has_eis = any(isinstance(t, Eis) for segment in segments(ready.program.nodes) for t in segment.techniques)
    poll_s = ready.instrument.eis_poll_s if has_eis else ready.instrument.poll_s
    return min(_SOON_s, poll_s) if speed > 1 else poll_s


def _report(path: Path, sealed: bool, message: str, outcome: Any, code: int) -> dict[str, Any]:
    """The key figures; read back from the sealed file, so that what is printed is what is in it."""
    report: dict[str, Any] = {"file": str(path), "sealed": sealed, "exit_code": code}
    if message:
        report["message"] = message
    if outcome.error is not None:
        report["error"] = str(outcome.error)
    if not sealed:
        return report | {"status": outcome.status, "end_reason": outcome.reason}
    from nakctl.record.read import open_run
    from nakctl.results.summary import summary

    with open_run(path) as opened:
        return report | summary(opened)


@contextmanager
def _opened(ready: Prepared, clock: Clock, options: Options) -> Iterator[Channel]:
    """The channel, closed in the end whatever happens. Opening may take a while: the screen speaks before."""
    channel = ready.driver.open(_place(ready, options), ready.cell, clock, options.seed)
    try:
        yield channel
    finally:
        channel.close()


@contextmanager
def _abandoned_if_torn(recorder: Recorder) -> Iterator[None]:
    """After an error that nobody expected the journal is left as it is, for `nakctl recover`."""
    try:
        yield
    except BaseException:
        recorder.abandon()
        raise


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], str | None]]:
    """Ctrl-C, a polite kill and a closed terminal end the run in order instead of tearing it apart."""
    asked: list[str] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(STOPPED_BY_OPERATOR)

    known = (getattr(signal, name, None) for name in _END_SIGNALS)
    heard = [each for each in known if each is not None and signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, ask) for each in heard}
    try:
        yield lambda: asked[0] if asked else None
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
