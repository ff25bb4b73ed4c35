"""The bench's own rig.yaml and protocol, dry-run without the bench: stand-ins take the place of real sensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Said, nakctl, refused

from nakctl import open as open_run
from nakctl.cli.prepare import Prepared, Wishes, prepare
from nakctl.cli.run_sensors import logged
from nakctl.errors import InputError

Here = Callable[..., Said]

RIG = """\
nakctl-rig: 1
sensors:
  pressure:
    kind: serial
    like: loadcell-ascii
    port: /dev/ttyNOSUCH
    scale: 2.497
    unit: bar
    every: 2 s
    simulated_as: {model: press, start: 2 MPa, table: [[10 min, 10 MPa], [1 h, 80 bar]]}
  chamber:
    kind: modbus
    like: eurotherm3200
    port: /dev/ttyNOSUCH
    every: 10 s
    simulated_as: {model: chamber, time_constant: 2 min}
"""
WAITS = """\
nakctl: 1
name: Waits for 10 MPa
limits: {Ewe: [-3 V, 3 V], time: 24 h, sensors: {pressure: [1 MPa, 12 MPa]}}
record: {every: 10 s}
steps:
  - wait: {sensor: pressure, within: 0.1 MPa, of: 10 MPa, for: 5 min, at_most: 30 min, then: end run}
  - strip: 10 uA
    for: 1 min
finally: rest
"""
ON = ("--on", "sim-sp300", "--out", "a.h5")


@pytest.fixture
def bench(here: Here, tmp_path: Path) -> Here:
    """The command line in a folder with rig.yaml and waits.yaml; nothing is plugged in."""
    (tmp_path / "rig.yaml").write_text(RIG, encoding="utf-8")
    (tmp_path / "waits.yaml").write_text(WAITS, encoding="utf-8")
    return here


def rewrite(path: Path, right: str, wrong: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")


def test_a_protocol_that_waits_for_a_pressure_runs_without_the_press(bench: Here, tmp_path: Path) -> None:
    said = nakctl("run", "waits.yaml", *ON, "--json", cwd=tmp_path)
    assert (said.code, said.json["status"]) == (0, "completed"), said
    run = open_run(tmp_path / "a.h5")
    assert run.steps.end_reason.tolist() == ["pressure within 0.1 MPa of 10 MPa for 5 min", "duration"]
    # 8 MPa on the way from 10 min on, 30 s slow: within 0.1 MPa after 30 s * ln 80, and 5 min later
    assert run.steps.t_end[0] == pytest.approx(600 + 30 * np.log(80) + 300, abs=4)
    pressure = run.aux["pressure"]
    assert pressure.units == "bar"
    assert pressure.value[pressure.time < 600] == pytest.approx(20)
    np.testing.assert_allclose(np.diff(pressure.time), 2)
    assert (pressure.about["simulated"], pressure.about["kind"]) == (1, "sim")
    assert pressure.about["about"].startswith("stands for serial /dev/ttyNOSUCH in a dry run; simulated")


def test_a_press_that_nobody_moves_ends_the_wait_as_declared(bench: Here, tmp_path: Path) -> None:
    rewrite(tmp_path / "rig.yaml", "[10 min, 10 MPa]", "[10 min, 9 MPa]")
    said = bench("run", "waits.yaml", *ON, "--json")
    assert said.json["end_reason"] == "timed out: pressure within 0.1 MPa of 10 MPa for 5 min"


def test_without_a_stand_in_the_message_offers_one(bench: Here, tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    rig.write_text("".join(line for line in RIG.splitlines(True) if "simulated_as" not in line), "utf-8")
    said = refused(bench("run", "waits.yaml", *ON))
    assert "pressure is a real instrument and keeps real time" in said
    assert "simulated_as: {model: press, start: 2 MPa, table: [[10 min, 10 MPa]]}" in said
    assert not list(tmp_path.glob("a.h5*"))


SET = "nakctl: 1\nname: Sets\nlimits: {Ewe: [-3 V, 3 V], time: 24 h}\nsteps:\n"


def test_a_stand_in_is_set_as_the_real_one_would_be(bench: Here, tmp_path: Path) -> None:
    steps = "  - set: {chamber: 60 degC}\n  - rest: 1 h\nfinally: rest\n"
    (tmp_path / "sets.yaml").write_text(SET + steps, encoding="utf-8")
    assert bench("run", "sets.yaml", *ON).code == 0
    chamber = open_run(tmp_path / "a.h5").aux["chamber"]
    assert (chamber.value[0], chamber.value[-1]) == pytest.approx((25, 60))


def test_what_cannot_be_set_on_the_bench_cannot_be_set_in_a_dry_run(bench: Here, tmp_path: Path) -> None:
    (tmp_path / "sets.yaml").write_text(
        SET + "  - set: {pressure: 10 MPa}\n  - rest: 1 s\nfinally: rest\n", "utf-8"
    )
    for said in (bench("check", "sets.yaml", "--on", "sim-sp300"), bench("run", "sets.yaml", *ON)):
        assert said.code == 2
        assert "pressure cannot be set" in said.err


def ready(tmp_path: Path) -> Prepared:
    return prepare(str(tmp_path / "waits.yaml"), Wishes("sim-sp300", None, {}, tmp_path / "rig.yaml"))


class RealDriver:
    """Of a channel that is no simulation."""

    virtual_time = False
    outlives = True

    def simulated(self, place: Any) -> bool:
        return False


@pytest.mark.usefixtures("bench")
def test_only_a_dry_run_in_virtual_time_has_stand_ins(tmp_path: Path) -> None:
    prepared = ready(tmp_path)
    real = replace(prepared, driver=RealDriver())
    kinds = {name: [spec.kind for spec in logged(*asked)] for name, asked in {
        "dry": (prepared, True), "paced": (prepared, False), "real": (real, False),
    }.items()}  # fmt: skip
    assert kinds == {"dry": ["sim", "sim"], "paced": ["serial", "modbus"], "real": ["serial", "modbus"]}
    with pytest.raises(InputError, match="keeps real time"):  # a stand-in never witnesses a real cell
        logged(real, True)


def test_a_paced_run_reads_the_real_ones(bench: Here, tmp_path: Path) -> None:
    rewrite(tmp_path / "rig.yaml", "sensors:\n", "sensors:\n  room: {kind: sim, model: chamber}\n")
    (tmp_path / "rests.yaml").write_text(SET + "  - rest: 20 s\nfinally: rest\n", encoding="utf-8")
    assert bench("run", "rests.yaml", *ON, "--speed", "20").code == 0
    with open_run(tmp_path / "a.h5") as run:
        pressure, gone = run.aux["pressure"].about, run.events.message[run.events.code == "sensor_gone"]
        assert (pressure["kind"], pressure["simulated"]) == ("serial", 0)
        assert any(message.startswith("pressure there is no port /dev/ttyNOSUCH") for message in gone)
        # what came last is in the record, too: who opened the sensors' journal is not who closes it
        assert run.aux["room"].time[-1] > 19


def test_the_command_that_reads_sensors_reads_the_real_ones(bench: Here) -> None:
    said = bench("sensors")
    assert said.code == 3
    assert "there is no port /dev/ttyNOSUCH" in said.out


def test_rig_check_tells_what_a_dry_run_reads(bench: Here, tmp_path: Path) -> None:
    rewrite(tmp_path / "rig.yaml", "    simulated_as: {model: chamber, time_constant: 2 min}\n", "")
    assert "pressure (serial; in a dry run: simulated press), chamber (modbus; in a dry run: none)" in (
        bench("rig", "check").out
    )
    assert bench("rig", "check", "--json").json["sensors"] == {
        "pressure": {"kind": "serial", "dry_run": "simulated press"},
        "chamber": {"kind": "modbus", "dry_run": None},
    }
