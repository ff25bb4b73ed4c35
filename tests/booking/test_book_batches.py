"""How many reads are booked at once changes no bit of the tables, however odd their times are."""

from __future__ import annotations

import math

import numpy as np
from hand_made import cp, info, loop, points, program, rest, rows
from hypothesis import example, given
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.cleaning import Cleaning
from nakctl.booking.entry import Entry, said
from nakctl.device.channel import Flag, Notice, Reading, State, Visit
from nakctl.device.program import Segment

PULSES = program(Segment((cp(1), rest(2), cp(1, -1e-3), loop(0, 3))), steps=[info(1), info(2)])
OPENING = (
    Entry("meant", 1, facts={"verb": "load", "position": [[0, 0]], "new_cycle": False}),
    Entry("began", 1, facts={"time_s": 1.0, "error_s": 0.0}),
)
VISITS = [(technique, passes) for passes in range(3) for technique in range(3)]
ODD = st.sampled_from([math.nan, math.inf, -1.0, -0.01, -5e-4, -1e-5])  # a negative one: back by so much

row = st.tuples(st.sampled_from([0.0, 0.5, 1.0]) | ODD, st.sampled_from([0, 0, 0, 1]))
reads = st.lists(st.tuples(st.lists(row, max_size=4), st.booleans(), st.booleans()), max_size=12)


def entries_of(drawn: list[tuple[list[tuple[float, int]], bool, bool]]) -> list[Entry]:
    """A row is how much later it is than the one before, and whether the next visit begins with it."""
    made, now_s, visit = list(OPENING), 0.0, 0
    for number, (of_read, has_visit, has_notice) in enumerate(drawn, 1):
        given_rows = []
        for later_s, goes_on in of_read:
            visit = min(visit + goes_on, len(VISITS) - 1)
            now_s += max(later_s, 0.0) if math.isfinite(later_s) else 0.0
            time_s = now_s + min(later_s, 0.0) if math.isfinite(later_s) else later_s
            given_rows.append((time_s, 0.1, 1e-3, *VISITS[visit]))
        reading = Reading(
            State.RUNNING, rows(*given_rows), points(),
            notices=(Notice(now_s, 1, "noted", "it went on"),) if has_notice else (),
            visit=Visit(*VISITS[visit], max(0.0, now_s - 1)) if has_visit else None,
        )  # fmt: skip
        made.append(said(reading, segment=1, block=number, time_s=30.0 * number, unix_s=1e9 + 30 * number))
    return made


def tables_of(entries: list[Entry], at_once: int) -> tuple[dict[str, bytes], str]:
    book = Book(PULSES, layout.SAMPLES.dtype)
    pages = [book.take(entries[k : k + at_once]) for k in range(0, len(entries), at_once)]
    pages.append(book.close(unclosed=True))
    names = {name for page in pages for name in page.tables}
    parts = {name: [page.tables[name] for page in pages if name in page.tables] for name in names}
    events = repr([event for page in pages for event in page.events])
    return {name: np.concatenate(each).tobytes() for name, each in parts.items()}, events


ONE, BACK = (1.0, 0), (-0.01, 0)


@given(reads, st.integers(2, 20))
@example(
    [([ONE, ONE], False, False), ([(-1.0, 0), (1e-4, 0), (1.0, 1)], False, False), ([ONE], True, False)], 20
)
@example(
    [([ONE], False, False), ([BACK], False, False), ([(0.0, 1)], False, False), ([ONE], False, False)], 4
)
@example([([(1.0, 0)], False, False), ([(math.inf, 0)], False, False), ([(math.inf, 0)], False, False)], 20)
def test_how_many_are_booked_at_once(
    drawn: list[tuple[list[tuple[float, int]], bool, bool]], at_once: int
) -> None:
    entries = entries_of(drawn)
    assert tables_of(entries, at_once) == tables_of(entries, 1)


def test_a_time_before_the_last_one_of_another_visit_is_no_bad_one() -> None:
    """The last row of a technique may carry a time behind the first ones of the next."""
    given_rows = rows(
        (9.0, 0.1, 1e-3, 0, 0), (10.5, 0.1, 1e-3, 0, 0), (10.0, 0.1, 0, 1, 0), (10.1, 0.1, 0, 1, 0)
    )
    assert Cleaning().samples(given_rows) is given_rows
    given_rows["time_s"][3] = 9.9
    cleaned = Cleaning().samples(given_rows)
    assert (cleaned["flags"] & Flag.BAD_TIME > 0).tolist() == [False, False, False, True]
    assert cleaned["time_s"].tolist() == [9.0, 10.5, 10.0, 10.0]
