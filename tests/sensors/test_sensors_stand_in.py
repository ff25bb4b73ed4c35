"""What stands for a real sensor in a dry run: its words, and the spec they make."""

from __future__ import annotations

from pathlib import Path

import pytest

from nakctl.cli.run_sensors import STAND_INS
from nakctl.device.sensor import SensorSpec
from nakctl.errors import RigError
from nakctl.rig import Rig, find_rig
from nakctl_sensors.virtual import VirtualSensors


def rig_of(tmp_path: Path, *entries: str) -> Rig:
    file = tmp_path / "rig.yaml"
    file.write_text("\n".join(["nakctl-rig: 1", "sensors:", *(f"  {each}" for each in entries)]), "utf-8")
    return find_rig(file)


def stand_in_of(tmp_path: Path, words: str) -> SensorSpec:
    return rig_of(tmp_path, f"a: {{{words}}}").stand_ins["a"]


SERIAL = "kind: serial, port: COM3, "


def test_the_real_sensor_stays_as_it_is(tmp_path: Path) -> None:
    with_it = rig_of(tmp_path, f"a: {{{SERIAL}unit: MPa, simulated_as: {{model: press}}}}")
    without = rig_of(tmp_path, f"a: {{{SERIAL}unit: MPa}}")
    assert (with_it.sensors, without.stand_ins) == (without.sensors, {})


def test_a_stand_in_is_marked(tmp_path: Path) -> None:
    spec = stand_in_of(tmp_path, f"{SERIAL}unit: MPa, simulated_as: {{model: press, note: by hand}}")
    assert (spec.name, spec.kind, spec.simulated, spec.settable) == ("a", "sim", True, False)
    assert spec.about == (
        "stands for serial COM3 in a dry run; simulated; the simulated cell does not feel it; by hand"
    )


def test_it_is_settable_as_the_real_one_is(tmp_path: Path) -> None:
    modbus = "kind: modbus, port: COM4, register: 1, unit: degC, simulated_as: {model: chamber}"
    assert not stand_in_of(tmp_path, modbus).settable
    assert stand_in_of(tmp_path, f"{modbus}, set_register: 2").settable


@pytest.mark.parametrize(
    ("words", "every_s"),
    [
        ("every: 100 ms, simulated_as: {model: press}", 0.1),
        ("every: 100 ms, simulated_as: {model: press, every: 5 s}", 5.0),
        ("simulated_as: {kind: sim, model: press}", 1.0),
    ],
)
def test_it_is_read_as_often_as_the_real_one(tmp_path: Path, words: str, every_s: float) -> None:
    assert stand_in_of(tmp_path, f"{SERIAL}unit: MPa, {words}").every_s == every_s


@pytest.mark.parametrize(
    ("unit", "model", "value", "told_to", "after"),
    [
        ("bar", "{model: press, start: 2 MPa}", 20.0, 100.0, 100.0),
        ("kPa", "{model: press, start: 25 bar}", 2500.0, 8000.0, 8000.0),
        ("K", "{model: chamber, start: 25 degC}", 298.15, 333.15, 333.15),
    ],
)
def test_it_shows_the_unit_of_the_real_one(
    tmp_path: Path, unit: str, model: str, value: float, told_to: float, after: float
) -> None:
    spec = stand_in_of(tmp_path, f"{SERIAL}unit: {unit}, set: 'SP {{value}}', simulated_as: {model}")
    assert spec.unit == unit
    sensors = VirtualSensors(tmp_path / "a.h5", (spec,))
    assert sensors.look(lambda: 0.0).latest["a"].value == pytest.approx(value)
    sensors.set("a", told_to)
    assert sensors.look(lambda: 20_000.0).latest["a"].value == pytest.approx(after)
    sensors.close()


@pytest.mark.parametrize("dimension", STAND_INS)
def test_the_examples_of_messages_are_right(tmp_path: Path, dimension: str) -> None:
    unit = {"pressure": "bar", "temperature": "degC"}[dimension]
    spec = stand_in_of(tmp_path, f"{SERIAL}unit: {unit}, simulated_as: {STAND_INS[dimension]}")
    assert spec.dimension == dimension


def test_all_faults_of_an_entry_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RigError) as told:
        rig_of(
            tmp_path,
            "a:",
            "  kind: serial",
            "  prot: COM3",
            "  unit: MPa",
            "  simulated_as:",
            "    model: press",
            "    start: 20",
            "    strat: 20 MPa",
            "    table:",
            "      - [10 min, 10 MPa]",
            "      - [5 min, 20 degC]",
            "      - [20 min]",
        )
    assert [fault.mark.line for fault in told.value.faults] == [5, 9, 10, 13, 13, 14]
