"""The simulated cell tells the truth of the paper: every row of the table, through the whole chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Said, nakctl, nakctl_anew

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


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    said = nakctl("sim", "compare", "--keep", ".", cwd=tmp_path)
    assert said.code == 2
    assert "nothing is overwritten" in said.err
