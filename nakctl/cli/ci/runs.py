"""The dry runs, as many at once as there are cores; and what came of each."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nakctl.checks.judged import Judged, judged
from nakctl.cli.ci.outcome import Outcome, Trouble
from nakctl.cli.many_runs import Job, Pool
from nakctl.cli.one_run import Options
from nakctl.cli.placing import Report
from nakctl.cli.prepare import Prepared
from nakctl.cli.signals import StopAsked
from nakctl.errors import NO_MARK, Fault, Mark, NakctlError
from nakctl.text.numbers import duration

_POINT = 20  # samples that take as long as a point of a spectrum
Going = Sequence[tuple[Outcome, Mapping[str, Any]]]


@dataclass(frozen=True)
class Planned:
    """A case that has a plan. number: its place among all that are told."""

    number: int
    outcome: Outcome
    ready: Prepared


def run_all(
    planned: Sequence[Planned],
    folder: Path,
    how: How,
    stop_asked: StopAsked,
    ended: Callable[[int, Outcome], None],
    going: Callable[[Going], None],
) -> None:
    """ended: is told each as it ends; going: a few times a second, which go on and where they are."""
    names = result_names([(one.outcome.case.file, one.outcome.case.label) for one in planned])
    jobs = {
        id(job): (job, one)
        for one, name in zip(planned, names, strict=True)
        for job in [_job(one, folder / f"{name}.h5")]
    }
    begun_s: dict[int, float] = {}
    with Pool(how.workers, stop_asked) as pool:
        for job, _ in sorted(jobs.values(), key=lambda each: -_effort(each[1].ready)):
            pool.add(job)
        while pool.is_busy and not stop_asked.count():  # then nobody waits for what goes on
            for job, told in pool.look():
                one, took_s = jobs[id(job)][1], time.monotonic() - begun_s.get(id(job), time.monotonic())
                told = told if how.keeps or not isinstance(told, NakctlError) else unplaced(told, job.out)
                ended(one.number, outcome_of(one, told, took_s))
                if not how.keeps:
                    job.out.unlink(missing_ok=True)
            now_s = time.monotonic()
            for job, state in pool.going:
                since_s = now_s - begun_s.setdefault(id(job), now_s)
                if since_s > how.timeout_s:
                    pool.give_up(job, _too_long(how.timeout_s, state))
            going([(jobs[id(job)][1].outcome, state) for job, state in pool.going])


@dataclass(frozen=True, slots=True)
class How:
    """keeps: the result files stay."""

    workers: int
    timeout_s: float
    keeps: bool


def unplaced(told: NakctlError, out: Path) -> NakctlError:
    """Nobody knows a file that vanishes: in the sentence stands what was to be in it."""
    return NakctlError(str(told).removeprefix(f"{out}: "))


def _job(one: Planned, out: Path) -> Job:
    case = one.outcome.case
    options = Options(out, 0, None, "", as_json=True, quiet=True)
    return Job(case.file, case.wishes, out, options, one.ready)


def result_names(runs: Sequence[tuple[str, str]]) -> list[str]:
    """protocols/ccd.yaml on C7 -> protocols_ccd_C7: in one folder, on any disk, each its own."""
    found: list[str] = []
    for file, label in runs:
        parts = [part for part in Path(file).with_suffix("").parts if part not in ("..", os.sep)]
        told = f"{'_'.join(parts)}_{label}"
        plain = "".join(sign if sign.isalnum() or sign in "._+-=" else "-" for sign in told)
        name = "-".join(part for part in plain.split("-") if part)
        taken = {each.casefold() for each in found}
        others = (name if not k else f"{name}_{k + 1}" for k in itertools.count())
        found.append(next(each for each in others if each.casefold() not in taken))
    return found


def _effort(ready: Prepared) -> float:
    """The long ones first, so that no core waits for one of them in the end."""
    amount = ready.estimate.total or ready.estimate.finite
    return amount.samples + _POINT * amount.points


def _too_long(timeout_s: float, state: Mapping[str, Any]) -> str:
    came = f": it has come to {duration(state['time_s'])} of run time" if state.get("time_s") else ""
    return f"it did not end within {duration(timeout_s)}{came} (--timeout)"


# --- what came of it ---------------------------------------------------------------------------------------


def outcome_of(one: Planned, told: Report | NakctlError, wall_s: float) -> Outcome:
    """Beside what is expected."""
    outcome, file = replace(one.outcome, wall_s=wall_s), one.outcome.case.file
    if isinstance(told, NakctlError):
        fault = Fault(file, NO_MARK, f"{outcome.case.label}: {told}")
        return replace(outcome, troubles=(Trouble("dry run", fault),))
    entries = [one.ready.loaded.protocol.expect[number] for number in outcome.case.expected]
    found = judged(entries, told)
    troubles = tuple(_trouble(each, one, told) for each in found if not each.met)
    return replace(outcome, report=told, judged=tuple(found), troubles=troubles)


def _trouble(said: Judged, one: Planned, told: Report) -> Trouble:
    """Where the file says what was met, or what was expected."""
    loaded, case = one.ready.loaded, one.outcome.case
    is_stopped = said.word == "ends" and told.get("status") != "completed"
    after = f" after {duration(told['duration_s'])}" if said.word == "ends" and "duration_s" in told else ""
    expected = f" (expected {said.expected})"
    text = f"{case.label}: {said.word} {said.found}{after}{expected}"
    if is_stopped and said.entry < 0:
        text = f"{case.label}: {said.found}{after}"
    if is_stopped and (end := told.get("end_id", 0)) in range(1, len(one.ready.program.ends) + 1):
        mark = one.ready.program.ends[end - 1].mark
    elif said.entry < 0:
        mark = NO_MARK
    else:
        mark = loaded.mark(*loaded.expect_loc(case.expected[said.entry]), said.said)
    return Trouble("dry run" if is_stopped else "expect", _fault(one, mark, text), said.word)


def _fault(one: Planned, mark: Mark, text: str) -> Fault:
    document = one.ready.loaded.document
    return Fault(document.file, mark, text) if mark == NO_MARK else document.fault(mark, text)
