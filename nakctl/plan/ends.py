"""Helpers of the lowering: which range a step gets, and which of its ends the instrument can watch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from nakctl.device.limits import CurrentRange, Instrument
from nakctl.device.program import Cutoff, EweRule, Hardware, Limits, Rule, Test
from nakctl.plan import plan as p

TESTS_PER_TECHNIQUE = 3  # Test1, Test2, Test3 of CPLIMIT and CALIMIT


@dataclass(frozen=True, slots=True)
class Context:
    """What every step is lowered against."""

    instrument: Instrument
    limits: Limits
    rules: tuple[Rule, ...]

    def hardware(self, ranges: p.Ranges, I_peak_A: float | None, amplitude_A: float = 0.0) -> Hardware:
        """The user's ranges, or the smallest that hold the current and the window of Ewe.

        The current range covers |DC| + amplitude, and twice the amplitude (the maker's advice for GEIS).
        Under potential control the current is not known before: the run's limit of |I| decides, else the
        largest range. Never an automatic range: it switches in the middle of a measurement.
        """
        instrument = self.instrument
        I_needed_A = self.limits.I_max_A if I_peak_A is None else max(I_peak_A, 2 * amplitude_A)
        return Hardware(
            I_range=ranges.I or _smallest(instrument.I_ranges, I_needed_A).name,
            E_range=ranges.E or self._potential_range(),
            bandwidth=ranges.bandwidth or instrument.bandwidth,
        )

    def _potential_range(self) -> str:
        low_V, high_V = self.limits.Ewe_min_V, self.limits.Ewe_max_V
        for each in self.instrument.E_ranges:
            if (low_V is None or each.low_V <= low_V) and (high_V is None or high_V <= each.high_V):
                return each.name
        return self.instrument.E_ranges[-1].name


def _smallest(ranges: Sequence[CurrentRange], needed_A: float | None) -> CurrentRange:
    if needed_A is not None:
        for each in ranges:
            if needed_A <= each.full_A * (1 + 1e-9):
                return each
    return ranges[-1]


@dataclass(frozen=True, slots=True)
class Ends:
    """How the ends of one technique are shared out.

    on_test  what a met test does in the chain; alone: the step must be a segment of its own
    """

    tests: tuple[Test, ...]
    on_test: Literal["next", "stop"]
    cutoffs: tuple[Cutoff, ...]
    alone: bool


def share_out(hold: p.Hold, context: Context) -> Ends:
    """Tests for the instrument, as far as one technique has room; the rest for the host.

    One technique has one consequence for all its tests. If every cutoff goes on to the next step, that is it;
    else a test stops the chain and the host goes on from there, which needs a segment of its own where a
    cutoff of that kind leads to the next step. The run's limits are tested with the others; where the
    consequence is "next", the host sees the row and ends the run.
    """
    limits = _limit_tests(hold, context)
    tests: list[Test] = []
    cutoffs: list[Cutoff] = []
    for cutoff in hold.cutoffs:
        test = _test_of(cutoff)
        fits = test is not None and _cost([*tests, test]) <= TESTS_PER_TECHNIQUE
        if test is not None and fits:
            tests.append(test)
        cutoffs.append(with_watcher(cutoff, "instrument" if fits else "host"))
    tests += [limit for limit in limits if not _reached_before(limit, tests)]
    while _cost(tests) > TESTS_PER_TECHNIQUE:
        tests.pop()
    on_instrument = {cutoff.then for cutoff in cutoffs if cutoff.by == "instrument"}
    goes_on_by_host = any(cutoff.by == "host" and cutoff.then != "end run" for cutoff in cutoffs)
    mixed = "next step" in on_instrument and len(on_instrument) > 1
    return Ends(
        tests=tuple(tests),
        on_test="next" if on_instrument == {"next step"} and not goes_on_by_host else "stop",
        cutoffs=tuple(cutoffs),
        alone=goes_on_by_host or mixed,
    )


def by_host(step: p.Hold | p.Spectrum) -> Ends:
    """All cutoffs for the host: open circuit and spectra hold no tests."""
    cutoffs = tuple(with_watcher(cutoff, "host") for cutoff in step.cutoffs)
    return Ends((), "stop", cutoffs, any(cutoff.then != "end run" for cutoff in cutoffs))


def with_watcher(cutoff: p.Cutoff, by: Literal["instrument", "host"]) -> Cutoff:
    return Cutoff(cutoff.quantity, cutoff.side, cutoff.value, cutoff.then, by, cutoff.mark)


def _limit_tests(hold: p.Hold, context: Context) -> list[Test]:
    """The run's limits and wanted ends of Ewe that this technique can test."""
    limits = context.limits
    if hold.kind == "ca":
        return [] if limits.I_max_A is None else [Test("|I|", "above", limits.I_max_A)]
    above = [limits.Ewe_max_V, *_rule_values(context.rules, "above")]
    below = [limits.Ewe_min_V, *_rule_values(context.rules, "below")]
    found = []
    if any(value is not None for value in above):
        found.append(Test("Ewe", "above", min(value for value in above if value is not None)))
    if any(value is not None for value in below):
        found.append(Test("Ewe", "below", max(value for value in below if value is not None)))
    return found


def _rule_values(rules: Iterable[Rule], side: str) -> list[float]:
    return [rule.value_V for rule in rules if isinstance(rule, EweRule) and rule.side == side]


def _test_of(cutoff: p.Cutoff) -> Test | None:
    return None if cutoff.quantity == "charge" else Test(cutoff.quantity, cutoff.side, cutoff.value)


def _reached_before(limit: Test, tests: Iterable[Test]) -> bool:
    """A test on the same side that is met first makes the limit's own test superfluous."""
    sign = 1 if limit.side == "above" else -1
    return any(
        test.quantity == limit.quantity
        and test.side == limit.side
        and sign * test.value <= sign * limit.value
        for test in tests
    )


def _cost(tests: Iterable[Test]) -> int:
    """|I| takes two of the instrument's tests, one for each sign."""
    return sum(2 if test.quantity == "|I|" else 1 for test in tests)
