"""A thread of the sensors' process, or an instrument, that hangs or dies disturbs no other."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from alone import PRESS, Alone, rows_of, signals
from bench import Script, modbus_server, spec_of, tcp_instrument
from patience import PATIENCE_s, until

from nakctl.device.sensor import (
    Raw,
    SensorTrouble,
    load_kind,
    load_service,
)
from nakctl_sensors.heard import read_line
from nakctl_sensors.journal import AuxJournal
from nakctl_sensors.logger import Logger
from nakctl_sensors.watcher import Watcher

PRESS_ONCE = spec_of("press", kind="sim", model="press", every="1 s")


class Hanging:
    """A kind whose instruments hang until they are released, or die of something that nobody foresaw."""

    simulated = False

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.released, self.opened = error, threading.Event(), 0

    def spec(self, name: str, words: Any) -> Any:
        raise NotImplementedError

    def open(self, spec: Any, clock: Any) -> Any:
        self.opened += 1
        return SimpleNamespace(listens=False, read=self.read, set=print, close=lambda: None)

    def read(self) -> Raw:
        if self.error is not None and not self.released.is_set():
            raise self.error
        self.released.wait(PATIENCE_s)
        now = time.perf_counter()
        return Raw(1.0, now, now)


class Turning:
    """A logger in this process, whose sensor `bad` is of another kind."""

    def __init__(self, path: Path, kind: Hanging, monkeypatch: pytest.MonkeyPatch) -> None:
        real = load_kind
        monkeypatch.setattr(
            "nakctl_sensors.logger.load_kind", lambda name: kind if name == "serial" else real(name)
        )
        bad = spec_of("bad", kind="serial", port="x", unit="kg", every="20 ms", timeout="50 ms")
        sensors = [bad.as_json(), PRESS.as_json()]
        self.lines: list[Any] = []
        first = {"path": str(path), "sensors": sensors, "ties": [], "hole": None, "set": []}
        self.logger = Logger(first, lambda line: self.lines.append(read_line(line)) is None)
        self.tie()

    def tie(self) -> None:
        now = time.perf_counter()
        self.logger.hear({"tie": [now, now, 0.0]})

    def until_told(self, code: str) -> None:
        def told() -> bool:
            self.logger.turn()
            return code in self.codes

        until(told)

    @property
    def codes(self) -> list[str]:
        return [each.code for line in self.lines for each in line.noticed() if each.sensor == "bad"]

    def count(self, sensor: str) -> int:
        return sum(sensor in line.values for line in self.lines)


@pytest.mark.parametrize(
    ("every_s", "jitter_s", "kept"),
    [(0.1, 0.0, (10, 11)), (1.0, 0.05, (11, 11)), (0.4, 0.0, (10, 11)), (3.0, 0.0, (4, 4))],
)
def test_of_lines_that_come_by_themselves_one_per_period_is_kept(
    every_s: float, jitter_s: float, kept: tuple[int, int]
) -> None:
    watcher = Watcher(PRESS_ONCE, load_kind("sim"), SimpleNamespace(), lambda: 1.0)
    watcher.next = 100.0
    times = [100.0 + k * every_s + jitter_s * (-1) ** k for k in range(round(10 / every_s) + 1)]
    assert kept[0] <= sum(watcher._is_due(at) for at in times) <= kept[1]


def test_a_call_that_never_returns_is_told_and_left_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl_sensors.watcher.STILL_s", 0.1)
    monkeypatch.setattr("nakctl_sensors.watcher.HANGS_AFTER_s", 0.2)
    stuck = Hanging()
    turning = Turning(tmp_path / "a.h5", stuck, monkeypatch)
    turning.until_told("sensor_hangs")
    seen = turning.count("press")

    def opened() -> bool:
        turning.logger.turn()
        return stuck.opened == 4 and turning.count("press") > seen + 2

    until(opened)
    for _ in range(20):  # no fifth one: three that hang are left, and one more would not help either
        turning.logger.turn()
        time.sleep(0.02)
    assert stuck.opened == 4
    stuck.released.set()
    turning.until_told("sensor_back")
    assert turning.codes == ["sensor_hangs", "sensor_back"]
    turning.tie()
    turning.logger.end()
    rows = rows_of(tmp_path / "a.h5")["bad"]
    assert np.isnan(rows["value"][0])
    assert np.isnan(rows["value"]).sum() == 1


def test_an_error_nobody_foresaw_is_told_and_the_sensor_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Hanging(ZeroDivisionError("in a driver"))
    turning = Turning(tmp_path / "a.h5", broken, monkeypatch)
    turning.until_told("sensor_died")
    broken.released.set()
    turning.until_told("sensor_back")
    (died,) = [each for line in turning.lines for each in line.noticed() if each.code == "sensor_died"]
    assert "in a driver (" in died.message and "Error" not in died.message
    turning.logger.end()
    assert turning.codes == ["sensor_died", "sensor_back"]


@pytest.mark.parametrize(
    ("every", "opening", "still_s"),
    [("5 s", False, 12.5), ("5 s", True, 12.5), ("200 ms", False, 1.0), ("200 ms", True, 5.0)],
)
def test_a_long_time_out_delays_no_alarm(every: str, opening: bool, still_s: float) -> None:
    slow = spec_of("slow", kind="serial", port="x", unit="kg", every=every, timeout="30 s")
    watcher = Watcher(slow, Hanging(), SimpleNamespace(), lambda: 1.0)
    watcher.is_alive = lambda: True  # type: ignore[method-assign]
    begun, watcher.opening = watcher.lived_at, opening
    assert watcher.stands_still(begun + still_s - 0.1)[0] == ""
    assert watcher.stands_still(begun + still_s + 0.1)[0] == "sensor_hangs"
    assert not watcher.is_lost(begun + 32)  # its call may yet return
    assert watcher.is_lost(begun + 34)


def test_one_that_was_told_to_be_ill_is_not_told_to_stand_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An instrument that falls silent: told as still, then as a time-out, and nothing more while it is looked for."""
    monkeypatch.setattr("nakctl_sensors.watcher.STILL_s", 0.1)

    class Silent(Hanging):
        def read(self) -> Raw:
            if self.released.wait(0.2):
                return super().read()
            raise SensorTrouble("timeout", "did not answer", reopen=True)

    silent = Silent()
    turning = Turning(tmp_path / "a.h5", silent, monkeypatch)
    turning.until_told("sensor_timeout")

    def opened() -> bool:
        turning.logger.turn()
        return silent.opened == 4

    until(opened)
    assert turning.codes == ["sensor_hangs", "sensor_timeout"]
    silent.released.set()
    turning.until_told("sensor_back")
    turning.logger.end()


def test_a_disk_that_takes_its_time_holds_up_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked, write = threading.Event(), threading.Event(), AuxJournal.write

    def slow(journal: AuxJournal) -> None:
        asked.set()
        released.wait(PATIENCE_s)
        write(journal)

    monkeypatch.setattr(AuxJournal, "write", slow)
    turning = Turning(tmp_path / "a.h5", Hanging(), monkeypatch)
    assert asked.wait(PATIENCE_s)

    def told() -> bool:
        turning.tie()
        turning.logger.turn()
        return turning.count("press") > 5

    until(told)
    released.set()
    turning.logger.end()
    assert len(rows_of(tmp_path / "a.h5")["press"]) > 5


@signals
def test_a_library_that_hangs_disturbs_nobody_else(bench: Callable[..., Alone], tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to does not return: so the back end of this one never loads."""
    pipe = tmp_path / "bench.yaml"
    os.mkfifo(pipe)
    address = {"address": "TCPIP0::meter::inst0::INSTR", "backend": f"{pipe}@sim"}
    meter = spec_of("meter", kind="scpi", like="keithley6500", timeout="100 ms", **address)
    beside = bench(meter, PRESS)
    beside.until_told("sensor_hangs", "meter")
    beside.until_read("press")
    assert set(beside.codes) == {"sensor_hangs"}
    assert np.isnan(beside.close()["meter"]["value"]).all()


EXPLODES = r"^((?:\d|\d\d)+)$"


def test_a_pattern_that_explodes_is_a_fault_of_one_sensor(bench: Callable[..., Alone]) -> None:
    class Nines(Script):
        def line(self, form: str = "") -> str:
            return "9" * 60 + "!"

    with tcp_instrument(Nines(lambda count: 0.0)) as port:
        address = {"address": f"TCPIP::127.0.0.1::{port}::SOCKET", "backend": "@py"}
        meter = spec_of("meter", kind="scpi", unit="V", every="20 ms", pattern=EXPLODES, **address)
        beside = bench(meter, PRESS)
        beside.until_told("sensor_pattern", "meter")
        beside.until_read("press")
        beside.close()
    (said,) = beside.notices
    assert "without a repetition inside another one" in said.message
    assert "\n" not in said.message


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_modbus_number_that_is_none_is_a_fault(bench: Callable[..., Alone], number: str) -> None:
    with modbus_server({1: [0x41C8, 0x0000]}) as port:
        words = {"address": f"127.0.0.1:{port}", "register": 1, "type": "float32", "unit": "degC"}
        chamber = spec_of("chamber", kind="modbus", every="20 ms", set_register=1, **words)
        beside = bench(chamber, PRESS)
        beside.until_written("chamber")
        other = load_kind("modbus").open(chamber, SimpleNamespace())  # type: ignore[arg-type]
        other.set(float(number))
        beside.until_told("sensor_no_value", "chamber")
        beside.until(lambda: beside.sensors.unseen_s["chamber"] > 0.3)
        with pytest.raises(SensorTrouble, match="is no value"):
            load_service().read_once(chamber)
        other.set(25.0)
        other.close()
        beside.until_told("sensor_back", "chamber")
        rows = beside.close()["chamber"]
    assert beside.codes == ["sensor_no_value", "sensor_back"]
    (gap,) = np.flatnonzero(np.isnan(rows["value"]))
    assert gap > 0
    assert set(rows["value"][:gap]) == {25.0}
