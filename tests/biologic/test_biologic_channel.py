"""The channel over the virtual instrument: what it finds at the start, how it ends, and what goes wrong between."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from biologic_bench import FAMILIES, VMP3, Bench, Run, bench, ca, chain, cp, drain, eis, ocv, run

from nakctl.device.channel import State, Visit, Watch
from nakctl.device.driver import Place
from nakctl.device.program import Hardware, Loop, Segment
from nakctl.errors import ChannelError, ChannelTaken, ExitCode, IllegalEvent, LimitError, LinkLost, RigError
from nakctl_biologic.errors import EclibError, failure
from nakctl_biologic.opening import open_channel
from nakctl_biologic.remedies import BUSY, ECLIB, LINK
from nakctl_sim.instrument import device_calls
from nakctl_sim.instrument.faults import Troubles, fault
from nakctl_sim.instrument.habits import Habits

NOTHING = Watch()


def under_current(*faults: str, every_s: float = 0.5) -> Bench:
    """200 uA for long, after two seconds, all rows read."""
    one = bench(faults=faults)
    one.channel.load(chain(cp(2e-4, 100.0, every_s=every_s)))
    one.channel.start()
    one.clock.sleep(2.0)
    while one.channel.read(NOTHING).more:
        pass
    return one


@contextmanager
def troubles(one: Bench, *faults: str) -> Iterator[None]:
    """From now on, calls counted from now."""
    before = one.instrument.troubles
    one.instrument.troubles = Troubles([fault(text) for text in faults])
    yield
    one.instrument.troubles = before


MIXED = chain(
    ocv(1.0), cp(2e-4, 1.0), eis(n=4, hold_s=0.5), ca(0.05, 1.0), eis("PEIS", n=3, vs_previous=True)
)
PULSES = chain(cp(4e-4, 0.5), ocv(0.5), Loop(0, 5, passes=True))
SPECTRA = chain(ocv(0.5), eis(n=3), Loop(1, 3, passes=False), cp(1e-4, 0.5), Loop(0, 2, passes=True))
SEGMENTS = {"mixed": MIXED, "pulses": PULSES, "spectra": SPECTRA}
SHORT = 0.02
SLOWEST_POINT_s = VMP3.eis_s_per_average


def reference(like: str, segment: Segment) -> Run:
    done = run(bench(like), segment)
    assert done.codes() == []
    return done


# habits: whatever the instrument does where nobody could say


HABITS = {
    "loop from 1": Habits(loop_from=1),
    "loop of the outermost": Habits(nested_loop="outermost"),
    "loop in total": Habits(nested_loop="total", loop_from=1),
    "column 14 integer": Habits(I_range_column="integer"),
    "STOP right after start": Habits(stop_reads=5),
    "StartTime 0": Habits(first_start_time="zero"),
    "time base of what runs": Habits(timebase_of="running"),
    "padding zero": Habits(padding="zero"),
    "memory stops": Habits(memory_full="stop"),
    "overflow of the last row": Habits(overflow_until="next row"),
}


@pytest.mark.parametrize("like", FAMILIES)
@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("habit", HABITS)
def test_no_habit_changes_a_row(like: str, name: str, habit: str) -> None:
    expected = reference(like, SEGMENTS[name])
    done = run(bench(like, habits=HABITS[habit]), SEGMENTS[name])
    assert done.samples.tobytes() == expected.samples.tobytes()
    assert done.points.tobytes() == expected.points.tobytes()
    assert done.codes() == []


def test_impedance_rows_that_did_not_live_to_be_read() -> None:
    """At a slow poll they are missed, which a count of the frequencies shows; at 50 ms none is."""
    fleeting = Habits(eis_rows_live_s=0.3)
    segment = chain(eis(n=8), ocv(1.0))
    slow = run(bench(habits=fleeting), segment, pause_s=2.0)
    (gap,) = [notice for notice in slow.notices if notice.code == "gap"]
    assert gap.facts["missing"] == 8 - len(slow.points) > 0
    fast = run(bench(habits=fleeting), segment, pause_s=0.05)
    assert (len(fast.points), fast.codes()) == (8, [])


@pytest.mark.parametrize("full", ["overwrite", "stop"])
def test_a_memory_that_ran_full(full: str) -> None:
    one = bench(habits=Habits(memory_bytes=8000, memory_full=full))  # type: ignore[arg-type]
    one.channel.load(chain(ocv(100.0, 0.01)))
    one.channel.start()
    one.clock.sleep(90.0)
    done = drain(one)
    assert len(done.samples) < 10_001
    assert "gap" in done.codes()


# opening


def test_what_it_finds() -> None:
    info = bench("VMP-3").channel.info
    assert (info.instrument, info.channel, info.simulated) == ("VMP-3", "bench", True)
    assert info.facts["device"] == "VMP-3"
    assert info.facts["board"] == "ESSENTIAL"
    assert info.facts["channel_number"] == 1
    assert "grounding" not in info.facts
    assert bench("SP-300").channel.info.facts["grounding"] == "grounded"


@pytest.mark.parametrize(
    ("fault", "habits", "name"),
    [
        ("eclab=1", Habits(), "GEN_ECLAB_LOADED"),
        ("eclab=1", Habits(eclab_code=-103), "INSTR_RESPNOTPOSSIBLE"),
        ("eclab=1", Habits(eclab_code=-308, infos_code=-308), "FIRM_FIRMWARENOTLOADED"),
    ],
)
def test_the_firmware_of_eclab_is_not_evicted_unasked(fault: str, habits: Habits, name: str) -> None:
    with pytest.raises(EclibError, match="--load-firmware"):
        bench(faults=[fault], habits=habits)
    one = bench(faults=[fault], habits=habits, load_firmware=True)
    assert len(run(one, chain(ocv(1.0))).samples) > 0
    assert name  # what the instrument calls it differs; the remedy does not


def test_a_channel_without_firmware_is_loaded() -> None:
    one = bench(habits=Habits(kernel=False))
    assert len(run(one, chain(ocv(1.0))).samples) > 0


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("BL_Connect=-201", LinkLost, "COMM_CONNECTIONFAILED"),
        ("BL_Connect=-207", EclibError, "too many programs"),
        ("BL_GetChannelInfos=-104", EclibError, "INSTR_RESPERROR"),
        ("kernel=1", EclibError, "FIRM_FIRMWAREINCOMPATIBLE"),
    ],
)
def test_what_cannot_be_opened(fault: str, kind: type[ChannelError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        run(bench(faults=[fault]), chain(ocv(1.0)))
    assert caught.value.exit_code is ExitCode.INSTRUMENT


def test_a_channel_that_is_not_plugged() -> None:
    with pytest.raises(ChannelError, match="has no channel 2; plugged are: 1"):
        bench(channel=2)


def test_the_board_must_be_what_the_rig_says() -> None:
    bench("VMP-3")
    place = Place("left", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench"})
    with pytest.raises(
        RigError, match="left: the rig says SP-300, but channel 1 of this VMP-3 has a board of type ESSENTIAL"
    ):
        open_channel(place, bench("VMP-3").clock)


@pytest.mark.parametrize("options", [{}, {"address": "sim://inprocess/bench", "timeout_s": 0}])
def test_a_place_that_says_too_little(options: dict[str, object]) -> None:
    one = bench()
    with pytest.raises(RigError):
        open_channel(Place("left", "biologic", "SP-300", 1, options), one.clock)


def test_a_channel_that_runs_is_left_alone() -> None:
    one = bench()
    one.channel.load(chain(ocv(100.0)))
    one.channel.start()
    place = Place("left", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench"})
    with pytest.raises(ChannelError, match="running something"):
        open_channel(place, one.clock)
    one.clock.sleep(1.0)
    assert one.channel.read(NOTHING).state is State.RUNNING


def channel_says(monkeypatch: pytest.MonkeyPatch, **said: int) -> None:
    """What the virtual instrument shows of every channel, whatever is on it."""
    shown = device_calls.TChannelInfos
    monkeypatch.setattr(device_calls, "TChannelInfos", lambda **infos: shown(**infos | said))


@pytest.mark.parametrize("firmware", [1, 5])
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"State": 1}, "is running something"),
        ({"State": 2}, "is paused: its cell may be connected"),
        ({"State": 3}, "is waiting for others"),
        ({"MemFilled": 4000}, "holds 4000 bytes of rows that nobody has fetched"),
    ],
)
def test_a_channel_in_use_is_refused_and_keeps_its_firmware(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, int], words: str, firmware: int
) -> None:
    """Also where the firmware might be replaced: it would end the experiment and throw its rows away."""
    one = bench()
    one.channel.close()
    channel_says(monkeypatch, FirmwareCode=firmware, **said)
    place = Place(
        "left", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench", "load_firmware": True}
    )
    with pytest.raises(ChannelError, match=f"left: channel 1 {words}"):
        open_channel(place, one.clock)
    assert calls_of(one)["BL_LoadFirmware"] == 0
    assert one.instrument.connected == 0


def test_rows_that_somebody_left_are_not_thrown_away() -> None:
    one = under_current()
    one.clock.sleep(5.0)
    one.channel.close()
    place = Place("left", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench"})
    with pytest.raises(ChannelError, match="bytes of rows that nobody has fetched"):
        open_channel(place, one.clock)


def test_other_programs_are_told() -> None:
    one = bench(faults=["guest"])
    assert "other-programs" in run(one, chain(ocv(0.5))).codes()


def test_a_failed_opening_lets_go() -> None:
    one = bench()
    one.channel.close()
    for _ in range(20):
        with pytest.raises(ChannelError):
            open_channel(Place("x", "biologic", "SP-300", 9, {"address": "sim://inprocess/bench"}), one.clock)
    assert one.instrument.connected == 0


# what this very channel can do


def test_a_board_with_narrower_ranges_than_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is loaded, for every segment of the run."""
    channel_says(monkeypatch, MinIRange=5, MaxIRange=8, MaxBandwidth=4)
    one = bench()
    fits = replace(cp(), hardware=Hardware("1 mA", "5 V", 4))
    one.channel.check(chain(fits))
    for hardware, words in (
        (Hardware("1 uA", "5 V", 4), "no range 1 uA; there are: 10 uA, 100 uA, 1 mA, 10 mA"),
        (Hardware("1 mA", "5 V", 5), "bandwidths 1 to 4"),
    ):
        with pytest.raises(LimitError, match=words):
            one.channel.check(chain(fits, replace(fits, hardware=hardware)))
    assert calls_of(one)["BL_LoadTechnique"] == 0


def test_a_memory_that_is_too_small_for_what_is_recorded() -> None:
    one = bench(habits=Habits(memory_bytes=40_000))
    slow, fast = chain(ocv(100.0, 2e-3)), chain(ocv(100.0, 1e-3), cp())
    one.channel.check(slow)
    with pytest.raises(LimitError, match=r"40000 bytes, holds 3\.33 s of what the chain records fastest"):
        one.channel.check(fast)
    assert one.channel.memory_s(slow) == pytest.approx(40_000 / (12 / 2e-3))


def test_how_long_a_memory_lasts() -> None:
    """Rows of five words every 0.5 s, or of fifteen for each frequency."""
    one = bench("VMP-3", habits=Habits(memory_bytes=40_000))
    assert one.channel.memory_s(chain(cp(), ocv(2.0, 1.0), Loop(0, 3, passes=True))) == pytest.approx(1000.0)
    assert one.channel.memory_s(chain(eis(n=3))) == pytest.approx(40_000 / (60 / SLOWEST_POINT_s))
    assert one.channel.memory_s(chain()) == math.inf


def test_a_memory_of_unknown_size_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    channel_says(monkeypatch, MemSize=0)
    one = bench()
    fast = chain(ocv(0.5, 4e-5))
    one.channel.check(fast)
    assert math.isnan(one.channel.memory_s(fast))
    assert len(run(one, fast).samples) == 12_501


@pytest.mark.parametrize("timeout_s", [5, 20])
def test_how_long_a_call_may_take(timeout_s: int) -> None:
    assert bench(timeout_s=timeout_s).channel.patience_s == 2 * timeout_s + 20


# loading


def test_a_range_that_this_channel_lacks() -> None:
    one = bench()
    with pytest.raises(LimitError, match="no range 1 A"):
        one.channel.load(chain(ocv(), replace(cp(), hardware=Hardware("1 A", "5 V", 5))))
    assert run(one, chain(ocv(0.5))).codes() == []  # nothing was loaded half


def test_a_chain_that_is_too_long() -> None:
    one = bench(habits=Habits(chain_length=3))
    with pytest.raises(EclibError, match=r"TECH_MEMFULL -405 .*Lower chain_length"):
        one.channel.load(chain(*[ocv()] * 4))
    assert run(one, chain(*[ocv(0.5)] * 3)).codes() == []


# the end


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
    one.channel._course.begun = True
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


def calls_of(one: Bench) -> Counter[str]:
    """How often the instrument was asked for what."""
    return one.instrument.troubles._calls


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


# what is looked at


def test_a_look_stands_beside_every_block() -> None:
    one = under_current(every_s=0.5)
    one.clock.sleep(1.0)
    look = one.channel.read(NOTHING).look
    assert look is not None
    assert look.running
    assert look.Ewe_V == pytest.approx(0.06, abs=0.01)
    assert pytest.approx(2e-4, rel=0.01) == look.I_A
    assert look.elapsed_s == pytest.approx(2.75, abs=0.3)


def test_looking_takes_no_row() -> None:
    one = bench(habits=Habits(memory_bytes=20_000))
    one.channel.load(chain(ocv(5.0, 0.01)))
    one.channel.start()
    filled = []
    for _ in range(40):
        one.clock.sleep(0.1)
        look = one.channel.look()
        assert look is not None
        filled.append(look.filled)
    assert filled == sorted(filled)
    assert filled[-1] == pytest.approx(401 * 12 / 20_000)
    assert len(drain(one).samples) == 501


def test_one_read_is_one_exchange_and_seldom_a_message() -> None:
    one = under_current()
    before = calls_of(one).copy()
    for _ in range(100):
        one.clock.sleep(0.1)
        one.channel.read(NOTHING)
    asked = calls_of(one) - before
    assert asked.pop("BL_GetData") == 100
    assert 9 <= asked.pop("BL_GetMessage") <= 11
    assert not asked


def test_all_messages_of_the_end_are_told() -> None:
    one = under_current(*[f"message=word {n}@t3" for n in range(7)])
    one.clock.sleep(2.0)
    one.channel.stop()
    done = drain(one)
    assert [n.message for n in done.notices if n.code == "instrument"] == [f"word {n}" for n in range(7)]


def test_messages_without_end_do_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = under_current()
    monkeypatch.setattr(one.channel._link.device, "message", lambda channel: "again and again")
    one.channel.stop()
    assert drain(one).codes().count("instrument") < 30


def test_a_paused_channel_is_an_alarm_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = under_current()
    device = one.channel._link.device
    empty, values = device.data(0)
    values.State = 2
    empty = replace(empty, words=empty.words[:0], n_rows=0)
    monkeypatch.setattr(device, "data", lambda channel: (empty, values))
    readings = [one.channel.read(NOTHING) for _ in range(5)]
    assert {reading.state for reading in readings} == {State.RUNNING}
    assert [n.code for reading in readings for n in reading.notices if n.severity == 2] == ["state"]
    assert not any(reading.look and reading.look.running for reading in readings)


# the link


def interrupted(fault: str, segment: Segment = MIXED, pause_s: float = 0.05, **habits: Any) -> Run:
    return run(bench(habits=Habits(**habits), faults=[fault]), segment, pause_s=pause_s)


LENGTH_s = 4.0


@pytest.fixture(scope="module")
def uninterrupted() -> Run:
    return reference("SP-300", MIXED)


@pytest.mark.parametrize("keeps", [False, True], ids=["new connection", "connection survives"])
@pytest.mark.parametrize("at_s", np.random.default_rng(4).uniform(0.01, LENGTH_s, 100).round(3).tolist())
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


@pytest.mark.parametrize("stop_reads", [0, 3])
@pytest.mark.parametrize("length_s", [0.5, 20.0])
def test_a_start_that_was_heard_is_not_made_twice(
    monkeypatch: pytest.MonkeyPatch, length_s: float, stop_reads: int
) -> None:
    one = bench(habits=Habits(stop_reads=stop_reads))
    one.channel.load(chain(ocv(length_s)))
    device = one.channel._link.device
    start = device.start

    def lost(channel: int) -> None:
        monkeypatch.setattr(device, "start", start)
        start(channel)
        raise failure("BL_StartChannel", -200, 1)

    monkeypatch.setattr(device, "start", lost)
    assert persistent(one.channel.start, one) == 1
    assert len(drain(one).samples) == length_s / 0.5 + 1


def test_a_start_that_was_heard_may_be_over_when_it_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    one.channel.load(chain(ocv(1.0)))
    device = one.channel._link.device
    start = device.start

    def lost(channel: int) -> None:
        start(channel)
        raise failure("BL_StartChannel", -200, 1)

    monkeypatch.setattr(device, "start", lost)
    with pytest.raises(LinkLost):
        one.channel.start()
    one.clock.sleep(5.0)
    one.channel.start()
    assert len(drain(one).samples) == 3


def test_a_start_of_which_nothing_is_known_is_stopped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench()
    one.channel.load(chain(cp(1e-4, 100.0)))
    device = one.channel._link.device
    start = device.start

    def lost(channel: int) -> None:
        start(channel)
        raise failure("BL_StartChannel", -202, 1)

    monkeypatch.setattr(device, "start", lost)
    with pytest.raises(LinkLost):
        one.channel.start()
    assert one.instrument.boards[0].running
    one.channel.close()
    assert not one.instrument.boards[0].running


def test_a_stop_after_a_start_of_which_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows are handed over."""
    one = bench()
    one.channel.load(chain(cp(1e-4, 100.0)))
    device = one.channel._link.device
    start = device.start

    def lost(channel: int) -> None:
        start(channel)
        raise failure("BL_StartChannel", -202, 1)

    monkeypatch.setattr(device, "start", lost)
    with pytest.raises(LinkLost):
        one.channel.start()
    one.clock.sleep(2.0)
    one.channel.stop()
    done = drain(one)
    assert len(done.samples) >= 4
    assert "stopped" in done.codes()


# how fast rows may come


def test_more_is_said_as_long_as_rows_wait() -> None:
    """Blocks are of one visit each, so few rows may be many blocks."""
    one = bench()
    one.channel.load(chain(cp(4e-4, 0.05), ocv(0.05), Loop(0, 30, passes=True), ocv(100.0)))
    one.channel.start()
    one.clock.sleep(4.0)
    readings = [one.channel.read(NOTHING)]
    while readings[-1].more:
        readings.append(one.channel.read(NOTHING))
    assert len(readings) == 61
    assert one.instrument.boards[0].memory.filled == 0
    assert readings[-1].visit == Visit(3, 0, pytest.approx(3.0, abs=1e-3))


@pytest.mark.parametrize("like", FAMILIES)
def test_as_many_rows_as_the_instrument_can_make(like: str) -> None:
    """40 us apart, one block per read, ten seconds late in the middle: none is lost."""
    one = bench(like, habits=Habits(memory_bytes=16 * 2**20))
    every_s = 50e-6 if like == "VMP-3" else 40e-6
    segment = chain(cp(1e-4, 2.0, every_s=every_s), ocv(12.0, 40e-6))
    one.channel.check(segment)
    one.channel.load(segment)
    one.channel.start()
    one.clock.sleep(0.5)
    largest, readings = 0, 0
    parts = []
    while True:
        reading = one.channel.read(NOTHING)
        parts.append(reading.samples)
        largest, readings = max(largest, len(reading.samples)), readings + 1
        if reading.state is State.STOPPED:
            break
        if not reading.more:
            one.clock.sleep(10.0 if one.clock.now_s() > 3.0 else 0.2)
    times_s = np.concatenate(parts)["time_s"]
    assert largest <= 333
    assert len(times_s) >= 2.0 / every_s + 12.0 / 40e-6
    assert np.all(np.diff(times_s) < 1.5 * max(every_s, 40e-6))


# other trouble


def test_another_program_on_the_channel() -> None:
    """Its rows fit nothing, and its mark is not ours: then there is nothing of ours to stop either."""
    with pytest.raises(ChannelTaken, match="another program"):
        interrupted("taken=1@t1.2", chain(cp(1e-4, 100.0)))


def test_another_program_while_the_link_was_down() -> None:
    one = bench(faults=["cable=2s@t1", "taken=1@t2"])
    with pytest.raises(ChannelError, match="another program"):
        run(one, chain(ocv(100.0)))


def test_eclab_takes_the_channel() -> None:
    with pytest.raises(EclibError, match="EC-Lab") as caught:
        interrupted("eclab=1@t1", chain(cp(1e-4, 100.0)))
    assert caught.value.exit_code is ExitCode.INSTRUMENT


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("option=301:2@t1", "option", "10A5V at position 2: over-temperature"),
        ("message=hello@t1", "instrument", "hello"),
        ("overload=1@t1", "overload", "I beyond the range"),
    ],
)
def test_what_the_experiment_survives_is_noticed(fault: str, code: str, words: str) -> None:
    done = interrupted(fault, chain(cp(1e-4, 3.0)))
    assert words in " ".join(notice.message for notice in done.notices if notice.code == code)
    assert done.samples["time_s"][-1] == pytest.approx(3.0, abs=1e-3)


def test_a_channel_that_is_somebody_elses_is_left_alone() -> None:
    """Its stop would be another program's."""
    one = bench(faults=["cable=2s@t1", "taken=1@t2"])
    with pytest.raises(ChannelError, match="another program loaded channel 1"):
        run(one, chain(ocv(100.0)))
    before = calls_of(one)["BL_StopChannel"]
    for doing in (one.channel.stop, one.channel.look, lambda: one.channel.read(NOTHING)):
        with pytest.raises(ChannelError, match="what runs there now is left alone"):
            doing()
    one.channel.close()
    assert one.instrument.boards[0].running
    assert calls_of(one)["BL_StopChannel"] == before


PASSING = {code for code in ECLIB if failure("BL_GetData", code).passing}
COMMANDS = ["BL_LoadTechnique", "BL_StartChannel", "BL_StopChannel"]


def everything(one: Bench) -> None:
    run(one, chain(ocv(0.5)))
    one.channel.load(chain(ocv(0.5)))
    one.channel.start()
    one.channel.stop()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        *((call, code) for call in COMMANDS for code in sorted(ECLIB)),
        *(("BL_GetData", code) for code in sorted(set(ECLIB) - PASSING)),
    ],
)
def test_every_command_may_fail_with_every_code(call: str, code: int) -> None:
    """One clear sentence with the call and the code; afterwards the instrument is let go."""
    one = bench(faults=[f"{call}={code}"])
    with pytest.raises(ChannelError, match=rf"{call} on channel 1: .*{code}") as caught:
        everything(one)
    assert isinstance(caught.value, LinkLost) is (code in LINK | BUSY)
    with suppress(ChannelError):  # a stop that fails is told, but lets go
        one.channel.close()
    assert one.instrument.connected == 0


@pytest.mark.parametrize("code", sorted(PASSING))
def test_reads_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetData={code}"])
    one.channel.load(chain(ocv(0.5)))
    one.channel.start()
    for _ in range(100):
        reading = one.channel.read(NOTHING)
        assert (reading.state, reading.look) == (State.RUNNING, None)
        one.clock.sleep(1.0)
    one.channel.close()
    assert one.instrument.connected == 0


@pytest.mark.parametrize("code", sorted(ECLIB))
def test_messages_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetMessage={code}"])
    assert len(run(one, chain(ocv(0.5))).samples) == 2


@pytest.mark.parametrize("code", sorted(ECLIB))
def test_looks_may_fail_for_ever(code: int) -> None:
    one = bench(faults=[f"BL_GetCurrentValues={code}"])
    assert len(run(one, chain(ocv(0.5))).samples) == 2
    if code in PASSING:
        assert one.channel.look() is None
    else:
        with pytest.raises(ChannelError, match=rf"BL_GetCurrentValues on channel 1: .*{code}"):
            one.channel.look()
