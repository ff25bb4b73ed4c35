"""What one instrument is loaded with: techniques in chains, with ranges. Pure, printable values.

A *segment* is one chain: the instrument runs it by itself, loops included. Between segments the host
decides (that gap is measured and recorded). `HostLoop` repeats nodes by the host, and exists only where a
cutoff that the instrument cannot hold ends a step or a loop.

Sign everywhere: I > 0 oxidises (strips) the working electrode.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from nakctl.device.ends import End, Kind, Side, Then
from nakctl.errors import Mark


@dataclass(frozen=True, slots=True)
class Hardware:
    """The settings of the instrument's front panel, named as there (`1 mA`, `5 V`, bandwidth 1..9).

    Ece  the cell has three electrodes: what the instrument says of Ece is kept
    """

    I_range: str
    E_range: str
    bandwidth: int
    Ece: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A condition the instrument tests at its own time base: Ewe in V, |I| in A. end: id of its End.

    of_capacity  the part of the value that goes with a capacity which is measured in the run
    """

    __test__ = False  # not a pytest class
    quantity: Literal["Ewe", "|I|"]
    side: Side
    value: float
    end: int = 0
    of_capacity: float = 0.0


@dataclass(frozen=True, slots=True)
class Ocv:
    """WE left open for duration_s. dE_V None: record by time alone.

    trigger_s  how long a pulse at the trigger output is that is sent as it begins; 0: none is. So of all
    """

    step: int
    duration_s: float
    every_s: float
    dE_V: float | None
    hardware: Hardware
    trigger_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Cp:
    """Constant current, or with to_A a ramp from I_A to there; up to three tests (any one suffices).

    on_test: "next" goes on in the chain, "stop" ends the chain (the host then decides what follows).
    sentinel: no step of its own but a few milliseconds of one, in which the limits are tested before the
    chain goes on: after a technique whose tests lead to the next, before a sweep, which tests nothing.
    of_capacity: the current goes with a capacity which is measured in the run; time_power: the time does (1),
    or goes against it (-1).
    """

    step: int
    I_A: float
    duration_s: float
    every_s: float
    dE_V: float | None
    tests: tuple[Test, ...]
    on_test: Literal["next", "stop"]
    hardware: Hardware
    sentinel: bool = False
    to_A: float | None = None
    of_capacity: bool = False
    time_power: int = 0
    trigger_s: float = 0.0

    @property
    def level(self) -> float:
        return self.I_A

    @property
    def to(self) -> float | None:
        return self.to_A


@dataclass(frozen=True, slots=True)
class Ca:
    """Constant potential E_V against RE, or with to_V a scan from there to to_V; tests as in Cp.

    dI_A None: record by time alone. A scan, like a ramp, is recorded by time alone: every_s.
    """

    step: int
    E_V: float
    duration_s: float
    every_s: float
    dI_A: float | None
    tests: tuple[Test, ...]
    on_test: Literal["next", "stop"]
    hardware: Hardware
    sentinel: bool = False
    to_V: float | None = None
    trigger_s: float = 0.0

    @property
    def level(self) -> float:
        return self.E_V

    @property
    def to(self) -> float | None:
        return self.to_V


@dataclass(frozen=True, slots=True)
class Draw:
    """Constant power, Ewe I = level in W, or a constant load of `level` ohm across the cell, Ewe = -level I.

    A load can only take from the cell: a WE at Ewe > 0 sees I < 0, a reduction, as it does at a power < 0. Of
    two currents that make the same power the smaller one flows. Both are control loops of the instrument, and
    test nothing by themselves.
    """

    step: int
    control: Literal["POWER", "LOAD"]
    level: float
    duration_s: float
    every_s: float
    dE_V: float | None
    hardware: Hardware
    trigger_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Eis:
    """One impedance sweep at a DC bias: GEIS (bias and amplitude in A) or PEIS (in V).

    bias            DC level; with vs_previous it is added to the potential at which the technique before
                    this one ended (PEIS after OCV: the open-circuit potential)
    amplitude_peak  peak, not rms: recordings of real instruments say so
    hold_s, every_s DC hold before the sweep, and how often it is recorded
    n_frequencies   total, both ends included, spaced evenly (log or linear) from first to last
    drift_correction  the instrument takes the drift of Ewe out of each frequency, in about twice the time: no
                    estimate counts that time, and no simulated channel imitates either
    continues       this sweep continues the spectrum of the technique before it (a list of frequencies
                    that one sweep cannot produce)
    of_capacity     the bias goes with a capacity which is measured in the run
    """

    step: int
    control: Literal["GEIS", "PEIS"]
    bias: float
    vs_previous: bool
    amplitude_peak: float
    hold_s: float
    every_s: float
    f_first_Hz: float
    f_last_Hz: float
    n_frequencies: int
    spacing: Literal["log", "linear"]
    average: int
    wait_periods: float
    drift_correction: bool
    continues: bool
    hardware: Hardware
    of_capacity: bool = False
    trigger_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Loop:
    """Go back to technique `to` of this chain until it was done `times` times in all; None: for ever.

    passes: a pass of this loop is a cycle of the experiment (not one of several spectra in one step).
    begins: a cycle begins with the first pass as well: what led to it was one.
    """

    to: int
    times: int | None
    passes: bool
    begins: bool = False


Tested = Cp | Ca  # may test by itself
Timed = Ocv | Cp | Ca | Draw  # lasts for a time that is known before
Done = Timed | Eis
Technique = Done | Loop


def played(techniques: Sequence[Technique]) -> list[Done]:
    """All but the loops."""
    return [each for each in techniques if not isinstance(each, Loop)]


def trigger_s(technique: Technique) -> float:
    return 0.0 if isinstance(technique, Loop) else technique.trigger_s


def size_of(techniques: Sequence[Technique]) -> int:
    """How many places they take in a chain: a trigger pulse is a technique of the vendor's beside its own."""
    return len(techniques) + sum(trigger_s(each) > 0 for each in techniques)


@dataclass(frozen=True, slots=True)
class Later:
    """A potential of a technique that only the run knows: it is put in when the chain is loaded.

    at         place of the technique in the chain
    of, add_V  OCV: Ewe at the end of the latest rest; start: at the run's first row; last: at the end of the
               step before; and what is added to it
    rate   of a scan, in V/s: it takes as long as it is to its end; 0: a hold
    low_V, high_V  beyond them nothing is loaded
    """

    at: int
    of: Literal["OCV", "start", "last"]
    add_V: float
    rate: float
    low_V: float
    high_V: float
    text: str


@dataclass(frozen=True, slots=True)
class LaterCharge:
    """A |charge| that only the run knows, that of an earlier step. How long the techniques last that move it
    is put in when their chain is loaded.

    at         places of the techniques in the chain, all alike; a loop of one of them stands behind it
    steps      of which one was that step, by their ids; the one that was done last counts
    planned_C  what the techniques move as they stand here; more than `known.MORE` beyond that is not loaded
    """

    at: tuple[int, ...]
    steps: tuple[int, ...]
    planned_C: float
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One chain, loaded and run as a whole.

    loop     the chain is one loop of the protocol: a test that stops it leaves the loop, not a loop around it
    tops_up  it goes on with the step of the segment before, for as long as that step still lacks of its time;
             its one technique is loaded with what is missing
    later    potentials of its techniques that only the run knows
    charge   likewise a charge, and with it how long they last

    In what is left of a program (`run.remainder`):
    new_cycle  positions at which a cycle begins, though no loop of this chain leads back to there
    step_s     how long its first step had lasted before; counts where a time was asked for it
    """

    techniques: tuple[Technique, ...]
    loop: bool = False
    tops_up: bool = False
    new_cycle: tuple[int, ...] = ()
    step_s: float = 0.0
    later: tuple[Later, ...] = ()
    charge: LaterCharge | None = None

    @property
    def is_open(self) -> bool:
        """Whether something of it is known only when it is loaded."""
        return bool(self.later) or self.charge is not None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended when it was done last.

    steps  its ids: at each level of a staircase it is another one
    by     a code of `ends.ENDED_BY`, or `short`
    text   "strip-1 ended by short"
    """

    steps: tuple[int, ...]
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class HostLoop:
    """Nodes repeated by the host; times None: until a cutoff or a rule ends it.

    Done once if it is a loop only because it may be left early (a staircase with an `end loop` cutoff).
    until  it is left after the pass in which this came true
    """

    body: tuple[Node, ...]
    times: int | None
    until: Ended | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Nodes that are done if a step ended in some way, and others that are done if it did not."""

    when: Ended
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]

    @property
    def body(self) -> tuple[Node, ...]:
        """All of them, one after the other."""
        return (*self.then, *self.otherwise)

    def side(self, index: int) -> tuple[tuple[Node, ...], int]:
        """The nodes among which the one at this place of the body stands, and its place among them."""
        count = len(self.then)
        return (self.then, index) if index < count else (self.otherwise, index - count)


@dataclass(frozen=True, slots=True)
class Slope:
    """How a set-point gets to its value.

    rate   in SI per s, > 0; start: where it begins, in SI; None: where the run set it to last, or what the
           sensor shows; texts as written
    """

    rate: float
    rate_text: str
    start: float | None = None
    start_text: str = ""


@dataclass(frozen=True, slots=True)
class SetPoint:
    """The host sets what stands beside the cell, between two chains. value in SI, text as written.

    slope  it moves there while the program goes on; None: at once
    """

    sensor: str
    value: float
    text: str
    label: str
    mark: Mark
    slope: Slope | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A person is asked for something: the run waits with the cell open until somebody says to go on."""

    text: str
    label: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Capacity:
    """The capacity is known here: what follows is done with the charge that a step has moved.

    step, label     that step
    about_C, within what the capacity was planned to be, and by which part of that it may be off
    """

    step: int
    label: str
    about_C: float
    within: float
    mark: Mark


Node = Segment | HostLoop | SetPoint | Ask | Branch | Capacity


@dataclass(frozen=True, slots=True)
class Settle:
    """A step that lasts until a sensor has stayed within a band for for_s.

    of, within  middle and half width in SI; texts as written; then: what follows if the time is up before
    """

    sensor: str
    of: float
    within: float
    for_s: float
    then: Then
    of_text: str
    within_text: str
    for_text: str

    def __str__(self) -> str:
        return f"{self.sensor} within {self.within_text} of {self.of_text} for {self.for_text}"


@dataclass(frozen=True, slots=True)
class StepInfo:
    """What the record and the guard know of a step of the plan.

    step_id  as Technique.step; label as the plan prints it ("2.1 strip 0.05 mA/cm2")
    level    number of the staircase level it belongs to, counted through the run; 0 outside
    settle   what a step that waits for a sensor waits for
    """

    step_id: int
    label: str
    technique: str
    level: int
    mark: Mark
    settle: Settle | None = None


@dataclass(frozen=True, slots=True)
class ShortRule:
    """A short circuit: under current, Ewe fell by `fall` (0..1) from its highest value within the last
    `within_s` of the step, that value having been above `below_V`, and |Ewe| is now under `below_V`, for
    `samples` samples in a row. Ewe is counted along the current (its sign turned while plating), as befits
    cells whose open-circuit potential is near 0 V."""

    fall: float
    within_s: float
    below_V: float
    samples: int


@dataclass(frozen=True, slots=True)
class Program:
    """All that a run needs: what to load, and what to watch.

    instrument  name of the instrument it was made for ("SP-300", "VMP-3")
    steps       by step_id, which counts from 1
    ends        every condition that ends a step or the run, by its id, which counts from 1
    short       the rule behind the End with the quantity `short`
    chain_length  techniques that its channel holds in one chain; 0: as many as the instrument's data say
    feeds       longer ones are handed over while they run
    capacity_C  that what goes with the capacity is said for; 0: it is not measured
    """

    instrument: str
    area_cm2: float
    nodes: tuple[Node, ...]
    steps: tuple[StepInfo, ...]
    ends: tuple[End, ...] = ()
    short: ShortRule | None = None
    chain_length: int = 0
    feeds: bool = False
    capacity_C: float = 0.0

    def step(self, step_id: int) -> StepInfo:
        return self.steps[step_id - 1]

    def end(self, end_id: int) -> End:
        return self.ends[end_id - 1]

    def ends_of(self, step_id: int, kind: Kind | None = None) -> tuple[End, ...]:
        """The step's own ends, as written, of one kind or all; 0: those of the whole run."""
        return tuple(end for end in self.ends if end.step == step_id and kind in (None, end.kind))


def Ece_is_shown(segment: Segment) -> bool:
    """Whether what the channel shows of Ece is looked at: the cell has three electrodes."""
    return any(technique.hardware.Ece for technique in played(segment.techniques))


def node_at(nodes: Sequence[Node], place: Sequence[int]) -> Node:
    """place: the index in each list of nodes, from the outermost one."""
    node = nodes[place[0]]
    for index in place[1:]:
        assert isinstance(node, HostLoop | Branch)
        node = node.body[index]
    return node


def points_of_spectrum(segment: Segment, technique: int) -> int:
    """How many points the spectrum that begins with this technique has, sweeps that continue it included."""
    total = 0
    for k, each in enumerate(segment.techniques[technique:]):
        if not isinstance(each, Eis) or (k > 0 and not each.continues):
            break
        total += each.n_frequencies
    return total


def is_sentinel(technique: Technique) -> bool:
    return isinstance(technique, Tested) and technique.sentinel


def segments(nodes: tuple[Node, ...]) -> Iterator[Segment]:
    """Every chain once, in order."""
    for node in nodes:
        if isinstance(node, HostLoop | Branch):
            yield from segments(node.body)
        elif isinstance(node, Segment):
            yield node


def referred(nodes: tuple[Node, ...]) -> frozenset[int]:
    """The steps of which has to be known how they ended, or what they moved."""
    found: set[int] = set()
    for node in nodes:
        if isinstance(node, Branch):
            found |= {*node.when.steps, *referred(node.body)}
        elif isinstance(node, HostLoop):
            found |= {*(node.until.steps if node.until else ()), *referred(node.body)}
        elif isinstance(node, Segment) and node.charge is not None:
            found |= {*node.charge.steps}
        elif isinstance(node, Capacity):
            found.add(node.step)
    return frozenset(found)


def beginning_a_cycle(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """A pass begins a cycle, also the first of those that are left: nothing goes round to get there."""
    for at, node in enumerate(nodes):
        begins: Node
        if isinstance(node, HostLoop):
            begins = replace(node, body=beginning_a_cycle(node.body))
        elif isinstance(node, Branch):
            sides = map(beginning_a_cycle, (node.then, node.otherwise))
            begins = Branch(node.when, *sides)
        elif isinstance(node, Segment):
            begins = replace(node, new_cycle=tuple(sorted({0, *node.new_cycle})))
        else:
            continue
        return (*nodes[:at], begins, *nodes[at + 1 :])
    return nodes
