"""Carrying out what is missing of a campaign. Which run may begin is decided by `nakctl.campaign.order`.

This process does no run itself: those on channels are processes of their own, which go on whatever becomes of
it; those in virtual time are done by workers, which end with it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol

from nakctl.campaign.model import OnFailure, Order
from nakctl.campaign.order import Stands, State, may_begin
from nakctl.cli.campaigns.channels import Channels, NotEnded
from nakctl.cli.campaigns.found import Found, found, is_result, is_safe, set_aside
from nakctl.cli.campaigns.planned import Planned
from nakctl.cli.many_runs import Job
from nakctl.cli.placing import Report
from nakctl.errors import ExitCode, InputError, NakctlError

_EVERY_s = 0.25  # of looking at runs on channels
Ended = tuple[Job, Report | NakctlError]


class Hands(Protocol):
    """Who does runs in virtual time, see `many_runs.Pool`."""

    said: SimpleQueue[str]

    @property
    def has_room(self) -> bool: ...
    @property
    def is_busy(self) -> bool: ...
    @property
    def going(self) -> list[tuple[Job, Mapping[str, Any]]]: ...
    def add(self, job: Job) -> None: ...
    def look(self, wait_s: float = ...) -> list[Ended]: ...


@dataclass(slots=True)
class Row:
    """A run of the campaign, and how it stands.

    aside   what is there in its place is kept elsewhere before it is begun
    where   as it tells it itself; health: a word for that; ends: when, ISO 8601
    """

    one: Planned
    state: State
    why: str = ""
    is_safe: bool = True
    report: dict[str, Any] | None = None
    aside: bool = False
    error: str = ""
    code: int = ExitCode.DONE
    where: Mapping[str, Any] = field(default_factory=dict)
    health: str = ""
    ends: str = ""

    @classmethod
    def of(cls, one: Planned, found: Found) -> Row:
        row = cls(one, found.state)
        row.take(found)
        return row

    def take(self, found: Found) -> None:
        """As it was found in the folder."""
        self.state, self.why, self.is_safe = found.state, found.why, found.is_safe
        self.report, self.aside = found.report, found.aside
        self.error, self.code = "", ExitCode.DONE if found.report is None else found.report["exit_code"]

    @property
    def told(self) -> str:
        """How it ended, or why it has not; "": nobody knows."""
        if self.error or self.report is None or self.state is State.MISSING:
            return self.error or self.why
        how = f"{self.report['status']}: {self.report['end_reason']}"
        return f"{self.why} ({how})" if self.why else how

    @property
    def stands(self) -> Stands:
        return Stands(self.one.channel, self.state, self.is_safe)


class Show(Protocol):
    """Who is told. Nothing here waits."""

    def begun(self, row: Row) -> None: ...
    def ended(self, row: Row) -> None: ...
    def warn(self, sentence: str) -> None: ...
    def draw(self, rows: Sequence[Row]) -> None: ...


class Wish(Protocol):
    """What the operator wants meanwhile, looked up again and again.

    stops   how often the runs were asked to stop
    leaves  this process shall end, and what can go on without it shall go on
    """

    stops: int
    leaves: bool

    def look(self, *, on_channels: bool) -> None: ...


def carry_out(
    rows: Sequence[Row],
    order: Order,
    on_failure: OnFailure,
    hands: Hands,
    channels: Channels,
    show: Show,
    wish: Wish,
) -> None:
    """Until nothing goes on, and nothing will begin; or until that is no longer wanted."""
    going = _Going(rows, hands, channels, show)
    going.take_up()
    while True:
        wish.look(on_channels=channels.is_busy)
        if wish.leaves:
            break
        if wish.stops:
            channels.stop(wish.stops)
        else:
            going.begin(may_begin([row.stands for row in rows], order, on_failure))
        going.look()
        show.draw(rows)
        if not (hands.is_busy or channels.is_busy) and (
            wish.stops or not going.could_begin(order, on_failure)
        ):
            break
    going.give_up()


class _Going:
    def __init__(self, rows: Sequence[Row], hands: Hands, channels: Channels, show: Show) -> None:
        self.rows, self.hands, self.channels, self.show = rows, hands, channels, show
        self._numbers = {row.one.out: number for number, row in enumerate(rows)}

    def take_up(self) -> None:
        """Those that go on already, and those that somebody may still go on with."""
        for number, row in enumerate(self.rows):
            if row.state in (State.RUNNING, State.DEAD):
                row.state = State.RUNNING
                self.channels.watch(number, row.one.out)

    def could_begin(self, order: Order, on_failure: OnFailure) -> bool:
        return bool(may_begin([row.stands for row in self.rows], order, on_failure))

    def begin(self, numbers: Sequence[int]) -> None:
        has_room = self.hands.has_room
        for number in numbers:
            row = self.rows[number]
            if row.one.channel is None and not has_room:
                continue
            try:
                row.one.out.parent.mkdir(parents=True, exist_ok=True)
                if row.aside:
                    self.show.warn(f"{row.one.out} was made before, and is kept as {set_aside(row.one.out)}")
                    row.aside, row.report = False, None
            except (NakctlError, OSError) as error:
                self._over(number, NakctlError(f"{row.one.out}: {error}"))
                continue
            row.state, row.why, row.health = State.RUNNING, "", "begun"
            self.show.begun(row)
            if row.one.channel is None:
                one = row.one
                self.hands.add(Job(one.file, one.wishes, one.out, one.options, one.ready))
                has_room = self.hands.has_room
            else:
                self.channels.begin(number, row.one)

    def look(self) -> None:
        began = time.monotonic()
        for job, told in self.hands.look(0.1 if self.hands.is_busy else 0.0):
            self._over(self._numbers[job.out], told)
        for number, came in self.channels.look():
            self._recorded(number, came)
        for said in (self.channels.said, self.hands.said):
            while not said.empty():
                self.show.warn(said.get())
        for job, where in self.hands.going:
            self.rows[self._numbers[job.out]].where = where
        for number, watched in self.channels.going.items():
            row = self.rows[number]
            row.where, row.health, row.ends = watched.state, watched.health.word, watched.run.ends
        if self.channels.is_busy:
            time.sleep(max(0.0, _EVERY_s - (time.monotonic() - began)))

    def _recorded(self, number: int, told: Report | NakctlError) -> None:
        """By another process: its file tells, as the next time, whether it is the run that is meant."""
        row = self.rows[number]
        if isinstance(told, NakctlError) or not told["sealed"]:
            self._over(number, told)
            return
        row.where = {}
        try:
            row.take(found(row.one))
        except InputError as error:
            row.state, row.error, row.code = State.FAILED, str(error), int(error.exit_code)
        self.show.ended(row)

    def _over(self, number: int, told: Report | NakctlError) -> None:
        row = self.rows[number]
        row.where = {}
        if isinstance(told, NakctlError):
            row.state = State.DEAD if isinstance(told, NotEnded) else State.FAILED
            row.error, row.code = str(told), int(told.exit_code)
            row.is_safe = told.exit_code == ExitCode.BAD_INPUT  # then nothing was started
        else:
            row.report, row.code = told, told["exit_code"]
            row.state = State.DONE if is_result(row.one, told) else State.FAILED
            row.is_safe = is_safe(told)
        self.show.ended(row)

    def give_up(self) -> None:
        """In virtual time nothing is left of those that did not end."""
        for row in self.rows:
            if row.state is State.RUNNING and row.one.channel is None:
                row.state, row.where = State.MISSING, {}
