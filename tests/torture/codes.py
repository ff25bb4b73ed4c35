"""The instrument answers with an error code, at any call that a run makes: is the run the one without it?

    python tests/torture/codes.py [--at data|calls|all] [--rounds 1] [--at-once 4] [--seed 1] [--only TEXT]

Each run has five minutes of 14 chains with host loops, spectra and a sensor, through the real command line and
the driver, on a virtual instrument of its own. `data`: every code of the driver's table at a random BL_GetData,
once, five times in a row, and for 30 s of the instrument's time. `calls`: at every other call, and at BL_GetData
for ever from somewhere on, one code of each remedy.

    same      completed, with the rows, points, steps, cycles and chains of the run without codes; no chain is
              started twice, what the sensor showed is in the order of time
    limit     the limit that was to end it did, and all rows until then are the same
    ended     interrupted, exit code 3, its reason names the code and what to do; all rows until then are the
              same; the channel itself says that it stands
    alarm     the same, but the channel does not say so, and the run said that the cell may be under current
    not let go  as the same, but the connection was not given back: exit code 3
    refused   nothing was begun: exit code 3, the code and what to do are named, no file is left

In none of them a process, entry or file is left. Whatever else comes is told as FAILED.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from same_run import Failed, Run, check_sensed, check_steps, holes_of, read
from virtual_bench import Bench, left_behind

from nakctl.errors import ChannelError, ExitCode
from nakctl_biologic.codes import STOP
from nakctl_biologic.device import Device
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import NO_KERNEL
from nakctl_biologic.providers import open_library
from nakctl_biologic.remedies import ECLIB
from nakctl_biologic.structures import HardwareConf

SPEED = 60
OVER_s = 90.0
READS, CHAINS = 95, 14  # of a run, at the least
IN_A_ROW, FOR_s = 5, 30.0
LIMIT_s = 150
CROSSED = 1  # THardwareConf.Conn: another one than printed on the cable
TOLD = Counter(["silence", "link", "not_heard", "not_read", "no_mark"])
UNSAFE = "may be under current"


@dataclass(frozen=True)
class Place:
    """Where a code comes.

    call, when   the function, and in words when it is called
    calls        the code comes at one of these
    modes        how it comes: once, a few times, for a while, always (from there on)
    beside       further faults, without which there is no such call; {k}: a random read
    words        for the instrument; options: of `nakctl run`
    """

    call: str
    when: str
    calls: tuple[int, int] = (1, 1)
    modes: tuple[str, ...] = ("once",)
    beside: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


BOTH = ("once", "while")
CUT = ("BL_GetData=-1@call3",)  # in the first chain
NO_KERNEL_THERE = ("--habit", "kernel=false")
READING = Place("BL_GetData", "reading", (2, READS), ("once", "few", "while"))
PLACES = (
    Place("BL_Connect", "opening"),
    Place("BL_GetChannelsPlugged", "opening"),
    Place("BL_GetChannelBoardType", "opening"),
    Place("BL_GetChannelInfos", "opening"),
    Place("BL_LoadFirmware", "opening", words=NO_KERNEL_THERE),
    Place("BL_GetHardConf", "opening"),
    Place("BL_SetHardConf", "opening", (2, 2)),  # the first one is made here
    Place("BL_LoadTechnique", "loading", (1, CHAINS), BOTH),
    Place("BL_SetExperimentInfos", "loading", (1, CHAINS), BOTH),
    Place("BL_GetExperimentInfos", "loading", (1, CHAINS), BOTH),
    Place("BL_StartChannel", "starting", (1, CHAINS), BOTH),
    Place("BL_GetCurrentValues", "starting, unanswered", beside=("lost-reply=BL_StartChannel@call3",)),
    Place("BL_GetMessage", "reading", (1, READS), ("while",)),
    Place("BL_GetCurrentValues", "no rows", (1, 3), ("while",), beside=("BL_GetData=-200:90s@call{k}",)),
    Place("BL_Disconnect", "coming back", beside=CUT),
    Place("BL_Connect", "coming back", (2, 2), ("while",), beside=CUT),
    Place("BL_GetChannelInfos", "coming back", (2, 2), beside=CUT),
    Place("BL_GetExperimentInfos", "coming back", (2, 2), beside=CUT),
    Place("BL_StopChannel", "stopping", modes=BOTH, options=("--set", f"longest={LIMIT_s}s")),
    Place("BL_GetData", "always", (2, 20), ("always",), options=("--set", f"longest={LIMIT_s}s")),
    Place("BL_Disconnect", "leaving"),
)
# A code that the driver takes in another way than others of its remedy has a class of its own.
CLASSES = {
    "again, not done": lambda code: code in (-2, -12),
    "again": lambda code: ECLIB[code].kind == "again",
    "reconnect": lambda code: ECLIB[code].kind == "reconnect",
    "taken": lambda code: code in NO_KERNEL,
    "operator": lambda code: ECLIB[code].kind == "operator",
    "program": lambda code: ECLIB[code].kind == "program",
    "fatal": lambda code: ECLIB[code].kind == "fatal",
}


def class_of(code: int) -> str:
    return next(name for name, holds in CLASSES.items() if holds(code))


@dataclass(frozen=True)
class Trial:
    place: Place
    code: int
    mode: str
    at_call: int
    read: int

    @property
    def faults(self) -> list[str]:
        call, code, k = self.place.call, self.code, self.at_call
        fault = {
            "once": f"{call}={code}@call{k}",
            "few": f"{call}={code}@call{k}-{k + IN_A_ROW - 1}",
            "while": f"{call}={code}:{FOR_s:g}s@call{k}",
            "always": f"{call}={code}@call{k}-{10**9}",
        }[self.mode]
        return [fault, *(each.format(k=self.read) for each in self.place.beside)]

    def __str__(self) -> str:
        return " ".join(self.faults)


@dataclass
class Lot:
    """What came of it: outcomes, by place and class; sentences, by those and outcome."""

    outcomes: dict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sentences: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    busy: threading.Lock = field(default_factory=threading.Lock)


# --- one run ---------------------------------------------------------------------------------------------


@contextmanager
def connected(bench: Bench) -> Iterator[Device]:
    """To the instrument, beside the run."""
    device = Device(Eclib(open_library({"address": bench.address})), bench.address)
    device.connect()
    try:
        yield device
    finally:
        device.disconnect()


def stands(bench: Bench) -> bool | None:
    """Whether the channel says that it stands; None: it says nothing. Codes may still be on their way."""
    for _ in range(50):
        try:
            with connected(bench) as device:
                return device.channel_infos(0)[1].State == STOP
        except ChannelError:
            time.sleep(0.1)
    return None


def tried(folder: Path, trial: Trial, whole: Run) -> tuple[str, str]:
    """The outcome of one run, and what was said of it."""
    bench = Bench(folder, SPEED, trial.faults, words=trial.place.words)
    try:
        if trial.place.call == "BL_SetHardConf":
            with connected(bench) as device:
                device.set_hardware_conf(0, HardwareConf(CROSSED, 0))
        said = bench.run("--json", *trial.place.options, longest_s=OVER_s)
        outcome, sentence = judged(bench, trial, said, whole)
        left_behind(bench)
    except subprocess.TimeoutExpired:
        raise Failed(f"not over after {OVER_s:g} s") from None
    finally:
        bench.end()
    return outcome, sentence


def judged(bench: Bench, trial: Trial, said: subprocess.CompletedProcess[str], whole: Run) -> tuple[str, str]:
    if "Traceback" in said.stderr + said.stdout:
        raise Failed(said.stderr)
    is_open = stands(bench)
    if not bench.path.exists():
        return refused(trial, said, is_open)
    told, found = json.loads(said.stdout), read(bench.path)
    check_sensed(found)
    if told["status"] == "completed" and not told["exit_code"]:
        check_steps(found, whole)
        no_holes(found, whole, is_whole=True)
        return "same" if found.events & TOLD else "same, not told", ""
    no_holes(found, whole, is_whole=told["status"] == "completed")
    if is_open is None:
        raise Failed(f"the channel does not say whether it stands; {told}")
    return ended(trial, told, is_open, said.returncode)


def ended(trial: Trial, told: dict[str, Any], is_open: bool, code: int) -> tuple[str, str]:
    sentence = told.get("error") or told["end_reason"]
    says_open = told["cell_state"] == "open" and UNSAFE not in sentence.lower()
    if says_open and not is_open:
        raise Failed(f"the cell is under current, and nobody says so: {told}")
    outcome = "ended" if is_open else "alarm"
    if told["status"] == "completed" and is_open:
        outcome = "not let go"
    if told["status"] == "stopped" and told["end_kind"] == "limit" and is_open:
        outcome = "limit" if not told.get("error") else "limit, and an error"
    elif str(trial.code) not in sentence or ECLIB[trial.code].remedy not in sentence:
        raise Failed(f"neither code nor remedy: {sentence}")
    wanted = ExitCode.FAILED if outcome == "limit" else ExitCode.INSTRUMENT
    if code != wanted:
        raise Failed(f"exit code {code}: {sentence}")
    return outcome, f"{told['status']}: {told['end_reason']} | {told.get('error', '')}"


def refused(trial: Trial, said: subprocess.CompletedProcess[str], is_open: bool | None) -> tuple[str, str]:
    if is_open is False:
        raise Failed(f"nothing is recorded, and the channel runs: {said.stderr}")
    if said.returncode != ExitCode.INSTRUMENT:
        raise Failed(f"exit code {said.returncode}: {said.stderr}")
    if str(trial.code) not in said.stderr or ECLIB[trial.code].remedy not in " ".join(said.stderr.split()):
        raise Failed(f"neither code nor remedy: {said.stderr}")
    return "refused", said.stderr.strip()


def no_holes(found: Run, whole: Run, *, is_whole: bool) -> None:
    """Failed: a row is missing. That blocks may be may be told, as many as calls that were not answered."""
    holes, largest, _ = holes_of(found, whole, READS, is_whole=is_whole, at_once=READS)
    if holes:
        raise Failed(f"{holes} holes of {largest} rows at the most, told by {found.gaps}")


# --- all of them -----------------------------------------------------------------------------------------


def trials(at: str, rounds: int, chance: random.Random) -> Iterator[Trial]:
    for _ in range(rounds):
        if at != "calls":
            for code in ECLIB:
                yield from of_place(READING, code, chance)
        if at != "data":
            for place in PLACES:
                for name in CLASSES:
                    codes = [code for code in ECLIB if class_of(code) == name]
                    yield from of_place(place, chance.choice(codes), chance)


def of_place(place: Place, code: int, chance: random.Random) -> Iterator[Trial]:
    for mode in place.modes:
        yield Trial(place, code, mode, chance.randint(*place.calls), chance.randint(2, READS))


def undisturbed(folder: Path) -> Run:
    bench = Bench(folder, SPEED)
    try:
        said = bench.run("--json", longest_s=OVER_s)
        if said.returncode:
            raise SystemExit(f"the run without codes: {said.stdout} {said.stderr}")
        return read(bench.path)
    finally:
        bench.end()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--at", choices=["data", "calls", "all"], default="all")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="a regular expression that fits WHEN and the faults of a trial"
    )
    parser.add_argument("--keep", type=Path, help="a folder for what has failed")
    asked = parser.parse_args()
    lot, began = Lot(), time.monotonic()
    wanted = [
        each
        for each in trials(asked.at, asked.rounds, random.Random(asked.seed))
        if re.search(asked.only, f"{each.place.when} {each}")
    ]
    with tempfile.TemporaryDirectory(prefix="nakctl-codes-") as name:
        whole = undisturbed(Path(name) / "whole")

        def one(k: int) -> None:
            folder = Path(name) / str(k)
            note(lot, k, wanted[k], folder, whole)
            if asked.keep is not None and folder.exists():
                shutil.copytree(folder, asked.keep / f"{asked.seed}-{k}")
            shutil.rmtree(folder, ignore_errors=True)

        with ThreadPoolExecutor(asked.at_once) as pool:
            list(pool.map(one, range(len(wanted))))
    table(lot, len(wanted), time.monotonic() - began)
    return bool(lot.failed)


def note(lot: Lot, k: int, trial: Trial, folder: Path, whole: Run) -> None:
    """Try, and say what came of it."""
    try:
        outcome, sentence = tried(folder, trial, whole)
        shutil.rmtree(folder)
    except Failed as error:
        outcome, sentence = "FAILED", str(error)
    except Exception as error:  # noqa: BLE001
        outcome, sentence = "FAILED", f"{type(error).__name__} {error}"
        traceback.print_exc()
    of_class = class_of(trial.code)
    with lot.busy:
        lot.outcomes[trial.place.call, trial.place.when, of_class][f"{trial.mode}: {outcome}"] += 1
        lot.sentences.setdefault((trial.place.call, trial.place.when, of_class, outcome), sentence)
        if outcome == "FAILED":
            lot.failed.append(f"{trial}: {sentence}")
        print(f"{k}: {trial} ({of_class}): {outcome} {sentence}", file=sys.stderr, flush=True)


def table(lot: Lot, runs: int, took_s: float) -> None:
    print(f"{runs} runs, {SPEED} times as fast as real, in {took_s / 60:.0f} min\n")
    print("| call | when | remedy | outcomes |\n|---|---|---|---|")
    for (call, when, of_class), outcomes in lot.outcomes.items():
        told = ", ".join(f"{outcome} {many}" for outcome, many in sorted(outcomes.items()))
        print(f"| {call} | {when} | {of_class} | {told} |")
    print("\n| call | when | remedy | outcome | what is said |\n|---|---|---|---|---|")
    for key, sentence in lot.sentences.items():
        if sentence:
            print(f"| {' | '.join(key)} | {' '.join(sentence.split())} |")
    for each in lot.failed:
        print(f"\nFAILED: {each}")


if __name__ == "__main__":
    sys.exit(main())
