"""Comments: the blank after #, and those behind the text of a line, which move together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LEAST = 2  # blanks before a comment behind text


@dataclass(slots=True)
class Line:
    """One line of the result.

    comment     behind its text, without the blanks before it; gap_was, column_was: those in the source. One
                without text goes on with the comment above it
    is_within   it belongs to a text of several lines, and is blank because that text is
    """

    text: str
    comment: str = ""
    gap_was: int = 0
    column_was: int = 0
    is_within: bool = False
    gap: int = _LEAST

    @property
    def is_blank(self) -> bool:
        return not self.text and not self.comment and not self.is_within

    def __str__(self) -> str:
        return f"{self.text}{' ' * self.gap}{self.comment}" if self.comment else self.text


def spaced(comment: str) -> str:
    """`#why` -> `# why`; rulers and `#!` stay."""
    comment = comment.rstrip()
    return (
        f"# {comment[1:]}" if comment[1:2].isalnum() or comment[1:2] in ("$", "{", "[", "'", '"') else comment
    )


def aligned(lines: Sequence[Line]) -> Sequence[Line]:
    """Comments that stood below each other do so again, as far from the longest line as they were."""
    for group in _groups(lines):
        beside = [line for line in group if line.text]
        longest = max(len(line.text) for line in beside)
        gap = max(min(line.gap_was for line in beside), _LEAST)
        for line in group:
            line.gap = longest + gap - len(line.text)
    return lines


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines of one paragraph whose comments began in one column; others may stand between them."""
    group: list[Line] = []
    for line in lines:
        ends = line.is_blank or (line.comment and group and line.column_was != group[0].column_was)
        if ends and group:
            yield group
            group = []
        if line.comment:
            group.append(line)
    if group:
        yield group
