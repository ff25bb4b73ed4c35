"""Which runs there are: written down at the start, dropped once they are over, kept while nobody can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nakctl.record import files, lock, registry
from nakctl.record.registry import KnownRun, drive_of, enter, forget, is_away, known_runs
from nakctl.record.slot import Slot


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "user" / "runs"))
    return tmp_path / "user" / "runs"


def begun(path: Path, run_id: str = "1234-ab", **more: object) -> KnownRun:
    """One that has a journal."""
    files.journal_of(path).touch()
    run = replace(KnownRun(run_id, path, "bench-1", "CCD", "NaK7", 42, "2026-05-01T12:00:00+02:00"), **more)
    assert enter(run) == ""
    return run


def test_what_was_entered_is_listed_until_it_is_forgotten(tmp_path: Path, runs: Path) -> None:
    run = begun(tmp_path / "a ü.h5", address="USB0", channel=3, area_cm2=0.785, simulated=True)
    (found,) = known_runs()
    assert replace(found, drive="") == run
    assert [each.name for each in runs.iterdir()] == ["1234-ab.json"]
    forget(run.run_id)
    forget(run.run_id)
    assert known_runs() == []


def test_runs_are_in_the_order_of_their_start(tmp_path: Path) -> None:
    for k in (2, 0, 1):
        begun(tmp_path / f"{k}.h5", f"id-{9 - k}", started=f"2026-05-0{k + 1}T12:00:00+02:00")
    assert [run.path.stem for run in known_runs()] == ["0", "1", "2"]


def test_a_sealed_run_and_a_removed_one_are_dropped(tmp_path: Path, runs: Path) -> None:
    sealed, removed = begun(tmp_path / "a.h5", "a"), begun(tmp_path / "b.h5", "b")
    kept = begun(tmp_path / "c.h5", "c")
    assert len(known_runs()) == 3
    sealed.path.touch()
    for run in (sealed, removed):
        files.journal_of(run.path).unlink()
    assert [run.run_id for run in known_runs()] == [kept.run_id]
    assert [each.stem for each in runs.iterdir()] == ["c"]


def test_without_its_journal_it_is_kept_as_long_as_somebody_records(tmp_path: Path) -> None:
    """Which is put in its place again."""
    run = begun(tmp_path / "a.h5")
    files.journal_of(run.path).unlink()
    with lock.hold(files.lock_of(run.path)):
        assert len(known_runs()) == 1
    assert known_runs() == []


def test_another_run_of_the_same_name_is_not_taken_for_it(tmp_path: Path) -> None:
    begun(tmp_path / "a.h5", "old")
    begun(tmp_path / "a.h5", "new")
    slot = Slot(tmp_path / "a.h5")
    slot.tell({"run_id": "new"})
    slot.close()
    assert [run.run_id for run in known_runs()] == ["new"]


def test_a_drive_that_is_not_there_keeps_its_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    is_mount = registry._is_mount
    monkeypatch.setattr(registry, "_is_mount", lambda path: path == drive or is_mount(path))
    (drive / "runs").mkdir()
    begun(drive / "runs" / "a.h5")
    assert not is_away(known_runs()[0])
    drive.rename(tmp_path / "unplugged")
    for folders in (
        [],
        [drive],
        [drive / "runs"],
    ):  # nothing, an empty mount point, another drive in its place
        for folder in folders:
            folder.mkdir()
        (found,) = known_runs()
        assert is_away(found)
    (drive / "runs").rmdir()
    drive.rmdir()
    (tmp_path / "unplugged").rename(drive)
    assert len(known_runs()) == 1
    files.journal_of(drive / "runs" / "a.h5").unlink()
    (drive / "runs").rmdir()  # the drive is there, and the run is not
    assert known_runs() == []


def test_a_drive_is_known_by_what_is_there(tmp_path: Path) -> None:
    assert drive_of(tmp_path) == drive_of(tmp_path.parent) != ""
    assert drive_of(tmp_path / "nothing") != ""  # that of the folder it would be in


NO_PATH = ("x.h5", "/a\\u0000b.h5", "/a\\ud800.h5")
NO_ENTRY = ["", "[]", "{}", '{"run_id": 1, "path": "x"}', '{"path": "x"}', "\x00"] + [
    f'{{"run_id": "1", "path": "{path}"}}' for path in NO_PATH
]


@pytest.mark.parametrize("content", NO_ENTRY)
def test_what_is_no_entry_is_left_alone(content: str, tmp_path: Path, runs: Path) -> None:
    begun(tmp_path / "a.h5")
    (runs / "z.json").write_text(content)
    assert len(known_runs()) == 1
    assert (runs / "z.json").exists()


def test_words_of_a_later_version_are_left_out(tmp_path: Path, runs: Path) -> None:
    begun(tmp_path / "a.h5")
    (file,) = runs.iterdir()
    file.write_text(json.dumps(json.loads(file.read_text()) | {"colour": "blue"}))
    assert len(known_runs()) == 1


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, runs: Path) -> None:
    runs.parent.write_text("in the way")
    assert "will not be listed by `nakctl status`" in enter(KnownRun("a", tmp_path / "a.h5"))
    forget("a")
    assert known_runs() == []


def test_an_id_is_no_path(tmp_path: Path, runs: Path) -> None:
    begun(tmp_path / "a.h5", "../../x")
    assert [each.parent for each in runs.iterdir()] == [runs]
    forget("../../x")
    assert list(runs.iterdir()) == []
