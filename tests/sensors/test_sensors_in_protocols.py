"""Limits on sensors, steps that wait for them and set them: from the words to the end of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import spec_of
from beside import HEAD, program_of, run_beside

import nakctl
from nakctl.checks.sensors import check_sensors
from nakctl.device.cell import Cell
from nakctl.device.program import HostLoop, Segment, SetPoint
from nakctl.device.sensor import Latest
from nakctl.errors import ProtocolError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.plan import Plan
from nakctl.protocol.load import understand
from nakctl.record import files
from nakctl.record.recover import recover
from nakctl.render.program_text import program_text
from nakctl.run.sensing import SensorGuard
from nakctl.text.reader import read_text
from nakctl_sensors.virtual import VirtualSensors

CHAMBER = spec_of("chamber", kind="sim", model="chamber", time_constant="5 min")
PRESS = spec_of("press", kind="sim", model="press", every="100 ms")
WAIT = "- wait: {{sensor: chamber, within: 0.5 K, of: {of}, for: 10 min, at_most: {at_most}, then: {then}}}\n"


def ran(path: Path, steps: str, limits: str = "", **options: Any) -> Any:
    return run_beside(path, steps, limits=limits, specs=(CHAMBER, PRESS), sensors=VirtualSensors, **options)


def test_a_limit_of_a_sensor_stops_the_run_as_a_guard(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    steps = "- rest: 1 min\n- set: {press: 14 MPa}\n- strip: 0.1 mA\n  for: 1 h\n"
    outcome = ran(path, steps, ", sensors: {press: [8 MPa, 12 MPa]}")
    assert (outcome.status, outcome.reason) == ("stopped", "limit: press above 12 MPa")
    run = nakctl.open(path)
    assert (run.header.status, run.header.end_reason) == ("stopped", "limit: press above 12 MPa")
    assert run.steps.end_reason[-1] == "limit: press above 12 MPa"
    press = run.aux["press"]
    crossed_s = press.time[press.value > 12][0]
    # 4 MPa on the way, 2 of them left: ln 2 time constants after the minute of rest; seen at once
    assert crossed_s == pytest.approx(60 + 30 * np.log(2), abs=2)
    assert run.samples.time[-1] - crossed_s < 1.5


def test_a_frozen_sensor_is_an_alarm_and_its_limits_guard_on(tmp_path: Path) -> None:
    path, frozen = tmp_path / "a.h5", replace(PRESS, frozen_after_s=20.0)
    steps = "- rest: 1 min\n- set: {press: 14 MPa}\n- strip: 0.1 mA\n  for: 1 h\n"
    outcome = run_beside(
        path, steps, limits=", sensors: {press: [8 MPa, 12 MPa]}", specs=(frozen,), sensors=VirtualSensors
    )
    assert outcome.reason == "limit: press above 12 MPa"
    run = nakctl.open(path)
    told = run.events.code == "sensor_frozen"
    assert run.events.severity[told].tolist() == [2, 0]  # frozen for longer than a limit may be blind
    assert "its limits go on guarding with this value" in run.events.message[told][0]
    assert run.events.time[told] == pytest.approx([20, 60], abs=2)
    assert not np.isnan(run.aux["press"].value).any()


def test_a_wait_ends_when_the_sensor_has_settled(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    steps = "- set: {chamber: 60 degC}\n" + WAIT.format(of="60 degC", at_most="5 h", then="end run")
    outcome = ran(path, steps + "- strip: 0.1 mA\n  for: 10 s\n")
    assert outcome.status == "completed"
    run = nakctl.open(path)
    assert run.steps.end_reason.tolist() == ["chamber within 0.5 K of 60 degC for 10 min", "duration"]
    # 35 K away and 5 min slow: within 0.5 K after 5 min * ln 70, and 10 min later
    assert run.steps.t_end[0] == pytest.approx(300 * np.log(70) + 600, abs=5)
    assert (run.samples.I[run.samples.step_id == 1] == 0).all()
    assert run.aux["chamber"].value[-1] == pytest.approx(60, abs=0.5)


@pytest.mark.parametrize(
    ("then", "status", "steps"),
    [("end run", "stopped", 1), ("next step", "completed", 2)],
)
def test_a_wait_times_out_as_declared(tmp_path: Path, then: str, status: str, steps: int) -> None:
    path = tmp_path / "a.h5"
    outcome = ran(path, WAIT.format(of="60 degC", at_most="20 min", then=then) + "- rest: 10 s\n")
    assert outcome.status == status
    run = nakctl.open(path)
    assert run.steps.end_reason[0] == "timed out: chamber within 0.5 K of 60 degC for 10 min"
    assert len(run.steps) == steps
    assert run.steps.t_end[0] == pytest.approx(1200, abs=2)


def test_set_points_come_again_in_every_pass(tmp_path: Path) -> None:
    steps = "- repeat: 2\n  steps:\n    - set: {press: 11 MPa}\n    - rest: 5 min\n    - set: {press: 9 MPa}\n    - rest: 5 min\n- set: {press: 10 MPa}\n"
    ran(tmp_path / "a.h5", steps)
    run = nakctl.open(tmp_path / "a.h5")
    press = run.aux["press"]
    at = [press.value[np.searchsorted(press.time, minutes * 60)] for minutes in (4.9, 9.9, 14.9, 19.9)]
    assert at == pytest.approx([11, 9, 11, 9], abs=0.01)
    assert list(run.events.code).count("set") == 5
    assert run.samples.cycle[-1] == 2


def test_chains_are_split_by_what_the_host_does() -> None:
    program = program_of("- strip: 0.1 mA\n  for: 1 s\n- set: {press: 11 MPa}\n- strip: 0.1 mA\n  for: 1 s\n")
    assert [type(node) for node in program.nodes] == [Segment, SetPoint, Segment]
    repeated = program_of("- repeat: 3\n  steps:\n    - set: {press: 11 MPa}\n    - rest: 1 s\n")
    assert isinstance(repeated.nodes[0], HostLoop)
    assert "host sets press to 11000000 (SI)" in program_text(program)


def test_a_killed_run_is_recovered_with_its_sensors(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    ran(path, "- rest: 10 min\n", seal=False)
    assert recover(path).status == "recovered"
    run = nakctl.open(path)
    assert len(run.aux["press"]) == pytest.approx(6000, abs=20)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.h5"]


def test_a_damaged_journal_of_the_sensors_costs_only_readings(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    ran(path, "- rest: 10 min\n", seal=False)
    aux = Path(f"{path}.aux")
    raw = bytearray(aux.read_bytes())
    raw[len(raw) // 2 :] = bytes(len(raw) - len(raw) // 2)
    aux.write_bytes(raw)
    assert recover(path).rows > 500
    import h5py

    with h5py.File(path) as file:
        assert "readings are missing" in file["entry/aux"].attrs["damage"]
    assert Path(f"{aux}.damaged").exists()
    assert not files.journal_of(path).exists()


def guard_of(within: str = "0.5 K") -> SensorGuard:
    steps = WAIT.format(of="25 degC", at_most="2 h", then="end run").replace("0.5 K", within)
    program = program_of(steps)
    sensors = type("Fixed", (), {"specs": {"chamber": CHAMBER}})()
    guard = SensorGuard(program, sensors)
    segment = program.nodes[0]
    assert isinstance(segment, Segment)
    guard.open_segment(segment)
    return guard


def settled_at(guard: SensorGuard, value: Any, trouble: Any = lambda t: "") -> float | None:
    """The first second at which the wait is over; value None: no reading."""
    before = 0
    for t in range(3600):
        said = value(t)
        latest = {}
        if said is not None:
            latest["chamber"] = Latest(t, said, said, said, trouble(t), t - before)
            before = t
        if guard.look(latest) is not None:
            return t
    return None


@pytest.mark.parametrize(
    ("value", "trouble", "expected"),
    [
        (lambda t: 25.0, lambda t: "", 600),
        (lambda t: 25.4, lambda t: "", 600),
        (lambda t: 25.6, lambda t: "", None),
        (lambda t: 27.0 if t == 300 else 25.0, lambda t: "", 901),  # one excursion begins it anew
        (lambda t: None if 300 <= t < 302 else 25.0, lambda t: "", 600),  # a missed reading does not
        (lambda t: None if 300 <= t < 400 else 25.0, lambda t: "", 1001),  # a silence does
        (
            lambda t: 25.0,
            lambda t: "frozen" if t == 300 else "",
            901,
        ),  # and a value that is not to be trusted
    ],
)
def test_what_counts_as_settled(value: Any, trouble: Any, expected: float | None) -> None:
    assert settled_at(guard_of(), value, trouble) == expected


def test_extremes_between_two_looks_count() -> None:
    guard = guard_of()
    for t in range(900):
        spike = 26.0 if t == 500 else 25.0
        ending = guard.look({"chamber": Latest(t, 25.0, 25.0, spike)})
        assert ending is None


# --- faults of the language -----------------------------------------------------------------------------

SLIPS = [
    (WAIT.format(of="25 degC", at_most="2 h", then="end loop"), "must be next step or end run"),
    (WAIT.format(of="25 MPa", at_most="2 h", then="end run"), "0.5 K is no distance from 25 MPa"),
    (WAIT.format(of="25 degC", at_most="5 min", then="end run"), "is over before it can have stayed there"),
    (WAIT.format(of="25 degC", at_most="2 h", then="end run").replace("0.5 K", "0.5 degC"), "written in K"),
    (
        WAIT.format(of="25 degC", at_most="2 h", then="end run").replace(", then: end run", ""),
        "needs the word then",
    ),
    ("- set: {}\n", "at least 1"),
    ("- set: {chamber: 60}\n", "has no unit"),
    ("- set: {chamber: 60 degC}\n  rest: 1 s\n", "are kinds of step"),
    ("- set: {chamber: 60 degC}\n  wait: {}\n", "are kinds of step"),
    ("- repeat: forever\n  steps: [set: {chamber: 60 degC}]\n", "nothing in this repeat takes time"),
]


def plan_of(steps: str, limits: str = "") -> Plan:
    text = HEAD.format(limits=limits) + "".join(f"  {line}\n" for line in steps.splitlines())
    return compile_protocol(understand(read_text(text, "t.yaml"), {}), Cell("randles", 1.0))


@pytest.mark.parametrize(("steps", "phrase"), SLIPS)
def test_slips_are_told(steps: str, phrase: str) -> None:
    with pytest.raises(ProtocolError, match=phrase) as told:
        plan_of(steps)
    assert all(fault.mark.line >= 6 for fault in told.value.faults)


@pytest.mark.parametrize(
    ("limits", "phrase"),
    [
        (", sensors: {press: [12 MPa, 8 MPa]}", "the lowest value stands first"),
        (", sensors: {press: [8 MPa, 300 K]}", "not of one kind"),
        (", sensors: {press: 8 MPa}", "two values"),
    ],
)
def test_slips_of_limits(limits: str, phrase: str) -> None:
    with pytest.raises(ProtocolError, match=phrase):
        plan_of("- rest: 1 s", limits)


def test_a_gauge_may_show_less_than_nothing() -> None:
    """Zero of a gauge, a balance or a dial is where somebody set it."""
    press = spec_of("press", kind="serial", port="COM3", unit="MPa", plausible=["-1 bar", "400 bar"])
    plan = plan_of("- rest: 1 s\n", ", sensors: {press: [-0.05 MPa, 12 MPa]}")
    assert check_sensors(plan, {"press": press}, "in rig.yaml") == ()


def test_a_limit_beyond_what_is_plausible_is_told() -> None:
    press = spec_of("press", kind="serial", port="COM3", unit="MPa", plausible=["0.1 bar", "100 bar"])
    plan = plan_of("- rest: 1 s\n", ", sensors: {press: [8 MPa, 12 MPa]}")
    findings = check_sensors(plan, {"press": press}, "in rig.yaml")
    assert [(finding.severity, finding.rule) for finding in findings] == [("warning", "sensor-range")]
    assert "as beyond 12 MPa" in findings[0].message


@pytest.mark.parametrize(
    ("steps", "phrase"),
    [
        (
            "- set: {chmber: 60 degC}\n- rest: 1 s",
            "there is no sensor chmber in rig.yaml; did you mean chamber",
        ),
        ("- set: {chamber: 60 kPa}\n- rest: 1 s", "60 kPa is a pressure, and chamber shows degC"),
        ("- set: {meter: 1 V}\n- rest: 1 s", "meter cannot be set"),
    ],
)
def test_the_bench_must_have_what_a_protocol_names(steps: str, phrase: str) -> None:
    meter = spec_of("meter", kind="scpi", address="TCPIP::h::INSTR", unit="V")
    findings = check_sensors(plan_of(steps), {"chamber": CHAMBER, "meter": meter}, "in rig.yaml")
    assert [finding.severity for finding in findings] == ["error"]
    assert phrase in findings[0].message
    assert findings[0].mark.line == 6
