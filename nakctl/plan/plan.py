"""What will be done: SI, signed, each step knowing its line of YAML. Repeats stay structure.

I > 0 oxidises (strips) the working electrode. Built by `compile`, lowered by `lower`, told by
`nakctl.render`. Knows no instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nakctl.device.ends import Side, Then
from nakctl.device.program import Ask, SetPoint, Settle, ShortRule
from nakctl.errors import Mark

HoldKind = Literal["rest", "cp", "ca", "power", "load"]


@dataclass(frozen=True, slots=True)
class Record:
    """When to keep a sample: every_s, or a change of dE_V / dI_A, whichever comes first."""

    every_s: float
    dE_V: float | None = None
    dI_A: float | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """Ranges the user fixed; None leaves the choice to the lowering."""

    I: str | None = None
    E: str | None = None
    bandwidth: int | None = None


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Ends the step. quantity: Ewe, Ece, Ewe-Ece in V, |I| in A, charge in C (absolute, of this step); how
    fast Ewe or |I| change, up or down, in V/s or A/s; short: the rule stands in the plan.

    text    the condition with its value as written: "Ewe above 3 V"
    over_s  of a slope: the time that it is fitted to
    """

    quantity: Literal["Ewe", "|I|", "charge", "dEwe/dt", "dI/dt", "short", "Ece", "Ewe-Ece"]
    side: Side
    value: float
    then: Then
    mark: Mark
    text: str
    over_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Limit:
    """Safety for the whole run; beyond it the run stops. 0 V is a limit.

    quantity, value  Ewe, Ece, Ewe-Ece in V, |I| in A, time in s, a sensor in SI
    text             as Cutoff; value_text: the value alone, as written
    """

    quantity: Literal["Ewe", "|I|", "time", "sensor", "Ece", "Ewe-Ece"]
    side: Side
    value: float
    text: str
    value_text: str
    mark: Mark
    sensor: str = ""

    @property
    def named(self) -> str:
        """`limits.Ewe of 1.50 V`: the place of the file and the value, both as the user wrote them."""
        words = {"|I|": "I", "sensor": f"sensors.{self.sensor}", "Ewe-Ece": "Ewe_minus_Ece"}
        word = words.get(self.quantity, self.quantity)
        return f"limits.{word} of {self.value_text}"


@dataclass(frozen=True, slots=True)
class Limits:
    """All of them, with short cuts to those that a check asks for. None: not asked for."""

    all: tuple[Limit, ...]

    def limit(self, quantity: str, side: Side) -> Limit | None:
        return next((each for each in self.all if (each.quantity, each.side) == (quantity, side)), None)

    def value(self, quantity: str, side: Side) -> float | None:
        limit = self.limit(quantity, side)
        return None if limit is None else limit.value

    @property
    def window_text(self) -> str:
        """`-3 V .. 3 V`, as written."""
        return self.window_of("Ewe")

    def window_of(self, quantity: str) -> str:
        """Likewise of Ece or Ewe-Ece; empty if there is none."""
        return " .. ".join(each.value_text for each in self.all if each.quantity == quantity)

    @property
    def Ewe_min_V(self) -> float | None:
        return self.value("Ewe", "below")

    @property
    def Ewe_max_V(self) -> float | None:
        return self.value("Ewe", "above")

    @property
    def I_max_A(self) -> float | None:
        return self.value("|I|", "above")

    @property
    def time_s(self) -> float | None:
        return self.value("time", "above")

    @property
    def sensors(self) -> tuple[Limit, ...]:
        return tuple(each for each in self.all if each.quantity == "sensor")


@dataclass(frozen=True, slots=True)
class Goal:
    """The run is over, as wanted, when Ewe goes beyond value_V."""

    side: Side
    value_V: float
    text: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Sweep:
    """The frequencies of one spectrum and how each is measured.

    amplitude_peak  A for geis, V for peis
    frequencies_Hz  all of them, in order; spacing says how they were made ("list" if written one by one)
    """

    name: str
    control: Literal["geis", "peis"]
    amplitude_peak: float
    frequencies_Hz: tuple[float, ...]
    spacing: Literal["log", "linear", "list"]
    average: int
    wait_periods: float
    drift_correction: bool
    ranges: Ranges
    mark: Mark


@dataclass(frozen=True, slots=True)
class Spectra:
    """Spectra taken during a hold, from start to start every_s apart; None: back to back.

    starts_s  when each begins, from the beginning of the hold; none: evenly apart
    """

    sweep: Sweep
    every_s: float | None
    starts_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Relative:
    """A potential against what the run has measured: see `program.Later`. rate: of a scan, in V/s."""

    of: Literal["OCV", "start", "last"]
    add_V: float
    text: str
    mark: Mark
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class SameCharge:
    """The |charge| that the step of a label moved when it was done last. The hold's duration_s is the longest
    that this may take.

    likely    which part of that it is likely to take, as far as the plan knows
    is_known  the plan knows what that step moves at most; else this one lasts at most for limits.time
    """

    label: str
    mark: Mark
    likely: float = 1.0
    is_known: bool = False

    def __str__(self) -> str:
        return f"same charge as {self.label}"


@dataclass(frozen=True, slots=True)
class Hold:
    """Lasts duration_s at most. level: none at rest (open circuit); in A (cp), V (ca), W (power), ohm (load).

    to      cp, ca: the level moves evenly from `level` to there, a ramp or a scan; None: it stays
    settle  a rest that ends as soon as a sensor has settled
    relative  ca: what its level is counted from; `level` is then what is added to that
    technique  what the record calls it, if not by its kind
    of_profile_A  a line of a profile: the largest |I| of them all, for which its range has to do
    alone_s  no time was asked for: a cutoff has to end it, within limits.time, which is duration_s. So long
             the instrument may hold it by itself; None: duration_s is the time asked for
    known    why alone_s is shorter than duration_s: `1.5 x the capacity`
    same     cp: it lasts until it has moved the charge of an earlier step
    trigger_s  how long a pulse at the trigger output is as it begins; 0: there is none
    """

    step_id: int
    label: str
    kind: HoldKind
    level: float | None
    duration_s: float
    record: Record
    cutoffs: tuple[Cutoff, ...]
    spectra: Spectra | None
    ranges: Ranges
    mark: Mark
    settle: Settle | None = None
    to: float | None = None
    technique: str = ""
    of_profile_A: float | None = None
    alone_s: float | None = None
    known: str = ""
    relative: Relative | None = None
    same: SameCharge | None = None
    trigger_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One spectrum. bias None: at open circuit; else A (geis) or V (peis). The last two: as in Hold."""

    step_id: int
    label: str
    sweep: Sweep
    bias: float | None
    record: Record
    cutoffs: tuple[Cutoff, ...]
    mark: Mark
    relative: Relative | None = None
    trigger_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Repeat:
    """Steps done `times` times; None: until a cutoff, a rule or a limit ends them.

    begins  a cycle begins with its first pass as well: what led to it was one
    until   they are over after the pass in which this came true
    """

    label: str
    steps: tuple[Step, ...]
    times: int | None
    mark: Mark
    begins: bool = False
    until: EndedBy | None = None


@dataclass(frozen=True, slots=True)
class Staircase:
    """One pass per level, each with its own steps (the level stands in their currents).

    is_table  its passes are the lines of a profile, and no cycles
    is_loop   what leaves a loop leaves this one; else the one around it
    """

    label: str
    levels: tuple[str, ...]
    passes: tuple[tuple[Step, ...], ...]
    mark: Mark
    is_table: bool = False
    is_loop: bool = True


@dataclass(frozen=True, slots=True)
class EndedBy:
    """How the step of this label ended when it was done last. by: a code of `ENDED_BY`, or `short`."""

    label: str
    by: str
    mark: Mark

    def __str__(self) -> str:
        return f"{self.label} ended by {self.by}"


@dataclass(frozen=True, slots=True)
class If:
    """Steps that are done if a step ended in some way, and others that are done if it did not."""

    label: str
    when: EndedBy
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    mark: Mark


Step = Hold | Spectrum | Repeat | Staircase | SetPoint | Ask | If


@dataclass(frozen=True, slots=True)
class Gapless:
    """Between these steps, by step_id, nobody may open the cell under current. label: of what holds them."""

    steps: frozenset[int]
    label: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class MeasuredCapacity:
    """The capacity that a step measures. text: about_C, as written.

    less, more  the plan for the least and for the most that it may come to; None: in one of these
    """

    label: str
    about_C: float
    within: float
    text: str
    mark: Mark
    less: Plan | None = None
    more: Plan | None = None

    @property
    def ends(self) -> tuple[tuple[Plan, Literal["least", "most"]], ...]:
        """The plans for those, and which they are."""
        return () if self.less is None or self.more is None else ((self.more, "most"), (self.less, "least"))


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled protocol for one cell.

    params       as written, after overrides
    short        the rule that ends the run; short_of_steps: that of steps which say that they end by it
    limits_mark  where the file says `limits`
    three_electrodes  of the cell: Ece is recorded and may be judged
    """

    name: str
    file: str
    source: str
    cell: str
    area_cm2: float
    params: dict[str, Any]
    limits: Limits
    goals: tuple[Goal, ...]
    short: ShortRule | None
    steps: tuple[Step, ...]
    limits_mark: Mark
    short_of_steps: ShortRule | None = None
    three_electrodes: bool = False
    gapless: tuple[Gapless, ...] = ()
    capacity: MeasuredCapacity | None = None


def walk(steps: Sequence[Step]) -> Iterator[Step]:
    """Every step once, in order, however often it is repeated; what holds others before those."""
    for step in steps:
        yield step
        match step:
            case Repeat():
                yield from walk(step.steps)
            case Staircase():
                for one_pass in step.passes:
                    yield from walk(one_pass)
            case If():
                yield from walk((*step.then, *step.otherwise))
            case _:
                pass


def leaves(steps: Sequence[Step]) -> Iterator[Hold | Spectrum]:
    """Every hold and spectrum."""
    return (step for step in walk(steps) if isinstance(step, Hold | Spectrum))


def mapped(steps: Sequence[Step], change: Callable[[Hold | Spectrum], Hold | Spectrum]) -> tuple[Step, ...]:
    """The same steps with another one in place of each hold and spectrum."""

    def made(step: Step) -> Step:
        match step:
            case Hold() | Spectrum():
                return change(step)
            case Repeat():
                return replace(step, steps=mapped(step.steps, change))
            case Staircase():
                return replace(step, passes=tuple(mapped(one_pass, change) for one_pass in step.passes))
            case If():
                then, otherwise = mapped(step.then, change), mapped(step.otherwise, change)
                return replace(step, then=then, otherwise=otherwise)
            case _:
                return step

    return tuple(map(made, steps))


def label_of(leaf: Hold | Spectrum) -> str:
    """Without its number."""
    return leaf.label.partition(" ")[2]


def labelled(steps: Sequence[Step], label: str) -> tuple[int, ...]:
    """The steps of this label, by their step_id; one at each level of a staircase."""
    return tuple(leaf.step_id for leaf in leaves(steps) if label_of(leaf) == label)


def conditions(steps: Sequence[Step]) -> Iterator[EndedBy]:
    """All that is asked of how steps ended."""
    for step in walk(steps):
        if isinstance(step, If):
            yield step.when
        elif isinstance(step, Repeat) and step.until is not None:
            yield step.until


def set_points(steps: Sequence[Step]) -> Iterator[SetPoint]:
    return (step for step in walk(steps) if isinstance(step, SetPoint))


def repeats(steps: Sequence[Step]) -> Iterator[Repeat]:
    return (step for step in walk(steps) if isinstance(step, Repeat))


def may_leave(steps: Sequence[Step]) -> bool:
    """A step directly in this loop may end it (steps of inner loops end those)."""
    tables = (step for step in steps if isinstance(step, Staircase) and not step.is_loop)
    in_tables = (each for table in tables for one_pass in table.passes for each in one_pass)
    sides = (side for step in steps if isinstance(step, If) for side in (step.then, step.otherwise))
    if any(map(may_leave, sides)):
        return True
    own = (step for step in (*steps, *in_tables) if isinstance(step, Hold | Spectrum))
    return any(cutoff.then == "end loop" for step in own for cutoff in step.cutoffs)
