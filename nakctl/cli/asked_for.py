"""The one command that is asked for: making all of them takes longer than most of them need."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import typer
from typer.models import CommandInfo, TyperInfo


def asked_for(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    """The same with this one command only; with all, where none is named that there is: help lists them."""
    word = next((each for each in arguments if not each.startswith("-")), None)
    commands = [each for each in app.registered_commands if name_of(each) == word]
    groups = [each for each in app.registered_groups if name_of(each) == word]
    if not commands and not groups:
        return app
    lean = copy.copy(app)
    lean.registered_commands, lean.registered_groups = commands, groups
    return lean


def name_of(command: CommandInfo | TyperInfo) -> str | None:
    """As it is typed."""
    if isinstance(command.name, str):
        return command.name
    return None if command.callback is None else command.callback.__name__.replace("_", "-")
