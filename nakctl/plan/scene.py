"""What checks and texts look at: a plan, what it became, and what each of its steps imposes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from nakctl.device.feeding import Ring, ring_of
from nakctl.device.instrument import CurrentRange, Instrument, PotentialRange
from nakctl.device.program import Done, Program, Segment, is_sentinel, played, segments
from nakctl.plan import plan as p
from nakctl.plan.scaling import steps_with_capacity

Leaf = p.Hold | p.Spectrum


@dataclass(frozen=True)
class Scene:
    """A plan, the program it became, and the instrument that shall carry it out."""

    plan: p.Plan
    program: Program
    instrument: Instrument

    @cached_property
    def _by_step(self) -> dict[int, list[Done]]:
        found: dict[int, list[Done]] = {}
        for technique in self.all_techniques():
            found.setdefault(technique.step, []).append(technique)
        return found

    @cached_property
    def _chains(self) -> list[Segment]:
        return [chain for chain in segments(self.program.nodes) if not chain.tops_up]

    @cached_property
    def _chain_of(self) -> dict[int, Segment]:
        return {each.step: chain for chain in self._chains for each in played(chain.techniques)}

    @cached_property
    def with_capacity(self) -> frozenset[int]:
        """The steps of which something goes with a capacity that is measured."""
        return steps_with_capacity(self.program)

    def chain(self, leaf: Leaf) -> Segment:
        """The chain that a step is part of."""
        return self._chain_of[leaf.step_id]

    @cached_property
    def _ring_of(self) -> dict[int, Ring]:
        if not self.instrument.feeds:
            return {}
        found = ((id(chain), ring_of(chain.techniques, self.instrument)) for chain in self._chains)
        return {chain: ring for chain, ring in found if ring is not None}

    @property
    def rings(self) -> list[Ring]:
        """Of the chains that are handed over while they run."""
        return list(self._ring_of.values())

    def ring(self, chain: Segment) -> Ring | None:
        """Of this one; None: the instrument holds it."""
        return self._ring_of.get(id(chain))

    def techniques(self, leaf: Leaf) -> list[Done]:
        """What a step became, each technique once; sentinels and top-ups are no more than moments of it."""
        return self._by_step.get(leaf.step_id, [])

    def all_techniques(self) -> list[Done]:
        """Each technique of the program once, in order, without loops, sentinels and top-ups."""
        every = (each for chain in self._chains for each in played(chain.techniques))
        return [each for each in every if not is_sentinel(each)]

    def I_range(self, name: str) -> CurrentRange | None:
        return next((each for each in self.instrument.I_ranges if each.name == name), None)

    def E_range(self, name: str) -> PotentialRange | None:
        return next((each for each in self.instrument.E_ranges if each.name == name), None)


def sweep_of(leaf: Leaf) -> p.Sweep | None:
    """The sweep of a spectrum, or of the spectra during a hold."""
    if isinstance(leaf, p.Spectrum):
        return leaf.sweep
    return None if leaf.spectra is None else leaf.spectra.sweep


def dc_A(leaf: Leaf) -> float | None:
    """Direct current that the instrument imposes, the larger end of a ramp; 0 at open circuit, None where the
    cell decides.
    """
    if isinstance(leaf, p.Spectrum):
        return None if leaf.sweep.control == "peis" and leaf.bias is not None else (leaf.bias or 0.0)
    return max(leaf.level or 0.0, leaf.to or 0.0, key=abs) if leaf.kind in ("rest", "cp") else None


def dc_V(leaf: Leaf) -> float | None:
    """Potential that the instrument imposes, at first; None where it imposes none, or only the run knows."""
    if leaf.relative is not None:
        return None
    if isinstance(leaf, p.Spectrum):
        return leaf.bias if leaf.sweep.control == "peis" else None
    return leaf.level if leaf.kind == "ca" else None


def ends_V(leaf: Leaf) -> tuple[float, ...]:
    """The potentials between which a step moves, its swing included; none where it imposes none."""
    first_V, sweep = dc_V(leaf), sweep_of(leaf)
    if first_V is None and isinstance(leaf, p.Hold) and leaf.relative is not None:
        first_V = leaf.to
    if first_V is None:
        return ()
    last_V = leaf.to if isinstance(leaf, p.Hold) and leaf.to is not None else first_V
    swing_V = sweep.amplitude_peak if sweep is not None else 0.0
    return min(first_V, last_V) - swing_V, max(first_V, last_V) + swing_V


def peak_A(leaf: Leaf) -> float | None:
    """The largest |I| imposed: |DC| + amplitude. None under potential control."""
    current_A, sweep = dc_A(leaf), sweep_of(leaf)
    if current_A is None:
        return None
    return abs(current_A) + (sweep.amplitude_peak if sweep is not None and sweep.control == "geis" else 0.0)


def drives_current(leaf: Leaf) -> bool:
    """A current-controlled step: only a limit of Ewe protects the cell. The few uA of a spectrum at open
    circuit swing around zero and do not count."""
    if isinstance(leaf, p.Spectrum):
        return leaf.sweep.control == "geis" and leaf.bias is not None
    return leaf.kind in ("cp", "power")
