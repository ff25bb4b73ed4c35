"""`nakctl ci [DIR]`"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from nakctl.cli.ci.base import base_of, pins_changed, rigs_gone
from nakctl.cli.ci.benches import Bench, bench_of, looked_at_campaign, looked_at_cells, looked_at_rig
from nakctl.cli.ci.cases import Script, looked_at, needs, script_of
from nakctl.cli.ci.differences import Then, at_base, differences, removed
from nakctl.cli.ci.files import Found, found_in, rig_of
from nakctl.cli.ci.lines import Shown, closing_lines, looked_lines
from nakctl.cli.ci.outcome import Everything, LeftOut, Outcome
from nakctl.cli.ci.reports import refuse_unwritable, results, write
from nakctl.cli.ci.runs import How, Planned, run_all
from nakctl.cli.ci.wanted import Wanted
from nakctl.cli.many_runs import cores
from nakctl.cli.signals import StopAsked, asked_to_stop
from nakctl.errors import InputError
from nakctl.rig import RIG_FILE

UNCHANGED = "{they} did not change since {since}, nor did tables, cells, rig or the version of nakctl"


def ci(folder: Path, wanted: Wanted) -> int:
    """Everything is looked at, also after something with faults."""
    begun_s = time.monotonic()
    found = found_in(folder)
    if found == Found(found.folder):
        raise InputError(f"{folder} holds no protocol, no rig and no cells of nakctl's")
    refuse_unwritable(wanted)
    screen = _screen(wanted)
    with asked_to_stop() as stop_asked, results(wanted.keep) as kept:
        done = _Ci(found, replace(wanted, all=wanted.all or found.is_one), screen, stop_asked, kept).all()
    done = replace(done, wall_s=time.monotonic() - begun_s)
    screen.close()
    screen.say([*closing_lines(done)])
    return int(write(done, wanted))


class _Ci:
    """One call of the command."""

    def __init__(
        self, found: Found, wanted: Wanted, screen: Shown, stop_asked: StopAsked, kept: Path
    ) -> None:
        self.found, self.wanted, self.screen, self.stop_asked = found, wanted, screen, stop_asked
        self.kept = kept
        self.base = base_of(found.folder, wanted.base, os.environ)
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
            told = (
                [] if self.stop_asked.count() else [*differences(planned, then, self.base, self.wanted.rig)]
            )
            gone = [*removed(self.base, then, self.found)]
        known = [one for one in outcomes.values() if one is not None]
        why = "" if self.wanted.all else self.base.why
        found = Everything(known, looked, left_out, self.base.name, why, told, gone)
        return replace(found, undone=len(outcomes) - len(known), interrupted=self.stop_asked.count() > 0)

    def _planned(self, then: Then | None) -> tuple[dict[int, Outcome | None], list[LeftOut], list[Planned]]:
        """Outcomes of what cannot run, None for what is going to, by number; those left out; the plans."""
        outcomes: dict[int, Outcome | None] = {}
        left_out: list[LeftOut] = []
        planned: list[Planned] = []
        all_of_them = self.wanted.all or then is None or pins_changed(self.base, then.folder, then.top)
        without_rig = rigs_gone(self.base, then.place) if then is not None else frozenset()
        for script in self._scripts():
            if not (all_of_them or self.base.concerns(needs(script), without_rig)):
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
            run_all(planned, self.kept, how, self.stop_asked, ended, self.screen.going)


def _usual_rig(named: Path | None) -> Path | None:
    """Of protocols that have none of their own: as everywhere, that of the working folder."""
    if named is not None and not named.is_file():
        raise InputError(f"--rig {named}: there is no such file")
    here = Path(RIG_FILE)
    return named or (here if here.is_file() else None)


def _screen(wanted: Wanted) -> Shown:
    """Of machine-readable output there is nothing else on standard output."""
    stream: TextIO | None = None if wanted.as_json else sys.stderr if wanted.summary == "-" else sys.stdout
    return Shown(stream, moving=stream is not None and stream.isatty())
