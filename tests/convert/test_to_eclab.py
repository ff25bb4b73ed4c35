"""Plans as EC-Lab says them, and what it cannot say."""

from __future__ import annotations

import textwrap

import pytest
from converting import CELL, exported, plan_of, same_plan, table, told
from converting import imported as import_

from nakctl.convert.settings import read
from nakctl.errors import LimitError

HEAD = """\
nakctl: 1
name: made
limits: {Ewe: [-2 V, 2 V], I: 10 mA, time: 100 h}
finally: rest
spectra:
  g: {kind: geis, amplitude: 5 uA, from: 100 kHz, to: 10 Hz, per_decade: 5}
  p: {kind: peis, amplitude: 10 mV, from: 100 kHz, to: 10 Hz, per_decade: 5}
steps:
"""


def protocol(steps: str, head: str = HEAD) -> str:
    return head + textwrap.indent(textwrap.dedent(steps), "  ")


def techniques(steps: str) -> list[str]:
    return [name for name, _ in table(read(exported(protocol(steps)), "x.mps"))]


OCV, CP, CA = "Open Circuit Voltage", "Chronopotentiometry", "Chronoamperometry / Chronocoulometry"
GCPL = "Galvanostatic Cycling with Potential Limitation"
CV, LSV = "Cyclic Voltammetry", "Linear Sweep Voltammetry"
GEIS, PEIS = (f"{x} Electrochemical Impedance Spectroscopy" for x in ("Galvano", "Potentio"))
TECHNIQUES = [
    ("- rest: 1 h", [OCV]),
    ("- {strip: 1 mA/cm2, for: 1 h}\n- {plate: 1 mA/cm2, for: 1 h}", [CP]),
    ("- {cp: 1 mA, for: 1 h, until: {Ewe_above: 1 V}}\n- {ca: 1 V, for: 1 h, until: {I_below: 10 uA}}\n- rest: 1 h", [GCPL]),
    ("- {cp: 1 mA, for: 1 h}\n- {ca: 1 V, for: 1 h}", [CP, CA]),
    ("- {strip: 1 mA/cm2, for: 5 s}\n- {geis: g, during: {strip: 1 mA/cm2}}", [GEIS]),
    ("- {strip: 1 mA/cm2, for: 5 s}\n- geis: g", [CP, GEIS]),
    ("- {repeat: 3, steps: [peis: p]}", [PEIS]),
    ("- {repeat: 3, steps: [{cp: 1 mA, for: 1 s}, {cp: -1 mA, for: 1 s}]}", [CP]),
    ("- {cv: '1 V, -0.2 V', from: 0 V, rate: 10 mV/s, cycles: 3, to: 0.5 V, record: {dE: 2 mV}}", [CV]),
    ("- {rest: 1 h}\n- {lsv: 1.5 V, from: 0.1 V, rate: 0.1 mV/s, record: {dE: 1 mV}}", [LSV]),
    ("- {repeat: 2, steps: [{cv: '1 V, 0 V', from: 0.5 V, rate: 1 V/s, record: {dE: 1 mV}}]}", [CV, "Loop"]),
    ("- {lsv: 1 V, from: 0 V, rate: 1 mV/s, record: {dE: 1 mV}}\n- {cp: 1 mA, for: 1 s, until: {Ewe_above: 1 V, then: end run}}", ["Modulo Bat"]),
    ("- {repeat: 3, steps: [{rest: 1 s}, {peis: p}]}", [OCV, PEIS, "Loop"]),
    ("- {pulse: {strip: 1 mA/cm2}, on: 1 s, off: 5 s, repeat: 500}", ["Modulo Bat"]),
    ("- {rest: 1 h, until: {dEwe_dt_below: 2 mV/h, over: 10 min}}", [OCV]),
    ("- {cp: 1 mA, for: 10 min, until: {Ewe_above: 1 V}}\n- {rest: 4 h, until: {dEwe_dt_below: 1 mV/h, over: 10 min}}", [GCPL]),
    ("- {rest: 1 h, until: {Ewe_below: 0.1 V}}", ["Modulo Bat"]),
    ("- rest: 1 h\n- {strip: 1 mA/cm2, for: 1 h, until: {Ewe_above: 1 V, then: end run}}", ["Modulo Bat"]),
    ("- {staircase: '0.1, 0.2 mA', steps: [{cp: $level, for: 5 s}, {geis: g, during: {cp: $level}}]}", [GEIS, GEIS]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "wanted"), TECHNIQUES)
def test_the_simplest_technique_that_can_say_it_is_taken(steps: str, wanted: list[str]) -> None:
    assert techniques(steps) == wanted


@pytest.mark.parametrize("steps", [steps for steps, _ in TECHNIQUES])
@pytest.mark.parametrize("decimal", ["point", "comma"])
def test_what_is_exported_and_imported_gives_the_same_plan(steps: str, decimal: str) -> None:
    text = protocol(steps)
    same_plan(plan_of(text), plan_of(import_(exported(text, decimal=decimal))))


REFUSED = [
    ("- set: {chamber: 60 degC}\n- rest: 1 s", 9, "a set-point of chamber"),
    ("- wait: {sensor: chamber, within: 0.5 K, of: 60 degC, for: 1 min, at_most: 1 h, then: end run}", 9, "a wait for chamber"),
    ("- {rest: 1 h, spectra: p}", 9, "only between steps"),
    ("- {repeat: forever, steps: [{strip: 1 mA/cm2, for: 1 h}]}", 9, "counts its loops"),
    ("- {geis: g, until: {Ewe_above: 1 V}}", 9, "no cutoff during a spectrum"),
    ("- {ca: 1.2345 V, for: 1 s}", 9, "round it"),
    ("- {strip: 1 mA/cm2, for: 1 h, until: {Ewe_above: 12.34567 mV}}", 9, "round it"),
    ("- peis: {amplitude: 10.25 mV, from: 1 kHz, to: 1 Hz, per_decade: 5}", 9, "keeps Va to 0.1 mV"),
    ("- peis: {amplitude: 10 mV, frequencies: '1000, 900, 3 Hz'}", 9, "spaces them evenly"),
    ("- {staircase: '0.1, 0.2 mA', steps: [{cp: $level, for: 5 s, until: {Ewe_above: 1 V, then: end loop}}]}", 9, "leaves this staircase"),
    ("- {staircase: {from: 1 uA, to: 100 uA, step: 1 uA}, steps: [{cp: $level, for: 5 s}]}", 9, "100 sequences"),
    ("- ask: turn the screw", 9, "nothing in EC-Lab's files"),
    ("- {ca: 1 V, for: 1 h, until: {dI_dt_below: 1 uA/h, over: 10 min}}", 9, "is not known"),
    ("- {rest: 1 h, until: {dEwe_dt_below: 0.03 mV/h, over: 10 min}}", 9, "keeps dER/dt to 0.1 mV/h"),
    ("- {power: 5 mW, for: 1 h}", 9, "constant power"),
    ("- {load: 1 kohm, for: 1 h}", 9, "constant load"),
    ("- {ramp: {strip: 2 mA}, from: 0 mA, rate: 1 mA/min}", 9, "a ramp of the current"),
    ("- {lsv: 1 V, from: 0 V, rate: 1 mV/s, until: {I_above: 1 mA}}", 9, "no cutoff during a scan"),
    ("- {strip: 1 mA, for: 1 h, label: out}\n- {plate: 1 mA, for: same charge as out}", 10, "counts no charge from an earlier step"),
    ("- {strip: 100 A, for: 1 h}", 9, "no current range"),
    ("- {rest: 1 h, record: {every: 10 us}}", 9, "0.1 ms"),
    ("- {ca: 1 V, for: 1 h, until: [{I_above: 1 mA}, {I_below: 1 uA}, {charge: 1 mAh}]}", 9, "at most"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "line", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_what_eclab_cannot_say_is_refused_with_its_line(steps: str, line: int, said: str) -> None:
    if "us}" in steps:
        steps = steps.replace("10 us", "0.00001 s")
    with pytest.raises(LimitError) as caught:
        exported(protocol(steps))
    assert [f.mark.line for f in caught.value.faults if said in f.message] == [line], caught.value


def test_a_capacity_that_is_measured_is_refused() -> None:
    head = HEAD.replace("steps:", "capacity: {measured_in: out, about: 2 mAh, within: 30 %}\nsteps:")
    text = protocol("- {strip: C/5, for: 1 h, label: out}\n- {plate: C/5, for: 1 h}", head)
    with pytest.raises(LimitError, match="a capacity that out measures: EC-Lab measures none"):
        exported(text)


def test_rules_of_the_whole_run_are_refused_all_at_once() -> None:
    head = HEAD.replace(
        "finally",
        "stop_when: {short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}, Ewe_above: 1 V}\nfinally",
    ).replace("time: 100 h", "time: 1 min, sensors: {pressure: [8 MPa, 12 MPa]}")
    with pytest.raises(LimitError) as caught:
        exported(protocol("- rest: 1 h", head))
    said = " ".join(fault.message for fault in caught.value.faults)
    assert [fault.mark.line for fault in caught.value.faults] == [3, 3, 4, 4]
    for words in ("short circuit", "stop_when", "sensor pressure", "no longest run"):
        assert words in said


def test_the_limits_are_eclabs_safety_limits() -> None:
    text = exported(protocol("- rest: 1 h")).decode("cp1252")
    assert "\tEwe min = -2.000 V\r\n\tEwe max = 2.000 V\r\n\t|I| = 10.000 mA\r\n" in text
    assert "Ewe ctrl range : min = -2.50 V, max = 2.50 V" in text
    assert "Electrode surface area : 0.500 cm²" in text


def test_twice_the_area_is_twice_the_current() -> None:
    from dataclasses import replace

    text = protocol("- {strip: 0.1 mA/cm2, for: 1 h}")
    one, two = (
        table(read(exported(text, cell=replace(CELL, area_cm2=a)), "x"))[0][1][0]["Is"] for a in (0.5, 1.0)
    )
    assert (one, two) == (50e-6, 100e-6)


def test_a_fine_current_is_written_in_a_finer_unit() -> None:
    raw = exported(protocol("- {cp: 123.4567 uA, for: 1 h}"))
    assert b"Is                  123456.700          \r\nunit Is             nA " in raw


def test_a_loop_that_can_end_early_leads_somewhere() -> None:
    rest = "{strip: 1 mA/cm2, for: 1 s, until: {Ewe_above: 1 V, then: end loop}}, {rest: 1 s}"
    text = protocol(f"- {{repeat: 5, steps: [{rest}]}}")
    [(name, columns)] = table(read(exported(text), "x"))
    assert name == "Modulo Bat"
    assert [column["ctrl_type"] for column in columns] == ["CC", "Rest", "Loop", "Rest"]
    assert columns[0]["lim2_action"] == "Goto sequence" and columns[0]["lim2_seq"] == 3


def test_a_pulse_at_the_trigger_output_is_told() -> None:
    """It is a matter of a wire, and the file is right without it."""
    steps = "- {strip: 1 mA/cm2, for: 1 h, trigger_out: 1 ms}"
    assert exported(protocol(steps)) == exported(protocol(steps.replace(", trigger_out: 1 ms", "")))
    pulse = "trigger_out is not in the file: put EC-Lab's Trigger Out before this technique"
    assert [each for each in told(protocol(steps)) if "trigger" in each] == [pulse]
