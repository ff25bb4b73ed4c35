"""The page of the docs is that of the commands, as they are."""

from __future__ import annotations

from pathlib import Path

import commands_page
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    made = commands_page.page()
    if request.config.getoption("--update-golden"):
        DOCS.write_text(made, "utf-8", newline="\n")
    assert DOCS.read_text("utf-8") == made, "pytest --update-golden tests/cli/test_commands_page.py writes it"


def test_every_command_and_option_says_what_it_is() -> None:
    for command in commands_page.commands():
        assert command.help, command.said
        for word in command.words:
            assert word.shown.strip(), (command.said, word)
            assert word.about.help, (command.said, word)
