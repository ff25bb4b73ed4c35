"""Helpers of the lowering: which range a step gets, and who watches which of its ends.

The instrument's techniques test up to three conditions with *one* consequence: go on in the chain, or stop
it. So what stops may stand together, and after a technique that goes on comes a *sentinel*: the same current
or potential for a few milliseconds, in which the ends that stop the chain are tested alone. That way a limit
is never something a chain goes on from, without an open circuit and without the host.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from nakctl.device.ends import OF_THREE, End, Follows, Quantity, Side, way
from nakctl.device.ends import Kind as EndKind
from nakctl.device.instrument import CurrentRange, Instrument
from nakctl.device.program import Hardware, ShortRule, Test
from nakctl.device.techniques import KINDS, RAMP, SCAN, Kind
from nakctl.errors import Mark
from nakctl.plan import plan as p

TESTS_PER_TECHNIQUE = 3  # Test1, Test2, Test3 of CPLIMIT and CALIMIT
# A sentinel reads after the row that met a test, with other noise: it tests so many steps of resolution
# inside of the end.
SENTINEL_STEPS = 4
# So far from its cutoff a step without a time counts as unmet: more than two readings of one value differ by.
UNMET_V, UNMET_PART = 1e-3, 1e-3


@dataclass(slots=True)
class EndTable:
    """The ends of one program, numbered as they are found; the run's own come first."""

    all: list[End] = field(default_factory=list)

    def add(
        self,
        kind: EndKind,
        quantity: Quantity,
        side: Side,
        value: float,
        then: Follows,
        text: str,
        mark: Mark,
        *,
        step: int = 0,
        sensor: str = "",
        over_s: float = 0.0,
    ) -> End:
        """Watched by the host, until a technique is found that tests it."""
        end = End(
            len(self.all) + 1, kind, quantity, side, value, then, "host", step, text, mark, sensor, over_s
        )  # fmt: skip
        self.all.append(end)
        return end

    def held(self, end_id: int) -> End:
        """The end, which the instrument holds."""
        self.all[end_id - 1] = end = replace(self.all[end_id - 1], by="instrument")
        return end

    def of_run(
        self, limits: p.Limits, goals: Sequence[p.Goal], short: ShortRule | None, mark: Mark
    ) -> tuple[End, ...]:
        """Limits, goals and the short."""
        for limit in limits.all:
            self.add(
                "limit", limit.quantity, limit.side, limit.value, "end run", limit.text, limit.mark,
                sensor=limit.sensor,
            )  # fmt: skip
        for goal in goals:
            self.add("goal", "Ewe", goal.side, goal.value_V, "end run", goal.text, goal.mark)
        if short is not None:
            self.add("rule", "short", "below", short.below_V, "end run", "short", mark)
        return tuple(self.all)

    def of_step(self, step: p.Hold | p.Spectrum) -> tuple[End, ...]:
        """Its cutoffs."""
        return tuple(self._cutoff(each, step.step_id) for each in step.cutoffs)

    def _cutoff(self, asked: p.Cutoff, step: int) -> End:
        what = (asked.quantity, asked.side, asked.value, asked.then, asked.text, asked.mark)
        return self.add("cutoff", *what, step=step, over_s=asked.over_s)


@dataclass(frozen=True, slots=True)
class Context:
    """What every step is lowered against. of_run: the ends of the whole run; table: all ends so far.

    three_electrodes  Ece is recorded; Ece_V: values of it that have to be seen
    """

    instrument: Instrument
    limits: p.Limits
    table: EndTable
    of_run: tuple[End, ...]
    three_electrodes: bool = False
    Ece_V: tuple[float, ...] = ()

    def hardware(self, ranges: p.Ranges, I_peak_A: float | None, amplitude_A: float = 0.0) -> Hardware:
        """The user's ranges, or the smallest that hold the current and the window of Ewe.

        The current range covers |DC| + amplitude with some head-room, and twice the amplitude (the maker's
        advice for GEIS). Under potential control the current is not known before: the run's limit of |I|
        decides, else the largest range. Never an automatic range: it switches in the middle of a measurement.
        """
        instrument = self.instrument
        I_needed_A = self.limits.I_max_A if I_peak_A is None else max(I_peak_A, 2 * amplitude_A)
        return Hardware(
            I_range=ranges.I or smallest(instrument.I_ranges, I_needed_A).name,
            E_range=ranges.E or self._potential_range(),
            bandwidth=ranges.bandwidth or instrument.bandwidth,
            Ece=self.three_electrodes,
        )

    def _potential_range(self) -> str:
        """Every other value of Ewe that is judged lies inside of the limits, or acts after them."""
        window_V = (self.limits.Ewe_min_V, self.limits.Ewe_max_V)
        ends_V = [*(end_V for end_V in window_V if end_V is not None), *self.Ece_V]
        for each in self.instrument.E_ranges:
            if all(map(each.shows, ends_V)):
                return each.name
        return self.instrument.E_ranges[-1].name

    def resolution(self, test: Test, hardware: Hardware) -> float:
        """One step of what the test looks at, in its range."""
        if test.quantity == "Ewe":
            ranges = [each for each in self.instrument.E_ranges if each.name == hardware.E_range]
            return self.instrument.E_step * (ranges[0].high_V - ranges[0].low_V) if ranges else 0.0
        currents = [each for each in self.instrument.I_ranges if each.name == hardware.I_range]
        return self.instrument.I_step * currents[0].full_A if currents else 0.0


def smallest(ranges: Sequence[CurrentRange], needed_A: float | None) -> CurrentRange:
    """The smallest range that holds a current with head-room; the largest if none does."""
    if needed_A is not None:
        for each in ranges:
            if each.shows(needed_A):
                return each
    return ranges[-1]


@dataclass(frozen=True, slots=True)
class Ends:
    """How the ends of one technique are shared out.

    on_test   what a met test does in the chain
    sentinel  what has to be tested before the chain goes on; empty: nothing
    alone     the step must be a segment of its own: the host goes on from it
    """

    tests: tuple[Test, ...]
    on_test: Literal["next", "stop"]
    sentinel: tuple[Test, ...]
    alone: bool


def share_out(hold: p.Hold, context: Context) -> Ends:
    """Tests for the instrument, as far as one technique has room; the rest for the host.

    A cutoff of the host that the run goes on from needs a segment of its own; there every test stops the
    chain, and the host goes on by the End that was met. Else a technique goes on from its own cutoffs, and
    its sentinel holds what must not be gone on from: all of the step's own, else the host has to go on here
    too, and limits as far as there is room.
    """
    stops = stop_tests(hold.kind, context)
    ends = context.table.of_step(hold)
    own = list(_tests(ends))
    tests = _chosen([*own, *stops], spare=own)
    held = [context.table.held(test.end) for test in own if _reached_before(test, tests)]
    others = [end for end in ends if end.id not in {each.id for each in held}]
    alone = _host_goes_on(others, hold, context)
    if alone or all(end.then != "next step" for end in held):
        return Ends(tests, "stop", (), alone)
    own_stops = list(_tests(end for end in held if end.then != "next step"))
    must_stop = [*stops, *own_stops]
    sentinel = _chosen(must_stop, spare=must_stop)
    # Where a scan is when its cutoff is met is not known before: no sentinel can hold it there.
    moves = hold.to is not None and sentinel
    if moves or not all(_reached_before(test, sentinel) for test in own_stops):
        return Ends(tests, "stop", (), alone=True)
    return Ends(tests, "next", sentinel, alone=False)


def share_out_unmet(hold: p.Hold, context: Context) -> Ends:
    """Of a step without a time: its chain may go on only where a cutoff was met.

    Behind it stands a sentinel that stops the chain as long as the cutoff is not met; the host then goes on
    with the step. That takes one cutoff of the instrument: whether two sides are both unmet is no test.
    """
    ends = share_out(hold, context)
    own = [test for test in ends.tests if context.table.all[test.end - 1].step == hold.step_id]
    if ends.alone or len({(test.quantity, test.side) for test in own}) != 1:
        return replace(ends, on_test="stop", sentinel=(), alone=True)
    side = opposite(own[0].side)
    value = max((test.value for test in own), key=lambda value: way(side) * value)
    text = f"{own[0].quantity} not yet {own[0].side} its cutoff"
    end = context.table.add(
        "unmet", own[0].quantity, side, value, "go on", text, hold.mark, step=hold.step_id
    )
    context.table.held(end.id)
    test = Test(own[0].quantity, side, end.value, end.id)
    must_stop = ends.sentinel if ends.on_test == "next" else stop_tests(hold.kind, context)
    others = tuple(each for each in must_stop if lead(test, each) < 0)
    if _cost([test, *others]) > TESTS_PER_TECHNIQUE:
        return replace(ends, on_test="stop", sentinel=(), alone=True)
    return replace(ends, sentinel=(test, *others))


def _chosen(tests: Sequence[Test], spare: Sequence[Test]) -> tuple[Test, ...]:
    """What one technique tests: of each side the one that is met first, which makes the others superfluous.

    Sides have their turn in the order of `tests`. Where there is room left, `spare` ones are tested too: they
    tell better what was met.
    """
    foremost = [test for k, test in enumerate(tests) if not _reached_before(test, _others(tests, k), k)]
    sides = list(dict.fromkeys((test.quantity, test.side) for test in tests))
    foremost.sort(key=lambda test: sides.index((test.quantity, test.side)))
    chosen: list[Test] = []
    for test in foremost:
        if _cost([*chosen, test]) <= TESTS_PER_TECHNIQUE:
            chosen.append(test)
    for test in spare:
        fits = test not in chosen and _cost([*chosen, test]) <= TESTS_PER_TECHNIQUE
        if fits and _reached_before(test, chosen):
            chosen.append(test)
    return tuple(test for test in tests if test in chosen)


def _tests(ends: Iterable[End]) -> Iterator[Test]:
    """Of those that the instrument can look at."""
    for end in ends:
        if end.quantity == "Ewe" or end.quantity == "|I|":
            yield Test(end.quantity, end.side, end.value, end.id)


def _others(tests: Sequence[Test], k: int) -> list[Test]:
    return [*tests[:k], *tests[k + 1 :]]


def inside(
    tests: Iterable[Test], held: Iterable[Test], hardware: Hardware, context: Context
) -> tuple[Test, ...]:
    """The tests of a sentinel: a little inside of their ends, but never as far as a cutoff that goes on."""
    made = []
    for test in tests:
        if context.table.all[test.end - 1].kind == "unmet":  # what has to be seen is that it is not reached
            margin = max(UNMET_V if test.quantity == "Ewe" else 0.0, UNMET_PART * abs(test.value))
            room = margin + SENTINEL_STEPS * context.resolution(test, hardware)
            made.append(replace(test, value=test.value + way(test.side) * room))
            continue
        gaps = (lead(other, test) for other in held if other.end != test.end)
        halves = [gap / 2 for gap in gaps if gap > 0]
        room = min([SENTINEL_STEPS * context.resolution(test, hardware), *halves])
        made.append(replace(test, value=test.value - way(test.side) * room))
    return tuple(made)


def by_host(step: p.Hold | p.Spectrum, context: Context) -> Ends:
    """All cutoffs for the host: open circuit and spectra hold no tests."""
    ends = context.table.of_step(step)
    return Ends((), "stop", (), _host_goes_on(ends, step, context))


def _host_goes_on(ends: Sequence[End], step: p.Hold | p.Spectrum, context: Context) -> bool:
    """Whether these, which the host holds, make the step a segment of its own: the run goes on from one, or
    no row tells of its quantity, and of what the channel shows it has to be known which step that is of."""
    unseen = _kind(step).loaded not in context.instrument.Ece_rows
    return any(end.then != "end run" or (unseen and end.quantity in OF_THREE) for end in ends)


def _kind(step: p.Hold | p.Spectrum) -> Kind:
    if isinstance(step, p.Spectrum):
        return KINDS[step.sweep.control.upper()]
    if step.to is not None:
        return RAMP if step.kind == "cp" else SCAN
    return KINDS[{"rest": "OCV"}.get(step.kind, step.kind.upper())]


def stop_tests(kind: str, context: Context) -> tuple[Test, ...]:
    """The ends of the run that a technique of this kind can test, the first to be met on each side.

    kind: cp and ca; at rest nothing is tested. Ewe is not tested while it is held, nor |I| while it is set.
    """
    quantity = {"cp": "Ewe", "ca": "|I|"}.get(kind)
    found = list(_tests(end for end in context.of_run if end.quantity == quantity))
    return tuple(test for k, test in enumerate(found) if not _reached_before(test, _others(found, k), k))


def opposite(side: Side) -> Side:
    return "below" if side == "above" else "above"


def lead(first: Test | End, other: Test | End) -> float:
    """By how much `first` is met before the other; -inf where they look at different things or sides."""
    if (first.quantity, first.side) != (other.quantity, other.side):
        return -math.inf
    return way(first.side) * (other.value - first.value)


def _reached_before(stop: Test, tests: Sequence[Test], place: int | None = None) -> bool:
    """A test on the same side that is met first makes this one superfluous.

    place: of `stop` among its like, so that of two equal ones the first is kept.
    """
    gaps = [lead(test, stop) for test in tests]
    return any(gap > 0 or (gap == 0 and (place is None or k < place)) for k, gap in enumerate(gaps))


def _cost(tests: Iterable[Test]) -> int:
    """|I| takes two of the instrument's tests, one for each sign."""
    return sum(2 if test.quantity == "|I|" else 1 for test in tests)
