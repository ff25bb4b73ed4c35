"""RUN, as people name it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from nakctl.cli.which_run import KnownRun, find_run, known_runs
from nakctl.errors import InputError
from nakctl.record import files, lock, registry


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def begun(path: Path, run_id: str, place: str, protocol: str) -> KnownRun:
    files.journal_of(path).touch()
    run = KnownRun(
        run_id, path, place, protocol, "NaK7", 1, f"2026-05-01T12:00:0{len(known_runs())}+02:00",
        protocol_file=f"{protocol.lower()}.yaml",
    )  # fmt: skip
    registry.enter(run)
    return run


@pytest.fixture
def three(tmp_path: Path) -> None:
    begun(tmp_path / "a.h5", "aa11-x", "bench-1", "CCD")
    begun(tmp_path / "b.h5", "aa22-x", "bench-2", "CCD")
    begun(Path("c.h5").resolve(), "bb33-x", "bench-3", "Strip")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("aa11-x", "a"),
        ("aa2", "b"),
        ("BB3", "c"),
        ("bench-2", "b"),
        ("Bench-2", "b"),
        ("strip", "c"),
        ("strip.yaml", "c"),
        ("a.h5", "a"),
        ("a", "a"),
        ("c", "c"),
        ("../b", "b"),
        ("../b.h5", "b"),
        ("{folder}/b.h5", "b"),
        ("{folder}/here/c", "c"),
    ],
)
def test_all_its_names(text: str, found: str, three: None, tmp_path: Path) -> None:
    assert find_run(text.format(folder=tmp_path)).path.stem == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("CCD", "CCD: more than one run fits: aa11-x (a.h5 on bench-1), aa22-x (b.h5 on bench-2); name one by its id"),
        ("aa", "aa: no such run; there are: aa11-x (a.h5 on bench-1), aa22-x (b.h5 on bench-2), bb33-x (c.h5 on bench-3)"),
        ("nobody.h5", "no such run; there are"),
        ("no\0body", "no such run; there are"),
        ("", "no such run"),
    ],
)  # fmt: skip
def test_what_fits_none_or_many_is_told_with_what_there_is(text: str, reason: str, three: None) -> None:
    with pytest.raises(InputError) as error:
        find_run(text)
    assert reason in str(error.value)


def test_the_one_that_lives_is_meant(three: None, tmp_path: Path) -> None:
    with ExitStack() as held:
        held.enter_context(lock.hold(files.lock_of(tmp_path / "b.h5")))
        assert find_run("ccd").path.stem == "b"
        held.enter_context(lock.hold(files.lock_of(tmp_path / "a.h5")))
        with pytest.raises(InputError, match="more than one"):
            find_run("ccd")


def test_where_there_is_none() -> None:
    with pytest.raises(InputError, match=r"x: no such run: no run is known here; give the path of its file"):
        find_run("x")


def test_a_file_that_was_never_listed(ccd: Any) -> None:
    found = find_run(str(ccd.path))
    assert (found.path, found.cell, found.protocol_file) == (ccd.path.resolve(), "NaK50", "ccd.yaml")
    assert len(found.run_id) == 36
    assert not found.protocol.startswith("SIMULATED")


def test_what_is_no_result_file_is_no_run() -> None:
    Path("x.h5").write_text("x")
    with pytest.raises(InputError, match="no such run"):
        find_run("x.h5")
