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
from bench import PacedClock, Script, spec_of, tcp_instrument, until
from beside import program_of, run_beside

import nakctl
from nakctl.device.sensor import (
    Latest,
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
