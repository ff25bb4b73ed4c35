"""Pieces written as lines, with the comments between them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nakctl.text.layout.comments import Line, aligned, spaced
from nakctl.text.layout.pieces import INDENT, Piece, pieces

_OPENING, _CLOSING = ("{", "["), ("}", "]")
_HEADER = re.compile(r"([|>])([-+]?)([1-9]?)([-+]?)")


class NotLaidOut(Exception):
    """Something that the language has, nobody writes, and no layout was thought of. line: from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def laid_out(text: str, instead: Mapping[tuple[int, int], str] | None = None) -> str:
    """The same document, laid out anew. text: read by the reader without fault, lines end in line feeds.

    instead  what to write in the place of unquoted texts, by line and column of their beginning, from 1
    NotLaidOut: a word is marked with `?`
    """
    found = pieces(text)
    for piece in found:
        if _is(piece, ("?",)):
            raise NotLaidOut(piece.line + 1, "`? word` is not laid out anew: write `word: value`")
    page = _Page(text, instead or {})
    for before, piece in zip([None, *found], found, strict=False):
        page.put(before, piece)
    page.end(found[-1] if found else None)
    return page.text()


class _Page:
    """The lines written so far."""

    def __init__(self, text: str, instead: Mapping[tuple[int, int], str]) -> None:
        self.source = text
        self.instead = instead
        self.lines: list[Line] = []

    def put(self, before: Piece | None, piece: Piece) -> None:
        """The piece, after the comments and line ends that stand before it."""
        gap = self.source[before.end if before else 0 : piece.begin]
        beside, *others = gap.split("\n")
        if before is None:
            self._between([beside, *others][:-1], None, piece)
        elif others and not _joined(before, gap):
            self._beside(before, beside)
            self._between(others[:-1], before, piece)
        else:
            self.lines[-1].text += " " if _apart(before, piece) else ""
            self._write(piece)
            return
        self.lines.append(Line(" " * piece.indent))
        self._write(piece)

    def end(self, last: Piece | None) -> None:
        beside, *others = self.source[last.end if last else 0 :].split("\n")
        if last is not None:
            self._beside(last, beside)
            self._between(others, last, None)

    def text(self) -> str:
        """Blank lines one at a time, none at the top and at the bottom; those within a text stay."""
        lines = aligned(self.lines)
        kept = [
            line
            for before, line in zip([None, *lines], lines, strict=False)
            if not line.is_blank or not (before is None or before.is_blank)
        ]
        while kept and kept[-1].is_blank:
            kept.pop()
        return "".join(f"{line}\n" for line in kept)

    # --- comments ---------------------------------------------------------------------------------------

    def _beside(self, before: Piece, fragment: str) -> None:
        """A comment behind what was written last."""
        comment = fragment.lstrip(" ")
        if comment.startswith("#"):
            gap, column = (
                len(fragment) - len(comment),
                before.end - 1 - self.source.rfind("\n", 0, before.end),
            )
            self._comment(comment, gap, column + gap)

    def _comment(self, comment: str, gap: int, column: int) -> None:
        line = self.lines[-1]
        line.comment, line.gap_was, line.column_was = spaced(comment), gap, column

    def _between(self, lines: Sequence[str], before: Piece | None, after: Piece | None) -> None:
        """Lines of their own: comments, each with the word at whose column it stood, and blank ones."""
        for line in lines:
            comment = line.strip()
            if not comment:
                self.lines.append(Line(""))
                continue
            column = len(line) - len(line.lstrip(" "))
            if self.lines and self.lines[-1].comment and self.lines[-1].column_was == column:
                self.lines.append(Line("", spaced(comment), column_was=column))  # it goes on with that one
            else:
                self.lines.append(Line(" " * _column(column, before, after) + spaced(comment)))

    # --- pieces -----------------------------------------------------------------------------------------

    def _write(self, piece: Piece) -> None:
        new = self.instead.get((piece.line + 1, piece.column + 1))
        first, *others = (piece.text if new is None else new).split("\n")
        if piece.folded:
            self._folded(piece, first, others)
            return
        self.lines[-1].text += _trimmed(first) if others else first
        if piece.own is not None:
            self._open(piece)
        for other in others:
            said = _trimmed(other.lstrip(" "))
            self.lines.append(Line(" " * piece.indent + said if said else "", is_within=True))

    def _open(self, piece: Piece) -> None:
        """Where the lines of a bracket go on: behind it, or, if nothing stands there, below what it is in."""
        assert piece.own is not None
        rest = self.source[piece.end :].partition("\n")[0].lstrip(" ")
        if rest and not rest.startswith("#"):
            piece.own.column = len(self.lines[-1].text)
        elif piece.bracket is not None:
            piece.own.column = piece.bracket.column + INDENT
        else:
            piece.own.column = (piece.levels[-1].now if piece.levels else 0) + INDENT

    def _folded(self, piece: Piece, header: str, body: Sequence[str]) -> None:
        found = _HEADER.match(header)
        assert found is not None  # the scanner has read it
        style, one, digit, other = found.groups()
        # Without an end of line behind it the text has none, and the result has one.
        keeps = "-" if piece.end == len(self.source) else one + other
        self.lines[-1].text += style + (str(INDENT) if digit else "") + keeps
        comment = header[found.end() :].lstrip(" ")
        if comment:
            gap = len(header) - found.end() - len(comment)
            self._comment(comment, gap, piece.column + found.end() + gap)
        level = piece.levels[-1]
        first = next((line for line in body if line.strip(" ")), "")
        was = level.was + int(digit) if digit else len(first) - len(first.lstrip(" "))
        for line in body:
            said = line[was:]
            self.lines.append(Line(" " * (level.now + INDENT) + said if said else "", is_within=True))


def _joined(before: Piece, gap: str) -> bool:
    """A dash takes up what stands alone on the line below it."""
    return _is(before, ("-",)) and "#" not in gap


def _trimmed(line: str) -> str:
    """Without blanks at its end, but for one that is written with a backslash."""
    trimmed = line.rstrip(" ")
    return line if trimmed.endswith("\\") else trimmed


def _apart(before: Piece, piece: Piece) -> bool:
    """Whether a blank stands between two pieces of one line."""
    if _is(before, _OPENING) or _is(piece, (*_CLOSING, ",", ":")):
        return False
    return not (_is(before, (",",)) and _is(piece, _CLOSING))


def _is(piece: Piece, signs: Sequence[str]) -> bool:
    """One of these signs, and no text that looks like one."""
    return piece.text in signs and not piece.is_text


def _column(column: int, before: Piece | None, after: Piece | None) -> int:
    """Of a comment on a line of its own: it stays with what it stood at the column of."""
    if after is not None and after.bracket is not None:
        return after.bracket.column
    if after is not None and after.column == column:
        return after.indent
    levels = [*(before.levels if before else ()), *(after.levels if after else ())]
    known = {level.was: level.now for level in levels}
    return known.get(column, after.indent if after is not None else 0)
