"""Every slip we could think of: the fault stands on its line and says what would be right."""

from __future__ import annotations

import pytest

from nakctl.errors import Fault, ProtocolError
from nakctl.protocol.load import understand
from nakctl.text.reader import read_text

WHOLE = """\
nakctl: 1
name: All words once
source: none
params:
  levels: 0.05, 0.1 mA/cm2
  hold: 1 h
spectra:
  geis5: {kind: geis, amplitude: 5 uA, from: 7 MHz, to: 5 Hz, per_decade: 10}
  peis10: {kind: peis, amplitude: 10 mV, frequencies: "1 kHz, 10 Hz"}
record: {every: 1 s, dE: 5 mV}
limits: {Ewe: [-3 V, 3 V], I: 1 mA, time: 24 h}
stop_when:
  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}
steps:
  - rest: 10 min
    spectra: {use: peis10, every: 5 min}
  - staircase: $levels
    steps:
      - strip: $level
        for: $hold
        spectra: geis5
        until: {Ewe_above: 2 V, then: end loop}
  - staircase: {from: 0.1 mA/cm2, to: 0.3 mA/cm2, step: 0.1 mA/cm2}
    as: current
    steps:
      - geis: geis5
        during: {strip: $current}
  - ca: 0.1 V
    for: 1 min
    record: {every: 1 s, dI: 1 uA}
    until:
      - I_below: 1 uA
      - charge: 0.1 mAh/cm2
  - pulse: {strip: 1 mA/cm2}
    on: 1 s
    off: 5 s
    repeat: 100
  - repeat: 3
    until: {charge: 1 mAh/cm2}
    steps:
      - plate: 0.1 mA/cm2
        for: 0.2 mAh/cm2
      - cp: -0.1 mA/cm2
        for: 1 min
finally: rest
"""

SLIPS = [
    # words
    ("nakctl: 1\n", "nakctl: 2\n", 1, "must be 1"),
    ("name: All words once\n", "nane: All words once\n", 2, "nane is no word of a protocol; did you mean name?"),
    ("name: All words once\n", "", 1, "a protocol needs the word name (a title)"),
    ("finally: rest", "finally: hold", 45, "must be rest"),
    ("limits: {Ewe: [-3 V, 3 V], I: 1 mA, time: 24 h}\n", "", 1, "needs the word limits"),
    ("limits: {Ewe: [-3 V, 3 V], I", "limits: {I", 11, "limits needs the word Ewe"),
    ("{every: 1 s, dE: 5 mV}", "{evry: 1 s, dE: 5 mV}", 10, "evry is no word of record; did you mean every?"),
    ("  - rest: 10 min\n    spectra", "  - rets: 10 min\n    spectra", 15, "rets is no step; did you mean rest?"),
    ("geis: geis5\n", "eis: geis5\n", 26, "eis is EC-Lab's word: write `peis: NAME` (a potential excites) or `geis: NAME`"),
    ("rest: 10 min\n", "Rest: 10 min\n", 15, "Rest is no step; did you mean rest?"),
    ("    for: 1 min\n    record", "    four: 1 min\n    record", 29, "four is no word of ca; did you mean for?"),
    ("        for: 1 min\nfinally", "finally", 43, "cp needs the word for (a time or a charge), or an until that ends it"),
    ("        for: 1 min\nfinally", "        fro: 1 min\nfinally", 44, "fro is no word of cp; did you mean for?"),
    ("rest: 10 min\n", "rest: forver\n", 15, "expected a time, such as 10 s, or forever"),
    ("        for: 0.2 mAh/cm2\n", "        for: 0.2 mAh/cm2\n        rest: 1 h\n", 43, "plate and rest are kinds of step"),
    ("    off: 5 s\n", "    off: 5 s\n    rest: 5 s\n", 37, "pulse and rest are both kinds of step"),
    ("  - rest: 10 min\n    spectra", "  - spectra", 15, "spectra refines a step: it stands under the step before"),
    ("  - rest: 10 min\n", "  - rest\n  - rest: 10 min\n", 15, "rest needs its value: `rest: 10 min`"),
    ("pulse: {strip: 1 mA/cm2}", "pulse: 1 mA/cm2", 34, "which way? Write `pulse: {strip: 1 mA/cm2}`, or plate"),
    ("pulse: {strip: 1 mA/cm2}", "pulse: {rest: 1 mA/cm2}", 34, "rest is no word of pulse; its words are: strip, plate, charge, discharge, cp"),
    ("pulse: {strip: 1 mA/cm2}", "pulse: {}", 34, "pulse needs one of: strip, plate, charge, discharge, cp"),
    ("{strip: $current}", "{strip: $current, cp: 1 mA}", 27, "strip and cp at once"),
    ("{strip: $current}", "{ca: 1 V}", 27, "during, in geis, needs one of: strip, plate, charge, discharge, cp"),
    # values
    ("hold: 1 h", "hold: 1", 20, "1 has no unit"),
    ("hold: 1 h", "hold: 1 V", 20, "1 V is a potential: expected a time, a charge per area, a charge or a part of the capacity"),
    ("hold: 1 h", "hold: 1 V", 20, "($hold is 1 V, line 6)"),
    ("hold: 1 h", "hold:", 6, "hold has no value: give its default"),
    ("hold: 1 h", "hold: $levels", 6, "a parameter cannot stand for another"),
    ("hold: 1 h", "hold: 1 h\n  spare: 3 h", 7, "spare is never used"),
    ("for: $hold", "for: $hodl", 20, "$hodl is no parameter; did you mean hold? known here are: $levels, $hold, $level"),
    ("for: $hold", "for: $level", 20, "0.05 mA/cm2 is a current per area: expected a time"),
    ("rest: 10 min\n", "rest: $level\n", 15, "$level is no parameter"),
    ("rest: 10 min\n", "rest: 10\n", 15, "10 has no unit: a time needs one; did you mean 10 s?"),
    ("rest: 10 min\n", "rest: 1:30\n", 15, "1.5 h if these are hours and minutes"),
    ("rest: 10 min\n", "rest: -10 min\n", 15, "a time must be greater than zero"),
    ("rest: 10 min\n", "rest: 10 minutes\n", 15, "minutes is no unit; did you mean min?"),
    ("rest: 10 min\n", "rest:\n", 15, "rest has no value"),
    ("rest: 10 min\n", "rest: [10 min]\n", 15, "one value stands without brackets: write `rest: 10 min`"),
    ("rest: 10 min\n", "rest: nan h\n", 15, "not a number with a unit"),
    ("from: 7 MHz, to: 5 Hz", "from: 7 MHZ, to: 5 Hz", 8, "did you mean mHz or MHz?"),
    ("per_decade: 10}", "per_decade: ten}", 8, "must be a number"),
    ("per_decade: 10}", "per_decade: 0}", 8, "is not greater than 0"),
    ("per_decade: 10}", "per_decade: 10, drift_correction: on}", 8, "must be true or false"),
    ("per_decade: 10}", "per_decade: 10, average: 1.5}", 8, "must be a whole number"),
    ("levels: 0.05, 0.1 mA/cm2", "levels: 0,05 mA/cm2", 17, "a comma between digits: write 0.05 mA/cm2 with a point"),
    ("levels: 0.05, 0.1 mA/cm2", "levels: [0.05 mA/cm2, 0.1] mA/cm2", 5, "write `0.05 mA/cm2, 0.1 mA/cm2`, without brackets"),
    ("levels: 0.05, 0.1 mA/cm2", "levels: [0.05, 0.1 mA/cm2]", 17, "0.05 has no unit"),
    ("levels: 0.05, 0.1 mA/cm2", "levels: -0.05, 0.1 mA/cm2", 19, "directions already"),
    ("levels: 0.05, 0.1 mA/cm2", "levels: 0.05 V, 0.1 mA/cm2", 17, "do not belong in one list"),
    ("plate: 0.1 mA/cm2", "plate: -0.1 mA/cm2", 41, "strip, plate, charge and discharge are directions already: write it without sign"),
    ("repeat: 100", "repeat: always", 37, "must be a whole number or forever"),
    ("repeat: 3\n", "repeat: 0\n", 38, "is smaller than 1"),
    ("then: end loop", "then: end the loop", 22, "must be next step or end loop or end run; did you mean end loop?"),
    ("name: All words once", f"name: {'x' * 200}", 2, "is longer than 100 characters"),
    ("name: All words once", "name: 5", 2, "must be text"),
    ("steps:\n  - rest", "steps:\n    rest", 17, "wrong indentation"),
    ("spectra:\n  geis5", "spectra:\n  5geis", 8, "a name begins with a letter"),
    # rules
    ("Ewe: [-3 V, 3 V]", "Ewe: [3 V, -3 V]", 11, "the lowest Ewe stands first"),
    ("Ewe: [-3 V, 3 V]", "Ewe: [1 V, 1000 mV]", 11, "1 V is not below 1000 mV"),
    ("Ewe: [-3 V, 3 V]", "Ewe: 3 V", 11, "both ends are needed: write `Ewe: [-3 V, 3 V]`"),
    ("Ewe: [-3 V, 3 V]", "Ewe: [3 V]", 11, "a value is missing"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {Ewe_above: 2 V, Ewe_below: 0 V}", 22, "Ewe_above and Ewe_below at once"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {then: end loop}", 22, "a cutoff needs one of: Ewe_above"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: Ewe > 2 V", 22, "conditions are words: write `until: {Ewe_above: 2 V}`"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {dEwe_dt_below: 1 mV/h}", 22, "needs the time that it is fitted to"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {Ewe_above: 2 V, over: 1 min}", 22, "only dEwe_dt and dI_dt look back"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {dEwe_dt_below: 1 mV, over: 1 min}", 22, "1 mV is a potential"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {dEwe_dt_below: 0 mV/h, over: 1 min}", 22, "greater than zero"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {dI_dt_below: 1 uA/h, over: 1 min}", 22, "the current is set here"),
    ("- I_below: 1 uA", "- {dEwe_dt_below: 1 mV/h, over: 1 min}", 32, "the potential is set here"),
    ("    until: {charge: 1 mAh/cm2}", "    until: {charge: 1 mAh/cm2, step: x, ended_by: short}", 39, "give one of them"),
    ("    until: {charge: 1 mAh/cm2}", "    until: {step: x}", 39, "needs `charge: 1 mAh/cm2` or `step: LABEL"),
    ("  - ca: 0.1 V\n    for: 1 min\n", "  - if: {step: x, ended_by: limit}\n    then: [{rest: 1 s}]\n  - ca: 0.1 V\n    for: 1 min\n", 28, "skipped"),
    ("  - ca: 0.1 V\n    for: 1 min\n", "  - ask: ''\n  - ca: 0.1 V\n    for: 1 min\n", 28, "is empty"),
    ("  - ca: 0.1 V\n", "  - ca: 1 mA vs OCV\n", 28, "1 mA is a current"),
    ("  - ca: 0.1 V\n", "  - ca: start\n", 28, "is not a number with a unit"),
    ("- I_below: 1 uA", "- short: true", 32, "the potential is held here, so it cannot fall"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {short: yes please}", 22, "must be"),
    ("stop_when:\n  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}", "rules:\n  short: {Ewe_falls_by: 175 %, within: 2 min, below: 15 mV}", 13, "cannot fall by more than 100 %"),
    ("stop_when:\n  short:", "rules:\n  short: {Ewe_falls_by: 75 %, within: 2 min, below: 15 mV}\nstop_when:\n  short:", 13, "short is told twice"),
    ("until: {Ewe_above: 2 V, then: end loop}", "until: {I_above: 1 mA}", 22, "the current is set here"),
    ("      - charge: 0.1", "      - chrage: 0.1", 33, "chrage is no word of until; did you mean charge?"),
    ("- I_below: 1 uA\n", "- {I_below: 1 uA, then: end loop}\n", 32, "no repeat, staircase or pulse is around"),
    ("dI: 1 uA", "dE: 1 mV", 30, "dE says nothing in ca: use dI or every"),
    ("spectra: geis5", "spectra: peis10", 21, "peis10 is a peis sweep: under strip a sweep of kind geis is needed"),
    ("spectra: geis5", "spectra: gies5", 21, "gies5 is not declared under spectra; did you mean geis5?"),
    ("amplitude: 5 uA", "amplitude: 5 mV", 8, "the amplitude of geis is a current, such as 5 uA"),
    ("amplitude: 10 mV", "amplitude: 10 mA", 9, "the amplitude of peis is a potential, such as 10 mV"),
    ("to: 5 Hz, per_decade: 10", "to: 5 Hz", 8, "a sweep needs one of: per_decade, points"),
    ("from: 7 MHz, to: 5 Hz", "to: 5 Hz", 8, "from is missing"),
    ('frequencies: "1 kHz, 10 Hz"', 'frequencies: "1 kHz, 10 Hz", points: 3', 9, "frequencies lists them all already"),
    ("step: 0.1 mA/cm2", "step: 0.15 mA/cm2", 23, "do not end at 0.3 mA/cm2"),
    ("step: 0.1 mA/cm2", "step: -0.1 mA/cm2", 23, "the step is a distance, above zero"),
    ("step: 0.1 mA/cm2", "step: 0.1 mA", 23, "must be of one dimension"),
    ("step: 0.1 mA/cm2", "step: 1e-9 mA/cm2", 23, "more than 10000 levels"),
    ("from: 0.1 mA/cm2, to", "from: $current, to", 23, "$current is no parameter"),
    ("        for: $hold", "        for: $hold\n      - staircase: $level\n        as: b\n        steps: [{ca: $b, for: 1 s}]", 21, "$level stands for one value, not for a list"),
    ("        for: $hold", "        for: $hold\n      - staircase: {from: $level, to: 1 A, step: 1 A}\n        as: b\n        steps: [{ca: $b, for: 1 s}]", 21, "from must be fixed"),
    ("repeat: 3\n", "repeat: $level\n", 38, "$level is no parameter"),
    ("        for: $hold", "        for: $hold\n      - repeat: $level\n        steps: [{rest: 1 s}]", 21, "must be a whole number or forever"),
    ("as: current", "as: hold", 24, "$hold is a parameter already"),
    ("Ewe_falls_by: 75 %", "Ewe_falls_by: 175 %", 13, "cannot fall by more than 100 %"),
    # YAML
    ("hold: 1 h\n", "hold: 1 h\n  hold: 2 h\n", 7, "hold stands here a second time, first on line 6"),
    ("    on: 1 s\n", "\ton: 1 s\n", 35, "a tab stands here: use spaces"),
    ("    on: 1 s\n", "    on 1 s\n", 35, "a word without its colon"),
    ("    on: 1 s\n", "    on: &x 1 s\n", 35, "anchors and aliases"),
    ("    on: 1 s\n", "    <<: *x\n", 35, "anchors and aliases"),
    ("    on: 1 s\n", "    <<: {on: 1 s}\n", 35, "merge keys"),
    ("    on: 1 s\n", "    on: !time 1 s\n", 35, "the tag !time is not part of the language"),
    ("    on: 1 s\n", "   on: 1 s\n", 35, "wrong indentation"),
    ("    on: 1 s\n", "    1: 1 s\n", 35, "1 cannot be a word"),
    ("source: none\n", "source: Fig. 1: none\n", 3, "a colon too many"),
    ("source: none\n", "source: 'none\n", 3, "this quote is not closed"),
    ("source: none\n", "source: @none\n", 3, "a text that begins with @ needs quotes"),
    ("source: none\n", "source: a\x07b\n", 3, "an invisible character (U+0007)"),
    ("finally: rest\n", "finally: rest\n---\nname: another\n", 46, "a second document begins here"),
    ("per_decade: 10}", "per_decade: 10", 8, "not closed"),
]  # fmt: skip


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(ProtocolError) as caught:
        understand(read_text(text, "broken.yaml", ProtocolError), {})
    return caught.value.faults


def test_a_misspelt_word_is_one_fault() -> None:
    assert [fault.mark.line for fault in faults_of(WHOLE.replace("finally: rest", "finaly: rest"))] == [45]
    assert [fault.mark.line for fault in faults_of(WHOLE.replace("    on: 1 s\n", "    no: 1 s\n"))] == [
        34,
        35,
    ]


def test_faults_of_all_kinds_come_together() -> None:
    text = WHOLE
    for right, wrong in [
        ("hold: 1 h", "hold: 1"),
        ("every: 1 s, dE", "evry: 1 s, dE"),
        ("[-3 V, 3 V]", "[3 V, -3 V]"),
        ("rest: 10 min", "rest: $pause"),
        ("spectra: geis5", "spectra: geis6"),
        ("finally: rest", "finally: charge"),
    ]:
        text = text.replace(right, wrong)
    assert [fault.mark.line for fault in faults_of(text)] == [10, 11, 15, 20, 21, 45]


def test_the_whole_one_has_no_fault() -> None:
    assert understand(read_text(WHOLE, "whole.yaml"), {}).protocol.name == "All words once"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "phrase"), SLIPS, ids=[f"{s[2]}: {s[1].strip()[:40]}" for s in SLIPS]
)
def test_a_slip_is_told_on_its_line(right: str, wrong: str, line: int, phrase: str) -> None:
    assert WHOLE.count(right) == 1, "the row must change one place"
    faults = faults_of(WHOLE.replace(right, wrong))
    assert line in [fault.mark.line for fault in faults]
    assert phrase in " ".join(fault.message for fault in faults if fault.mark.line == line), faults


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("nakctl: 1\nname: x\n", "a protocol needs the words limits and steps ("),
        (
            "nakctl: 1\nname: x\nlimits: {Ewe: [-3 V, 3 V]}\nsteps:\n  - cv: 1 V, 0 V\n",
            "cv needs the words from (where the first scan begins, e.g. OCV) and rate (",
        ),
    ],
)
def test_words_that_are_missing_are_told_together(text: str, phrase: str) -> None:
    [fault] = faults_of(text)
    assert fault.message.startswith(phrase)


@pytest.mark.parametrize(
    ("step", "phrase"),
    [
        (
            "strip: 1 mA, until: {Ewe_above: 1 V}",
            "strip without the word for lasts at most as long as the whole run may",
        ),
        ("rest: forever, until: {Ewe_above: 1 V}", "write `limits: {..., time: 100 h}`"),
        ("strip: 1 mA, until: []", "strip needs the word for (a time or a charge), or an until that ends it"),
        ("ca: 1 V", "ca needs the word for (a time), or an until that ends it"),
    ],
)
def test_a_step_without_a_time_needs_what_ends_it(step: str, phrase: str) -> None:
    text = f"nakctl: 1\nname: x\nlimits: {{Ewe: [-3 V, 3 V]}}\nsteps:\n  - {{{step}}}\n"
    [fault] = faults_of(text)
    assert (fault.mark.line, phrase in fault.message) == (5, True), fault
