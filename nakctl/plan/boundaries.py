"""How long somebody may have to wait who asks a run to end or to pause at the next boundary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nakctl.device.instrument import Instrument
from nakctl.device.program import Done, Eis, Program, played, segments
from nakctl.plan.estimate import Estimate, eis_seconds


@dataclass(frozen=True, slots=True)
class Furthest:
    """The longest step, and how long it takes; and the longest spectrum, None: there is none."""

    step_id: int
    step_s: float
    spectrum_s: float | None


def furthest(program: Program, estimate: Estimate, instrument: Instrument) -> Furthest:
    step = max(estimate.steps, key=lambda each: each.once.duration_s)
    chains = (played(segment.techniques) for segment in segments(program.nodes))
    spectra_s = (seconds for chain in chains for seconds in _spectra_s(chain, instrument))
    return Furthest(step.step_id, step.once.duration_s, max(spectra_s, default=None))


def _spectra_s(chain: Sequence[Done], instrument: Instrument) -> Iterator[float]:
    """A spectrum may be several sweeps."""
    lasts_s = 0.0
    for technique in chain:
        if isinstance(technique, Eis):
            lasts_s = eis_seconds(technique, instrument) + (lasts_s if technique.continues else 0.0)
            yield lasts_s
