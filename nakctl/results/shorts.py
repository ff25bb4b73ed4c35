"""Whether the cell shorted, and where: told by the rule that ended the run, or found in its rows.

A run that nobody gave a short rule goes on after the short, or ends for another reason. Its rows are then
searched with the numbers of USUAL, by the same watch that carries out a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nakctl.booking.layout import SAMPLES
from nakctl.decide.short import ShortWatch
from nakctl.device.program import ShortRule
from nakctl.record.read import Run
from nakctl.results.current import CurrentSteps, charge_before_Ah, current_steps

# As the shipped CCD test has it, after Fig. 1a of the paper, and the language's number of samples.
USUAL = ShortRule(fall=0.75, within_s=120.0, below_V=0.015, samples=3)
HELD = "CA"  # the technique that holds Ewe, so that a short shows in the current only
_ROWS_IN_WINDOW = 3
RESUMED = "resumed"  # code of the event
_LOOKED_AT = ("time", "Ewe", "I", "step_count", "step_id", "flags")

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Short:
    """A short under a current I_A (as set, > 0 strips).

    charge_Ah  moved in the step until then, absolute
    time_s, cycle  of the row at which it was certain
    half_cycle     in which it was, counted from 1: how often the current had turned
    held_A     magnitudes of the currents that a whole step was done at before, with the cell not shorted
    """

    I_A: float
    charge_Ah: float
    time_s: float
    cycle: int
    half_cycle: int
    held_A: npt.NDArray[np.float64]
    found_by: Literal["rule", "data"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of shorts. short: the first one, or None.

    rule_set  whether the protocol had a rule for it
    visible   whether Ewe under current was ever high enough for a short to show
    looked_for  the numbers that the rows were searched with; None if the rule ended the run
    unshorted_A  without a short that could have been seen: the largest current that a whole step was done at
    blind_apart_s  how far apart rows are where the rule that was set saw less than two in its window
    """

    short: Short | None
    rule_set: bool
    visible: bool
    looked_for: ShortRule | None
    blind_apart_s: float | None = None
    unshorted_A: float | None = None


def verdict(run: Run) -> Verdict | None:
    """None if no current was driven."""
    steps = current_steps(run)
    if len(steps) == 0:
        return None
    rules = [_rule(words) for words in run.header.rules if words.get("rule") == ShortRule.__name__]
    rule_set = bool(rules) or bool((run.ends["quantity"] == "short").any())
    if run.header.end.kind == "rule":
        return Verdict(_short(run, steps, len(steps) - 1, int(steps.last[-1]), "rule"), True, True, None)
    rule = rules[0] if rules else USUAL
    row, visible = _search(run, steps, rule)
    apart_s = _blind_apart_s(run, steps, rule) if rules else None
    if row is None:
        return Verdict(None, rule_set, visible, rule, apart_s, _largest_A(steps) if visible else None)
    k = int(np.searchsorted(steps.last, row))
    return Verdict(_short(run, steps, k, row, "data"), rule_set, True, rule, apart_s)


def held_steps(run: Run) -> int:
    """Steps that are not searched: under a held potential Ewe does not fall."""
    return int(np.count_nonzero((run.steps["technique"] == HELD) & (run.steps["row_count"] > 0)))


def shorted(run: Run) -> bool:
    """Whether a short was met by the rule, or is seen in the rows."""
    found = verdict(run)
    return found is not None and found.short is not None


def _largest_A(steps: CurrentSteps) -> float | None:
    return float(np.abs(steps.I_A[steps.whole]).max()) if steps.whole.any() else None


def _rule(words: dict[str, Any]) -> ShortRule:
    return ShortRule(**{name: words[name] for name in ("fall", "within_s", "below_V", "samples")})


def _short(run: Run, steps: CurrentSteps, k: int, row: int, found_by: Literal["rule", "data"]) -> Short:
    before_Ah = float(charge_before_Ah(run, steps.first[k : k + 1])[0])
    size_A = np.abs(steps.I_A[: k + 1])
    return Short(
        I_A=float(steps.I_A[k]),
        charge_Ah=abs(float(run.samples["Q"][row]) - before_Ah),
        time_s=float(run.samples["time"][row]),
        cycle=int(run.samples["cycle"][row]),
        half_cycle=1 + int(np.count_nonzero(np.diff(np.sign(steps.I_A[: k + 1])))),
        held_A=size_A[:-1][steps.whole[:k] & (size_A[:-1] < size_A[-1] * (1 - 1e-6))],
        found_by=found_by,
    )


def _search(run: Run, steps: CurrentSteps, rule: ShortRule) -> tuple[int | None, bool]:
    """Row of the run at which the first short was certain; and whether one could have been seen at all."""
    rows, step = _watched(run, steps)
    along_V = run.samples["Ewe"][rows] * np.sign(run.samples["I"][rows])
    for k in _fallen(along_V, step, rule.below_V):
        found = _watch(run, rows, step, int(k), rule)
        if found is not None and _is_less_than_before(run, steps, found, rule.fall):
            return found, True
    return None, bool((along_V > rule.below_V).any())


def _watched(run: Run, steps: CurrentSteps) -> tuple[Ints, Ints]:
    """The samples under a controlled current, as rows of the run, and which of the steps each belongs to.

    Where a potential is controlled, Ewe says nothing of a short.
    """
    rows = np.arange(len(run.samples))
    step = np.minimum(np.searchsorted(steps.last, rows), len(steps) - 1)
    Ewe_V, I_A = run.samples["Ewe"], run.samples["I"]
    inside = (rows >= steps.first[step]) & (rows <= steps.last[step])
    known = np.isfinite(Ewe_V) & np.isfinite(I_A) & (I_A != 0)
    return rows[inside & known], step[inside & known]


def _blind_apart_s(run: Run, steps: CurrentSteps, rule: ShortRule) -> float | None:
    """The usual distance of rows in the step where it is largest, if the rule's window is shorter."""
    long = steps.last > steps.first
    apart_s = [
        float(np.median(np.diff(run.samples["time"][first : last + 1])))
        for first, last in zip(steps.first[long].tolist(), steps.last[long].tolist(), strict=True)
    ]
    largest_s = max(apart_s, default=0.0)
    return largest_s if largest_s > rule.within_s else None


def _fallen(along_V: Floats, step: Ints, below_V: float) -> Ints:
    """The steps in which a low value comes after a high one: in no other can a fall begin."""
    if len(step) == 0:
        return step
    place = np.arange(len(step))
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    first_high = np.minimum.reduceat(np.where(along_V > below_V, place, len(place)), starts)
    last_low = np.maximum.reduceat(np.where(np.abs(along_V) < below_V, place, -1), starts)
    return step[starts][last_low > first_high]


def _watch(run: Run, rows: Ints, step: Ints, k: int, rule: ShortRule) -> int | None:
    """What the rule says from step k on, until a step ends in which no fall goes on.

    Its window holds some rows, however far apart they are, but none from before a pause.
    """
    watch, resumed_s = ShortWatch(rule), run.events["time"][run.events["code"] == RESUMED]
    for each in range(k, int(step[-1]) + 1):
        part = rows[slice(*np.searchsorted(step, [each, each + 1]))]
        block = np.zeros(len(part), SAMPLES.dtype)
        for name in _LOOKED_AT:
            block[name] = run.samples[name][part]
        apart_s = np.diff(block["time"], prepend=block["time"][:1])
        apart_s = np.minimum(apart_s, rule.within_s / _ROWS_IN_WINDOW)
        firsts = np.searchsorted(block["time"], resumed_s)
        apart_s[firsts[firsts < len(part)]] = 2 * rule.within_s
        block["time"] = np.cumsum(apart_s)
        found = watch.look(block)
        if found is not None:
            return int(part[found])
        if not watch.in_a_row:
            break
    return None


def _is_less_than_before(run: Run, steps: CurrentSteps, row: int, fall: float) -> bool:
    """Whether the cell's resistance fell too. After a large current a small one begins at a high potential
    that relaxes: a fall for the rule, but the cell is as it was.
    """
    k = int(np.searchsorted(steps.last, row))
    ohm = np.abs(run.samples["Ewe"][steps.last[:k]] / steps.I_A[:k])
    ohm = ohm[np.isfinite(ohm)]
    now_ohm = abs(float(run.samples["Ewe"][row]) / float(steps.I_A[k]))
    return len(ohm) == 0 or now_ohm <= (1 - fall) * float(np.median(ohm))
