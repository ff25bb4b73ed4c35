"""Can the instrument send the pulse that a step begins with?"""

from __future__ import annotations

from collections.abc import Iterator

from nakctl.checks.findings import Finding, error
from nakctl.device.instrument import Instrument
from nakctl.device.program import Done, Eis, Loop, played
from nakctl.plan import plan as p
from nakctl.plan.scene import Leaf, Scene
from nakctl.text.numbers import si

OUTPUT = "TO"  # its time base in the data of an instrument


def trigger(leaf: Leaf, scene: Scene) -> Iterator[Finding]:
    """A pulse runs during the technique behind it, and is not longer than that."""
    if not leaf.trigger_s:
        return
    base_s = scene.instrument.timebase_s.get(OUTPUT)
    what = f"{leaf.label}: trigger_out of {si(leaf.trigger_s, 's')}"
    if base_s is None:
        yield error("trigger", leaf.mark, f"{leaf.label}: the {scene.instrument.name} has no trigger output")
        return
    if leaf.trigger_s < base_s:
        yield error("trigger", leaf.mark, f"{what} is shorter than its time base of {si(base_s, 's')}")
    chain = scene.chain(leaf)
    first = next(each for each in played(chain.techniques) if each.step == leaf.step_id)
    lasts_s = _least_s(first, scene.instrument)
    if leaf.trigger_s > lasts_s:
        message = f"{what} is longer than what the step begins with: {si(lasts_s, 's')}"
        yield error("trigger", leaf.mark, message, "a shorter pulse does as well: it is its edge that counts")
    is_loop = any(isinstance(each, Loop) for each in chain.techniques)
    if isinstance(leaf, p.Hold) and leaf.same is not None and is_loop:
        message = f"{what}: this step goes round in the instrument until it has moved its charge"
        yield error("trigger", leaf.mark, message, "let the step before send it")


def _least_s(technique: Done, instrument: Instrument) -> float:
    if not isinstance(technique, Eis):
        return technique.duration_s
    each_s = instrument.eis_seconds(technique.f_first_Hz, technique.average, technique.wait_periods)
    return technique.hold_s + each_s
