"""What happened -> tables: which entry says what, in whose time, and when a step is handed over."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import cp, info, program, rest, rows

from nakctl.booking import layout
from nakctl.booking.book import Book, CLOCK_ROW_EVERY_s, Page
from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.device.channel import Flag, Rows
from nakctl.device.program import Segment

CHAIN = Segment((cp(1), rest(2)))
PROGRAM = program(CHAIN, CHAIN, steps=[info(1), info(2)])


def chain(number: int = 1, start_s: float = 100.0) -> list[Entry]:
    """A chain is meant, and its start is settled."""
    meant = {"verb": "load", "position": [[number - 1, 0]], "new_cycle": False, "lasting_s": None}
    began = {"time_s": start_s, "error_s": 1e-3}
    return [Entry("meant", number, facts=meant), Entry("began", number, facts=began)]


def said(*given: tuple[float, float, float, int, int], **facts: object) -> Entry:
    return Entry("said", 1, facts=facts, samples=rows(*given))


STRIPS, RESTS = (1.0, 0.5, 1e-3, 0, 0), (11.0, 0.1, 0.0, 1, 0)


def read(*entries: Entry, of: np.dtype = layout.SAMPLES.dtype) -> tuple[dict[str, Rows], list[Event]]:
    """All tables, entry by entry, and all events."""
    book = Book(PROGRAM, of)
    pages: list[Page] = [*(book.take([each]) for each in entries), book.close(unclosed=False)]
    names = {name for page in pages for name in page.tables}
    tables = {name: np.concatenate([p.tables[name] for p in pages if name in p.tables]) for name in names}
    return tables, [event for page in pages for event in page.events]


def test_a_step_is_handed_over_a_read_later_or_when_nothing_further_is_said() -> None:
    """Why it ended may be told after its last row."""
    book = Book(PROGRAM, layout.SAMPLES.dtype)
    assert "steps" not in book.take([*chain(), said(STRIPS, RESTS)]).tables
    assert book.settle().tables["steps"]["step_id"].tolist() == [1]
    assert book.close(unclosed=False).tables["steps"]["step_id"].tolist() == [2]


def test_at_the_end_the_steps_that_the_last_read_closed_are_there() -> None:
    tables, _ = read(*chain(), said(STRIPS, RESTS))
    assert tables["steps"]["step_id"].tolist() == [1, 2]


def test_what_a_channel_tells_is_an_event_in_the_time_of_the_run_as_grave_as_it_was() -> None:
    notices = [[1.5, 2, "option", "it burns", {"code": 7}], [2.5, 1, "gap", "a row is missing", {}]]
    _, events = read(*chain(start_s=100.0), said(STRIPS, notices=notices))
    assert [(event.time_s, event.severity, event.code) for event in events[1:]] == [
        (101.5, 2, "option"),
        (102.5, 1, "gap"),
    ]


def test_a_tie_is_the_channel_s_clock_first_and_that_of_the_run_beside_it() -> None:
    tie = Entry("tie", facts={"elapsed_s": 7.0, "time_s": 107.0, "error_s": 0.1})
    [row] = read(*chain(), tie)[0]["ties"]
    assert (row["chain"], row["elapsed"], row["time"], row["time_error"]) == (1, 7.0, 107.0, 0.1)


def test_the_wall_clock_is_noted_once_a_minute() -> None:
    times_s = np.arange(0.0, 3 * CLOCK_ROW_EVERY_s, 10.0)
    told = [said()._replace(time_s=time_s, unix_s=1e9 + time_s) for time_s in times_s.tolist()]
    tables, _ = read(*chain(), *told)
    assert tables["clock"]["time"].tolist() == [0.0, CLOCK_ROW_EVERY_s, 2 * CLOCK_ROW_EVERY_s]


def test_times_of_a_new_chain_do_not_go_back() -> None:
    """It begins at 0 again, with the same technique in the same pass."""
    tables, _ = read(*chain(), said((9.0, 0.5, 1e-3, 0, 0)), *chain(2, 200.0), said(STRIPS))
    assert tables["samples"]["time"].tolist() == [109.0, 201.0]
    assert not (tables["samples"]["flags"] & Flag.BAD_TIME).any()


def test_the_counter_electrode_is_kept_where_there_is_one() -> None:
    entry = said(STRIPS)
    entry.samples["Ece_V"] = -0.25
    tables, _ = read(*chain(), entry, of=layout.samples(three_electrode=True).dtype)
    assert (tables["samples"]["Ewe"].tolist(), tables["samples"]["Ece"].tolist()) == ([0.5], [-0.25])


@pytest.mark.parametrize("together", [True, False])
def test_booking_leaves_what_was_said_as_it_was(together: bool) -> None:
    """The record keeps the same rows as they came."""
    entries = [said((3.0, 0.5, 1e-3, 0, 0)), said((2.0, np.nan, 1e-3, 0, 0), (np.nan, 0.5, 1e-3, 0, 0))]
    was = [entry.samples.tobytes() for entry in entries]
    book = Book(PROGRAM, layout.SAMPLES.dtype)
    book.take(chain())
    for part in [entries] if together else [[entry] for entry in entries]:
        book.take(part)
    assert [entry.samples.tobytes() for entry in entries] == was
