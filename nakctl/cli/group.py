"""The commands as a group that says what was meant by one, or by an option, that there is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from nakctl.text.meant import did_you_mean

# typer brings its own copy of click, or uses that which is installed: what it refuses is told by either's.
_Refused: type[Exception] = typer.BadParameter.__mro__[1]
_NO_COMMAND = re.compile(r"No such command '(.*?)'", re.DOTALL)


class Commands(TyperGroup):
    """The group at the top: what those below it refuse passes here."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _what_was_meant():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _what_was_meant():
            return super().invoke(ctx)


@contextmanager
def _what_was_meant() -> Iterator[None]:
    try:
        yield
    except _Refused as error:
        _tell(error)
        raise


def _tell(refused: Any) -> None:
    """In its own place: what else is refused, such as a number that is none, is told well enough."""
    node = getattr(refused.ctx, "command", None)
    command = _NO_COMMAND.match(str(refused.message))
    if command is not None:
        hint = did_you_mean(command[1], getattr(node, "commands", ()))
        refused.message, refused.possibilities = f"there is no command {command[1]}{hint}", ()
    elif hasattr(refused, "possibilities"):
        known = [name for param in getattr(node, "params", ()) for name in param.opts if name[0] == "-"]
        hint = did_you_mean(str(refused.option_name), known)
        refused.message, refused.possibilities = f"there is no option {refused.option_name}{hint}", ()
