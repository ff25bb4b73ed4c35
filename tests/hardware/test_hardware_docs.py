"""The page about instruments tells the driver's own table of codes, and commands that exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said

from nakctl_biologic.remedies import ECLIB, FIND

PAGE = Path(__file__).parents[2] / "docs" / "hardware.md"
TEN = PAGE.read_text(encoding="utf-8").split("```")[1].removeprefix("sh\n")
LINES = re.findall(r"^nakctl .*$", TEN, re.MULTILINE)
BEGIN, END = "--update-golden` -->\n", "<!-- end of codes -->"


def codes() -> str:
    rows = ["| code | name | meaning | what to do |", "|---|---|---|---|"]
    rows += [f"| {code} | {each.name} | {each.meaning} | {each.remedy} |" for code, each in ECLIB.items()]
    rows += [
        f"| {code} (search) | {each.name} | {each.meaning} | {each.remedy} |" for code, each in FIND.items()
    ]
    return "\n".join(rows) + "\n"


def test_the_table_of_codes_is_current(request: pytest.FixtureRequest) -> None:
    head, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table, end, tail = rest.partition(END)
    assert begin and end
    if request.config.getoption("--update-golden"):
        table = codes()
        PAGE.write_text(head + BEGIN + table + END + tail, encoding="utf-8", newline="\n")
    assert table == codes()


def test_every_remedy_is_one_sentence_or_two() -> None:
    for code, each in (ECLIB | FIND).items():
        assert re.fullmatch(r"[A-Z].*\.", each.remedy), code
        assert each.remedy.count(". ") <= 1, code


def test_it_takes_ten_lines() -> None:
    assert len(TEN.strip().splitlines()) == 10
    assert len(LINES) == 8


@pytest.mark.parametrize("line", LINES)
def test_the_commands_of_the_page_exist(line: str, here: Callable[..., Said]) -> None:
    """With the same words, but --help, so that nothing is asked or written."""
    _, *words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
    assert here(*words, "--help").code == 0
