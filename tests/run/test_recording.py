"""Handing over to the record never waits, and nothing is lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from nakctl.errors import RecordError
from nakctl.record import layout
from nakctl.record.poll import Event
from nakctl.run.recording import Beside, InLine


class Disk:
    """A sink whose disk stands still until it is let go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.reached = threading.Event()
        self.kept: list[int] = []
        self.fails = False

    def append(self, tables: Mapping[str, Any], events: Sequence[Event]) -> Sequence[Event]:
        self.reached.set()
        assert self.may_go_on.wait(30)
        if self.fails:
            raise RecordError("the disk is full")
        self.kept += [int(row["step_count"]) for rows in tables.values() for row in rows]
        return [Event(0.0, 1, "disk_refuses", 0, "rows wait")] if len(self.kept) == 1 else ()


def row(number: int) -> dict[str, Any]:
    made = np.zeros(1, layout.SAMPLES.dtype)
    made["step_count"] = number
    return {"samples": made}


def test_a_disk_that_stands_still_holds_nobody_up_and_gets_everything_in_order() -> None:
    disk = Disk()
    recording = Beside(disk)
    for number in range(100):
        recording.put(row(number), ())
    assert disk.reached.wait(30)
    assert recording.waiting_bytes >= 99 * layout.SAMPLES.dtype.itemsize
    assert recording.waiting_s > 0
    disk.may_go_on.set()
    recording.finish()
    assert disk.kept == list(range(100))
    assert (recording.waiting_bytes, recording.waiting_s) == (0, 0.0)
    assert [event.code for event in recording.noted()] == ["disk_refuses"]


def test_trouble_of_the_disk_is_raised_by_the_run_s_own_thread() -> None:
    disk = Disk()
    disk.fails = True
    recording = Beside(disk)
    recording.put(row(1), ())
    disk.may_go_on.set()
    with pytest.raises(RecordError, match="full"):
        recording.finish()
    with pytest.raises(RecordError, match="full"):
        recording.put(row(2), ())


def test_in_virtual_time_it_is_done_at_once() -> None:
    disk = Disk()
    disk.may_go_on.set()
    recording = InLine(disk)
    recording.put(row(7), ())
    assert disk.kept == [7]
    assert [event.code for event in recording.noted()] == ["disk_refuses"]
    assert recording.noted() == []
