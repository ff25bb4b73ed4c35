"""What the keeper does about a run, look by look."""

from __future__ import annotations

import math

import pytest

from nakctl.cli import keeping
from nakctl.cli.health import HUNG_AFTER_s
from nakctl.cli.keeper import EVERY_s
from nakctl.cli.keeping import Case
from nakctl.plan.held import WATCHED_AGAIN_s

Done = tuple[float, str]


def done(words: str, *, stop_after_s: float = math.inf) -> list[Done]:
    """What is done and when, at a look a second, where no try helps. words: a letter a look: w well, d dead,
    h hung, u unsealed; s: the keeper slept through this one."""
    names = {"w": "", "d": "dead", "h": "hung", "u": "unsealed", "l": "lost"}
    case, found = Case(), []
    for now_s, letter in enumerate(words):
        if letter == "s":
            case = keeping.excused(case, now_s)
            continue
        case = keeping.seen(case, names[letter], now_s)
        action = keeping.due(case, now_s, stop_after_s)
        if action is not None:
            found.append((now_s, action))
            case = keeping.tried(keeping.begun(case), now_s, action)
    return found


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wwww", []),
        ("wdww", []),  # a lock was free for a moment
        ("wddd", [(3, "take over")]),
        ("wdd" + 15 * "d", [(3, "take over"), (13, "take over")]),
        ("hhh", []),
        ("hhhh", [(3, "end it")]),
        ("hhhhddd", [(3, "end it"), (6, "take over")]),  # that it was ended is no try to go on with it
        ("hhshh", []),  # the computer slept
        ("hhshhhh", [(5, "end it")]),
        ("ddsdd", [(4, "take over")]),
        (40 * "u", [(30, "take over")]),
    ],
)
def test_what_is_done(words: str, expected: list[Done]) -> None:
    assert done(words) == expected


def test_it_is_tried_ever_more_seldom() -> None:
    times = [now_s for now_s, _ in done(1000 * "d")]
    assert times == [2, 12, 42, 102, 402, 702]
    assert [now_s for now_s, _ in done("ddd" + 70 * "w" + 20 * "d")] == [2, 75, 85]  # it had been helped


def test_what_shall_not_be_left_alone_is_stopped_where_nobody_can_go_on_with_it() -> None:
    assert done(50 * "d", stop_after_s=30.0) == [(2, "take over"), (12, "take over"), (42, "stop")]
    assert done(50 * "d", stop_after_s=0.0)[:2] == [(2, "take over"), (12, "stop")]  # going on comes first


def test_a_lost_one_is_asked_twice_more() -> None:
    """Then somebody has to look at the cell."""
    assert [at for at, what in done(200 * "l")] == [2, 12]


def test_while_something_is_tried_nothing_else_is() -> None:
    case = keeping.begun(keeping.seen(Case(), "dead", 0.0))
    assert keeping.due(case, 100.0, 0.0) is None


def test_one_that_was_ended_is_gone_on_with_at_once() -> None:
    """Also where it is seen dead before whoever ended it says so."""
    case = keeping.begun(keeping.seen(Case(), "hung", 0.0))
    case = keeping.seen(case, "dead", 5.0)
    case = keeping.tried(case, 5.0, "end it")
    assert keeping.due(case, 5.0 + keeping.SURE_AFTER_s, math.inf) == "take over"


def test_what_plan_promises() -> None:
    """For a program that died, and one that hangs: from there to when somebody is started to go on with it. That
    takes a second or two more."""
    hung_s = HUNG_AFTER_s + keeping.HUNG_FOR_s + EVERY_s
    assert max(EVERY_s + keeping.SURE_AFTER_s, hung_s) < WATCHED_AGAIN_s
