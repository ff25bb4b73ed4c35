"""The driver: cheap to import, and a place to a channel."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from sim_bench import cp, ocv

from nakctl.device.channel import State, Watch
from nakctl.device.driver import Place
from nakctl.device.inspection import Chassis
from nakctl.device.program import Segment
from nakctl.errors import CellError, ChannelError, RigError
from nakctl.run.clock import FreeClock
from nakctl_sim.driver import driver
from nakctl_sim.kernel import plain, present


def place(instrument: str = "SP-300", **options: object) -> Place:
    return Place("sim", "sim", instrument, 1, options)


def test_it_is_the_entry_point() -> None:
    (found,) = entry_points(group="nakctl.drivers", name="sim")
    assert found.load() is driver
    assert driver.virtual_time


def test_importing_it_is_cheap() -> None:
    code = "import sys, nakctl_sim.driver; print({'numpy', 'h5py'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_cell_can_be_put_on_a_channel() -> None:
    names = [cell.name for cell in driver.cells()]
    assert {"NaK50", "K", "Na-symmetric", "dummy", "open-lead"} <= set(names)
    for name in names:
        channel = driver.open(place(), driver.cell(name), FreeClock(), 1)
        channel.load(Segment((ocv(10.0),)))
        channel.start()
        assert channel.read(Watch()).state is State.STOPPED
        assert channel.info.facts["cell_model"] == name
        assert channel.info.facts["computed_by"] == present().told


def test_what_a_simulation_is_computed_by_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a warning, if somebody changed the sources since."""
    here = Chassis("sim", "sim", "", {}, {})
    _, found = driver.inspect(here)
    assert (found.about, found.fact) == ("simulation", present().told)
    stale = plain("plain Python, because", remedy="compile", stale=True)
    monkeypatch.setattr("nakctl_sim.kernel.present", lambda: stale)
    _, found = driver.inspect(here)
    assert (found.severity, found.fact, found.remedy) == ("warning", "plain Python, because", "compile")


def test_a_cell_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: circuit\ncells:\n  box:\n    area: 2 cm2\n    series: 7 ohm\n    note: mine\n")
    cell = driver.cell(str(file))
    assert (cell.name, cell.area_cm2) == ("box", 2.0)
    assert driver.open(place(), cell, FreeClock(), 1).info.facts["cell_model"] == "box"


@pytest.mark.parametrize("model", ["NaK50", "full-cell", "Li-symmetric", "blocking"])
def test_what_stands_for_a_cell_gets_its_area(model: str) -> None:
    """Else the plan would speak of other currents per area than the cell sees."""
    mine = replace(driver.cell(model), name="mine", source="rig.yaml")
    twice = replace(mine, area_cm2=2 * mine.area_cm2)
    first_V = []
    for cell, I_A in ((mine, 1e-5), (twice, 2e-5)):
        channel = driver.open(place(), cell, FreeClock(), 1)
        channel.load(Segment((cp(I_A, 1.0),)))
        channel.start()
        first_V.append(channel.read(Watch()).samples["Ewe_V"][0])
    assert first_V[0] == pytest.approx(first_V[1], rel=2e-2, abs=2e-3)


def test_nobody_guesses_what_simulates_a_cell() -> None:
    mine = replace(driver.cell("NaK50"), name="mine", source="rig.yaml", simulated_as="")
    with pytest.raises(CellError, match=r"cell mine of rig\.yaml .* `simulated_as: NaK50`"):
        driver.open(place(), mine, FreeClock(), 1)


def test_another_specimen() -> None:
    seen_V = []
    for options in ({}, {"scatter_seed": 3}, {"scatter_seed": 3}):
        channel = driver.open(place(**options), driver.cell("NaK50"), FreeClock(), 1)
        channel.load(Segment((cp(0.4e-3, 10.0),)))
        channel.start()
        seen_V.append(channel.read(Watch()).samples["Ewe_V"][-1])
        assert channel.info.facts["scatter_seed"] == options.get("scatter_seed")
    assert seen_V[0] != seen_V[1] == seen_V[2]


def test_a_specimen_is_a_whole_number() -> None:
    with pytest.raises(RigError, match="scatter_seed"):
        driver.open(place(scatter_seed="x"), driver.cell("NaK50"), FreeClock(), 1)


def test_facts_fit_into_a_header() -> None:
    info = driver.open(place("VMP-3"), driver.cell("NaK65"), FreeClock(), 42).info
    facts = json.loads(json.dumps(info.facts))
    assert info.simulated
    assert info.instrument == "VMP-3"
    assert facts["seed"] == 42
    assert facts["imperfections"]["I_set_error"] == 0.0015
    assert facts["cell_parameters"]["composition_wt_percent_K"] == 65


def test_what_there_is_not() -> None:
    with pytest.raises(CellError):
        driver.cell("NaK51")
    with pytest.raises(RigError):
        driver.open(place("SP-9000"), driver.cell("NaK50"), FreeClock(), 1)


def test_a_simulated_channel_does_not_outlive_its_program() -> None:
    with pytest.raises(ChannelError, match="does not outlive the program that ran it"):
        driver.open(place(), driver.cell("NaK50"), FreeClock(), 1, adopting=True)
