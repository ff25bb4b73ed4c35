"""Set-points that ramp: from where, what holds them, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from asking import ran, request
from dying import Half, gone_on_with
from running import HEAD, done

from nakctl.device.sensor import Latest, Look, Ramp, SensorSpec
from nakctl.run.successor import replayed

K_MIN = 1 / 60
UP = "- set: {chamber: {to: 80 degC, rate: 1 K/min}}\n"
AN_HOUR = "- rest: 1 h\n"


@dataclass
class Chamber:
    """Shows what it was made with, whatever it is told: what it is asked for is kept."""

    shows: float | None = 25.0
    asked: list[float | Ramp] = field(default_factory=list)
    specs: dict[str, SensorSpec] = field(
        default_factory=lambda: {
            "chamber": SensorSpec(
                "chamber", "sim", "", "degC", "temperature", 1.0, 273.15, every_s=1.0, timeout_s=1.0
            )
        }
    )
    unseen_s: dict[str, float] = field(default_factory=lambda: {"chamber": 0.0})

    def look(self, now_s: Callable[[], float]) -> Look:
        if self.shows is None:
            return Look({})
        return Look({"chamber": Latest(now_s(), self.shows, self.shows, self.shows)})

    def set(self, name: str, value: float | Ramp) -> None:
        self.asked.append(value)

    def close(self) -> Look:
        return Look({})


def told(kept: Any, code: str) -> list[str]:
    return [event.message for event in kept.events if event.code == code]


def ramp_of(asked: float | Ramp) -> Ramp:
    assert isinstance(asked, Ramp)
    return asked


def test_it_begins_at_what_its_sensor_shows_when_the_step_comes() -> None:
    chamber = Chamber(shows=31.5)
    _, kept = done("- rest: 1 min\n" + UP + AN_HOUR, sensors=chamber)
    [ramp] = map(ramp_of, chamber.asked)
    assert (ramp.start, ramp.to, ramp.per_s) == pytest.approx((31.5, 80.0, K_MIN))
    assert ramp.since_s == pytest.approx(60, abs=2)
    assert told(kept, "set") == ["2 set chamber 80 degC: chamber ramps from 31.5 degC to 80 degC at 1 K/min"]


@pytest.mark.parametrize(
    ("before", "start"),
    [("- set: {chamber: 60 degC}\n- rest: 1 s\n", 60.0), (UP + "- rest: 10 min\n", 35.0)],
    ids=["set before", "replaces a ramp"],
)
def test_it_goes_on_from_where_its_sensor_was_set_to(before: str, start: float) -> None:
    chamber = Chamber()
    done(before + "- set: {chamber: {to: 20 degC, rate: 2 K/min}}\n" + AN_HOUR, sensors=chamber)
    assert ramp_of(chamber.asked[-1]).start == pytest.approx(start, abs=0.1)


def test_it_begins_where_it_says() -> None:
    chamber = Chamber()
    done("- set: {chamber: {to: 20 degC, rate: 90 K/h, from: 300 K}}\n" + AN_HOUR, sensors=chamber)
    [ramp] = map(ramp_of, chamber.asked)
    assert (ramp.start, ramp.per_s) == pytest.approx((26.85, 90 / 3600))


def test_a_sensor_that_shows_nothing_has_no_ramp_and_the_record_says_so() -> None:
    chamber = Chamber(shows=None)
    _, kept = done(UP + "- rest: 1 min\n", sensors=chamber)
    assert chamber.asked == []
    assert told(kept, "ramp_left") == ["1 set chamber 80 degC: chamber showed no value to ramp from"]


def test_a_limit_that_is_seen_on_the_way_to_a_ramp_is_not_lost() -> None:
    class Once(Chamber):
        def look(self, now_s: Callable[[], float]) -> Look:
            seen, self.shows = super().look(now_s), 25.0
            return seen

    head = HEAD.replace("time: 1000 h", "time: 1000 h, sensors: {chamber: [0 degC, 90 degC]}")
    outcome, _ = done(UP + AN_HOUR, head=head, sensors=Once(shows=95.0))
    assert (outcome.end_kind, outcome.duration_s < 60) == ("limit", True)


def test_a_pause_holds_it_and_it_goes_on_from_there() -> None:
    chamber = Chamber()
    pause, resume = request("pause", now="yes"), request("resume", number=2)
    _, kept, _ = ran(UP + "- rest: 4 min\n", (120.0, pause), (200.0, resume), sensors=chamber)
    first, held, after = chamber.asked
    assert isinstance(held, float)
    assert held == pytest.approx(27, abs=0.2)
    assert ramp_of(after).start == held
    assert ramp_of(after).since_s > ramp_of(first).since_s + 120
    assert (ramp_of(after).to, ramp_of(after).per_s) == (80.0, ramp_of(first).per_s)
    assert [text[:30] for text in told(kept, "set")][1:] == [
        "the ramp of chamber holds at 2",
        "the ramp of chamber goes on fr",
    ]


def test_what_a_run_leaves_on_its_way_is_told() -> None:
    """It began at once, though no look was due: in virtual time the next one may be an hour away."""
    _, kept = done(UP + "- rest: 10 min\n", sensors=Chamber())
    [text] = told(kept, "ramp_left")
    assert text.startswith("the ramp of chamber to 80 degC is left at 35")
    _, kept = done(UP + AN_HOUR, sensors=Chamber())
    assert told(kept, "ramp_left") == []


def test_who_takes_over_goes_on_with_it_from_where_it_was() -> None:
    """The ramp stood still since the program died."""
    steps = "- rest: 2 s\n- set: {chamber: {to: 80 degC, rate: 60 K/min}}\n- rest: 60 s\n"
    chamber = Chamber()
    _, kept, _ = gone_on_with(20, heard=True, steps=steps, sensors=chamber)
    first, after = map(ramp_of, chamber.asked)
    assert (after.to, after.per_s) == (first.to, first.per_s)
    assert 25 < after.start < 80
    assert after.start == pytest.approx(first.at(after.since_s), abs=1.0)  # here it was found at once
    assert any("goes on from" in text and "its program died" in text for text in told(kept, "set"))


def test_who_takes_over_a_paused_run_holds_what_it_held() -> None:
    chamber = Chamber()
    pause, resume = request("pause", now="yes"), request("resume", number=2)
    _, kept, _ = ran(UP + "- rest: 4 min\n", (120.0, pause), (200.0, resume), sensors=chamber)
    sets = [
        k
        for k, entry in enumerate(kept.entries)
        if entry.facts.get("verb") == "set" and entry.kind == "meant"
    ]
    setting = replayed(Half(kept, sets[1] + 1), 150.0).setting
    assert setting.targets == {"chamber": chamber.asked[1]}
    assert setting.held["chamber"].start == chamber.asked[1]
    assert list(setting.moving()) == []
    assert replayed(Half(kept, sets[2] + 1), 250.0).setting.held == {}
