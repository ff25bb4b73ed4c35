"""What is new about a run since it was looked at last: pure, from what was known and what is seen.

A run that hangs or whose program is gone has to be found so twice in a row: a looker that slept for a minute
finds everybody silent. What is not told again is kept in `Known`, which outlives the looker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

from nakctl.device.events import news_of
from nakctl.notify.notice import UNDER_CURRENT, Found, Notice, Seen, clock, made, readings
from nakctl.record.registry import KnownRun

FRESH_s = 3600.0  # of a run that was never seen before, what is older is no news
LOOKED_s = 5.0  # two looks that are further apart say nothing of each other
_LOST = {"HUNG": "hung", "DEAD": "dead", "LOST": "dead", "AWAY": "dead"}
_SHORT = {
    "HUNG": "its program does not move, and nobody watches the cell",
    "DEAD": "its program is gone, and nobody watches the cell",
    "LOST": "what was on its channel is gone, and the run has not ended",
    "AWAY": "nothing of it can be seen: its drive is not there",
}
_GOES_ON = "the run goes on, and its limits are watched"


@dataclass(frozen=True, slots=True)
class Known:
    """Of one run, what was told already.

    number    of its newest news that were seen; pid: of the program that told them
    ended     its end was told
    health    the word in capitals that was told last, "" if all was well
    suspected  the word that was seen at looked_s, by the wall clock; since_s: when the run was seen first
    """

    number: int = 0
    pid: int = 0
    started: bool = False
    ended: bool = False
    health: str = ""
    suspected: str = ""
    looked_s: float = 0.0
    since_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Found) -> Known:
        return cls(**{each.name: told[each.name] for each in fields(cls) if each.name in told})


def news(known: Known | None, seen: Seen, now_s: float, doing: str = "") -> tuple[Known, list[Notice]]:
    """What is known from now on, and what there is to tell, in order. known None: never seen before.

    now_s   of the wall clock
    doing   what whoever looks does about a run that nobody watches, as a sentence
    """
    known = known or Known(since_s=now_s)
    look = _Look(seen, now_s, doing, old_s=known.since_s - FRESH_s)
    told: list[Notice] = []
    for step in (look.start, look.happened, look.health, look.end):
        known, found = step(known)
        told += found
    if any(notice.event == "end" and not notice.code for notice in told):
        told = [notice for notice in told if notice.code != "stop"]  # why is told with the end itself
    return replace(known, looked_s=now_s), told


def ended(
    run: KnownRun, state: Found | None, how: Found, now_s: float, does: str = "makes its file whole"
) -> Notice:
    """The end of a run. how: status, reason, cell_open and problem, as far as they are known."""
    status, reason = str(how.get("status") or ""), str(how.get("reason") or "")
    what = f"the run is over: {status}" + (f", {reason}" if reason and reason != status else "")
    if problem := how.get("problem"):
        what = f"the run is over; how it ended is not known: {problem}"
    is_open = how.get("cell_open")
    if is_open is None and UNDER_CURRENT in reason:
        is_open = False
    if run.simulated and not run.outlives and not is_open:
        cell, is_open = "simulated, and gone with its program", True
    elif is_open:
        cell = "open, as it was seen"
    else:
        cell = f"{UNDER_CURRENT}: nobody saw it open; last seen: {readings(state) or 'nothing'}"
        what += "" if UNDER_CURRENT in what else f"; THE CELL {UNDER_CURRENT}"
    severity = 0 if status == "completed" and is_open else 2 if not is_open else 1
    return made(
        "end", what, run, state, severity=severity, unix_s=float(how.get("unix_s") or now_s), cell=cell,
        does=does,
    )  # fmt: skip


Step = tuple[Known, list[Notice]]


@dataclass(frozen=True, slots=True)
class _Look:
    """old_s: what happened before that is no news."""

    seen: Seen
    now_s: float
    doing: str
    old_s: float

    @property
    def state(self) -> Found:
        return self.seen.state or {}

    def start(self, known: Known) -> Step:
        if known.started:
            return known, []
        known = replace(known, started=True)
        begun_s = _moment_s(self.seen.run.started)
        if begun_s < self.old_s or not self.seen.held:
            return known, []
        ends_s = _moment_s(self.seen.run.ends)
        ends = f"; as planned it ends {clock(ends_s)}" if ends_s else ""
        return known, [self._notice("start", f"the run begins{ends}", 0, begun_s)]

    def happened(self, known: Known) -> Step:
        """What the run told itself."""
        pid = int(_number(self.state.get("pid")))
        items = [item for item in self.state.get("news") or () if isinstance(item, dict)]
        newest = max((int(item["number"]) for item in items), default=0)
        # another program that does not count on from where the one before it was
        is_anew = newest < known.number and pid != known.pid
        last = 0 if is_anew else known.number
        fresh = [item for item in items if item["number"] > last]
        told = list(self._told(fresh))
        missed = min((int(item["number"]) for item in fresh), default=last + 1) - last - 1
        if missed > 0 and known.pid:
            text = f"{missed} more happened before this; the events in its file tell of them"
            told.insert(0, self._notice("alarm", text, 1, self.now_s))
        if self._was_taken_over(known, pid) and not any(each.event == "taken over" for each in told):
            text = "another program goes on with the run in the place of the one that began it"
            told.append(self._notice("taken over", text, 1, self.now_s))
        return replace(known, number=max(newest, last), pid=pid or known.pid), told

    def _told(self, items: Sequence[Found]) -> Iterator[Notice]:
        for item in items:
            severity, code, unix_s = int(item["severity"]), str(item["code"]), _number(item["unix_s"])
            event = news_of(code, severity)
            if event and code != "end" and unix_s >= self.old_s:
                yield self._notice(event, str(item["text"]), min(severity, 2), unix_s, code)

    def _was_taken_over(self, known: Known, pid: int) -> bool:
        return bool(known.pid) and bool(pid) and pid != known.pid and self.seen.held

    def health(self, known: Known) -> Step:
        """Whether somebody watches the cell."""
        health = self.seen.health
        word = health.word if health.word in _LOST else ""
        if word and not (known.suspected == word and 0 <= self.now_s - known.looked_s <= LOOKED_s):
            return replace(known, suspected=word), []
        known = replace(known, suspected=word)
        if word == known.health:
            return known, []
        before, known = known.health, replace(known, health=word)
        if word:
            was_seen = known.pid if word == "AWAY" else self._told_s >= self.old_s
            if not was_seen:
                return known, []
            lost = self._notice(_LOST[word], health.text, 2, self.now_s, short=_SHORT[word])
            return known, [lost]
        if self.seen.end is not None or self.seen.sealed or self.state.get("state") == "ended":
            return known, []
        return known, [self._notice(_LOST[before], "the run is watched again", 0, self.now_s)]

    def end(self, known: Known) -> Step:
        """Nothing if it is sealed and nobody said how it ended: that is asked of its file."""
        state, end = self.state, self.seen.end
        if known.ended or not (end or state.get("state") == "ended"):
            return known, []
        how = {
            "status": state.get("status"),
            "reason": state.get("reason"),
            "cell_open": state.get("cell_open"),
        }
        if end:
            how = {
                "status": end.get("status"),
                "reason": end.get("end_reason"),
                "cell_open": end.get("cell_open"),
            }
        how["unix_s"] = state.get("told_unix_s")
        known = replace(known, ended=True)
        if self._told_s < self.old_s:
            return known, []
        return known, [ended(self.seen.run, state, how, self.now_s)]

    @property
    def _told_s(self) -> float:
        """When the run told anything the last time."""
        return _number(self.state.get("told_unix_s"))

    # --- in words --------------------------------------------------------------------------------------

    def _notice(
        self, event: str, what: str, severity: int, unix_s: float, code: str = "", short: str = ""
    ) -> Notice:
        return made(
            event, what, self.seen.run, self.state, severity=severity, unix_s=unix_s, code=code, short=short,
            cell=self._cell, does=self._does(event),
        )  # fmt: skip

    @property
    def _cell(self) -> str:
        run, word, state = self.seen.run, self.seen.health.word, self.state
        last = readings(state) or "no row yet"
        at = clock(self._told_s)
        if word == "DEAD" and not run.outlives:
            return "simulated, and gone with its program"
        if word in _LOST:
            return f"UNKNOWN, and {UNDER_CURRENT}; last seen {at}: {last}"
        if state.get("state") == "opening":
            return "open: nothing was started yet"
        return f"in {last}" if state.get("step_id") else "no row was read yet"

    def _does(self, event: str) -> str:
        word = self.seen.health.word
        if word in _LOST:
            return self.doing or "looks again every second"
        if self.state.get("state") in ("stopping", "ended") or event == "end":
            return "the channel is stopped"
        if word == "STUCK":
            return "waits for the channel; if it does not answer, the run is left and taken over"
        return _GOES_ON


def _moment_s(told: str) -> float:
    """0: nobody knows."""
    try:
        return datetime.fromisoformat(told).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
