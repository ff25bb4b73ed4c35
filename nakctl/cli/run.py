"""`nakctl run FILE`: prepare, open the channel, record, run, seal, tell."""

from __future__ import annotations

import itertools
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

from nakctl.cli.prepare import Prepared, Wishes, prepare, print_json
from nakctl.errors import ExitCode, InputError

STOPPED_BY_OPERATOR = "stopped by the operator"
_EXIT_CODES = {"completed": ExitCode.DONE, "stopped": ExitCode.FAILED, "aborted": ExitCode.INTERRUPTED}
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


def run(file: str, wishes: Wishes, each: list[str], options: Options) -> int:
    """One run per combination of --each, all prepared before the first one starts."""
    jobs = list(_jobs(file, wishes, each, options))
    for ready, _ in jobs:
        ready.require_no_errors()
        if options.speed is not None and not ready.driver.simulated:
            raise InputError(
                f"{ready.place.name} is a real channel: it keeps real time, so --speed does not apply"
            )
    if options.speed is not None and not options.speed > 0:
        raise InputError(f"--speed {options.speed:g}: give a number above 0")
    reports, code = [], ExitCode.DONE
    for ready, out in jobs:
        report, code = _run_one(ready, out, options)
        reports.append(report)
        if code == ExitCode.INTERRUPTED:
            break
    if options.as_json:
        print_json(reports if each else reports[0])
    return max((ExitCode(report["exit_code"]) for report in reports), default=code)


def _jobs(file: str, wishes: Wishes, each: list[str], options: Options) -> Iterator[tuple[Prepared, Path]]:
    from nakctl.protocol.params import split_each

    sweeps = [split_each(text) for text in each]
    taken: set[Path] = set()
    for values in itertools.product(*(values for _, values in sweeps)):
        chosen = dict(zip((name for name, _ in sweeps), values, strict=True))
        ready = prepare(file, replace(wishes, sets={**wishes.sets, **chosen}))
        out = _result_file(ready, options.out, chosen, taken)
        taken.add(out)
        yield ready, out


def _result_file(ready: Prepared, out: Path | None, chosen: dict[str, str], taken: set[Path]) -> Path:
    """The file asked for, or one named by date, protocol and cell; never one that exists."""
    suffix = "".join(f"_{name}-{_plain(value)}" for name, value in chosen.items())
    if out is not None:
        return out.with_name(f"{out.stem}{suffix}{out.suffix or '.h5'}")
    date = datetime.now().astimezone().strftime("%Y-%m-%d_%H%M")
    stem = f"{date}_{Path(ready.loaded.document.file).stem}_{_plain(ready.cell.name)}{suffix}"
    for count in itertools.count(1):
        path = Path(f"{stem}.h5" if count == 1 else f"{stem}_{count}.h5")
        if path not in taken and not path.exists() and not Path(f"{path}.journal").exists():
            return path
    raise AssertionError("unreachable")


def _plain(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "", text)


def _run_one(ready: Prepared, out: Path, options: Options) -> tuple[dict[str, Any], int]:
    from nakctl.cli.header import header
    from nakctl.cli.screen import screen
    from nakctl.record import layout
    from nakctl.record.recorder import Recorder
    from nakctl.run.clock import FreeClock, WallClock
    from nakctl.run.run import run as run_program

    start = datetime.now().astimezone()
    free = ready.driver.simulated and options.speed is None
    clock = FreeClock() if free else WallClock(options.speed or 1.0)
    show = screen(ready, out, start, options.quiet or options.as_json)
    channel = ready.driver.open(ready.place, ready.cell, clock, options.seed)
    with _closing(channel), _asked_to_stop() as stop_asked, show:
        about = header(ready, channel.info, start, options.note, options.seed)
        recorder = Recorder.create(out, about)
        try:
            outcome = run_program(
                ready.program,
                channel,
                clock,
                recorder,
                poll_s=_poll_s(ready, free, options.speed or 1.0),
                samples=layout.tables(about)["samples"],
                observe=show.update,
                stop_asked=stop_asked,
            )
        except BaseException:
            recorder.abandon()
            raise
        show.sealing()
        finished = recorder.finish(outcome.status, outcome.reason)
    code = outcome.error.exit_code if outcome.error else _EXIT_CODES[outcome.status]
    if not finished.sealed:
        code = max(code, ExitCode.FAILED)
    report = _report(finished.path, finished.sealed, finished.message, outcome, int(code))
    show.tell(report)
    return report, code


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
def _closing(channel: Any) -> Iterator[None]:
    try:
        yield
    finally:
        channel.close()


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], str | None]]:
    """Ctrl-C (and a polite kill) end the run in order instead of tearing it apart."""
    asked: list[str] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(STOPPED_BY_OPERATOR)

    names = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGBREAK"):  # Windows: Ctrl-Break, and the console that is closed
        names.append(signal.SIGBREAK)
    before = {name: signal.signal(name, ask) for name in names}
    try:
        yield lambda: asked[0] if asked else None
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
