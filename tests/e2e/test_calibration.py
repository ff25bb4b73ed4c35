"""The simulated cell tells the truth of the paper: every row of the table, through the whole chain."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import Said, nakctl, nakctl_anew

from nakctl.cli import sim_compare
from nakctl.errors import ExitCode, InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    folder = tmp_path_factory.mktemp("compare")
    return nakctl_anew("sim", "compare", "--json", "--keep", "runs", cwd=folder), folder / "runs"


def test_every_row_has_a_value_in_its_band(compared: tuple[Said, Path]) -> None:
    said, _ = compared
    assert [(row["name"], row["value"], row["band"]) for row in said.json if not row["in_band"]] == []
    assert said.code == 0
    assert said.err == ""


def test_a_row_says_what_the_paper_says_and_what_came_out(compared: tuple[Said, Path]) -> None:
    rows = compared[0].json
    assert len(rows) >= 40
    assert all(row.keys() == {"name", "paper", "band", "value", "in_band"} for row in rows)
    assert all(row["paper"] and row["band"] and row["value"] is not None for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)


def test_the_values_come_from_sealed_files_that_say_simulated(compared: tuple[Said, Path]) -> None:
    shown = nakctl("show", "pulses_10s.h5", "--json", cwd=compared[1])
    row = next(row for row in compared[0].json if row["name"].startswith("pulses, 10 s of rest"))
    assert shown.json["simulated"] is True
    assert shown.json["sealed"] is True
    assert shown.json["critical_capacity_mAh_cm2"] == pytest.approx(row["value"], rel=1e-3)


# What the paper's four figures claim, as a reader of `show` finds it: run, number, from, to.
CLAIMS = (
    ("strip_NaK50", "strip_threshold_mA_cm2", 0.5, 0.7),  # Fig. 3: ~0.6
    ("strip_NaK65", "strip_threshold_mA_cm2", 0.1, 0.2),  # Fig. S6: ~0.15
    ("strip_NaK50", "gamma_int_fast_from_mA_cm2", 0.5, 0.7),
    ("strip_NaK50", "gamma_int_fast_gone_after_s", 1.0, 40.0),  # Fig. 3: in the first spectrum, after 35 s
    ("pulses_1s", "critical_capacity_mAh_cm2", 1.2, 3.2),  # Fig. 4c: 2, 10 and 12 to 14
    ("pulses_2s", "critical_capacity_mAh_cm2", 7.5, 12.0),
    ("pulses_10s", "critical_capacity_mAh_cm2", 11.5, 15.0),
    ("ccd_NaK50", "ccd_mA_cm2", 0.15, 0.25),  # Fig. 1: short at 0.4, after 0.2 was held
    ("ccd_NaK50", "short_at_mA_cm2", 0.35, 0.45),
)


@pytest.mark.parametrize(("run", "number", "low", "high"), CLAIMS)
def test_the_claims_of_the_paper_are_shown(
    run: str, number: str, low: float, high: float, compared: tuple[Said, Path]
) -> None:
    assert low < nakctl("show", f"{run}.h5", "--json", cwd=compared[1]).json[number] < high


def test_the_numbers_behind_a_figure_are_those_of_the_file(compared: tuple[Said, Path]) -> None:
    how = ("--kind", "staircase", "-o", "fig.svg", "--data", "fig.csv")
    assert nakctl("plot", "strip_NaK50.h5", *how, cwd=compared[1]).code == 0
    with (compared[1] / "fig.csv").open(encoding="utf-8-sig", newline="") as rows:
        j_mA_cm2, Ewe_V = np.array([row[1:3] for row in list(csv.reader(rows))[1:97]], float).T
    with h5py.File(compared[1] / "strip_NaK50.h5") as file:
        steps, samples = file["entry/steps"], file["entry/samples"]
        under = steps["technique"][()] == b"GEIS"
        last = (steps["first_row"][()] + steps["row_count"][()] - 1)[under]
        I_A, ended_V = samples["control"][()][last], samples["Ewe"][()][last]
    flows = np.abs(I_A) > 1e-9  # the pristine cell is looked at without any
    assert np.allclose(j_mA_cm2, I_A[flows] * 1e3 / 0.4418, rtol=1e-5)
    assert np.array_equal(Ewe_V.astype("f4"), ended_V[flows])


def test_what_cannot_be_kept_or_was_interrupted_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="nothing is overwritten"):
        sim_compare.compare(as_json=False, keep=tmp_path)
    with pytest.raises(InputError, match=r"--keep .*file.x: "):
        sim_compare.compare(as_json=False, keep=tmp_path / "file" / "x")

    def interrupted(folder: Path) -> dict[str, Path]:
        raise KeyboardInterrupt

    monkeypatch.setattr(sim_compare, "run_all", interrupted)
    assert sim_compare.compare(as_json=False, keep=tmp_path / "runs") == ExitCode.INTERRUPTED
    assert f"what was run so far is in {tmp_path / 'runs'}" in capsys.readouterr().err
