"""Reports: all that is told is text, nothing comes from elsewhere, and any file has one."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import hostile
import numpy as np
import pytest
import results_runs as runs
from command_line import Said, refused
from hostile import Parsed

from nakctl.figures.kinds import KINDS
from nakctl.page.curves import Named
from nakctl.page.report import _side_by_side, comparison, report
from nakctl.page.said import Found
from nakctl.record.read import open_run

Here = Callable[..., Said]
LOADING = (
    "src",
    "href",
    "srcset",
    "data",
    "poster",
    "action",
    "formaction",
    "background",
    "ping",
    "manifest",
)


def page_of(*paths: Path) -> str:
    opened = [open_run(path) for path in paths]
    return report(opened[0]) if len(opened) == 1 else comparison(opened)


@pytest.fixture(scope="module")
def page(path: Path) -> str:
    return page_of(path)


def shown(text: str) -> str:
    return " ".join(text.replace("\u202e", "\ufffd").split())


@pytest.mark.parametrize("name", hostile.ALL)
def test_a_name_is_text(name: str, page: str) -> None:
    assert shown(name) in Parsed(page).shown


def test_no_name_became_an_element(page: str) -> None:
    parsed = Parsed(page)
    assert "img" not in parsed.names
    assert not any("gotcha-2718" in script for script in parsed.scripts)
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert len(parsed.scripts) == 2  # Bokeh's, and ours


def test_nothing_comes_from_elsewhere(page: str) -> None:
    parsed = Parsed(page)
    assert parsed.values(*LOADING) == []
    [policy] = [each for each in parsed.values("content") if "default-src" in each]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_warnings_and_gaps_come_first(page: str) -> None:
    text = Parsed(page).shown
    first, _, rest = text.partition("Key numbers")
    assert "1 known gap in the record" in first
    assert "1 interruption" in first
    assert "rows are missing" in first
    for title in ("Against time", "Spectra through the run", "What was asked", "What was done", "Events"):
        assert title in rest


def test_numbers_stand_there_as_the_file_says_them(path: Path, page: str) -> None:
    text = Parsed(page).shown
    for line in open_run(path).header.results["text"].splitlines():
        assert line in text


def test_every_kind_of_figure_that_suits_the_run_is_there(path: Path, page: str) -> None:
    run = open_run(path)
    mine = {name for name, kind in KINDS.items() if kind.suits(run)} - {
        "run",
        "voltage",
        "nyquist",
        "capacity",
    }
    assert {"bode", "drt"} <= mine
    ids = set(Parsed(page).values("id"))
    assert {each.removeprefix("of-") for each in ids if each.startswith("of-")} == mine


def test_spectra_are_those_of_the_file(path: Path, page: str) -> None:
    [told] = [each for each in Parsed(page).data if "words" in each]
    x, y = (np.frombuffer(b64decode(told[name]), "<f4") for name in "xy")
    f_Hz, z_ohm = open_run(path).spectrum(2)
    second = slice(told["first"][1], told["first"][2])
    assert len(told["words"]) == 2
    np.testing.assert_allclose(x[second], z_ohm.real * runs.AREA_cm2, rtol=1e-6)
    np.testing.assert_allclose(y[second], -z_ohm.imag * runs.AREA_cm2, rtol=1e-6)
    assert len(x[second]) == len(f_Hz)


def _no_area(folder: Path) -> Path:
    return runs.written(folder / "x.h5", [runs.rest(3)], sample={"name": "cell"})


def _nothing_at_all(folder: Path) -> Path:
    empty = runs.tables_of([runs.rest(1)])
    return runs.written(
        folder / "x.h5", [], tables={name: rows[:0] for name, rows in empty.items()}, sample={}
    )


def _no_number(folder: Path) -> Path:
    return runs.written(folder / "x.h5", [runs.strip(np.nan, [np.nan, np.nan])])


def _one_sample(folder: Path) -> Path:
    return runs.written(folder / "x.h5", [runs.rest(1)])


@pytest.mark.parametrize("made", [_no_area, _nothing_at_all, _no_number, _one_sample])
def test_any_file_has_a_report(made: Callable[[Path], Path], tmp_path: Path) -> None:
    text = Parsed(page_of(made(tmp_path))).shown
    assert "Look at this first" in text
    assert "Where it comes from" in text
    assert "mA/cm" not in text or made is not _no_area
    assert "could not be drawn" not in text


def test_a_fault_in_a_figure_costs_that_figure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(KINDS["charge"], draw=lambda runs, choice: 1 / 0)
    monkeypatch.setitem(KINDS, "charge", broken)
    text = Parsed(page_of(path)).shown
    assert text.count("it could not be drawn") == 1
    assert "Where it comes from" in text


def test_runs_stand_beside_each_other(path: Path, tmp_path: Path) -> None:
    other = runs.written(tmp_path / "other.h5", [runs.strip(1e-3, [0.1] * 9)], sample={"name": "no area"})
    parsed = Parsed(page_of(path, other))
    assert "2 runs beside each other" in parsed.shown
    assert shown(hostile.IMAGE) in parsed.shown
    [curves] = [str(each) for each in parsed.data if each.get("name") == "time"]
    assert "I / mA" in curves  # areal for both, or for none
    assert "mA cm" not in curves


def test_the_command_writes_it_beside_the_run(path: Path, here: Here, tmp_path: Path) -> None:
    said = here("report", path, "-o", "x.html")
    assert (said.code, said.out) == (0, "x.html\n")
    assert (tmp_path / "x.html").read_text("utf-8").startswith("<!doctype html>")
    assert "exists already; --overwrite" in refused(here("report", path, "-o", "x.html"))
    assert here("report", path, "-o", "x.html", "--overwrite").code == 0
    assert [each.name for each in tmp_path.iterdir()] == ["x.html"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x.h5",), "x.h5: no such file"),
        (("x.h5", "-o", "x.pdf"), "the name of a page ends in .html"),
        (("x.h5", "-o", "none/x.html"), "there is no folder none"),
        ((".",), ". is a folder"),
        ((".", "x.h5"), ". is a folder"),
        (("x.h5", "-o", "folder.html", "--overwrite"), "folder.html is a folder"),
    ],
)
def test_what_cannot_be_is_told(words: tuple[str, ...], told: str, here: Here, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    assert told in refused(here("report", *words))


def test_without_bokeh_it_is_said_what_to_install(
    path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [each for each in sys.modules if each.partition(".")[0] == "bokeh"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "bokeh", None)
    assert 'pip install "nakctl[page]"' in refused(here("report", path))
    assert 'pip install "nakctl[page]"' in refused(here("serve"))


def test_a_file_that_says_nothing_of_itself_is_no_fault(tmp_path: Path) -> None:
    bare: dict[str, Any] = {"sample": {}, "title": ""}
    assert (
        "a run without a title"
        in Parsed(page_of(runs.written(tmp_path / "x.h5", [runs.rest(2)], **bare))).shown
    )


def test_quantities_of_one_name_stand_apart_and_what_the_cell_did_first(path: Path) -> None:
    """A short at 0.4 mA/cm2, and the same at a time: both are "short at"."""
    numbers = {"samples": 5, "duration_s": 90_000.0, "short_at_mA_cm2": 0.4, "short_at_s": 28_607.2}
    found = [Found(numbers, ()), Found({"samples": 6}, ())]
    with open_run(path) as run:
        shown = Parsed(_side_by_side([Named(run, "a"), Named(run, "b")], found)).shown
    assert "short at0.4 mA/cm2noneshort at28607.2 s (7 h 57 min)nonesamples56" in shown
    assert "duration90000 s (25 h)none" in shown
    with open_run(path) as run:
        many = Parsed(_side_by_side([Named(run, f"r{k}") for k in range(8)], [found[0]] * 8))
    assert many.names.count("th") == 9 + 7 + 3  # on a screen; and on paper, where six stand abreast
