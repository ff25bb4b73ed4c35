"""A YAML text as pieces with their place in its structure, read from the tokens of PyYAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

INDENT = 2


@dataclass(frozen=True, slots=True)
class Level:
    """A list or a mapping in block style: the column where its dashes or keys stood, and where they will."""

    is_list: bool
    was: int
    now: int


@dataclass(slots=True)
class Bracket:
    """A list or a mapping in brackets. around: the one it lies in.

    column  where its lines go on, known when the bracket is written
    """

    around: Bracket | None
    column: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A token that is written, with what stands around it.

    text           as written; may be several lines
    begin, end     in the whole text; line, column of its beginning, from 0
    levels         the blocks around it, from the outermost
    bracket        the innermost brackets around it, itself not counted
    own            the brackets that it opens
    is_text        a text or a number, and no sign
    is_key         it is a word before a colon, in a block
    folded         a text with | or >, whose lines below belong to it
    """

    text: str
    begin: int
    end: int
    line: int
    column: int
    levels: tuple[Level, ...]
    bracket: Bracket | None
    own: Bracket | None = None
    is_text: bool = False
    is_key: bool = False
    folded: bool = False

    @property
    def indent(self) -> int:
        """The column at which it begins, if a line begins with it."""
        if self.bracket is not None:
            return self.bracket.column
        if not self.levels:
            return 0
        return self.levels[-1].now + (0 if self.is_key or (self.text == "-" and not self.is_text) else INDENT)


@dataclass(slots=True)
class _Walk:
    """Through the tokens, with the blocks and brackets that are open."""

    text: str
    levels: list[Level] = field(default_factory=list)
    bracket: Bracket | None = None
    before: Any = None

    def enter(self, *, is_list: bool, was: int) -> None:
        now = 0 if not self.levels else self.levels[-1].now + INDENT
        self.levels.append(Level(is_list, was, now))

    def leave_bare_list(self) -> None:
        """One whose dashes stand in the column of the word before them ends without a token of its own."""
        if len(self.levels) > 1 and self.levels[-1].is_list and self.levels[-1].was == self.levels[-2].was:
            self.levels.pop()

    def open(self) -> Bracket:
        self.bracket = Bracket(self.bracket)
        return self.bracket


def pieces(text: str) -> list[Piece]:
    """Those of a text that the reader has read without fault."""
    walk = _Walk(text)
    return list(_pieces(walk))


def _pieces(walk: _Walk) -> Iterator[Piece]:
    for token in yaml.scan(walk.text, Loader=yaml.SafeLoader):
        _enter_and_leave(walk, token)
        made = _piece(walk, token)
        if made is not None:
            yield made
        walk.before = token


def _enter_and_leave(walk: _Walk, token: Any) -> None:
    match token:
        case yaml.BlockMappingStartToken():
            walk.enter(is_list=False, was=token.start_mark.column)
        case yaml.BlockSequenceStartToken():
            walk.enter(is_list=True, was=token.start_mark.column)
        case yaml.BlockEndToken():
            walk.leave_bare_list()
            walk.levels.pop()
        case yaml.BlockEntryToken() if not walk.levels[-1].is_list:
            walk.enter(is_list=True, was=walk.levels[-1].was)
        case yaml.KeyToken() if walk.bracket is None:
            walk.leave_bare_list()
        case _:
            pass


def _piece(walk: _Walk, token: Any) -> Piece | None:
    match token:
        case yaml.FlowMappingStartToken() | yaml.FlowSequenceStartToken():
            around = walk.bracket
            own = walk.open()
            return _made(walk, token, around, own)
        case yaml.FlowMappingEndToken() | yaml.FlowSequenceEndToken():
            made = _made(walk, token, walk.bracket)
            assert walk.bracket is not None  # the reader has read it
            walk.bracket = walk.bracket.around
            return made
        case yaml.ScalarToken() | yaml.FlowEntryToken() | yaml.BlockEntryToken() | yaml.ValueToken():
            return _made(walk, token, walk.bracket)
        case yaml.DocumentStartToken() | yaml.DocumentEndToken():
            return _made(walk, token, None)
        case yaml.KeyToken() if walk.text[token.start_mark.index : token.end_mark.index] == "?":
            return _made(walk, token, walk.bracket)
        case _:
            return None


def _made(walk: _Walk, token: Any, bracket: Bracket | None, own: Bracket | None = None) -> Piece:
    start, end = token.start_mark, token.end_mark.index
    is_text = isinstance(token, yaml.ScalarToken)
    folded = is_text and token.style in ("|", ">")
    if folded:
        end = _end_of_folded(walk.text, token)
    return Piece(
        text=walk.text[start.index : end],
        begin=start.index,
        end=end,
        line=start.line,
        column=start.column,
        levels=tuple(walk.levels),
        bracket=bracket,
        own=own,
        is_text=is_text,
        is_key=bracket is None and isinstance(walk.before, yaml.KeyToken),
        folded=folded,
    )


def _end_of_folded(text: str, token: Any) -> int:
    """Up to the end of its last line, and not to where the scanner looked for more; blank lines behind it
    belong to it only if it keeps them (`|+`)."""
    begin: int = token.start_mark.index
    lines = text[begin : token.end_mark.index].split("\n")
    if len(lines) > 1 and not lines[-1].strip(" "):
        lines.pop()
    keeps = "+" in lines[0].partition("#")[0]
    while not keeps and len(lines) > 1 and not lines[-1].strip(" "):
        lines.pop()
    return begin + len("\n".join(lines))
