"""At which step an end stands that is told of a chain, entry by entry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hand_made import cp, info, points, program, rows

from nakctl.booking import layout
from nakctl.booking.book import Book
from nakctl.booking.ending import Ending, interrupted
from nakctl.booking.entry import Entry, said
from nakctl.device.channel import Reading, State, Visit
from nakctl.device.program import Node, Program, Segment
from nakctl.device.program_json import dump_nodes

TWO_STEPS = program(Segment((cp(1),)), Segment((cp(2),)), steps=[info(1), info(2)])
ONE_STEP = program(Segment((cp(1),)), Segment((cp(1),)), steps=[info(1)])
TROUBLE = interrupted("no answer", "trouble")
LIMIT = Ending("end run", "limit: Ewe above 3 V", "stopped", "limit", 1, 3.1)


def meant(segment: int) -> Entry:
    return Entry("meant", segment, facts={"verb": "load", "position": [[segment - 1, 0]], "new_cycle": False})


def began(segment: int) -> Entry:
    return Entry("began", segment, facts={"time_s": 20.0 * (segment - 1), "error_s": 0.0})


def made(segment: int, count: int = 10) -> Entry:
    visit = Visit(0, 0, 0.0)
    reading = Reading(
        State.RUNNING, rows(*((k, 0.1, 1e-3, 0, 0) for k in range(count))), points(), visit=visit
    )
    return said(reading, segment=segment, block=segment, time_s=0.0)


def over(segment: int, ending: Ending | None, *, is_met: bool = False) -> Entry:
    told = None if ending is None else ending.as_json()
    return Entry("over", segment, facts={"ending": told, "is_met": is_met})


def kinds(*entries: Entry, of: Program = TWO_STEPS, unclosed: bool = False) -> list[str]:
    book = Book(of, layout.SAMPLES.dtype)
    pages = [book.take(entries), book.close(unclosed=unclosed)]
    return [
        row["end_kind"].decode() for page in pages if "steps" in page.tables for row in page.tables["steps"]
    ]


FIRST = (meant(1), began(1), made(1), over(1, None))


@pytest.mark.parametrize("further", [(), (began(2),)], ids=["not loaded", "stopped before its first row"])
def test_a_chain_without_a_row_ends_no_step_of_the_one_before(further: tuple[Entry, ...]) -> None:
    assert kinds(*FIRST, meant(2), *further, over(2, TROUBLE)) == ["duration"]


def test_but_the_step_that_was_to_go_on_in_it() -> None:
    assert kinds(*FIRST, meant(2), over(2, TROUBLE), of=ONE_STEP) == ["trouble"]


def test_what_was_done_before_the_program_was_gone_is_done() -> None:
    assert kinds(*FIRST, unclosed=True) == ["duration"]
    assert kinds(*FIRST, meant(2), began(2), unclosed=True) == ["duration"]
    assert kinds(*FIRST, meant(2), began(2), made(2), unclosed=True) == ["duration", "unclosed"]
    assert kinds(*FIRST[:-1], unclosed=True) == ["unclosed"]


def test_and_a_step_that_was_to_go_on_is_not() -> None:
    assert kinds(*FIRST, of=ONE_STEP, unclosed=True) == ["unclosed"]
    new_cycle = replace(ONE_STEP, nodes=(ONE_STEP.nodes[0], Segment((cp(1),), new_cycle=(0,))))
    assert kinds(*FIRST, of=new_cycle, unclosed=True) == ["duration"]


PAUSED = Ending("go on", "paused by ada@pc", "aborted", "operator")
SKIPPED = Ending("next step", "skipped by ada@pc", "aborted", "skipped")
STOPPED = Ending("end run", "stopped by ada@pc", "aborted", "operator")


def left(waits: bool, *nodes: Node) -> Entry:
    return Entry("program", 1, facts={"program": dump_nodes(nodes), "waits": waits, "why": ""})


def test_a_step_that_was_cut_goes_on_in_what_is_left() -> None:
    """Its chain is the first of another program."""
    cut = (meant(1), began(1), made(1), over(1, PAUSED))
    rest_of_it = left(True, Segment((cp(1),)), Segment((cp(2),)))
    goes_on = (meant(2)._replace(facts=meant(1).facts), began(2), made(2), over(2, None))
    assert kinds(*cut, rest_of_it, *goes_on) == ["duration"]
    assert kinds(*cut, rest_of_it, *goes_on[:-1], over(2, LIMIT)) == ["limit"]
    assert kinds(*cut, rest_of_it, unclosed=True) == ["unclosed"]
    assert kinds(*cut, rest_of_it, over(1, STOPPED)) == ["operator"]  # it was never resumed
    skipped = (*cut[:-1], over(1, SKIPPED), left(False, Segment((cp(2),))))
    assert kinds(*skipped, *goes_on) == ["skipped", "duration"]


def test_a_step_that_was_over_before_the_pause_keeps_its_end() -> None:
    between = (*FIRST, left(True, Segment((cp(2),))))
    assert kinds(*between, over(1, STOPPED)) == ["duration"]
    assert kinds(*between, unclosed=True) == ["duration"]


@pytest.mark.parametrize("refused", [True, False])
def test_rows_of_a_start_that_was_not_answered_have_the_time_of_its_call(refused: bool) -> None:
    """The instrument may have heard it all the same."""
    book = Book(TWO_STEPS, layout.SAMPLES.dtype)
    book.take([*FIRST, meant(2), Entry("meant", 2, 30.0, facts={"verb": "start"})])
    if refused:
        book.take([Entry("done", 2, 34.0, facts={"verb": "start", "refused": "no answer"})])
    book.take([made(2)])
    tables = book.close(unclosed=True).tables
    assert tables["samples"]["time"][0] == (34.0 if refused else 30.0)
    assert tables["chains"]["time_error"][0] == (4.0 if refused else 0.0)
