"""A link that is lost and comes back: no row is lost or doubled, and no order is given twice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from biologic_bench import (
    MIXED,
    NOTHING,
    PULSES,
    Bench,
    Run,
    bench,
    calls_of,
    chain,
    cp,
    drain,
    interrupted,
    ocv,
    reference,
    run,
    troubles,
    under_current,
)

from nakctl.device.channel import State, Visit
from nakctl.errors import ChannelError, LinkLost
from nakctl_biologic.errors import failure
from nakctl_biologic.link import REFUSED_s
from nakctl_sim.instrument.habits import Habits

LENGTH_s = 4.0


@pytest.fixture(scope="module")
def uninterrupted() -> Run:
    return reference("SP-300", MIXED)


@pytest.mark.parametrize("keeps", [False, True], ids=["new connection", "connection survives"])
@pytest.mark.parametrize("at_s", np.random.default_rng(4).uniform(0.01, LENGTH_s, 50).round(3).tolist())
def test_a_pulled_cable_loses_and_doubles_no_row(uninterrupted: Run, keeps: bool, at_s: float) -> None:
    done = interrupted(f"cable=3s@t{at_s}", cable_keeps=keeps)
    assert done.samples.tobytes() == uninterrupted.samples.tobytes()
    assert done.points.tobytes() == uninterrupted.points.tobytes()
    assert done.codes() in (["silence", "link"], ["silence", "link", "gap"])  # no time tells of each block


HICCUPS = [-2, -6, -12, -101, -102, -104, -105, -200, -202, -404]


@pytest.mark.parametrize("code", HICCUPS)
@pytest.mark.parametrize("calls", ["5", "7-9", "20-60"])
def test_a_read_that_fails_is_silence_and_not_the_end(code: int, calls: str) -> None:
    expected = reference("SP-300", PULSES)
    done = interrupted(f"BL_GetData={code}@call{calls}", PULSES)
    assert done.samples.tobytes() == expected.samples.tobytes()
    assert done.codes()[0] == "silence"
    assert done.codes().count("link") == 1


def test_silence_is_an_empty_reading_without_a_look() -> None:
    one = under_current()
    with troubles(one, "cable"):
        reading = one.channel.read(NOTHING)
        assert (reading.state, len(reading.samples), reading.look, reading.more) == (
            State.RUNNING,
            0,
            None,
            False,
        )
        assert reading.visit == Visit(0, 0, 0.0)
        assert one.channel.look() is None


def test_nothing_waits_while_the_link_is_down() -> None:
    """The clock goes on by what the host sleeps alone; tries to come back have their times."""
    one = under_current()
    before_s = one.clock.now_s()
    with troubles(one, "cable"):
        for _ in range(600):
            one.channel.read(NOTHING)
            one.clock.sleep(0.1)
        assert one.clock.now_s() == pytest.approx(before_s + 60.0)
        asked = calls_of(one)
        assert asked["BL_Connect"] <= 12  # 0.1, 0.2, 0.5, 1, 2, 5 and then every 10 s
        assert asked["BL_GetData"] == 2


def test_it_never_gives_up_by_itself() -> None:
    one = under_current()
    told = []
    with troubles(one, "cable=2000s@t3"):
        one.clock.sleep(1.0)
        for _ in range(1990):
            reading = one.channel.read(NOTHING)
            told += [notice for notice in reading.notices if notice.code == "silence"]
            one.clock.sleep(1.0)
        one.clock.sleep(20.0)
        done = drain(one)
    assert 33 <= len(told) <= 35  # at the beginning, and then every minute
    assert len(done.samples) == 197  # the chain went on, and its rows were kept


def test_the_first_failure_may_be_a_hiccup() -> None:
    """So the connection is kept; the second one in a row is not."""
    one = under_current()
    with troubles(one, "BL_GetData=-200@call1"):
        one.channel.read(NOTHING)
        assert one.channel.read(NOTHING).look is not None
        assert calls_of(one)["BL_Connect"] == 0
    with troubles(one, "BL_GetData=-200@call1-2"):
        for _ in range(4):
            one.channel.read(NOTHING)
            one.clock.sleep(0.2)
        assert calls_of(one)["BL_Connect"] == 1


@pytest.mark.parametrize("code", [-207, -104, -3])
def test_an_instrument_that_is_only_just_back_is_asked_again(code: int) -> None:
    """It may still count the connection that was lost, or not be ready."""
    one = under_current()
    with troubles(one, "BL_GetData=-1@call1", f"BL_Connect={code}@call1-3"):
        for _ in range(40):
            reading = one.channel.read(NOTHING)
            one.clock.sleep(0.1)
        assert reading.look is not None
        assert calls_of(one)["BL_Connect"] == 4


def test_a_reply_that_was_lost_may_have_taken_a_block_away(monkeypatch: pytest.MonkeyPatch) -> None:
    one = under_current()
    device = one.channel._link.device
    data = device.data

    def lost(channel: int) -> object:
        monkeypatch.setattr(device, "data", data)
        data(channel)
        raise failure("BL_GetData", -200, 1)

    monkeypatch.setattr(device, "data", lost)
    one.clock.sleep(2.0)
    assert one.channel.read(NOTHING).look is None
    empty = one.channel.read(NOTHING)  # answered, but nothing is there to compare with
    one.clock.sleep(2.0)
    notices = (*empty.notices, *one.channel.read(NOTHING).notices)
    assert [notice.code for notice in notices] == ["link", "gap"]
    assert notices[1].facts == {"blocks": 1}


def test_a_stop_goes_out_as_soon_as_the_cable_is_back() -> None:
    """The host tries on, with reads in between."""
    one = bench(faults=["cable=30s@t1"])
    one.channel.load(chain(cp(1e-4, 100.0)))
    one.channel.start()
    one.clock.sleep(10.0)
    failures = rows = 0
    for _ in range(1000):
        try:
            one.channel.stop()
            break
        except LinkLost as error:
            assert "goes on by itself" in str(error)
            failures += 1
        rows += len(one.channel.read(NOTHING).samples)
        one.clock.sleep(0.2)
    assert failures > 50
    assert one.clock.now_s() == pytest.approx(31.0, abs=0.5)
    assert rows + len(drain(one).samples) >= 60
    assert not one.instrument.boards[0].running


def test_an_outage_longer_than_the_memory_is_a_gap() -> None:
    one = bench(habits=Habits(memory_bytes=8000), faults=["cable=20s@t1"])
    done = run(one, chain(ocv(30.0, 0.01)))
    assert {"link", "gap"} <= set(done.codes())
    assert np.all(np.diff(done.samples["time_s"]) > 0)


def persistent(doing: Callable[[], None], one: Bench, most: int = 50) -> int:
    """As the run's loop: LinkLost is asked again; how often."""
    for n in range(most):
        try:
            doing()
            return n
        except LinkLost:
            one.clock.sleep(0.1)
    raise AssertionError("never")


@pytest.mark.parametrize(
    "fault",
    [
        "BL_LoadTechnique=-200@call2", "BL_LoadTechnique=-12@call1-3", "BL_StartChannel=-200@call1",
        "BL_StartChannel=-12@call1-2", "BL_SetExperimentInfos=-200@call1", "cable=2s@call12",
        "BL_LoadTechnique=-104@call2-4", "BL_LoadTechnique=-308@call1", "BL_StartChannel=-6@call1-3",
        "BL_StartChannel=-308@call1", "BL_SetExperimentInfos=-104@call1", "BL_GetExperimentInfos=-404@call1",
    ],
)  # fmt: skip
def test_a_load_or_start_that_was_not_heard_is_asked_again(uninterrupted: Run, fault: str) -> None:
    one = bench(faults=[fault])
    tries = persistent(lambda: one.channel.load(MIXED), one) + persistent(one.channel.start, one)
    assert tries > 0
    done = drain(one)
    assert done.samples.tobytes() == uninterrupted.samples.tobytes()
    assert done.codes() == ["link"]
    assert done.notices[0].time_s == 0.0
    assert one.channel._link.mark


@pytest.mark.parametrize("call", ["BL_LoadTechnique", "BL_StartChannel"])
def test_an_order_that_is_refused_for_long_was_no_hiccup(call: str) -> None:
    one = bench(faults=[f"{call}=-104"])
    with pytest.raises(ChannelError, match=f"{call} on channel 1: .*-104") as caught:
        persistent(lambda: one.channel.load(MIXED), one, most=1000)
        persistent(one.channel.start, one, most=1000)
    assert not isinstance(caught.value, LinkLost)
    assert one.clock.now_s() == pytest.approx(REFUSED_s, abs=0.2)


def test_a_link_that_is_cut_while_a_mark_is_written(uninterrupted: Run) -> None:
    """Then the new one is on the channel, which is ours all the same."""
    one = bench()
    run(one, chain(ocv(1.0)))
    with troubles(one, "BL_GetExperimentInfos=-1@call1"):
        assert persistent(lambda: one.channel.load(MIXED), one) > 0
        one.channel.start()
        assert drain(one).samples["time_s"].tolist() == uninterrupted.samples["time_s"].tolist()


def unanswered_start(monkeypatch: pytest.MonkeyPatch, one: Bench, code: int) -> None:
    """A start is carried out, and what the instrument says to it does not arrive."""
    device = one.channel._link.device
    start = device.start

    def lost(channel: int) -> None:
        start(channel)
        raise failure("BL_StartChannel", code, 1)

    monkeypatch.setattr(device, "start", lost)


@pytest.mark.parametrize("stop_reads", [0, 3])
@pytest.mark.parametrize("length_s", [0.5, 20.0])
def test_a_start_that_was_heard_is_not_made_twice(
    monkeypatch: pytest.MonkeyPatch, length_s: float, stop_reads: int
) -> None:
    one = bench(habits=Habits(stop_reads=stop_reads))
    one.channel.load(chain(ocv(length_s)))
    unanswered_start(monkeypatch, one, -200)
    assert persistent(one.channel.start, one) == 1
    assert len(drain(one).samples) == length_s / 0.5 + 1


def test_a_start_that_was_heard_may_be_over_when_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    one.channel.load(chain(ocv(1.0)))
    unanswered_start(monkeypatch, one, -200)
    with pytest.raises(LinkLost):
        one.channel.start()
    one.clock.sleep(5.0)
    one.channel.start()
    assert len(drain(one).samples) == 3


def test_a_start_of_which_nothing_is_known_is_stopped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    one.channel.load(chain(cp(1e-4, 100.0)))
    unanswered_start(monkeypatch, one, -202)
    with pytest.raises(LinkLost):
        one.channel.start()
    assert one.instrument.boards[0].running
    one.channel.close()
    assert not one.instrument.boards[0].running


def test_a_stop_after_a_start_of_which_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are handed over."""
    one = bench()
    one.channel.load(chain(cp(1e-4, 100.0)))
    unanswered_start(monkeypatch, one, -202)
    with pytest.raises(LinkLost):
        one.channel.start()
    one.clock.sleep(2.0)
    one.channel.stop()
    done = drain(one)
    assert len(done.samples) >= 4
    assert "stopped" in done.codes()
