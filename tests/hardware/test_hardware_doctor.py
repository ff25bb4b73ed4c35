"""Every fault that an instrument can have is told as a finding with one sentence of remedy, never as an error."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Callable

import pytest

from nakctl.device.driver import Inspector, Teacher
from nakctl.device.inspection import Chassis, Diagnosis
from nakctl.device.instrument import instrument
from nakctl_biologic import inspect
from nakctl_biologic.driver import driver
from nakctl_biologic.first_day.bench import Bench
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.habits import Habits

Virtual = Callable[..., str]


def looked_at(address: str, model: str = "SP-300") -> list[Diagnosis]:
    chassis = Chassis("bench", "biologic", model, {1: "left", 2: "right"}, {"address": address})
    return list(driver.inspect(chassis))


def wrong(found: list[Diagnosis]) -> list[tuple[str, str]]:
    return [(each.severity, each.about) for each in found if each.severity != "ok"]


def test_the_driver_looks_and_teaches() -> None:
    assert isinstance(driver, Inspector)
    assert isinstance(driver, Teacher)


@pytest.mark.parametrize("model", ["SP-300", "VMP-3"])
def test_a_healthy_instrument_has_nothing_to_complain_of(virtual: Virtual, model: str) -> None:
    found = looked_at(virtual(model), model)
    assert wrong(found) == []
    assert [each.about for each in found][:6] == [
        "library", "instrument", "speed", "programs", "channels", "files",
    ]  # fmt: skip
    assert [each.fact for each in found if each.about == "channels"] == ["1, 2, 4; empty: 3"]
    assert {each.about for each in found[6:]} == {"left", "right", "channel 4"}


FAULTS = [
    (["eclab=1"], "error", "left", "firmware of EC-Lab", "--load-firmware"),
    (["eclab=4"], "warning", "channel 4", "firmware of EC-Lab", "--load-firmware"),
    (["kernel=1"], "error", "left", "FIRM_FIRMWAREINCOMPATIBLE -309", "one and the same OEM package"),
    (["missing=2"], "error", "right", "there is no channel 2", "number in rig.yaml"),
    (["cable"], "error", "connection", "COMM_CONNECTIONFAILED -201", "Check the cable"),
    (["guest"], "warning", "programs", "2 programs are connected", "Close EC-Lab"),
    (["option=301:2"], "error", "left", "10A5V at position 2: over-temperature", "amplifier cool"),
    (["BL_Connect=-207"], "error", "connection", "COMM_MAXCONNREACHED -207", "Close EC-Lab"),
    (["BL_GetChannelInfos=-105"], "error", "left", "INSTR_MSGSIZEERROR -105", "OEM package"),
]


@pytest.mark.parametrize(("faults", "severity", "about", "fact", "remedy"), FAULTS)
def test_a_fault_is_told_with_its_remedy(
    virtual: Virtual, faults: list[str], severity: str, about: str, fact: str, remedy: str
) -> None:
    found = [each for each in looked_at(virtual(faults=faults)) if fact in each.fact]
    assert (found[0].severity, found[0].about) == (severity, about)
    assert remedy in found[0].remedy


@pytest.mark.parametrize("eclab_code", [-9, -103, -308])
@pytest.mark.parametrize("infos_code", [0, -308])
def test_the_firmware_of_ec_lab_is_known_by_whatever_code(
    virtual: Virtual, eclab_code: int, infos_code: int
) -> None:
    habits = Habits(eclab_code=eclab_code, infos_code=infos_code)  # type: ignore[arg-type]
    found = looked_at(virtual(habits=habits, faults=["eclab=1"]))
    assert wrong(found) == [("error", "left")]
    assert (
        driver.channels(Chassis("", "", "", {}, {"address": virtual(faults=["eclab=1"])}))[0].firmware
        == "EC-Lab"
    )


def test_a_channel_without_firmware_is_no_channel_of_ec_lab(virtual: Virtual) -> None:
    found = [each for each in looked_at(virtual(habits=Habits(kernel=False))) if each.about == "left"]
    assert [each.severity for each in found] == ["error"]
    assert "kernel is not on it (none)" in found[0].fact


def test_one_bad_channel_does_not_hide_the_others(virtual: Virtual) -> None:
    found = looked_at(virtual(faults=["kernel=1"]))
    assert wrong(found) == [("error", "left")]
    assert [each.severity for each in found if each.about == "right"] == ["ok"] * 3


def test_another_instrument_than_the_rig_says(virtual: Virtual) -> None:
    found = looked_at(virtual("VMP-3"), "SP-300")
    assert wrong(found) == [("error", "instrument")]
    assert "the rig says SP-300" in found[1].fact


def test_nobody_is_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # and does not listen
        found = looked_at(f"sim://127.0.0.1:{free.getsockname()[1]}")
    assert wrong(found) == [("error", "connection")]


def test_a_cable_pulled_at_any_call_is_one_finding(virtual: Virtual) -> None:
    for call in itertools.count(1, 4):
        found = looked_at(virtual(faults=[f"cable=@call{call}"]))
        if not wrong(found):
            break
        assert wrong(found) == [("error", "connection")]
        assert found[-1].about in ("connection", "files")
    assert call > 30  # it was pulled everywhere


def test_looking_takes_nothing_from_a_channel_that_runs(virtual: Virtual) -> None:
    clock = StepClock()
    address = virtual(clock=clock)
    with inspect.connected({"address": address}) as device:
        bench = Bench(device, 0, device.board(0), instrument("SP-300"), clock)
        bench.start(bench.chain(bench.rest(10.0, 0.1)))
        device.sign(0, "nakctl 1234")
        clock.sleep(5.0)
        waiting = device.values(0).MemFilled
        assert waiting > 0
        assert any("running (nakctl 1234)" in each.fact for each in looked_at(address))
        assert driver.channels(Chassis("", "", "", {}, {"address": address}))[0].owner == "nakctl 1234"
        assert device.values(0).MemFilled == waiting


def test_who_looked_is_gone_afterwards(virtual: Virtual) -> None:
    address = virtual()
    looked_at(address)
    driver.identify({"address": address})
    assert virtual.last.connected == 0  # type: ignore[attr-defined]
