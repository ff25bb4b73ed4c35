"""EC-Lab's techniques as steps, and what is refused by line."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from converting import imported, loaded, plan_of
from eclab_files import Made, ca, cp, gcpl, geis, loop, made, mb, ocv, peis, with_table

from nakctl.convert import draft, from_eclab, settings
from nakctl.errors import InputError
from nakctl.plan.plan import Hold, Repeat, Spectrum, walk

F = (("1.000", "MHz"), ("1.000", "Hz"))


def steps(*techniques: Made, **words: Any) -> str:
    text = imported(made(techniques, **words))
    lines = text[text.index("steps:\n") + 7 : text.index("finally:")]
    kept = [line for line in lines.splitlines() if not line.lstrip().startswith("# technique")]
    return textwrap.dedent("\n".join(kept)) + "\n"


STEPS = [
    ([ocv("1:30:0.0000", **{"dER (mV)": "5.00"})], "- rest: 1.5 h\n  record: {every: 1 s, dE: 5 mV}\n"),
    ([cp("-25.000", "µA", "0:00:0.5000")],
     "- cp: -25 uA\n  for: 0.5 s\n  record: {every: 1 s}\n  ranges: {I: 100 uA, bandwidth: 8}\n"),
    ([cp("2.000", "mA", "0:10:0.0000", **{"EM (V)": "0.100", "dQM": "0.100", "unit dQM": "mA.h"})],
     "- cp: 2 mA\n  for: 10 min\n  until: [{Ewe_above: 0.1 V}, {charge: 0.1 mAh}]\n  record: {every: 1 s}\n"
     "  ranges: {I: 100 uA, bandwidth: 8}\n"),
    ([ca("0.600", "0:02:0.0000", Imin="0.020", record="<I>")],
     "- ca: 0.6 V\n  for: 2 min\n  until: {I_below: 0.02 mA}\n  record: {every: 0.1 s}\n  ranges: {bandwidth: 8}\n"),
    ([geis("0.000", "mA", "5.000", *F)], "- geis: geis_1\n"),
    ([geis("-0.025", "mA", "5.000", *F, **{"tIs (h:m:s)": "0:00:5.0000"})],
     "- cp: -0.025 mA\n  for: 5 s\n  ranges: {I: 100 uA, bandwidth: 8}\n- geis: geis_1\n  during: {cp: -0.025 mA}\n"),
    ([peis("10.0", *F, **{"E (V)": "1.3000", "vs.": "Ref"})], "- peis: peis_1\n  during: {ca: 1.3 V}\n"),
    ([peis("10.0", *F, **{"nc cycles": "3"})], "- repeat: 4\n  steps:\n    - peis: peis_1\n"),
    ([ocv("0:00:1.0000"), peis("10.0", *F), loop(1, 2), ocv("0:00:2.0000"), loop(1, 1)],
     "- repeat: 2\n  steps:\n    - repeat: 3\n      steps:\n        - rest: 1 s\n          record: {every: 1 s}\n"
     "        - peis: peis_1\n    - rest: 2 s\n      record: {every: 1 s}\n"),
    ([cp(["1.000", "2.000"], "µA", "0:00:1.0000", **{"goto Ns'": ["0", "0"], "nc cycles": ["0", "9"]})],
     "- repeat: 10\n  steps:\n    - cp: 1 uA\n      for: 1 s\n      record: {every: 1 s}\n"
     "      ranges: {I: 100 uA, bandwidth: 8}\n    - cp: 2 uA\n      for: 1 s\n      record: {every: 1 s}\n"
     "      ranges: {I: 100 uA, bandwidth: 8}\n"),
    ([gcpl(["1.000"], ["mA"], ["1:00:0.0000"], ["4.200"], ["0:10:0.0000"],
           **{"tM (h:m:s)": "0:30:0.0000", "Im": "0.050", "I Range": "10 mA"})],
     "- cp: 1 mA\n  for: 1 h\n  until: {Ewe_above: 4.2 V}\n  record: {every: 10 s}\n  ranges: {I: 10 mA, bandwidth: 5}\n"
     "- ca: 4.2 V                                # EC-Lab holds only if the current reached EM\n  for: 30 min\n"
     "  until: {I_below: 0.05 mA}\n  record: {every: 2 min}\n  ranges: {I: 10 mA, bandwidth: 5}\n"
     "- rest: 10 min\n  record: {every: 1 s}\n"),
    ([mb(["VS"], ctrl1_val="5", ctrl1_val_unit="mV/s", ctrl2_val="3.0", ctrl2_val_unit="V", ctrl2_val_vs="Ref", ctrl3_val="1.0", ctrl3_val_unit="V", ctrl3_val_vs="Ref", lim_nb="0")],
     "- lsv: 1 V\n  from: 3 V\n  rate: 5 mV/s\n  record: {every: 1 s}\n  ranges: {I: 10 mA, bandwidth: 5}\n"),
    ([mb(["CC"], **{"ctrl1_val": "0.500", "ctrl1_val_unit": "mA", "charge/discharge": "Discharge"})],
     "- cp: -0.5 mA\n  for: 10 s\n  record: {every: 1 s}\n  ranges: {I: 10 mA, bandwidth: 5}\n"),
    ([mb(["CC"], ctrl1_val="-0.500", ctrl1_val_unit="mA")],
     "- cp: -0.5 mA\n  for: 10 s\n  record: {every: 1 s}\n  ranges: {I: 10 mA, bandwidth: 5}\n"),
    ([mb(["Rest", "PEIS"], ctrl1_val=["0", "10.000"], ctrl1_val_unit=["", "mV"], ctrl2_val=["0", "10.000"], ctrl2_val_unit=["", "kHz"], ctrl3_val=["0", "1.000"], ctrl3_val_unit=["", "Hz"], lim_nb=["1", "0"])],
     "- rest: 10 s\n  record: {every: 1 s}\n- peis: peis_1\n"),
]  # fmt: skip


@pytest.mark.parametrize(("techniques", "said"), STEPS)
def test_a_technique_becomes_steps(techniques: list[Made], said: str) -> None:
    wide = any(name.startswith("Galvanostatic") for name, _ in techniques)
    assert steps(*techniques, E_range=("0.00", "5.00") if wide else ("-2.50", "2.50")) == said


def test_points_in_all_and_linear_and_the_old_way_of_saying_it() -> None:
    for rows, said in (
        ({"Points": "from fi to ff", "Nd": "51"}, "points: 51"),
        ({"spacing": "Linear", "Nd": "20", "Points": "from fi to ff"}, "points: 20\n    spacing: linear"),
    ):
        assert said in imported(made([peis("10.0", *F, **rows)]))
    name, old = peis("10.0", *F)
    old = {k: v for k, v in old.items() if k not in ("Mode", "Points", "spacing")}
    old |= {"Multi Sine": "0", "Sel Nd": "1", "Nd": "6", "Nt": "51", "Log": "1"}
    assert "per_decade: 6" in imported(made([(name, old)]))


def test_equal_sweeps_are_declared_once() -> None:
    text = imported(made([peis("10.0", *F), peis("10.0", *F), peis("5.0", *F)]))
    assert text.count("kind: peis") == 2
    assert [step.sweep.name for step in walk(plan_of(text).steps) if isinstance(step, Spectrum)] == [
        "peis_1", "peis_1", "peis_2",
    ]  # fmt: skip


def test_safety_limits_are_limits_and_else_the_potential_range_is() -> None:
    safe = [
        "Safety Limits :",
        "\tEwe min = -0.50 V",
        "\tEwe max = 0.00 V",
        "\t|I| = 1.000 mA",
        "\tfor t > 0 ms",
    ]
    limits = plan_of(imported(made([ocv("0:00:1.0000")], header=safe))).limits
    assert (limits.Ewe_min_V, limits.Ewe_max_V, limits.I_max_A) == (-0.5, 0.0, 1e-3)  # 0 V is a limit
    text = imported(made([ocv("0:00:1.0000")], E_range=("-1.00", "3.50"), comma=True))
    assert "Ewe: [-1 V, 3.5 V]" in text and "sets no safety limit" in text


def test_c_over_n_takes_the_battery_capacity_of_the_file() -> None:
    words = {"Set I/C": "C / N", "N": "10.00", "I sign": "< 0", "I Range": "10 mA"}
    technique = gcpl(["7.000"], ["mA"], ["10:00:0.0000"], ["2.500"], ["0:00:0.0000"], **words)
    [hold] = plan_of(
        imported(made([technique], header=["Battery capacity : 2.100 mA.h"], E_range=("0", "5")))
    ).steps
    assert isinstance(hold, Hold)
    assert hold.level == pytest.approx(-0.21e-3)
    assert [(c.side, c.value) for c in hold.cutoffs] == [("below", 2.5)]
    with pytest.raises(InputError, match="without a battery capacity"):
        imported(made([technique], E_range=("0", "5")))


def test_what_modulo_bat_does_after_a_limit_is_kept() -> None:
    rows = {
        "ctrl1_val": ["1.000", "1.000", "", ""], "ctrl1_val_unit": ["mA", "mA", "", ""],
        "charge/discharge": ["Charge", "Discharge", "Charge", "Charge"], "lim_nb": ["2", "2", "0", "1"],
        "lim2_type": "Ewe", "lim2_comp": [">", "<", ">", ">"], "lim2_value": ["1.000", "-1.000", "0", "0"],
        "lim2_value_unit": "V", "lim2_action": ["Goto sequence", "Stop", "Next sequence", "Next sequence"],
        "lim2_seq": ["3", "9999", "3", "4"], "ctrl_seq": "0", "ctrl_repeat": ["0", "0", "4", "0"],
        "rec_nb": "0",
    }  # fmt: skip
    plan = plan_of(imported(made([mb(["CC", "CC", "Loop", "Rest"], **rows)])))
    train, rest = plan.steps
    assert isinstance(train, Repeat) and isinstance(rest, Hold)
    assert train.times == 5
    assert [
        (c.side, c.value, c.then) for hold in train.steps if isinstance(hold, Hold) for c in hold.cutoffs
    ] == [
        ("above", 1.0, "end loop"),
        ("below", -1.0, "end run"),
    ]


REFUSED = [
    ([("Cyclic Voltammetry Advanced", {})], "Cyclic Voltammetry Advanced is not read"),
    ([("Staircase Galvano Electrochemical Impedance Spectroscopy", {})], "write a staircase with `geis`"),
    ([("Galvanostatic Cycling with Potential Limitation 2", {})], "write it as GCPL"),
    ([("Wait", {})], "write a rest for as long"),
    ([("External Application", {"App Name": "C:\\x.exe"})], "leave it out"),
    ([("Chronopotentiometri", {})], "did you mean Chronopotentiometry?"),
    ([("Dance", {})], "is no technique that nakctl reads"),
    ([cp("1,2,3", "µA", "0:00:1.0000")], "'1,2,3' is no number"),
    ([cp("1.000", "Mango", "0:00:1.0000")], "'Mango' is no unit"),
    ([cp("1.000", "µA", "12")], "no time in h:m:s"),
    ([cp("1.000", "µA", "")], "the file is not whole"),
    ([cp("1.000", "µA", "0:00:1.0000", **{"vs.": "Ictrl"})], "sets currents outright"),
    ([ca("1.000", "0:00:1.0000", **{"vs.": "Emeas"})], "vs. Emeas"),
    ([ca("1.000", "0:00:1.0000", Imax="1.000", Imin="-2.000")], "of different size"),
    ([geis("0.000", "mA", "5.000", *F, **{"Ia/Va": "Va"})], "nakctl sets the current"),
    ([peis("10.0", *F, Mode="Multi sine")], "multi-sine"),
    ([gcpl(["1.000"], ["mA"], ["1:00:0.0000"], ["4.200"], ["0:00:0.0000"], **{"EL (V)": "3.500"})], "a jump on Ewe"),
    ([gcpl(["1.000"], ["mA"], ["1:00:0.0000"], ["4.200"], ["0:00:0.0000"], dxM="0.500")], "intercalated"),
    ([mb(["UP"])], "the table of this urban profile is not in the file: write `profile: FILE.csv`"),
    ([("Urban Profile Importation", {})], "write `profile: FILE.csv`"),
    ([("Galvano Profile Importation", {})], "write `profile: FILE.csv`"),
    ([mb(["Rest"], lim_nb="0")], "no limit on the time"),
    ([mb(["CC"], **{"ctrl1_val": "-1.000", "ctrl1_val_unit": "mA", "charge/discharge": "Discharge"})], "beside Discharge"),
    ([mb(["Rest"], lim_nb="1", lim1_type="Ece", lim1_value_unit="V")], "cannot end on this"),
    ([ocv("0:00:1.0000"), loop(3, 1)], "does not go back"),
    ([ocv("0:00:1.0000"), ocv("0:00:1.0000"), loop(1, 1), ocv("0:00:1.0000"), loop(2, 1)], "overlaps another one"),
    ([ocv("0:00:0.0000")], "nothing in this file lasts any time"),
]  # fmt: skip


@pytest.mark.parametrize(("techniques", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_what_cannot_be_said_is_refused_with_its_line(techniques: list[Made], said: str) -> None:
    raw = made(techniques)
    with pytest.raises(InputError) as caught:
        from_eclab.draft(settings.read(raw, "x.mps"))
    [fault] = [fault for fault in caught.value.faults if said in fault.message]
    lines = raw.decode("cp1252").split("\r\n")
    assert fault.text == lines[fault.mark.line - 1].rstrip()


SINE = (("0.00000", "0.00000"), ("0.50000", "1.50000"), ("1.00000", "-1.5e-03"), ("2.00000", "0.00000"))


def profile_of(raw: bytes) -> tuple[str, dict[str, str]]:
    drafted, _ = from_eclab.draft(settings.read(raw, "a drive.mps"))
    text = draft.text(drafted)
    loaded(text)
    return text[text.index("steps:\n") :], drafted.tables


def test_an_urban_profile_becomes_a_table_beside_the_protocol() -> None:
    raw = made([ocv("0:00:1.0000"), mb(["UP"], lim_nb="0")])
    text, tables = profile_of(with_table(raw, *SINE, at="2 0"))
    assert tables == {"a_drive_2_0.csv": "time/s,Ewe/V\n0,0\n0.5,1.5\n1,-0.0015\n2,0\n"}
    assert (
        "- profile: a_drive_2_0.csv\n    record: {every: 1 s}\n    ranges: {I: 10 mA, bandwidth: 5}\n" in text
    )
    assert "EC-Lab's file does not say so" in text


def test_a_profile_of_currents_keeps_its_ends_and_its_unit() -> None:
    rows = {
        "lim_nb": ["1", "2"], "lim1_value": "1.500", "lim2_type": "Ewe", "lim2_comp": ">", "lim2_value": "4.2",
        "lim2_value_unit": "V", "lim2_action": "Stop", "lim2_seq": "1",
    }  # fmt: skip
    raw = with_table(made([mb(["Rest", "UP"], **rows)]), *SINE, head="Time/s, I/\u00b5A", at="1 1")
    text, tables = profile_of(raw)
    # What lies behind its limit on the time never happens.
    assert tables == {"a_drive_1_1.csv": "time/s,I/uA\n0,0\n0.5,1.5\n1,-0.0015\n1.5,-0.0015\n"}
    assert "until: {Ewe_above: 4.2 V, then: end run}" in text
    comma = tuple((time.replace(".", ","), value.replace(".", ",")) for time, value in SINE)
    raw = made([mb(["UP"], lim_nb="0")])
    assert profile_of(with_table(raw, *comma))[1] == profile_of(with_table(raw, *SINE))[1]


UP = [mb(["UP"], lim_nb="0")]
TABLES = [
    (with_table(made(UP), *SINE, says=5), "says 5 values and holds 4"),
    (with_table(made(UP), *SINE, head="Time/s, P/W"), "a profile here is of a current or a potential"),
    (with_table(made(UP), *SINE, head="t, E"), "this head of a table is none that nakctl knows"),
    (with_table(made(UP), *SINE, at="one 0"), "this head of a table is none that nakctl knows"),
    (with_table(made(UP), ("0", "zero"), ("1", "1")), "'zero' is no number"),
    (with_table(made(UP), ("0", "1", "2"), ("1", "1")), "a time, a tab and a value"),
    (with_table(made(UP), ("0", "1e999999999"), ("1", "1")), "the file is damaged"),
    (with_table(made(UP), ("1", "0"), ("2", "1")), "does not begin at 0 s"),
    (with_table(made(UP), ("0", "0"), ("2", "1"), ("1", "1")), "times go on from line to line"),
    (with_table(made(UP)), "does not begin at 0 s"),
    (with_table(made(UP), *SINE, at="2 0"), "is not in the file"),
    (with_table(made([mb(["UP"])]), *SINE), "the table is over after 2 s"),
    (with_table(made(UP), *SINE).replace(b"Sequence : 0", b""), "has no line `Sequence : ...`"),
    (
        with_table(made([mb(["UP"], lim1_type="Ewe", lim1_value_unit="V")]), *SINE),
        "a limit of a profile of potentials",
    ),
]


@pytest.mark.parametrize(("raw", "said"), TABLES, ids=[said for _, said in TABLES])
def test_a_table_that_is_none_is_refused_with_its_line(raw: bytes, said: str) -> None:
    with pytest.raises(InputError) as caught:
        from_eclab.draft(settings.read(raw, "x.mps"))
    [fault] = caught.value.faults
    assert said in fault.message
    lines = raw.decode("cp1252").split("\r\n")
    assert fault.text == lines[fault.mark.line - 1].rstrip().replace("\t", " ")


def test_a_lost_micro_is_not_guessed() -> None:
    raw = made([cp("1.000", "µA", "0:00:1.0000")]).decode("cp1252").replace("µA", "�A").encode()
    with pytest.raises(InputError, match="differ by a thousand"):
        imported(raw)


def test_all_faults_are_told_at_once() -> None:
    raw = made([cp("1,2,3", "µA", "12"), ("Dance", {}), mb(["UP"])])
    with pytest.raises(InputError) as caught:
        imported(raw)
    assert len(caught.value.faults) == 4, caught.value
    assert [f.mark.line for f in caught.value.faults] == sorted(f.mark.line for f in caught.value.faults)


def test_a_long_rest_ends_when_ewe_is_steady() -> None:
    assert steps(ocv("1:00:0.0000", **{"dER/dt (mV/h)": "1.0"})) == (
        "- rest: 1 h\n  record: {every: 1 s}\n"
        "  until: {dEwe_dt_below: 1 mV/h, over: 10 min} # EC-Lab does not say over which time\n"
    )


def test_safety_limits_that_leave_nothing_are_refused() -> None:
    both = ["Safety Limits :", "\tEwe min = 0.00 V", "\tEwe max = 0.00 V"]
    with pytest.raises(InputError, match="leaves nothing") as caught:
        imported(made([ocv("0:00:1.0000")], header=both))
    assert [fault.mark.line for fault in caught.value.faults] == [10]


def test_what_is_left_out_is_told_and_stands_beside_the_step() -> None:
    raw = made([ocv("0:00:30.0000", **{"dER/dt (mV/h)": "1.0", "Magic": "7"})])
    draft_, told = from_eclab.draft(settings.read(raw, "x.mps"))
    assert [fault.mark.line for fault in told] == [13]
    text = imported(raw)
    assert "too short for a slope" in told[0].message and "# EC-Lab ends it when |dEwe/dt| < 1 mV/h" in text
    assert "# EC-Lab also says Magic 7, for which nakctl has no word" in text
    assert draft_.name == "x"
