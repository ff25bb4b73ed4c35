"""What a user types wrong: exit 2, a sentence with the cure, nothing started, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said, nakctl, refused
from short_run import SHORT

Here = Callable[..., Said]

MISTAKES = [
    ("run ccdd", "did you mean ccd?"),
    ("check nosuch", "neither a file nor a shipped protocol"),
    ("check .", "there is no file of nakctl in ."),
    ("format", "there is no file of nakctl in ."),
    ("format nosuch.yaml", "no such file"),
    ("diff ccd", "name two protocols"),
    ("diff ccd ccdd", "did you mean ccd?"),
    ("protocols show cdc", "did you mean ccd?"),
    ("protocols copy nosuch", "is no shipped protocol"),
    ("protocols copy ccd nowhere/ccd.yaml", "there is no folder nowhere"),
    ("check ccd --on sim-sp30", "did you mean sim-sp300?"),
    ("check ccd --on 7", "channels are: sim-sp300, sim-vmp3"),
    ("check ccd --cell nosuch", "there is no cell nosuch"),
    ("check ccd --cell nosuch.yaml", "nosuch.yaml"),
    ("check ccd --rig nosuch.yaml", "nosuch.yaml"),
    ("check ccd --set half_cycel=1h", "did you mean half_cycle?"),
    ("check ccd --set half_cycle", "write it as name=value"),
    ("check ccd --set half_cycle=2", "has no unit"),
    ("check ccd --set half_cycle=2V", "is a potential"),
    ("run ccd --each half_cycle", "write it as name=value,value"),
    ("run ccd --each rest=1s,2s", "rest is no parameter of this protocol"),
    ("run ccd --each half_cycle=1h,1h", "asks for the same run twice"),
    ("run ccd --speed 0", "above 0"),
    ("run ccd --speed nan", "above 0"),
    ("run ccd --speed inf", "above 0"),
    ("run ccd --speed 2 --realtime", "give one of them"),
    ("run ccd --out nowhere/x.h5", "nowhere is no folder"),
    (f"run ccd --out {'x' * 200}.h5", "too long a name: while it is recorded, files lie beside it"),
    ("run ccd --out x.txt", "ends in .h5"),
    ("run ccd --on sim-vmp3", "1 MHz would fit"),
    ("show nosuch.h5", "no such file"),
    ("plot nosuch.h5", "no such file"),
    ("plot nosuch.h5 -o x.bmp", "ends in one of .png"),
    ("recover nosuch.h5", "no such run"),
    ("plan ccd --plot x", "ends in one of .png"),
    ("plan ccd --plot nowhere/x.png", "there is no folder nowhere"),
]


@pytest.mark.parametrize(("line", "told"), MISTAKES)
def test_it_is_explained(line: str, told: str, here: Here, tmp_path: Path) -> None:
    assert told in refused(here(*line.split(" ")))
    assert list(tmp_path.iterdir()) == []


def test_as_a_process_it_is_the_same(tmp_path: Path) -> None:
    said = refused(nakctl("run", "ccdd", cwd=tmp_path))
    assert said.startswith("ccdd is neither a file nor a shipped protocol; did you mean ccd?")
    assert len(said.splitlines()) == 1


def test_with_debug_the_traceback_is_shown(tmp_path: Path) -> None:
    said = nakctl("--debug", "plan", "ccdd", cwd=tmp_path)
    assert said.code != 0
    assert "Traceback" in said.err


@pytest.mark.parametrize(
    "words", [("bogus",), ("run",), ("run", "ccd", "--speed", "x"), ("run", "ccd", "--sped", "1")]
)
def test_words_that_the_command_line_does_not_know(words: tuple[str, ...], here: Here) -> None:
    said = here(*words)
    assert said.code == 2
    assert "Usage: " in said.err


BROKEN = [
    ("  - rest: $rest", "  - rest: 20", [(9, "has no unit")]),
    ("strip: $current", "srtip: $current", [(11, "strip")]),
    (
        "limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}",
        "limits: {Ewe: [-1 V, 1 V], I: 1 V}",
        [(7, "1 V is a")],
    ),
    ("name: A short run", "name: A short run\nname: Another", [(3, "name")]),
    ("  - rest: $rest", "\t- rest: $rest", [(9, "tab")]),
    ("nakctl: 1", "nakctl: 3", [(1, "1")]),
    ("from: 1 kHz", "from: 9 MHz", [(5, "7 MHz")]),
    (
        "record: {every: 1 s}\nlimits:",
        "record: {every: 1 V}\nlimit:",
        [(6, "1 V is a"), (7, "did you mean limits?")],
    ),
]


@pytest.mark.parametrize(("right", "wrong", "told"), BROKEN)
def test_a_broken_protocol_names_every_line(
    right: str, wrong: str, told: list[tuple[int, str]], here: Here, tmp_path: Path
) -> None:
    assert right in SHORT
    (tmp_path / "mine.yaml").write_text(SHORT.replace(right, wrong), encoding="utf-8")
    said = refused(here("check", "mine.yaml"))
    for line, words in told:
        place = [text for text in said.splitlines() if text.startswith(f"mine.yaml:{line}:")]
        assert any(words in text for text in place), said


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00broken", b"[]", b"- - -", b"a: &a [*a]", b"\x00", b"x" * 2_000_000]
)
def test_no_file_whatsoever_makes_a_traceback(content: bytes, here: Here, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    assert "mine.yaml" in refused(here("run", "mine.yaml"))


def test_every_file_is_checked_after_one_with_faults(here: Here, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("nakctl: 1\n", encoding="utf-8")
    said = here("check", "mine.yaml", "ccd", "nosuch", "--json")
    assert said.code == 2
    assert [report["ok"] for report in said.json["files"]] == [False, True, False]


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"\x89HDF\r\n\x1a\n"])
def test_a_file_that_is_no_run(content: bytes, here: Here, tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(content)
    for command in ("show", "plot"):
        said = here(command, "x.h5")
        assert said.code == 1
        assert said.err.startswith("x.h5 ")


def test_an_hdf5_file_of_something_else(here: Here, tmp_path: Path) -> None:
    import h5py

    h5py.File(tmp_path / "x.h5", "w").close()
    for command in ("show", "plot"):
        said = here(command, "x.h5")
        assert said.code == 1
        assert said.err.startswith("x.h5 ")
