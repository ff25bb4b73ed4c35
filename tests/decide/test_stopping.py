"""A stop that is asked for: how often, when it is an alarm, when it may be left."""

from __future__ import annotations

from nakctl.decide.stopping import ASKS_TO_LEAVE, AGAIN_s, ALARM_s, REMINDER_s, Stopping, UNREADABLE_s


def test_it_is_asked_for_at_once_and_again_and_again() -> None:
    stopping = Stopping(10.0)
    assert [stopping.is_due(10.0 + t_s) for t_s in (0.0, AGAIN_s / 2, AGAIN_s, AGAIN_s * 1.5)] == [
        True,
        False,
        True,
        False,
    ]


def test_a_channel_that_runs_on_is_an_alarm_after_a_second_and_every_half_minute() -> None:
    stopping = Stopping(10.0)
    told_s = [t_s for t_s in range(100) if stopping.alarm(10.0 + t_s, 0)]
    assert told_s == [ALARM_s, ALARM_s + REMINDER_s, ALARM_s + 2 * REMINDER_s, ALARM_s + 3 * REMINDER_s]


def test_a_stop_that_was_refused_is_told_at_once_with_the_reason_and_once() -> None:
    stopping = Stopping(10.0)
    stopping.why = "error -3"
    assert stopping.alarm(10.0, 0).startswith("error -3; tried on for 0 s")
    assert stopping.alarm(10.0 + ALARM_s, 0) == ""


def test_only_who_has_heard_the_alarm_can_give_it_up() -> None:
    stopping = Stopping(0.0)
    assert not stopping.is_given_up(5)
    stopping.alarm(ALARM_s, 5)
    assert [stopping.is_given_up(5 + more) for more in range(ASKS_TO_LEAVE + 1)] == [False, False, True]


def test_rows_that_cannot_be_read_are_given_up_from_the_first_failure_on() -> None:
    stopping = Stopping(0.0)
    assert not stopping.is_unreadable(100.0)
    assert not stopping.is_unreadable(100.0 + UNREADABLE_s - 0.1)
    assert stopping.is_unreadable(100.0 + UNREADABLE_s)
