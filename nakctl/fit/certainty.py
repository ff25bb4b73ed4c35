"""How well each number is known, from what, and why not.

Close to the best values the readings are straight in all numbers, so their errors follow from the slopes. All
that a model has is uncertain meanwhile, also what no run shows: what goes together with it is as uncertain as
that makes it. Two standard errors are told, about 95 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nakctl.device.fitting import Together
from nakctl.fit.errors import Block, blocks
from nakctl.fit.misfit import Misfit
from nakctl.fit.rows import Floats

SURE = 1.5  # what is found is known within what was asked for by three standard errors, not two
ROUGHLY = 0.5
LEARNED = 0.5  # of what was expected: more is left of it only where the runs taught nothing
SEEN = 1.0  # standard deviations by which readings move if a number does by what is expected of it
GOES_WITH = 0.3  # squared correlation from which on two numbers are told to go together
MOST_PARTNERS = 3
SHARE = 0.2  # of what is known of a number: a block that gave less is not named
NUMERIC = 1e-4


@dataclass(frozen=True, slots=True)
class Known:
    """One number, or one combination. Relative errors, two standard errors; inf: nothing is known.

    learned   the runs taught something of it
    seen      whether the readings depend on it at all
    partners  what it goes together with
    blocks    places of the blocks it is known from, the most telling first
    """

    error: float
    learned: bool
    seen: bool
    partners: tuple[str, ...]
    blocks: tuple[int, ...]

    @property
    def is_rough(self) -> bool:
        return self.learned and self.error <= ROUGHLY

    def is_found(self, within: float) -> bool:
        return self.learned and SURE * self.error <= within


class Certainty:
    """At values that fit best: x of all numbers of the misfit."""

    def __init__(self, misfit: Misfit, x: Floats) -> None:
        self._misfit = misfit
        self.x, self.frees = x, misfit.frees
        self._slopes = misfit.slopes(x, both_ways=True)
        self.spread = np.array([one.spread for one in self.frees])
        self.covariance = np.linalg.inv(self._slopes.T @ self._slopes + np.diag(self.spread**-2.0))
        self._gain = self.covariance @ self._slopes.T  # what a reading that is off by 1 does to each
        self.blocks: tuple[Block, ...] = tuple(blocks(misfit.history))
        self._block_of = _block_of(misfit, self.blocks)

    def stood(self, name: str) -> bool:
        """Whether there is a value that this number could go back to."""
        return any(one.name == name and one.value > 0 for one in self._misfit.subject.symbols)

    def of_each(self) -> dict[str, Known]:
        found = {}
        for k, one in enumerate(self.frees):
            along = np.zeros(len(self.x))
            along[k] = 1.0 / max(self.x[k], 1e-12) if one.linear else 1.0
            found[one.name] = self._along(along, self._partners(k))
        return found

    def of(self, together: Together) -> Known:
        values = self._misfit.values(self.x)
        here = together.of(values)
        along = np.zeros(len(self.x))
        for k, one in enumerate(self.frees):
            if one.name in together.members:
                moved = together.of(values | one.values(float(self.x[k]) + NUMERIC))
                along[k] = (moved - here) / here / NUMERIC
        return self._along(along, ())

    def _along(self, along: Floats, partners: tuple[str, ...]) -> Known:
        """Of a number whose relative change is `along` times that of x."""
        variance = float(along @ self.covariance @ along)
        expected = float(((along * self.spread) ** 2).sum())
        moved = np.linalg.norm(self._slopes @ (along * self.spread**2)) / np.sqrt(expected)
        weights = (along @ self._gain) ** 2
        total = float(weights.sum())
        shares = np.array([float(weights[self._block_of == b].sum()) for b in range(len(self.blocks))])
        telling = [int(b) for b in np.argsort(-shares) if total > 0 and shares[b] > SHARE * total]
        learned = variance < LEARNED**2 * expected
        return Known(2.0 * float(np.sqrt(variance)), learned, float(moved) > SEEN, partners, tuple(telling))

    def _partners(self, k: int) -> tuple[str, ...]:
        """What would make it better known, if that were known."""
        sizes = np.sqrt(np.diag(self.covariance))
        alike = (self.covariance[k] / (sizes[k] * sizes)) ** 2
        alike[k] = 0.0
        first = np.argsort(-alike)[:MOST_PARTNERS]
        return tuple(self.frees[j].name for j in first if alike[j] > GOES_WITH)


def strengths(misfit: Misfit, x: Floats) -> Floats:
    """(k,): by how many standard deviations the readings move if a number does by what is expected of it."""
    spread = np.array([one.spread for one in misfit.frees])
    return np.asarray(np.linalg.norm(misfit.slopes(x), axis=0) * spread)


def _block_of(misfit: Misfit, blocks: Sequence[Block]) -> Floats:
    """Of each value of `Misfit.of_data`, the place of its block."""
    of = {"Ewe": np.zeros(len(misfit.history.Ewe_V)), "Z": np.zeros(len(misfit.history.Ewe_V))}
    for place, block in enumerate(blocks):
        of[block.of][block.rows] = place
    E, z = np.isfinite(misfit.history.Ewe_V), np.isfinite(misfit.history.z_ohm)
    return np.concatenate([of["Ewe"][E], of["Z"][z], of["Z"][z]])
