"""Handing over to the record never waits, and nothing is lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from patience import PATIENCE_s

from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.errors import RecordError
from nakctl.run.recording import Beside, InLine


class Disk:
    """A sink whose disk stands still until it is let go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.reached = threading.Event()
        self.ticked = threading.Event()
        self.kept: list[int] = []
        self.durable: list[int] = []
        self.fails = self.is_full = False

    def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
        self.reached.set()
        assert self.may_go_on.wait(PATIENCE_s)
        if self.fails:
            raise RecordError("the disk is full")
        self.kept += [entry.block for entry in entries]
        if durable:
            self.durable.append(self.kept[-1])
        return [Event(0.0, 1, "disk_refuses", 0, "rows wait")] if 0 in self.kept[-len(entries) :] else ()

    def tick(self) -> Sequence[Event]:
        self.ticked.set()
        return ()

    def begin_block(self, block: int) -> None:
        pass


def entry(number: int) -> Entry:
    return Entry("said", block=number)


def test_a_disk_that_stands_still_holds_nobody_up_and_gets_everything_in_order() -> None:
    disk = Disk()
    recording = Beside(disk)
    for number in range(100):
        recording.put(entry(number))
    assert disk.reached.wait(PATIENCE_s)
    assert recording.waiting_bytes >= 99 * entry(0).size
    assert recording.waiting_s > 0
    assert not recording.settle(0.0)
    disk.may_go_on.set()
    recording.finish()
    assert disk.kept == list(range(100))
    assert (recording.waiting_bytes, recording.waiting_s) == (0, 0.0)
    assert [event.code for event in recording.noted()] == ["disk_refuses"]


def test_what_has_to_be_durable_is_waited_for() -> None:
    disk = Disk()
    recording = Beside(disk)
    recording.put(entry(1), durable=True)
    assert not recording.settle(0.01)
    disk.may_go_on.set()
    assert recording.settle(30)
    assert disk.durable == [1]
    recording.put(entry(2))
    assert recording.settle(30)
    assert disk.durable == [1]
    recording.finish()


def test_what_waits_in_memory_because_no_disk_takes_it_is_not_kept() -> None:
    disk = Disk()
    disk.may_go_on.set()
    disk.is_full = True
    recording = Beside(disk, 0.01)
    recording.put(entry(1), durable=True)
    assert disk.ticked.wait(PATIENCE_s)
    assert not recording.settle(0.05)
    assert recording.waiting_s > 0 and recording.waiting_bytes == entry(1).size
    recording.put(entry(2))
    disk.is_full = False
    assert recording.settle(30)
    assert (recording.waiting_bytes, recording.waiting_s) == (0, 0.0)
    recording.finish()


def test_also_where_it_waited_behind_others() -> None:
    disk = Disk()
    recording = Beside(disk)
    recording.put(entry(1))
    assert disk.reached.wait(PATIENCE_s)
    for number, durable in ((2, False), (3, True), (4, False)):  # which are written together
        recording.put(entry(number), durable=durable)
    disk.may_go_on.set()
    recording.finish()
    assert (disk.kept, disk.durable) == ([1, 2, 3, 4], [4])


def test_what_no_disk_took_is_not_said_to_be_kept() -> None:
    disk = Disk()
    disk.fails = True
    recording = Beside(disk)
    recording.put(entry(1), durable=True)
    disk.may_go_on.set()
    assert not recording.settle(30)


def test_while_nothing_comes_the_record_looks_after_its_files() -> None:
    disk = Disk()
    recording = Beside(disk, 0.01)
    assert disk.ticked.wait(PATIENCE_s)
    recording.finish()


@pytest.mark.parametrize("noticed_by", ["put", "tick"])
def test_trouble_of_the_disk_is_raised_by_the_run_s_own_thread(noticed_by: str) -> None:
    disk = Disk()
    disk.fails = True
    recording = Beside(disk)
    recording.put(entry(1))
    disk.may_go_on.set()
    with pytest.raises(RecordError, match="full"):
        recording.finish()
    with pytest.raises(RecordError, match="full"):
        recording.put(entry(2)) if noticed_by == "put" else recording.tick()


def test_what_was_handed_over_before_anybody_knew_of_it_is_given_to_the_sink() -> None:
    class Refusing(Disk):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            super().append(entries)
            raise RecordError("too much waits")

    disk = Refusing()
    recording = Beside(disk)
    recording.put(entry(1))
    assert disk.reached.wait(PATIENCE_s)
    recording.put(entry(2))
    disk.may_go_on.set()
    with pytest.raises(RecordError, match="too much waits"):
        recording.finish()
    assert disk.kept == [1, 2]


def test_in_virtual_time_it_is_done_once_a_round() -> None:
    disk = Disk()
    disk.may_go_on.set()
    recording = InLine(disk)
    recording.put(entry(0), durable=True)
    recording.put(entry(7))
    assert disk.kept == []
    recording.tick()
    assert disk.kept == [0, 7]
    assert disk.durable == []
    assert [event.code for event in recording.noted()] == ["disk_refuses"]
    assert recording.noted() == []
