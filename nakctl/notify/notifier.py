"""The door for who looks at all runs once a second: `Notifier().look(...)`. It never waits nor raises.

What is new is found by `news`, waits in the `outbox`, and goes out by processes. All that is known is kept in
one file beside what is known of the runs, so whoever comes after a death neither repeats nor forgets; only
what was being sent in that moment may be sent twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from nakctl.errors import place_of
from nakctl.notify import log
from nakctl.notify.errand import Errand, LONGEST_s
from nakctl.notify.news import Known, ended, news
from nakctl.notify.notice import Seen
from nakctl.notify.outbox import Letter, Outbox, WayTold
from nakctl.record.registry import KnownRun

MOST_AT_A_TIME = 4  # processes
WAYS_KNOWN_FOR_s = 60.0  # then the rig is read anew, if there is something to tell
ASK_AGAIN_s = 30.0  # how a run ended that is no longer listed
ASKED = 5  # times; then nobody knows
_STATE = "told.json"


class Notifier:
    """place: where it keeps what it knows; beside what is known of the runs, if not said."""

    def __init__(self, place: Path | None = None, most: int = MOST_AT_A_TIME) -> None:
        self._most = most
        self._known: dict[str, Known] = {}
        self._runs: dict[str, KnownRun] = {}
        self._states: dict[str, Mapping[str, Any]] = {}  # the last one of each, as long as we live
        self._outbox = Outbox()
        self._ways: dict[str, tuple[float, list[WayTold]]] = {}
        self._asked: dict[str, tuple[float, int]] = {}  # of a run that is no longer listed: when, how often
        self._errands: dict[tuple[str, str], tuple[Errand, Callable[[dict[str, Any]], None]]] = {}
        self._sending: dict[str, Letter] = {}
        self._in_doubt: set[str] = set()  # was being sent when the one before us died
        self._kept: object = None  # what the file holds
        self._fault = ""
        self._place = place
        self._guarded(self._load)

    def look(self, runs: Sequence[Seen], doing: Mapping[str, str] | None = None) -> None:
        """Of all runs that are known now. doing: what is done about one that nobody watches, by its id."""
        self._guarded(lambda: self._look(runs, doing or {}))

    @property
    def is_idle(self) -> bool:
        """Nothing is under way, and nothing waits to be sent or told together."""
        return not (self._errands or self._outbox.letters or self._outbox.held)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Who looks has more to do than this: a fault is written down once, and looked past."""
        try:
            step()
        except Exception as error:  # noqa: BLE001
            told = f"{type(error).__name__} ({place_of(error)})"
            if told != self._fault and self._place is not None:
                self._fault = told
                log.append(log.log_of(self._place), {"way": "all", "sent": False, "why": f"a fault: {told}"})

    # --- a look ----------------------------------------------------------------------------------------

    def _look(self, runs: Sequence[Seen], doing: Mapping[str, str]) -> None:
        now_s = time.time()
        self._hear()
        for seen in runs:  # one that cannot be understood hides no other one
            self._guarded(partial(self._look_at, seen, now_s, doing.get(seen.run.run_id, "")))
        self._miss({seen.run.run_id for seen in runs}, now_s)
        self._outbox.turn(now_s)
        for letter in self._outbox.overflow():
            self._give_up(letter, "too many notices wait")
        self._keep()  # before anything is sent: who comes after us knows of it
        self._address(now_s)
        self._send(now_s)
        self._keep()

    def _look_at(self, seen: Seen, now_s: float, doing: str) -> None:
        run = seen.run
        known, told = news(self._known.get(run.run_id), seen, now_s, doing)
        self._known[run.run_id], self._runs[run.run_id] = known, run
        self._asked.pop(run.run_id, None)
        if seen.state is not None:
            self._states[run.run_id] = seen.state
        self._outbox.take(run.rig, told, now_s)

    def _miss(self, there: set[str], now_s: float) -> None:
        """Runs that are no longer listed: sealed, or removed. An end that was not seen is asked for."""
        for run_id in [each for each in self._known if each not in there]:
            if self._known[run_id].ended or not self._runs[run_id].rig:
                self._forget(run_id)
                continue
            asked_s, times = self._asked.get(run_id, (0.0, 0))
            if not 0 <= now_s - asked_s < ASK_AGAIN_s and self._start(
                ("ended", run_id), partial(self._ended, run_id), "ask",
                "ended", str(self._runs[run_id].path),
            ):  # fmt: skip
                self._asked[run_id] = now_s, times + 1

    def _ended(self, run_id: str, told: dict[str, Any]) -> None:
        if run_id not in self._known or told.get("goes_on"):
            return
        if (told.get("problem") or not told) and self._asked.get(run_id, (0.0, ASKED))[1] < ASKED:
            return  # it may be about to get its name
        run, now_s = self._runs[run_id], time.time()
        how = told or {"problem": "its file could not be read"}
        self._outbox.take(
            run.rig, [ended(run, self._states.get(run_id), how, now_s, "nothing further")], now_s
        )
        self._forget(run_id)

    def _forget(self, run_id: str) -> None:
        for each in (self._known, self._runs, self._states, self._asked):
            each.pop(run_id, None)

    # --- what goes out ---------------------------------------------------------------------------------

    def _address(self, now_s: float) -> None:
        for rig in self._outbox.rigs(now_s):
            at_s, ways = self._ways.get(rig, (0.0, []))
            if 0 <= now_s - at_s < WAYS_KNOWN_FOR_s:
                self._outbox.address(rig, ways, now_s)
            else:
                self._start(("ways", rig), partial(self._found, rig), "ask", "ways", rig)

    def _found(self, rig: str, told: dict[str, Any]) -> None:
        now_s = time.time()
        if "ways" in told:
            self._ways[rig] = now_s, [WayTold.from_json(each) for each in told["ways"]]
            self._outbox.address(rig, self._ways[rig][1], now_s)
            return
        why = str(told.get("problem") or "it could not be read who is to be told")
        for letter in [each for each in self._outbox.letters if each.rig == rig and not each.number]:
            self._not_sent(replace(letter, label="everybody"), why, now_s, written=False)

    def _send(self, now_s: float) -> None:
        busy = [letter.lane for letter in self._sending.values()]
        for letter in self._outbox.due(now_s, busy):
            if letter.key in self._in_doubt:
                self._in_doubt.discard(letter.key)
                if letter.key in self._sent_keys():
                    self._outbox.sent(letter)
                    continue
            if self._start(
                ("send", letter.key), partial(self._done, letter), "send",
                job=self._job(letter),
            ):  # fmt: skip
                self._sending[letter.key] = letter

    def _job(self, letter: Letter) -> dict[str, Any]:
        return {
            "rig": letter.rig,
            "number": letter.number,
            "kind": letter.kind,
            "label": letter.label,
            "key": letter.key,
            "notice": letter.notice.as_json(),
            "log": str(log.log_of(self._there())),
        }

    def _done(self, letter: Letter, told: dict[str, Any]) -> None:
        self._sending.pop(letter.key, None)
        if told.get("sent"):
            self._outbox.sent(letter)
        else:
            why = str(told.get("why") or "the process that sends it died, or took too long")
            self._not_sent(letter, why, time.time(), written=bool(told))

    def _not_sent(self, letter: Letter, why: str, now_s: float, *, written: bool) -> None:
        """written: the process that sends has done so."""
        if not self._outbox.failed(letter, now_s):
            self._give_up(letter, why)
        elif not written:
            self._write(letter, why)

    def _give_up(self, letter: Letter, why: str) -> None:
        self._write(letter, why, given_up=True)

    def _write(self, letter: Letter, why: str, **more: bool) -> None:
        notice = letter.notice
        about: dict[str, Any] = {"event": notice.event, "run_id": notice.run_id, "key": letter.key}
        about |= {"rig": letter.rig, "number": letter.number}
        label = letter.label or "everybody"
        log.append(log.log_of(self._there()), {"way": label, **about, "sent": False, "why": why, **more})

    # --- processes -------------------------------------------------------------------------------------

    def _start(
        self,
        key: tuple[str, str],
        done: Callable[[dict[str, Any]], None],
        module: str,
        *arguments: str,
        job: Mapping[str, Any] | None = None,
    ) -> bool:
        """False: it is under way already, there are too many, or the system has no room for another one."""
        if key in self._errands or len(self._errands) >= self._most:
            return False
        try:
            self._errands[key] = Errand(module, *arguments, job=job), done
        except OSError:
            return False
        return True

    def _hear(self) -> None:
        for key, (errand, done) in list(self._errands.items()):
            if (told := errand.answer()) is not None:
                del self._errands[key]
                done(told)

    # --- what is kept ----------------------------------------------------------------------------------

    def _there(self) -> Path:
        if self._place is None:
            self._place = log.folder()
        with suppress(OSError):  # it tells all the same, and forgets when it ends
            self._place.mkdir(parents=True, exist_ok=True)
        return self._place

    def _load(self) -> None:
        try:
            told = json.loads((self._there() / _STATE).read_text(encoding="utf-8"))
            self._outbox = Outbox.from_json(told["outbox"])
            self._known = {run_id: Known.from_json(each) for run_id, each in told["known"].items()}
            self._runs = {run_id: _run(each) for run_id, each in told["runs"].items()}
            sending = set(told["sending"])
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError):  # of another version, or damaged
            self._outbox, self._known, self._runs = Outbox(), {}, {}
            return
        sent, until_s = self._sent_keys(), time.time() + LONGEST_s
        self._in_doubt = sending - sent  # their processes may be at it still
        self._outbox.letters = [
            replace(letter, next_s=until_s) if letter.key in self._in_doubt else letter
            for letter in self._outbox.letters
            if letter.key not in sent
        ]

    def _sent_keys(self) -> set[str]:
        lines = log.read(log.log_of(self._there()))
        return {str(line["key"]) for line in lines if line.get("sent") and line.get("key")}

    def _keep(self) -> None:
        known = {run_id: replace(each, looked_s=0.0, suspected="") for run_id, each in self._known.items()}
        sending = sorted({*self._sending, *self._in_doubt})
        fresh_state = (known, dict(self._runs), self._outbox.as_json(), sending)
        if fresh_state == self._kept:  # as at nearly every look, once a second for weeks
            return
        told = {
            "outbox": self._outbox.as_json(),
            "known": {run_id: each.as_json() for run_id, each in known.items()},
            "runs": {run_id: {**asdict(run), "path": str(run.path)} for run_id, run in self._runs.items()},
            "sending": sending,
        }
        text = json.dumps(told)
        file = self._there() / _STATE
        fresh = file.with_suffix(".new")
        with suppress(OSError):  # then with the next look
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(file)
            self._kept = fresh_state


def _run(told: Mapping[str, Any]) -> KnownRun:
    words = {each.name: told[each.name] for each in fields(KnownRun) if each.name in told}
    return KnownRun(**{**words, "path": Path(told["path"])})
