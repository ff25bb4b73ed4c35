"""The way to the record, which never makes the run wait.

Whoever controls the cell hands over and goes on. Beside a wall clock a thread does the writing; in virtual
time nothing can be late, so there it is done by the caller, with the same calls and without a queue.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from nakctl.booking.entry import Entry, event_entry
from nakctl.booking.event import Event

SLOW_s = 1.0  # a commit that takes longer is worth a line


class Sink(Protocol):
    """Keeps entries; one call is one transaction. Errors: RecordError.

    Returns what it had to note of itself (and keeps): the disk refuses, the live view was restarted.
    """

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
        """durable: they are on the disk when this returns, if it takes them."""

    def tick(self) -> Sequence[Event]:
        """Called while nothing comes."""

    def begin_block(self, block: int) -> None:
        """The channel is asked for the block of that number. Of another thread than the rest."""

    @property
    def is_full(self) -> bool:
        """What was appended last waits in memory: no disk takes it."""


class Recording(Protocol):
    """What a run hands over to. Errors: RecordError, of an earlier `put`."""

    def put(self, entry: Entry, *, durable: bool = False) -> None:
        """Take over; returns at once."""

    def tick(self) -> None:
        """Once a round."""

    def settle(self, seconds: float) -> bool:
        """Wait so long at the most until all that was put is kept, as durable as asked. Whether it is."""

    def begin_block(self, block: int) -> None: ...

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
    """By the caller, once a round. There is no wall clock here, and nothing that a power cut could spoil."""

    waiting_s, waiting_bytes = 0.0, 0

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._entries: list[Entry] = []
        self._noted: list[Event] = []

    def put(self, entry: Entry, *, durable: bool = False) -> None:
        self._entries.append(entry)

    def tick(self) -> None:
        entries, self._entries = self._entries, []
        self._noted += self._sink.append(entries) if entries else self._sink.tick()

    def settle(self, seconds: float) -> bool:
        return True

    def begin_block(self, block: int) -> None:
        self._sink.begin_block(block)

    def noted(self) -> list[Event]:
        noted, self._noted = self._noted, []
        return noted

    def finish(self) -> None:
        self.tick()


class Nowhere:
    """After a record was lost: nothing is kept any more, and nothing waits."""

    waiting_s, waiting_bytes = 0.0, 0

    def put(self, entry: Entry, *, durable: bool = False) -> None:
        pass

    def tick(self) -> None:
        pass

    def settle(self, seconds: float) -> bool:
        return True

    def begin_block(self, block: int) -> None:
        pass

    def noted(self) -> list[Event]:
        return []

    def finish(self) -> None:
        pass


class Beside:
    """By a thread of its own, in the order of `put`. After an error nothing further is taken over; what was
    before is given to the sink all the same, which may find a place for it at the end.

    every_s  how often the sink is called while nothing comes
    """

    def __init__(self, sink: Sink, every_s: float = 0.1) -> None:
        self._sink, self._every_s = sink, every_s
        self._waiting: queue.SimpleQueue[tuple[Entry, bool] | None] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._noted: list[Event] = []
        self._oldest: list[float] = []  # when what is not kept yet was handed over
        self._bytes = 0
        self._trouble: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="record", daemon=True)
        self._thread.start()

    def put(self, entry: Entry, *, durable: bool = False) -> None:
        if self._trouble is not None:
            raise self._trouble
        with self._changed:
            self._oldest.append(time.monotonic())
            self._bytes += entry.size
        self._waiting.put((entry, durable))

    def tick(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def settle(self, seconds: float) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: not self._oldest, seconds)
            return not self._oldest and self._trouble is None

    def begin_block(self, block: int) -> None:
        self._sink.begin_block(block)

    def noted(self) -> list[Event]:
        with self._changed:
            noted, self._noted = self._noted, []
        return noted

    @property
    def waiting_s(self) -> float:
        with self._changed:
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
        over = False
        waiting: list[int] = []  # bytes of entries that the sink has, and no disk
        while not over:
            given = self._taken()
            over = bool(given) and given[-1] is None
            entries = [each[0] for each in given if each is not None]
            if self._trouble is None or entries:
                self._keep(entries, any(each is not None and each[1] for each in given))
            waiting += [entry.size for entry in entries]
            if self._trouble is None and self._sink.is_full:
                continue
            with self._changed:
                del self._oldest[: len(waiting)]
                self._bytes -= sum(waiting)
                self._changed.notify_all()
            waiting = []

    def _taken(self) -> list[tuple[Entry, bool] | None]:
        """All that waits now, up to the end; nothing if nothing came for a while."""
        taken: list[tuple[Entry, bool] | None] = []
        with suppress(queue.Empty):
            taken.append(self._waiting.get(timeout=self._every_s))
            while taken[-1] is not None:
                taken.append(self._waiting.get_nowait())
        return taken

    def _keep(self, entries: list[Entry], durable: bool) -> None:
        began = time.monotonic()
        try:
            noted = list(self._sink.append(entries, durable=durable) if entries else self._sink.tick())
            took_s = time.monotonic() - began
            if took_s > SLOW_s and entries:
                noted += self._slow(entries[-1], took_s)
        except BaseException as error:  # noqa: BLE001  # raised again by the next `put`
            self._trouble = error
            return
        with self._changed:
            self._noted += noted

    def _slow(self, entry: Entry, took_s: float) -> list[Event]:
        text = f"the disk took {took_s:.3g} s for what one read had brought"
        slow = Event(entry.time_s, 1, "slow_disk", 0, text, {"took_s": took_s})
        return [slow, *self._sink.append([event_entry(slow, unix_s=entry.unix_s)])]
