"""`nakctl ci [DIR]`"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from nakctl.cli import console
from nakctl.cli.ci.annotations import annotated
from nakctl.cli.ci.base import Base, base_of, pins_changed
from nakctl.cli.ci.cases import (
    Bench,
    Script,
    bench_of,
    looked_at,
    looked_at_campaign,
    looked_at_cells,
    looked_at_rig,
    needs,
    script_of,
)
from nakctl.cli.ci.differences import Then, at_base, differences, removed
from nakctl.cli.ci.files import Found, found_in, rig_of
from nakctl.cli.ci.junit import junit
from nakctl.cli.ci.lines import Shown, closing_lines, looked_lines
from nakctl.cli.ci.outcome import Everything, LeftOut, Outcome, Trouble
from nakctl.cli.ci.runs import How, Planned, run_all
from nakctl.cli.ci.summary import markdown
from nakctl.cli.json_output import print_json
from nakctl.cli.many_runs import cores
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.errors import NO_MARK, Fault, InputError
from nakctl.rig import RIG_FILE

UNCHANGED = "{they} did not change since {since}, nor did tables, cells, rig or the version of nakctl"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options. summary "-": on standard output, and all else on standard error."""

    base: str | None = None
    all: bool = False
    jobs: int | None = None
    timeout_s: float = 1800.0
    junit: Path | None = None
    summary: str | None = None
    keep: Path | None = None
    rig: Path | None = None
    as_json: bool = False


def ci(folder: Path, wanted: Wanted) -> int:
    """Everything is looked at, also after something with faults."""
    begun_s = time.monotonic()
    found = found_in(folder)
    only = folder.is_file()  # which is meant, whether it changed or not
    if found == Found(found.folder):
        raise InputError(f"{folder} holds no protocol, no rig and no cells of nakctl's")
    _refuse_unwritable(wanted)
    screen = _screen(wanted)
    with asked_to_stop() as stop_asked, _results(wanted.keep) as results:
        done = _Ci(found, replace(wanted, all=wanted.all or only), screen, stop_asked, results).all()
    done = replace(done, wall_s=time.monotonic() - begun_s)
    screen.close()
    screen.say([*closing_lines(done)])
    _write(done, wanted)
    return int(done.exit_code)


class _Ci:
    """One call of the command."""

    def __init__(
        self, found: Found, wanted: Wanted, screen: Shown, stop_asked: StopAsked, results: Path
    ) -> None:
        self.found, self.wanted, self.screen, self.stop_asked = found, wanted, screen, stop_asked
        self.results = results
        self.base = Base() if wanted.all else base_of(found.folder, wanted.base, os.environ)
        self.usual = _usual_rig(wanted.rig)
        rigs = [wanted.rig] if wanted.rig else [*found.rigs, *([self.usual] if self.usual else [])]
        self.benches = {rig: bench_of(rig) for rig in dict.fromkeys(rigs)}

    def all(self) -> Everything:
        looked = [*map(looked_at_rig, self.benches.values()), *map(looked_at_cells, self.found.cells)]
        looked += [looked_at_campaign(file, self._rig_of(file)) for file in self.found.campaigns]
        for one in looked:
            self.screen.say(looked_lines(one))
        with at_base(self.base, self.found.folder) as then:
            outcomes, left_out, planned = self._planned(then)
            self._run(outcomes, [one for one in planned if one.outcome.can_run])
            told = [] if self.stop_asked.count() else [*differences(planned, then, self.base)]
            gone = [*removed(self.base, then, self.found.folder.resolve())]
        known = [one for one in outcomes.values() if one is not None]
        found = Everything(known, looked, left_out, self.base.name, self.base.why, told, gone)
        return replace(found, undone=len(outcomes) - len(known), interrupted=self.stop_asked.count() > 0)

    def _planned(self, then: Then | None) -> tuple[dict[int, Outcome | None], list[LeftOut], list[Planned]]:
        """Outcomes of what cannot run, None for what is going to, by number; those left out; the plans."""
        outcomes: dict[int, Outcome | None] = {}
        left_out: list[LeftOut] = []
        planned: list[Planned] = []
        all_of_them = then is None or pins_changed(self.base, then.folder, then.top)
        for script in self._scripts():
            if not all_of_them and not self.base.changed & needs(script):
                left_out.append(LeftOut(str(script.file), UNCHANGED))
                continue
            for outcome, ready in looked_at(script):
                number = len(outcomes)
                outcomes[number] = None if ready is not None and outcome.can_run else outcome
                if ready is not None:
                    planned.append(Planned(number, outcome, ready))
        return outcomes, left_out, planned

    def _scripts(self) -> Iterator[Script]:
        for file in self.found.protocols:
            if self.stop_asked.count():
                return
            yield script_of(file, self._rig_of(file))

    def _rig_of(self, file: Path) -> Bench | InputError:
        try:
            rig = self.wanted.rig or rig_of(file, self.found.rigs) or self.usual
        except InputError as error:
            return error
        return self.benches[rig] if rig is not None else Bench()

    def _run(self, outcomes: dict[int, Outcome | None], planned: Sequence[Planned]) -> None:
        for number, known in outcomes.items():
            if known is not None:
                self.screen.ended(number, known)

        def ended(number: int, outcome: Outcome) -> None:
            outcomes[number] = outcome
            self.screen.ended(number, outcome)

        how = How(self.wanted.jobs or cores(), self.wanted.timeout_s, self.wanted.keep is not None)
        if planned and not self.stop_asked.count():
            run_all(planned, self.results, how, self.stop_asked, ended, self.screen.going)


def _usual_rig(named: Path | None) -> Path | None:
    """Of protocols that have none of their own: as everywhere, that of the working folder."""
    if named is not None and not named.is_file():
        raise InputError(f"--rig {named}: there is no such file")
    here = Path(RIG_FILE)
    return named or (here if here.is_file() else None)


# --- what is written ---------------------------------------------------------------------------------------


def _screen(wanted: Wanted) -> Shown:
    """Of machine-readable output there is nothing else on standard output."""
    stream: TextIO | None = None if wanted.as_json else sys.stderr if wanted.summary == "-" else sys.stdout
    return Shown(stream, moving=stream is not None and stream.isatty())


def _refuse_unwritable(wanted: Wanted) -> None:
    """Before anything runs. Folders that are not there are made."""
    files = {"--junit": wanted.junit, "--summary": wanted.summary and Path(wanted.summary)}
    for option, path in files.items():
        if path is None or path == "" or str(path) == "-":
            continue
        if Path(path).is_dir():
            raise InputError(f"{option} {path} is a folder: name a file")
        Path(path).parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def _results(keep: Path | None) -> Iterator[Path]:
    """Where the result files go: a folder of the user's, or one that vanishes."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="nakctl-ci-", ignore_cleanup_errors=True) as passing:
            yield Path(passing)
        return
    if keep.exists() and not keep.is_dir():
        raise InputError(f"--keep {keep}: name a folder")
    keep.mkdir(parents=True, exist_ok=True)
    if any(keep.glob("*.h5")):
        raise InputError(f"--keep {keep} holds result files: name another folder; nothing is overwritten")
    yield keep


def _write(done: Everything, wanted: Wanted) -> None:
    if wanted.junit is not None:
        wanted.junit.write_text(junit(done), encoding="utf-8", newline="\n", errors="backslashreplace")
    if wanted.summary is not None:
        _write_summary(markdown(done), wanted.summary)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        to = sys.stderr if wanted.as_json or wanted.summary == "-" else sys.stdout
        console.say(*annotated(done, _in_repository), to=to)
    if wanted.as_json:
        print_json(as_json(done))


def _write_summary(text: str, to: str) -> None:
    """That of a step of GitHub's is what all of its commands have to say."""
    if to == "-":
        console.say(text.rstrip())
        return
    steps = os.environ.get("GITHUB_STEP_SUMMARY", "")
    is_shared = bool(steps) and Path(to).resolve() == Path(steps).resolve()
    how = "a" if is_shared else "w"
    with Path(to).open(how, encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
        stream.write(text)


def _in_repository(file: str) -> str:
    top = os.environ.get("GITHUB_WORKSPACE") or "."
    path = Path(file)
    try:
        return Path(os.path.relpath(path, top)).as_posix()
    except ValueError:  # on another drive of Windows
        return path.as_posix()


def as_json(done: Everything) -> dict[str, Any]:
    return {
        "exit_code": int(done.exit_code),
        "interrupted": done.interrupted,
        "since": done.since or None,
        "why_everything": done.why or None,
        "results": [_outcome_json(one) for one in done.outcomes],
        "files": [
            {"file": one.file, "ok": not one.troubles, "errors": _troubles_json(one.troubles)}
            for one in done.looked
        ],
        "warnings": [_fault_json(fault) for fault in done.warnings],
        "left_out": [
            {"file": one.file, "why": one.why.format(they="it", since=done.since)} for one in done.left_out
        ],
        "removed": list(done.removed),
        "wall_s": done.wall_s,
    }


def _outcome_json(one: Outcome) -> dict[str, Any]:
    case, report = one.case, one.report
    kept = {
        name: report[name] for name in ("status", "end_reason", "end_kind", "duration_s") if name in report
    }
    charges = {name: report[name] for name in ("stripped_mAh_cm2", "plated_mAh_cm2") if name in report}
    return {
        "protocol": case.file, "cell": case.cell, "also": list(case.also), "set": dict(case.wishes.sets),
        "on": one.on, "verdict": one.verdict, "errors": _troubles_json(one.troubles), "skipped": case.skipped,
        "planned_s": one.planned_s, **kept, **charges,
        "expected": [said.as_json() for said in one.judged], "wall_s": one.wall_s,
    }  # fmt: skip


def _troubles_json(troubles: Sequence[Trouble]) -> list[dict[str, Any]]:
    return [{"stage": one.stage, **_fault_json(one.fault)} for one in troubles]


def _fault_json(fault: Fault) -> dict[str, Any]:
    place = {"line": fault.mark.line, "column": fault.mark.column} if fault.mark != NO_MARK else {}
    return {"file": fault.file, **place, "message": fault.message}
