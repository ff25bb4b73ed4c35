"""Slips of YAML, explained: what PyYAML says when it stumbles, said so that a chemist can mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from nakctl.errors import Mark
from nakctl.text.lookalikes import MEANT, found_in

_UNIT_AFTER_LIST = re.compile(r"\[([^\[\]]*)\]\s*([^\s,\]}#][^,\]}#]*)")
# Here the bracket or quote that was opened is the place to look at, not the one where YAML gave up.
# `word:value` at the beginning of a line; a link (http://...) is none.
_NO_BLANK = re.compile(r"\s*(?:- )?(?P<word>[A-Za-z_]\w*):(?P<value>[^\s/].*)")
_SIGN_APART = re.compile(r": +([+-]) +(\d.*)")
ODD = {sign for sign, meant in MEANT.items() if meant in (" ", ":", ",", "-", "")}
_OPEN = r"unexpected end|expected ',' or|expected ':'"
# What PyYAML says -> what to say, the first that fits; {0} is the character it names.
_SLIPS = {
    r"mapping values are not allowed": (
        "a colon too many, or wrong indentation; text with `: ` in it needs quotes"
    ),
    r"could not find expected ':'": "a word without its colon: write `word: value`",
    r"expected ',' or ']'": "this list in [ ] is not closed, or a comma is missing",
    r"expected ',' or '}'": "these words in { } are not closed, or a comma is missing",
    r"unexpected end of stream": "this quote is not closed",
    r"character '([@`%])' that cannot start": "a text that begins with {0} needs quotes",
    r"escape": "a backslash in double quotes: use single quotes",
    r"sequence entries are not allowed": "a list begins on a line of its own, each item with `- `",
    r"expected '<document start>'": "nothing may stand here: check indentation and brackets",
    r"expected the node content": "a value is missing here, or a bracket or comma is too many",
    r"but found '<block": "wrong indentation: this line is not in line with the others",
    r"expected <block end>": "wrong indentation, or text after a closed value",
}


def explain(problem: yaml.MarkedYAMLError, text: str) -> tuple[Mark, str]:
    """Where the slip is and what to do about it."""
    said = problem.problem or ""
    stumbled = _mark(problem.problem_mark or problem.context_mark, text)
    for line in (stumbled.line, stumbled.line - 1):
        for mark, sentence in _in_line(line, text.split("\n")[line - 1] if line else ""):
            return mark, sentence
    listed = _UNIT_AFTER_LIST.search(text.split("\n")[stumbled.line - 1])
    if listed:
        items, unit = (part.strip() for part in listed.groups())
        return stumbled, f"a unit cannot follow a list in brackets: write `{items} {unit}`, without brackets"
    opened = problem.context_mark if re.search(_OPEN, said) else None
    return _mark(opened, text) if opened else stumbled, _sentence(said)


def _in_line(number: int, line: str) -> Iterator[tuple[Mark, str]]:
    """What a line shows that YAML stumbled over, or the one before it."""
    blank = _NO_BLANK.match(line)
    if blank:
        at = Mark(number, blank.start("word") + 1)
        yield at, f"a blank is missing after the colon: write `{blank['word']}: {blank['value'].strip()}`"
    apart = _SIGN_APART.search(line)
    if apart:
        yield Mark(number, apart.start(1) + 1), f"a sign stands before its number: write {apart[1]}{apart[2]}"
    for place, sign in enumerate(line):
        named = found_in(sign) if sign in ODD else None
        if named is not None:
            meant = "a plain space" if MEANT[sign] == " " else MEANT[sign] or "a plain quote"
            yield Mark(number, place + 1), f"{named}, which YAML does not know: write {meant}"


def _sentence(said: str) -> str:
    for pattern, sentence in _SLIPS.items():
        match = re.search(pattern, said)
        if match:
            return sentence.replace("{0}", match.groups()[0] if match.groups() else "")
    return f"YAML cannot be read here: {said}"


def _mark(found: yaml.Mark | None, text: str) -> Mark:
    """Inside the file also when YAML stumbled over its end."""
    lines = text.rstrip("\n").split("\n")
    if found is None or found.line >= len(lines):
        return Mark(len(lines), len(lines[-1]) + 1)
    return Mark(found.line + 1, found.column + 1)
