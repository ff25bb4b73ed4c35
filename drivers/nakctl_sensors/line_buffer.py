"""Bytes as they come in -> whole lines, and nothing but whole lines. Pure."""

from __future__ import annotations

import re

LONGEST_LINE = 512
ALIKE = 3  # lines of one length in a row, one of them filled up with zeros or blanks: so they all are
_FILLED = re.compile(rb"(?:^|[^0-9.,])0[0-9]|  |[0-9][eE][+-][0-9]")


def is_whole(late: bytes, end: bytes) -> bool:
    """Whether what came behind a line, if anything, ends as lines end. Blanks are nothing."""
    return not late.strip() or late.endswith(end)


class LineBuffer:
    """Takes bytes, gives lines without their end.

    A line is whole if it was heard from behind one terminator up to the next one, without a pause: while
    nothing comes a plug may be out, and what is lost then nobody knows.

    cut  code and text of why a piece was no line
    """

    def __init__(self, end: bytes) -> None:
        self.end = end
        self.cut: tuple[str, str] | None = None
        self._held = b""
        self._whole = False  # the bytes held begin behind a terminator

    def begin(self) -> None:
        """What comes next begins a line: nothing was under way, and something was asked for."""
        self._held, self._whole, self.cut = b"", True, None

    def lose(self) -> None:
        """What is held or comes next may be the tail of a line: nothing counts up to the next terminator."""
        self._whole = False

    @property
    def held(self) -> bytes:
        """What came since the last terminator."""
        return self._held

    def feed(self, data: bytes) -> None:
        self._held += data

    def pause(self) -> None:
        """Nothing came for longer than a line may stand still."""
        if self._held:
            if self._whole:
                self.cut = "half_line", f"sent a line that stood still behind {_text(self._held)}"
            self.lose()

    def take(self) -> bytes | None:
        """The next whole line; None if there is none yet."""
        while (at := self._held.find(self.end)) >= 0:
            line, self._held = self._held[:at], self._held[at + len(self.end) :]
            was_whole, self._whole = self._whole, True
            if was_whole and len(line) <= LONGEST_LINE:
                return line
        if len(self._held) > LONGEST_LINE:
            self.cut = "garbage", f"sent {len(self._held)} characters without the end of a line"
            self._held, self._whole = self._held[-len(self.end) :], False
        return None


class Width:
    """If an instrument fills its lines up to one length, a line of another length has lost something, or is
    the halves of two. Lines that are not filled up may have any length."""

    def __init__(self) -> None:
        self.usual = 0  # length of the last lines
        self._alike, self._is_filled = 0, False
        self._odd = 0  # length of the last line, if that was not the usual one

    def fits(self, line: bytes) -> bool:
        """Whether a line with a number is as long as the ones before. Twice in a row as long as no other, and
        that is how they are from now on."""
        length = len(line)
        if length != self.usual:
            if self._alike >= ALIKE and self._is_filled and length != self._odd:
                self._odd = length
                return False
            self.usual, self._alike, self._is_filled = length, 0, False
        self._odd = 0
        self._alike += 1
        self._is_filled = self._is_filled or _FILLED.search(line) is not None
        return True


def _text(held: bytes) -> str:
    return repr(held[:60].decode("ascii", errors="replace"))
