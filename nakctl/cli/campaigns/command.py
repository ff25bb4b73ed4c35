"""`nakctl campaign FILE`: what is asked for, what is there, what is missing; and that is done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.campaign import library
from nakctl.campaign.order import State, held_up, is_over
from nakctl.campaign.read import Campaign, read
from nakctl.cli import console
from nakctl.cli.beginning import leftovers
from nakctl.cli.campaigns import carrier, told
from nakctl.cli.campaigns.carrier import is_carried_out, stop_of
from nakctl.cli.campaigns.channels import Channels
from nakctl.cli.campaigns.folder import alone, folder_of, made
from nakctl.cli.campaigns.found import AGAIN, found
from nakctl.cli.campaigns.going import Hands, Row, carry_out
from nakctl.cli.campaigns.looking import look_on
from nakctl.cli.campaigns.onlooker import Operator, Shown
from nakctl.cli.campaigns.planned import Planned, planned
from nakctl.cli.json_output import print_json, print_last
from nakctl.cli.many_runs import Pool, cores
from nakctl.cli.placing import sweep
from nakctl.cli.signals import StopAsked
from nakctl.errors import ExitCode, InputError, NakctlError, typed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

HEARD_s, LOOK_s = 30.0, 0.1  # how long a wish to stop may take; how often that is looked for
MOST_TOLD = 10  # of files that are in the way


@dataclass(frozen=True, slots=True)
class Choices:
    """Of the command line. again: see `found.AGAIN`; workers None: as many as there are cores; apart: it goes
    on for weeks, perhaps, and what is said goes into a log.
    """

    rig: Path | None
    out: Path | None
    dry: bool
    check: bool
    again: tuple[str, ...]
    go_on: bool
    workers: int | None
    speed: float | None
    dask: str | None
    as_json: bool
    quiet: bool
    detach: bool = False
    stop: bool = False
    apart: bool = False

    def dump(self) -> dict[str, Any]:
        return {
            name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()
        }

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> Choices:
        paths = {name: None if told[name] is None else Path(told[name]) for name in ("rig", "out")}
        return cls(**{**told, **paths, "again": tuple(told["again"])})


def campaign(file: str, choices: Choices) -> int:
    for word in choices.again:
        if word not in AGAIN:
            raise InputError(f"--again {word}: say which runs: {' | '.join(AGAIN)}")
    asked = read(library.find(file))
    out = folder_of(asked, choices.out, dry=choices.dry)
    runs = planned(asked, choices.rig, dry=choices.dry, out=out, speed=choices.speed)
    if choices.dask is not None and (real := [one for one in runs if one.channel is not None]):
        raise InputError(
            f"--dask is for simulated channels in virtual time, and {real[0].name} is for {real[0].channel}, "
            "which is here and keeps real time; --dry does all of them on the simulator"
        )
    if out.is_dir() and not (choices.check or choices.stop or is_carried_out(out)):
        for said in leftovers({out}, [one.ready.place for one in runs]):
            if not choices.quiet:
                console.say(said, to=sys.stderr)
    rows = _rows(runs, choices.again)
    return _Campaign(file, asked, choices, out, rows).call()


def _rows(runs: Sequence[Planned], again: Sequence[str]) -> list[Row]:
    """InputError with all that is in their way."""
    rows: list[Row] = []
    faults: list[str] = []
    for one in runs:
        try:
            rows.append(Row.of(one, found(one, again)))
        except InputError as error:
            faults.append(str(error))
    if faults:
        more = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
        raise InputError("\n".join(faults[:MOST_TOLD] + more))
    return rows


class _Campaign:
    """file: as it was called."""

    def __init__(self, file: str, asked: Campaign, choices: Choices, out: Path, rows: list[Row]) -> None:
        self.file, self.asked, self.choices, self.out, self.rows = file, asked, choices, out, rows
        self.order = asked.words.order
        self.on_failure = "go on" if choices.go_on else asked.words.on_failure
        self.silent = choices.quiet or choices.as_json
        self.was_shown = self.goes_on = False

    def call(self) -> int:
        head = told.head(self.asked.words.name, [row.one for row in self.rows], self.out)
        if self.choices.check:
            return self._plan(head)
        if self.choices.stop:
            return self._stop()
        wish = Operator(carrier.stop_of(self.out))
        if is_carried_out(self.out):
            self._look_on(head, wish)
        elif not is_over([row.stands for row in self.rows], self.order, self.on_failure):
            if self.choices.detach:
                return self._detach()
            self._carry_out(head, wish)
        self._hold()
        return self._told(head, wish)

    def _plan(self, head: str) -> int:
        """What would be done."""
        self._hold()
        if self.choices.as_json:
            print_json(self._object(ExitCode.DONE))
        else:
            lines = told.plan_of_channels(self.rows, self.order)
            console.say(head, "", *told.plan_table(self.rows), "", *lines, told.counted(self.rows))
        return ExitCode.DONE

    def _hold(self) -> None:
        for number, why in held_up([row.stands for row in self.rows], self.order, self.on_failure).items():
            self.rows[number].state, self.rows[number].why = State.HELD, why

    def _carry_out(self, head: str, wish: Operator) -> None:
        made(self.out)
        with alone(self.out), Shown(head, silent=self.silent, is_log=self.choices.apart) as show:
            wish.show, self.was_shown = show, True
            sweep(self.out)
            for row in self.rows:  # somebody else may have carried it out until now
                if row.state is not State.DONE:
                    row.take(found(row.one, self.choices.again))
            with self._hands(wish.of_hands) as hands, wish:
                carry_out(self.rows, self.order, self.on_failure, hands, Channels(), show, wish)

    def _look_on(self, head: str, wish: Operator) -> None:
        who = carrier.carrier(self.out) or "another process"
        with Shown(head, silent=self.silent) as show, wish:
            self.was_shown = show.looks_on = True
            show.warn(f"carried out by {who}")
            self.goes_on = not look_on(self.rows, lambda: is_carried_out(self.out), show, wish)
        wish.is_interrupted |= any(row.state in (State.MISSING, State.RUNNING) for row in self.rows)

    def _detach(self) -> int:
        """By a process of its own, which needs no terminal."""
        from nakctl.cli.campaigns.apart import begin

        made(self.out)
        log, warning = begin(self.file, self.choices, self.out)
        if not self.silent:
            again = f"nakctl campaign {typed(self.file)}"
            console.say(
                *([warning] if warning else []),
                f"begun, and goes on without this terminal; {again} shows it, {again} --stop lets it begin "
                f"no further run; it says what it does in {log}",
            )
        return ExitCode.DONE

    def _stop(self) -> int:
        if not is_carried_out(self.out):
            raise InputError(f"nobody carries out a campaign into {self.out}")
        stop_of(self.out).touch()
        until = time.monotonic() + HEARD_s
        while is_carried_out(self.out) and time.monotonic() < until:
            time.sleep(LOOK_s)
        if is_carried_out(self.out):
            raise NakctlError(f"it has not ended yet: {carrier.carrier(self.out)}")
        left = [
            f"nakctl stop {typed(row.one.out)}" for row in self.rows if found(row.one).state is State.RUNNING
        ]
        if not self.silent:
            console.say("no further run is begun", *(f"one goes on: {each} stops it" for each in left))
        return ExitCode.DONE

    def _hands(self, stop: StopAsked) -> AbstractContextManager[Hands]:
        if self.choices.dask is not None:
            from nakctl.cli.campaigns.on_dask import Cluster

            return Cluster(self.choices.dask, stop)
        return Pool(self.choices.workers or cores(), stop, keeps_stopped=False)

    def _told(self, head: str, wish: Operator) -> int:
        code = self._code(wish)
        if self.choices.as_json:
            print_last(self._object(code))
        elif not self.choices.quiet:
            above = [""] if self.was_shown else [head, ""]
            console.say(*above, *told.summary(self.rows), *self._advice(wish))
        return int(code)

    def _code(self, wish: Operator) -> int:
        """The worst."""
        codes = [row.code for row in self.rows if row.state is State.FAILED]
        codes += [ExitCode.INSTRUMENT for row in self.rows if row.state is State.DEAD]
        if any(row.state is State.HELD for row in self.rows):
            codes.append(ExitCode.FAILED)
        if wish.is_interrupted:
            codes.append(ExitCode.INTERRUPTED)
        return max(codes, default=ExitCode.DONE)

    def _advice(self, wish: Operator) -> Iterator[str]:
        if self.goes_on:
            yield "the campaign goes on; the same command shows it again"
            return
        if wish.is_interrupted:
            yield "interrupted; the same command goes on with what is missing"
        if any(row.state is State.FAILED and row.report is not None for row in self.rows):
            yield "--again failed begins what failed once more; --go-on leaves it and goes on with others"
        if any(row.state is State.RUNNING for row in self.rows):
            yield "they go on: nakctl status, nakctl watch; the same command goes on with the campaign"

    def _object(self, code: int) -> dict[str, Any]:
        return {
            "exit_code": int(code),
            "campaign": self.asked.words.name,
            "folder": str(self.out),
            "order": self.order,
            "on_failure": self.on_failure,
            "runs": [told.as_json(row) for row in self.rows],
        }
