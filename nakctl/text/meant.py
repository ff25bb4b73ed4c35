"""What was meant by a name that is none: those that are most like it, of those that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

_NEAR = 0.6
_MOST_FILES = 2000  # that are looked at, in a folder


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean strip?`, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def file_like(path: Path) -> str:
    """The same of a file that is not there, by those beside it."""
    beside: list[str] = []
    with suppress(OSError, ValueError):
        beside = [each.name for each in islice(path.parent.iterdir(), _MOST_FILES) if each.is_file()]
    near = [str(path.with_name(each)) for each in nearest(path.name, sorted(beside))]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The known words most like this one: none, if none is like it; at most three, if they are equally so."""
    likeness = {candidate: _likeness(word, candidate) for candidate in known}
    best = max(likeness.values(), default=0.0)
    return [candidate for candidate, value in likeness.items() if value == best >= _NEAR][:3]


def _likeness(word: str, candidate: str) -> float:
    if word.casefold() == candidate.casefold():
        return 1.0
    return difflib.SequenceMatcher(None, word, candidate).ratio()
