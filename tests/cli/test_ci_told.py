"""What is said of the same results: in lines, for a review, for machines that count, beside the lines of a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from nakctl.checks.judged import Judged
from nakctl.cli.ci.annotations import annotated
from nakctl.cli.ci.command import UNCHANGED
from nakctl.cli.ci.for_machines import as_json
from nakctl.cli.ci.junit import junit
from nakctl.cli.ci.lines import Shown, closing_lines, looked_lines, outcome_lines
from nakctl.cli.ci.outcome import Case, Changed, Everything, LeftOut, Looked, Outcome, Stage, Trouble
from nakctl.cli.ci.summary import markdown
from nakctl.cli.prepare import Wishes
from nakctl.errors import NO_MARK, ExitCode, Fault, Mark

NO_SETS = Wishes(None, "C7", {}, Path("rig.yaml"), dry=True)
CASE = Case("protocols/ccd.yaml", "C7", NO_SETS, also=("C8",), expected=(0,))
RAN = {
    "status": "completed", "end_reason": "short", "end_kind": "rule", "duration_s": 28607.4,
    "stripped_mAh_cm2": 0.75, "plated_mAh_cm2": 0.00123,
}  # fmt: skip
MET = Judged("ccd", "0.15 to 0.45 mA/cm2", "0.2 mA/cm2", True, 0, "ccd")
MISSED = Judged("ccd", "0.3 to 0.45 mA/cm2", "0.2 mA/cm2", False, 0, "ccd")
LINE = "expect: {ccd: [0.3, 0.45] mA/cm2}"
OK = Outcome(CASE, (), (), "C7 as thick, 0.5 cm2, SP-300", 3e4, RAN, (MET,), 4.2)
NOT_MET = replace(
    OK,
    judged=(Judged("ends", "short", "short", True, 0, "ends"), MISSED),
    troubles=(
        Trouble(
            "expect",
            Fault(CASE.file, Mark(5, 15), "C7: ccd 0.2 mA/cm2 (expected 0.3 to 0.45 mA/cm2)", LINE),
            "ccd",
        ),
    ),
)
STOPPED = Outcome(
    replace(CASE, file="protocols/limit.yaml", wishes=replace(NO_SETS, sets={"hold": "5 min"})),
    (Trouble("dry run", Fault("protocols/limit.yaml", Mark(3, 22), "C7, hold=5 min: limit: Ewe above 30 mV after 60.5 s", "limits: {Ewe: [-3 V, 30 mV]}"), "ends"),),
    on="C7, 1 cm2, VMP-3",
    planned_s=90.0,
    report={"status": "stopped", "end_reason": "limit: Ewe above 30 mV", "end_kind": "limit", "duration_s": 60.5},
    judged=(Judged("ends", "completed", "limit: Ewe above 30 mV", False, said="ends"),),
    wall_s=1.0,
)  # fmt: skip
WRONG = Outcome(
    Case("protocols/wrong.yaml", "C7", NO_SETS),
    (Trouble("plan", Fault("protocols/wrong.yaml", Mark(5, 5), "1 strip 50 mA: |I| reaches 50 mA, above limits.I of 1 mA", "  - strip: 50 mA")),),
    on="C7, 1 cm2, VMP-3",
    planned_s=60.0,
)  # fmt: skip
ELSEWHERE = Outcome(
    Case("protocols/other.yaml", "D1", NO_SETS, skipped="no cell of rig.yaml says what simulates it"),
    on="D1, 1 cm2, VMP-3",
)
SLIP = Looked("cells/mine.yaml", (Trouble("check", Fault("cells/mine.yaml", Mark(2, 1), "cels is no word")),))
RIG = Looked("rig.yaml", (), (Fault("rig.yaml", Mark(9, 3), "D1: no dry run, add simulated_as to it", "  D1: {}"),), "1 channel, 2 cells")  # fmt: skip
ALL = Everything(
    (OK, NOT_MET, STOPPED, WRONG, ELSEWHERE),
    (RIG, SLIP),
    (LeftOut("protocols/cv.yaml", UNCHANGED), LeftOut("protocols/lsv.yaml", UNCHANGED)),
    since="origin/main (1a2b3c4)",
    differences=(Changed("protocols/ccd.yaml", "#### protocols/ccd.yaml\n\nmeans the same\n"), Changed("protocols/limit.yaml", "#### protocols/limit.yaml\n\n- **WIDER**\n", 1)),
    removed=("protocols/old.yaml",),
    wall_s=12.3,
)  # fmt: skip


def test_one_line_a_result_and_what_is_wrong_below() -> None:
    assert outcome_lines(OK) == [
        "ok       protocols/ccd.yaml on C7: short after 7 h 57 min, ccd 0.2 mA/cm2  [4.2 s]"
    ]
    assert outcome_lines(NOT_MET) == [
        "NOT MET  protocols/ccd.yaml on C7: short after 7 h 57 min  [4.2 s]",
        "  protocols/ccd.yaml:5:15  C7: ccd 0.2 mA/cm2 (expected 0.3 to 0.45 mA/cm2)",
        f"     5 | {LINE}",
    ]
    assert outcome_lines(STOPPED)[0] == (
        "STOPPED  protocols/limit.yaml on C7, hold=5 min: limit: Ewe above 30 mV after 60.5 s  [1 s]"
    )
    assert outcome_lines(WRONG)[0] == "FAULT    protocols/wrong.yaml on C7"
    assert outcome_lines(ELSEWHERE) == [
        "skipped  protocols/other.yaml on D1: no dry run: no cell of rig.yaml says what simulates it"
    ]
    assert looked_lines(RIG) == ["ok       rig.yaml: 1 channel, 2 cells"]
    assert looked_lines(SLIP) == ["FAULT    cells/mine.yaml", "  cells/mine.yaml:2:1  cels is no word"]


def test_the_end_says_what_was_left_out_and_why() -> None:
    assert list(closing_lines(ALL)) == [
        "warning: rig.yaml:9:3  D1: no dry run, add simulated_as to it",
        "left out: protocols/cv.yaml, protocols/lsv.yaml: they did not change since origin/main (1a2b3c4), nor did tables, "
        "cells, rig or the version of nakctl",
        "gone since origin/main (1a2b3c4): protocols/old.yaml",
        "protocols/limit.yaml protects the cell less, or disturbs it more, than at origin/main (1a2b3c4): see nakctl diff",
        "1 of 5 as expected, 1 with faults, 1 stopped, 1 not as expected, 1 not run, 1 rig or cell with faults, in 12.3 s",
    ]


@pytest.mark.parametrize(
    ("outcomes", "looked", "interrupted", "code"),
    [
        ((OK, ELSEWHERE), (RIG,), False, ExitCode.DONE),
        ((), (), False, ExitCode.DONE),
        ((OK, NOT_MET), (), False, ExitCode.FAILED),
        ((STOPPED,), (), False, ExitCode.FAILED),
        ((STOPPED, WRONG), (), False, ExitCode.BAD_INPUT),  # what has to be mended first
        ((OK,), (SLIP,), False, ExitCode.BAD_INPUT),
        ((WRONG,), (), True, ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code(
    outcomes: tuple[Outcome, ...], looked: tuple[Looked, ...], interrupted: bool, code: ExitCode
) -> None:
    assert Everything(outcomes, looked, interrupted=interrupted).exit_code == code


def test_the_summary(golden: Callable[[str, str], None]) -> None:
    golden("ci-summary.md", markdown(ALL))


def test_what_somebody_wrote_means_nothing_in_the_summary() -> None:
    mark = replace(CASE, file="a|b<img src=x>@team.yaml")
    fault = Fault("a|b.yaml", Mark(1, 1), "**x** @team <script>", "``` ```` @y")
    said = markdown(Everything((Outcome(mark, (Trouble("check", fault),)),)))
    assert "<img" not in said and "<script" not in said and "@team" not in said and "**x**" not in said
    assert "\n  `````\n" in said


def test_junit_has_a_case_for_each_stage() -> None:
    root = Xml.fromstring(junit(ALL))
    cases = {
        (case.get("classname"), case.get("name")): [part.tag for part in case]
        for case in root.iter("testcase")
    }
    assert cases == {
        ("protocols/ccd.yaml", "C7: check"): [],
        ("protocols/ccd.yaml", "C7: plan"): [],
        ("protocols/ccd.yaml", "C7: dry run"): [],
        ("protocols/ccd.yaml", "C7: expect ccd 0.15 to 0.45 mA/cm2"): [],
        ("protocols/ccd.yaml", "C7: expect ends short"): [],
        ("protocols/ccd.yaml", "C7: expect ccd 0.3 to 0.45 mA/cm2"): ["failure"],
        ("protocols/limit.yaml", "C7, hold=5 min: check"): [],
        ("protocols/limit.yaml", "C7, hold=5 min: plan"): [],
        ("protocols/limit.yaml", "C7, hold=5 min: dry run"): ["failure"],
        ("protocols/wrong.yaml", "C7: check"): [],
        ("protocols/wrong.yaml", "C7: plan"): ["failure"],
        ("protocols/wrong.yaml", "C7: dry run"): ["skipped"],
        ("protocols/other.yaml", "D1: check"): [],
        ("protocols/other.yaml", "D1: plan"): [],
        ("protocols/other.yaml", "D1: dry run"): ["skipped"],
        ("rig.yaml", "check"): [],
        ("cells/mine.yaml", "check"): ["failure"],
        ("protocols/cv.yaml", "all"): ["skipped"],
        ("protocols/lsv.yaml", "all"): ["skipped"],
    }
    assert {name: root.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "22", "failures": "4", "skipped": "4",
    }  # fmt: skip
    [failure] = [one for one in root.iter("failure") if "wrong.yaml" in str(one.text)]
    assert str(failure.text).startswith("protocols/wrong.yaml:5:5  1 strip 50 mA: |I| reaches")


def test_junit_takes_whatever_a_file_holds() -> None:
    fault = Fault("a.yaml", Mark(1, 1), "a\x0b\x00]]>&<µ\ud800", "x")
    root = Xml.fromstring(junit(Everything((Outcome(CASE, (Trouble("check", fault),)),))).encode())
    [failure] = root.iter("failure")
    assert failure.get("message") == "a??]]>&<µ?"


def test_annotations_stand_beside_the_line() -> None:
    stage: Stage = "check"
    faults = [Fault("a,b:c.yaml", Mark(3, 4), "50 % of\nit\r"), Fault("d.yaml", NO_MARK, "none")]
    everything = Everything((Outcome(CASE, tuple(Trouble(stage, fault) for fault in faults)),), (RIG,))
    assert list(annotated(everything, lambda file: f"lab/{file}")) == [
        "::error file=lab/a%2Cb%3Ac.yaml,line=3,col=4,title=nakctl::50 %25 of%0Ait%0D",
        "::error file=lab/d.yaml,title=nakctl::none",
        "::warning file=lab/rig.yaml,line=9,col=3,title=nakctl::D1: no dry run, add simulated_as to it",
    ]


def test_machines_are_told_all_of_it() -> None:
    told = as_json(ALL)
    assert told["exit_code"] == 2
    assert [one["verdict"] for one in told["results"]] == ["ok", "NOT MET", "STOPPED", "FAULT", "skipped"]
    assert told["results"][2]["errors"][0]["line"] == 3
    assert told["results"][2]["set"] == {"hold": "5 min"}
    assert told["left_out"][0]["why"].startswith("it did not change since origin/main")


def test_lines_come_in_order_whatever_ends_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = Shown(sys.stdout, moving=False)
    shown.ended(1, WRONG)
    assert capsys.readouterr().out == ""
    shown.ended(0, OK)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()][:2] == ["ok", "FAULT"]
    shown.ended(3, STOPPED)
    shown.close()  # what is missing before it never comes
    assert capsys.readouterr().out.startswith("STOPPED")
    shown = Shown(sys.stdout, moving=True)
    shown.going([(OK, {}), (STOPPED, {"time_s": 30.0})])
    shown.ended(0, OK)
    out = capsys.readouterr().out
    assert out.startswith(
        "\r\x1b[Kprotocols/ccd.yaml on C7; protocols/limit.yaml on C7, hold=5 min at 30 s of 90 s"
    )
    assert "\r\x1b[Kok " in out


def test_a_name_of_two_lines_is_no_command_to_who_reads_along(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Shown(sys.stdout, moving=False)
    shown.ended(0, replace(OK, case=replace(CASE, file="a\n::stop-commands::x\x1b[2Jµ.yaml")))
    out = capsys.readouterr().out
    assert out.startswith("ok       a\\n::stop-commands::x\\x1b[2Jµ.yaml on C7: ")
    assert out.count("\n") == 1
