"""A simulated cell in a simulated chamber: its numbers follow, whoever reads when; at 25 degC nothing changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_bench import ca, cp, eis, execute, ocv, potentiostat

from nakctl.device.channel import Watch
from nakctl.device.driver import Place
from nakctl.device.program import Segment, Technique
from nakctl.device.sensor import Look, Ramp, SensorSpec
from nakctl.run.clock import FreeClock
from nakctl_sim.cell import nak, polarising
from nakctl_sim.cell.models import load_model, names
from nakctl_sim.cell.numbers import faster
from nakctl_sim.chamber import Chamber
from nakctl_sim.driver import driver
from nakctl_sim.potentiostat import Potentiostat
from nakctl_sim.sensors import Lagging, kind

CELLS = ("NaK50", "Na-symmetric", "full-cell", "Li-symmetric", "blocking", "double-layer")
STEPS: tuple[Technique, ...] = (
    ocv(30, 5.0),
    cp(20e-6, 60, 1.0),
    eis(f_first_Hz=1e5, f_last_Hz=0.5, n_frequencies=20, amplitude_peak=5e-6),
    ca(0.05, 30, 1.0),
)
UP = Ramp(25.0, 80.0, 0.2, 0.0)


def to_K(celsius: float) -> float:
    return celsius + 273.15


def chamber(*sets: tuple[float, float | Ramp], **words: Any) -> Chamber:
    made = Chamber(words.get("start", 25.0), words.get("time_constant_s", 20.0), words.get("table", []))
    for time_s, target in sets:
        made.set(target, time_s)
    return made


def inside(cell: str, around: Chamber) -> Potentiostat:
    bench = potentiostat(cell)
    bench.warm(around, to_K, 0.05)
    return bench


def rows_of(cell: str, around: Chamber) -> tuple[bytes, bytes]:
    samples, points, _ = execute(inside(cell, around), *STEPS)
    return samples.tobytes(), points.tobytes()


@pytest.mark.parametrize("cell", CELLS)
def test_at_the_temperature_of_its_file_a_cell_is_what_it_is_without_a_chamber(cell: str) -> None:
    samples, points, _ = execute(potentiostat(cell), *STEPS)
    celsius = 60.0 if cell == "Li-symmetric" else 25.0  # a polymer, whose values are those of its use
    assert rows_of(cell, chamber(start=celsius)) == (samples.tobytes(), points.tobytes())


@pytest.mark.parametrize("cell", CELLS)
def test_rows_do_not_depend_on_when_they_are_read(cell: str) -> None:
    whole = rows_of(cell, chamber((0.0, UP)))
    bench = inside(cell, chamber((0.0, UP)))
    bench.load(Segment(STEPS))
    bench.start()
    samples, points, horizon_s, over = b"", b"", 0.0, False
    chance = np.random.default_rng(1)
    while not over:
        horizon_s += chance.exponential(3.0)
        output = bench.run(horizon_s, Watch())
        samples, points, over = (
            samples + output.samples.tobytes(),
            points + output.points.tobytes(),
            output.over,
        )
    assert (samples, points) == whole
    assert (whole == rows_of(cell, chamber())) == (cell == "double-layer")  # of which nothing is known


def test_a_chamber_that_leaps_holds_nothing_up() -> None:
    """So fast that its next move is at the same time, as far as a clock can tell."""
    bench = inside("blocking", chamber((1e6, UP), time_constant_s=1e-15))
    bench.load(Segment((ocv(60.0, 10.0),)))
    bench.start(1e6)
    output = bench.run(math.inf, Watch())
    assert output.over
    assert output.samples["time_s"][-1] == pytest.approx(60)


def test_a_segment_has_the_temperature_of_its_own_time() -> None:
    """It is 80 degC when the second one begins."""
    hot = inside("blocking", chamber((0.0, 80.0)))
    hot.load(Segment((ocv(1.0),)))
    hot.start(1000.0)
    assert hot._on.p[polarising.BULK_OHM] == pytest.approx(
        load_model("blocking").p[polarising.BULK_OHM] / faster(35, 353.15, 298.15)
    )


def test_resistances_and_time_constants_follow_their_activation_energies() -> None:
    model = load_model("NaK50")
    cold, x = model.p.copy(), model.state()
    model.come_to(x, 333.15)
    fell = cold / model.p
    of = {
        nak.R_S: 27,
        nak.R_GB: 34,
        nak.TAU_GB: 34,
        nak.R_C: 37,
        nak.R_CT: 37,
        nak.TAU_INT: 37,
        nak.TAU_F1: 37,
    }
    for place, energy in of.items():
        assert fell[place] == pytest.approx(faster(energy, 333.15, 298.15)), nak.PARAMETERS[place]
    others = set(range(len(cold))) - of.keys() - {nak.RT_F}
    assert all(model.p[place] == cold[place] for place in others)
    model.come_to(x, 298.15)
    assert (model.p == cold).all()


def test_a_film_that_has_grown_conducts_as_well_as_a_fresh_one() -> None:
    model = load_model("Li-symmetric")
    x = model.state()
    fresh = x[polarising.FILM]
    model.come_to(x, 333.15)
    assert x[polarising.FILM] / fresh == pytest.approx(
        model.p[polarising.FILM_OHM] / load_model("Li-symmetric").p[polarising.FILM_OHM]
    )


@pytest.mark.parametrize("name", names())
def test_every_cell_but_a_circuit_knows_what_temperature_does(name: str) -> None:
    model = load_model(name)
    assert (model.at is None) == (model.cell.facts["model"] == "circuit")


class Beside:
    """Sensors that are nothing but their specs, and keep what they are set to."""

    unseen_s: Mapping[str, float] = {}

    def __init__(self, **models: str) -> None:
        self.specs = {name: spec_of(name, model) for name, model in models.items()}
        self.asked: list[tuple[str, float | Ramp]] = []

    def look(self, now_s: Callable[[], float]) -> Look:
        return Look({})

    def set(self, name: str, value: float | Ramp) -> None:
        self.asked.append((name, value))

    def close(self) -> Look:
        return Look({})


def spec_of(name: str, model: str) -> SensorSpec:
    spec, problems = kind.spec(name, {"kind": "sim", "model": model})
    assert spec is not None, problems
    return spec


@pytest.mark.parametrize(
    ("models", "felt"),
    [
        ({"oven": "chamber", "press": "press"}, "oven"),
        ({"oven": "chamber", "chamber": "chamber"}, "chamber"),
        ({"oven": "chamber", "bath": "chamber"}, None),
        ({"press": "press"}, None),
    ],
)
def test_a_cell_stands_in_the_chamber_beside_it(models: dict[str, str], felt: str | None) -> None:
    """What is set goes to the sensors, whatever it is; the cell is told of its own chamber alone."""
    clock, sensors = FreeClock(), Beside(**models)
    channel = driver.open(Place("bench", "sim", "SP-300", 1, {}), driver.cell("NaK50"), clock, 1)
    beside = driver.surrounded(channel, sensors)  # type: ignore[attr-defined]
    for name in models:
        beside.set(name, 60.0)
    assert sensors.asked == [(name, 60.0) for name in models]
    assert getattr(beside, "name", None) == felt
    if felt is not None:
        assert beside.chamber.at(1e5) == pytest.approx(60.0)


class At:
    """A clock that stands where it is put."""

    time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def horizon_s(self) -> float:
        return self.time_s

    def advance_to(self, time_s: float) -> None:
        self.time_s = time_s

    def sleep(self, seconds: float) -> None: ...


TABLE = [(100.0, 40.0), (500.0, 30.0)]


def test_the_cell_has_the_chamber_that_its_sensor_shows() -> None:
    clock = At()
    sensor, around = Lagging(25.0, 60.0, TABLE, clock), chamber(time_constant_s=60.0, table=TABLE)
    for time_s, target in ((50.0, 60.0), (300.0, 20.0)):
        clock.advance_to(time_s)
        sensor.set(target)
        around.set(target, time_s)
    for time_s in (350.0, 499.0, 600.0, 2000.0):
        clock.advance_to(time_s)
        assert around.at(time_s) == pytest.approx(sensor.value())


def test_a_ramp_is_followed_one_time_constant_behind() -> None:
    around = chamber((100.0, Ramp(25.0, 85.0, 1 / 60, 7.0)), time_constant_s=120.0)
    assert around.at(100.0) == 25.0
    assert around.at(100 + 1800) == pytest.approx(25 + 30 - 2, abs=0.1)
    assert around.at(100 + 3600 + 2000) == pytest.approx(85, abs=1e-4)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 500), st.floats(-20, 90)), max_size=4),
    st.floats(0.5, 500),
    st.floats(0, 800),
    st.booleans(),
)
def test_it_is_known_when_it_has_moved_so_far(
    sets: list[tuple[float, float]], time_constant_s: float, time_s: float, ramps: bool
) -> None:
    around = chamber(*sorted(sets), time_constant_s=time_constant_s)
    if ramps:
        around.set(UP, 600.0)
    leaves_s = around.leaves_s(time_s, 0.5)
    assert leaves_s > time_s
    before = np.linspace(time_s, min(leaves_s, 3000.0), 50)
    assert all(abs(around.at(each) - around.at(time_s)) <= 0.5 + 1e-6 for each in before)
    if math.isfinite(leaves_s):
        assert abs(around.at(leaves_s) - around.at(time_s)) == pytest.approx(0.5, abs=1e-6)
