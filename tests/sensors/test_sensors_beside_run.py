"""Ten minutes of run time beside instruments that misbehave: the run does not notice, the record does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alone import rows_of
from bench import PacedClock, Script, gaps, modbus_server, spec_of, talking_pty, tcp_instrument, visa_file
from beside import run_beside
from patience import until

import nakctl
from nakctl.device.sensor import Latest, SensorSpec
from nakctl.record.read import Run
from nakctl.run.clock import WallClock
from nakctl_sensors.process import SensorProcess

SPEED = 100.0
STEPS = """\
- rest: 3 min
- strip: 0.1 mA
  for: 4 min
- rest: 3 min
"""
LOADCELL = "ST,GS,{:+09.2f}kg"
FAULTS_TCP = {30: "timeout", 60: "garbage", 90: "half_line", 120: "gone"}
SILENT = dict.fromkeys(range(60, 90), "timeout")
FAULTS_PTY = SILENT | {150: "wrong_unit", 200: "half_line"} | dict.fromkeys(range(201, 230), "timeout")


def steady_for_a_while(count: int) -> float:
    """Counts up, but for a hundred readings that are all the same."""
    return 500.0 if 280 <= count < 380 else count / 100


@dataclass(frozen=True, slots=True)
class Beside:
    """A run with sensors, the same run without, a look into the file while it was written, and what the screen
    was told of the sensors."""

    run: Run
    alone: Run
    live: dict[str, int]
    shown: set[str]

    def codes(self, sensor: str) -> list[str]:
        """What the events say of one sensor, in order."""
        events = self.run.events
        mine = np.char.startswith(events.message, f"{sensor} ") & np.char.startswith(events.code, "sensor_")
        return [code.removeprefix("sensor_") for code in events.code[mine]]


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    folder = tmp_path_factory.mktemp("beside")
    live: dict[str, int] = {}
    shown: set[str] = set()
    pty_script = Script(steady_for_a_while, FAULTS_PTY)
    pty_script.armed = False
    run_beside(folder / "without.h5", STEPS)  # first: the simulated cell is compiled here

    def look_live(progress: Any) -> None:
        pty_script.armed = progress.time_s > 30
        shown.update(progress.bench)
        if os.name == "posix" and progress.time_s > 550:  # this computer may be busy: not before all was sent
            until(lambda: pty_script.count > 400)
        if progress.time_s > 400 and not live:
            run = nakctl.open(folder / "with.h5")
            live["sealed"] = run.header.sealed
            live.update({name: len(log) for name, log in run.aux.items()})

    with ExitStack() as stack:
        specs = tuple(bench_specs(stack, folder, pty_script))
        run_beside(
            folder / "with.h5",
            STEPS,
            limits=", sensors: {meter: [-100 V, 100 V]}",
            specs=specs,
            sensors=SensorProcess,
            clock=PacedClock(SPEED),
            observe=look_live,
        )
    yield Beside(nakctl.open(folder / "with.h5"), nakctl.open(folder / "without.h5"), live, shown)


def bench_specs(stack: ExitStack, folder: Path, script: Script) -> Iterator[SensorSpec]:
    """A meter over TCP, one of pyvisa-sim, a chamber on Modbus, a press that is simulated, a load cell."""
    port = stack.enter_context(tcp_instrument(Script(lambda count: count / 100, FAULTS_TCP)))
    asked = {"every": "2 s", "timeout": "100 ms"}
    well = {"every": "2 s", "timeout": "20 s"}  # this computer may be busy, and then it is no fault of theirs
    socket = f"TCPIP::127.0.0.1::{port}::SOCKET"
    yield spec_of("meter", kind="scpi", address=socket, backend="@py", unit="V", **asked)
    simulated = {"address": "TCPIP0::meter::inst0::INSTR", "backend": visa_file(folder)}
    yield spec_of("dmm", kind="scpi", like="keithley6500", frozen_after="3 h", **simulated, **well)
    port = stack.enter_context(modbus_server({1: [253]}))
    yield spec_of("chamber", kind="modbus", like="eurotherm3200", address=f"127.0.0.1:{port}", **well)
    yield spec_of("press", kind="sim", model="press", every="2 s")
    if os.name == "posix":
        tty = stack.enter_context(talking_pty(script, 1 / SPEED, LOADCELL))
        points = {"points": [[0, 0], [10, 20]]}
        words = {"like": "loadcell-ascii", "port": tty, "calibration": points, "frozen_after": "20 s"}
        yield spec_of("load", kind="serial", **words, **asked)


def test_the_runs_own_rows_are_the_same_bit_by_bit(beside: Beside) -> None:
    for table in ("samples", "steps", "impedance", "spectra"):
        with_sensors, without = getattr(beside.run, table), getattr(beside.alone, table)
        for name in without.names:
            np.testing.assert_array_equal(with_sensors[name], without[name], err_msg=f"{table}/{name}")
    assert beside.run.samples.time[-1] == pytest.approx(600, abs=3)


@pytest.mark.parametrize("sensor", ["dmm", "chamber", "press"])
def test_what_is_well_is_logged_at_its_rate_without_a_gap(beside: Beside, sensor: str) -> None:
    log = beside.run.aux[sensor]
    told = beside.codes(sensor)
    assert set(told) <= {"hangs", "back"}  # while it was opened: this computer may be busy
    assert len(gaps(log.value, told)) == told.count("hangs")
    assert (np.diff(log.time) >= 0).all()
    assert np.median(np.diff(log.time)) == pytest.approx(log.about["every_s"], rel=0.5)
    assert log.time[0] < 100  # a second here: this computer may be busy
    assert log.time[-1] > 500


def test_faults_of_an_instrument_that_is_asked(beside: Beside) -> None:
    """Every kind of fault is told, and its end. One that follows another at once may count as its continuation:
    so it is on a busy computer, and VISA tells neither half a line nor a closed socket from a line not sent."""
    said = beside.codes("meter")
    assert {"timeout", "garbage"} <= set(said), said
    assert said[-1] == "back"
    assert np.isnan(beside.run.aux["meter"].value).sum() >= 2


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_faults_of_an_instrument_that_sends_by_itself(beside: Beside) -> None:
    said = beside.codes("load")
    assert {"timeout", "wrong_unit", "half_line", "back"} <= set(said), said
    assert said[-2:] == ["frozen", "frozen"]  # it is, and moves again
    log = beside.run.aux["load"]
    assert np.isnan(log.value).sum() >= 2
    assert (np.diff(log.time) >= 0).all()


def test_the_screen_is_told_values_and_faults(beside: Beside) -> None:
    assert "chamber 25.3 degC" in beside.shown
    assert any(text.startswith("meter ") and text.endswith(" V") for text in beside.shown)
    assert "load timeout" in beside.shown


def test_a_fault_of_a_sensor_with_a_limit_is_an_alarm(beside: Beside) -> None:
    events = beside.run.events
    timeout = np.flatnonzero(events.code == "sensor_timeout")
    of_meter = [row for row in timeout if events.message[row].startswith("meter")]
    assert set(events.severity[of_meter]) == {2}
    assert "its limits guard nothing meanwhile" in events.message[of_meter[0]]


def test_the_file_says_what_the_values_are(beside: Beside) -> None:
    chamber = beside.run.aux["chamber"]
    assert (chamber.units, set(chamber.value[~np.isnan(chamber.value)])) == ("degC", {25.3})
    assert chamber.about["every_s"] == 2.0
    assert "Eurotherm" in chamber.about["about"]
    assert beside.run.aux["press"].about["simulated"] == 1
    assert chamber.about["simulated"] == 0
    assert chamber.about["time_error_s"] == pytest.approx(chamber.time_error.max())
    assert chamber.about["time_error_s"] > 0  # how large, the load of this computer decides


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_values_are_calibrated(beside: Beside) -> None:
    load = beside.run.aux["load"]
    assert load.about["calibration_points"] == "[[0.0, 0.0], [10.0, 20.0]]"
    assert 1000.0 in load.value  # 500 shown


def test_the_live_view_has_the_sensors(beside: Beside) -> None:
    assert beside.live["sealed"] == 0
    assert beside.live["dmm"] > 50


def _offset_of(clock: WallClock) -> float:
    """Between the time of this computer, ten times as fast, and that of the clock: where nothing came between."""
    tries = []
    for _ in range(20):
        before = time.perf_counter()
        offset = 10.0 * before - clock.now_s()
        tries.append((time.perf_counter() - before, offset))
    return min(tries)[1]


def test_readings_are_placed_on_the_clock_of_the_run(tmp_path: Path) -> None:
    """The instrument answers what the time is: so it is known when it was asked, to the microsecond."""
    clock, path = WallClock(10.0), tmp_path / "t.h5"
    offset = _offset_of(clock)
    with tcp_instrument(_Teller()) as port:
        address = f"TCPIP::127.0.0.1::{port}::SOCKET"
        spec = spec_of("meter", kind="scpi", address=address, backend="@py", unit="V", every="200 ms")
        sensors = SensorProcess(path, (spec,))
        seen: list[Latest] = []
        while len(seen) < 10:
            seen += sensors.look(clock.now_s).latest.values()
            time.sleep(0.01)
        sensors.close()
    rows = rows_of(path)["meter"]
    assert len(rows) > 10
    off_s = np.abs(10.0 * rows["value"] - offset - rows["time"])
    assert (off_s <= rows["time_error"] + 1e-4).all()  # offset itself was taken in two calls
    assert np.median(rows["time_error"]) < 0.1


class _Teller(Script):
    def __init__(self) -> None:
        super().__init__(lambda count: 0.0)

    def line(self, form: str = "") -> str:
        return f"{time.perf_counter():.9f}"
