"""Which notices wait for whom: the first at once, more of a kind together, and never without the end."""

from __future__ import annotations

import json
from typing import Any

from nakctl.notify.notice import Notice
from nakctl.notify.outbox import (
    MOST_LETTERS,
    END_TRIED_FOR_s,
    Letter,
    Outbox,
    PAUSES_s,
    TOGETHER_s,
    TRIED_FOR_s,
    WayTold,
)

NOW_s = 1.8e9
MAIL = WayTold(1, "mail", "mail to anna", ("end", "alarm", "gap"), None)
HOOK = WayTold(2, "webhook", "webhook x", ("alarm",), ("left",))


def notice(event: str = "alarm", code: str = "fault", run: str = "a", channel: str = "left") -> Notice:
    return Notice(event, 2, f"{event} {code}", "text", NOW_s, code, run_id=run, channel=channel)


def ended() -> Notice:
    return notice("end", "")


def events(box: Outbox) -> list[tuple[str, str]]:
    return [(letter.notice.event, letter.notice.code) for letter in box.letters]


def addressed(*notices: Notice) -> Outbox:
    box = Outbox()
    for each in notices:
        box.take("rig", [each], NOW_s)
    box.address("rig", [MAIL, HOOK], NOW_s)
    return box


def test_each_way_gets_what_it_wants() -> None:
    box = addressed(notice(), notice("gap", "gap"), notice("start", ""), notice(code="link", channel="right"))
    found = [(letter.number, letter.notice.event, letter.notice.channel) for letter in box.letters]
    assert found == [
        (1, "alarm", "left"),
        (2, "alarm", "left"),
        (1, "gap", "left"),
        (1, "alarm", "right"),
    ]


def test_without_a_rig_nobody_is_told() -> None:
    box = Outbox()
    box.take("", [notice(), ended()], NOW_s)
    assert box == Outbox()


def test_more_of_a_kind_goes_together() -> None:
    box = Outbox()
    box.take("rig", [notice()] * 5, NOW_s)
    box.take("rig", [notice(code="link"), notice(run="b")], NOW_s + 1)  # other kinds do not wait for it
    assert events(box) == [("alarm", "fault"), ("alarm", "link"), ("alarm", "fault")]
    box.turn(NOW_s + TOGETHER_s - 1)
    assert len(box.letters) == 3
    box.turn(NOW_s + TOGETHER_s)
    assert len(box.letters) == 4
    assert "(4 of this kind within 10 min" in box.letters[-1].notice.text
    box.take("rig", [notice()], NOW_s + TOGETHER_s + 5)  # and again it is held back
    assert len(box.letters) == 4
    box.turn(NOW_s + 2 * TOGETHER_s)
    box.turn(NOW_s + 3 * TOGETHER_s)
    assert len(box.letters) == 5
    box.turn(NOW_s + 4 * TOGETHER_s)
    assert box.held == {}  # all quiet: the next one is told at once


def test_the_end_waits_for_nothing_and_takes_along_what_does() -> None:
    box = Outbox()
    box.take("rig", [notice(), notice(), notice(), notice(run="b"), notice(run="b")], NOW_s)
    box.take("rig", [ended()], NOW_s + 1)
    assert events(box)[-1] == ("end", "")
    assert "Not told yet:\n  2 more: alarm fault" in box.letters[-1].notice.text
    assert [*box.held] == ["b|alarm|fault"]


def test_a_clock_that_is_set_back_holds_nothing_up() -> None:
    box = addressed(notice())
    box.take("rig", [notice()], NOW_s)
    for letter in list(box.letters):
        box.failed(letter, NOW_s)
    assert list(box.due(NOW_s + 1)) == []
    box.turn(NOW_s - 86400)
    box.address("rig", [MAIL, HOOK], NOW_s - 86400)
    assert [letter.tries for letter in box.due(NOW_s - 86400)] == [1, 1]
    assert len(box.letters) == 4


def tried(box: Outbox, letter: Letter) -> list[float]:
    """When, from the first time on, until it was given up."""
    now_s, at = NOW_s, []
    while True:
        at.append(now_s - NOW_s)
        if not box.failed(letter, now_s):
            return at
        (letter,) = (each for each in box.letters if each.key == letter.key)
        assert not [each for each in box.due(letter.next_s - 0.1) if each.key == letter.key]
        now_s = letter.next_s


def test_it_is_tried_again_with_growing_pauses_and_given_up() -> None:
    box = addressed(notice(), ended())
    alarm = tried(box, box.letters[0])
    assert alarm[:4] == [0, PAUSES_s[0], PAUSES_s[0] + PAUSES_s[1], sum(PAUSES_s[:3])]
    assert TRIED_FOR_s - PAUSES_s[-1] <= alarm[-1] <= TRIED_FOR_s
    end = tried(box, next(letter for letter in box.letters if letter.notice.event == "end"))
    assert END_TRIED_FOR_s - PAUSES_s[-1] <= end[-1] <= END_TRIED_FOR_s
    assert events(box) == [("alarm", "fault")]  # by the other way


def test_one_at_a_time_goes_by_a_way() -> None:
    box = addressed(notice(), notice(code="link"))
    first, other = box.due(NOW_s)
    assert (first.number, other.number) == (1, 2)
    assert list(box.due(NOW_s, [first.lane, other.lane])) == []
    box.sent(first)
    (next_one,) = box.due(NOW_s, [other.lane])
    assert (next_one.number, next_one.notice.code) == (1, "link")
    box.failed(next_one, NOW_s)  # what has to wait holds up nothing behind it
    box.take("rig", [notice("gap", "gap")], NOW_s)
    box.address("rig", [MAIL, HOOK], NOW_s)
    assert [letter.notice.event for letter in box.due(NOW_s, [other.lane])] == ["gap"]


def test_of_too_many_the_oldest_go_and_the_end_stays() -> None:
    box = Outbox()
    box.take("rig", [ended()], NOW_s)
    for number in range(MOST_LETTERS + 10):
        box.take("rig", [notice(run=str(number))], NOW_s)
    gone = box.overflow()
    assert [letter.notice.run_id for letter in gone] == [str(number) for number in range(11)]
    assert len(box.letters) == MOST_LETTERS and events(box)[0] == ("end", "")


def test_it_is_kept_whole() -> None:
    box = addressed(notice(), notice(), ended())
    box.take("rig", [notice(run="b"), notice(run="b")], NOW_s)
    box.failed(box.letters[0], NOW_s)
    text: Any = json.loads(json.dumps(box.as_json()))
    assert Outbox.from_json(text) == box
