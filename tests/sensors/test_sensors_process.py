"""The logging process, its threads, and the command line that helps to get there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench import Script, codes, modbus_server, spec_of, talking_pty, tcp_instrument, visa_file
from parents import LOOKING, is_gone, next_value, parent_of
from patience import PATIENCE_s, until
from pseudo_terminal import pseudo_terminal
from pymodbus import FramerType

from nakctl.device.sensor import SensorNotice, SensorTrouble, load_kind, load_service
from nakctl.device.sensor_journal import aux_of
from nakctl_sensors.process import SensorProcess
from nakctl_sensors.watcher import Watcher

posix = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
PRESS = spec_of("press", kind="sim", model="press", every="20 ms")


def looks(sensors: SensorProcess, notices: list[SensorNotice], latest: dict[str, Any]) -> None:
    look = sensors.look(time.perf_counter)
    notices += look.notices
    latest.update(look.latest)


def test_a_set_point_reaches_the_instrument_and_is_told(tmp_path: Path) -> None:
    file = visa_file(tmp_path)
    spec = spec_of(
        "bath", kind="scpi", address="TCPIP0::bath::inst0::INSTR", backend=file, unit="degC", every="20 ms",
        query="in_pv_00", set="out_sp_00 {value:.2f}", set_answers=True, offset=1.0,
    )  # fmt: skip
    sensors = SensorProcess(tmp_path / "a.h5", (spec,))
    notices: list[SensorNotice] = []
    latest: dict[str, Any] = {}
    sensors.set("bath", 60.0)

    def arrived() -> bool:
        looks(sensors, notices, latest)
        return "bath" in latest and latest["bath"].value == 60.0

    until(arrived)
    sensors.close()
    assert codes(notices, "bath") == ["set"]


@posix
def test_it_ignores_ctrl_c_and_dies_with_its_parent(tmp_path: Path) -> None:
    with parent_of(tmp_path / "a.h5", LOOKING) as (parent, child):
        next_value(parent)
        os.kill(child, signal.SIGINT)
        assert [next_value(parent)[1] for _ in range(20)] == [[]] * 20  # nobody noticed anything
    if Path("/proc").exists():
        until(lambda: is_gone(child))


def test_modbus_rtu_frames(tmp_path: Path) -> None:
    """The framing of the serial line, over a socket: pyserial's socket:// against pymodbus' server."""
    with modbus_server({1: [253, 0], 360: [0x0000, 0x41C8, 0, 0]}, FramerType.RTU) as port:
        place = {"port": f"socket://127.0.0.1:{port}", "timeout": "1 s"}
        chamber = spec_of("a", kind="modbus", like="eurotherm3200", **place)
        source = load_kind("modbus").open(chamber, SimpleNamespace())
        assert chamber.calibrated(source.read().value) == pytest.approx(25.3)
        source.set(chamber.raw(60.0))
        source.close()
        after = spec_of("a", kind="modbus", port=place["port"], register=2, unit="degC", timeout="1 s")
        assert load_service().read_once(after).value == 600
        watlow = spec_of("a", kind="modbus", like="watlow-ezzone", **place)
        assert load_service().read_once(watlow).value == 25.0
        wrong = spec_of("a", kind="modbus", port=place["port"], register=9999, unit="degC", timeout="1 s")
        with pytest.raises(SensorTrouble, match="refuses register 9999"):
            load_service().read_once(wrong)


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ({"kind": "serial", "port": "/dev/ttyNOWHERE", "unit": "kg"}, "there is no port /dev/ttyNOWHERE"),
        ({"kind": "scpi", "address": "GPIB::9::INSTR", "backend": "@nowhere", "unit": "V"}, "cannot be used"),
        ({"kind": "scpi", "address": "TCPIP::127.0.0.1::1::SOCKET", "backend": "@py", "unit": "V", "timeout": "1 s"}, "127.0.0.1"),
        ({"kind": "modbus", "address": "127.0.0.1:1", "register": 1, "unit": "degC"}, "cannot be reached"),
        ({"kind": "modbus", "port": "/dev/ttyNOWHERE", "register": 1, "unit": "degC"}, "/dev/ttyNOWHERE"),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_one_sentence(words: dict[str, Any], phrase: str) -> None:
    with pytest.raises(SensorTrouble, match=phrase) as told:
        load_service().read_once(spec_of("a", **words))
    assert "\n" not in str(told.value)


# --- the command line -----------------------------------------------------------------------------------


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Any]:
    """`said("sensors")`: exit code, standard output and error of a command in an empty folder."""
    from nakctl.cli.app import app

    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            app(list(words))
        return (int(ended.value.code or 0), *capsys.readouterr())

    yield call


@posix
def test_probe_ends_with_a_working_entry(said: Any) -> None:
    script = Script(lambda count: 100 + count / 100)
    with talking_pty(script, 0.02, "ST,GS,{:+09.2f}kg") as tty:
        code, out, _ = said("sensors", "probe", tty, "--name", "load", "--write")
        assert (code, "like loadcell-ascii" in out) == (0, True)
        code, out, err = said("sensors")
        assert (code, err) == (0, "")
        assert out.split()[0] == "load"
        assert float(out.split()[1]) > 100
        code, _, err = said("sensors", "probe", tty, "--name", "load", "--write")
        assert (code, "has a sensor load already" in err) == (2, True)


@posix
def test_probe_leaves_the_rest_of_the_rig_as_it_is(said: Any, tmp_path: Path) -> None:
    before = (
        "nakctl-rig: 1  # ours\nsensors:\n  press: {kind: sim, model: press}  # no gauge yet\ncells: {}\n"
    )
    (tmp_path / "rig.yaml").write_text(before, encoding="utf-8")
    with talking_pty(Script(lambda count: 20 + count / 100), 0.02, "T = {:.2f} degC", "\n") as tty:
        assert said("sensors", "probe", tty, "--name", "oven", "--write")[0] == 0
        after = (tmp_path / "rig.yaml").read_text(encoding="utf-8")
        assert [line for line in after.splitlines() if line in before.splitlines()] == before.splitlines()
        assert "oven" in said("sensors")[1]


@posix
def test_a_busy_port_and_a_silent_one(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import serial

    monkeypatch.setattr("nakctl_sensors.probe.LISTEN_s", 0.02)
    monkeypatch.setattr("nakctl_sensors.probe.ANSWER_s", 0.02)
    with pseudo_terminal() as port:
        with serial.Serial(port.name, exclusive=True):
            code, _, err = said("sensors", "probe", port.name)
        assert (code, "is busy" in err) == (2, True), err
        code, _, err = said("sensors", "probe", port.name)
        assert (code, "is open and silent" in err) == (2, True), err


@posix
def test_a_wrong_baud_rate(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nakctl_sensors.probe.BAUD_RATES", (9600,))
    monkeypatch.setattr("nakctl_sensors.probe.LISTEN_s", 0.1)
    monkeypatch.setattr("nakctl_sensors.probe.ANSWER_s", 0.02)
    monkeypatch.setattr("nakctl_sensors.probe.dialogue_names", lambda: ())
    with talking_pty(Script(lambda count: 0.0), 0.01, "\x01\x03{:.0f}\x02") as tty:
        code, _, err = said("sensors", "probe", tty)
    assert (code, "look up its baud rate" in err) == (2, True)


def test_probe_knows_an_instrument_by_its_identity(said: Any, tmp_path: Path) -> None:
    code, out, _ = said("sensors", "probe", f"TCPIP0::meter::inst0::INSTR {visa_file(tmp_path)}", "--write")
    assert (code, "DMM6500" in out) == (0, True)
    assert "1.25 V" in said("sensors")[1]


def test_a_simulated_run_in_virtual_time_does_not_wait_for_a_real_instrument(
    said: Any, tmp_path: Path
) -> None:
    (tmp_path / "rig.yaml").write_text(
        "nakctl-rig: 1\nsensors:\n  meter: {kind: scpi, address: 'TCPIP::h::INSTR', unit: V}\n", "utf-8"
    )
    (tmp_path / "p.yaml").write_text(
        "nakctl: 1\nname: p\nlimits: {Ewe: [-1 V, 1 V], sensors: {meter: [0 V, 1 V]}}\nsteps: [rest: 1 s]\nfinally: rest\n",
        "utf-8",
    )
    code, _, err = said("run", "p.yaml", "--on", "sim-sp300", "--out", "a.h5")
    assert (code, "keeps real time" in err) == (2, True)
    assert not aux_of(tmp_path / "a.h5").exists()


def test_a_tcp_instrument_that_comes_back_is_found_again(tmp_path: Path) -> None:
    with tcp_instrument(Script(lambda count: 1.0, {5: "gone"})) as port:
        spec = spec_of(
            "meter", kind="scpi", address=f"TCPIP::127.0.0.1::{port}::SOCKET", backend="@py", unit="V",
            every="20 ms", timeout="100 ms",
        )  # fmt: skip
        watcher = Watcher(spec, load_kind("scpi"), SimpleNamespace(), lambda: 1.0)
        watcher.start()
        until(lambda: len(watcher.readings) > 8)
        watcher.stop()
        watcher.join(PATIENCE_s)
    assert codes(tuple(watcher.notices), "meter")[-1] == "back"
