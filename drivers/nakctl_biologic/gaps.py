"""What tells whether rows are missing, and the words for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from nakctl.device.channel import Flag, Notice
from nakctl.device.program import Ca, Cp, Done, Loop, Ocv, Technique


def successors(techniques: Sequence[Technique], before: int) -> set[int]:
    """The techniques with rows that may follow this one (-1: the start), loops taken or not."""
    found: set[int] = set()
    seen: set[int] = set()
    ahead = [before + 1]
    while ahead:
        at = ahead.pop()
        if at >= len(techniques) or at in seen:
            continue
        seen.add(at)
        technique = techniques[at]
        if isinstance(technique, Loop):
            ahead += [technique.to, at + 1]
        else:
            found.add(at)
    return found


def by_change(technique: Done) -> bool:
    """Whether it records not only by time."""
    match technique:
        case Ocv() | Cp():
            return technique.dE_V is not None
        case Ca():
            return technique.dI_A is not None
    return False


def gap(time_s: float, text: str, **facts: int) -> Notice:
    """Rows are missing."""
    return Notice(time_s, 1, "gap", text, dict(facts))


def overload(time_s: float, flags: Flag, technique: int) -> Notice:
    what = {Flag.E_OVERLOAD: "Ewe", Flag.I_OVERLOAD: "I"}.get(flags, "Ewe and I")
    facts = {"technique": technique, "flags": int(flags)}
    return Notice(time_s, 1, "overload", f"{what} beyond the range", facts)
