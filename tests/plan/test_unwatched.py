"""What the plan says that the instrument holds, it holds with nobody watching.

Chains are loaded, started and read until they stop; the host never stops one, whatever it reads. Where a row
lies beyond a limit that the plan says the instrument holds in that step, the chain is over.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from generated import protocol
from hypothesis import given, settings
from hypothesis import strategies as st
from shortened import CELLS, cell_name, parameters
from unwatched import unwatched

from nakctl.device.channel import Rows
from nakctl.device.driver import Place
from nakctl.device.ends import End
from nakctl.device.instrument import Instrument, instrument
from nakctl.device.program import Cp, Eis, Hardware, Segment, played, segments
from nakctl.plan import plan as p
from nakctl.plan.compile import compile_protocol
from nakctl.plan.held import held
from nakctl.plan.lower import lower
from nakctl.plan.scene import Scene
from nakctl.plan.techniques import SENTINEL_s
from nakctl.protocol import library
from nakctl.protocol.load import load, understand
from nakctl.run.clock import FreeClock
from nakctl.text.reader import read_text
from nakctl_sim.driver import driver

AFTER_s = SENTINEL_s + 1e-3  # a sentinel, and the time bases around it
ON = {"SP-300": instrument("SP-300"), "VMP-3": instrument("VMP-3")}


def beyond(rows: Rows, end: End, noise: float) -> Rows:
    values = rows["Ewe_V"] if end.quantity == "Ewe" else np.abs(rows["I_A"])
    sign = 1 if end.side == "above" else -1
    return rows[sign * (values - end.value) > noise]


def noise_of(end: End, on: Instrument, hardware: Hardware) -> float:
    """Two steps of resolution: a sentinel tests inside an end, but the row that it is judged by is another one."""
    if end.quantity == "Ewe":
        return 2 * on.E_step * next(E.high_V - E.low_V for E in on.E_ranges if E.name == hardware.E_range)
    return 2 * on.I_step * next(I.full_A for I in on.I_ranges if I.name == hardware.I_range)


def promises(plan: p.Plan, on: Instrument, cell: str, seed: int) -> list[tuple[str, str]]:
    """Runs a plan with nobody watching; (kind of end, its text) of every promise that was put to the test."""
    scene = Scene(plan, lower(plan, on), on)
    channel = driver.open(Place("x", "sim", on.name, 1, {}), driver.cell(cell), FreeClock(), seed)
    leaves = {leaf.step_id: leaf for leaf in p.leaves(plan.steps)}
    tried = []
    for segment in segments(scene.program.nodes):
        samples, points = unwatched(channel, segment)
        step_of = np.array([getattr(each, "step", 0) for each in segment.techniques])
        over_s = max(rows["time_s"].max(initial=0.0) for rows in (samples, points))
        for step in {each.step for each in played(segment.techniques)}:
            of_step = samples[step_of[samples["technique"]] == step]
            hardware = next(each.hardware for each in played(segment.techniques) if each.step == step)
            for end in [] if segment.tops_up else held([leaves[step]], scene).always:
                out = beyond(of_step, end, noise_of(end, on, hardware))
                if len(out):
                    tried.append((end.kind, end.text))
                    assert over_s - out["time_s"][0] <= AFTER_s, (scene.program.step(step).label, end.text)
            leaf = leaves[step]
            if isinstance(leaf, p.Hold) and leaf.spectra is not None and not segment.tops_up:
                tried += before_sweeps(scene, segment, points, leaf)
    return tried


def before_sweeps(scene: Scene, segment: Segment, points: Rows, leaf: p.Hold) -> list[tuple[str, str]]:
    """No spectrum of a step follows one that ended beyond a limit which is tested before each of them."""
    tried = []
    for end in held([leaf], scene).before_sweeps:
        for at in {at for at, each in enumerate(segment.techniques) if isinstance(each, Eis)}:
            of_sweep = points[points["technique"] == at]
            lasts = of_sweep[np.append(np.diff(of_sweep["passes"]) != 0, True)] if len(of_sweep) else of_sweep
            values = lasts["E_dc_V"] if end.quantity == "Ewe" else np.abs(lasts["I_dc_A"])
            sign = 1 if end.side == "above" else -1
            out = sign * (values - end.value) > 0.02 * abs(end.value)
            if out.any():
                tried.append(("before a spectrum", end.text))
                assert out[-1] and out.sum() == 1, (leaf.label, end.text)
    return tried


def made(seed: int, cell: str) -> p.Plan:
    return compile_protocol(understand(read_text(protocol(seed), "made.yaml"), {}), driver.cell(cell))


@pytest.mark.parametrize("name", ON)
@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.9, 1.7, 1e4]))
def test_nothing_goes_on_from_a_limit_that_the_instrument_holds(
    name: str, seed: int, longest_s: float
) -> None:
    """longest_s: of a technique, so that one step may be several."""
    cell = "randles" if seed % 2 else "NaK50"
    promises(made(seed, cell), replace(ON[name], longest_s=longest_s), cell, seed % 1000)


def test_promises_are_put_to_the_test() -> None:
    """So that the property above is not kept by never meeting a limit."""
    for longest_s in (1.7, 1e4):
        on = replace(ON["SP-300"], longest_s=longest_s)
        tried = [each for seed in range(30) for each in promises(made(seed, "NaK50"), on, "NaK50", seed)]
        assert {kind for kind, _ in tried} == {"limit", "goal", "before a spectrum"}
        assert len({text for _, text in tried}) > 5


def window(of: p.Plan, half_V: float) -> p.Plan:
    """With narrower limits of Ewe."""
    far = {"below": -half_V, "above": half_V}
    limits = (
        replace(each, value=far[each.side], text=f"Ewe {each.side} {far[each.side]:g} V")
        if each.quantity == "Ewe"
        else each
        for each in of.limits.all
    )
    return replace(of, limits=p.Limits(tuple(limits)))


@pytest.mark.parametrize(
    ("shipped", "cell"),
    [(name, cell_name(name)) for name in library.names()]
    + [(name, "randles") for name in library.names() if name not in CELLS],
)
@pytest.mark.parametrize("name", ON)
def test_shipped_protocols_keep_their_promises(shipped: str, name: str, cell: str) -> None:
    """With limits as they are, and so narrow that the cell meets them."""
    plan = compile_protocol(load(shipped, parameters(shipped, name)), driver.cell(cell))
    on = ON[name]
    assert promises(plan, on, cell, seed=1) == []
    tried = [each for half_V in (0.004, 0.06) for each in promises(window(plan, half_V), on, cell, seed=1)]
    holds = [each for each in p.leaves(plan.steps) if isinstance(each, p.Hold) and each.spectra is None]
    assert tried or not any(each.kind == "cp" for each in holds)


def test_the_chain_of_a_staircase_ends_at_its_limit() -> None:
    """Not at the next level: it was met at 0.22 mA, and the chain went on to 0.44 and 0.88 mA."""
    text = """\
nakctl: 1
name: staircase
limits: {Ewe: [-3 V, 50 mV], time: 1 h}
finally: rest
steps:
  - staircase: 0.5, 1, 2 mA/cm2
    steps: [{strip: $level, for: 10 min, until: {Ewe_below: -1 V}}]
"""
    plan = compile_protocol(understand(read_text(text, "staircase.yaml"), {}), driver.cell("NaK50"))
    for name, on in ON.items():
        (chain,) = segments(lower(plan, on).nodes)
        channel = driver.open(Place("x", "sim", name, 1, {}), driver.cell("NaK50"), FreeClock(), 1)
        samples, _ = unwatched(channel, chain)
        assert samples["I_A"].max() < 0.25e-3
        assert samples["Ewe_V"].max() > 0.05
        last = chain.techniques[samples["technique"][-1]]
        assert isinstance(last, Cp) and last.sentinel


@pytest.mark.parametrize("end_V", [2.5, 5.0, 9.9])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_limit_at_the_end_of_a_range_is_met(end_V: float, sign: int) -> None:
    """Readings stopped at 5.000 V, none was above, and 0.1 mA flowed for as long as was asked."""
    text = f"""\
nakctl: 1
name: open
limits: {{Ewe: [-{end_V} V, {end_V} V], time: 1 h}}
finally: rest
steps:
  - {{cp: {sign * 0.1} mA, for: 10 s}}
"""
    plan = compile_protocol(understand(read_text(text, "open.yaml"), {}), driver.cell("open-lead"))
    for name in ON:
        [tried] = promises(plan, ON[name], "open-lead", seed=1)
        assert tried == ("limit", f"Ewe {'above' if sign > 0 else 'below'} {sign * end_V} V")
