"""Each fault on each kind of instrument, with their process: `tests/torture/sensor_faults.py` in short."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from alone import Alone, signals
from bench import codes, gaps
from faulty import NAMES, Instrument, four


def inflict(instruments: dict[str, Instrument], fault: str) -> None:
    for each in instruments.values():
        each.fault = fault


def until_all_told(beside: Alone, code: str, *names: str) -> None:
    beside.until(lambda: all(code in codes(beside.notices, name) for name in names))


@signals
def test_one_that_falls_silent_is_told_long_before_its_time_out(bench: Callable[..., Alone]) -> None:
    with four(timeout="1 h") as (instruments, specs):
        beside = bench(*specs)
        beside.until_read(*NAMES)
        inflict(instruments, "silent")
        until_all_told(beside, "hangs", *NAMES)
        beside.until(lambda: min(beside.sensors.unseen_s.values()) > 1)
        for name, rows in beside.close().items():
            told = codes(beside.notices, name)  # more than once, if a busy machine was late with an answer
            assert told == ["hangs", "back"] * (len(told) // 2) + ["hangs"]
            assert np.isnan(rows["value"][-1])


@signals
def test_garbage_is_told_and_its_end(bench: Callable[..., Alone]) -> None:
    with four(timeout="10 s") as (instruments, specs):  # on a busy machine they answer late
        beside = bench(*specs)
        beside.until_read(*NAMES)
        inflict(instruments, "garbage")
        until_all_told(beside, "garbage", *NAMES)
        inflict(instruments, "")
        until_all_told(beside, "back", *NAMES)
        for name, rows in beside.close().items():
            assert gaps(rows["value"], codes(beside.notices, name))


@signals
def test_a_link_that_is_cut_is_told_and_made_anew(bench: Callable[..., Alone]) -> None:
    """A serial adapter that is unplugged gets another name: that one stays away."""
    with four(timeout="1 s") as (instruments, specs):
        beside = bench(*specs)
        beside.until_read(*NAMES)
        inflict(instruments, "cut")
        until_all_told(beside, "gone", *NAMES)
        inflict(instruments, "")
        until_all_told(beside, "back", "meter", "chamber")
        rows = beside.close()
    for name in NAMES:
        *_, hole = gaps(rows[name]["value"], codes(beside.notices, name))
        assert (hole < len(rows[name]) - 1) == (name in ("meter", "chamber")), name


@signals
def test_a_frozen_one_is_told_and_seen(bench: Callable[..., Alone]) -> None:
    with four(frozen_after="1 s") as (instruments, specs):
        beside = bench(*specs)
        beside.until_read(*NAMES)
        inflict(instruments, "frozen")
        until_all_told(beside, "frozen", *NAMES)
        for name in NAMES:
            beside.until(lambda name=name: beside.latest[name].trouble == "frozen")  # type: ignore[misc]
        beside.until(lambda: max(beside.sensors.unseen_s.values()) < 0.5)
        inflict(instruments, "")
        for name in NAMES:
            beside.until(lambda name=name: beside.latest[name].trouble == "")  # type: ignore[misc]
            told = codes(beside.notices, name)  # that it is, and that it is no more
            assert told.count("frozen") > 1
        for name, rows in beside.close().items():
            told = codes(beside.notices, name)
            assert len(gaps(rows["value"], told)) == told.count("hangs")
