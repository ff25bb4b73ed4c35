"""A run as a device of Bluesky.

    stage > prepare > kickoff > (steps, read) > complete > collect > unstage

It has to be staged: whatever ends a plan unstages, also `RE.abort`, `RE.halt` and an error, and that stops a
run which still goes on. A RunEngine stops nothing else that flies.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from event_model.documents.event import PartialEvent
from event_model.documents.event_descriptor import DataKey

from nakctl.bluesky import documents
from nakctl.bluesky.boundaries import Boundaries, Which
from nakctl.bluesky.documents import AT_ITS_END, READ, Readings
from nakctl.bluesky.flight import Flight, log
from nakctl.bluesky.ready import NOTHING, Ready
from nakctl.bluesky.samples import Samples
from nakctl.bluesky.status import Status
from nakctl.bluesky.steps import NO_STEP, Step
from nakctl.errors import InputError, NakctlError

IfPlanEnds = Literal["stop", "go on"]


class Flyer:
    """What flies is told by `_made_ready`.

    name          keys of documents begin with it
    if_plan_ends  what becomes of a run that goes on when its plan is over, however that came
    samples       all rows of the file, as a stream of its own, once a run is over
    """

    parent = None

    def __init__(self, name: str, if_plan_ends: IfPlanEnds) -> None:
        if not (isinstance(name, str) and name):
            raise InputError(f"name={name!r}: give the device a name, such as 'cell'")
        if if_plan_ends not in ("stop", "go on"):
            raise InputError(f"if_plan_ends={if_plan_ends!r}: one of 'stop', 'go on'")
        self.name, self.if_plan_ends = name, if_plan_ends
        self.samples = Samples(self)
        self._lock = threading.RLock()
        self._ready = NOTHING  # what flies, or is to fly
        self._is_prepared = self._is_staged = False
        self._again: set[str] = set()  # what a RunEngine may send once more
        self._flight: Flight | None = None
        self._collected = 0
        self._triggered: Step | None = None  # the one that was under way then

    def _made_ready(self, value: Mapping[str, object]) -> Ready:
        """What is to fly. value: as `prepare` was given. InputError and its kin: with every fault."""
        raise NotImplementedError

    # --- what it is -------------------------------------------------------------------------------------

    @property
    def md(self) -> dict[str, Any]:
        """For the start document, once it is prepared: `open_run(md=cell.md)`.

        {"nakctl": {...}}: run_id, file, title, simulated, protocol (name, file_name, sha256, params), plan,
        cell, channel, host, version.
        """
        return {"nakctl": dict(self._ready.about)} if self._ready.about else {}

    @property
    def flight(self) -> Flight:
        """The run that goes on, or was the last. InputError: there was none."""
        if self._flight is None:
            raise InputError(f"{self.name} has no run: kick it off first")
        return self._flight

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the steps of its plan, once it is prepared."""
        return self._ready.labels

    @property
    def area_cm2(self) -> float:
        """0: it is not known."""
        return self._ready.area_cm2

    @property
    def has_run(self) -> bool:
        """It goes on, or was the last."""
        return self._flight is not None

    @property
    def goes_on(self) -> bool:
        return self._flight is not None and not self._flight.over.done

    def steps(self, steps: Which = None, *, after_s: float = 0.0) -> Boundaries:
        """To wait for in a plan: `step = yield from cell.steps("strip").next()`, see `Boundaries`."""
        return Boundaries(self, steps, after_s)

    # --- flying -----------------------------------------------------------------------------------------

    def stage(self) -> list[Any]:
        self._is_staged = True
        return [self]

    def unstage(self) -> Status:
        """A run that goes on is stopped, unless it is to go on. Done when it is over and its cell is open."""
        self._is_staged = False
        if self._flight is None or self.if_plan_ends == "go on":
            nothing = Status(f"the stop of {self.name}")
            nothing.finish()
            return nothing
        return self.stop()

    def prepare(self, value: Mapping[str, object] | None = None) -> Status:
        """Check and plan a run: every fault is told, and nothing started.

        value  parameters of this run alone
        """
        if self._is_sent_again("prepare"):
            return self.flight.begun
        status = Status(f"the preparation of {self.name}")
        threading.Thread(target=self._prepare, args=(value or {}, status), daemon=True).start()
        return status

    def kickoff(self) -> Status:
        """Start what was prepared, or what can be. Done when it records. Raises InputError if one goes on."""
        if self._is_sent_again("kickoff"):
            return self.flight.begun
        with self._lock:
            if self.goes_on:
                raise InputError(f"{self.name} goes on already: {self.flight.path or 'it is being started'}")
            if not self._is_staged:
                raise InputError(
                    f"{self.name} is not staged: nothing would stop its run if the plan ended early; wrap the"
                    f" plan: bluesky.preprocessors.stage_wrapper(plan, [{self.name}])"
                )
            if not self._is_prepared:
                self._prepare_now({})
            self._is_prepared, self._collected = False, 0
            self._again.clear()
            self._flight = Flight(self.name, self._ready.begin, self._ready.speed)
            self._flight.start()
        return self._flight.begun

    def complete(self) -> Status:
        """Wait for its end: it lasts as long as its plan says. Fails if it did not end as it was to."""
        return self.flight.over

    def stop(self, success: bool = True) -> Status:
        """At once, as `nakctl stop`; its status is done when the cell was seen open."""
        return self.flight.stop()

    def pause(self) -> None:
        """Of the RunEngine: the run goes on, and so does the cell."""

    def resume(self) -> None:
        """Of the RunEngine, which now sends again what it has sent since its last checkpoint."""
        self._again = {"prepare", "kickoff"} if self.goes_on else set()

    # --- documents --------------------------------------------------------------------------------------

    @property
    def hints(self) -> dict[str, Any]:
        return {"fields": [f"{self.name}_{key}" for key in ("number", "Ewe", "I_set_mA_cm2")]}

    def describe(self) -> dict[str, DataKey]:
        return documents.data_keys(self.name, READ)

    def trigger(self) -> Status:
        """Detectors are triggered beside it: in which step, is told with what is read then. Done at once."""
        self._triggered = self._now()
        status = Status(f"the trigger of {self.name}")
        status.finish()
        return status

    def read(self) -> Readings:
        """The step that is under way, as of its newest sample."""
        step, began = self._now(), self._triggered
        self._triggered = None
        if began is not None and began.number != step.number:
            log.warning(
                "%s: triggered in step %d, %s, and read in step %d, %s",
                self.name, began.number, began.label, step.number, step.label,
            )  # fmt: skip
        return documents.readings(self.name, step, self.area_cm2, (began or step).number)

    def describe_configuration(self) -> dict[str, DataKey]:
        return documents.configuration(self.name, self._ready.about)[0]

    def read_configuration(self) -> Readings:
        return documents.configuration(self.name, self._ready.about)[1]

    def describe_collect(self) -> dict[str, dict[str, DataKey]]:
        return {f"{self.name}_steps": documents.data_keys(self.name, AT_ITS_END)}

    def collect(self) -> Iterator[PartialEvent]:
        """The steps that have ended, and were not collected yet."""
        feed = self.flight.feed
        if feed is None:
            return
        for step in feed.over[self._collected :]:
            self._collected += 1
            yield documents.event(self.name, step, self.area_cm2)

    # --- how --------------------------------------------------------------------------------------------

    def _now(self) -> Step:
        feed = None if self._flight is None else self._flight.feed
        if feed is None:
            return NO_STEP
        return feed.under_way or (feed.over[-1] if feed.over else NO_STEP)

    def _is_sent_again(self, message: str) -> bool:
        """A RunEngine that goes on behind a pause starts nothing a second time."""
        is_known = message in self._again and self.goes_on
        self._again.discard(message)
        return is_known

    def _prepare(self, value: Mapping[str, object], status: Status) -> None:
        try:
            with self._lock:
                if self.goes_on:
                    raise InputError(f"{self.name} goes on: {self.flight.path}")
                self._prepare_now(value)
        except NakctlError as error:
            status.finish(error)
        except Exception as error:  # noqa: BLE001  (else the plan would wait for ever)
            status.finish(error)
        else:
            status.finish()

    def _prepare_now(self, value: Mapping[str, object]) -> None:
        self._is_prepared, self._ready = False, NOTHING  # the name that was promised to it is free again
        self._ready = self._made_ready(value)
        self._is_prepared = True
