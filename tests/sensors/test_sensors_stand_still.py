"""The sensors' process, a thread in it, an instrument: what stands still or dies is told, replaced, and holds up
nothing."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bench import PacedClock, Script, codes, modbus_server, spec_of, tcp_instrument, until
from beside import program_of, run_beside

import nakctl
from nakctl.device.sensor import (
    Latest,
    Look,
    Raw,
    SensorNotice,
    SensorSpec,
    SensorTrouble,
    load_kind,
    load_service,
)
from nakctl.record.aux_reader import AuxReader
from nakctl.run.clock import WallClock
from nakctl.run.sensing import SensorGuard
from nakctl_sensors.heard import read_line
from nakctl_sensors.journal import AuxJournal
from nakctl_sensors.logger import Logger
from nakctl_sensors.process import SensorProcess
from nakctl_sensors.steward import Steward
from nakctl_sensors.told import line_of
from nakctl_sensors.watcher import Watcher

signals = pytest.mark.skipif(os.name != "posix", reason="stops processes by a signal")
PRESS = spec_of("press", kind="sim", model="press", every="20 ms")
CHAMBER = spec_of("chamber", kind="sim", model="chamber", every="20 ms")


class Bench:
    """Sensors beside nothing: what they told so far."""

    def __init__(self, path: Path, *specs: SensorSpec) -> None:
        self.path, self.now_s = path, WallClock().now_s
        self.sensors = SensorProcess(path, specs)
        self.latest: dict[str, Latest] = {}
        self.notices: list[SensorNotice] = []

    def take(self, look: Look) -> None:
        self.latest.update(look.latest)
        self.notices += look.notices

    def until(self, found: Callable[[], bool]) -> None:
        def seen() -> bool:
            self.take(self.sensors.look(self.now_s))
            return found()

        until(seen, 30.0)

    def until_read(self, *names: str) -> None:
        """Each sensor has shown something from now on."""
        since_s = self.now_s()
        self.until(lambda: all(self.read_s(name) > since_s for name in names))

    def read_s(self, name: str) -> float:
        return self.latest[name].time_s if name in self.latest else -math.inf

    def until_written(self, *names: str) -> None:
        self.until(lambda: set(names) <= set(rows_of(self.path)))

    def until_told(self, code: str, sensor: str = "") -> None:
        self.until(lambda: any((each.code, each.sensor) == (code, sensor) for each in self.notices))

    def stop(self) -> int:
        """Let the process stand still, as it is."""
        pid = self.sensors.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        return pid

    def close(self) -> dict[str, Any]:
        """The rows of each sensor in the journal."""
        self.take(self.sensors.close())
        return rows_of(self.path)

    @property
    def codes(self) -> list[str]:
        return [each.code for each in self.notices]


def rows_of(path: Path) -> dict[str, Any]:
    reader = AuxReader(path)
    found: dict[str, list[Any]] = {}
    for sensor, rows in reader.blocks():
        found.setdefault(sensor, []).append(rows)
    reader.close()
    assert reader.damage == ""
    return {sensor: np.concatenate(rows) for sensor, rows in found.items() if sensor}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*specs: SensorSpec) -> Bench:
        made.append(Bench(tmp_path / "a.h5", *specs))
        return made[-1]

    yield make
    for each in made:
        each.sensors.close()


# --- the process ---------------------------------------------------------------------------------------


@signals
@pytest.mark.parametrize(
    ("blow", "code"), [(signal.SIGSTOP, "sensors_still"), (signal.SIGKILL, "sensors_died")]
)
def test_a_process_that_stands_still_or_dies_is_told_and_replaced(
    bench: Callable[..., Bench], blow: signal.Signals, code: str
) -> None:
    beside = bench(PRESS, CHAMBER)
    beside.until_written("press", "chamber")
    before = beside.sensors.pid
    assert before is not None
    os.kill(before, blow)
    beside.until_told("sensors_back")
    assert beside.codes == [code, "sensors_back"]
    assert [each.severity for each in beside.notices] == [2, 1]
    assert beside.sensors.pid != before
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    beside.until_read("press", "chamber")
    hole_s = beside.notices[1].facts["seconds"]
    for rows in beside.close().values():
        (hole,) = np.flatnonzero(np.isnan(rows["value"]))
        assert (np.diff(rows["time"]) >= 0).all()
        assert 0 < hole < len(rows) - 1
        assert rows["time"][hole + 1] - rows["time"][hole] == pytest.approx(hole_s, abs=1.0)


@signals
def test_a_hole_that_lasts_to_the_end_stands_in_the_journal(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl_sensors.steward.LEAVE_s", 0.2)
    beside = bench(PRESS)
    beside.until_written("press")
    beside.stop()
    rows = beside.close()["press"]
    assert beside.codes == ["sensors_still"]
    assert np.flatnonzero(np.isnan(rows["value"])).tolist() == [len(rows) - 1]
    assert (np.diff(rows["time"]) >= 0).all()


@signals
def test_set_points_asked_meanwhile_are_not_lost(bench: Callable[..., Bench]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.stop()
    beside.sensors.set("press", 12.0)
    beside.until_told("sensor_set", "press")
    assert [each.facts["value"] for each in beside.notices if each.sensor == "press"] == [12.0]
    beside.sensors.close()
    beside.sensors.set("press", 9.0)
    assert codes(beside.sensors.close().notices, "press") == ["not_set"]


def test_a_process_that_cannot_be_started_is_an_alarm_and_no_error(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("nakctl.isolated.command", lambda module: [str(tmp_path / "nowhere")])
    beside = bench(PRESS)
    beside.until_told("sensors_lost")
    assert (beside.notices[0].severity, beside.sensors.pid) == (2, None)


def test_starts_anew_are_bounded_per_hour(tmp_path: Path) -> None:
    steward = Steward(tmp_path / "a.h5", ())
    pauses_s = [steward._pause_s() for _ in range(14)]
    assert pauses_s[:5] == [0, 1, 2, 4, 8]
    assert sum(pauses_s[:13]) > 3600


FORGER = """
import json, sys
first = json.loads(sys.stdin.readline())
well = {"beat": 1, "at": 5.0, "values": {"press": [1, 7, 7, 7, "", 0], "nobody": [1, 7, 7, 7, "", 0]}, "notices": []}
for line in [first, [], "", "Traceback", '{"beat": 1', "[" * 100000, well]:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)
sys.stdin.read()
"""


def test_lines_that_make_no_sense_are_counted_and_left_out(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl.isolated.command", lambda module: [sys.executable, "-c", FORGER])
    beside = bench(PRESS)
    beside.until(lambda: "press" in beside.latest)
    beside.until_told("sensors_garbled")
    assert set(beside.latest) == {"press"}
    assert beside.notices[0].facts["lines"] <= 6


WELL = json.loads(line_of(3, 1.5, {"a": Latest(1.0, 2.0, 2.0, 2.0)}, [SensorNotice("a", 1, "c", "m", None)]))


@pytest.mark.parametrize(
    "change",
    [
        {"beat": "3"},
        {"at": math.nan},
        {"values": {"a": [1.0, math.nan, 2.0, 2.0, "", 0.0]}},
        {"values": {"a": [1.0, 2.0]}},
        {"values": []},
        {"notices": [["a", 7, "c", "m", None, {}]]},
        {"notices": [["a", 1, "c", None, None, {}]]},
        {"notices": [["a", 1, "c", "m", math.inf, {}]]},
    ],
)
def test_only_lines_of_the_right_shape_are_read(change: dict[str, Any]) -> None:
    assert read_line(json.dumps(WELL)) is not None
    assert read_line(json.dumps(WELL | change)) is None


ASLEEP = """
import sys, time
from pathlib import Path
from nakctl.device.sensor import load_kind
from nakctl.run.clock import WallClock
from nakctl_sensors.process import SensorProcess
spec, _ = load_kind("sim").spec("press", {"kind": "sim", "model": "press", "every": "20 ms"})
sensors, now_s = SensorProcess(Path(sys.argv[1]), (spec,)), WallClock().now_s
print(sensors.pid, flush=True)
while True:
    look, unseen_s = sensors.look(now_s), sensors.unseen_s["press"]
    print("|".join([f"{unseen_s:.3f}", *look.latest, *(each.code for each in look.notices)]), flush=True)
    time.sleep(0.02)
"""


@signals
def test_who_was_asleep_itself_accuses_nobody(tmp_path: Path) -> None:
    """Both processes are stopped for longer than any bound, as when the computer is suspended."""
    words = [sys.executable, "-c", ASLEEP, str(tmp_path / "a.h5")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        sensors = int(run.stdout.readline())
        try:
            _next_value(run.stdout)
            for pid in (run.pid, sensors):
                os.kill(pid, signal.SIGSTOP)
            time.sleep(3.0)
            for pid in (run.pid, sensors):
                os.kill(pid, signal.SIGCONT)
            said = [_next_value(run.stdout) for _ in range(20)]
            os.kill(sensors, 0)
        finally:
            run.kill()
    assert max(unseen_s for unseen_s, _ in said) < 3.0
    assert [each for _, notices in said for each in notices] == []


def _next_value(lines: Any) -> tuple[float, list[str]]:
    """The longest time without a sight up to the next value, and what was noticed on the way."""
    unseen_s, noticed = 0.0, []
    for line in islice(lines, 2000):
        unseen, *told = line.strip().split("|")
        unseen_s = max(unseen_s, float(unseen))
        noticed += [each for each in told if each != "press"]
        if "press" in told:
            return unseen_s, noticed
    raise AssertionError("no value came any more")


# --- what the control thread does meanwhile --------------------------------------------------------------

WAITING = {"threading", "subprocess", "queue", "socket", "select", "selectors", "sqlite3", "_sqlite3", "io", "_io", "posix", "nt", "os", "_posixsubprocess", "_winapi", "tempfile"}  # fmt: skip
WAITING_CALLS = {"sleep", "acquire", "wait", "join", "get", "flush", "write", "read", "readline", "fsync"}


@signals
def test_a_look_calls_nothing_that_can_wait(bench: Callable[..., Bench]) -> None:
    """Whatever happens to the process: the profiler sees every function that the thread calls in a look."""
    beside = bench(PRESS)
    look, called = beside.sensors.look, set()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            called.add((frame.f_globals["__name__"], frame.f_code.co_name))
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            module = argument.__module__ or type(owner).__module__
            called.add((module, argument.__name__))

    def watched(now_s: Callable[[], float]) -> Look:
        sys.setprofile(note)
        try:
            return look(now_s)
        finally:
            sys.setprofile(None)

    beside.sensors.look = watched  # type: ignore[method-assign]
    for blow in (signal.SIGSTOP, signal.SIGKILL):
        beside.until_read("press")
        assert beside.sensors.pid is not None
        os.kill(beside.sensors.pid, blow)
        beside.notices.clear()
        beside.until_told("sensors_back")
    assert ("nakctl_sensors.child", "say") in called
    allowed = {("_queue", "put"), ("_queue", "qsize")}
    of_data = {each for each in called if each[0] == "builtins"}  # such as dict.get
    waiting = {each for each in called - of_data if each[0] in WAITING or each[1] in WAITING_CALLS}
    assert waiting - allowed == set()


# --- a thread, an instrument -----------------------------------------------------------------------------


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
        self.released.wait(60)
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

    def until_written(self, *names: str) -> None:
        self.until(lambda: set(names) <= set(rows_of(self.path)))

    def until_told(self, code: str) -> None:
        def told() -> bool:
            self.logger.turn()
            return code in self.codes

        until(told, 30.0)

    @property
    def codes(self) -> list[str]:
        return [each.code for line in self.lines for each in line.noticed() if each.sensor == "bad"]

    def count(self, sensor: str) -> int:
        return sum(sensor in line.values for line in self.lines)


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
    assert "ZeroDivisionError: in a driver" in died.message
    turning.logger.end()
    assert turning.codes == ["sensor_died", "sensor_back"]


def test_patience_is_three_periods_or_two_seconds_and_more_only_while_connecting() -> None:
    slow = spec_of("slow", kind="serial", port="x", unit="kg", every="5 s", timeout="30 s")
    watcher = Watcher(slow, Hanging(), SimpleNamespace(), lambda: 1.0)
    watcher.is_alive = lambda: True  # type: ignore[method-assign]
    begun = watcher.busy_since
    assert watcher.stands_still(begun + 14.9)[0] == ""
    assert watcher.stands_still(begun + 15.1)[0] == "sensor_hangs"
    assert not watcher.is_lost(begun + 32)
    assert watcher.is_lost(begun + 34)
    watcher.opening = True
    assert watcher.stands_still(begun + 32)[0] == ""


def test_a_disk_that_takes_its_time_holds_up_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked, write = threading.Event(), threading.Event(), AuxJournal.write

    def slow(journal: AuxJournal) -> None:
        asked.set()
        released.wait(60)
        write(journal)

    monkeypatch.setattr(AuxJournal, "write", slow)
    turning = Turning(tmp_path / "a.h5", Hanging(), monkeypatch)
    assert asked.wait(10)

    def told() -> bool:
        turning.tie()
        turning.logger.turn()
        return turning.count("press") > 5

    until(told)
    released.set()
    turning.logger.end()
    assert len(rows_of(tmp_path / "a.h5")["press"]) > 5


@signals
def test_a_library_that_hangs_disturbs_nobody_else(bench: Callable[..., Bench], tmp_path: Path) -> None:
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


def test_a_pattern_that_explodes_is_a_fault_of_one_sensor(bench: Callable[..., Bench]) -> None:
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
def test_a_modbus_number_that_is_none_is_a_fault(bench: Callable[..., Bench], number: str) -> None:
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


# --- a whole run -----------------------------------------------------------------------------------------

STEPS = "- rest: 2 min\n- strip: 0.1 mA\n  for: 4 min\n- rest: 2 min\n"
LIMITS = ", sensors: {press: [8 MPa, 12 MPa], chamber: [10 degC, 40 degC]}"


@signals
def test_a_run_goes_on_beside_a_process_that_stands_still(tmp_path: Path) -> None:
    run_beside(tmp_path / "without.h5", STEPS)
    specs = (spec_of("press", kind="sim", model="press"), spec_of("chamber", kind="sim", model="chamber"))
    begun: list[SensorProcess] = []

    def beside(path: Path, specs: tuple[SensorSpec, ...]) -> SensorProcess:
        begun.append(SensorProcess(path, specs))
        return begun[0]

    stopped: list[int] = []

    def stop_in_mid_run(progress: Any) -> None:
        pid = begun[0].pid
        if progress.time_s > 120 and not stopped and pid is not None:
            stopped.append(pid)
            os.kill(pid, signal.SIGSTOP)
        if progress.time_s > 300 and stopped:  # this computer may be busy: not before there is another one
            until(lambda: begun[0].pid not in (None, *stopped), 30.0)
            until(begun[0]._steward.is_well, 30.0)

    outcome = run_beside(
        tmp_path / "with.h5",
        STEPS,
        limits=LIMITS,
        specs=specs,
        sensors=beside,
        clock=PacedClock(100.0),
        observe=stop_in_mid_run,
    )
    assert outcome.status == "completed"
    run, alone = nakctl.open(tmp_path / "with.h5"), nakctl.open(tmp_path / "without.h5")
    for name in alone.samples.names:
        np.testing.assert_array_equal(run.samples[name], alone.samples[name], err_msg=name)
    said = dict(zip(run.events.code, zip(run.events.severity, run.events.message, strict=True), strict=True))
    assert said["sensors_still"][0] == 2
    assert "4 limits guard nothing meanwhile" in said["sensors_still"][1]
    assert "the sensors are read again" in said["sensors_back"][1]
    for name in ("press", "chamber"):
        log = run.aux[name]
        assert np.isnan(log.value).sum() == 1
        assert (np.diff(log.time) >= 0).all()


@pytest.mark.parametrize(("blind", "status"), [("stop", "stopped"), ("go on", "completed")])
def test_a_limit_that_nobody_sees_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: str, status: str
) -> None:
    monkeypatch.setattr("nakctl.run.sensing.BLIND_AFTER_s", 0.5)
    monkeypatch.setattr("nakctl.run.sensing.BLIND_PERIODS", 0)
    script = Script(lambda count: 1 + count / 100, dict.fromkeys(range(20, 100_000), "timeout"))

    def hold(progress: Any) -> None:
        if progress.time_s > 60:  # this computer may be busy: not before the instrument has fallen silent
            until(lambda: script.count > 20, 30.0)

    with tcp_instrument(script) as port:
        address = {"address": f"TCPIP::127.0.0.1::{port}::SOCKET", "backend": "@py"}
        words = {"unit": "V", "every": "1 s", "timeout": "100 ms", "blind": blind}
        outcome = run_beside(
            tmp_path / "a.h5",
            STEPS,
            limits=", sensors: {meter: [-100 V, 100 V]}",
            specs=(spec_of("meter", kind="scpi", **address, **words),),
            sensors=SensorProcess,
            clock=PacedClock(200.0),
            observe=hold,
        )
    assert outcome.status == status
    if blind == "go on":
        events = nakctl.open(tmp_path / "a.h5").events
        assert 2 in events.severity[events.code == "sensor_timeout"]
    else:
        assert outcome.reason.startswith("limit: meter cannot be seen for ")


def guard_of(unseen_s: float, blind: str = "stop", every: str = "1 s") -> SensorGuard:
    program = program_of("- rest: 1 s\n", ", sensors: {meter: [-1 V, 1 V]}")
    meter = spec_of("meter", kind="scpi", address="x", unit="V", every=every, blind=blind)
    return SensorGuard(program, SimpleNamespace(specs={"meter": meter}, unseen_s={"meter": unseen_s}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unseen_s", "blind", "every", "ends"),
    [
        (9.9, "stop", "1 s", False),
        (10.1, "stop", "1 s", True),
        (10.1, "go on", "1 s", False),
        (170.0, "stop", "1 min", False),
        (181.0, "stop", "1 min", True),
    ],
)
def test_how_long_a_limit_may_be_blind(unseen_s: float, blind: str, every: str, ends: bool) -> None:
    ending = guard_of(unseen_s, blind, every).look({})
    assert (ending is not None) == ends
    if ending is not None:
        assert (ending.reason, ending.status) == (
            f"limit: meter cannot be seen for {unseen_s:.0f} s",
            "stopped",
        )


def test_a_value_beyond_its_limit_is_named_before_blindness() -> None:
    ending = guard_of(20.0).look({"meter": Latest(0.0, 2.0, 2.0, 2.0)})
    assert ending is not None
    assert ending.reason == "limit: meter above 1 V"
