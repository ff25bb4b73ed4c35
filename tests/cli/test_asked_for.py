from __future__ import annotations

import pytest
from typer.main import get_command

from nakctl.cli.app import app
from nakctl.cli.asked_for import asked_for, name_of

ALL = get_command(app).commands  # type: ignore[attr-defined]  # a group


def test_names_are_as_they_are_typed() -> None:
    assert {name_of(each) for each in (*app.registered_commands, *app.registered_groups)} == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_only_what_is_asked_for_is_made(name: str) -> None:
    made = get_command(asked_for(app, ["--debug", name, "check", "--help"])).commands  # type: ignore[attr-defined]
    assert list(made) == [name]
    assert made[name].help == ALL[name].help
    assert [each.opts for each in made[name].params] == [each.opts for each in ALL[name].params]


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version"], ["chek", "check"]])
def test_where_nothing_is_named_that_there_is_all_are_made(arguments: list[str]) -> None:
    assert asked_for(app, arguments) is app
    assert set(get_command(app).commands) == set(ALL)  # type: ignore[attr-defined]
