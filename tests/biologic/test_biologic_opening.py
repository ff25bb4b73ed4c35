"""What the channel finds when it is opened, and what it leaves alone."""

from __future__ import annotations

import pytest
from biologic_bench import (
    NOTHING,
    bench,
    calls_of,
    chain,
    channel_says,
    ocv,
    run,
    under_current,
)

from nakctl.device.channel import State
from nakctl.device.driver import Place
from nakctl.errors import ChannelError, ExitCode, LinkLost, RigError
from nakctl_biologic.errors import EclibError
from nakctl_biologic.opening import open_channel
from nakctl_sim.instrument.habits import Habits


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
        ("eclab=1", Habits(eclab_code=-103), "GEN_ECLAB_LOADED"),
        ("eclab=1", Habits(eclab_code=-308, infos_code=-308), "FIRM_FIRMWARENOTLOADED"),
    ],
)
def test_the_firmware_of_eclab_is_not_evicted_unasked(fault: str, habits: Habits, name: str) -> None:
    """What the instrument calls it differs; the remedy does not."""
    with pytest.raises(EclibError, match=rf"{name}.*--load-firmware"):
        bench(faults=[fault], habits=habits)
    one = bench(faults=[fault], habits=habits, load_firmware=True)
    assert len(run(one, chain(ocv(1.0))).samples) > 0


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


def test_a_place_that_says_too_little() -> None:
    with pytest.raises(RigError, match="no address"):
        open_channel(Place("left", "biologic", "SP-300", 1, {}), bench().clock)


def test_a_channel_that_runs_is_left_alone() -> None:
    one = bench()
    one.channel.load(chain(ocv(100.0)))
    one.channel.start()
    place = Place("left", "biologic", "SP-300", 1, {"address": "sim://inprocess/bench"})
    with pytest.raises(ChannelError, match="running something"):
        open_channel(place, one.clock)
    one.clock.sleep(1.0)
    assert one.channel.read(NOTHING).state is State.RUNNING


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


def test_one_link_stays_free_for_a_stop() -> None:
    six = ["guest"] * 6
    assert "other-programs" in run(bench(faults=six), chain(ocv(0.5))).codes()
    with pytest.raises(ChannelError, match=r"8 programs are connected .* One link stays free") as told:
        bench(faults=[*six, "guest"])
    assert told.value.exit_code == ExitCode.INSTRUMENT
    bench(faults=[*six, "guest"], connections=9)  # as the rig says


def test_a_failed_opening_lets_go() -> None:
    one = bench()
    one.channel.close()
    for _ in range(20):
        with pytest.raises(ChannelError):
            open_channel(Place("x", "biologic", "SP-300", 9, {"address": "sim://inprocess/bench"}), one.clock)
    assert one.instrument.connected == 0
