"""What people ask of a run in virtual time: letters that come at some time of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from running import Pulled, done

from nakctl.device.channel import Channel, Reading, Watch
from nakctl.record.asked import Answer, Request
from nakctl.run.logbook import Progress
from nakctl.run.postman import Refused

SOON_s = 0.1  # how much of virtual time a read brings


def request(verb: str, who: str = "ada@pc", number: int = 1, **arguments: str) -> Request:
    return Request(f"request-{number}", verb, arguments, who, "2026-03-04T10:00:00+01:00")


@dataclass
class Letters:
    """A mailbox in virtual time: what is asked at which time of the run."""

    due: list[tuple[float, Request]]
    answers: list[Answer] = field(default_factory=list)
    trouble: str = ""
    shown: list[Refused] = field(default_factory=list)
    now_s: float = 0.0

    def see(self, progress: Progress) -> None:
        self.now_s = progress.time_s

    def taken(self) -> list[Request]:
        come = [each for time_s, each in self.due if time_s <= self.now_s]
        self.due = [each for each in self.due if each[1] not in come]
        return come

    def answer(self, given: Answer) -> None:
        self.answers.append(given)

    def refused(self) -> Refused | None:
        return self.shown.pop() if self.shown else None

    def told(self, number: int = 1) -> list[tuple[str, str]]:
        return [(each.state, each.text) for each in self.answers if each.id == f"request-{number}"]


class Slowly(Pulled):
    """A channel of which every read brings a moment."""

    def read(self, watch: Watch) -> Reading:
        return self.inner.read(replace(watch, every_s=SOON_s))


def slowly(channel: Channel) -> Slowly:
    return Slowly(channel, at_read=-1)


def ran(steps: str, *due: tuple[float, Request], **options: Any) -> tuple[Any, Any, Letters]:
    post = Letters(list(due))

    outcome, kept = done(steps, wrap=slowly, post=post, observe=post.see, **options)
    return outcome, kept, post


def paused(steps: str, asked_s: float, after: str | None = None, **options: Any) -> tuple[Any, Any]:
    """A run that somebody pauses, at once or at a boundary, and resumes long after."""
    more = {} if after is None else {"after": after}
    letters = ((asked_s, request("pause", **more)), (300.0, request("resume", number=2)))
    outcome, kept, _ = ran(steps, *letters, **options)
    return outcome, kept


def ends(kept: Any) -> list[tuple[str, str]]:
    """Label without its number and kind of end of each step."""
    return [(row["label"].decode().split(" ", 1)[1], row["end_kind"].decode()) for row in kept["steps"]]
