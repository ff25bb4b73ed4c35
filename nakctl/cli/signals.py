"""What the operator's signals do to a run: they ask it to end in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED_BY_OPERATOR = "stopped by the operator"
# SIGBREAK is Windows' Ctrl-Break, and its closed console. One that is ignored, as under nohup, stays ignored.
_END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_PAUSE_SIGNALS = ("SIGTSTP", "SIGTTOU")  # a run that stands still leaves the cell unwatched


class StopAsked:
    """What the operator wants: called, it gives the reason to end the run, or None. times: how often."""

    def __init__(self) -> None:
        self.times = 0
        self.reason = STOPPED_BY_OPERATOR

    def __call__(self) -> str | None:
        return self.reason if self.times else None

    def count(self) -> int:
        return self.times

    def ask(self, reason: str = STOPPED_BY_OPERATOR) -> None:
        if not self.times:
            self.reason = reason
        self.times += 1


@contextmanager
def asked_to_stop(by: tuple[str, ...] = _END_SIGNALS) -> Iterator[StopAsked]:
    """Ctrl-C, a polite kill and a closed terminal end the run in order instead of tearing it apart.

    That holds to the end of the report, and once it was asked to that of the process. Further ones change
    nothing, but where a channel does not stop: then it is left. Ctrl-Z does nothing: the cell would go on
    with nobody watching.
    """
    asked = StopAsked()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.ask()

    before = {number: signal.signal(number, ask) for number in _heard(by)}
    paused = {number: signal.signal(number, signal.SIG_IGN) for number in _heard(_PAUSE_SIGNALS)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if asked.times else handler)
        for number, handler in paused.items():
            signal.signal(number, handler)


def _heard(names: tuple[str, ...]) -> list[int]:
    """Those that this system has, and that are not ignored already."""
    known = (getattr(signal, name, None) for name in names)
    return [each for each in known if each is not None and signal.getsignal(each) is not signal.SIG_IGN]
