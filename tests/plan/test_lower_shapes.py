"""Plan -> program: what is one chain, and what loops where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compiling import CP, compiled, lowered

from nakctl.device.instrument import instrument
from nakctl.device.program import (
    HostLoop,
    Loop,
    Node,
    Segment,
    Technique,
)
from nakctl.plan.lower import lower


def kinds(nodes: tuple[Node, ...]) -> list[object]:
    """The shape of a program: names of techniques (* a sentinel), lists for segments (+ one that tops up),
    tuples for loops."""
    return [
        (node.times, kinds(node.body))
        if isinstance(node, HostLoop)
        else [*(["+"] if node.tops_up else []), *(kind(technique) for technique in node.techniques)]
        for node in nodes
        if isinstance(node, HostLoop | Segment)
    ]


def kind(technique: Technique) -> object:
    if isinstance(technique, Loop):
        return technique.to, technique.times
    return type(technique).__name__ + "*" * getattr(technique, "sentinel", False)


SHAPES = [
    ("a plain sequence is one chain", f"- rest: 1 h\n- {{{CP}}}\n- {{ca: 1 V, for: 1 h}}", [["Ocv", "Cp", "Ca"]]),
    ("pulses loop on the device", f"- {{repeat: 50000, steps: [{{{CP}}}, {{rest: 1 s}}]}}", [["Cp", "Ocv", (0, 50000)]]),
    ("loops nest on the device", f"- rest: 1 s\n- repeat: 3\n  steps:\n    - {{{CP}}}\n    - {{repeat: 4, steps: [{{rest: 1 s}}]}}",
     [["Ocv", "Cp", "Ocv", (2, 4), (1, 3)]]),
    ("once is no loop", f"- {{repeat: 1, steps: [{{{CP}}}]}}", [["Cp"]]),
    ("a cutoff at rest is the host's", f"- {{rest: 1 h, until: {{Ewe_below: 0 V}}}}\n- {{{CP}}}", [["Ocv"], ["Cp"]]),
    ("but the end of the run needs no chain of its own", f"- {{rest: 1 h, until: {{Ewe_below: 0 V, then: end run}}}}\n- {{{CP}}}",
     [["Ocv", "Cp"]]),
    ("a host's cutoff makes a host's loop", f"- {{repeat: 9, steps: [{{rest: 1 h, until: {{Ewe_below: 0 V}}}}, {{{CP}}}]}}",
     [(9, [["Ocv"], ["Cp"]])]),
    ("also one that ends the loop, at rest", "- {repeat: 9, steps: [{rest: 1 h, until: {Ewe_below: 0 V, then: end loop}}]}\n- rest: 1 s",
     [(9, [["Ocv"]]), ["Ocv"]]),
    ("or during a spectrum", "- {repeat: 9, steps: [{geis: g, until: {Ewe_below: 0 V, then: end loop}}]}", [(9, [["Eis"]])]),
    ("the device goes on from a cutoff, past a sentinel", f"- {{{CP}, until: {{Ewe_above: 1 V}}}}\n- rest: 1 s", [["Cp", "Cp*", "Ocv"]]),
    ("in a loop too", f"- {{repeat: 9, steps: [{{{CP}, until: {{Ewe_above: 1 V}}}}, {{rest: 1 s}}]}}", [["Cp", "Cp*", "Ocv", (0, 9)]]),
    ("with mixed consequences too", f"- {{repeat: 9, steps: [{{{CP}, until: [{{Ewe_above: 1 V}}, {{Ewe_below: 0 V, then: end run}}]}}]}}\n- rest: 1 s",
     [["Cp", "Cp*", (0, 9), "Ocv"]]),
    ("the device leaves a loop by stopping its chain", f"- {{repeat: 9, steps: [{{{CP}, until: {{Ewe_above: 1 V, then: end loop}}}}]}}\n- rest: 1 s",
     [["Cp", (0, 9)], ["Ocv"]]),
    ("also beside a cutoff it goes on from", f"- {{repeat: 9, steps: [{{{CP}, until: [{{Ewe_above: 1 V}}, {{Ewe_below: 0 V, then: end loop}}]}}]}}\n- rest: 1 s",
     [["Cp", "Cp*", (0, 9)], ["Ocv"]]),
    ("a staircase that may be left is a host's loop, done once",
     "- staircase: 1, 2 mA\n  steps: [{strip: $level, for: 1 s, until: {Ewe_above: 1 V, then: end loop}}]\n- rest: 1 s",
     [(1, [["Cp", "Cp"]]), ["Ocv"]]),
    ("a long step is several techniques, each left at its cutoff", "- {strip: 1 mA/cm2, for: 30 h, until: {Ewe_above: 1 V}}\n- rest: 1 s",
     [["Cp", "Cp", "Cp", "Cp*", "Ocv"]]),
    ("long rests are split", "- rest: 30 h", [["Ocv", "Ocv", "Ocv"]]),
    ("a sweep under current has a sentinel", "- {geis: g, during: {strip: 1 mA}}\n- {peis: p, during: {ca: 1 V}}", [["Cp*", "Eis", "Ca*", "Eis"]]),
    ("at open circuit it has none", "- geis: g\n- peis: p", [["Eis", "Ocv", "Eis"]]),
    ("nor where the hold before it held the same", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {strip: 1 mA}}", [["Cp", "Eis"]]),
    ("which another level did not", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {strip: 2 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("nor another sign", "- {strip: 1 mA, for: 5 s}\n- {geis: g, during: {plate: 1 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("nor a potential", "- {ca: 1 V, for: 5 s}\n- {geis: g, during: {strip: 1 mA}}", [["Ca", "Cp*", "Eis"]]),
    ("one sentinel is enough for a hold that goes on and the sweep behind it",
     "- {strip: 1 mA, for: 5 s, until: {Ewe_above: 1 V}}\n- {geis: g, during: {strip: 1 mA}}", [["Cp", "Cp*", "Eis"]]),
    ("a cutoff of the hold hides a limit of the sweep", "- {strip: 1 mA, for: 5 s, until: {Ewe_above: 1 V, then: end run}}\n- {geis: g, during: {strip: 1 mA}}",
     [["Cp", "Cp*", "Eis"]]),
    ("a sweep that is repeated keeps its sentinel", "- {strip: 1 mA, for: 5 s}\n- {repeat: 3, steps: [{geis: g, during: {strip: 1 mA}}]}",
     [["Cp", "Cp*", "Eis", (1, 3)]]),
    ("not one that is repeated with its hold", "- {repeat: 3, steps: [{strip: 1 mA, for: 5 s}, {geis: g, during: {strip: 1 mA}}]}", [["Cp", "Eis", (0, 3)]]),
    ("spectra during a step are a chain alone, and what tops it up", "- rest: 1 s\n- {strip: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}}\n- rest: 1 s",
     [["Ocv"], ["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"], ["Ocv"]]),
    ("also if the host's end of the run is all that may end it", "- {strip: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}, until: {Ewe_above: 1 V, then: end run}}\n- rest: 1 s",
     [["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"], ["Ocv"]]),
    ("a repeat around them is the host's", "- {repeat: 3, steps: [{plate: 1 mA, for: 1 h, spectra: {use: g, every: 5 min}}]}",
     [(3, [["Cp*", "Eis", "Cp", (0, 12)], ["+", "Cp"]])]),
    ("spectra at rest likewise", "- {rest: 1 h, spectra: {use: p, every: 5 min}}", [["Ocv", "Eis", "Ocv", (0, 12)], ["+", "Ocv"]]),
    ("and under potential control", "- {ca: 1 V, for: 1 h, spectra: {use: p, every: 5 min}}", [["Ca*", "Eis", "Ca", (0, 12)], ["+", "Ca"]]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["SP-300", "VMP-3"])
@pytest.mark.parametrize(("steps", "shape"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_shapes(steps: str, shape: list[object], name: str) -> None:
    assert kinds(lowered(steps, name).nodes) == shape


def test_chains_are_no_longer_than_the_instrument_holds() -> None:
    steps = "- staircase: {from: 1 uA, to: 100 uA, step: 1 uA}\n  steps: [{strip: $level, for: 1 s}, {geis: g, during: {strip: $level}}]"
    alone = replace(instrument("SP-300"), feeds=False)
    program = lower(compiled(steps), alone)
    lengths = [len(node.techniques) for node in program.nodes if isinstance(node, Segment)]
    assert sum(lengths) == 200
    assert max(lengths) <= alone.chain_length
    assert len(lengths) == -(-200 // alone.chain_length)
    [whole] = lowered(steps).nodes
    assert isinstance(whole, Segment) and len(whole.techniques) == 200


@pytest.mark.parametrize("name", ["SP-300", "VMP-3"])
def test_a_loop_that_leaves_no_room_for_itself_is_the_hosts(name: str) -> None:
    most = instrument(name).chain_length
    for count in (most - 1, most):
        steps = ", ".join(["{strip: 1 mA, for: 1 s}"] * count)
        [node] = lowered(f"- {{repeat: 3, steps: [{steps}]}}", name).nodes
        assert isinstance(node, Segment if count < most else HostLoop)
        chains = [node] if isinstance(node, Segment) else node.body
        assert [len(each.techniques) for each in chains if isinstance(each, Segment)] == [most]
