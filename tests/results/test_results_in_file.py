"""/entry/results: what `nakctl show` prints, written while the run is sealed, and never at the cost of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import old_journal
import pytest
import results_runs as runs

from nakctl.record import conclusions, seal
from nakctl.record.read import open_run
from nakctl.results.conclude import conclusions as figures_of
from nakctl.results.summary import summary, told

STEPS = [runs.strip(1e-3, [0.1] * 90, 10.0), runs.strip(-1e-3, [-0.1] * 45, 10.0)]


def installed(site: Path, **points: str) -> None:
    """A package that offers these entry points, as pip would leave it in a folder of packages."""
    info = site / "conclusions_of_a_test-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: conclusions-of-a-test\nVersion: 1\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{conclusions.GROUP}]", *lines]) + "\n")


def test_a_sealed_file_holds_what_show_prints_with_units(tmp_path: Path) -> None:
    path = runs.written(
        tmp_path / "run.h5", STEPS, more={"chains": runs.chains((0, 0, 0, 1, 0), (900.0, 0.5, 1, 2, 1e-3))}
    )
    run = open_run(path)
    kept, shown = run.header.results, summary(run)
    assert kept["text"].splitlines() == told(shown)
    for name, units in {
        "stripped_mAh_cm2": "mA*h/cm^2",
        "charge_mAh_cm2": "mA*h/cm^2",
        "Ewe_max_V": "V",
        "interruptions_longest_s": "s",
        "interruption_at_s": "s",
    }.items():
        assert kept[name] == {"value": shown[name], "units": units}
    assert (kept["samples"], kept["interruptions"], kept["interruptions_under_current"]) == (135, 1, 0)
    assert kept["interruption_after_step"] == "1.1"
    with h5py.File(path) as file:
        assert file["entry/results/stripped_mAh_cm2"].attrs["units"] == "mA*h/cm^2"
    assert conclusions.TROUBLE not in kept


def test_a_recovered_file_holds_them_too(tmp_path: Path) -> None:
    path = runs.left(tmp_path / "run.h5", STEPS)
    assert seal.seal(path).status == "recovered"
    kept = open_run(path).header.results
    assert kept["stripped_mAh_cm2"]["value"] == pytest.approx(0.5)
    assert "samples: 135" in kept["text"]


def test_every_figure_with_a_unit_in_its_name_has_it_beside_it(tmp_path: Path) -> None:
    found = figures_of(runs.written(tmp_path / "run.h5", STEPS))
    assert {name: value["units"] for name, value in found.items() if "units" in value}.keys() >= {
        name for name in found if name.rpartition("_")[2] in ("V", "s", "cm2")
    }


def test_what_fails_costs_its_own_answer_and_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_conclusions.py").write_text(
        "def fails(path): raise ZeroDivisionError('nothing by nothing')\n"
        "def unfit(path): return {'x': object()}\n"
        "def good(path): return {'name': path.name}\n"
    )
    points = {name: f"bad_conclusions:{name}" for name in ("fails", "unfit", "good")}
    installed(tmp_path / "site", absent="no_such_module:f", **points)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = conclusions.conclusions(runs.written(tmp_path / "run.h5", STEPS), conclusions.made_ready())
    assert found["name"] == "run.h5"
    trouble = found[conclusions.TROUBLE]
    assert "fails: a fault of the program (bad_conclusions.py, line 1)" in trouble
    assert "unfit: a fault of the program (" in trouble
    assert "absent: what would draw it is not installed in order" in trouble
    sys.modules.pop("bad_conclusions")


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        (
            {"a": 1, "b": {"value": 2.0, "units": "V"}},
            {"a": 1, "b": {"value": 2.0, "units": "V"}, "given": 7},
        ),
        ({"given": 8, "c": "kept"}, {"given": 7, "c": "kept"}),  # what the run said itself stands
        ({"huge": 1 << 80, "nul": "a\0b", "c": 3}, {"given": 7, "nul": "a\\x00b", "c": 3}),
    ],
)
def test_what_a_file_cannot_hold_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], kept: dict[str, Any]
) -> None:
    path = tmp_path / "run.h5"
    runs.left(path, STEPS, old_journal.ended("completed", "all steps done", {"given": 7}))
    monkeypatch.setattr(seal.Verifier, "confirm", lambda verifier, path, tables, meanwhile: found)
    assert seal.seal(path).sealed
    assert {name: value for name, value in open_run(path).header.results.items() if name in kept} == kept
    assert "huge" not in open_run(path).header.results
