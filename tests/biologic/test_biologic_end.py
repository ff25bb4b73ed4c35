"""How a chain ends: its last rows, a stop, and what close leaves the cell in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from biologic_bench import (
    NOTHING,
    PULSES,
    bench,
    calls_of,
    chain,
    drain,
    ocv,
    run,
    troubles,
    under_current,
)

from nakctl.device.channel import State
from nakctl.errors import ChannelError, IllegalEvent, LinkLost
from nakctl_sim.instrument.habits import Habits

SHORT = 0.02


@pytest.mark.parametrize("pause_s", [SHORT, 0.3, 5.0])
@pytest.mark.parametrize("habits", [Habits(), Habits(stop_reads=3)])
def test_the_last_row_comes_and_then_the_end(pause_s: float, habits: Habits) -> None:
    done = run(bench(habits=habits), PULSES, pause_s=pause_s)
    assert done.samples["time_s"][-1] == pytest.approx(5.0, abs=1e-3)
    assert done.samples["passes"].max() == 4


@pytest.mark.parametrize(("state", "filled"), [(0, 40), (1, 0), (2, 0)])
def test_it_is_not_over_before_its_memory_is_empty(
    monkeypatch: pytest.MonkeyPatch, state: int, filled: int
) -> None:
    """No rows this time, but the channel stands with a memory that is not empty, or does not stand."""
    one = bench()
    one.channel.load(chain(ocv(1.0)))
    one.channel.start()
    one.clock.sleep(5.0)
    device = one.channel._link.device
    data = device.data
    empty, values = data(0)
    block = replace(empty, words=empty.words[:0], n_rows=0)
    values.State, values.MemFilled = state, filled
    answers = [(block, values)] * 3
    monkeypatch.setattr(device, "data", lambda channel: answers.pop() if answers else data(channel))
    one.channel._following._course.begun = True  # type: ignore[union-attr]
    assert [one.channel.read(NOTHING).state for _ in range(3)] == [State.RUNNING] * 3
    while one.channel.read(NOTHING).more:
        pass
    assert one.channel.read(NOTHING).state is State.STOPPED


def test_one_more_read_settles_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The State beside a block may be older than the rows that came to be after it was looked at."""
    one = bench()
    one.channel.load(chain(ocv(2.0)))
    one.channel.start()
    one.clock.sleep(0.8)
    one.channel.read(NOTHING)
    one.clock.sleep(5.0)
    device = one.channel._link.device
    data = device.data
    rows, values = data(0)
    empty = replace(rows, words=rows.words[:0], n_rows=0)
    answers = [(empty, values), (rows, values), (empty, values)]
    monkeypatch.setattr(device, "data", lambda channel: answers.pop(0) if answers else data(channel))
    readings = [one.channel.read(NOTHING) for _ in range(3)]
    assert [len(reading.samples) for reading in readings] == [0, 3, 0]
    assert [reading.state for reading in readings] == [State.RUNNING, State.RUNNING, State.STOPPED]
    assert readings[0].more  # so that the host does not sleep over it


def test_a_memory_that_is_never_handed_over_does_not_hold_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    one.channel.load(chain(ocv(1.0)))
    one.channel.start()
    one.clock.sleep(5.0)
    device = one.channel._link.device
    rows, values = device.data(0)
    values.MemFilled = 12
    empty = replace(rows, words=rows.words[:0], n_rows=0)
    answers = [(rows, values)]
    monkeypatch.setattr(device, "data", lambda channel: answers.pop() if answers else (empty, values))
    done = drain(one)
    assert (len(done.samples), done.codes()) == (3, ["gap"])
    assert done.notices[0].facts == {"bytes": 12}


def test_a_channel_that_never_runs() -> None:
    one = bench(habits=Habits(stop_reads=10_000))
    with pytest.raises(ChannelError, match="was started but does not run"):
        run(one, chain(ocv(1000.0)))


def test_stop_says_what_the_cell_is_left_in() -> None:
    one = under_current()
    one.channel.stop()
    (notice,) = [notice for notice in drain(one).notices if notice.code == "stopped"]
    assert "the cell is open" in notice.message
    assert notice.facts["Ewe_V"] == pytest.approx(0.06, abs=0.01)


def test_a_stop_asks_once() -> None:
    one = under_current()
    before = calls_of(one).copy()
    one.channel.stop()
    assert calls_of(one) - before == {"BL_StopChannel": 1}


def test_a_stop_that_is_not_obeyed_is_not_the_end() -> None:
    """The instrument says yes and goes on: the reads show it, and rows go on coming."""
    one = under_current("stop-ignored=1")
    one.channel.stop()
    for _ in range(20):
        one.clock.sleep(0.5)
        reading = one.channel.read(NOTHING)
        assert (reading.state, len(reading.samples)) == (State.RUNNING, 1)
        assert reading.look is not None
        assert reading.look.running
    one.instrument.boards[0].ignores_stop = False
    one.channel.stop()
    assert "stopped" in drain(one).codes()


@pytest.mark.parametrize(
    ("code", "kind"), [(-104, ChannelError), (-6, ChannelError), (-200, LinkLost), (-12, LinkLost)]
)
def test_a_stop_that_fails_is_told_at_once_and_the_next_asks_again(
    code: int, kind: type[ChannelError]
) -> None:
    one = under_current()
    with troubles(one, f"BL_StopChannel={code}@call1-3"):
        for _ in range(3):
            with pytest.raises(
                ChannelError, match=rf"the cell is connected, last seen at .*{code}"
            ) as caught:
                one.channel.stop()
            assert isinstance(caught.value, LinkLost) is (kind is LinkLost)
            one.clock.sleep(0.5)
            reading = one.channel.read(NOTHING)
            assert (reading.state, len(reading.samples)) == (State.RUNNING, 1)
        one.channel.stop()
    assert "stopped" in drain(one).codes()


def test_close_opens_the_cell() -> None:
    one = under_current()
    one.channel.close()
    assert not one.instrument.boards[0].running
    with pytest.raises(IllegalEvent):
        one.channel.read(NOTHING)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (
            "BL_StopChannel=-104",
            ChannelError,
            r"may be connected, last seen at 0\.0\d+ V and 0\.0002 A.*-104",
        ),
        ("BL_StopChannel=-200", LinkLost, r"may be connected, last seen .*-200"),
        ("BL_GetCurrentValues=-404", ChannelError, r"was not seen to stop.*-404"),
        ("stop-ignored=1", ChannelError, r"did not yet: the cell is connected, at 0\.0\d+ V and 0\.0002 A"),
        ("cable", LinkLost, "may be connected"),
    ],
)
def test_close_says_what_the_cell_may_be_in(fault: str, kind: type[ChannelError], words: str) -> None:
    one = under_current()
    with troubles(one, fault):
        with pytest.raises(ChannelError, match=words) as caught:
            one.channel.close()
        assert isinstance(caught.value, LinkLost) is (kind is LinkLost)
        one.channel.close()
    assert one.instrument.connected == (fault == "cable")  # let go all the same


def test_close_after_the_end_asks_for_no_stop() -> None:
    one = bench()
    run(one, chain(ocv(0.5)))
    before = calls_of(one).copy()
    one.channel.close()
    assert calls_of(one) - before == {"BL_Disconnect": 1}


def test_an_instrument_that_does_not_let_go_is_told_after_the_cell() -> None:
    one = bench(faults=["BL_Disconnect=-6"])
    run(one, chain(ocv(0.5)))
    with pytest.raises(ChannelError, match=r"is at rest, but was not let go: .*-6"):
        one.channel.close()
