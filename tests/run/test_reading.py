"""What is fetched while the record is behind, and what of it may be believed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hand_made import geis, points, rest, rows

from nakctl.device.channel import Look, Notice, Reading, State, Visit, Watch
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, LinkLost
from nakctl.run.clock import FreeClock
from nakctl.run.pulse import Pulse
from nakctl.run.reading import NEARLY_FULL, BEHIND_s, MUTE_s, Reader

LATE_s = 2 * BEHIND_s


class Channel:
    """One row without a value per read."""

    def __init__(self, filled: float) -> None:
        self.shown: Look | None = Look(True, 0.1, 0.0, 1.0, filled)
        self.calls: list[str] = []
        self.refuses: Exception | None = None
        self.mute = False  # brings no rows and no look beside them
        self.looks = True  # is heard when it is looked at
        self.notices: tuple[Notice, ...] = ()

    def read(self, watch: Watch) -> Reading:
        self.calls.append("read")
        if self.refuses is not None:
            raise self.refuses
        if self.mute:
            return Reading(State.RUNNING, rows(), points(), notices=self.notices)
        row = rows((len(self.calls), math.nan, 0.0, 0, 0))
        return Reading(State.RUNNING, row, points(), look=self.shown, visit=Visit(0, 0, 0.0))

    def look(self) -> Look | None:
        self.calls.append("look")
        if not self.looks:
            raise LinkLost("pulled")
        return self.shown


class Recording:
    """What waits for the disk."""

    waiting_s, waiting_bytes = 0.0, 0

    def settle(self, seconds: float) -> bool:
        return self.waiting_s == 0.0


class Logbook:
    """As much of one as a reader needs."""

    def __init__(self) -> None:
        self.recording = Recording()
        self.codes: list[str] = []

    def begin_block(self) -> None:
        pass

    def note(self, severity: int, code: str, message: str, facts: Any = None) -> None:
        self.codes.append(code)


def made(
    filled: float = 0.0, technique: Any = None, needs_rows: bool = False
) -> tuple[Reader, Channel, Logbook]:
    channel, logbook, clock = Channel(filled), Logbook(), FreeClock()
    reader = Reader(channel, clock, Pulse(), logbook, clock.now_s)  # type: ignore[arg-type]
    reader.open_segment(Segment((technique or rest(1),)), needs_rows=needs_rows)
    return reader, channel, logbook


def test_rows_wait_in_the_instrument_until_the_record_has_caught_up() -> None:
    reader, channel, logbook = made()
    for waiting_s in (0.0, LATE_s, LATE_s, 0.0):
        logbook.recording.waiting_s = waiting_s
        reader.next(Watch())
    assert channel.calls == ["read", "look", "look", "read"]
    assert logbook.codes == ["record_behind", "record_caught_up"]


@pytest.mark.parametrize(
    ("filled", "technique", "needs_rows"),
    # no room is left there; spectra expire there; a cutoff of the host needs them
    [(NEARLY_FULL + 0.1, rest(1), False), (0.0, geis(1), False), (0.0, rest(1), True)],
)
def test_what_cannot_wait_is_fetched_and_looked_at_like_any_other(
    filled: float, technique: Any, needs_rows: bool
) -> None:
    reader, channel, logbook = made(filled, technique, needs_rows)
    reader.next(Watch())
    logbook.recording.waiting_s = LATE_s
    reading = reader.next(Watch())
    assert channel.calls == ["read", "read"]
    assert len(reading.samples) == 1


def test_of_a_new_chain_there_is_no_visit_before_its_first_row() -> None:
    reader, _, _ = made()
    reader.next(Watch())
    assert reader.visit == Visit(0, 0, 0.0)
    reader.open_segment(Segment((rest(1),)), needs_rows=False)
    assert reader.visit is None


def test_a_chain_that_is_over_is_read_to_its_end_whatever_the_record_does() -> None:
    reader, channel, logbook = made()
    reader.next(Watch())
    logbook.recording.waiting_s = LATE_s
    reader.next(Watch())
    channel.shown = Look(False, 0.1, 0.0, 1.0)
    reader.next(Watch())
    reader.next(Watch())
    assert channel.calls == ["read", "look", "look", "read"]


def test_where_rows_cannot_be_had_the_channel_is_looked_at() -> None:
    reader, channel, logbook = made()
    channel.mute = True
    for _ in range(30):
        assert reader.next(Watch()).look == channel.shown
        reader.clock.advance_to(reader.now_s() + 0.1)
    assert channel.calls == ["read", "look"] * 30
    assert logbook.codes == []


@pytest.mark.parametrize("looks", [True, False])
def test_what_a_silent_read_brought_is_kept_whatever_becomes_of_the_look(looks: bool) -> None:
    reader, channel, _ = made()
    channel.mute, channel.looks = True, looks
    channel.notices = (Notice(0.0, 1, "rows_lost", "12 rows are lost"),)
    assert reader.next(Watch()).notices == channel.notices


@pytest.mark.parametrize("raised", [True, False])
def test_a_silence_that_lasts_is_told_while_it_lasts_and_once(raised: bool) -> None:
    reader, channel, logbook = made()

    def silence(reads: int) -> None:
        channel.refuses, channel.shown = LinkLost("pulled") if raised else None, None
        channel.mute = True
        for _ in range(reads):
            before_s = reader.now_s()
            assert reader.next(Watch()).look is None
            reader.clock.advance_to(before_s + 0.1)
        channel.refuses, channel.shown, channel.mute = None, Look(True, 0.1, 0.0, 1.0), False

    silence(reads=15)
    reader.next(Watch())
    assert logbook.codes == []  # a reply may be lost
    silence(reads=22)
    assert logbook.codes == ["not_heard"]
    silence(reads=200)
    assert logbook.codes == ["not_heard"]
    reader.next(Watch())
    silence(reads=22)
    assert logbook.codes == ["not_heard"] * 2
    assert reader.now_s() == pytest.approx(25.9)


def test_what_cannot_be_read_is_for_the_loop_to_deal_with() -> None:
    reader, channel, _ = made()
    reader.next(Watch())
    channel.refuses = ChannelError("rows of another program")
    with pytest.raises(ChannelError):
        reader.next(Watch())
    assert reader.look is None


def test_rows_that_are_kept_back_are_those_of_one_chain() -> None:
    channel, clock = Channel(0.0), FreeClock()
    channel.mute = True
    one = Reader(channel, clock, Pulse(), Logbook(), clock.now_s)  # type: ignore[arg-type]
    one.open_segment(Segment((rest(1),)), needs_rows=True)
    one.next(Watch())
    clock.advance_to(MUTE_s)
    one.next(Watch())
    assert one.is_mute
    one.open_segment(Segment((rest(1),)), needs_rows=True)
    one.next(Watch())
    assert not one.is_mute
