"""How a run does, judged by who only looks: by its lock, its last state, and whether its end was written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nakctl.errors import typed
from nakctl.record import files, lock, peek, registry
from nakctl.record.boot import boot_id, is_same_boot
from nakctl.record.registry import KnownRun
from nakctl.record.slot import state_of
from nakctl.run.pulse import GUARDING, alarm_after_s
from nakctl.text.numbers import duration

HUNG_AFTER_s = 5.0  # nobody in the program has told anything for so long; it does so twice a second
STANDS_AFTER_s = 30.0  # the program lives, and its loop has not come round
OPENING_s = 120.0  # before the loop begins nobody tells anything: sensors are started

Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """word: one for a table, in capitals if somebody has to do something; text: a sentence, or nothing."""

    word: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a run has found.

    held    a program records it now
    state   what that told last, see `nakctl.run.outside`
    end     how the run ended, if that was written; None: it was not
    sealed  the file is whole, and no journal is left
    away    nothing can be seen, and its drive is not there
    now_s   of the look, by the clock of `time.monotonic`; boot: of which start of the computer
    """

    run: KnownRun
    held: bool
    state: Found | None
    end: Found | None
    sealed: bool
    away: bool
    now_s: float
    boot: str

    @property
    def is_left(self) -> bool:
        """Nobody holds it, and something of it is left."""
        return not (self.held or self.sealed or self.away)

    @property
    def health(self) -> Health:
        if self.away:
            return Health("AWAY", "its files are not there; is the drive connected?")
        if self.sealed:
            return Health("sealed", f"nakctl show {typed(self.run.path)}")
        return self._of_the_living(self.state) if self.held else self._without_a_program()

    def _without_a_program(self) -> Health:
        file = self.run.path
        if self.end is not None:
            how = f"{self.end.get('status', '')}: {self.end.get('end_reason', '')}"
            return Health(
                "ended", f"{how}; if its file is not sealed in a minute: nakctl recover {typed(file)}"
            )
        state = self.state or {}
        if state.get("state") == "lost":
            return Health("LOST", f"{str(state.get('reason')).rstrip('.')}; {to_be_continued(file)}")
        who = "its program is gone and nobody watches the cell"
        if not self.run.outlives:
            return Health(
                "DEAD", f"its program is gone, and its channel with it: nakctl recover {typed(file)}"
            )
        alone = state.get("alone")
        holds = "" if alone is None else f"; alone the instrument holds {alone or 'no limit'}"
        return Health(
            "DEAD",
            f"{who}; the channel may go on by itself{holds}. nakctl attach {self.run.short_id} goes on "
            f"with it, nakctl stop {self.run.short_id} stops it",
        )

    def _of_the_living(self, state: Found | None) -> Health:
        if state is None:
            return Health("running", "its state cannot be read: another version of nakctl runs it, or damage")
        word = str(state.get("state", "running"))
        told, call = state.get("told_monotonic_s"), state.get("call")
        if state.get("virtual") or word == "ended" or not self.has_its_clock or told is None:
            return Health(word)
        silent_s = self.now_s - told
        if silent_s > HUNG_AFTER_s and not _is_there(int(state.get("pid", 0))):
            return Health("adopting", "its program is gone, and another one is about to go on with it")
        if silent_s > (OPENING_s if word == "opening" else HUNG_AFTER_s):
            text = f"its program has not moved for {duration(silent_s)}, and nobody watches the cell"
            return Health("HUNG", text + self._process)
        if isinstance(call, dict):
            return self._in_a_call(word, str(call.get("name")), self.now_s - call["since_monotonic_s"])
        round_s = self.now_s - state.get("round_monotonic_s", self.now_s)
        if round_s > STANDS_AFTER_s:
            text = f"its loop has not come round for {duration(round_s)}, and nobody watches the cell"
            return Health("HUNG", text + self._process)
        if word == "paused":
            asks = f"{state['asks']}; then " if state.get("asks") else ""
            return Health(word, f"{asks}nakctl resume {self.run.short_id} goes on with it")
        return Health(word)

    def _in_a_call(self, word: str, name: str, since_s: float) -> Health:
        if since_s <= alarm_after_s(name):
            return Health(word)
        guards = "; what the host watches is not watched meanwhile" if name in GUARDING else ""
        return Health("STUCK", f"{name} of the channel has not come back for {duration(since_s)}{guards}")

    def since_s(self, what: str) -> float | None:
        """How long ago it was: by the clock that runs evenly, or after a new start by the other one."""
        state = self.state or {}
        moment, told, told_unix = (state.get(f"{each}_s") for each in (
            f"{what}_monotonic", "told_monotonic", "told_unix",
        ))  # fmt: skip
        if moment is None or told is None or told_unix is None:
            return None
        if self.has_its_clock:
            return max(0.0, float(self.now_s - moment))
        return unix_since_s(told_unix - (told - moment))

    @property
    def has_its_clock(self) -> bool:
        """Whether moments that the run told are of the clock that runs here."""
        return is_same_boot(str((self.state or {}).get("boot")), self.boot)

    @property
    def _process(self) -> str:
        """That writes the state now: another one may have taken the run over."""
        return f" (process {(self.state or {}).get('pid', self.run.pid)})"


def _is_there(pid: int) -> bool:
    """Whether there is a process of that number: the lock may be held by another one than told the state."""
    import psutil  # it is seldom asked

    return psutil.pid_exists(pid) if pid > 0 else True


def to_be_continued(path: Path) -> str:
    """What a person can do about a run of which nothing is on its channel any more."""
    file = typed(path)
    return (
        f"nakctl attach --continue {file} begins what is left of it, nakctl recover --as-it-is {file} ends it"
    )


def look(run: KnownRun) -> Seen:
    """The lock is asked after the state was read: who is gone by then tells nothing more."""
    while True:
        state = state_of(run.path)
        now_s = time.monotonic()
        held = lock.is_held(files.lock_of(run.path))
        left = _is_file(files.journal_of(run.path))
        end = peek.end(run.path, run.run_id) if not held and left else None
        if end is not None or held or not left or _is_file(files.journal_of(run.path)):
            break  # else it was sealed meanwhile
    sealed = not held and not left and (_is_file(run.path) or _is_file(files.beside_of(run.path)))
    away = not held and not left and not sealed and registry.is_away(run)
    return Seen(run, held, state, end, sealed, away, now_s, boot_id())


def unix_since_s(unix_s: float | None) -> float | None:
    return None if unix_s is None else max(0.0, time.time() - unix_s)


def ago(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return "now" if seconds < 1.5 else f"{duration(round(seconds))} ago"


def clock(moment: str) -> str:
    """The time of today, or the day as well; of another year that alone."""
    try:
        at, now = datetime.fromisoformat(moment).astimezone(), datetime.now().astimezone()
    except (ValueError, OverflowError, OSError):
        return "-"
    if at.date() == now.date():
        return at.strftime("%H:%M")
    return at.strftime("%m-%d %H:%M" if at.year == now.year else "%Y-%m-%d")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
