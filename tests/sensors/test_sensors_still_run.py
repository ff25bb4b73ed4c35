"""What a run and its limits make of sensors that are not seen."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from alone import signals
from bench import PacedClock, Script, spec_of, tcp_instrument
from beside import program_of, run_beside
from patience import until

import nakctl
from nakctl.device.sensor import (
    Latest,
    SensorNotice,
    SensorSpec,
)
from nakctl.run.sensing import SensorGuard
from nakctl_sensors.process import SensorProcess

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
            until(lambda: begun[0].pid not in (None, *stopped))
            until(begun[0]._steward.is_well)

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
def test_a_limit_that_nobody_sees_ends_the_run(tmp_path: Path, blind: str, status: str) -> None:
    script = Script(lambda count: 1 + count / 100, dict.fromkeys(range(20, 100_000), "timeout"))

    def hold(progress: Any) -> None:
        until(lambda: script.count > 2)  # this computer may be busy: not before it has been read
        if progress.time_s > 60:  # and has fallen silent
            until(lambda: script.count > 20)

    with tcp_instrument(script) as port:
        address = {"address": f"TCPIP::127.0.0.1::{port}::SOCKET", "backend": "@py"}
        words = {"unit": "V", "every": "100 ms", "timeout": "100 ms", "blind": blind, "blind_after": "3 s"}
        outcome = run_beside(
            tmp_path / "a.h5",
            STEPS,
            limits=", sensors: {meter: [-100 V, 100 V]}",
            specs=(spec_of("meter", kind="scpi", **address, **words),),
            sensors=SensorProcess,
            clock=PacedClock(100.0),
            observe=hold,
        )
    assert outcome.status == status
    if blind == "go on":
        events = nakctl.open(tmp_path / "a.h5").events
        assert 2 in events.severity[events.code == "sensor_timeout"]
        (told,) = events.message[events.code == "sensor_blind"]
        assert "did not answer in time; the run goes on without its limits" in told
    else:
        assert outcome.reason.startswith("limit: meter cannot be seen for ")
        assert outcome.reason.endswith(" s: it did not answer in time")
        assert nakctl.open(tmp_path / "a.h5").steps.end_reason[-1] == outcome.reason


def guard_of(unseen_s: float, **words: Any) -> SensorGuard:
    program = program_of("- rest: 1 s\n", ", sensors: {meter: [-1 V, 1 V]}")
    meter = spec_of("meter", kind="scpi", address="x", unit="V", **words)
    return SensorGuard(program, SimpleNamespace(specs={"meter": meter}, unseen_s={"meter": unseen_s}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unseen_s", "words", "ends"),
    [
        (9.9, {}, False),
        (10.1, {}, True),
        (10.1, {"blind": "go on"}, False),
        (170.0, {"every": "1 min"}, False),
        (181.0, {"every": "1 min"}, True),
        (3.9, {"blind_after": "4 s"}, False),
        (4.1, {"blind_after": "4 s"}, True),
        (59.0, {"blind_after": "1 min"}, False),
        (4.1, {"blind_after": "4 s", "blind": "go on"}, False),
    ],
)
def test_how_long_a_limit_may_be_blind(unseen_s: float, words: dict[str, str], ends: bool) -> None:
    guard = guard_of(unseen_s, **words)
    ending, told = guard.look({}), list(guard.goes_on_blind())
    assert (ending is not None) == ends
    if ending is not None:
        reason = f"limit: meter cannot be seen for {unseen_s:.3g} s: nothing is known of it"
        assert (ending.reason, ending.status) == (reason, "stopped")
    goes_on = "blind" in words
    assert [each.code for each in told] == ["sensor_blind"] * goes_on
    assert list(guard.goes_on_blind()) == []  # once


@pytest.mark.parametrize(
    ("notices", "why"),
    [
        ([("meter", "sensor_timeout")], "it did not answer in time"),
        ([("meter", "sensor_timeout"), ("meter", "sensor_frozen")], "it did not answer in time"),
        ([("meter", "sensor_timeout"), ("meter", "sensor_gone")], "its link is gone"),
        ([("meter", "sensor_timeout"), ("meter", "sensor_back")], "nothing is known of it"),
        ([("meter", "sensor_timeout"), ("", "sensors_died")], "no sensor is read: their process died"),
        ([("meter", "sensor_timeout"), ("", "sensors_died"), ("", "sensors_back")], "nothing is known of it"),
        ([("meter", "sensor_ours")], "what the kind of somebody else says"),
    ],
)
def test_the_reason_says_what_was_wrong(notices: list[tuple[str, str]], why: str) -> None:
    guard = guard_of(20.0)
    for sensor, code in notices:
        severity = 0 if code == "sensor_back" else 1
        guard.told(SensorNotice(sensor, severity, code, "what the kind of somebody else says"))
    ending = guard.look({})
    assert ending is not None
    assert ending.reason == f"limit: meter cannot be seen for 20 s: {why}"


def test_a_value_beyond_its_limit_is_named_before_blindness() -> None:
    ending = guard_of(20.0).look({"meter": Latest(0.0, 2.0, 2.0, 2.0)})
    assert ending is not None
    assert ending.reason == "limit: meter above 1 V"
