"""A channel that another program started: what is asked of it, what is believed of it, and what is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from biologic_bench import (
    FAMILIES,
    LONG,
    MARK,
    MIXED,
    NOTHING,
    PULSES,
    SPECTRA,
    Bench,
    bench,
    block,
    calls_of,
    chain,
    channel_says,
    cp,
    drain,
    ocv,
    pulsed,
    run,
    successor,
    through_json,
    troubles,
    under_current,
)

from nakctl.device.channel import POINT, SAMPLE, Notice, Reading, Rows, State
from nakctl.device.driver import ClockLike, Place
from nakctl.device.program import Loop, Segment
from nakctl.errors import ChannelError, ChannelTaken, IllegalEvent, LinkLost
from nakctl_biologic.channel import BiologicChannel
from nakctl_biologic.course import PATIENCE_s
from nakctl_biologic.decoding import Decoder
from nakctl_biologic.opening import open_channel
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.server import Server


def asked_by(one: Bench, doing: Callable[[], object]) -> Counter[str]:
    before = calls_of(one).copy()
    doing()
    return calls_of(one) - before


def adopting(one: Bench, segment: Segment, pause_s: float = 0.05) -> tuple[Rows, Rows, list[Notice]]:
    """A run in which a new program goes on after every read; while the link is down, it tries on. Its rows
    come out of what its readings kept once more."""
    one.channel.load(segment)
    one.channel.start()
    readings: list[Reading] = []
    while not readings or readings[-1].state is State.RUNNING:
        readings.append(one.channel.read(NOTHING))
        if not readings[-1].more:
            one.clock.sleep(pause_s)
        one.channel = connected(one, segment, through_json(readings[-1].memo))
    decoder = Decoder(one.channel.info.facts, segment)
    decoded = [decoder.rows(each.raw) for each in readings]
    samples = np.concatenate([np.zeros(0, SAMPLE), *(each.samples for each in readings)])
    points = np.concatenate([np.zeros(0, POINT), *(each.points for each in readings)])
    assert np.concatenate([each[0] for each in decoded]).tobytes() == samples.tobytes()
    assert np.concatenate([each[1] for each in decoded]).tobytes() == points.tobytes()
    return samples, points, [notice for each in readings for notice in each.notices]


def connected(one: Bench, segment: Segment, memo: dict[str, Any]) -> BiologicChannel:
    for _ in range(1000):
        try:
            channel = successor(one)
            channel.adopt(segment, memo)
            return channel
        except LinkLost:
            one.clock.sleep(0.1)
    raise AssertionError("never")


# opened for that


def test_opening_changes_nothing() -> None:
    """The channel runs, holds rows, and has electrodes connected in another way than usual."""
    one = under_current()
    board = one.instrument.boards[0]
    board.hardware = 1, 1
    one.clock.sleep(5.0)
    one.channel.look()
    waiting = board.memory.filled
    made: list[BiologicChannel] = []
    asked = asked_by(one, lambda: made.append(successor(one)))
    assert asked == {
        "BL_Connect": 1,
        "BL_GetChannelsPlugged": 1,
        "BL_GetChannelBoardType": 1,
        "BL_GetChannelInfos": 1,
        "BL_GetHardConf": 1,
    }
    assert waiting > 0
    assert (board.running, board.memory.filled, board.hardware) == (True, waiting, (1, 1))
    assert made[0].info.facts["connection_was"] == 1


@pytest.mark.parametrize("said", [{"State": 2}, {"State": 3}, {"MemFilled": 4000}])
def test_nothing_that_it_does_is_refused(monkeypatch: pytest.MonkeyPatch, said: dict[str, int]) -> None:
    one = bench()
    channel_says(monkeypatch, **said)
    successor(one)


@pytest.mark.parametrize("fault", ["eclab=1", "lost-kernel=1"])
def test_without_our_firmware_there_is_nothing_of_ours(fault: str) -> None:
    one = under_current()
    memo = one.channel.read(NOTHING).memo
    opened = successor(one)
    with troubles(one, f"{fault}@t0"):
        with pytest.raises(ChannelTaken, match="lost its firmware"):
            opened.adopt(LONG, memo)
        with pytest.raises(ChannelTaken):
            successor(one)
    assert calls_of(one)["BL_LoadFirmware"] == 0


def test_what_was_not_adopted_is_left_alone() -> None:
    one = under_current()
    channel = successor(one)
    before = calls_of(one).copy()
    for doing in (channel.stop, channel.start, lambda: channel.load(LONG), lambda: channel.read(NOTHING)):
        with pytest.raises(ChannelTaken, match="it is left alone"):
            doing()
    assert calls_of(one) == before
    look = channel.look()
    assert look is not None
    assert look.running
    channel.close()
    assert one.instrument.boards[0].running
    with pytest.raises(IllegalEvent):
        channel.adopt(LONG, {}, MARK)


# adopted


def test_two_questions_are_asked() -> None:
    one = under_current()
    memo = one.channel.read(NOTHING).memo
    channel = successor(one)
    asked = asked_by(one, lambda: channel.adopt(LONG, memo))
    assert asked == {"BL_GetChannelInfos": 1, "BL_GetExperimentInfos": 1}
    channel.close()
    assert not one.instrument.boards[0].running


@pytest.mark.parametrize("code", [-200, -12, -104, -1])
@pytest.mark.parametrize("call", ["BL_GetChannelInfos", "BL_GetExperimentInfos"])
def test_who_is_not_heard_asks_again(call: str, code: int) -> None:
    one = under_current()
    memo = one.channel.read(NOTHING).memo
    channel = successor(one)
    with troubles(one, f"{call}={code}@call1-3"):
        tries = 0
        for _ in range(40):
            try:
                channel.adopt(LONG, memo)
                break
            except LinkLost:
                tries += 1
                one.clock.sleep(0.2)
        assert 3 <= tries < 10
    one.clock.sleep(2.0)
    times_s = channel.read(NOTHING).samples["time_s"]
    assert times_s == pytest.approx(2.0 + 0.5 * np.arange(len(times_s)), abs=1e-3)
    assert times_s[-1] > one.clock.now_s() - 0.6


@pytest.mark.parametrize("name", ["late rows", "late rows in their order", "no last rows", "small memory"])
@pytest.mark.parametrize(
    ("segment", "pause_s"),
    [(MIXED, 0.05), (MIXED, 0.7), (PULSES, 0.7), (SPECTRA, 0.7), (pulsed(MIXED, 0, 2), 0.7)],
    ids=["mixed, often", "mixed", "pulses", "spectra", "with a trigger output"],
)
def test_whatever_the_habits(segment: Segment, pause_s: float, name: str) -> None:
    """Also while a block is held back."""
    habits = {
        "late rows": Habits(late_row_s=1e-5, rows_in_order_of="time"),
        "late rows in their order": Habits(late_row_s=1e-4),
        "no last rows": Habits(end_row=False, test_row=False),
        "small memory": Habits(memory_bytes=600),
    }[name]
    whole = run(bench(habits=habits), segment, pause_s)
    samples, points, notices = adopting(bench(habits=habits), segment, pause_s)
    assert samples.tobytes() == whole.samples.tobytes()
    assert points.tobytes() == whole.points.tobytes()
    assert [notice.code for notice in notices] == whole.codes()


def test_a_block_that_waited_in_the_old_program() -> None:
    habits = Habits(late_row_s=1e-5, rows_in_order_of="time")
    whole = run(bench(habits=habits), PULSES, 0.05)
    one = bench(habits=habits)
    one.channel.load(PULSES)
    one.channel.start()
    samples, held = np.zeros(0, SAMPLE), 0
    for _ in range(400):
        reading = one.channel.read(NOTHING)
        samples = np.concatenate([samples, reading.samples])
        if reading.state is State.STOPPED:
            break
        if not reading.more:
            one.clock.sleep(0.05)
        if reading.memo["visits"]["held"]:
            held += 1
            one.channel = connected(one, PULSES, through_json(reading.memo))
    assert held > 3
    assert samples.tobytes() == whole.samples.tobytes()


@pytest.mark.parametrize("like", FAMILIES)
@pytest.mark.parametrize("at_s", [0.4, 1.3, 2.6, 3.9])
def test_while_the_cable_is_out(like: str, at_s: float) -> None:
    whole = run(bench(like), MIXED)
    samples, points, _ = adopting(bench(like, faults=[f"cable=2s@t{at_s}"]), MIXED)
    assert samples.tobytes() == whole.samples.tobytes()
    assert points.tobytes() == whole.points.tobytes()


# A program that starts a chain and reads once for each line that it is given.
KILLED = """
import json, sys
from nakctl.device.cell import Cell
from nakctl.device.channel import Watch
from nakctl.device.driver import Place
from nakctl.run.clock import WallClock
from nakctl_biologic.driver import driver
from test_biologic_adopted import LONG_PULSES, MARK

place = Place("bench", "biologic", "SP-300", 1, {"address": sys.argv[1]})
channel = driver.open(place, Cell("cell", 1.0), WallClock(), 1)
channel.load(LONG_PULSES, MARK)
channel.start()
print("started", flush=True)
for _ in sys.stdin:
    reading = channel.read(Watch())
    print(json.dumps([len(reading.samples), reading.raw.hex(), dict(reading.memo)]), flush=True)
"""
LONG_PULSES = chain(cp(4e-4, 0.5), ocv(0.5), Loop(0, 20, passes=True))


def test_a_program_is_killed() -> None:
    """It left a memo, the words of what it had read, and a channel that goes on."""
    clock = StepClock()
    whole = run(bench(), LONG_PULSES).samples
    with Server(VirtualInstrument("SP-300", {1: "randles"}, clock, 1), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            command = [sys.executable, "-c", KILLED, server.address]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent
            ) as program:
                assert program.stdin is not None
                assert program.stdout is not None
                assert program.stdout.readline() == "started\n"
                kept = []
                for _ in range(25):
                    clock.sleep(0.17)
                    program.stdin.write("\n")
                    program.stdin.flush()
                    kept.append(json.loads(program.stdout.readline()))
                program.kill()
            clock.sleep(3.0)
            place = Place("bench", "biologic", "SP-300", 1, {"address": server.address})
            channel = open_channel(place, clock, adopting=True)
            channel.adopt(LONG_PULSES, kept[-1][2])
            rest = drain(Bench(channel, server.instrument, clock)).samples
        finally:
            server.shutdown()
            thread.join()
    decoder = Decoder(channel.info.facts, LONG_PULSES)
    first = np.concatenate([decoder.rows(bytes.fromhex(raw))[0] for _, raw, _ in kept])
    assert len(first) == sum(n for n, _, _ in kept)
    assert 10 < len(first) < len(whole) - 20
    assert np.concatenate([first, rest]).tobytes() == whole.tobytes()


def test_a_read_that_was_not_answered_is_remembered() -> None:
    """By the count in the memo; the row after it shows that a block is missing."""
    one = under_current()
    one.clock.sleep(2.0)
    with troubles(one, "lost-reply@call1"):
        reading = one.channel.read(NOTHING)
    assert (reading.look, reading.memo["unanswered"]) == (None, 1)
    channel = connected(one, LONG, through_json(reading.memo))
    one.clock.sleep(1.0)
    (notice,) = [notice for notice in channel.read(NOTHING).notices if notice.code == "gap"]
    assert notice.facts == {"blocks": 1}


def test_words_that_did_not_fit_are_told_by_the_successor() -> None:
    one = under_current()
    device = one.channel._link.device
    data = device.data
    wrong = block([[0, 1, 2]], 100, technique=7)
    device.data = lambda channel: (wrong, data(channel)[1])  # type: ignore[method-assign]
    reading = one.channel.read(NOTHING)
    assert len(reading.samples) == 0
    with pytest.raises(ChannelError, match="rows come from technique 7"):
        one.channel.read(NOTHING)
    channel = connected(one, LONG, through_json(reading.memo))
    with pytest.raises(ChannelError, match="do not fit what was loaded"):
        channel.read(NOTHING)
    channel.stop()


def test_what_was_told_is_not_told_again() -> None:
    one = under_current("option=301:2@t1", "message=hello@t1")
    told: Counter[str] = Counter()
    for _ in range(6):
        one.clock.sleep(1.0)
        reading = one.channel.read(NOTHING)
        told.update(notice.code for notice in reading.notices)
        one.channel = connected(one, LONG, through_json(reading.memo))
    assert told == {}  # by the one that read before
    assert one.channel.read(NOTHING).notices == ()
    fresh = successor(one)
    fresh.adopt(LONG, {}, reading.memo["mark"])
    assert [notice.code for notice in fresh.read(NOTHING).notices] == ["option"]


class Shifted:
    """The clock of another process."""

    def __init__(self, clock: ClockLike, by_s: float) -> None:
        self._clock, self._by_s = clock, by_s

    def now_s(self) -> float:
        return self._clock.now_s() + self._by_s

    def horizon_s(self) -> float:
        return self.now_s()

    def advance_to(self, time_s: float) -> None:
        """It goes on by itself."""

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


@pytest.mark.parametrize("by_s", [0.0, 1e6, -1e6])
@pytest.mark.parametrize("with_memo", [True, False])
def test_times_count_from_the_start_on_any_clock(by_s: float, with_memo: bool) -> None:
    """By the instrument's own clock; it goes on in the time in which nobody spoke for the channel."""
    one = under_current("message=hello@t40.5")
    reading = one.channel.read(NOTHING)
    one.clock.sleep(38.0)
    channel = successor(one, Shifted(one.clock, by_s))
    if with_memo:
        channel.adopt(LONG, through_json(reading.memo))
    else:
        channel.adopt(LONG, {}, reading.memo["mark"])
    times_s = []
    for _ in range(10):
        times_s += [notice.time_s for notice in channel.read(NOTHING).notices if notice.code == "instrument"]
        one.clock.sleep(1.0)
    assert times_s == pytest.approx([41.0], abs=0.01)


def test_a_silence_of_the_successor_counts_from_the_newest_row() -> None:
    """Until the instrument has told its time."""
    one = under_current()
    channel = connected(one, LONG, through_json(one.channel.read(NOTHING).memo))
    with troubles(one, "BL_GetData=-200@call1"):
        (notice,) = channel.read(NOTHING).notices
    assert (notice.code, notice.time_s) == ("silence", pytest.approx(1.5, abs=1e-3))


def test_a_chain_of_which_nothing_is_seen_was_never_started() -> None:
    one = bench()
    one.channel.load(LONG, MARK)
    channel = successor(one)
    channel.adopt(LONG, {}, MARK)
    begin_s = one.clock.now_s()
    assert len(drain(Bench(channel, one.instrument, one.clock)).samples) == 0
    assert one.clock.now_s() - begin_s == pytest.approx(PATIENCE_s, abs=0.2)  # its start may be on its way
    channel = successor(one)
    channel.adopt(LONG, {}, MARK)
    channel.stop()  # whoever knows it better says so
    assert [channel.read(NOTHING).state for _ in range(2)] == [State.RUNNING, State.STOPPED]
    channel.load(PULSES)


# nobody's any more


def test_the_mark_of_another_program_is_told_and_no_row_is_taken() -> None:
    one = under_current()
    memo = one.channel.read(NOTHING).memo
    one.channel._link.device.sign(0, "somebody else's")
    channel = successor(one)
    assert channel.whose() == "somebody else's"
    with pytest.raises(ChannelTaken):
        channel.adopt(LONG, memo)
    waiting = one.instrument.boards[0].memory.filled
    asked = asked_by(one, channel.seize)
    assert asked == {}
    with pytest.raises(IllegalEvent):
        channel.read(NOTHING)
    with troubles(one, "BL_StopChannel=-5@call1"), pytest.raises(ChannelError, match="the cell is connected"):
        channel.stop()
    channel.stop()
    assert not one.instrument.boards[0].running
    assert one.instrument.boards[0].memory.filled >= waiting
    channel.close()


def test_who_is_not_heard_does_not_know_whose_it_is() -> None:
    one = under_current()
    channel = successor(one)
    with troubles(one, "BL_GetExperimentInfos=-200@call1"), pytest.raises(LinkLost, match="whose"):
        channel.whose()
    assert one.instrument.boards[0].running
    assert channel.whose().startswith("nakctl ")
    channel.seize()
    channel.close()
    assert not one.instrument.boards[0].running


def test_one_that_is_closed_is_not_seized() -> None:
    one = under_current()
    one.channel.close()
    with pytest.raises(IllegalEvent):
        one.channel.seize()
