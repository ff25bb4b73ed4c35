"""From the words of rig.yaml and the lines of instruments to numbers: the pure parts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import regex
from bench import codes, spec_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.device.sensor import Latest, SensorTrouble, load_service
from nakctl.errors import RigError
from nakctl.rig import find_rig
from nakctl_sensors.dialogues import dialogue, dialogue_names
from nakctl_sensors.health import Health
from nakctl_sensors.reply import decoded, number_in, obeyed
from nakctl_sensors.timemap import Tie, TimeMap, placed

# A line as the instrument's manual shows it, and its number.
LINES = [
    ("keithley2000", "+1.23456789E-03", 1.23456789e-3),
    ("keithley2400", "+2.150000E-06", 2.15e-6),
    ("lakeshore335", "+295.123", 295.123),
    ("loadcell-ascii", "ST,GS,+00012.34kg", 12.34),
    ("loadcell-ascii", "US,NT,-00000.50 kg", -0.5),
    ("mettler-sics", "S S     100.00 g", 100.0),
    ("mettler-sics", "S D      -0.05 g", -0.05),
    ("sartorius-sbi", "N     +   123.45 g  ", 123.45),
    ("omega-iseries", "X01 012.34", 12.34),
    ("arduino", "pressure:10.02", 10.02),
    ("julabo", "24.95", 24.95),
    ("huber", "24.95", 24.95),
]
REFUSED = [
    ("loadcell-ascii", "OL,GS,+99999.99kg", "garbage"),
    ("loadcell-ascii", "ST,GS,+00012.34V", "wrong_unit"),
    ("mettler-sics", "S I", "garbage"),
    ("mettler-sics", "S S     100.00 pcs", "wrong_unit"),
    ("keithley2000", "", "garbage"),
]


def with_pattern(pattern: str) -> dict[str, Any]:
    return spec_of("a", kind="serial", port="x", unit="kg", pattern=pattern).options


def options_of(name: str) -> dict[str, Any]:
    words = dialogue(name) or {}
    place = {"address": "x"} if words["kind"] == "scpi" else {"port": "x"}
    return spec_of("a", kind=words["kind"], like=name, **place).options


@pytest.mark.parametrize(("name", "line", "value"), LINES)
def test_lines_of_ready_dialogues(name: str, line: str, value: float) -> None:
    assert number_in(line, options_of(name)) == (value, "")


@pytest.mark.parametrize(
    ("name", "line", "_"), [row for row in (*LINES, *REFUSED) if options_of(row[0])["pattern"] is not None]
)
def test_patterns_mean_what_they_mean_to_python(name: str, line: str, _: Any) -> None:
    """They run in a library that can be stopped; its language is that of `re`."""
    pattern = options_of(name)["pattern"]
    ours, theirs = regex.search(pattern, line), re.search(pattern, line)
    assert (ours and (ours.span(), ours.groups())) == (theirs and (theirs.span(), theirs.groups()))


@pytest.mark.parametrize(
    ("pattern", "line"),
    [(r"^((?:\d|\d\d)+)$", "9" * 60 + "!"), (r"^(.*?,){30}P", ",".join(map(str, range(33))) * 3)],
)
def test_a_pattern_that_explodes_is_told_in_one_sentence(pattern: str, line: str) -> None:
    with pytest.raises(SensorTrouble, match="without a repetition inside another one") as told:
        number_in(line, with_pattern(pattern))
    assert told.value.code == "pattern"
    assert "\n" not in str(told.value)


def test_the_pattern_that_hung_python_for_ever_comes_to_an_end() -> None:
    with pytest.raises(SensorTrouble):
        number_in("9" * 40 + "!", with_pattern(r"^((?:[0-9.]+)+)$"))


@pytest.mark.parametrize(("name", "line", "code"), REFUSED)
def test_lines_that_are_no_reading(name: str, line: str, code: str) -> None:
    with pytest.raises(SensorTrouble) as told:
        number_in(line, options_of(name))
    assert told.value.code == code


def test_what_a_wrong_baud_rate_makes_is_garbage() -> None:
    with pytest.raises(SensorTrouble, match="no text"):
        decoded(b"\x80\xfe\x00\xf8\r\n")


@pytest.mark.parametrize("name", dialogue_names())
def test_every_ready_dialogue_makes_a_sensor_and_names_its_source(name: str) -> None:
    words = dialogue(name) or {}
    assert "not tried" in words["source"]
    spec = spec_of(
        "a", kind=words["kind"], like=name, **({"port": "x"} if words["kind"] != "scpi" else {"address": "x"})
    )
    assert spec.dimension
    assert name in load_service().dialogues()


points = st.lists(
    st.tuples(st.floats(-100, 100), st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1, max_size=5
)


@settings(max_examples=40)
@given(points, st.floats(0.01, 100), st.floats(-50, 50), st.floats(-1e3, 1e3))
def test_raw_undoes_calibrated(steps: Any, scale: float, offset: float, raw: float) -> None:
    shown, true = [steps[0][0]], [0.0]
    for _, dx, dy in steps:
        shown.append(shown[-1] + dx)
        true.append(true[-1] + dy)
    spec = spec_of(
        "a", kind="serial", port="x", unit="kN", scale=scale, offset=offset,
        calibration={"points": [list(pair) for pair in zip(shown, true, strict=True)]},
    )  # fmt: skip
    assert spec.raw(spec.calibrated(raw)) == pytest.approx(raw, rel=1e-6, abs=1e-5)


def test_units_with_their_offset() -> None:
    celsius = spec_of("a", kind="serial", port="x", unit="degC")
    assert celsius.to_si(25.0) == pytest.approx(298.15)
    assert celsius.from_si(298.15) == pytest.approx(25.0)
    assert spec_of("a", kind="serial", port="x", unit="MPa").to_si(10.0) == 1e7


# --- rig.yaml -------------------------------------------------------------------------------------------

SLIPS = [
    ("{kind: scip, address: x, unit: V}", 4, "there is no kind scip; did you mean scpi?"),
    ("{kind: scpi, unit: V}", 4, "needs the word address"),
    ("{kind: scpi, address: x, unit: Vlt}", 4, "Vlt is no unit"),
    ("{kind: scpi, address: x, unit: s}", 4, "is a time"),
    ("{kind: scpi, address: x, unit: V, querry: A}", 4, "querry is no word of"),
    ("{kind: serial, port: x, unit: kg, pattern: '(a'}", 4, "no regular expression"),
    ("{kind: serial, port: x, unit: kg, pattern: 'a'}", 4, "put the number in one"),
    ("{kind: serial, port: x, unit: kg, says: kg, pattern: '(a)'}", 4, "needs a pattern with a group"),
    ("{kind: serial, port: x, unit: MPa, says: kg}", 4, "kg does not become MPa by itself"),
    ("{kind: serial, port: x, unit: kg, decimal: ';'}", 4, "must be"),
    ("{kind: serial, port: x, unit: kg, decimal: ',', thousands: ','}", 4, "cannot part thousands"),
    ("{kind: serial, port: x, unit: kg, plausible: [2 kg, 1 kg]}", 4, "write the lower value first"),
    ("{kind: serial, port: x, unit: kg, plausible: [1 bar, 2 bar]}", 4, "is a pressure, and it shows kg"),
    ("{kind: serial, port: x, unit: kg, plausible: [1 kg]}", 4, "2"),
    ("{kind: serial, port: x, unit: kg, invalid: [x]}", 4, "must be a number"),
    ("{kind: serial, port: x, unit: kg, set: 'SP'}", 4, "has no {value}"),
    ("{kind: serial, port: x, like: mettler}", 4, "there is no dialogue mettler; did you mean mettler-sics"),
    ("{kind: serial, port: x, like: keithley2000}", 4, "is a dialogue of kind scpi"),
    ("{kind: modbus, port: x, address: y, register: 1, unit: degC}", 4, "one of them"),
    ("{kind: serial, port: x, unit: kg, calibration: {points: [[1, 1], [0, 2]]}}", 4, "must both rise"),
    ("{kind: serial, port: x, unit: kg, blind: ignore}", 4, "must be stop or go on"),
    ("{kind: serial, port: x, unit: kg, blind_after: 2 s}", 4, "shorter than 3 readings"),
    ("{kind: sim, model: oven}", 4, "must be chamber or press"),
    ("{kind: sim, model: press, start: 20 degC}", 4, "is a temperature: expected a pressure"),
    ("{kind: sim, model: press, start: $x}", 4, "not a number with a unit"),
    ("{kind: sim, model: press, every: $x}", 4, "only a protocol has parameters"),
    ("{kind: serial, port: x, unit: kg, every: $x}", 4, "only a protocol has parameters"),
    ("{kind: sim, model: press, table: 10 MPa}", 4, "pairs of a time and a value, such as [[0 s, 2 MPa]"),
    ("{kind: sim, model: press, table: []}", 4, "pairs of a time and a value"),
    ("{kind: sim, model: chamber, table: [[1 h]]}", 4, "in [ ], as in [[0 s, 25 degC]"),
    ("{kind: sim, model: press, table: [[-1 s, 2 MPa]]}", 4, "a time must be at least zero"),
    ("{kind: sim, model: press, table: [[0, 2 MPa]]}", 4, "did you mean 0 s?"),
    ("{kind: sim, model: press, table: [[0 s, 2 degC]]}", 4, "expected a pressure"),
    (
        "{kind: sim, model: press, table: [[1 h, 2 MPa], [60 min, 3 MPa]]}",
        4,
        "60 min stands after 1 h: times must rise",
    ),
    ("{kind: serial, port: x, unit: bar, simulated_as: press}", 4, "such as {model: press"),
    ("{kind: serial, port: x, unit: bar, simulated_as: {}}", 4, "a sensor of kind sim needs the word model"),
    ("{kind: serial, port: x, unit: bar, simulated_as: {kind: serial, model: press}}", 4, "must be sim"),
    (
        "{kind: serial, port: x, unit: kN, simulated_as: {model: press}}",
        4,
        "a press shows a pressure, bad shows kN, a force: they must be alike",
    ),
    ("{kind: serial, port: x, unit: bar, simulate_as: {model: press}}", 4, "did you mean simulated_as?"),
    ("{kind: sim, model: press, simulated_as: {model: press}}", 4, "bad is simulated already"),
    ("5", 4, "must be words with values"),
    ("{unit: V}", 4, "needs the word kind"),
]


@pytest.mark.parametrize(("words", "line", "phrase"), SLIPS)
def test_slips_in_the_rig_are_told_on_their_line(tmp_path: Path, words: str, line: int, phrase: str) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text(
        f"nakctl-rig: 1\nsensors:\n  good: {{kind: sim, model: press}}\n  bad: {words}\n", "utf-8"
    )
    with pytest.raises(RigError) as told:
        find_rig(file)
    (fault,) = told.value.faults
    assert fault.mark.line == line
    assert phrase in fault.message


# --- condition and time ---------------------------------------------------------------------------------


def test_each_change_of_condition_is_told_once() -> None:
    health = Health(spec_of("a", kind="serial", port="x", unit="kg", frozen_after="2 s"))
    for now, event in enumerate(["1", "timeout", "timeout", "garbage", "2", "2", "2", "2", "3"]):
        if event.isdigit():
            health.well(float(event), now)
        else:
            health.ill(event, "failed", now)
    notices = health.taken()
    assert codes(notices, "a") == ["timeout", "garbage", "back", "frozen", "frozen"]
    assert [each.severity for each in notices] == [1, 1, 0, 1, 0]
    assert notices[2].facts == {"after": "garbage", "seconds": 3, "failed": 3}
    assert "moves again after 4 s, to 3 kg" in notices[4].message


def test_a_frozen_value_is_seen_and_what_follows_it_is_a_gap() -> None:
    health = Health(spec_of("a", kind="serial", port="x", unit="kg", frozen_after="2 s"))
    for now in range(5):
        health.well(7.0, now)
    assert (health.trouble, health.is_ill) == ("frozen", False)
    assert Latest(4.0, 7.0, 7.0, 7.0, health.trouble).is_seen
    assert health.ill("timeout", "failed", 5)  # the first: here the record has a gap
    assert not Latest(5.0, 7.0, 7.0, 7.0, health.trouble).is_seen
    health.well(7.0, 6)
    assert (health.trouble, codes(health.taken(), "a")) == ("", ["frozen", "timeout", "back"])


def test_another_unit_is_told_when_it_begins_and_when_it_ends() -> None:
    health = Health(spec_of("a", kind="serial", port="x", unit="kg"))
    for now, unit in enumerate(["", "lb", "lb", ""]):
        health.shows(unit, now)
    assert [notice.message for notice in health.taken()] == [
        "a shows lb, which is converted",
        "a shows the agreed unit again",
    ]


@pytest.mark.parametrize(("answer", "expected"), [("ERR_6", "OK"), ("", "OK")])
def test_what_it_says_to_a_set_point_is_judged(answer: str, expected: str) -> None:
    obeyed("OK\r", "OK")
    obeyed(answer, True)
    with pytest.raises(SensorTrouble, match="to a set-point, not OK"):
        obeyed(answer, expected)


def test_a_sensor_that_flickers_does_not_flood_the_record() -> None:
    health = Health(spec_of("a", kind="serial", port="x", unit="kg"))
    for now in range(36_000):  # an hour at 10 Hz
        health.ill("garbage", "failed", now / 10)
        health.well(now, now / 10)
    notices = health.taken()
    assert len(notices) < 500
    assert sum(each.facts.get("notices_left_out_before", 0) for each in notices) > 60_000


@given(st.floats(0.1, 1000), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 0.01))
def test_between_two_ties_time_is_within_its_bound(
    speed: float, start: float, part: float, error: float
) -> None:
    ties = [Tie(10.0 + k, start + speed * k, error) for k in range(3)]
    known = TimeMap().tied(ties[0]).tied(ties[1]).tied(ties[2])
    assert known.time_s(11.0 + part) == pytest.approx(start + speed * (1 + part), abs=1e-6 + 1e-9 * start)
    assert known.error_s >= error


def test_a_clock_that_goes_astray_widens_the_bound() -> None:
    known = TimeMap().tied(Tie(0, 0, 0.0)).tied(Tie(1, 1, 0.0)).tied(Tie(2, 2.5, 0.0))
    assert known.error_s == pytest.approx(0.5)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), min_size=1, max_size=20),
    st.floats(-50, 150),
    st.floats(0.1, 200),
)
def test_times_of_a_sensor_never_go_back(
    asked: list[tuple[float, float]], reached_s: float, speed: float
) -> None:
    known = TimeMap().tied(Tie(0.0, 0.0, 0.001)).tied(Tie(10.0, 10.0 * speed, 0.001))
    found = placed([(start, start + taken, 1.0) for start, taken in asked], known, reached_s)
    times = [time_s for time_s, _, _ in found]
    assert times == sorted(times)
    assert times[0] >= reached_s
    for (start, taken), (time_s, _, error_s) in zip(asked, found, strict=True):
        assert abs(time_s - speed * (start + taken / 2)) <= error_s + 1e-9


def test_faults_of_sensors_are_told_beside_those_of_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "rig.yaml"
    text = "nakctl-rig: 1\ncells:\n  a: {channel: x, area: 0 cm2}\nsensors:\n  b: {kind: sim, model: oven}\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RigError) as told:
        find_rig(file)
    assert [fault.mark.line for fault in told.value.faults] == [3, 5]
