"""The gallery of the docs: its commands are commands of ours, and what they make lies there, small."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from nakctl.figures.kinds import KINDS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("paper-figures.md", "gallery.md")
COMMANDS = [
    line for page in PAGES for line in re.findall(r"^nakctl plot .*$", (DOCS / page).read_text("utf-8"), re.M)
]


@pytest.mark.parametrize("line", COMMANDS)
def test_what_a_command_makes_lies_there(line: str) -> None:
    words = shlex.split(line)
    kind = words[words.index("--kind") + 1] if "--kind" in words else "run"
    assert kind in KINDS
    picture = DOCS / "figures" / words[words.index("-o") + 1]
    assert 0 < picture.stat().st_size < 80_000


def test_every_kind_and_every_picture_is_shown() -> None:
    text = "".join((DOCS / page).read_text("utf-8") for page in (*PAGES, "cell-model.md"))
    for kind in set(KINDS) - {"run"}:
        assert f"--kind {kind} " in text
    for picture in (DOCS / "figures").glob("*.png"):
        assert f"(figures/{picture.name})" in text
