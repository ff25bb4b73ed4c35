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
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nakctl.booking.layout import GAP_CODE
from nakctl.record import files, lock
from nakctl.record.raw_tables import RawReader
from nakctl.record.slot import state_of

PROTOCOL = """\
nakctl: 1
name: deaths
params: {first: 20 s}
limits: {Ewe: [-2 V, 2 V], I: 5 mA, time: 1000 h, sensors: {press: [1 kPa, 100 MPa]}}
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 1 Hz, per_decade: 4}
record: {every: 0.5 s}
steps:
  - rest: $first
  - repeat: 4
    steps:
      - {strip: 100 uA, for: 20 s, until: {charge: 1 Ah, then: next step}}
      - {peis: coarse}
      - {plate: 100 uA, for: 20 s, until: {charge: 1 Ah, then: end loop}}
      - repeat: 2
        steps:
          - {strip: 50 uA, for: 10 s}
          - {rest: 5 s}
  - repeat: 3
    steps:
      - {peis: coarse}
      - {rest: 4 s}
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  bench: {{driver: biologic, model: SP-300, address: "{address}"}}
channels:
  ch1: {{device: bench, channel: 1}}
cells:
  one: {{channel: ch1, area: 1 cm2}}
sensors:
  press: {{kind: sim, model: press, every: 0.2 s}}
"""
KEEPER = """
import sys
from nakctl.cli import keeper, keeping
keeping.AGAIN_AFTER_s = tuple(each / {speed} for each in keeping.AGAIN_AFTER_s)
keeping.LIVED_FOR_s /= {speed}
keeper.main()
"""
NAKCTL = [sys.executable, "-m", "nakctl"]
SPEEDS = {"runner": 15, "both": 15, "still": 15, "cable": 60}
OF_A_RUN = {"runner": 10, "both": 10, "still": 5, "cable": 6}  # deaths at the most
FIRST_s = {"runner": 20, "both": 20, "still": 20, "cable": 900}  # of the first rest
WATCHED_s, OVER_s = 60.0, 240.0
CABLE_FROM_s, LONGEST_CABLE_s = 900.0, 7200.0  # by then it has begun
DZ, DE_V, DI_A = 0.02, 0.02, 1e-6


UNPROVEN = ("the channel stopped by itself", "the channel stopped before its first row")
LAST_LOST, NOT_BEGUN = "interrupted: the last block of a chain was lost", "not begun: the link was down"


class Failed(Exception):
    """Why a run is not the one that nobody disturbed."""


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


class Bench:
    """An instrument, a rig, a list of runs, and a run."""

    def __init__(
        self, folder: Path, what: str, speed: int, faults: list[str], *, is_torn: bool = True
    ) -> None:
        self.folder, self.what, self.speed, self.path = folder, what, speed, folder / "run.h5"
        runs, claims = folder / "runs", folder / "claims"
        runs.mkdir(parents=True)
        claims.mkdir()
        self.runs = runs
        self.environment = {
            **os.environ, "NAKCTL_RUNS": str(runs), "NAKCTL_CLAIMS": str(claims), "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        self.environment.pop("NAKCTL_KEEPER", None)
        if not is_torn or what == "cable":
            self.environment["NAKCTL_KEEPER"] = "none"
        words = [word for fault in faults for word in ("--fault", fault)]
        self.instrument = subprocess.Popen(
            [sys.executable, "-m", "nakctl_sim.instrument", "--port", "0", "--speed", str(speed),
             "--cell", "randles", *words],
            stdout=subprocess.PIPE, text=True, cwd=folder,
        )  # fmt: skip
        assert self.instrument.stdout is not None
        address = self.instrument.stdout.readline().rpartition(" at ")[2].strip()
        self.began_s = time.monotonic()
        (folder / "rig.yaml").write_text(RIG.format(address=address), encoding="utf-8")
        (folder / "deaths.yaml").write_text(PROTOCOL, encoding="utf-8")
        self.keeper: subprocess.Popen[bytes] | None = None
        if is_torn and what in ("runner", "still"):
            self.keeper = subprocess.Popen(
                [sys.executable, "-c", KEEPER.format(speed=speed)], cwd=folder, env=self.environment
            )

    def nakctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*NAKCTL, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip

    def start(self) -> None:
        first = ("--set", f"first={FIRST_s[self.what]}s", "--out", "run.h5", "--detach")
        words = ("--on", "ch1", "--cell", "one", "--speed", str(self.speed), *first)
        said = self.nakctl("run", "deaths.yaml", *words)
        if said.returncode:
            no_link = self.what == "cable" and "BL_Connect" in said.stderr
            raise Failed(NOT_BEGUN if no_link else f"it was not begun: {said.stderr}")

    def processes(self, word: str = "nakctl") -> list[int]:
        """Those that this run has started, or its keeper, by what stands in their command line."""
        mine, found = f"NAKCTL_RUNS={self.runs}".encode(), []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_mine = mine in (each / "environ").read_bytes().split(b"\0")
                if is_mine and word.encode() in (each / "cmdline").read_bytes():
                    found.append(int(each.name))
        return found

    def is_over(self) -> bool:
        there = files.journal_of(self.path).exists() or lock.is_held(files.lock_of(self.path))
        return not there and self.path.exists()

    def watcher(self) -> int:
        """The process that looks at the cell now; 0: nobody, as far as is told."""
        state = state_of(self.path)
        if state is None or state["state"] in ("opening", "ended"):
            return 0
        fresh = time.monotonic() - state.get("round_monotonic_s", -math.inf) < 1.0
        return int(state["pid"]) if fresh and lock.is_held(files.lock_of(self.path)) else 0

    def until(self, found: Callable[[], bool], seconds: float) -> bool:
        """Whether it came; the end of the run ends it, too."""
        end_s = time.monotonic() + seconds
        while not (found() or self.is_over()):
            if time.monotonic() > end_s:
                return False
            time.sleep(0.02)
        return True

    def end(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.instrument.kill()
        self.instrument.communicate()
        if self.keeper is not None:
            self.keeper.kill()
            self.keeper.wait()


def killed(bench: Bench) -> list[int]:
    """The run, and with `both` its keeper."""
    victims = bench.processes("nakctl.cli.runner")
    if victims and bench.what == "both":
        victims += bench.processes("nakctl.cli.keeper")
    for pid in victims:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return victims


def stopped(bench: Bench, chance: random.Random) -> list[int]:
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


def torn(bench: Bench, deaths: int, chance: random.Random, lot: Lot) -> int:
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


def attached(bench: Bench, chance: random.Random) -> None:
    words = ("--all",) if chance.random() < 0.5 else ("run.h5",)
    said = bench.nakctl("attach", *words)
    if said.returncode and not bench.is_over() and not bench.processes("nakctl.cli.runner"):
        raise Failed(f"attach {words[0]}: {said.returncode} {said.stderr}")


# --- judged ----------------------------------------------------------------------------------------------


@dataclass
class Chain:
    """Rows, points and the entries that they are of; how often it was started."""

    number: int
    starts: int = 0
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    values: list[tuple[float, float]] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    points: list[tuple[Any, ...]] = field(default_factory=list)
    Z: list[complex] = field(default_factory=list)
    point_seqs: list[int] = field(default_factory=list)


@dataclass
class Run:
    """What a file says. gaps: (seq, blocks) of what is told to be missing."""

    status: str
    reason: str
    chains: list[Chain]
    gaps: list[tuple[int, int]]
    events: Counter[str]
    steps: list[tuple[Any, ...]]
    sensed_s: np.ndarray


def read(path: Path) -> Run:
    chains: dict[int, Chain] = {}
    gaps: list[tuple[int, int]] = []
    events: Counter[str] = Counter()
    with h5py.File(path, "r") as file:
        entry = file["entry"]
        for each in RawReader(file).entries():
            chain = chains.setdefault(each.segment, Chain(each.segment))
            facts = each.facts
            if each.kind == "done" and facts["verb"] == "start" and "refused" not in facts:
                chain.starts += 1
            if each.kind == "event":
                events[facts["code"]] += 1
                if facts["code"] == GAP_CODE:
                    gaps.append((each.seq, int(facts.get("facts", {}).get("blocks", 0))))
            if each.kind == "said":
                gaps += [
                    (each.seq, int(told[4].get("blocks", 0)))
                    for told in facts.get("notices", [])
                    if told[2] == GAP_CODE
                ]
                names = ("time_s", "technique", "passes")
                chain.rows += [tuple(row[name].item() for name in names) for row in each.samples]
                chain.values += [(float(row["Ewe_V"]), float(row["I_A"])) for row in each.samples]
                chain.seqs += [each.seq] * len(each.samples)
                names = ("frequency_Hz", "technique", "passes")
                chain.points += [tuple(row[name].item() for name in names) for row in each.points]
                chain.Z += [complex(row["Z_re_ohm"], row["Z_im_ohm"]) for row in each.points]
                chain.point_seqs += [each.seq] * len(each.points)
        steps = entry["steps"]
        columns = [steps[name][()].tolist() for name in ("step_id", "cycle", "label", "end_kind")]
        return Run(
            str(entry["run_status"].asstr()[()]),
            str(entry["end_reason"].asstr()[()]),
            [chain for _, chain in sorted(chains.items()) if chain.starts or chain.rows or chain.points],
            gaps,
            events,
            list(zip(*columns, strict=True)),
            entry["aux/press/time"][()] if "aux/press" in entry else np.zeros(0),
        )


def judged(bench: Bench, whole: Run, died: int) -> tuple[str, int, int, int]:
    """The outcome, the holes, the rows of the largest, and how many blocks are told of. Failed."""
    found = read(bench.path)
    if found.status != "completed":
        is_unproven = any(word in found.reason for word in UNPROVEN)
        if found.status == "interrupted" and is_unproven and last_lost(found):
            return LAST_LOST, *holes_of(found, whole, died, is_whole=False)
        raise Failed(f"{found.status}: {found.reason}")
    if found.steps != whole.steps:
        differ = [pair for pair in zip(found.steps, whole.steps, strict=False) if pair[0] != pair[1]]
        raise Failed(f"{len(found.steps)} steps instead of {len(whole.steps)}: {differ[:2]}")
    holes = holes_of(found, whole, died, is_whole=True)
    if np.any(np.diff(found.sensed_s) < 0):
        raise Failed("what the sensor showed is not in the order of time")
    if not len(found.sensed_s):
        raise Failed("the sensor showed nothing")
    return "completed", *holes


def last_lost(found: Run) -> bool:
    """Blocks are missing behind the newest row."""
    seqs = [seq for chain in found.chains for seq in (*chain.seqs, *chain.point_seqs)]
    return any(seq > max(seqs, default=0) for seq, _ in found.gaps)


def holes_of(found: Run, whole: Run, died: int, *, is_whole: bool) -> tuple[int, int, int]:
    if len(found.chains) != len(whole.chains) and is_whole:
        numbers = [chain.number for chain in found.chains]
        raise Failed(f"{len(found.chains)} chains instead of {len(whole.chains)}: {numbers}")
    twice = [chain.number for chain in found.chains if chain.starts > 1]
    if twice:
        raise Failed(f"chains {twice} were started twice")
    sizes: list[int] = []
    for k, (mine, all_of_it) in enumerate(zip(found.chains, whole.chains, strict=False)):
        ends_here = k + 1 == len(found.chains)
        limit = min(
            (min([*c.seqs, *c.point_seqs], default=1 << 60) for c in found.chains[k + 1 :]), default=1 << 60
        )
        for name, keys, all_keys, seqs in (
            ("row", mine.rows, all_of_it.rows, mine.seqs),
            ("point", mine.points, all_of_it.points, mine.point_seqs),
        ):
            if not is_whole and ends_here:
                all_keys = all_keys[: len(keys)]
            sizes += holes(f"chain {mine.number}", name, keys, all_keys, seqs, limit, found.gaps)
        same_values(mine, all_of_it)
    told = sum(blocks for _, blocks in found.gaps)
    if max((blocks for _, blocks in found.gaps), default=0) > 1:
        raise Failed(f"more than one block at once: {found.gaps}")
    if told > died:
        raise Failed(f"{told} blocks are told to be missing, and it died {died} times")
    return len(sizes), max(sizes, default=0), told


def holes(
    chain: str,
    name: str,
    keys: list[Any],
    all_keys: list[Any],
    seqs: list[int],
    limit: int,
    gaps: list[tuple[int, int]],
) -> list[int]:
    """How many are missing at each place; Failed if one is not told there, or a row is none of the whole run."""
    at = {key: k for k, key in enumerate(all_keys)}
    strange = [key for key in keys if key not in at]
    if strange or len(at) != len(all_keys):
        raise Failed(f"{chain}: {len(strange)} {name}s that the whole run has not, as {strange[:2]}")
    places = [-1, *(at[key] for key in keys), len(all_keys)]
    around = [0, *seqs, limit]
    sizes = []
    for (before, after), (since, until) in zip(pairwise(places), pairwise(around), strict=True):
        if after <= before:
            raise Failed(f"{chain}: a {name} twice, or in another order, at {all_keys[min(before, after)]}")
        if after > before + 1:
            sizes.append(after - before - 1)
            if not any(since <= seq <= until for seq, _ in gaps):
                raise Failed(
                    f"{chain}: {sizes[-1]} {name}s are missing between entries {since} and {until}, and only "
                    f"{gaps} are told"
                )
    return sizes


def same_values(mine: Chain, whole: Chain) -> None:
    """Of cells that rested differently."""
    values = dict(zip(whole.rows, whole.values, strict=True))
    for key, (Ewe_V, I_A) in zip(mine.rows, mine.values, strict=True):
        expected = values[key]
        if abs(Ewe_V - expected[0]) > DE_V or abs(I_A - expected[1]) > DI_A:
            raise Failed(f"chain {mine.number}: {Ewe_V:g} V, {I_A:g} A instead of {expected} at {key}")
    Z = dict(zip(whole.points, whole.Z, strict=True))
    for key, value in zip(mine.points, mine.Z, strict=True):
        if abs(value - Z[key]) > DZ * abs(Z[key]):
            raise Failed(f"chain {mine.number}: {value} instead of {Z[key]} at {key}")


def left_behind(bench: Bench) -> None:
    """Failed if anything of the run is there a while after its end."""
    end_s = time.monotonic() + 15.0
    while True:
        of_keeper = set(bench.processes("nakctl.cli.keeper")) | set(bench.processes("import keeper, keeping"))
        running = [pid for pid in bench.processes() if pid not in of_keeper]
        bench.nakctl("status")  # who lists them drops those that are over
        entries = [file.name for file in bench.runs.glob("*.json") if file.name != "notified.json"]
        beside = sorted(file.name for file in bench.folder.glob("run.h5?*"))
        if not running and not entries and not beside:
            return
        if time.monotonic() > end_s:
            lines = [
                (Path(f"/proc/{pid}/cmdline").read_bytes()[-120:] if Path(f"/proc/{pid}").exists() else b"")
                for pid in running
            ]
            raise Failed(f"left behind: processes {lines}, entries {entries}, files {beside}")
        time.sleep(0.2)


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
    bench = Bench(folder, what, speed, [], is_torn=False)
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
    bench = Bench(folder, what, speed, [f"cable={long_s:.1f}s@t{at_s:.1f}" for at_s, long_s in cables])
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
