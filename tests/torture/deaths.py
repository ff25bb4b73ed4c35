"""Runs die again and again, and somebody goes on with them: is the run the one that nobody disturbed?

    python tests/torture/deaths.py --what runner|both|still|cable [--deaths 200] [--at-once 4] [--seed 1]

Each run has five minutes of 14 chains with host loops, spectra and a sensor, on a virtual instrument of its own,
at the speed that is given, and a list of runs of its own. What it dies of:

    runner  kill -9 of its process, also while it takes over; the keeper goes on with it
    both    kill -9 of it and the keeper, then `nakctl attach`
    still   SIGSTOP, until the keeper has ended it, or for a while; SIGCONT then
    cable   nobody dies: the link is down, for two hours of the instrument at the most

A keeper tries ever more seldom to go on with a run that dies every few seconds. So the one of these runs is told
to have as much less patience as they are faster than real.

The same: completed, with the steps, cycles and chains of the run undisturbed, and in each chain its rows, but for
holes that an event tells of between the two rows where they are, one block each at the most. No chain is started
twice, what the sensor showed is in the order of time, and no process, entry or file is left. A chain whose very
last block was lost proves nothing: such a run ends as interrupted, and is counted apart. A run that is so much
faster than real, on a computer that is busy, meets that as much more often.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from same_run import Failed, Run, check_sensed, check_steps, holes_of, last_lost, read
from virtual_bench import Bench, left_behind

from nakctl.record import files, lock
from nakctl.record.slot import state_of

KEEPER = """
import sys
from nakctl.cli import keeper, keeping
keeping.AGAIN_AFTER_s = tuple(each / {speed} for each in keeping.AGAIN_AFTER_s)
keeping.LIVED_FOR_s /= {speed}
keeper.main()
"""
SPEEDS = {"runner": 15, "both": 15, "still": 15, "cable": 60}
OF_A_RUN = {"runner": 10, "both": 10, "still": 5, "cable": 6}  # deaths at the most
FIRST_s = {"runner": 20, "both": 20, "still": 20, "cable": 900}  # of the first rest
WATCHED_s, OVER_s = 60.0, 240.0
CABLE_FROM_s, LONGEST_CABLE_s = 900.0, 7200.0  # by then it has begun


UNPROVEN = ("the channel stopped by itself", "the channel stopped before its first row")
LAST_LOST, NOT_BEGUN = "interrupted: the last block of a chain was lost", "not begun: the link was down"


@dataclass
class Lot:
    """What was found."""

    runs: int = 0
    deaths: int = 0
    waits_s: list[float] = field(default_factory=list)
    holes: int = 0
    largest: int = 0
    declared: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    busy: threading.Lock = field(default_factory=threading.Lock)


class Torn(Bench):
    """A run that dies, and perhaps a keeper that goes on with it."""

    def __init__(
        self, folder: Path, what: str, speed: int, faults: list[str], *, is_torn: bool = True
    ) -> None:
        super().__init__(folder, speed, faults, keeper=is_torn and what != "cable")
        self.what = what
        self.keeper: subprocess.Popen[bytes] | None = None
        if is_torn and what in ("runner", "still"):
            self.keeper = subprocess.Popen(
                [sys.executable, "-c", KEEPER.format(speed=speed)], cwd=folder, env=self.environment
            )

    def start(self) -> None:
        said = self.run("--set", f"first={FIRST_s[self.what]}s", "--detach")
        if said.returncode:
            no_link = self.what == "cable" and "BL_Connect" in said.stderr
            raise Failed(NOT_BEGUN if no_link else f"it was not begun: {said.stderr}")

    def watcher(self) -> int:
        """The process that looks at the cell now; 0: nobody, as far as is told."""
        state = state_of(self.path)
        if state is None or state["state"] in ("opening", "ended"):
            return 0
        fresh = time.monotonic() - state.get("round_monotonic_s", -math.inf) < 1.0
        return int(state["pid"]) if fresh and lock.is_held(files.lock_of(self.path)) else 0

    def end(self) -> None:
        super().end()
        if self.keeper is not None:
            self.keeper.kill()
            self.keeper.wait()


def killed(bench: Torn) -> list[int]:
    """The run, and with `both` its keeper."""
    victims = bench.processes("nakctl.cli.runner")
    if victims and bench.what == "both":
        victims += bench.processes("nakctl.cli.keeper")
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return victims


def stopped(bench: Torn, chance: random.Random) -> list[int]:
    """It stands still: until another one is there, or for a while that may be long enough for that."""
    pid = bench.watcher()
    if not pid:
        return []
    for_s = WATCHED_s if chance.random() < 0.7 else chance.uniform(0.0, 12.0)
    end_s = time.monotonic() + for_s
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        while bench.watcher() in (0, pid) and time.monotonic() < end_s and not bench.is_over():
            time.sleep(0.02)
        os.kill(pid, signal.SIGCONT)
    return [pid]


def torn(bench: Torn, deaths: int, chance: random.Random, lot: Lot) -> int:
    """A run dies so often, or until it is over."""
    died = 0
    while died < deaths and not bench.is_over():
        early = bench.what in ("runner", "both") and chance.random() < 0.25
        if not early and not bench.until(lambda: bench.watcher() != 0, WATCHED_s):
            raise Failed(f"nobody watches {WATCHED_s:g} s after death {died}")
        if not bench.until(lambda: bool(bench.processes("nakctl.cli.runner")), WATCHED_s):
            raise Failed(f"nobody came {WATCHED_s:g} s after death {died}")
        time.sleep(chance.uniform(0.0, 1.5 if early else 4.0))
        began_s = time.monotonic()
        victims = stopped(bench, chance) if bench.what == "still" else killed(bench)
        if not victims:
            continue
        died += 1
        if bench.what == "both":
            attached(bench, chance)
        if chance.random() < 0.6 and not bench.is_over():  # else the next death may come before
            known = bench.until(lambda: bench.watcher() not in (0, *victims), WATCHED_s)  # noqa: B023
            if bench.what == "still" and bench.watcher() in victims:
                continue  # it was not for long
            if not known:
                raise Failed(f"nobody watches {WATCHED_s:g} s after death {died}")
            if not bench.is_over():
                with lot.busy:
                    lot.waits_s.append(time.monotonic() - began_s)
    return died


def attached(bench: Torn, chance: random.Random) -> None:
    words = ("--all",) if chance.random() < 0.5 else ("run.h5",)
    said = bench.nakctl("attach", *words)
    if said.returncode and not bench.is_over() and not bench.processes("nakctl.cli.runner"):
        raise Failed(f"attach {words[0]}: {said.returncode} {said.stderr}")


# --- judged ----------------------------------------------------------------------------------------------


def judged(bench: Torn, whole: Run, died: int) -> tuple[str, int, int, int]:
    """The outcome, the holes, the rows of the largest, and how many blocks are told of. Failed."""
    found = read(bench.path)
    if found.status != "completed":
        is_unproven = any(word in found.reason for word in UNPROVEN)
        if found.status == "interrupted" and is_unproven and last_lost(found):
            return LAST_LOST, *holes_of(found, whole, died, is_whole=False)
        raise Failed(f"{found.status}: {found.reason}")
    check_steps(found, whole)
    holes = holes_of(found, whole, died, is_whole=True)
    check_sensed(found)
    return "completed", *holes


# --- all of them -----------------------------------------------------------------------------------------


def outages(chance: random.Random, many: int) -> list[tuple[float, float]]:
    """When the link goes down, and for how long, by the clock of the instrument."""
    found, at_s = [], CABLE_FROM_s
    longest = chance.randrange(many)
    for k in range(many):
        most_s = LONGEST_CABLE_s if k == longest and chance.random() < 0.3 else 300.0
        long_s = math.exp(chance.uniform(0.0, math.log(most_s)))
        found.append((at_s, long_s))
        at_s += long_s + chance.uniform(5.0, 60.0)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--what", choices=[*SPEEDS], default="runner")
    parser.add_argument("--deaths", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--speed", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for what has failed")
    asked = parser.parse_args()
    speed, lot = asked.speed or SPEEDS[asked.what], Lot()
    with tempfile.TemporaryDirectory(prefix="nakctl-deaths-") as folder:
        whole = undisturbed(Path(folder) / "whole", asked.what, speed)

        def one(k: int) -> None:
            with lot.busy:
                if lot.deaths >= asked.deaths:
                    return
            trial(Path(folder) / str(k), asked.what, speed, random.Random(f"{asked.seed} {k}"), whole, lot)
            if asked.keep is not None and (Path(folder) / str(k)).exists():
                shutil.copytree(Path(folder) / str(k), asked.keep / f"{asked.what}-{asked.seed}-{k}")

        with ThreadPoolExecutor(asked.at_once) as pool:
            list(pool.map(one, range(10 * asked.deaths)))
    table(asked.what, speed, lot)
    return int(any(outcome.startswith("FAILED") for outcome in lot.outcomes))


def undisturbed(folder: Path, what: str, speed: int) -> Run:
    bench = Torn(folder, what, speed, [], is_torn=False)
    try:
        bench.start()
        if not bench.until(bench.is_over, OVER_s):
            raise Failed("the run that nobody disturbed is not over")
        found = read(bench.path)
    finally:
        bench.end()
    if found.status != "completed":
        raise Failed(f"the run that nobody disturbed: {found.reason}")
    return found


def trial(folder: Path, what: str, speed: int, chance: random.Random, whole: Run, lot: Lot) -> None:
    """One run."""
    died, cables = 0, outages(chance, OF_A_RUN["cable"]) if what == "cable" else []
    bench = Torn(folder, what, speed, [f"cable={long_s:.1f}s@t{at_s:.1f}" for at_s, long_s in cables])
    outcome, found = "", (0, 0, 0)
    try:
        bench.start()
        died = torn(bench, OF_A_RUN[what], chance, lot) if what != "cable" else 0
        if not bench.until(bench.is_over, OVER_s):
            raise Failed(f"it is not over {OVER_s:g} s after its last death")
        end_s = (time.monotonic() - bench.began_s) * speed
        died += sum(at_s < end_s for at_s, _ in cables)
        outcome, *counts = judged(bench, whole, died)
        found = (counts[0], counts[1], counts[2])
        left_behind(bench)
    except Failed as error:
        outcome = NOT_BEGUN if str(error) == NOT_BEGUN else f"FAILED: {error}"
    except Exception as error:  # noqa: BLE001
        outcome = f"FAILED: {type(error).__name__} {error}"
        traceback.print_exc()
    finally:
        bench.end()
    if outcome in ("completed", NOT_BEGUN):
        shutil.rmtree(folder)
    with lot.busy:
        lot.runs, lot.deaths = lot.runs + 1, lot.deaths + died
        lot.holes, lot.declared = lot.holes + found[0], lot.declared + found[2]
        lot.largest = max(lot.largest, found[1])
        lot.outcomes[outcome] += 1
        print(
            f"run {folder.name}: {died} deaths, {outcome}, {json.dumps(found)}", file=sys.stderr, flush=True
        )


def table(what: str, speed: int, lot: Lot) -> None:
    print(f"{what}, {speed} times as fast: {lot.runs} runs, {lot.deaths} deaths\n")
    if lot.waits_s:
        middle, worst = statistics.median(lot.waits_s), max(lot.waits_s)
        print(f"watched again after {middle:.1f} s (median of {len(lot.waits_s)}), {worst:.1f} s (worst)")
    print(f"{lot.holes} holes, of {lot.largest} rows at the most; {lot.declared} blocks told to be missing\n")
    print("| runs | how they ended |\n|---|---|")
    for outcome, many in lot.outcomes.most_common():
        print(f"| {many} | {outcome} |")


if __name__ == "__main__":
    sys.exit(main())
