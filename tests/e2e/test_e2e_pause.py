"""`nakctl pause`, `resume` and `skip`: a run that goes on waits, from another terminal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import Going, Said, nakctl, samples_in
from patience import until
from terminals import Terminal

from nakctl import open as open_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes that are killed")

PAIRS = """\
nakctl: 1
name: Pairs
record: {every: 1 s}
limits: {Ewe: [-5 V, 5 V], I: 1 mA, time: 10 h}
steps:
  - repeat: 3
    steps:
      - strip: 10 uA
        for: 60 s
      - plate: 10 uA
        for: 60 s
finally: rest
"""
TABLES = ("samples", "steps", "chains", "events")


@pytest.fixture
def going(tmp_path: Path) -> Iterator[Going]:
    """Twenty times as fast: a step takes 3 s."""
    (tmp_path / "pairs.yaml").write_text(PAIRS, encoding="utf-8")
    with Going("run", "pairs.yaml", "--speed", "20", "--out", "x.h5", "--json", cwd=tmp_path) as going:
        until(lambda: samples_in(tmp_path / "x.h5") > 3)
        yield going


def health(folder: Path) -> str:
    return str(nakctl("status", "x.h5", "--json", cwd=folder).json["runs"][0]["health"])


def asked(*args: str, cwd: Path) -> Said:
    said = nakctl(args[0], "x.h5", *args[1:], cwd=cwd)
    assert said.code == 0, said
    return said


def tables(path: Path) -> dict[str, bytes]:
    with h5py.File(path) as file:
        names = [f"entry/{table}/{column}" for table in TABLES for column in file[f"entry/{table}"]]
        return {name: np.asarray(file[name][()]).astype("S").tobytes() for name in names}


def booked_anew(folder: Path) -> None:
    before = tables(folder / "x.h5")
    assert nakctl("recover", "--again", "x.h5", cwd=folder).code == 0
    assert tables(folder / "x.h5") == before


def test_it_waits_with_its_cell_open_and_goes_on_as_planned(going: Going, tmp_path: Path) -> None:
    said = asked("pause", "--why", "the cup is empty", cwd=tmp_path)
    assert "the run will pause after step 1." in said.out
    until(lambda: health(tmp_path) == "paused")
    told = nakctl("status", "x.h5", cwd=tmp_path).out
    assert "goes on with it" in told
    refused = nakctl("skip", "x.h5", cwd=tmp_path)
    assert (refused.code, "nakctl resume" in refused.err) == (1, True)
    assert asked("note", "refilled", cwd=tmp_path)
    asked("resume", cwd=tmp_path)
    now = asked("pause", "--now", "--json", cwd=tmp_path)
    assert now.json["cell_open"] is True
    until(lambda: health(tmp_path) == "paused")
    asked("resume", cwd=tmp_path)
    asked("skip", "--why", "enough", cwd=tmp_path)
    report = going.end()
    assert (report.code, report.json["status"]) == (0, "completed")
    with open_run(tmp_path / "x.h5") as run:
        kinds = [str(kind) for kind in run.steps.end_kind]
        assert run.steps.cycle.tolist() == [1, 1, 2, 2, 3, 3]
        codes = [str(code) for code in run.events.code]
        messages = " ".join(str(message) for message in run.events.message)
    assert sorted(kinds) == ["duration"] * 5 + ["skipped"]
    assert codes.count("paused") == codes.count("resumed") == 2
    assert "asks: pause after step (the cup is empty)" in messages
    assert "skipped by" in messages
    booked_anew(tmp_path)


def test_a_stop_ends_it_while_it_is_paused(going: Going, tmp_path: Path) -> None:
    asked("pause", "--now", cwd=tmp_path)
    assert "the cell is open" in asked("stop", cwd=tmp_path).out
    report = going.end()
    assert (report.code, report.json["status"]) == (130, "aborted")
    with open_run(tmp_path / "x.h5") as run:
        assert str(run.steps.end_kind[-1]) == "operator"
    booked_anew(tmp_path)


def test_ctrl_c_ends_it_while_it_is_paused(going: Going, tmp_path: Path) -> None:
    asked("pause", "--now", cwd=tmp_path)
    assert going.end(signal.SIGINT).code == 130


def test_killed_while_it_is_paused_its_file_is_made_whole(going: Going, tmp_path: Path) -> None:
    asked("pause", "--now", cwd=tmp_path)
    going.process.kill_all()
    going.end()
    gone = nakctl("resume", "x.h5", cwd=tmp_path)
    assert (gone.code, "nakctl stop" in gone.err) == (3, True)
    assert nakctl("stop", "x.h5", cwd=tmp_path).code == 0
    with open_run(tmp_path / "x.h5") as run:
        assert "paused" in [str(code) for code in run.events.code]
        assert str(run.steps.end_kind[-1]) == "operator"
    booked_anew(tmp_path)
    over = nakctl("resume", "x.h5", cwd=tmp_path)
    assert over.code == 2
    assert "there is nothing to resume" in over.err


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("pause", "y.h5"), "no such run"),
        (("pause", "x.h5", "--after", "lunch"), "One of step, cycle, spectrum"),
        (("pause", "x.h5", "--after", "step", "--now"), "give one of them"),
        (("skip", "x.h5", "--why", " "), "the reason is empty"),
        (("resume", "x.h5", "--why", "x" * 100), "a note keeps more"),
    ],
)
def test_slips(command: tuple[str, ...], says: str, short: Path) -> None:
    nakctl("run", "short.yaml", "--out", "x.h5", "--quiet", cwd=short)
    said = nakctl(*command, cwd=short)
    assert said.code == 2, said
    assert says in said.err
    assert "Traceback" not in said.err


# --- a protocol that asks ------------------------------------------------------------------------------

ASKING = PAIRS.replace(
    "      - plate: 10 uA", "      - ask: change the pressure\n      - plate: 10 uA"
).replace("repeat: 3", "repeat: 2")


def test_the_protocol_asks_and_a_person_answers(tmp_path: Path) -> None:
    """By Enter where the run is shown, or by `nakctl resume`; each answer has a name and a time."""
    (tmp_path / "asking.yaml").write_text(ASKING.replace("60 s", "20 s"), encoding="utf-8")
    shown = Terminal("run", "asking.yaml", "--speed", "20", "--out", "x.h5", cwd=tmp_path)
    try:
        shown.until(lambda: "change the pressure; then nakctl resume" in shown.text)
        assert "Enter: it is done, go on" in shown.text
        assert "change the pressure; then" in nakctl("status", "x.h5", cwd=tmp_path).out
        shown.type("\n")
        shown.until(lambda: "cycle 2" in shown.text and "change the pressure; then" in shown.text)
        asked("resume", cwd=tmp_path)
        assert shown.end() == 0
    finally:
        shown.close()
    with open_run(tmp_path / "x.h5") as run:
        assert run.steps.cycle.tolist() == [1, 1, 2, 2]
        told = [(str(c), str(m)) for c, m in zip(run.events.code, run.events.message, strict=True)]
    assert [m for c, m in told if c == "ask"] == [
        "asked for: change the pressure; the cell is open, and the run waits for an answer"
    ] * 2
    answers = [m for c, m in told if c == "resumed"]
    assert len(answers) == 2 and all("@" in m and "after" in m for m in answers)
    booked_anew(tmp_path)
