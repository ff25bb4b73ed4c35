from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import record_rows as rows
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.errors import InputError, RecordError
from nakctl.record import files, journal, layout
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.poll import Event

TABLES = layout.tables({})

polls = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(["samples", "impedance", "steps", "clock"]), st.binary(max_size=600)),
        st.lists(
            st.builds(
                Event,
                st.floats(0, 1e9),
                st.integers(0, 2),
                st.text(max_size=5),
                st.integers(0, 100),
                st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
                st.dictionaries(st.sampled_from("ab"), st.integers()),
            ),
            max_size=2,
        ),
    ),
    max_size=8,
)


def as_rows(name: str, content: bytes) -> rows.Rows:
    dtype = TABLES[name].dtype
    return np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)


@settings(max_examples=40)
@given(polls)
def test_what_was_appended_is_read_in_the_same_order(given_polls: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = Journal.create(path, rows.header())
        kept = []
        for blocks, events in given_polls:
            tables = {name: as_rows(name, content) for name, content in blocks.items()}
            assert writer.append(tables, events) is None
            filled = {name: table.tobytes() for name, table in tables.items() if len(table)}
            if filled or events:
                kept.append((filled, events))
        writer.end("completed", "done", {}, end_kind="goal", end_id=3, end_value=1.5)
        reader = JournalReader(path)
        read = [(poll.blocks, poll.event_list()) for poll in reader.polls()]
        assert read == kept
        codes = {"end_kind": "goal", "end_id": 3, "end_value": 1.5}
        said = {"status": "completed", "end_reason": "done", "facts": {}, "polls": len(kept)}
        assert reader.end() == said | codes
        reader.close()
        writer.close()


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    reader = JournalReader(path)
    assert reader.end() is None
    seen = 0
    for k in range(5):
        writer.append({"samples": rows.samples(k * 10, 10)})
        new = list(reader.polls(after=seen))
        assert [poll.seq for poll in new] == [k + 1]
        np.testing.assert_array_equal(new[0].rows(layout.SAMPLES), rows.samples(k * 10, 10))
        seen = new[-1].seq
    reader.close()
    writer.close()


def test_the_header_comes_back_with_the_layout_and_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    header = rows.header(three_electrode=True)
    Journal.create(path, header).close()
    reader = JournalReader(path)
    assert reader.header["protocol"] == header["protocol"]
    assert reader.header["pid"] == os.getpid()
    assert reader.tables["samples"].dtype == layout.SAMPLES_3E.dtype
    reader.close()


def test_facts_may_be_numpy_numbers(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    writer.append({}, [Event(0.0, 0, "x", 0, "", {"a": np.float32(0.5), "b": np.arange(2)})])
    reader = JournalReader(path)
    assert next(reader.polls()).event_list()[0].facts == {"a": 0.5, "b": [0, 1]}
    reader.close()
    writer.close()


@pytest.mark.parametrize("name", ["run.h5", "run.h5.journal"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=r"not overwritten|not sealed"):
        Journal.create(tmp_path / "run.h5", rows.header())
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_a_run_that_does_not_fit_is_refused_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="MB left"):
        Journal.create(tmp_path / "run.h5", rows.header(expected_rows=10**15))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        Journal.create(tmp_path / "nowhere" / "run.h5", rows.header())


def test_rows_of_another_layout_are_refused(tmp_path: Path) -> None:
    writer = Journal.create(tmp_path / "run.h5", rows.header())
    with pytest.raises(TypeError, match="samples"):
        writer.append({"samples": rows.samples(0, 3, layout.SAMPLES_3E)})
    writer.close()


def interrupted_at(line: int, do: Callable[[], object]) -> bool:
    """Do it with a KeyboardInterrupt at the given line event inside of the journal; False if it had fewer."""
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != journal.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def test_an_interrupt_anywhere_neither_doubles_nor_loses_what_was_recorded(tmp_path: Path) -> None:
    line, interrupted = 0, True
    while interrupted:
        line += 1
        path = tmp_path / f"{line}.h5"
        writer = Journal.create(path, rows.header())
        writer.append({"samples": rows.samples(0, 10)})
        interrupted = interrupted_at(line, lambda w=writer: w.append({"samples": rows.samples(10, 10)}))
        writer.append({"samples": rows.samples(20, 10)})
        writer.end("aborted", "", {})
        reader = JournalReader(path)
        starts = [float(poll.rows(layout.SAMPLES)["time"][0]) / 2.5 for poll in reader.polls()]
        assert starts in ([0, 1, 2], [0, 2])  # gone only if it was interrupted before it was taken
        reader.close()
        writer.close()
    assert line > 10 and starts == [0, 1, 2]


# --- a full disk ---------------------------------------------------------------------------------------


def fill_disk(writer: Journal, full: bool) -> None:
    """SQLite's own limit makes the very error of a full disk."""
    db: sqlite3.Connection = writer._db
    used = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {used + 1 if full else 1 << 30}")


def seqs(path: Path) -> list[int]:
    reader = JournalReader(path)
    found = [poll.seq for poll in reader.polls()]
    reader.close()
    return found


def test_rows_wait_in_memory_while_the_disk_is_full(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    assert files.ballast_of(path).stat().st_size > 0
    assert writer.append({"samples": rows.samples(0, 500)}) is None
    fill_disk(writer, True)
    for k in range(1, 4):
        assert "full" in (writer.append({"samples": rows.samples(500 * k, 500)}) or "")
    assert seqs(path) == [1]
    assert not files.ballast_of(path).exists()  # the first thing that is given up
    fill_disk(writer, False)
    assert writer.append({}) is None
    assert seqs(path) == [1, 2, 3, 4]
    writer.close()


def test_a_run_must_end_when_too_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MEMORY_BUDGET_BYTES", 50_000)
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    fill_disk(writer, True)
    assert writer.append({"samples": rows.samples(0, 1000)}) is not None
    with pytest.raises(RecordError, match="wait to be written"):
        writer.append({"samples": rows.samples(1000, 1000)})
    fill_disk(writer, False)
    writer.end("interrupted", "the disk is full", {})
    assert seqs(path) == [1, 2]
    writer.close()


# --- damage --------------------------------------------------------------------------------------------


def rows_until_damage(path: Path) -> tuple[int, str]:
    """How many rows can be read, and why not more. Every one of them must be right."""
    count, reason = 0, ""
    try:
        reader = JournalReader(path)
    except JournalDamage as error:
        return 0, error.reason
    try:
        for poll in reader.polls():
            got = poll.rows(layout.SAMPLES)
            np.testing.assert_array_equal(got, rows.samples(count, len(got)))
            count += len(got)
    except JournalDamage as error:
        reason = error.reason
    reader.close()
    return count, reason


def test_a_truncated_log_ends_at_a_whole_poll(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = Journal.create(path, rows.header())
    for k in range(30):
        writer.append({"samples": rows.samples(k * 10, 10)})
    log = Path(f"{files.journal_of(path)}-wal").read_bytes()
    found = []
    for number, length in enumerate(range(0, len(log), len(log) // 40)):
        copy = tmp_path / f"cut{number}.h5"
        shutil.copy(files.journal_of(path), files.journal_of(copy))
        Path(f"{files.journal_of(copy)}-wal").write_bytes(log[:length])
        count, _ = rows_until_damage(copy)
        assert count % 10 == 0
        found.append(count)
    assert found == sorted(found)
    assert found[0] == 0 and found[-1] > 200
    writer.close()


@pytest.fixture(scope="module")
def whole_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "run.h5"
    rows.journal_only(path, 60)
    return files.journal_of(path).read_bytes()


@settings(max_examples=150)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_flipped_byte_is_found_and_never_read_as_data(
    whole_journal: bytes, place: float, flip: int
) -> None:
    damaged = bytearray(whole_journal)
    damaged[int(place * len(damaged))] ^= flip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        files.journal_of(path).write_bytes(damaged)
        count, reason = rows_until_damage(path)
    assert count == 600 or reason


@pytest.mark.parametrize("place", [3806, 3980])
def test_a_damaged_name_that_is_no_text_is_damage_like_any_other(whole_journal: bytes, place: int) -> None:
    damaged = bytearray(whole_journal)
    damaged[place] ^= 0x88
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        files.journal_of(path).write_bytes(damaged)
        count, reason = rows_until_damage(path)
    assert count == 600 or reason


def test_damage_says_where_it_begins(tmp_path: Path, whole_journal: bytes) -> None:
    damaged = bytearray(whole_journal)
    damaged[whole_journal.index(rows.samples(300, 10).tobytes()) + 5] ^= 1
    path = tmp_path / "run.h5"
    files.journal_of(path).write_bytes(damaged)
    reader = JournalReader(path)
    with pytest.raises(JournalDamage, match="after poll 30: the checksum"):
        list(reader.polls())
    reader.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move or delete an open file")
@pytest.mark.parametrize("how", ["moved", "deleted", "with its folder"])
def test_a_journal_that_vanishes_is_written_anew_whole(tmp_path: Path, how: str) -> None:
    path = tmp_path / "runs" / "x.h5"
    path.parent.mkdir()
    writer = Journal.create(path, rows.header())
    for number in range(20):
        writer.append({"samples": rows.samples(3 * number, 3)})
    assert not writer.has_vanished()
    if how == "moved":
        files.journal_of(path).rename(tmp_path / "elsewhere")
    elif how == "deleted":
        files.journal_of(path).unlink()
    else:
        shutil.rmtree(path.parent)
    assert writer.has_vanished()
    writer.restore()
    assert not writer.has_vanished()
    writer.append({"samples": rows.samples(60, 3)})
    writer.end("completed", "all steps done", {})
    writer.close()
    assert sum(len(poll.rows(layout.SAMPLES)) for poll in JournalReader(path).polls()) == 63


def make_away_with(file: Path, how: str) -> None:
    """As people and other programs do it."""
    if how == "moved":
        file.rename(f"{file}.elsewhere")
    else:
        file.unlink()
    if how == "replaced":
        file.write_bytes(b"something else " * 1000)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move or delete an open file")
@pytest.mark.parametrize("how", ["moved", "deleted", "replaced"])
@pytest.mark.parametrize("which", [("-wal",), ("-shm",), ("-wal", "-shm"), ("",), ("", "-wal", "-shm")])
@pytest.mark.parametrize("watched", [False, True])
def test_any_file_of_the_journal_that_vanishes_is_noticed_and_nothing_lost(
    tmp_path: Path, which: tuple[str, ...], how: str, watched: bool
) -> None:
    """watched: another process, as the live view, has the journal open, so that closing it folds nothing."""
    path = tmp_path / "x.h5"
    writer = Journal.create(path, rows.header())
    for number in range(20):
        writer.append({"samples": rows.samples(3 * number, 3)})
    with watching(path) if watched else nullcontext():
        for end in which:
            make_away_with(Path(f"{files.journal_of(path)}{end}"), how)
        assert writer.has_vanished()
        writer.restore()
        assert not writer.has_vanished()
        writer.append({"samples": rows.samples(60, 3)})
        assert not writer.has_vanished()
        writer.end("completed", "all steps done", {})
        writer.close()
    assert rows_until_damage(path) == (63, "")
    assert [name for name in rows.names_in(tmp_path) if name.endswith(".new")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody move or delete an open file")
def test_where_the_disk_has_no_room_for_a_new_journal_the_ballast_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.h5"
    writer = Journal.create(path, rows.header())
    writer.append({"samples": rows.samples(0, 3)})
    Path(f"{files.journal_of(path)}-wal").unlink()

    def synced(file: Path) -> None:
        if files.ballast_of(path).exists():
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "sync_file", synced)
    writer.restore()
    writer.end("completed", "all steps done", {})
    writer.close()
    assert rows_until_damage(path) == (3, "")


@contextmanager
def watching(path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", WATCHING, f"file:{files.journal_of(path)}?mode=ro"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin and other.stdout
        assert other.stdout.readline().strip() == b"20"
        try:
            yield
        finally:
            other.stdin.close()


WATCHING = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], uri=True)
print(db.execute("SELECT count(*) FROM poll").fetchone()[0], flush=True)
sys.stdin.read()
"""


def test_nobody_is_waited_for_who_locks_the_journal(tmp_path: Path) -> None:
    """Rows wait, and are written as soon as the lock is gone."""
    path = tmp_path / "x.h5"
    writer = Journal.create(path, rows.header())
    with closing(sqlite3.connect(files.journal_of(path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in str(writer.append({"samples": rows.samples(0, 3)}))
        other.execute("ROLLBACK")
    assert writer.append({"samples": rows.samples(3, 3)}) is None
    writer.end("completed", "all steps done", {})
    writer.close()
    assert sum(len(poll.rows(layout.SAMPLES)) for poll in JournalReader(path).polls()) == 6
