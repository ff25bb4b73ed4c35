"""What a run in virtual time gives to its view, in the same process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

HEAD, PLAIN, WARNING, ALARM = -1, 0, 1, 2


@dataclass(frozen=True, slots=True)
class Mail:
    """Something to show.

    said     sentences with their severity: HEAD, PLAIN, WARNING, ALARM
    state    where the run is, a few lines; made only if they are drawn. busy: what it does instead
    end      the last lines: nothing comes after them
    """

    said: tuple[tuple[int, str], ...] = ()
    state: Callable[[], Sequence[str]] | None = None
    busy: str = ""
    end: tuple[str, ...] | None = None
