"""What a channel has to tell besides its rows, as notices in the order in which it was found out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from nakctl.device.channel import Notice
from nakctl.device.driver import ClockLike
from nakctl_biologic.codes import RUN, STATES, STOP
from nakctl_biologic.remedies import option_error
from nakctl_biologic.structures import CurrentValues

REMIND_s = 60.0  # of a silence that lasts


class Notes:
    """name: of the channel. seen: where it was seen last under way, for the end of a sentence."""

    def __init__(self, name: str, clock: ClockLike, pending: Iterable[Notice]) -> None:
        self.name = name
        self.seen = ""
        self._clock = clock
        self._pending = list(pending)
        self._start_s = 0.0
        self._silences = 0  # times that the silence under way was told
        self._silent_since_s = 0.0
        self._option = 0
        self._state = STOP
        self._is_unmarked = False

    def begin(self, start_s: float) -> None:
        """Times count from here on; what was noted before belongs to the beginning."""
        self._pending = [replace(each, time_s=0.0) for each in self._pending]
        self._start_s = start_s

    @property
    def told(self) -> list[int]:
        """Option error and State, which are told when they change; a successor needs not tell them again."""
        return [self._option, self._state]

    @told.setter
    def told(self, told: list[int]) -> None:
        self._option, self._state = told

    def date(self, start_s: float) -> None:
        """Times count from there, as is known now."""
        self._start_s = start_s

    def hand_over(self, others: Iterable[Notice] = ()) -> tuple[Notice, ...]:
        notices, self._pending = (*self._pending, *others), []
        return notices

    def add(self, severity: int, code: str, message: str, /, **facts: float) -> None:
        time_s = max(0.0, self._clock.now_s() - self._start_s)
        self._pending.append(Notice(time_s, severity, code, message, dict(facts)))

    def extend(self, notices: Iterable[Notice]) -> None:
        self._pending += notices

    # --- the link --------------------------------------------------------------------------------------

    def silence(self, said: str) -> None:
        """A read was not answered: told at the beginning, and then every minute."""
        now_s = self._clock.now_s()
        if self._silences == 0:
            self._silent_since_s = now_s
        lasts_s = now_s - self._silent_since_s
        if lasts_s < self._silences * REMIND_s:
            return
        self._silences += 1
        since = f" for {lasts_s:.0f} s" if lasts_s else ""
        text = f"{self.name} does not answer{since}; it goes on by itself. {said}"
        self.add(1, "silence", text, silent_s=lasts_s)

    def outage(self, outage_s: float) -> None:
        self._silences = 0
        text = f"the link to {self.name} was down for {outage_s:.3g} s; the channel went on by itself"
        self.add(1, "link", text, outage_s=outage_s)

    def unmarked(self) -> None:
        """Told once: a channel that never takes a mark would say so with every chain."""
        if not self._is_unmarked:
            self._is_unmarked = True
            text = (
                f"{self.name} does not keep a mark of this run: if this program dies, nobody can go on with "
                "it by himself, until somebody says whose it is (nakctl attach --mine)"
            )
            self.add(1, "no_mark", text)

    def not_fed(self, why: str, techniques: int) -> None:
        """Nothing more of a long chain is handed over while it runs."""
        text = (
            f"{self.name} is given no more of its chain while it runs: {why}. It goes on to technique "
            f"{techniques} of it, then the cell is open until the rest is loaded"
        )
        self.add(1, "not_fed", text, techniques=techniques)

    # --- what stands beside a block --------------------------------------------------------------------

    def values(self, values: CurrentValues) -> None:
        if values.OptErr not in (0, self._option):
            self.add(2, "option", option_error(values.OptErr, values.OptPos), code=values.OptErr)
        self._option = values.OptErr
        if values.State not in (STOP, RUN, self._state):
            state = STATES.get(values.State, f"state {values.State}")
            self.add(2, "state", f"{self.name} says that it is {state}: the cell may be connected")
        self._state = values.State
        if values.State == RUN:
            self.seen = f", last seen at {values.Ewe:.4g} V and {values.I:.4g} A"

    def stopped(self, values: CurrentValues) -> None:
        text = f"{self.name} says STOP: the cell is open, at {values.Ewe:.4g} V and {values.I:.4g} A"
        self.add(0, "stopped", text, Ewe_V=values.Ewe, I_A=values.I)

    def left(self, left_bytes: int) -> None:
        text = f"{self.name} stopped, but did not hand over the last {left_bytes} bytes of its memory"
        self.add(1, "gap", text, bytes=left_bytes)
