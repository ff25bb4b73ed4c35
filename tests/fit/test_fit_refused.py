"""What no cell can be found from is said before anything is fitted, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from command_line import Said, refused

Here = Callable[..., Said]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["strip"], ["no complete spectrum", "the impedance of the fresh cell"]),
        (["near", "far"], ["runs of several cells: ", "is of near", "is of far", "--name"]),
        (["near", "far", "--name", "one"], ["0.4418 cm2", "0.785 cm2", "two cells"]),
        (["box", "--model", "nak"], ["Ewe at rest is 0.4 V", "model nak", "--model circuit"]),
        (["near", "--model", "nack"], ["no such model", "did you mean nak?"]),
        (["near", "--like", "dummy"], ["--like dummy: a circuit begins with what the spectrum shows"]),
        (["near", "--like", "dummy", "--model", "nak"], ["its model is circuit, and nak is to be fitted"]),
        (["near", "--area", "3"], ["--area 3", "3 cm2"]),
        (["near", "--thickness", "0 mm"], ["--thickness 0 mm"]),
        (["near", "--composition", "101"], ["--composition 101: wt% K"]),
        (["near", "-o", "cell.txt"], ["cell.txt: the name of a cell's file ends in .yaml"]),
        (["near", "-o", "nowhere/cell.yaml"], ["there is no folder nowhere"]),
    ],
)  # fmt: skip
def test_refused(given: list[str], why: list[str], runs: Mapping[str, Path], here: Here) -> None:
    words = [runs.get(word, word) for word in given]
    told = refused(here("sim", "fit", *words))
    assert all(part in told for part in why), told
    assert list(Path().iterdir()) == []


def test_all_files_that_cannot_be_read_are_told_at_once(runs: Mapping[str, Path], here: Here) -> None:
    Path("cut.h5").write_bytes(runs["near"].read_bytes()[:5000])
    Path("text.h5").write_text("time, Ewe")
    told = refused(here("sim", "fit", runs["near"], "cut.h5", "text.h5", "none.h5", "cell.yaml"))
    assert [line.partition(" ")[0] for line in told.splitlines()] == [
        "cut.h5",
        "text.h5",
        "none.h5:",
        "cell.yaml",
    ]
    assert not list(Path().glob("*.yaml"))


def test_without_scipy_it_says_what_to_install(
    runs: Mapping[str, Path], here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl import errors

    monkeypatch.setattr(errors, "find_spec", lambda name: None)
    assert 'pip install "nakctl[fit]"' in refused(here("sim", "fit", runs["near"]))


def test_ctrl_c_leaves_nothing_behind(
    runs: Mapping[str, Path], here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl.fit import search

    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(search.Misfit, "slopes", interrupted)
    said = here("sim", "fit", runs["near"], "-o", "mine.yaml")
    assert said.code == 130
    assert list(Path().iterdir()) == []
