"""What no cell can be found from is said before anything is fitted, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command_line import Said, refused

from nakctl.cli import sim_fit_file
from nakctl.cli.sim_fit_runs import Wanted, asked
from nakctl.errors import InputError
from nakctl.record.read import open_run
from nakctl.rig import load_driver

Here = Callable[..., Said]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["strip"], ["no complete spectrum", "the impedance of the fresh cell"]),
        (["spectrum", "far"], ["runs of several cells: ", "is of near", "is of far", "--name"]),
        (["spectrum", "--model", "battery"], ["--model battery: a battery is not fitted: its potentials are tables"]),
        (["spectrum", "far", "--name", "one"], ["0.4418 cm2", "0.785 cm2", "two cells"]),
        (["box", "--model", "nak"], ["Ewe at rest is 0.4 V", "model nak", "--model circuit"]),
        (["spectrum", "--model", "nack"], ["no such model", "did you mean nak?"]),
        (["spectrum", "--area", "3"], ["--area 3", "3 cm2"]),
        (["spectrum", "--thickness", "0 mm"], ["--thickness 0 mm"]),
        (["spectrum", "--composition", "101"], ["--composition 101: wt% K"]),
        (["spectrum", "-o", "cell.txt"], ["cell.txt: the name of a cell's file ends in .yaml"]),
        (["spectrum", "-o", "nowhere/cell.yaml"], ["there is no folder nowhere"]),
    ],
)  # fmt: skip
def test_refused(given: list[str], why: list[str], runs: Mapping[str, Path], here: Here) -> None:
    words = [runs.get(word, word) for word in given]
    told = refused(here("sim", "fit", *words))
    assert all(part in told for part in why), told
    assert list(Path().iterdir()) == []


NINE = "2026-03-01T09:00:00+00:00"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"simulated": True}, ["run.h5 is of a real one, ", " is of a SIMULATED cell"]),
        (
            {"start_time": NINE},
            ["h5 was still being recorded when ", " began: two cells, or one run twice"],
        ),
        ({"sample": {"electrolyte": "LATP 2 mm"}}, ["is of LATP 1 mm, ", "is of LATP 2 mm; ", "--name"]),
        ({"sample": {"working_electrode": "NaK65"}}, ["is of NaK50, ", "is of NaK65; "]),
        ({"simulated": True, "cell": "B", "area_cm2": 2.0}, ["SIMULATED", "is of B", "of 2 cm2: two cells"]),
    ],
)
def test_runs_of_two_cells(other: dict[str, Any], why: list[str], runs: Mapping[str, Path]) -> None:
    one, another = open_run(runs["strip"]), open_run(runs["strip"])
    sample = {"working_electrode": "NaK50", "electrolyte": "LATP 1 mm"}
    begun = {"simulated": False, "start_time": NINE, "duration_s": 600.0, "sample": sample, "cell": "A"}
    one.path = Path("run.h5")
    one.header = replace(one.header, **begun, area_cm2=1.0)
    other["sample"] = sample | other.get("sample", {})
    another.header = replace(one.header, **{"start_time": "2026-03-01T09:10:00+00:00"} | other)
    nothing = Wanted(None, "", "", "", None, None, None, "10 %", overwrite=False)
    with pytest.raises(InputError) as refusal:
        asked([one, another], nothing)
    told = str(refusal.value)
    assert all(part in told for part in why), told


def test_another_fit_that_was_faster_is_not_overwritten(tmp_path: Path) -> None:
    driver = load_driver("sim")
    target = tmp_path / "mine.yaml"
    target.write_text("of the other")
    text = "model: circuit\ncells:\n  mine:\n    area: 1 cm2\n    series: 1 ohm\n"
    wanted = Wanted(target, "", "", "", None, None, None, "10 %", overwrite=False)
    with pytest.raises(InputError, match="exists already"):
        sim_fit_file.write(target, text, wanted, driver)
    assert target.read_text() == "of the other"
    assert list(tmp_path.iterdir()) == [target]


def test_all_files_that_cannot_be_read_are_told_at_once(runs: Mapping[str, Path], here: Here) -> None:
    Path("cut.h5").write_bytes(runs["spectrum"].read_bytes()[:5000])
    Path("text.h5").write_text("time, Ewe")
    Path("lab.mpt").write_text("EC-Lab ASCII FILE")
    told = refused(
        here("sim", "fit", runs["spectrum"], "cut.h5", "text.h5", "none.h5", "cell.yaml", "lab.mpt")
    )
    assert "nakctl import lab.mpt first" in told
    assert [line.partition(" ")[0] for line in told.splitlines()] == [
        "cut.h5",
        "text.h5",
        "none.h5:",
        "cell.yaml",
        "lab.mpt",
    ]
    assert not list(Path().glob("*.yaml"))


def test_without_scipy_it_says_what_to_install(
    runs: Mapping[str, Path], here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl import errors

    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    assert 'pip install "nakctl[fit]"' in refused(here("sim", "fit", runs["spectrum"]))


def test_ctrl_c_leaves_nothing_behind(
    runs: Mapping[str, Path], here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl.fit import search

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search.Misfit, "slopes", interrupted)
    said = here("sim", "fit", runs["spectrum"], "-o", "mine.yaml")
    assert said.code == 130
    assert list(Path().iterdir()) == []
