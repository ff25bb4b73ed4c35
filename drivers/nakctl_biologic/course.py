"""From a start to its end: when a chain has begun, and when it is over, by what stands beside each block."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from nakctl.errors import ChannelError
from nakctl_biologic.codes import STOP
from nakctl_biologic.structures import CurrentValues

PATIENCE_s, PATIENT_READS = 5.0, 20  # both have to be over, before "not yet" becomes "never"


class Stage(Enum):
    UNDER_WAY = auto()
    SETTLING = auto()  # it seems to be over: the next read will tell
    OVER = auto()


@dataclass(slots=True)
class Patience:
    """Since when something is waited for, and how many reads."""

    since_s: float
    reads: int = 0
    lasts_s: float = PATIENCE_s

    def ends(self, now_s: float) -> bool:
        self.reads += 1
        return self.reads >= PATIENT_READS and now_s - self.since_s >= self.lasts_s


class Course:
    """One start of a loaded chain.

    It is over at State STOP with an empty memory and no rows, in the second read in a row that says STOP: the
    State beside a block may be older than rows made after it. A STOP before it was seen running, or had rows,
    is none, unless it was told to stop. One that another program meant to start may never have been: it is
    over as well, without a row.

    by_another    another program meant to start it
    told_to_stop  an instrument has accepted that
    left_bytes    of its memory, which it never handed over
    """

    def __init__(self, name: str, start_s: float, *, by_another: bool = False) -> None:
        self._name, self._by_another = name, by_another
        self.told_to_stop = False
        self.left_bytes = 0
        self.begun = False
        self._stands = False
        self._start = Patience(start_s)
        self._stuck: Patience | None = None

    @property
    def reached(self) -> list[bool]:
        """How far it is, for a successor. What is waited for is waited for anew: its clock is another one."""
        return [self.begun, self.told_to_stop, self._stands]

    @reached.setter
    def reached(self, reached: list[bool]) -> None:
        self.begun, self.told_to_stop, self._stands = reached

    def go_on(self, values: CurrentValues, n_rows: int, now_s: float) -> Stage:
        """After one block with n_rows. ChannelError: it was started and does not run."""
        self.begun = self.begun or values.State != STOP or n_rows > 0
        if not (self.begun or self.told_to_stop):
            return self._wait_for_begin(now_s)
        stood, self._stands = self._stands, values.State == STOP
        if not self._stands or n_rows > 0:
            self._stuck = None
            return Stage.SETTLING if self._stands else Stage.UNDER_WAY
        if values.MemFilled:
            return self._wait_for_rows(values.MemFilled, now_s)
        return Stage.OVER if stood else Stage.SETTLING

    def _wait_for_begin(self, now_s: float) -> Stage:
        if not self._start.ends(now_s):
            return Stage.UNDER_WAY
        if self._by_another:
            return Stage.OVER
        raise ChannelError(f"{self._name} was started but does not run, and has no rows")

    def _wait_for_rows(self, filled_bytes: int, now_s: float) -> Stage:
        """It stands, and says that rows wait, but hands over none."""
        self._stuck = self._stuck or Patience(now_s)
        if not self._stuck.ends(now_s):
            return Stage.UNDER_WAY
        self.left_bytes = filled_bytes
        return Stage.OVER
