"""The keeper: one small process per user and computer. It sees which runs are dead or hang, and has somebody
go on with them.

It connects to nothing, holds no run up, and can be killed at any time: runs look for it, and start another
one. It loads no numpy. When no run is left it ends.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from typing import Any

from nakctl import isolated
from nakctl.cli import keeping
from nakctl.cli.apart import NotBegun, started
from nakctl.cli.health import Seen, look
from nakctl.cli.keeping import Action, Case
from nakctl.errors import NakctlError
from nakctl.host.detached import start_detached
from nakctl.notify.notifier import Notifier
from nakctl.record import files, lock, registry
from nakctl.text.numbers import plural

EVERY_s = 1.0
SLEPT_s = 3.0  # between two looks: then this computer, or this process, stood still
IDLE_FOR_s = 60.0  # without any run, and it ends
DEATH_s = 10.0  # until a process that was ended is gone
SWITCH = "NAKCTL_KEEPER"  # set to "none", there is none: somebody else watches over the runs
LOCK = "keeper.lock"


def is_wanted() -> bool:
    return os.environ.get(SWITCH, "") != "none"


def start_if_gone() -> None:
    """Whoever has a run looks whether the keeper is there. Waits for nothing; raises nothing."""
    with suppress(OSError, RuntimeError):
        folder = registry.folder()
        if is_wanted() and folder.is_dir() and not lock.is_held(folder / LOCK):
            start_detached("nakctl.cli.keeper")


def main() -> None:
    isolated.begin()
    with suppress(OSError, RuntimeError):
        registry.folder().mkdir(parents=True, exist_ok=True)
        with lock.hold(registry.folder() / LOCK):  # another one is there already, if that fails
            Keeper().keep()


class Keeper:
    """cases: of each run, by its id."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self._tried: SimpleQueue[tuple[str, Action]] = SimpleQueue()  # ids of runs, and what it was
        self._notifier = Notifier()
        self._looked_s = time.monotonic()
        self._wanted_s = self._looked_s

    def keep(self) -> None:
        """Until nobody needs it any more."""
        while time.monotonic() - self._wanted_s < IDLE_FOR_s and registry.folder().is_dir():
            self.look()
            time.sleep(EVERY_s)

    def look(self) -> None:
        """Once, at all runs."""
        now_s = time.monotonic()
        if now_s - self._looked_s > SLEPT_s:
            self.cases = {name: keeping.excused(case, now_s) for name, case in self.cases.items()}
        self._looked_s = now_s
        there = [look(run) for run in registry.known_runs()]
        if there or not self._notifier.is_idle:
            self._wanted_s = now_s
        self.cases = {
            one.run.run_id: keeping.seen(self.cases.get(one.run.run_id, Case("", now_s)), word_of(one), now_s)
            for one in there
        }
        while not self._tried.empty():
            run_id, action = self._tried.get()
            if run_id in self.cases:
                self.cases[run_id] = keeping.tried(self.cases[run_id], now_s, action)
        for one in there:
            case = self.cases[one.run.run_id]
            if case.word and (due := keeping.due(case, now_s, stop_after_s(one))) is not None:
                self._try(one, due)
        self._notifier.look(there, {one.run.run_id: self._doing(one) for one in there})

    def _doing(self, one: Seen) -> str:
        """About a run that nobody watches, as a sentence."""
        case = self.cases[one.run.run_id]
        if not case.word:
            return ""
        tried = f"nobody could go on with it yet; that was tried {plural(case.tries, 'time')}"
        return tried if case.tries else "somebody is about to go on with it"

    def _try(self, one: Seen, action: Action) -> None:
        """In a thread of its own: it may take a while until a channel answers."""
        self.cases[one.run.run_id] = keeping.begun(self.cases[one.run.run_id])
        threading.Thread(target=self._carry_out, args=(one, action), daemon=True).start()

    def _carry_out(self, one: Seen, action: Action) -> None:
        does: dict[Action, Callable[[Seen], None]] = {
            "take over": _take_over,
            "stop": _stop,
            "end it": _end,
        }
        with suppress(NakctlError, OSError, ValueError):
            does[action](one)
        self._tried.put((one.run.run_id, action))


def word_of(one: Seen) -> str:
    """What is wrong with a run, see `keeping`."""
    if one.away or one.sealed:
        return ""
    if not one.held:
        lost = one.health.word == "LOST"
        return "unsealed" if one.end is not None else "lost" if lost else "dead"
    return "hung" if one.health.word == "HUNG" else ""


def stop_after_s(one: Seen) -> float:
    """For how long nobody may watch the channel of a run; infinite: as long as need be."""
    alone = may_be_alone({**asdict(one.run), **(one.state or {})})
    return math.inf if alone else one.run.unwatched_for_s


def may_be_alone(state: Mapping[str, Any]) -> bool:
    """Whether the channel of a run may go on by itself for as long as need be. Unless its rig says which, it
    may where the instrument holds every limit of the present step, and of what its chain goes on to.
    """
    policy = state.get("unwatched") or ("stop" if state.get("not_alone") else "go on")
    return bool(policy == "go on")


def _take_over(one: Seen) -> None:
    _job("take over", one, "hung" if one.held else "died")


def _stop(one: Seen) -> None:
    _job("stop", one, "nobody could go on with it")


def _job(do: str, one: Seen, why: str) -> None:
    with suppress(NotBegun):
        started({"do": do, "path": str(one.run.path), "why": why}, lambda sentence: None)


def _end(one: Seen) -> None:
    """The process that holds the lock and does not move. Its death has to be seen: the lock is free then."""
    state: Any = one.state or {}
    end_process(int(state.get("pid", 0)), float(state.get("born_s", 0.0)))
    until = time.monotonic() + DEATH_s
    while lock.is_held(files.lock_of(one.run.path)) and time.monotonic() < until:
        time.sleep(EVERY_s / 10)


def end_process(pid: int, born_s: float) -> bool:
    """Kill a process, if it is the one that was born then: numbers are used again. False: it is not."""
    import psutil

    try:
        process = psutil.Process(pid)
        if pid <= 0 or abs(process.create_time() - born_s) > 1.0:
            return False
        process.kill()
        return True
    except psutil.Error:
        return False


if __name__ == "__main__":
    main()
    sys.exit(0)
