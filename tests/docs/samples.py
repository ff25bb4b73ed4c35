"""The samples of a page of Markdown, as its reader meets them from top to bottom.

Comments right before a sample tell the tests what a reader need not be told:

not run: WHY        it is not followed
file: NAME          it is saved under this name. So is one behind a sentence that ends with the name and a colon
after: COMMAND      what was typed before
says: COMMAND       of a `text`: that command prints it
ends with CODE      the exit code of its commands
in FILE: A -> B; C -> D   what was changed there before
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What a sample may be in: what is followed, and what is only shown. sh: typed once, or on another computer.
FOLLOWED = ("console", "python", "yaml", "toml", "csv")
SHOWN = ("text", "sh", "json", "matlab", "octave", "r", "julia")
NOTES = ("not run", "file", "after", "says", "ends with", "in ")

_FENCE = re.compile(r"^ *(`{3,})(.*)$")
_NOTE = re.compile(r"^<!-- (.*) -->$")
_FILE = re.compile(r"`([\w./-]+\.(\w+))`[^`]*:$")
_ENDINGS = {"yaml": "yaml", "py": "python", "toml": "toml", "csv": "csv"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What stands between two fences. line: of the first one, counted from 1."""

    line: int
    language: str
    text: str
    notes: tuple[str, ...] = ()
    file: str = ""

    def note(self, name: str) -> str:
        """What the note of this name says; "" without one."""
        for note in self.notes:
            if note.startswith(name):
                return note.removeprefix(name).lstrip(":").strip()
        return ""

    @property
    def is_followed(self) -> bool:
        return not self.note("not run") and (self.language in FOLLOWED or bool(self.note("says")))


def samples(page: Path) -> Iterator[Sample]:
    lines = page.read_text("utf-8").splitlines()
    before: list[str] = []  # what is not blank, above the sample
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            before += [lines[at].strip()] if lines[at].strip() else []
            at += 1
            continue
        end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1])
        indent = len(lines[at]) - len(lines[at].lstrip())
        text = "".join(f"{line[indent:]}\n" for line in lines[at + 1 : end])
        yield _sample(at + 1, fence[2].strip(), text, before)
        before, at = [], end + 1


def _sample(line: int, language: str, text: str, before: list[str]) -> Sample:
    notes = []
    while before and (note := _NOTE.match(before[-1])):
        notes.insert(0, note[1])
        before.pop()
    named = _FILE.search(before[-1]) if before else None
    is_file = named is not None and _ENDINGS.get(named[2]) == language
    sample = Sample(line, language, text, tuple(notes), named[1] if named and is_file else "")
    return Sample(line, language, text, tuple(notes), sample.note("file") or sample.file)
