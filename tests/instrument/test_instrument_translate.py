"""Loaded techniques as the program of the simulated potentiostat."""

from __future__ import annotations

from typing import Any

from eclib_techniques import Chain, cplimit, loop, ocv

from nakctl.device.instrument import instrument
from nakctl.device.program import Hardware, Loop
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.received import Received
from nakctl_sim.instrument.techniques import TECHNIQUES
from nakctl_sim.instrument.translate import KEEP, Loaded, Rules, translate


def received(chain: Chain, **changed: Any) -> Received:
    values = {label: [value] for label, _, value, _ in chain[1]}
    return Received(TECHNIQUES[chain[0]], values | {label: [value] for label, value in changed.items()})


def loaded(*chain: Received) -> Loaded:
    return translate(chain, Rules(instrument("SP-300"), Habits()))


def test_ranges_and_bandwidth_may_be_kept_from_the_technique_before() -> None:
    first = received(cplimit(), Bandwidth=3)
    kept = received(cplimit(), I_Range=KEEP, Bandwidth=KEEP)
    hardware = [
        each.hardware for each in loaded(first, kept).segment.techniques if not isinstance(each, Loop)
    ]
    assert hardware == [Hardware("1 mA", "5 V", 3)] * 2


def test_a_loop_counts_how_often_it_jumps_back_and_leads_to_a_technique_of_the_chain() -> None:
    """Steps and cycles of the vendor's techniques are several of ours."""
    cycles = received(cplimit(), N_Cycles=4)
    made = loaded(received(ocv()), cycles, received(loop(1, 3)), received(loop(0, -1)))
    loops = [each for each in made.segment.techniques if isinstance(each, Loop)]
    assert [(each.to, each.times, each.passes) for each in loops] == [
        (1, 5, False),
        (1, 3, True),
        (0, None, True),
    ]
    assert made.loops == ((2, 1, 3), (3, 0, None))
