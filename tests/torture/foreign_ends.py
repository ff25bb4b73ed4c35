"""What does a run make of a chain that something else ended?

    python tests/torture/foreign_ends.py [--places 20] [--seed 1]

Four shipped protocols, through the driver over the virtual instrument, on a clock that goes on only when somebody
sleeps on it. At random moments under way another program stops the channel, its memory is full, it loses its
kernel, or the technique that runs ends early. Right is: never "completed", no chain started afterwards, the record
closed with its end, exit code 3. Each row of the table counts the runs that were not right.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from typing import Any

sys.path.extend(str(Path(__file__).parents[1] / each) for each in ("", "e2e"))

from kept import Kept
from shortened import parameters

from nakctl.cli.report import exit_code
from nakctl.device.driver import Place
from nakctl.device.instrument import instrument
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol.load import load
from nakctl.run.run import Outcome, run
from nakctl_biologic.driver import driver
from nakctl_sim.driver import driver as models
from nakctl_sim.instrument import register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.faults import fault
from nakctl_sim.instrument.habits import Habits

PROTOCOLS = ("ccd", "galvanostatic-cycling", "sgeis-strip-rest", "pulsed-strip")
TROUBLES = ("stopped=1", "lost-kernel=1", "early-end=1", "memory-full=1")
CELL, LIKE = "NaK50", "SP-300"
HABITS = Habits(memory_full="stop")


def play(name: str, trouble: str, at_s: float | None) -> tuple[Outcome, Kept]:
    """One run; at_s: when the trouble comes, None: never."""
    clock, cell = StepClock(), models.cell(CELL)
    faults = [] if at_s is None else [fault(f"{trouble}@t{at_s:.3f}")]
    address = register("ends", VirtualInstrument(LIKE, {1: CELL}, clock, 1, HABITS, faults))
    channel = driver.open(Place("x", "biologic", LIKE, 1, {"address": address}), cell, clock, 1)
    kept = Kept()
    program = lower(compile_protocol(load(name, parameters(name, LIKE)), cell), instrument(LIKE))
    kept.program = program
    return run(program, channel, clock, kept, poll_s=0.5), kept


def under_way(chance: random.Random, whole_s: float, chains: Any) -> float:
    """A moment at which a chain runs; the instrument's clock may be half a second off."""
    while True:
        at_s = chance.uniform(0.05, 0.9) * whole_s
        if not any((chains["open_from"] - 0.5 < at_s) & (at_s < chains["time"] + 0.5)):
            return at_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--places", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    print(
        "| protocol | trouble | runs | completed | went on | not closed | other exit code |\n|---|---|---|---|---|---|---|"
    )
    wrong_in_all = 0
    for name in PROTOCOLS:
        whole, undisturbed = play(name, "", None)
        for trouble in TROUBLES:
            wrong = [0, 0, 0, 0]
            for _ in range(asked.places):
                at_s = under_way(chance, whole.duration_s, undisturbed["chains"])
                outcome, kept = play(name, trouble, at_s)
                wrong[0] += outcome.status == "completed"
                wrong[1] += any(kept["chains"]["time"] > at_s + 2.0)
                wrong[2] += kept.events[-1].code != "end"
                wrong[3] += exit_code(outcome, None, True) != 3
            wrong_in_all += sum(wrong)
            print(f"| {name} | {trouble} | {asked.places} | {' | '.join(map(str, wrong))} |", flush=True)
    sys.exit(bool(wrong_in_all))


if __name__ == "__main__":
    main()
