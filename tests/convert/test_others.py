"""PyBaMM's strings and unicycler's JSON as protocols."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import pytest
from converting import loaded

from nakctl.convert import draft, pybamm, unicycler
from nakctl.convert.asked import Asked
from nakctl.errors import InputError

CELL = Asked(capacity="2 mAh", longest="24 h", limits=("0 V", "5 V"))


def steps(text: str) -> str:
    loaded(text)
    return textwrap.dedent(text[text.index("steps:\n") + 7 : text.index("finally:")])


def of_pybamm(text: str, file: str = "x.txt", asked: Asked = CELL) -> str:
    return steps(draft.text(pybamm.draft(text, file, asked)[0]))


STRINGS = [
    ("Rest for 10 minutes", "- rest: 10 min\n"),
    ("Rest for 1 hour (5 minute period)", "- rest: 1 h\n  record: {every: 5 min}\n"),
    ("Discharge at C/20 for 0.5 hours", "- plate: 100 uA\n  for: 0.5 h\n"),
    ("Charge at 0.5 C for 45 minutes", "- strip: 1 mA\n  for: 45 min\n"),
    ("Discharge at 1C for 3600 seconds or until 2.5V", "- plate: 2 mA\n  for: 3600 s\n  until: {Ewe_below: 2.5 V}\n"),
    ("Charge at 200mA for 45 min", "- strip: 200 mA\n  for: 45 min\n"),
    ("Hold at 4.1 V for 20 seconds or until 50mA", "- ca: 4.1 V\n  for: 20 s\n  until: {I_below: 50 mA}\n"),
    ("Discharge at 5 mW for 1 hour or until 3 V", "- power: -5 mW\n  for: 1 h\n  until: {Ewe_below: 3 V}\n"),
    ("Charge at 1W for 1 hour", "- power: 1 W\n  for: 1 h\n"),
    ("Discharge at 4 Ohm for 1 hour", "- load: 4 ohm\n  for: 1 h\n"),
    ("Hold at 3V for 1 h or until C/50", "- ca: 3 V\n  for: 1 h\n  until: {I_below: 40 uA}\n"),
    ('  "Rest for 5 s",', "- rest: 5 s\n"),
    ("# a remark\n\nRest for 5 s\n", "- rest: 5 s\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), STRINGS)
def test_a_string_becomes_a_step(text: str, said: str) -> None:
    assert of_pybamm(text) == said


def test_python_is_read_and_never_executed() -> None:
    text = """
        import os
        os.system("touch executed")
        cycle = ("Discharge at C/2 for 3 hours", "Rest for 1 hour")
        experiment = pybamm.Experiment([cycle] * 3 + ["Rest for 2 hours"], period="1 minute")
    """
    assert of_pybamm(textwrap.dedent(text), "x.py") == (
        "- repeat: 3\n  steps:\n    - plate: 1 mA\n      for: 3 h\n    - rest: 1 h\n- rest: 2 h\n"
    )


def test_where_we_is_the_negative_electrode_charging_plates() -> None:
    asked = Asked(working="negative", limits=("0 V", "5 V"))
    assert of_pybamm("Charge at 1 mA for 1 hour or until 5 mV", asked=asked) == (
        "- plate: 1 mA\n  for: 1 h\n  until: {Ewe_below: 5 mV}\n"
    )


WRONG = [
    ("Dance for 1 hour", "x.txt", "no step that PyBaMM's grammar knows"),
    ("Rest for a while", "x.txt", "is no time"),
    ("Charge at 1 Ohm for 1 hour", "x.txt", "is no current"),
    ("Charge at 1 mA until full", "x.txt", "no potential"),
    ("Rest until 4 V", "x.txt", "a rest needs its time"),
    ("Hold at 3 A for 1 h", "x.txt", "no potential"),
    ("", "x.txt", "no step is in this file"),
    ("def f(:\n", "x.py", "no Python source"),
    ("Experiment([open('x').read()])", "x.py", "nothing is executed"),
    ("Experiment(['Rest for 1 s'])\nExperiment(['Rest for 1 s'])", "x.py", "a second experiment"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "file", "said"), WRONG)
def test_what_is_no_step_is_refused_with_its_line(text: str, file: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        of_pybamm(text, file)
    assert said in caught.value.faults[0].message
    assert caught.value.faults[0].mark.line >= 1


def test_what_pybamm_leaves_out_is_asked_for() -> None:
    for text, said in (
        ("Charge at C/2 for 1 hour or until 4 V", "--capacity"),
        ("Charge at 1 mA until 4 V", "--longest"),
        ("Rest for 1 hour", "--limits"),
    ):
        with pytest.raises(InputError, match=said):
            of_pybamm(text, asked=Asked())


def unicycle(*method: dict[str, Any], **words: Any) -> str:
    data = {
        "record": {"time_s": 10, "voltage_V": "0.1"},
        "safety": {"min_voltage_V": -0.1, "max_voltage_V": 5},
    }
    data |= {"sample": {"name": "$NAME", "capacity_mAh": 2}, "method": list(method)} | words
    return json.dumps(data, indent=1)


def of_unicycler(*method: dict[str, Any], **words: Any) -> str:
    return draft.text(unicycler.draft(unicycle(*method, **words), "x.json", Asked(longest="24 h"))[0])


CC = {"step": "constant_current", "until_time_s": 3600}
UNICYCLES = [
    ([{"step": "open_circuit_voltage", "until_time_s": "90"}], "- rest: 1.5 min\n"),
    ([CC | {"rate_C": "C/10", "until_voltage_V": 4.2}], "- strip: 200 uA\n  for: 1 h\n  until: {Ewe_above: 4.2 V}\n"),
    ([CC | {"rate_C": "D/2", "until_voltage_V": 0}], "- plate: 1 mA\n  for: 1 h\n  until: {Ewe_below: 0 V}\n"),
    ([CC | {"current_mA": -0.5}], "- plate: 0.5 mA\n  for: 1 h\n"),
    ([{"step": "constant_voltage", "voltage_V": 4.2, "until_rate_C": 0.05, "until_time_s": ""}],
     "- ca: 4.2 V\n  for: 24 h                                # at most: it names no time\n  until: {I_below: 100 uA}\n"),
    ([{"step": "impedance_spectroscopy", "amplitude_V": 0.01, "start_frequency_Hz": 1e6, "end_frequency_Hz": 0.1}],
     "- peis: peis_1\n"),
    ([{"step": "voltage_scan", "start_voltage_V": 3, "end_voltage_V": 1, "scan_rate_mV_per_s": 0.1}],
     "- lsv: 1 V\n  from: 3 V\n  rate: 0.1 mV/s\n"),
    ([{"step": "tag", "tag": "a"}, CC | {"current_mA": 1}, {"step": "loop", "loop_to": "a", "cycle_count": 3}],
     "- repeat: 3\n  steps:\n    - strip: 1 mA\n      for: 1 h\n"),
    ([CC | {"current_mA": 1}, {"step": "loop", "loop_to": 1, "cycle_count": 3}],
     "- repeat: 3\n  steps:\n    - strip: 1 mA\n      for: 1 h\n"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "said"), UNICYCLES)
def test_a_step_of_unicycler_becomes_one_of_ours(method: list[dict[str, Any]], said: str) -> None:
    assert steps(of_unicycler(*method)) == said


def test_limits_and_records_of_unicycler() -> None:
    rest = {"step": "open_circuit_voltage", "until_time_s": 1}
    text = of_unicycler(
        rest, safety={"min_voltage_V": 0, "max_voltage_V": 4.5, "max_current_mA": 10, "delay_s": 1}
    )
    assert "record: {every: 10 s, dE: 0.1 V}" in text
    assert "Ewe: [0 V, 4.5 V]" in text and "I: 10 mA" in text


UNWISE = [
    ([{"step": "dance"}], "is no step of unicycler"),
    ([{"step": "voltage_scan", "start_voltage_V": 0}], "needs start_voltage_V"),
    ([CC], "needs rate_C or current_mA"),
    ([CC | {"current_mA": "much"}], "is no number"),
    ([CC | {"current_mA": 1, "until": 3}], "until is no word of constant_current"),
    ([{"step": "open_circuit_voltage"}], "needs until_time_s"),
    ([CC | {"current_mA": 1}, {"step": "loop", "loop_to": 5, "cycle_count": 3}], "no earlier step"),
    ([], "method is a list of steps"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "said"), UNWISE)
def test_what_unicycler_should_not_say_has_its_line(method: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(InputError) as caught:
        of_unicycler(*method)
    assert any(said in fault.message for fault in caught.value.faults), caught.value


def test_a_charge_limit_of_a_run_is_refused() -> None:
    with pytest.raises(InputError, match="end the steps on `charge`"):
        of_unicycler({"step": "open_circuit_voltage", "until_time_s": 1}, safety={"max_capacity_mAh": 5})
