"""A dry run of the lab's own channel and cell: on the simulator, said so, and never the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from command_line import Said, refused

Here = Callable[..., Said]

SLOW = ("--set", "f_max=1MHz")  # what a VMP-3 measures
SHORT = (*SLOW, "--set", "average=1")

RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: biologic, model: VMP-3, address: 192.0.2.7}
channels:
  A1: {device: bench, channel: 1}
  A2: {device: bench, channel: 2, feeding: false}
sensors:
  press: {kind: serial, port: COM7, pattern: '([0-9.]+) bar', unit: bar}
cells:
  C7: {channel: A1, area: 0.5 cm2, working: NaK50, counter: Na, simulated_as: cells/mine.yaml#thick}
  C8: {channel: A2, area: 1 cm2, working: NaK50}
"""
CELLS = """\
model: nak
build: {pellet_thickness: 3 mm}
cells:
  thick: {working: NaK50, composition_wt_percent_K: 50}
  thin: {working: NaK50, composition_wt_percent_K: 50, pellet_thickness: 1 mm}
"""
WAITS = """\
nakctl: 1
name: Pressed
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1 h, sensors: {press: [0 bar, 50 bar]}}
steps:
  - rest: 1 min
"""


@pytest.fixture
def lab(here: Here, tmp_path: Path) -> Here:
    (tmp_path / "rig.yaml").write_text(RIG, encoding="utf-8")
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "mine.yaml").write_text(CELLS, encoding="utf-8")
    return here


def test_it_runs_that_cell_on_that_instrument(lab: Here, tmp_path: Path) -> None:
    options = ("--cell", "C7", "--dry", *SHORT)
    said = lab("run", "pristine-eis", *options, "--json", "--out", "dry.h5")
    assert said.code == 0
    assert (said.json["simulated"], said.json["cell"], said.json["area_cm2"]) == (True, "C7", 0.5)
    with h5py.File(tmp_path / "dry.h5") as file:
        entry = file["entry"]
        assert entry["title"].asstr()[()].startswith("SIMULATED ")
        channel = entry["instrument/potentiostat"]
        told = {name: channel[name].asstr()[()] for name in ("channel", "model", "driver", "dry_run_of")}
        assert told == {"channel": "dry-A1", "model": "VMP-3", "driver": "sim", "dry_run_of": "A1"}
        assert json.loads(channel["facts"][()])["cell_model"] == "thick"
        assert json.loads(entry["sample/facts"][()])["simulated_as"] == str(Path("cells") / "mine.yaml#thick")


def test_the_screen_says_so(lab: Here) -> None:
    said = lab("run", "pristine-eis", "--on", "A1", "--dry", *SHORT)
    assert said.out.startswith("SIMULATED  ")
    assert "cell C7, 0.5 cm2, on dry-A1 (VMP-3)" in said.out


def test_check_and_plan_of_it(lab: Here) -> None:
    assert "ok on dry-A1, cell C7" in lab("check", "ccd", *SLOW, "--cell", "C7", "--dry").out
    assert "SIMULATED" in lab("plan", "pristine-eis", *SLOW, "--cell", "C7", "--dry").out


def test_it_goes_at_a_pace_as_well(lab: Here) -> None:
    options = ("--cell", "C7", "--dry", "--speed", "1000", *SHORT)
    said = lab("run", "pristine-eis", *options, "--json")
    assert (said.code, said.json["simulated"]) == (0, True)


SLIPS = [
    (("--dry",), "so name the channel"),  # there are two, and no cell is named
    (("--on", "A2", "--dry"), "rig.yaml does not say what simulates C8: add `simulated_as: NaK50`"),
    (("--on", "A2", "--cell", "C7", "--dry"), "C7 sits on A1 (says rig.yaml), not on A2"),
    (("--cell", "C9", "--dry"), "or a .yaml file; cells of rig.yaml are: C7"),  # no channel would help
    (("--on", "dry-A1"), "there is no channel dry-A1 in rig.yaml"),  # nor does the name do it
    (("--cell", "C7", "--dri"), "--dri"),
    (("--cell", "C7"), "so name the channel"),  # without the word nothing is guessed
]


@pytest.mark.parametrize(("options", "says"), SLIPS)
def test_a_slip_starts_nothing(lab: Here, tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    assert says in refused(lab("run", "pristine-eis", *options))
    assert not list(tmp_path.glob("*.h5*"))


def test_who_only_looks_need_not_name_the_channel_of_a_cell(lab: Here, tmp_path: Path) -> None:
    for command in ("check", "plan"):
        assert lab(command, "pristine-eis", *SLOW, "--cell", "C7").code == 0
        assert "so name the channel" in refused(lab(command, "pristine-eis", *SLOW))
    one = RIG.replace("  A2: {device: bench, channel: 2, feeding: false}\n", "").replace(
        "channel: A2", "channel: A1"
    )
    (tmp_path / "rig.yaml").write_text(one, encoding="utf-8")
    assert "A1 has several cells" in refused(lab("check", "pristine-eis", *SLOW))
    (tmp_path / "rig.yaml").write_text(one.replace("  C8:", "  # C8:"), encoding="utf-8")
    assert "ok on A1, cell C7" in lab("check", "pristine-eis", *SLOW).out
    assert "so name the channel" in refused(lab("run", "pristine-eis", *SLOW))


def test_on_a_simulated_channel_it_changes_nothing(lab: Here) -> None:
    said = lab("run", "pristine-eis", "--on", "sim-vmp3", "--dry", *SHORT)
    assert (said.code, "on sim-vmp3 (VMP-3)" in said.out) == (0, True)


def test_without_a_rig_it_is_the_usual_simulated_channel(here: Here) -> None:
    assert "ok on sim-sp300, cell NaK50" in here("check", "pristine-eis", "--dry").out


@pytest.mark.parametrize("pace", [(), ("--speed", "100")])
def test_no_real_sensor_is_opened(lab: Here, tmp_path: Path, pace: tuple[str, ...]) -> None:
    (tmp_path / "waits.yaml").write_text(WAITS, encoding="utf-8")
    said = refused(lab("run", "waits.yaml", "--cell", "C7", "--dry", *pace))
    assert "press is a real instrument, and this is a dry run; or let something stand for it" in said


def test_the_name_of_a_dry_channel_is_kept_for_it(lab: Here, tmp_path: Path) -> None:
    (tmp_path / "rig.yaml").write_text(RIG.replace("A2", "dry-A2"), encoding="utf-8")
    assert "rig.yaml:6:3  names that begin with dry- are those of dry runs" in refused(lab("rig", "check"))


def test_the_rig_tells_what_stands_for_what(lab: Here, tmp_path: Path) -> None:
    assert "cells: C7 (in a dry run: thick), C8 (in a dry run: none)" in lab("rig", "check").out
    assert lab("rig", "check", "--json").json["simulated_as"] == {"C7": "thick", "C8": None}
    (tmp_path / "cells" / "mine.yaml").write_text(CELLS.replace("thick:", "fat:"), encoding="utf-8")
    assert "C7 in rig.yaml, simulated_as: " in refused(lab("rig", "check"))


def test_a_file_that_is_not_there_is_told_before_anything(lab: Here, tmp_path: Path) -> None:
    (tmp_path / "cells" / "mine.yaml").unlink()
    said = refused(lab("check", "pristine-eis", "--cell", "C7", "--dry"))
    assert str(Path("cells") / "mine.yaml") in said
