"""An end that a protocol is expected to come to is one that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from nakctl.cli.prepare import Wishes, prepare

TEXT = """\
nakctl: 1
name: x
params: {top: 2 V}
limits: {Ewe: [-3 V, 3 V], time: 1 h}
expect: EXPECT
steps:
  - strip: 0.1 mA
    for: 1 h
    until: {Ewe_above: $top, then: end run}
  - strip: 0.1 mA
    for: 1 h
    until: {Ewe_above: 1 V}
"""


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("all steps done", ""),
        ("[completed, limit, cutoff]", ""),
        ("Ewe above 2 V", ""),
        ("Ewe_above", ""),
        ("'limit: Ewe above 3 V'", ""),
        ("short", "short: no short ends this run; say under stop_when"),
        ("''", "(nothing): no run of this protocol ends so; it may end by: completed"),
        ("Ewe above 1 V", "Ewe above 1 V: no run of this protocol ends so; did you mean Ewe above 2 V?"),
        (
            "completd",
            "did you mean completed? it may end by: completed, all steps done, limit, limit: Ewe below -3 V",
        ),
    ],
)
def test_ends_are_those_of_the_program(ends: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(TEXT.replace("EXPECT", f"{{ends: {ends}}}"), encoding="utf-8")
    found = [
        each for each in prepare(str(file), Wishes(None, None, {}, None)).findings if each.severity == "error"
    ]
    assert [each.mark.line for each in found] == ([5] if says else [])
    assert all(says in f"{each.message}; {each.help}" for each in found)


def test_with_other_parameters_nothing_is_said(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(TEXT.replace("EXPECT", "{ends: Ewe above 2 V}"), encoding="utf-8")
    prepare(str(file), Wishes(None, None, {"top": "1.5 V"}, None)).require_no_errors()


def test_expectations_do_not_touch_the_plan(tmp_path: Path) -> None:
    plans = []
    for expect in ("{ends: Ewe above 2 V, charge: [1, 2] mAh}", "{ends: limit}"):
        file = tmp_path / "p.yaml"
        file.write_text(TEXT.replace("EXPECT", expect), encoding="utf-8")
        ready = prepare(str(file), Wishes(None, None, {}, None))
        plans.append((ready.plan, ready.program))
    assert plans[0] == plans[1]
