"""What ends a step or a run: one table of values per program, from the YAML line to the file.

An `End` is a condition and what follows when it is met. Whoever tests it (a technique of the instrument, the
host between two reads) names it by its id; whoever reports it keeps kind, id and the value seen, and takes
the sentence from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nakctl.errors import NO_MARK, Mark

Then = Literal["next step", "end loop", "end run"]
# What follows the end of a chain: also, of one that somebody cut, the rest of it, now or later.
Follows = Literal["next step", "end loop", "end run", "go on"]
Side = Literal["above", "below"]
Watcher = Literal["instrument", "host"]
Quantity = Literal[
    "Ewe", "|I|", "charge", "time", "short", "sensor", "dEwe/dt", "dI/dt", "Ece", "Ewe-Ece"
]  # fmt: skip
SLOPES: tuple[Quantity, ...] = ("dEwe/dt", "dI/dt")
OF_THREE: tuple[Quantity, ...] = ("Ece", "Ewe-Ece")  # of three electrodes; no instrument tests them
Kind = Literal["asked", "cutoff", "goal", "rule", "limit", "unmet"]
LEAST_ROWS_OF_SLOPE = 3  # through two any noise is a line

# Why a step or a run is over, as codes in the file: the kinds of End, and what no End foresees.
ENDED_BY = {
    "duration": "it lasted as long, or moved as much charge, as was asked for",
    "cutoff": "an `until` of the step",
    "goal": "a potential of `stop_when`, which ends the run as wanted",
    "rule": "the short circuit of `stop_when`",
    "limit": "a safety limit of the run",
    "unmet": "no end: a step without a time has outlasted what the instrument holds by itself, and goes on",
    "settled": "the sensor that the step waited for has settled",
    "timeout": "the sensor that the step waited for did not settle in time",
    "steps done": "the run came to the end of its steps",
    "left": "an end that stands at the step before it, of which the host heard a moment later",
    "operator": "somebody asked for the end",
    "not fed": "the channel had not been given what follows, and it is loaded now",
    "skipped": "somebody skipped what was left of the step",
    "interrupted": "the channel ended by itself, and no End of the program explains it",
    "trouble": "the instrument, its link, the disk or nakctl itself failed",
    "unclosed": "the program that recorded it was gone before it ended",
}

# What acts first when one row meets several: safety before what is wanted, what is wanted before a cutoff.
GRAVITY: dict[Kind, int] = {"limit": 0, "rule": 1, "goal": 2, "cutoff": 3, "asked": 4, "unmet": 5}
CONSEQUENCE: dict[Follows, int] = {"end run": 0, "end loop": 1, "next step": 2, "go on": 3}


def way(side: Side) -> int:
    """The sign of values that go beyond."""
    return 1 if side == "above" else -1


@dataclass(frozen=True, slots=True)
class End:
    """One condition of a program.

    id        its number in `Program.ends`, from 1
    kind      asked: the time that a step with spectra was given; unmet: a step without a time has lasted as
              long as the instrument holds it, and no cutoff was met; cutoff, goal, rule, limit as in ENDED_BY
    quantity  Ewe, Ece, Ewe-Ece in V; |I| in A; charge in C (absolute, of the step); time in s (of the step if
              `asked`, else of the run); short: 0, the rule stands in the program; sensor: in SI; dEwe/dt in
              V/s, dI/dt (of |I|) in A/s: both absolute, fitted to the rows of the last over_s
    by        who watches: the instrument within its time base, or the host between two reads
    step      the step it belongs to; 0: all of them
    text      in the user's words and units: "Ewe above 3 V"
    of_capacity  the part of the value that goes with a capacity which is measured in the run
    """

    id: int
    kind: Kind
    quantity: Quantity
    side: Side
    value: float
    then: Follows
    by: Watcher
    step: int
    text: str
    mark: Mark = NO_MARK
    sensor: str = ""
    over_s: float = 0.0
    of_capacity: float = 0.0

    @property
    def sentence(self) -> str:
        """Why the step or the run is over, if this is why."""
        return f"limit: {self.text}" if self.kind == "limit" else self.text

    @property
    def gravity(self) -> tuple[int, int]:
        """Sorts ends that are met at once: the gravest first."""
        return GRAVITY[self.kind], CONSEQUENCE[self.then]
