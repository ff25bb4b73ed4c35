"""Experiments about ends: which rows are written there, what the clock does, how a foreign stop shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from nakctl.device.inspection import Lesson
from nakctl.device.program import Test
from nakctl.device.techniques import loaded_as
from nakctl_biologic.codes import RUN, STATES, STOP
from nakctl_biologic.device import Device
from nakctl_biologic.errors import EclibError
from nakctl_biologic.first_day.bench import HOLD_V, Bench
from nakctl_biologic.first_day.chains import SHORT_s

SELDOM_s = 20.0  # between rows recorded by time: whatever comes before that was written for another reason
DECAY_s = 0.5
TURN_s = 0.05  # between looks
MOST_LOOKS = 100


def rows_at_ends(bench: Bench) -> Iterator[Lesson]:
    """A row where a test is met, and where a technique is over."""
    yield _row_at_test(bench, "next")
    yield _row_at_test(bench, "stop")
    every_s = 0.75 * SHORT_s
    trace = bench.run(bench.chain(bench.rest(SHORT_s, every_s), bench.rest(SHORT_s)), 2 * SHORT_s)
    rows = bench.samples(trace, 0, "OCV")
    last_s = float(rows["time_s"][-1]) if len(rows) else 0.0
    yield Lesson(
        "Is a row written at the end of a technique?",
        "driver: an end is proven without it",
        "either",
        "yes" if last_s > (every_s + SHORT_s) / 2 else "no",
        "confirmed",
        facts={"last_s": last_s, "duration_s": SHORT_s},
    )


def _row_at_test(bench: Bench, then: Literal["next", "stop"]) -> Lesson:
    """What was held decays without current until it meets a test, while no row is due by time."""
    test = Test("Ewe", "below", HOLD_V / 2)
    decay = replace(bench.zero_current(DECAY_s), every_s=SELDOM_s, tests=(test,), on_test=then)
    chain = bench.chain(bench.hold(SHORT_s), decay, bench.rest(SHORT_s))
    trace = bench.run(chain, 2 * SHORT_s + DECAY_s)
    rows = bench.samples(trace, 1, loaded_as(decay))
    after = trace.of(2)
    met = not after if then == "stop" else bool(after) and after[0].start_s < SHORT_s + 0.9 * DECAY_s
    later = bool(np.any(rows["Ewe_V"][1:] <= test.value))
    at_once = len(rows) > 0 and bool(rows["Ewe_V"][0] <= test.value)
    clear = met and (later or not at_once)
    advice = "Repeat with a resistor beside a capacitor, such as 1 kohm and 1 uF: it takes a decay."
    return Lesson(
        f"Is a row written where a test is met ({then})?",
        "driver: such a row is flagged, and an end is proven without it",
        "either",
        ("yes" if later else "no") if clear else "the test was met at once or never",
        "confirmed" if clear else "unsettled",
        "" if clear else advice,
        {"rows": len(rows)},
    )


def elapsed(bench: Bench) -> Iterator[Lesson]:
    """Two rests one after the other: what ElapsedTime says in the second one, and when all is over."""
    bench.start(bench.chain(bench.rest(SHORT_s), bench.rest(2 * SHORT_s)))
    running_s = 0.0
    try:
        bench.await_begin()
        for _ in range(MOST_LOOKS):
            values = bench.values()
            if values.State == STOP:
                break
            running_s = values.ElapsedTime
            bench.clock.sleep(TURN_s)
        first_s = bench.values().ElapsedTime
        bench.clock.sleep(2 * SHORT_s)
        second_s = bench.values().ElapsedTime
        bench.drain(3 * SHORT_s)
    finally:
        bench.device.stop(bench.number)
    whole = max(running_s, first_s) > 2.5 * SHORT_s  # a look in time may have been missed
    yield Lesson(
        "From when does ElapsedTime count?",
        "contract: a look tells the time since the start of the chain",
        "the start of the chain",
        "the start of the chain" if whole else "something else",
        "confirmed" if whole else "changed",
        "" if whole else "Ties between the clocks would be wrong: report it before running chains.",
        {"running_s": running_s, "at_the_end_s": first_s, "duration_s": 3 * SHORT_s},
    )
    still = second_s == first_s
    yield Lesson(
        "Does ElapsedTime stand still after the end?",
        "run: how long a chain lasted is not taken from looks after its end",
        "either",
        "yes" if still else "no",
        "confirmed",
        facts={"at_the_end_s": first_s, "later_s": second_s},
    )


def foreign_stop(bench: Bench) -> Iterator[Lesson]:
    """A rest that is stopped through a second connection, as another program would."""
    question = "Does another program's stop show as STOP, with the rows kept?"
    rests_on = "driver: an end that was not foreseen shows by State STOP, and its rows are read"
    bench.start(bench.chain(bench.rest(60.0)))
    try:
        bench.await_begin()
        bench.clock.sleep(SHORT_s)
        asked = _stop_from_elsewhere(bench)
        looks = next((n for n in range(MOST_LOOKS) if bench.values().State == STOP), MOST_LOOKS)
    finally:
        bench.device.stop(bench.number)
    rows = sum(block.n_rows for block in bench.drain(0.0))
    if not asked:
        told, advice = "a second connection was refused", "Try it with EC-Lab closed."
        yield Lesson(question, rests_on, "yes", told, "unsettled", advice)
        return
    seen = looks < MOST_LOOKS
    told = "yes" if seen and rows else "its rows are gone" if seen else "it goes on"
    yield Lesson(
        question,
        rests_on,
        "yes",
        told,
        "confirmed" if told == "yes" else "changed",
        "" if told == "yes" else "A run that somebody else stops will not be told as such: report it.",
        {"rows": rows, "looks": looks},
    )


def _stop_from_elsewhere(bench: Bench) -> bool:
    """Whether it could be asked for. A library that gives the same connection again must not lose it."""
    other = Device(bench.device.eclib, bench.device.address)
    try:
        other.connect()
    except EclibError:
        return False
    try:
        other.stop(bench.number)
    finally:
        if other.id != bench.device.id:
            other.disconnect()
    return True


def states(bench: Bench) -> Iterator[Lesson]:
    """All that was seen so far. The library cannot pause a channel, so a pause is not tried."""
    others = sorted(bench.states - {STOP, RUN})
    told = ", ".join(STATES.get(each, f"state {each}") for each in others)
    yield Lesson(
        "Does a channel say anything but RUN and STOP?",
        "driver: anything else is an alarm during a run, and refused when a channel is opened",
        "no",
        told or "no",
        "changed" if others else "confirmed",
        "Runs will be full of alarms: report which experiment it was." if others else "",
    )
