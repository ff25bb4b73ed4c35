"""A dry run says whether it came to what its protocol expects, and leaves with that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said

TEXT = """\
nakctl: 1
name: Half a microamperehour
params: {hold: 1 min}
limits: {Ewe: [-3 V, 3 V], I: 1 mA, time: 1 h}
record: {every: 10 s}
expect:
  - stripped: [1, 2] uAh/cm2
    at_most: 2 min
  - {set: {hold: 10 min}, stripped: {above: 1 mAh/cm2}, ends: limit}
  - {set: {hold: 2 h}, ends: limit}
steps:
  - strip: 0.1 mA/cm2
    for: $hold
"""
MET = "as expected: ends all steps done, duration 60.5 s, stripped 1.667 uAh/cm2"


@pytest.fixture
def half(here: Callable[..., Said], tmp_path: Path) -> Callable[..., Said]:
    (tmp_path / "half.yaml").write_text(TEXT, encoding="utf-8")
    return here


@pytest.mark.parametrize(
    ("options", "code", "lines"),
    [
        (("--dry",), 0, [MET]),
        (
            ("--dry", "--set", "hold=10 min"),
            1,
            [
                "not as expected: ends all steps done (expected limit)",
                "not as expected: stripped 0.01667 mAh/cm2 (expected above 1 mAh/cm2)",
            ],
        ),
        (("--dry", "--set", "hold=2h"), 0, ["as expected: ends limit: 1 h of run time"]),
        (("--dry", "--set", "hold=30s"), 0, []),  # of which nothing is said
        ((), 0, []),  # nor is it a dry run that was asked for
    ],
)
def test_it_is_told_and_decides_how_the_command_ends(
    half: Callable[..., Said], options: tuple[str, ...], code: int, lines: list[str]
) -> None:
    said = half("run", "half.yaml", *options)
    assert said.code == code
    assert [line for line in said.out.splitlines() if "as expected" in line] == lines


def test_machines_are_told_word_by_word(half: Callable[..., Said]) -> None:
    told = half("run", "half.yaml", "--dry", "--json").json["expected"]
    assert [(each["word"], each["met"]) for each in told] == [
        ("ends", True),
        ("duration", True),
        ("stripped", True),
    ]


def test_each_run_of_several_has_its_own(half: Callable[..., Said]) -> None:
    said = half("run", "half.yaml", "--dry", "--each", "hold=1 min, 10 min", "--quiet", "--json")
    assert [run["exit_code"] for run in said.json["runs"]] == [0, 1]
    assert said.code == 1
