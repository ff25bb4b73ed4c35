"""The steps of a run that a plan waits for, one after the other."""

from __future__ import annotations

import math
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bluesky import plan_stubs as bps
from bluesky.utils import MsgGenerator

from nakctl.bluesky.flight import Flight, log
from nakctl.bluesky.status import Status
from nakctl.bluesky.steps import Step
from nakctl.errors import InputError
from nakctl.text.sentences import did_you_mean

if TYPE_CHECKING:
    from nakctl.bluesky.flyer import Flyer

LISTED = 20  # steps that went by at once, in the log

Which = str | Callable[[Step], bool] | None


class Boundaries:
    """steps    which: words of a label as the plan prints it, such as "strip", "2.1" or "0.2 mA/cm2"; a
                function of a Step; None: all of them
    after_s  for how long a step is to have lasted, in s of the run

    missed  steps that were over before anybody waited for them, or before they had lasted so long
    """

    def __init__(self, flyer: Flyer, steps: Which, after_s: float) -> None:
        self.flyer, self.steps, self.after_s = flyer, steps, after_s
        self.missed: list[Step] = []
        self.given = 0  # number of the last one that a plan was given

    def next(self) -> MsgGenerator[Step | None]:
        """A plan that waits for the next one that goes on; None: the run is over without another.

        Steps that went by meanwhile are left out, and stand in `missed`.
        """
        self.check()
        coming = _Next(self, self.given)
        yield from bps.trigger(coming, wait=True)
        return coming.step

    def check(self) -> None:
        """InputError, with what there is, if no step of the plan is called so, or what was asked is nothing
        that can be waited for."""
        labels, steps, after_s = self.flyer.labels, self.steps, self.after_s
        if not isinstance(after_s, int | float) or not 0.0 <= after_s < math.inf:
            raise InputError(f"after_s={after_s!r}: a time in s, of the run, from 0")
        if steps is None or callable(steps):
            return
        if not isinstance(steps, str) or not steps.strip():
            raise InputError(
                f"steps={steps!r}: words of a label, a function of a Step, or None for all steps"
            )
        if any(_is_called(label, steps) for label in labels):
            return
        words = [word for label in labels for word in (label, *label.split())]
        there = "; ".join(dict.fromkeys(labels))
        raise InputError(
            f"no step of {self.flyer.name} is called {steps}{did_you_mean(steps, words)}; there are: {there}"
        )

    def fits(self, step: Step) -> bool:
        if callable(self.steps):
            return self.steps(step)
        return self.steps is None or _is_called(step.label, str(self.steps))


class _Next:
    """Triggerable. A RunEngine that goes on behind a pause triggers it again: then the step may be another.

    beyond  number of the last step that is not meant
    """

    def __init__(self, of: Boundaries, beyond: int) -> None:
        self.of, self.beyond = of, beyond
        self.step: Step | None = None

    def trigger(self) -> Status:
        status = Status(f"the next step of {self.of.flyer.name}")
        self.of.flyer.flight.when(lambda flight: self._found(flight, status))
        return status

    def _found(self, flight: Flight, status: Status) -> bool:
        """The status takes what a function of the user's raises: it is asked in a thread of ours."""
        try:
            if not self._has_come(flight):
                return False
        except Exception as error:  # noqa: BLE001
            status.finish(error)
        else:
            status.finish()
        return True

    def _has_come(self, flight: Flight) -> bool:
        step = None if flight.feed is None or flight.over.done else flight.feed.under_way
        if not flight.over.done and not self._is_it(flight, step):
            return False
        self.step = step
        self._note_missed(flight)
        self.of.given = self.of.given if step is None else step.number
        return True

    def _is_it(self, flight: Flight, step: Step | None) -> bool:
        if step is None or flight.feed is None or step.number <= self.beyond or not self.of.fits(step):
            return False
        return time.time() >= flight.feed.unix_s(step.t0_s + self.of.after_s)

    def _note_missed(self, flight: Flight) -> None:
        """Each once, however often a RunEngine sends it again. A loop may have tens of thousands of them."""
        known = self.of.missed[-1].number if self.of.missed else 0
        new = [step for step in self._gone_by(flight, max(self.beyond, known)) if self.of.fits(step)]
        self.of.missed += new
        for step in new[:LISTED]:
            log.warning("%s: step %d, %s, went by unseen", flight.name, step.number, step.label)
        if (more := len(new) - LISTED) > 0:
            log.warning("%s: %d more went by unseen, until step %d", flight.name, more, new[-1].number)

    def _gone_by(self, flight: Flight, beyond: int) -> Sequence[Step]:
        over = flight.feed.over if flight.feed is not None else []
        end = len(over) if self.step is None else bisect_left(over, self.step.number, key=_number)
        return over[bisect_right(over, beyond, key=_number) : end]


def _number(step: Step) -> int:
    return step.number


def _is_called(label: str, words: str) -> bool:
    """Whether these words stand in it, whole ones."""
    return f" {' '.join(words.split())} ".casefold() in f" {label} ".casefold()
