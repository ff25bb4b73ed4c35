"""Files of a run that somebody else has open, as Windows sees that: it neither removes nor replaces them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import record_rows as rows

from nakctl.cli.asked_runs import free_name
from nakctl.cli.beginning import leftovers
from nakctl.errors import InputError
from nakctl.record import files, lock, peek, seal
from nakctl.record.journal_reader import JournalReader

SHARING_VIOLATION, ACCESS_DENIED = 32, 5


def in_use(code: int = SHARING_VIOLATION, file: Path | str = "x") -> PermissionError:
    """As Windows raises it."""
    error = PermissionError(13, "in use", str(file))
    error.winerror = code  # type: ignore[attr-defined,unused-ignore]
    return error


class Held:
    """A file is held open by somebody, who lets go of it after so many tries."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, name: str, tries: int, error: PermissionError
    ) -> None:
        self.name, self.tries, self.error, self.tried = name, tries, error, 0
        for does in ("unlink", "replace"):
            monkeypatch.setattr(Path, does, self._refusing(getattr(Path, does)))

    def _refusing(self, do: Callable[..., Any]) -> Callable[..., Any]:
        def tried(path: Path, *more: Any, **words: Any) -> Any:
            if path.name == self.name:
                self.tried += 1
                if self.tried <= self.tries:
                    raise self.error
            return do(path, *more, **words)

        return tried


@pytest.mark.parametrize("code", [SHARING_VIOLATION, ACCESS_DENIED])
def test_who_has_a_file_open_for_a_moment_is_waited_for(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    held = Held(monkeypatch, "a", 3, in_use(code))
    files.put_in_place(tmp_path / "a", tmp_path / "b")
    assert held.tried == 4
    held.name, held.tried = "b", 0
    files.remove(tmp_path / "b")
    assert held.tried == 4
    assert list(tmp_path.iterdir()) == []


def test_who_keeps_it_open_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_IN_USE_s", 0.0)
    held = Held(monkeypatch, "a", 1000, in_use())
    with pytest.raises(PermissionError):
        files.remove(tmp_path / "a")
    assert held.tried < 3


def test_what_is_not_allowed_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held(monkeypatch, "a", 1, PermissionError(13, "not yours"))
    with pytest.raises(PermissionError):
        files.remove(tmp_path / "a")
    assert held.tried == 1


def test_a_run_is_sealed_also_if_somebody_keeps_its_journal_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    rows.journal_only(path, 4)
    with monkeypatch.context() as patch:
        patch.setattr(files, "_IN_USE_s", 0.0)
        Held(patch, "x.h5.journal", 1000, in_use(file=files.journal_of(path)))
        outcome = seal.seal(path)
    assert outcome.sealed
    held = f"{path} is sealed, and {path}.journal is held open by another program: close that, then nakctl recover"
    assert outcome.message == f"{held} {path}"
    assert files.journal_of(path).exists()
    assert seal.seal(path).sealed  # as `recover` does
    assert [each.name for each in tmp_path.iterdir()] == ["x.h5"]


def test_who_looks_while_a_journal_is_removed_leaves_no_logs_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be taken for those of the next journal of that name."""
    path = tmp_path / "x.h5"
    rows.journal_only(path, 4)
    journal, plain = files.journal_of(path), Path.unlink
    made = []

    def looked_at(file: Path, *more: Any, **words: Any) -> None:
        if file == journal:
            with peek.looking(journal) as db:
                db.execute("SELECT count(*) FROM document").fetchone()
                made.extend(each.name for each in tmp_path.glob("*-shm"))
        plain(file, *more, **words)

    monkeypatch.setattr(Path, "unlink", looked_at)
    seal.seal(path)
    assert made == ["x.h5.journal-shm"]
    assert [each.name for each in tmp_path.iterdir()] == ["x.h5"]


def test_who_gives_up_leaves_the_file_of_who_seals_now(tmp_path: Path) -> None:
    """The one follows a run that dies, and the other one recovers it."""
    path = rows.journal_only(tmp_path / "x.h5", 4)
    temporary = files.temporary_of(path)
    with closing(JournalReader(path)) as journal:
        seal._begin(path, journal)
    temporary.rename(tmp_path / "mine")
    temporary.write_bytes(b"another's")
    seal.remove_own(path)
    assert temporary.exists()
    (tmp_path / "mine").replace(temporary)
    seal.remove_own(path)
    assert not temporary.exists()


# --- names -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["file/x.h5", "none/x.h5", f"{'x' * 200}.h5", f"{'x' * 300}.h5"])
def test_where_nothing_can_be_nothing_is_held_and_no_name_is_looked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    assert not lock.is_held(files.lock_of(path))
    for refused in (files.refuse_existing, free_name):
        with pytest.raises(InputError, match=r"is no folder|too long a name"):
            refused(path)


@pytest.mark.skipif(os.name != "posix", reason="its names may be longer")
def test_what_cannot_be_recovered_keeps_no_other_run_from_its_start(tmp_path: Path) -> None:
    """Of a version before that refused no name: what lies beside it has none, and cannot be removed."""
    path = tmp_path / f"{'x' * 240}.h5"
    files.journal_of(path).touch()
    assert [*leftovers({tmp_path}, [])] == [f"{path} was left unsealed: File name too long"]


def test_what_is_being_sealed_is_nothing_that_was_left(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    files.journal_of(path).touch()
    with closing(lock.hold(files.sealer_of(path))):
        assert [*leftovers({tmp_path}, [])] == []
    assert [*leftovers({tmp_path}, [])] != []


# --- locks -------------------------------------------------------------------------------------------------


def test_who_asks_whether_a_lock_is_held_holds_it_for_nobody_else_who_asks(tmp_path: Path) -> None:
    file = tmp_path / "x.lock"
    file.touch()
    with file.open("rb") as asking:
        lock._take(asking, shared=True)
        code = f"from pathlib import Path; from nakctl.record import lock; print(lock.is_held(Path({str(file)!r})))"
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_lock_that_another_user_has_made_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows all may read what lies in the common folder, and who has made it may write it."""
    file = tmp_path / "x.lock"
    file.touch()
    plain = Path.open

    def read_only(path: Path, mode: str = "r", *more: Any, **words: Any) -> Any:
        if path == file and mode != "rb":
            raise PermissionError(13, "not yours", os.fspath(path))
        return plain(path, mode, *more, **words)

    monkeypatch.setattr(Path, "open", read_only)
    assert not lock.is_held(file)
    held = lock.hold(file)
    assert lock.is_held(file)
    held.close()
    assert not lock.is_held(file)
