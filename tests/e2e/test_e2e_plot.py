"""`nakctl plot`: which figure of which part of which runs, and what it says where that cannot be."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, refused
from short_run import Ran

Here = Callable[..., Said]


def test_the_kinds_are_listed_with_a_sentence(here: Here) -> None:
    for said in (here("plot", "--kinds"), here("plot", "--kind", "list")):
        assert said.code == 0
        assert "drt-map" in said.out and "Fig. 1b-e" in said.out
        assert "critical stripping capacity against the rest" in said.out


def test_an_unknown_kind_is_told_what_there_is(here: Here, over: Path) -> None:
    said = refused(here("plot", over / "x.h5", "--kind", "nyqist"))
    assert "there is no kind 'nyqist'; did you mean nyquist?" in said
    assert "drt-map" in said and "relaxation times through the run" in said


def test_what_a_run_lacks_is_told_with_what_suits_it(here: Here, over: Path) -> None:
    said = refused(here("plot", over / "x.h5", "--kind", "staircase", "-o", "x.png"))
    assert "lacks what staircase shows: a staircase" in said
    assert "what suits it: run, voltage, charge" in said


def test_spectra_are_chosen_where_spectra_are_shown(here: Here, over: Path) -> None:
    said = refused(here("plot", over / "x.h5", "--kind", "voltage", "--spectrum", "1", "-o", "x.png"))
    assert "voltage shows no single ones: run, drt-map" in said


def test_a_kind_is_drawn_beside_its_run(here: Here, over: Path, tmp_path: Path) -> None:
    shutil.copy(over / "x.h5", tmp_path / "x.h5")
    assert here("plot", "x.h5", "--kind", "nyquist").out == "x-nyquist.png\n"


def test_a_part_of_a_run_is_drawn_with_its_numbers(here: Here, ccd: Ran, tmp_path: Path) -> None:
    part = ["--kind", "drt-map", "--from", "1 h", "--to", "3h"]
    said = here("plot", ccd.path, *part, "-o", "x.png", "--data", "x.csv")
    assert (said.code, said.out) == (0, "x.png\nx.csv\n"), said.err
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[3:] == ["2 curve, SIMULATED", "2 time / h", "2 τ / s", "2 γ / Ω cm²"]
    times_h = [float(row[4]) for row in rows if row[4]]
    assert min(times_h) >= 1 and 2.9 < max(times_h) <= 3


def test_several_runs_and_one_that_cannot_be_read(here: Here, ccd: Ran, over: Path, tmp_path: Path) -> None:
    assert here("plot", ccd.path, over / "x.h5", "--kind", "voltage", "-o", "both.svg").code == 0
    (tmp_path / "text.h5").write_text("time, Ewe")
    said = here("plot", ccd.path, "text.h5", "--kind", "voltage", "-o", "x.png")
    assert (said.code, said.out) == (1, "")
    assert "text.h5" in said.err and "no HDF5 file" in said.err
    said = here("plot", ccd.path, over / "x.h5", "--kind", "staircase", "-o", "x.png")
    assert "lacks what staircase shows" in refused(said)
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "5 h"], "holds no samples of: from 5 h; it has the steps"),
        (["--from", "5"], "--from: 5 has no unit"),
        (["--to", "3 mA"], "--to: 3 mA is a current"),
        (["--from", "2 s", "--to", "1 s"], "that is no time at all"),
        (["--cycle", "2-"], "write numbers, as in --cycle 3"),
        (["--cycle", "5-2"], "a range begins with its smaller number"),
        (["--step", "9"], "has no step '9'; it has the steps '1 rest"),
        (["--kind", "nyquist", "--spectrum", "7"], "no complete spectra of: spectrum 7; it has"),
        (["-o", "x.jpg"], "ends in one of .png, .pdf, .svg"),
        (["--data", "x.txt"], "ends in .csv"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(
    options: list[str], words: str, here: Here, over: Path, tmp_path: Path
) -> None:
    target = [] if "-o" in options else ["-o", "x.png"]
    said = refused(here("plot", over / "x.h5", *target, *options))
    assert words in said
    assert not list(tmp_path.glob("x.*"))


def test_no_run_is_asked_for(here: Here) -> None:
    assert "which run?" in refused(here("plot"))


def test_a_table_is_not_overwritten(here: Here, over: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("precious")
    assert "exists already" in refused(here("plot", over / "x.h5", "-o", "x.png", "--data", "x.csv"))
    assert (tmp_path / "x.csv").read_text() == "precious"
    assert not (tmp_path / "x.png").exists()


def test_a_title_of_ones_own(here: Here, over: Path, tmp_path: Path) -> None:
    for title in ("My cell $x_{", ""):
        (tmp_path / "x.svg").unlink(missing_ok=True)
        assert here("plot", over / "x.h5", "-o", "x.svg", "--title", title).code == 0
        assert ("My cell" in (tmp_path / "x.svg").read_text(encoding="utf-8")) is bool(title)
