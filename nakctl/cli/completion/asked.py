"""What is being typed: which command, and which of its words the last one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import typer
from typer.main import get_command

from nakctl.cli.asked_for import asked_for


@dataclass(slots=True)
class Asked:
    """Where the last word stands.

    node     the command or the group, as typer makes it; path: its name, `sim compare`
    typed    what there is of the word; before: what of it stands already, as `--on=` does in --on=sim
    param    the option or argument that it is a value of; None: it is the name of a command or an option
    given    all values before it, by the name of their parameter
    lost     nothing that stands there is known
    """

    node: Any
    path: str = ""
    typed: str = ""
    before: str = ""
    param: Any = None
    given: dict[str, list[str]] = field(default_factory=dict)
    lost: bool = False

    @property
    def is_option(self) -> bool:
        """The name of one is being typed."""
        return self.param is None and self.typed.startswith("-")

    def value(self, name: str) -> str | None:
        """The first one given for a parameter."""
        return next(iter(self.given.get(name, ())), None)


def asked(app: typer.Typer, words: Sequence[str]) -> Asked:
    """words: without the name of the program; the last one is being typed, and may be empty."""
    found = Asked(get_command(asked_for(app, words[:-1])), typed=words[-1])
    waiting, only_arguments = None, False
    for word in words[:-1]:
        if waiting is not None:
            found.given.setdefault(waiting.name, []).append(word)
            waiting = None
        elif word == "--":
            only_arguments = True
        elif word.startswith("-") and not only_arguments:
            waiting = _option(found, word)
        else:
            _take(found, word)
    if waiting is not None:
        found.param = waiting
    elif not found.typed.startswith("-") or only_arguments:
        found.param = _argument(found)
    elif "=" in found.typed:
        name, _, value = found.typed.partition("=")
        found.param, found.before, found.typed = _named(found, name), f"{name}=", value
        found.lost |= found.param is None
    return found


def options(node: Any) -> Mapping[str, Any]:
    """All names of the options of a command."""
    shown = [each for each in node.params if is_option(each) and not each.hidden]
    return {name: each for each in shown for name in (*each.opts, *each.secondary_opts)}


def is_option(param: Any) -> bool:
    return bool(param.param_type_name == "option")


def _named(found: Asked, name: str) -> Any:
    param = options(found.node).get(name)
    return None if param is None or param.is_flag else param


def _option(found: Asked, word: str) -> Any:
    """The option that waits for its value in the next word; None: none does."""
    name, equals, value = word.partition("=")
    param = options(found.node).get(name)
    if param is None:
        return None
    if not equals and not param.is_flag:
        return param
    found.given.setdefault(param.name, []).append(value)
    return None


def _take(found: Asked, word: str) -> None:
    """A command of a group, or an argument."""
    commands = getattr(found.node, "commands", None)
    if commands is not None:
        found.lost |= word not in commands
        found.node = commands.get(word, found.node)
        found.path = f"{found.path} {word}".strip()
    elif (param := _argument(found)) is not None:
        found.given.setdefault(param.name, []).append(word)


def _argument(found: Asked) -> Any:
    """The one whose turn it is."""
    arguments = [each for each in found.node.params if not is_option(each)]
    return next((each for each in arguments if each.nargs == -1 or each.name not in found.given), None)
