"""The two kernels, compiled and plain: the same numbers, and never compiled code of other sources."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_bench import ca, cp, draw, eis, ocv, on

from nakctl.device.channel import Flag, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Loop, Segment, Technique, Test
from nakctl.errors import LimitError
from nakctl_sim.cell.models import load_model, names
from nakctl_sim.chamber import Chamber
from nakctl_sim.compiling.sources import PACKAGE, STEM
from nakctl_sim.executor import registers
from nakctl_sim.habits import ChannelHabits
from nakctl_sim.kernel import Kernel, plain, present
from nakctl_sim.potentiostat import Potentiostat

PLAIN, PRESENT = plain(), present()
need_compiled = pytest.mark.skipif(not PRESENT.compiled, reason=f"simulation: {PRESENT.told}")


# --- the same numbers -----------------------------------------------------------------------------------

# A name, an area and a temperature do not change what is computed: one cell of each form is enough.
CELLS = ("NaK50", "K", "randles", "open-lead", "three-electrode-dummy", "full-cell", "three-electrode")
CELLS += ("Li-symmetric", "blocking", "shorted-lead")
moments_s = st.sampled_from((0.02, 0.5, 3.0, 40.0, 600.0))
currents_A = st.sampled_from((0.0, 1e-6)) | st.floats(-1.2e-3, 1.2e-3)
volts = st.floats(-0.6, 1.6)
tests = st.lists(
    st.builds(Test, st.just("Ewe"), st.sampled_from(("above", "below")), volts)
    | st.builds(Test, st.just("|I|"), st.sampled_from(("above", "below")), st.floats(0.0, 1e-3)),
    max_size=2,
)
change = st.none() | st.just(0.01)


@st.composite
def techniques(draws: Any) -> Technique:
    pick, duration_s = lambda what: draws(what), draws(moments_s)
    every_s = duration_s / pick(st.sampled_from((1, 3, 8)))
    tail = {"on_test": pick(st.sampled_from(("next", "stop")))}
    kinds = {
        "ocv": lambda: ocv(duration_s, every_s, dE_V=pick(change)),
        "cp": lambda: cp(pick(currents_A), duration_s, every_s, *pick(tests), dE_V=pick(change), **tail),
        "ramp": lambda: cp(pick(currents_A), min(duration_s, 3.0), every_s, to_A=pick(currents_A)),
        "ca": lambda: ca(pick(volts), min(duration_s, 40.0), every_s, *pick(tests), **tail),
        "scan": lambda: ca(pick(volts), 3.0, 0.2, to_V=pick(volts), hardware=on("10 mA")),
        "power": lambda: draw("POWER", pick(st.floats(-1e-3, 1e-3)), 3.0),
        "load": lambda: draw("LOAD", pick(st.floats(10.0, 1e5)), 3.0),
        "geis": lambda: eis(bias=pick(currents_A) / 4, hold_s=pick(st.sampled_from((0.0, 1.0)))),
        "peis": lambda: eis(
            "PEIS", bias=pick(volts), vs_previous=pick(st.booleans()), amplitude_peak=0.01, hold_s=1.0
        ),
    }
    return kinds[pick(st.sampled_from(sorted(kinds)))]()


@st.composite
def segments(draws: Any) -> Segment:
    chain: list[Technique] = draws(st.lists(techniques(), min_size=1, max_size=4))
    if draws(st.booleans()):
        chain.append(Loop(draws(st.integers(0, len(chain) - 1)), draws(st.integers(2, 3)), passes=True))
        chain.append(ocv(1.0))
    return Segment(tuple(chain))


watches = st.just(Watch()) | st.builds(
    Watch,
    Ewe_max_V=st.floats(0.0, 2.0),
    I_max_A=st.none() | st.just(5e-4),
    Ewe_near_0_V=st.none() | st.just(0.01),
    Ece_max_V=st.none() | st.just(0.1),
)
habits = st.builds(
    ChannelHabits,
    test_row=st.booleans(),
    end_row=st.booleans(),
    late_row_s=st.sampled_from((0.0, 1e-5)),
    scan_means=st.booleans(),
)


def lived(kernel: Kernel, cell: str, like: str, habits: ChannelHabits, plan: dict[str, Any]) -> list[Any]:
    """Everything that a channel hands over while it executes the segment, and shows meanwhile."""
    bench = Potentiostat(load_model(cell), instrument(like), plan["seed"], habits, kernel)
    if plan["warm"]:
        bench.warm(Chamber(25.0, 30.0, [(0.5, 60.0)]), lambda celsius: celsius + 273.15, 0.5)
    try:
        bench.load(plan["segment"])
    except LimitError as refused:
        return [str(refused)]
    bench.start()
    seen: list[Any] = []
    for horizon_s in [*sorted(plan["horizons_s"]), math.inf]:
        for _ in range(20):
            one = bench.run(horizon_s, plan["watch"], most_rows=500)
            seen += [one.samples.tobytes(), one.points.tobytes(), one.sample_starts_s.tobytes()]
            seen += [one.point_starts_s.tobytes(), one.notices, one.over, one.waits, bench.reached_s]
            seen.append(bench.terminals(bench.reached_s + 0.7))
            if one.over or one.waits:
                break
    bench.run(bench.reached_s + 0.3, Watch(), cut=True)
    bench.halt()
    bench.rest(100.0)
    return [*seen, bench.terminals(bench.reached_s)]


@need_compiled
@settings(max_examples=30)
@given(
    cell=st.sampled_from(CELLS),
    like=st.sampled_from(("SP-300", "VMP-3")),
    habits=habits,
    plan=st.fixed_dictionaries(
        {
            "segment": segments(),
            "seed": st.integers(0, 99),
            "watch": watches,
            "warm": st.booleans(),
            "horizons_s": st.lists(st.floats(0.0, 60.0), max_size=3),
        }
    ),
)
def test_what_a_channel_lives_through_is_the_same_to_the_last_bit(
    cell: str, like: str, habits: ChannelHabits, plan: dict[str, Any]
) -> None:
    assert lived(PRESENT, cell, like, habits, plan) == lived(PLAIN, cell, like, habits, plan)


magnitudes = st.sampled_from((0.0, 5e-324, 1e-31, 1e-30, 1e-12, 3.0)) | st.floats(1e-9, 0.1)
lengths_s = st.sampled_from((0.0, 1e-9, 0.02, 5.0, 1e4, 1e9, 1e30)) | st.floats(0.0, 3e3)


@need_compiled
@settings(max_examples=150)
@given(
    cell=st.sampled_from(names()),
    T_K=st.none() | st.floats(250.0, 400.0),
    steps=st.lists(st.tuples(magnitudes, st.sampled_from((1.0, -1.0)), lengths_s), min_size=1, max_size=12),
)
def test_a_step_of_any_cell_is_the_same_to_the_last_bit(
    cell: str, T_K: float | None, steps: list[tuple[float, float, float]]
) -> None:
    """However small or large: what is beyond the largest number raises no error in one of them alone."""
    model = load_model(cell)
    if T_K is not None:
        model.come_to(model.x0, T_K)
    told = []
    for kernel in (PLAIN, PRESENT):
        p, x = kernel.numbers(model.p), kernel.numbers(model.x0)
        found: list[float] = []
        for size_A, sign, dt_s in steps:
            I_A = sign * size_A
            found += [kernel.step_hint(model.kind, p, x, I_A, dt_s)]
            found += [kernel.advance(model.kind, p, x, I_A, dt_s), *x]
            found += [kernel.voltage(model.kind, p, x, -I_A), kernel.counter_voltage(model.kind, p, x, I_A)]
        told.append([float(number).hex() for number in found])
    assert told[0] == told[1]


def test_flags_are_those_of_the_contract() -> None:
    for name in ("I_OVERLOAD", "E_OVERLOAD", "TEST_MET"):
        assert getattr(registers, name) == Flag[name]


# --- never of other sources -----------------------------------------------------------------------------

ASK = """
from nakctl_sim.kernel import plain, present
from nakctl_sim.cell.nak import P_REFERENCE
found = present()
print(found.told, found.stale, found.compiled, P_REFERENCE, sep="|")
"""


def asked(folder: Path, **environment: str) -> list[str]:
    """Which kernel there is, of the package in this folder."""
    found = {name: value for name, value in os.environ.items() if name != "NAKCTL_KERNEL"}
    found |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, env=found, check=True)
    return done.stdout.strip().split("|")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is here, with what was compiled."""
    folder = tmp_path_factory.mktemp("Kopie für alle")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@need_compiled
def test_code_of_other_sources_does_not_run(copied: Path) -> None:
    assert asked(copied) == ["compiled", "False", "True", "0.3"]
    assert asked(copied, NAKCTL_KERNEL="plain")[0] == "plain Python, as NAKCTL_KERNEL asks"
    source = copied / PACKAGE.name / "cell" / "nak.py"
    text = source.read_text("utf-8")
    source.write_text(text.replace("P_REFERENCE = 0.3", "P_REFERENCE = 0.4"), "utf-8")
    told, *rest = asked(copied)
    assert told == "plain Python, because what is compiled here was made of other sources"
    assert rest == ["True", "False", "0.4"]
    source.write_text(text, "utf-8")
    assert asked(copied) == ["compiled", "False", "True", "0.3"]


def test_where_nothing_was_compiled_it_is_said(copied: Path) -> None:
    for compiled in (copied / PACKAGE.name).glob(f"{STEM}*"):
        compiled.unlink()
    told, *rest = asked(copied)
    assert told == "plain Python, because there was no C compiler when nakctl was installed"
    assert rest == ["False", "False", "0.3"]
    for wish, why in (
        ("compiled", "=compiled, and there is plain Python, because"),
        ("fast", "=fast: plain or compiled"),
    ):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            asked(copied, NAKCTL_KERNEL=wish)
        assert f"RigError: NAKCTL_KERNEL{why}" in refused.value.stderr
