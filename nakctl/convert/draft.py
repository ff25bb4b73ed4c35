"""A protocol on its way to text: words with values, and what a reader should be told beside them.

A step is a dict of words as in a protocol, in order. A key that begins with `#` is a comment: `#` alone
stands above the step (a list of lines), `#for` behind the word `for`.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from nakctl.errors import InputError
from nakctl.text.reader import read_text

Step = dict[str, Any]

WIDTH = 110
_COMMENT_AT = 44  # where a comment behind a word begins, if the word leaves room


@dataclass
class Draft:
    """What a protocol says, before it is text.

    remarks  lines at the top: where it came from and what it does not say
    limits   words of `limits`, with their comments
    tables   texts of profiles that stand beside it, by the names that its steps give them
    """

    name: str
    source: str
    steps: list[Step]
    remarks: list[str] = field(default_factory=list)
    head: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    spectra: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)


def text(draft: Draft) -> str:
    """The protocol as a person would write it."""
    lines = ["# yaml-language-server: $schema=./protocol.schema.json"]
    for remark in draft.remarks:
        lines += textwrap.wrap(remark, WIDTH - 2, initial_indent="# ", subsequent_indent="#   ")
    lines += [
        "nakctl: 1",
        f"name: {_free(_bare(draft.name) or 'imported', 100)}",
        f"source: {_free(draft.source)}",
    ]
    for word, value in draft.head.items():
        if not word.startswith("#"):
            said = _free(value) if isinstance(value, str) else _value(value)
            lines.append(_commented(f"{word}: {said}", draft.head.get(f"#{word}")))
    for word, block in (("params", draft.params), ("spectra", draft.spectra)):
        if block:
            lines += [f"{word}:", *_block(block, "  ")]
    lines += ["limits:", *_block(draft.limits, "  ")]
    return "\n".join([*lines, "steps:", *_steps(draft.steps, "  "), "finally: rest", ""])


def _steps(steps: list[Step], indent: str) -> list[str]:
    lines = []
    for step in steps:
        for remark in step.get("#", ()):
            lines += textwrap.wrap(
                remark,
                WIDTH - len(indent) - 2,
                initial_indent=f"{indent}# ",
                subsequent_indent=f"{indent}#   ",
            )
        words = _block(step, indent + "  ")
        lines += [f"{indent}- {words[0].lstrip()}", *words[1:]]
    return lines


def _block(words: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for word, value in words.items():
        if word.startswith("#"):
            continue
        if word in ("steps", "then", "else") and isinstance(value, list):
            lines += [f"{indent}{word}:", *_steps(value, indent + "  ")]
        else:
            line = f"{indent}{word}: {_value(value)}"
            if len(line) > WIDTH and isinstance(value, dict):
                lines += [f"{indent}{word}:", *_block(value, indent + "  ")]
            else:
                lines.append(_commented(line, words.get(f"#{word}")))
    return lines


def _commented(line: str, remark: str | None) -> str:
    return line if remark is None else f"{line:<{_COMMENT_AT}} # {remark}"


def _value(value: Any) -> str:
    return _flow(value) if isinstance(value, dict | list) else _scalar(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{word}: {_flow(part)}" for word, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value, "{{word: {}}}")


def _free(said: str, longest: int = 1000) -> str:
    """What somebody else wrote. A text that begins with $ would stand for a parameter."""
    return _scalar(_bare(said)[:longest])


def _bare(said: str) -> str:
    return _printable(said).lstrip("$ ")


def _printable(said: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in said).strip()


def _scalar(value: Any, place: str = "word: {}") -> str:
    """Without quotes, if it is read again as what it is. place: where it stands."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    written = _printable(str(value))
    try:
        as_it_is = read_text(place.format(written), "").data == {"word": written}
    except InputError:
        as_it_is = False
    return written if as_it_is and written else "'" + written.replace("'", "''") + "'"
