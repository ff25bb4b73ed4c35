"""Which channel a run goes to: no slip of the pen makes a dry run real, nor the reverse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from command_line import Said, refused
from rigs import RIG

Here = Callable[..., Said]


@pytest.fixture
def rig(here: Here, tmp_path: Path) -> Here:
    """The command line in a folder with a rig.yaml of two channels."""
    (tmp_path / "rig.yaml").write_text(RIG, encoding="utf-8")
    return here


def test_with_a_rig_file_the_channel_has_to_be_named(rig: Here) -> None:
    for command in ("check", "plan", "run"):
        said = refused(rig(command, "pristine-eis"))
        assert said == "rig.yaml is here, so name the channel: --on sim-sp300 | sim-vmp3 | left | right\n"


def test_a_typo_is_no_other_channel(rig: Here) -> None:
    assert "did you mean left?" in refused(rig("run", "pristine-eis", "--on", "lfet"))


def test_the_cell_of_the_channel_is_taken(rig: Here) -> None:
    said = rig("check", "pristine-eis", "--on", "left")
    assert said.code == 0
    assert "ok on left, cell cell-7" in said.out


def test_a_channel_without_a_cell_is_not_guessed(rig: Here) -> None:
    assert "right has no cell in rig.yaml" in refused(rig("check", "pristine-eis", "--on", "right"))


def test_a_cell_of_another_channel_is_refused(rig: Here) -> None:
    said = refused(rig("check", "pristine-eis", "--on", "right", "--cell", "cell-7"))
    assert "cell cell-7 sits on left" in said


def test_the_simulated_channels_stay_reachable_and_simulated(rig: Here) -> None:
    said = rig("run", "pristine-eis", "--on", "sim-sp300", "--set", "average=1", "--json")
    assert said.code == 0
    assert said.json["simulated"] is True


def test_another_rig_file_can_be_named(here: Here, tmp_path: Path) -> None:
    (tmp_path / "lab2.yaml").write_text(RIG, encoding="utf-8")
    assert here("check", "pristine-eis", "--rig", "lab2.yaml", "--on", "left").code == 0
    assert here("check", "pristine-eis").code == 0  # without one there are only the simulated channels


FAULTS = [
    ("  left: {device", "  sim-sp300: {device", 5, "is the name of a simulated channel, and stays that"),
    ("{device: bench, channel: 1}", "{device: bnech, channel: 1}", 5, "did you mean bench?"),
    ("driver: sim", "driver: biologik", 3, "there is no driver biologik"),
    ("model: SP-300", "model: SP-3000", 3, "SP-300"),
    ("channels:", "chanels:", 4, "did you mean channels?"),
    ("cell-7: {channel: left", "cell-7: {channel: letf", 8, "did you mean left?"),
    ("area: 0.5 cm2", "area: 0.5", 8, "has no unit"),
    ("channel: 1}", "channel: 0}", 5, "1"),
    ("nakctl-rig: 1", "nakctl-rig: 9", 1, "1"),
    ("area: 0.5 cm2", "area: 0.5 cm2, capacity: 2 mA", 8, "2 mA is a current"),
    ("area: 0.5 cm2", "area: 0.5 cm2, capacity: $Q", 8, "a rig has no parameters"),
    ("area: 0.5 cm2", "area: 0.5 cm2, working_is: anode", 8, "positive or negative"),
    ("area: 0.5 cm2", "area: 0.5 cm2, three_electrodes: 1", 8, "true or false"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "told"), FAULTS)
def test_faults_are_told_with_their_line(
    right: str, wrong: str, line: int, told: str, here: Here, tmp_path: Path
) -> None:
    assert right in RIG
    (tmp_path / "rig.yaml").write_text(RIG.replace(right, wrong, 1), encoding="utf-8")
    said = refused(here("run", "pristine-eis", "--on", "left"))
    assert any(text.startswith(f"rig.yaml:{line}:") and told in text for text in said.splitlines()), said
    assert [path.name for path in tmp_path.iterdir()] == ["rig.yaml"]


@pytest.mark.parametrize("capacity", ["2.1 mAh", "2.675159236 mAh/cm2"])
def test_what_a_cell_declares_stands_in_the_file(capacity: str, here: Here, tmp_path: Path) -> None:
    said = f"area: 0.785 cm2, capacity: {capacity}, working_is: positive, three_electrodes: true,"
    rig = RIG.replace("area: 0.5 cm2,", said).replace(
        "simulated_as: NaK50}", "simulated_as: three-electrode}"
    )
    (tmp_path / "rig.yaml").write_text(rig, encoding="utf-8")
    run = here("run", "pristine-eis", "--on", "left", "--set", "average=1", "--json")
    assert run.code == 0
    with h5py.File(run.json["file"]) as file:
        sample = file["entry/sample"]
        assert sample["nominal_capacity"][()] == pytest.approx(7.56)
        assert sample["nominal_capacity"].attrs["units"] == "C"
        assert sample["working_is"].asstr()[()] == "positive"
        assert sample["three_electrodes"][()] == 1


def test_all_faults_of_a_rig_at_once(here: Here, tmp_path: Path) -> None:
    wrong = RIG.replace("driver: sim", "driver: biologik").replace("channel: left", "channel: letf")
    (tmp_path / "rig.yaml").write_text(wrong, encoding="utf-8")
    said = refused(here("check", "pristine-eis", "--on", "left"))
    assert "rig.yaml:3:" in said
    assert "rig.yaml:8:" in said


# A driver of a real instrument that is not plugged in, as another package would bring it.
REAL = """
from nakctl.errors import LinkLost

class Driver:
    virtual_time = False
    outlives = True

    def simulated(self, place):
        return False

    def cells(self):
        return ()

    def cell(self, name):
        raise LookupError(name)

    def open(self, place, cell, clock, seed, adopting=False):
        raise LinkLost(f"{place.options['address']} does not answer")

driver = Driver()
"""


@pytest.fixture
def bench(rig: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The same rig, whose bench is a real instrument."""
    installed = tmp_path / "installed"
    about = installed / "bench-1.dist-info"
    about.mkdir(parents=True)
    (installed / "bench_driver.py").write_text(REAL, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bench\nVersion: 1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(
        "[nakctl.drivers]\nreal = bench_driver:driver\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(installed)
    real = RIG.replace("{driver: sim, model: SP-300}", "{driver: real, model: SP-300, address: 192.0.2.7}")
    (tmp_path / "rig.yaml").write_text(real, encoding="utf-8")
    return rig


def test_a_real_channel_that_does_not_answer_is_not_replaced_by_a_simulated_one(
    bench: Here, tmp_path: Path
) -> None:
    said = bench("run", "pristine-eis", "--on", "left")
    assert said.code == 3
    assert said.err == "192.0.2.7 does not answer\n"
    assert not list(tmp_path.glob("*.h5*"))


def test_a_real_channel_keeps_real_time(bench: Here) -> None:
    said = refused(bench("run", "pristine-eis", "--on", "left", "--speed", "2"))
    assert said.startswith("left is a real channel: it keeps real time")


def test_only_the_plan_of_a_simulated_channel_says_simulated(bench: Here) -> None:
    assert "SIMULATED" not in bench("plan", "pristine-eis", "--on", "left").out
    assert "SIMULATED" in bench("plan", "pristine-eis", "--on", "sim-sp300").out
