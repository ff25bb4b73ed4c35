"""What the keeper does about each run, by how it is seen from outside, once a second. Pure.

    dead     nobody holds its lock, and its end was not written    > somebody goes on with it
    hung     its lock is held, and its program does not move       > it is ended, and then as above
    unsealed its end was written, and it was not sealed            > it is sealed
    lost     its chain is on the channel no more                   > asked twice more; then for a person

What was tried and did not help is tried again, ever more seldom. Where nobody can go on with a run whose
channel shall not be left alone, it is stopped instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Action = Literal["take over", "end it", "stop"]

SURE_AFTER_s = 1.5  # a lock may be free for a moment; a second look says the same
HUNG_FOR_s = 3.0  # of the keeper's own waking time, after it looked hung for the first time
UNSEALED_FOR_s = 30.0  # whoever ended it seals it, and that takes a while
AGAIN_AFTER_s = (10.0, 30.0, 60.0, 300.0)  # from the end of one try to the next one; then always the last
LOST_TRIES = 2
LIVED_FOR_s = 60.0  # a run that is well for so long has been helped


@dataclass(frozen=True, slots=True)
class Case:
    """A run that needs somebody, or did lately.

    word       dead, hung, unsealed, lost, or "" if it is well; since_s: for how long, of the keeper's clock
    tries      how often something was tried; next_s: not before
    is_tried   something is under way
    """

    word: str = ""
    since_s: float = 0.0
    tries: int = 0
    next_s: float = 0.0
    is_tried: bool = False


def seen(case: Case, word: str, now_s: float) -> Case:
    """After a look."""
    if word != case.word:
        next_s = now_s if case.word == "hung" else case.next_s  # it was ended; nothing else was tried yet
        case = replace(case, word=word, since_s=now_s, next_s=next_s)
    if not word and now_s - case.since_s > LIVED_FOR_s:
        case = replace(case, tries=0, next_s=0.0)
    return case


def excused(case: Case, now_s: float) -> Case:
    """The keeper itself did not move for a while, as when the computer slept: everybody gets one grace."""
    return replace(case, since_s=now_s)


def due(case: Case, now_s: float, stop_after_s: float) -> Action | None:
    """What is to be done now. stop_after_s: after so long a dead one is to be stopped; infinite: never."""
    if case.is_tried or now_s < case.next_s:
        return None
    passed_s = now_s - case.since_s
    match case.word:
        case "dead" if passed_s > stop_after_s and case.tries:
            return "stop"
        case "dead" if passed_s >= SURE_AFTER_s:
            return "take over"
        case "lost" if passed_s >= SURE_AFTER_s and case.tries < LOST_TRIES:
            return "take over"
        case "unsealed" if passed_s >= UNSEALED_FOR_s:
            return "take over"
        case "hung" if passed_s >= HUNG_FOR_s:
            return "end it"
    return None


def begun(case: Case) -> Case:
    return replace(case, is_tried=True)


def tried(case: Case, now_s: float, action: Action) -> Case:
    """Something was tried, whatever came of it."""
    if action == "end it" and case.word != "hung":  # it is gone: nobody has to wait to go on with it
        return replace(case, is_tried=False)
    wait_s = AGAIN_AFTER_s[min(case.tries, len(AGAIN_AFTER_s) - 1)]
    return replace(case, is_tried=False, tries=case.tries + 1, next_s=now_s + wait_s)
