"""From where all numbers fit best to a cell: what is known, what only goes together, and what stays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nakctl.device.fitting import Certain, Subject, Symbol, Together, Values
from nakctl.fit.certainty import SURE, Certainty, Known
from nakctl.fit.errors import TOO_ROUGH, Block, alike, blocks, is_noise, noise
from nakctl.fit.findings import Combined, Fit, Found, Left
from nakctl.fit.history import History
from nakctl.fit.misfit import Free, Misfit
from nakctl.fit.returning import returning
from nakctl.fit.search import Told, searched

LEAST_ERROR = 0.02  # relative, two standard errors: neither a record nor a model of a cell is finer
TOGETHER_SPREAD = 3.0  # of the factor of what goes together
IS_KNOWN = ("found", "roughly")


def settled(misfit: Misfit, values: dict[str, float], within: float, told: Told) -> Fit:
    """What is not known goes back to where it stood, and what is known is made to fit with it.

    misfit  of all numbers; values: where it is least
    """
    subject = misfit.subject
    told("what the runs tell")
    certainty = Certainty(misfit, misfit.x(values))
    known = certainty.of_each()
    certain: dict[str, Certain] = {name: _grade(one, within) for name, one in known.items()}
    combined = _known_together(subject, certainty, certain, known, within)
    for together, _ in combined:
        for name in together.members:
            certain[name] = "together" if name in together.carried_by else "no"
    certain, combined = returning(certainty, certain, combined)
    for together, how in combined:
        known |= dict.fromkeys(together.carried_by, how)

    standing = _standing(subject, values, certain)
    ties = [_tie(together, standing, together.of(values)) for together, _ in combined]
    frees = [*(one for one in misfit.frees if certain[one.name] in IS_KNOWN), *ties]
    last = misfit.of(frees, standing)
    start = standing | {name: value for tie in ties for name, value in tie.values(0.0).items()}
    last_values = searched(last, start, lambda step: told(f"{len(frees)} that the runs tell: {step}"))

    left = tuple(_left(last, last_values))
    settle = _Settling(
        subject, certainty, [together for together, _ in combined], values, last_values, left, within
    )
    found = tuple(
        settle.found(symbol, certain[symbol.name], known[symbol.name]) for symbol in subject.symbols
    )
    fitted = last_values | {one.symbol: one.value for one in found}
    return Fit(
        subject,
        misfit.history,
        fitted | {name: one.value for name, one in subject.read.items()},
        found,
        tuple(settle.combined(together, how) for together, how in combined),
        left,
        _offsets_V(last, fitted),
    )


@dataclass(frozen=True, slots=True)
class _Settling:
    """together: the combinations that are known better than their members; best: where all numbers fit best;
    last: with those back that are not known; left: what these leave over."""

    subject: Subject
    certainty: Certainty
    together: Sequence[Together]
    best: Values
    last: Values
    left: Sequence[Left]
    within: float

    def found(self, symbol: Symbol, grade: Certain, known: Known) -> Found:
        value = self.last[symbol.name]
        relative = self._error(known)
        if grade in IS_KNOWN:  # it should not move when others go back to where they stood
            relative = max(relative, abs(value / self.best[symbol.name] - 1.0))
            grade = "roughly" if SURE * relative > self.within else grade
        shipped = symbol.value if math.isfinite(symbol.value) else None
        if grade == "no":
            value = symbol.value if symbol.value > 0 else value
            return Found(symbol.name, symbol.unit, shipped, value, None, grade, self._why(symbol, known), ())
        blocks = self._blocks(known)
        return Found(symbol.name, symbol.unit, shipped, value, relative * value, grade, "", blocks)

    def _why(self, symbol: Symbol, known: Known) -> str:
        mine = next((one for one in self.together if symbol.name in one.members), None)
        if mine is not None:
            return f"only {mine.name} is known"
        if not known.seen:
            return f"nothing here depends on it; it takes {symbol.needs}"
        how_well = f"known +- {100.0 * known.error:.0f} %" if known.is_rough else "hardly known"
        if known.partners:
            return f"{how_well}: it goes together with {', '.join(known.partners)}; it takes {symbol.needs}"
        return f"{how_well}; it takes {symbol.needs}"

    def combined(self, together: Together, known: Known) -> Combined:
        subject = self.subject
        moved = abs(together.of(self.last) / together.of(self.best) - 1.0)  # by what goes back, as in `found`
        relative = max(self._error(known), moved)
        stood = together.of(dict(subject.start) | {one.name: one.value for one in subject.symbols})
        value = together.of(self.last)
        return Combined(
            together.name,
            together.unit,
            stood if math.isfinite(stood) and stood > 0 else None,
            value,
            relative * value,
            "found" if SURE * relative <= self.within else "roughly",
            together.members,
            together.carried_by,
            self._blocks(known),
        )

    def _error(self, known: Known) -> float:
        """Relative, two standard errors: no less than what readings of these kinds leave over."""
        kinds = {(block.of, block.at_rest) for block in self._blocks(known)}
        shares = [one.share for one in self.left if (one.block.of, one.block.at_rest) in kinds]
        return max(known.error, LEAST_ERROR, 2.0 * max(shares, default=0.0))

    def _blocks(self, known: Known) -> tuple[Block, ...]:
        return tuple(self.certainty.blocks[place] for place in known.blocks)


def _grade(known: Known, within: float) -> Certain:
    return "found" if known.is_found(within) else "roughly" if known.is_rough else "no"


def _known_together(
    subject: Subject,
    certainty: Certainty,
    certain: Mapping[str, Certain],
    known: Mapping[str, Known],
    within: float,
) -> list[tuple[Together, Known]]:
    """Combinations that are better known than all that they would be carried by."""
    chosen: list[tuple[Together, Known]] = []
    for together in subject.together:
        how = certainty.of(together)
        members = together.carried_by
        is_better = _grade(how, within) != "no" and how.error < min(known[name].error for name in members)
        if is_better and not any(certain[name] == "found" for name in members):
            chosen.append((together, how))
    return chosen


def _standing(
    subject: Subject, values: Mapping[str, float], certain: Mapping[str, Certain]
) -> dict[str, float]:
    """What is known as it was found, the rest where it stood."""
    found = dict(subject.start)
    for symbol in subject.symbols:
        stays = certain[symbol.name] not in IS_KNOWN and symbol.value > 0  # NaN: it stood nowhere
        found[symbol.name] = symbol.value if stays else values[symbol.name]
    return found


def _tie(together: Together, standing: Mapping[str, float], value: float) -> Free:
    """What carries the combination, so that it has this value where the factor is 1."""
    factor = value / together.of(standing)
    base = {name: standing[name] * factor for name in together.carried_by}
    wide = 5.0 * TOGETHER_SPREAD
    return Free(together.name, base, -wide, wide, 0.0, TOGETHER_SPREAD)


def _left(misfit: Misfit, values: Mapping[str, float]) -> Iterator[Left]:
    left_V, left_z = misfit.left(values)
    span_V = _span_V(misfit.history)
    for block in blocks(misfit.history):
        here = (left_V if block.of == "Ewe" else left_z)[block.rows]
        here = here[np.isfinite(here)]
        if len(here) == 0:
            continue
        rms = float(np.sqrt(np.mean(np.abs(here) ** 2)))
        steady = 0.0 if is_noise(here) else rms * math.sqrt(max(alike(here), 0.0))
        if block.of == "Z" and float(np.median(np.abs(here))) > TOO_ROUGH:
            steady = rms  # of points so far off it does not matter whether neighbours are
        yield Left(block, rms, steady, noise(misfit.history, block), span_V if block.of == "Ewe" else 1.0)


def _span_V(history: History) -> float:
    """The widest of all runs."""
    known = np.isfinite(history.Ewe_V)
    runs = np.unique(history.run[known])
    return max((float(np.ptp(history.Ewe_V[known & (history.run == run)])) for run in runs), default=0.0)


def _offsets_V(misfit: Misfit, values: Mapping[str, float]) -> tuple[float | None, ...]:
    read, answer = misfit.history, misfit.subject.answer(values, misfit.history.course)
    found: list[float | None] = []
    for run in range(len(read.parts)):
        rows = (read.run == run) & np.isfinite(read.Ewe_V)
        found.append(float(np.median(read.Ewe_V[rows] - answer.Ewe_V[rows])) if rows.any() else None)
    return tuple(found)
