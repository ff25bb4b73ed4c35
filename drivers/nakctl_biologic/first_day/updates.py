"""Experiments about techniques that are changed while others run: a long chain is handed over like that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nakctl.device.feeding import Ring, fence
from nakctl.device.inspection import Lesson
from nakctl.device.program import Loop, Tested
from nakctl_biologic.codes import STOP
from nakctl_biologic.errors import EclibError
from nakctl_biologic.feeding import ALONE, GATE
from nakctl_biologic.first_day.bench import Bench, SOON_s
from nakctl_biologic.first_day.chains import data_file
from nakctl_biologic.params import Loaded, load_as
from nakctl_biologic.rows import Block, sample_rows

HOLD_s, REST_s, PASSES = 0.5, 3.0, 3  # a rest is long enough for a host that is slow
NEW_A = 20e-6  # 20 mV at a dummy of 1 kohm
RING = Ring(length=2, period=2, total=PASSES * 2)


@dataclass
class Seen:
    """What became of a current that was 0 A when it was loaded. I_A: in each pass; codes: of its range."""

    I_A: dict[int, float]
    codes: dict[int, int]
    refused: dict[str, str]
    stopped: bool = False


def updates(bench: Bench) -> Iterator[Lesson]:
    """No current and a rest in turn, three times. During the first rest the current becomes another one, in
    another range; during the second one a fence."""
    rests_on = f"{data_file(bench.instrument)}: feeds"
    if not bench.device.can_update:
        yield Lesson(
            "Does the channel take updates of techniques that do not run?", rests_on, "yes",
            "this library has no such call", "changed", "Set feeds to false, or use a newer package.",
        )  # fmt: skip
        return
    seen = _seen(bench)
    advice = "Set feeds to false: chains that are longer than the channel holds are cut instead."
    for question, told in (
        ("Does the channel take updates of techniques that do not run?", _level(seen)),
        ("Is a current range taken in such an update?", _range(bench, seen)),
        ("Does a technique that was made a fence stop the chain?", _fence(seen)),
    ):
        good = told == "yes"
        yield Lesson(
            question, rests_on, "yes", told, "confirmed" if good else "changed", "" if good else advice
        )


def _level(seen: Seen) -> str:
    if "level" in seen.refused:
        return f"refused: {seen.refused['level']}"
    return "yes" if abs(seen.I_A.get(1, 0.0) - NEW_A) < NEW_A / 4 else "no: answered, and ignored"


def _range(bench: Bench, seen: Seen) -> str:
    if "range" in seen.refused:
        return f"refused: {seen.refused['range']}"
    return "yes" if seen.codes.get(1) == _other_range(bench)[1] else "no: answered, and ignored"


def _fence(seen: Seen) -> str:
    if "fence" in seen.refused:
        return f"refused: {seen.refused['fence']}"
    return "yes" if seen.stopped else "no: the chain goes on"


def _other_range(bench: Bench) -> tuple[str, int]:
    names = [each.name for each in bench.instrument.I_ranges]
    other = bench.instrument.I_ranges[names.index(bench.hardware.I_range) + 1]
    return other.name, other.code


def _seen(bench: Bench) -> Seen:
    none = bench.zero_current(HOLD_s)
    changed = replace(none, I_A=NEW_A, hardware=replace(bench.hardware, I_range=_other_range(bench)[0]))
    rest = bench.rest(REST_s)
    made = fence((none, rest) * PASSES, RING, 4, HOLD_s)
    orders = [
        {"range": _part(bench, changed, {ALONE}), "level": _part(bench, changed, {"Current_step"})},
        {"fence": _part(bench, made, GATE)},
    ]
    seen = Seen({}, {}, {})
    bench.start(bench.chain(none, rest, Loop(0, PASSES, passes=True)))
    passes, resting = -1, True
    until_s = bench.clock.now_s() + 10 * PASSES * (HOLD_s + REST_s)
    try:
        bench.await_begin()
        while bench.clock.now_s() < until_s:
            block, values = bench.data()
            if block.n_rows and block.technique == 0 and resting:
                passes, resting = passes + 1, False
            if block.n_rows and block.technique == 0:
                seen.I_A[passes] = _current_A(bench, block)
                seen.codes[passes] = values.IRange
            elif block.n_rows and not resting:
                resting = True
                for name, entry in (orders[passes] if passes < len(orders) else {}).items():
                    _give(bench, name, entry, seen)
            elif values.State == STOP and values.MemFilled == 0:
                break
            bench.clock.sleep(SOON_s)
    finally:
        bench.device.stop(bench.number)
    seen.stopped = passes < PASSES - 1 or not resting
    bench.drain(0.0)
    return seen


def _part(bench: Bench, technique: Tested, labels: set[str]) -> Loaded:
    entry = load_as(technique, bench.instrument, bench.board)
    return replace(entry, params=tuple(each for each in entry.params if each.label in labels))


def _give(bench: Bench, name: str, entry: Loaded, seen: Seen) -> None:
    try:
        bench.device.update(bench.number, 0, entry)
    except EclibError as error:
        if error.passing:
            raise
        seen.refused[name] = f"{error.name} {error.code}"


def _current_A(bench: Bench, block: Block) -> float:
    return float(np.median(sample_rows(block, bench.board, 1.0, -1)["I_A"]))
