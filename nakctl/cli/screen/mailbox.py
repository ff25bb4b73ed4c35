"""What a run gives to its screen, in its own process or in another: the latest state, sentences in order.

Whoever puts something into a `Mailbox` never waits: a state takes the place of the one before, and of more
sentences than fit the least severe and oldest are dropped and counted.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

HEAD, PLAIN, WARNING, ALARM = -1, 0, 1, 2
MOST = 1000  # sentences that wait; an hour of one every few seconds


@dataclass(frozen=True, slots=True)
class Mail:
    """Something to show.

    said     sentences with their severity: HEAD, PLAIN, WARNING, ALARM
    dropped  how many sentences before these could not be kept
    state    where the run is, a few lines; made only if they are drawn. busy: what it does instead
    end      the last lines: nothing comes after them
    """

    said: tuple[tuple[int, str], ...] = ()
    dropped: int = 0
    state: Callable[[], Sequence[str]] | None = None
    busy: str = ""
    end: tuple[str, ...] | None = None

    def line(self) -> str:
        """As it goes through a pipe: JSON, ASCII, one line."""
        state = None if self.state is None else list(self.state())
        told = {
            "said": self.said,
            "dropped": self.dropped,
            "state": state,
            "busy": self.busy,
            "end": self.end,
        }
        return json.dumps(told) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Mail:
        told: dict[str, Any] = json.loads(line)
        lines = told["state"]
        return cls(
            said=tuple((severity, text) for severity, text in told["said"]),
            dropped=told["dropped"],
            state=None if lines is None else lambda: lines,
            busy=told["busy"],
            end=None if told["end"] is None else tuple(told["end"]),
        )


class Mailbox:
    """Between one who must not wait and one who may stand still for hours."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._said: list[tuple[int, str]] = []
        self._rest = Mail()  # all but the sentences
        self._waiting = self._closed = False

    def put(self, mail: Mail) -> None:
        with self._changed:
            self._said += mail.said
            dropped = self._rest.dropped + mail.dropped + self._drop()
            newer = mail if mail.state is not None or mail.busy else self._rest
            end = self._rest.end if mail.end is None else mail.end
            self._rest = Mail(dropped=dropped, state=newer.state, busy=newer.busy, end=end)
            self._waiting = True
            self._changed.notify()

    def take(self, wait: bool = True) -> Mail | None:
        """Everything since the last time. Waits until there is something; None: it is closed, or empty."""
        with self._changed:
            while wait and not self._waiting and not self._closed:
                self._changed.wait()
            if not self._waiting:
                return None
            rest = self._rest
            mail = Mail(tuple(self._said), rest.dropped, rest.state, rest.busy, rest.end)
            self._said, self._rest, self._waiting = [], Mail(), False
            return mail

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _drop(self) -> int:
        """Make room; returns how many had to go."""
        too_many = max(len(self._said) - self._most, 0)
        for _ in range(too_many):
            del self._said[min(range(len(self._said)), key=lambda k: (self._said[k][0], k))]
        return too_many
