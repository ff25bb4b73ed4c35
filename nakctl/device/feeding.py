"""How a chain that is longer than a channel's memory of techniques is laid out, if it can be fed. Pure.

The channel is loaded with a *ring*: slots, and behind them a loop back to the first. Technique j of the chain
has its turn in slot j % length; while one runs, slots that were passed are refilled with what comes later. Of
a technique that is loaded all but its kind can be changed, so the kinds of the chain have to repeat.

Behind the last technique that the channel has stands a *fence*: in its slot a technique that stops the chain
at once. So nothing is ever done twice: a host that is late, dead or refused is waited for with the cell open.
The end of the chain is a fence as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from nakctl.device.instrument import Instrument
from nakctl.device.program import Cp, Done, Eis, Loop, Technique, Test, Tested, size_of
from nakctl.device.techniques import kind_of, level_of, loaded_as

MOST_TECHNIQUES = 500  # of one chain: every pair of them is booked by its own rule
LEAST_PERIODS = 3  # of a ring: one runs, one is ahead, one is being refilled
LEAST_s = 0.5  # that a technique lasts on average: handing one over takes two reads


@dataclass(frozen=True, slots=True)
class Ring:
    """length: slots; period: after so many techniques their kinds repeat; total: techniques of the chain.

    A fence may stand in the place of every technique that begins a step `total - n * period` techniques after
    the first: then the chain ends at one, and no step is cut.
    """

    length: int
    period: int
    total: int

    @property
    def passes(self) -> int:
        """How often the ring is entered."""
        return self.total // self.length + 1

    @property
    def first_fence(self) -> int:
        """The place of the first technique that the channel is not loaded with."""
        return self.fence_before(self.length)

    @property
    def ahead(self) -> int:
        """Techniques that the channel has at the most beyond the one that runs."""
        return self.length - 2

    def slot(self, place: int) -> int:
        return place % self.length

    def is_fence(self, place: int) -> bool:
        """Whether one may stand in this place."""
        return place % self.period == self.total % self.period

    def fence_before(self, place: int) -> int:
        """The last place before this one where a fence may stand, at most the end of the chain."""
        last = min(place - 1, self.total)
        return last - (last - self.total) % self.period


def ring_of(
    techniques: Sequence[Technique], instrument: Instrument, length: int | None = None
) -> Ring | None:
    """The ring of a chain that is fed; None: it need not be, or cannot. length: that of a ring known already.

    Whether the channel takes it is another question.
    """
    most, total = instrument.chain_length, len(techniques)
    if total > MOST_TECHNIQUES or (total <= most and length is None):
        return None
    done = [each for each in techniques if not isinstance(each, Loop)]
    if len(done) < total or size_of(techniques) > total:  # a pulse has no place of its own in a ring
        return None
    period = _period([_kind(each) for each in done])
    length = (most - 1) // period * period if length is None else length
    ring = Ring(length, period, total)
    if length % period or not LEAST_PERIODS * period <= length < total or not _can_stop(done, ring):
        return None
    return ring if _lasts(done, ring, instrument) else None


def _kind(technique: Done) -> tuple[Any, ...]:
    """What stays as it was loaded."""
    hardware = technique.hardware
    as_loaded = (loaded_as(technique), hardware.E_range, hardware.bandwidth, hardware.Ece)
    return (*as_loaded, technique.vs_previous) if isinstance(technique, Eis) else as_loaded


def _period(kinds: Sequence[object]) -> int:
    """The shortest after which all of them repeat; at most their number. (Knuth, Morris, Pratt)"""
    border = [0] * len(kinds)
    for at in range(1, len(kinds)):
        length = border[at - 1]
        while length and kinds[at] != kinds[length]:
            length = border[length - 1]
        border[at] = length + (kinds[at] == kinds[length])
    return len(kinds) - border[-1]


def _can_stop(done: Sequence[Done], ring: Ring) -> bool:
    """Whether wherever a fence may have to stand there is a technique that tests, and begins a step."""
    places = range(ring.fence_before(2 * ring.period), ring.total, ring.period)
    return all(
        isinstance(each := done[place], Tested) and each.to is None and each.step != done[place - 1].step
        for place in places
        if place > 0
    )


def _lasts(done: Sequence[Done], ring: Ring, instrument: Instrument) -> bool:
    """Whether every ring full of techniques lasts long enough to be handed over."""
    begun_s = [0.0, *accumulate(_seconds(each, instrument) for each in done)]
    pairs = zip(begun_s, begun_s[ring.length :], strict=False)
    return all(end_s - begin_s >= LEAST_s * ring.length for begin_s, end_s in pairs)


def _seconds(technique: Done, instrument: Instrument) -> float:
    """About, and not too long."""
    if isinstance(technique, Eis):
        each_s = technique.average * instrument.eis_s_per_average
        return technique.hold_s + technique.n_frequencies * each_s
    return technique.duration_s


def fence_level(techniques: Sequence[Technique], ring: Ring, place: int) -> float:
    """In A or V: no current; or, where a potential is controlled, the one that was held before."""
    technique, before = fence_like(techniques, ring, place), techniques[place - 1]
    if isinstance(technique, Cp):
        return 0.0
    holds = isinstance(before, Done) and kind_of(before).imposes == "Ewe"
    return level_of(before) if holds and math.isfinite(level_of(before)) else technique.level


def fence_like(techniques: Sequence[Technique], ring: Ring, place: int) -> Tested:
    """A technique of the kind that stands in this place; at the end of the chain that of the last fence."""
    technique = techniques[place if place < ring.total else place - ring.period]
    assert isinstance(technique, Tested)
    return technique


def fence(techniques: Sequence[Technique], ring: Ring, place: int, lasting_s: float) -> Tested:
    """What stands in a place before its technique does: Ewe is below 0 V or above it, and that stops the
    chain. Should it not, then a level is held for so long, and nothing that was done before begins anew."""
    tests = (Test("Ewe", "below", 0.0), Test("Ewe", "above", 0.0))
    like, level = fence_like(techniques, ring, place), fence_level(techniques, ring, place)
    made = replace(like, duration_s=lasting_s, tests=tests, on_test="stop", sentinel=False)
    return replace(made, I_A=level) if isinstance(made, Cp) else replace(made, E_V=level)
