"""Which step of one plan is which of another."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from difflib import SequenceMatcher

from nakctl.render.difference.entries import Entry
from nakctl.render.difference.facts import PC_OFF

Pair = tuple[Entry | None, Entry | None]
_NUMBER = re.compile(r" ?[-+]?\d.*")


def whole(entry: Entry) -> Hashable:
    """All that it does, wherever it stands: so without what a chain does after it."""
    facts = tuple((fact.name, fact.value) for fact in entry.facts if fact.name != PC_OFF)
    return entry.kind, facts, tuple(map(whole, entry.inner))


def _by_name(entry: Entry) -> Hashable:
    return entry.kind, entry.name


def _by_word(entry: Entry) -> Hashable:
    """`strip`, whatever the current is."""
    return entry.kind, _NUMBER.sub("", entry.name)


def _by_kind(entry: Entry) -> Hashable:
    return entry.kind


KEYS: tuple[Callable[[Entry], Hashable], ...] = (whole, _by_name, _by_word, _by_kind)


def pairs(before: Sequence[Entry], after: Sequence[Entry]) -> list[Pair]:
    """Steps that belong together, in order, and those that nothing belongs to.

    What is the same in all is found first; what lies between that is told apart by name, then by what it does
    at all, then by kind.
    """
    return _pairs(before, after, KEYS)


def _pairs(
    before: Sequence[Entry], after: Sequence[Entry], keys: Sequence[Callable[[Entry], Hashable]]
) -> list[Pair]:
    if not keys or not before or not after:
        return [*((each, None) for each in before), *((None, each) for each in after)]
    key, *others = keys
    found: list[Pair] = []
    matcher = SequenceMatcher(
        None, [key(each) for each in before], [key(each) for each in after], autojunk=False
    )
    for what, b0, b1, a0, a1 in matcher.get_opcodes():
        if what == "equal":
            found += zip(before[b0:b1], after[a0:a1], strict=True)
        else:
            found += _pairs(before[b0:b1], after[a0:a1], others)
    return found
