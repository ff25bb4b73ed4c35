"""The loop when the link, the record, the channel or its rows are not as they should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from running import HEAD, Kept, Pulled, done

from nakctl.booking.entry import Entry
from nakctl.booking.event import Event
from nakctl.device.channel import Channel, Reading, Watch
from nakctl.device.program import Segment
from nakctl.errors import ChannelError, ChannelTaken, LinkLost, RecordError


def test_a_silence_is_an_alarm_and_the_run_goes_on() -> None:
    """The channel goes on by itself, and what it made meanwhile is fetched when it answers again."""
    outcome, kept = done("- rest: 100 h", wrap=lambda channel: Pulled(channel, at_read=2, reads=30))
    assert (outcome.status, outcome.error, outcome.cell_open) == ("completed", None, True)
    assert [(event.code, event.severity) for event in kept.events if event.severity > 0] == [("not_heard", 2)]
    assert outcome.samples == 360_010  # nine techniques, none longer than the counter counts


def test_where_nobody_answers_a_load_is_tried_again() -> None:
    class Deaf(Pulled):
        def load(self, segment: Segment, mark: str = "") -> None:
            self.left += 1
            if self.left < 3:
                raise LinkLost("no answer from the instrument")
            self.inner.load(segment)

    outcome, kept = done("- rest: 10 s", wrap=lambda channel: Deaf(channel, at_read=-1))
    assert outcome.status == "completed"
    assert [event.code for event in kept.events if event.severity == 2] == ["link"]


def test_what_no_experiment_survives_stops_the_channel_and_keeps_its_last_rows() -> None:
    channels: list[Pulled] = []

    class Broken(Pulled):
        def read(self, watch: Watch) -> Reading:
            self.left -= 1
            if self.left == 0:
                raise ChannelError("rows of another shape")
            return self.inner.read(replace(watch, every_s=10.0))

    def wrap(channel: Channel) -> Pulled:
        channels.append(Broken(channel, at_read=3))
        return channels[0]

    outcome, kept = done("- rest: 1000 h", wrap=wrap)
    assert (outcome.status, outcome.reason, outcome.end_kind) == (
        "interrupted",
        "rows of another shape",
        "trouble",
    )
    assert outcome.cell_open and channels[0].stopped
    assert len(kept["samples"]) == outcome.samples > 20
    assert kept.events[-1].code == "end"


def test_a_channel_that_is_no_longer_ours_is_left_alone() -> None:
    class Taken(Pulled):
        def read(self, watch: Watch) -> Reading:
            raise ChannelTaken("another program loaded channel 1")

    made: list[Taken] = []
    outcome, _ = done("- rest: 1 h", wrap=lambda channel: made.append(Taken(channel, 0)) or made[0])
    assert (outcome.status, outcome.cell_open, made[0].stopped) == ("interrupted", False, False)
    assert outcome.reason.endswith("THE CELL MAY STILL BE UNDER CURRENT")


def test_a_full_disk_stops_the_channel() -> None:
    channels: list[Pulled] = []

    def wrap(channel: Channel) -> Pulled:
        channels.append(Pulled(channel, at_read=-1))
        return channels[0]

    outcome, _ = done("- rest: 1000 h", sink=Kept(fails_at=3), wrap=wrap)
    assert isinstance(outcome.error, RecordError)
    assert outcome.reason == "the disk is full"  # and the cell is open
    assert outcome.status == "interrupted"
    assert channels[0].stopped


def test_a_disk_that_is_full_at_the_very_end_is_told() -> None:
    class Full(Kept):
        def append(self, entries: Sequence[Entry], *, durable: bool = False) -> Sequence[Event]:
            if any(entry.facts.get("verb") == "end" for entry in entries):
                raise RecordError("the disk is full")
            return super().append(entries)

    outcome, _ = done("- rest: 10 s", sink=Full())
    assert isinstance(outcome.error, RecordError)
    assert (outcome.status, outcome.reason, outcome.cell_open) == ("interrupted", "the disk is full", True)


def test_a_start_that_failed_may_have_started_all_the_same() -> None:
    """So the channel is stopped until it is seen to have stopped."""

    class Odd(Stubborn):
        refuses = True

        def start(self) -> None:
            self.inner.start()
            raise ZeroDivisionError

    made: list[Odd] = []
    with pytest.raises(ZeroDivisionError):
        done("- rest: 1 h", wrap=lambda channel: made.append(Odd(channel, at_read=5)) or made[0])
    assert made[0].left == 0  # refused four times


def test_what_is_not_ours_is_raised_again_after_stopping() -> None:
    class Broken:
        def __init__(self, inner: Channel) -> None:
            self.inner, self.stopped = inner, False

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def load(self, segment: Segment, mark: str = "") -> None:
            raise ZeroDivisionError

        def stop(self) -> None:
            self.stopped = True
            self.inner.stop()

    made: list[Broken] = []
    with pytest.raises(ZeroDivisionError):
        done("- rest: 1 s", wrap=lambda channel: made.append(Broken(channel)) or made[0])
    assert made[0].stopped


class Stubborn(Pulled):
    """Ignores (or refuses) to stop a number of times."""

    refuses = False

    def stop(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.inner.stop()
        elif self.refuses:
            raise ChannelError("BL_StopChannel on channel 1: refused")

    def read(self, watch: Watch) -> Reading:
        return self.inner.read(replace(watch, every_s=0.1))


class Refusing(Stubborn):
    refuses = True


@pytest.mark.parametrize("kind", [Stubborn, Refusing])
def test_stop_means_stop_it_is_asked_for_until_it_works(kind: type[Stubborn]) -> None:
    """Meanwhile the record goes on, and everybody is told."""
    told: list[str] = []
    outcome, kept = done(
        "- rest: 1000 h", head=HEAD.replace("1000 h", "60 s"), wrap=lambda channel: kind(channel, at_read=20),
        observe=lambda progress: told.extend(event.code for event in progress.news),
    )  # fmt: skip
    assert (outcome.status, outcome.cell_open, outcome.error) == ("stopped", True, None)
    assert outcome.reason == "limit: 60 s of run time"
    alarms = [event for event in kept.events if event.code == "not_stopped"]
    assert alarms and "THE CELL MAY STILL BE UNDER CURRENT" in alarms[0].message
    assert "not_stopped" in told
    assert kept["samples"]["time"][-1] == pytest.approx(66, abs=2)  # 20 tries, 0.3 s apart


def test_or_until_the_operator_gives_up() -> None:
    tries = iter(range(1000))
    outcome, kept = done(
        "- rest: 1000 h", head=HEAD.replace("1000 h", "60 s"), wrap=lambda channel: Stubborn(channel, 10**6),
        times_asked=lambda: next(tries) // 15,
    )  # fmt: skip
    assert (outcome.status, outcome.cell_open) == ("stopped", False)
    assert isinstance(outcome.error, ChannelError)
    assert outcome.reason.endswith("THE CELL MAY STILL BE UNDER CURRENT")
    assert [event.code for event in kept.events[-3:]][-1] == "end"


# --- rows that are not as they should be ---------------------------------------------------------------


def test_a_row_without_values_or_time_is_kept_flagged_and_adds_no_charge() -> None:
    class Bad(Pulled):
        def read(self, watch: Watch) -> Reading:
            reading = self.inner.read(replace(watch, every_s=1.0))
            if len(reading.samples) and self.left > 0:
                self.left -= 1
                reading.samples["Ewe_V"][-1] = reading.samples["I_A"][-1] = np.nan
                reading.samples["time_s"][-1] = np.nan
            return reading

    outcome, kept = done("- strip: 1 mA\n  for: 60 s", wrap=lambda channel: Bad(channel, 10))
    assert outcome.status == "completed"
    assert np.isfinite(kept["samples"]["time"]).all() and np.isfinite(kept["samples"]["Q"]).all()
    assert np.isnan(kept["samples"]["Ewe"]).sum() == 10
    assert {"no_value", "bad_time"} <= {event.code for event in kept.events if event.severity == 2}
