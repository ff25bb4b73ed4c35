"""The way to the record, which never makes the run wait.

Whoever controls the cell hands over and goes on. Beside a wall clock a thread does the writing; in virtual
time nothing can be late, so there it is done at once, by the same calls and without a queue.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nakctl.record.poll import Event

SLOW_s = 1.0  # a commit that takes longer is worth a line

Tables = Mapping[str, npt.NDArray[Any]]


class Sink(Protocol):
    """Keeps tables (of `record.layout`, by name) and events; one call is one transaction.

    Returns what it had to note of itself (and keeps): the disk refuses, the live view was restarted.
    """

    def append(self, tables: Tables, events: Sequence[Event]) -> Sequence[Event]: ...


class Recording(Protocol):
    """What a run hands over to. Errors: RecordError, of an earlier `put`."""

    def put(self, tables: Tables, events: Sequence[Event]) -> None:
        """Take over; returns at once."""

    def noted(self) -> list[Event]:
        """What the record noted of itself since the last time."""

    @property
    def waiting_s(self) -> float:
        """How long the oldest that is not kept yet has waited."""

    @property
    def waiting_bytes(self) -> int: ...

    def finish(self) -> None:
        """Returns when everything is kept."""


class InLine:
    """At once, by the caller."""

    waiting_s, waiting_bytes = 0.0, 0

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._noted: list[Event] = []

    def put(self, tables: Tables, events: Sequence[Event]) -> None:
        self._noted += self._sink.append(tables, events)

    def noted(self) -> list[Event]:
        noted, self._noted = self._noted, []
        return noted

    def finish(self) -> None:
        pass


class Nowhere:
    """After a record was lost: nothing is kept any more, and nothing waits."""

    waiting_s, waiting_bytes = 0.0, 0

    def put(self, tables: Tables, events: Sequence[Event]) -> None:
        pass

    def noted(self) -> list[Event]:
        return []

    def finish(self) -> None:
        pass


class Beside:
    """By a thread of its own, in the order of `put`. After a RecordError everything further is dropped."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: queue.SimpleQueue[tuple[float, int, Tables, Sequence[Event]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._noted: list[Event] = []
        self._oldest: list[float] = []  # when what waits was handed over
        self._bytes = 0
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="record", daemon=True)
        self._thread.start()

    def put(self, tables: Tables, events: Sequence[Event]) -> None:
        if self._trouble is not None:
            raise self._trouble
        size = sum(rows.nbytes for rows in tables.values())
        now = time.monotonic()
        with self._lock:
            self._oldest.append(now)
            self._bytes += size
        self._waiting.put((now, size, tables, events))

    def noted(self) -> list[Event]:
        with self._lock:
            noted, self._noted = self._noted, []
        return noted

    @property
    def waiting_s(self) -> float:
        with self._lock:
            return time.monotonic() - self._oldest[0] if self._oldest else 0.0

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def finish(self) -> None:
        self._waiting.put(None)
        self._thread.join()
        if self._trouble is not None:
            raise self._trouble

    def _write(self) -> None:
        while (each := self._waiting.get()) is not None:
            _, size, tables, events = each
            if self._trouble is None:
                self._keep(tables, events)
            with self._lock:
                self._oldest.pop(0)
                self._bytes -= size

    def _keep(self, tables: Tables, events: Sequence[Event]) -> None:
        began = time.monotonic()
        try:
            noted = list(self._sink.append(tables, events))
            took_s = time.monotonic() - began
            if took_s > SLOW_s:
                noted += self._slow(tables, events, took_s)
        except BaseException as error:  # noqa: BLE001  # raised again by the next `put`
            self._trouble = error
            return
        with self._lock:
            self._noted += noted

    def _slow(self, tables: Tables, events: Sequence[Event], took_s: float) -> list[Event]:
        time_s = max((event.time_s for event in events), default=0.0)
        if "samples" in tables:
            time_s = max(time_s, float(np.nanmax(tables["samples"]["time"])))
        text = f"the disk took {took_s:.3g} s for what one read had brought"
        slow = Event(time_s, 1, "slow_disk", 0, text, {"took_s": took_s})
        return [slow, *self._sink.append({}, [slow])]
