"""The channel over the virtual instrument: what it finds at the start, how it ends, and what goes wrong between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from biologic_bench import FAMILIES, Run, bench, ca, chain, cp, drain, eis, ocv, run

from nakctl.device.channel import State, Watch
from nakctl.device.driver import Place
from nakctl.device.program import Hardware, Loop, Segment
from nakctl.errors import ChannelError, ExitCode, IllegalEvent, LimitError, LinkLost, NakctlError, RigError
from nakctl_biologic.errors import EclibError, RowError
from nakctl_biologic.opening import open_channel
from nakctl_biologic.remedies import ECLIB, LINK
from nakctl_sim.instrument.habits import Habits

NOTHING = Watch()
MIXED = chain(
    ocv(1.0), cp(2e-4, 1.0), eis(n=4, hold_s=0.5), ca(0.05, 1.0), eis("PEIS", n=3, vs_previous=True)
)
PULSES = chain(cp(4e-4, 0.5), ocv(0.5), Loop(0, 5, passes=True))
SPECTRA = chain(ocv(0.5), eis(n=3), Loop(1, 3, passes=False), cp(1e-4, 0.5), Loop(0, 2, passes=True))
SEGMENTS = {"mixed": MIXED, "pulses": PULSES, "spectra": SPECTRA}
SHORT = 0.02


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
    answers = [(block, values)]
    monkeypatch.setattr(device, "data", lambda channel: answers.pop() if answers else data(channel))
    one.channel._begun = True
    assert one.channel.read(NOTHING).state is State.RUNNING
    assert one.channel.read(NOTHING).state is State.STOPPED


def test_a_channel_that_never_runs() -> None:
    one = bench(habits=Habits(stop_reads=10_000))
    with pytest.raises(ChannelError, match="was started but does not run"):
        run(one, chain(ocv(1000.0)))


def test_stop_says_what_the_cell_is_left_in() -> None:
    one = bench()
    one.channel.load(chain(cp(2e-4, 100.0)))
    one.channel.start()
    one.clock.sleep(2.0)
    one.channel.read(NOTHING)
    one.channel.stop()
    (notice,) = [notice for notice in drain(one).notices if notice.code == "stopped"]
    assert "the cell is open" in notice.message
    assert notice.facts["Ewe_V"] == pytest.approx(0.06, abs=0.01)


def test_a_stop_that_is_not_obeyed() -> None:
    one = bench(faults=["stop-ignored=1"])
    one.channel.load(chain(cp(2e-4, 100.0)))
    one.channel.start()
    one.clock.sleep(2.0)
    one.channel.read(NOTHING)
    with pytest.raises(ChannelError, match=r"still runs: the cell is connected, at 0\.0\d+ V and 0\.0002 A"):
        one.channel.stop()


@pytest.mark.parametrize("code", [-104, -200])
def test_a_stop_that_is_refused(code: int) -> None:
    one = bench(faults=[f"BL_StopChannel={code}"])
    one.channel.load(chain(cp(2e-4, 100.0)))
    one.channel.start()
    with pytest.raises(ChannelError, match=str(code)):
        one.channel.stop()
    with pytest.raises(ChannelError):
        one.channel.close()
    assert one.instrument.connected == 0  # let go all the same


def test_close_opens_the_cell() -> None:
    one = bench()
    one.channel.load(chain(cp(2e-4, 100.0)))
    one.channel.start()
    one.clock.sleep(1.0)
    one.channel.close()
    assert not one.instrument.boards[0].running
    with pytest.raises(IllegalEvent):
        one.channel.read(NOTHING)


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
    assert done.codes() == ["link"]


@pytest.mark.parametrize("call", range(12, 60, 3))
def test_calls_that_fail_now_and_then(call: int) -> None:
    expected = reference("SP-300", PULSES)
    done = interrupted(f"BL_GetData=-200@call{call}", PULSES)
    assert done.samples.tobytes() == expected.samples.tobytes()


def test_a_cable_that_stays_out() -> None:
    one = bench(faults=["cable@t1"])
    with pytest.raises(LinkLost, match="tries did not bring the link back"):
        run(one, MIXED)
    with pytest.raises(LinkLost, match=r"goes on by itself .* the cell is connected"):
        one.channel.stop()
    one.channel.close()


def test_reads_come_back_while_the_link_is_down() -> None:
    """The host can react between two tries."""
    one = bench(faults=["cable=5s@t1"])
    one.channel.load(chain(cp(1e-4, 100.0)))
    one.channel.start()
    one.clock.sleep(1.5)
    readings = [one.channel.read(NOTHING) for _ in range(3)]
    assert [reading.state for reading in readings] == [State.RUNNING] * 3
    one.channel.stop()
    assert len(drain(one).samples) > 0
    assert not one.instrument.boards[0].running


def test_an_outage_longer_than_the_memory_is_a_gap() -> None:
    one = bench(habits=Habits(memory_bytes=8000), faults=["cable=20s@t1"])
    done = run(one, chain(ocv(30.0, 0.01)))
    assert {"link", "gap"} <= set(done.codes())
    assert np.all(np.diff(done.samples["time_s"]) > 0)


@pytest.mark.parametrize("fault", ["BL_LoadTechnique=-200@call2", "BL_StartChannel=-200@call1"])
def test_a_load_or_start_that_was_not_heard(fault: str) -> None:
    done = interrupted(fault)
    assert len(done.samples) == len(reference("SP-300", MIXED).samples)
    assert done.codes() == ["link"]


# other trouble


def test_another_program_on_the_channel() -> None:
    with pytest.raises(RowError, match="another program"):
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


REFUSALS = sorted(set(ECLIB) - LINK)
CALLS = [
    "BL_LoadTechnique",
    "BL_StartChannel",
    "BL_GetData",
    "BL_GetMessage",
    "BL_StopChannel",
    "BL_GetCurrentValues",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", REFUSALS)
def test_every_call_may_fail_with_every_code(call: str, code: int) -> None:
    """One clear sentence with the call and the code; afterwards the instrument is let go."""
    one = bench(faults=[f"{call}={code}"])
    with pytest.raises(NakctlError, match=rf"{call} on channel 1: .*{code}"):
        run(one, chain(ocv(0.5)))
        one.channel.load(chain(ocv(0.5)))
        one.channel.start()
        one.channel.stop()
    with suppress(ChannelError):  # a stop that fails is told, but lets go
        one.channel.close()
    assert one.instrument.connected == 0


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", sorted(LINK))
def test_every_call_may_find_the_link_gone(call: str, code: int) -> None:
    """For ever: what the last word of the error is does not matter, but that it says so in the end."""
    one = bench(faults=[f"{call}={code}"])
    with pytest.raises(LinkLost):
        run(one, chain(ocv(0.5)))
        one.channel.load(chain(ocv(0.5)))
        one.channel.start()
        one.channel.stop()
    with suppress(ChannelError):
        one.channel.close()
    assert one.instrument.connected == 0
