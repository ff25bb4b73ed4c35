"""The page docs/commands.md, from the commands as they are declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from nakctl.cli.app import app
from nakctl.errors import EXIT_CODES, ExitCode

HEAD = """\
# The commands

Made by `pytest --update-golden tests/cli/test_commands_page.py` of what `nakctl --help` and `nakctl COMMAND --help` say; do not
edit it here. What they are for, in the order of an experiment: [the overview in the README](../README.md#from-the-file-to-the-channel).

- FILE is a protocol, or the name of a shipped one. RUN is a run of this computer, by its file, the beginning of its id, its channel,
  or its protocol. RUN.h5 is a result file.
- Values with a blank stand in quotes: `--set rest="5 s"`; or without the blank, `--set rest=5s`.
- `--json` prints one object for programs and nothing else. Nothing that is there is overwritten, unless a word for that is said.
- `nakctl --debug COMMAND` shows tracebacks, `nakctl --version` the version.

## Exit codes

"""
MEANT = {
    ExitCode.DONE: "done; of a run: it came to its planned end",
    ExitCode.FAILED: "failed: the disk, a comparison that does not hold; or a run that a limit ended",
    ExitCode.BAD_INPUT: "something in a file or on the command line is wrong, or asks for more than the instrument can do: "
    "nothing was started",
    ExitCode.INSTRUMENT: "the instrument or its link; or a run of which nobody can say that it came to its end",
    ExitCode.INTERRUPTED: "interrupted, or a run that the operator stopped",
}


@dataclass(frozen=True, slots=True)
class Said:
    """An argument or an option, as it was declared. of: what it may be; default: `...` where one has to be given."""

    name: str
    of: type
    about: ArgumentInfo | OptionInfo
    default: Any

    @property
    def is_argument(self) -> bool:
        return isinstance(self.about, ArgumentInfo)

    @property
    def is_flag(self) -> bool:
        return self.of is bool

    @property
    def shown(self) -> str:
        """`FILE`, `[RUN]...`, `-o, --out FILE`"""
        if self.is_argument:
            shown = self.about.metavar or self.name.upper()
            return shown if self.default is ... or shown.startswith("[") else f"[{shown}]"
        value = self.about.metavar or (
            "|".join(self.of) if issubclass(self.of, Enum) else self.of.__name__.upper()
        )
        return ", ".join(self._names) + ("" if self.is_flag else f" {value}")

    @property
    def _names(self) -> list[str]:
        """Of an option. What is given first, typer takes for its default, until it sees that it is annotated."""
        given = (self.about.default, *(self.about.param_decls or ()))
        parts = (part.strip() for name in given if isinstance(name, str) for part in name.split("/"))
        word = self.name.replace("_", "-")
        as_typer_does = [f"--{word}", f"--no-{word}"] if self.is_flag else [f"--{word}"]
        return [name for name in parts if name.startswith("-")] or as_typer_does

    @property
    def meaning(self) -> str:
        """With a default that the help does not tell."""
        text = self.about.help or ""
        if self.is_flag or self.default in (..., None, "") or "[default" in text:
            return text
        return f"{text} [default: {self.default}]"


@dataclass(frozen=True, slots=True)
class Command:
    """What can be said behind `nakctl`, with what each word of it means."""

    said: str
    help: str
    words: tuple[Said, ...]


def page() -> str:
    return HEAD + "".join(
        f"{line}\n" for line in [*_codes(), *(line for each in commands() for line in _told(each))]
    )


def commands(of: typer.Typer = app, above: str = "") -> Iterator[Command]:
    """All of them, in the order of `nakctl --help`."""
    for each in of.registered_commands:
        assert each.callback is not None
        yield _command(f"{above} {each.name or each.callback.__name__}".strip(), each.help, each.callback)
    for group in of.registered_groups:
        assert group.typer_instance is not None
        said, callback = f"{above} {group.name}".strip(), group.typer_instance.registered_callback
        if group.typer_instance.info.invoke_without_command is True:
            assert callback is not None and callback.callback is not None
            yield _command(said, None, callback.callback)
        yield from commands(group.typer_instance, said)


def _command(said: str, told: Any, function: Callable[..., Any]) -> Command:
    hints = get_type_hints(function, include_extras=True)
    words = []
    for name, each in inspect.signature(function).parameters.items():
        if each.annotation is typer.Context or get_origin(hints[name]) is None:
            continue
        of, about = get_args(hints[name])[:2]
        parts = [part for part in get_args(of) if part is not NoneType]
        default = ... if each.default is each.empty else each.default
        words.append(Said(name, parts[0] if parts else of, about, default))
    return Command(
        said, inspect.cleandoc(told if isinstance(told, str) else function.__doc__ or ""), tuple(words)
    )


def _codes() -> Iterator[str]:
    yield from ("| code | | status of a run |", "|---|---|---|")
    for code in ExitCode:
        told = ", ".join(f"`{status}`" for status, its in EXIT_CODES.items() if its is code)
        yield f"| {int(code)} | {MEANT[code]} | {told} |"


def _told(command: Command) -> Iterator[str]:
    arguments = [each.shown for each in command.words if each.is_argument]
    options = ["[OPTIONS]"] if len(arguments) < len(command.words) else []
    usage = " ".join(["nakctl", command.said, *options, *arguments])
    yield from ("", f"## nakctl {command.said}", "", "```text", usage, "```", "", command.help)
    if command.words:
        yield from ("", "| | |", "|---|---|")
    for each in command.words:
        yield f"| `{_cell(each.shown)}` | {_cell(each.meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
