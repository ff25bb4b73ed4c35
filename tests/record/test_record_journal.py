"""The journal: what happens comes back as it was written, in one order, whatever interrupts."""

from __future__ import annotations

import errno
import math
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import record_rows as rows
from hypothesis import example, given, settings
from hypothesis import strategies as st
from record_reading import end_of, entries_in, first_rows, memo_of, rows_until_damage

from nakctl.booking import layout
from nakctl.booking.entry import NO_FACTS, Entry, Kind
from nakctl.booking.event import Event
from nakctl.device.channel import OF_COUNTER, POINT, SAMPLE
from nakctl.device.program_json import load
from nakctl.errors import InputError, RecordError
from nakctl.record import files, journal, packing, store
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalDamage, JournalReader
from nakctl.record.store import Store

numbers = st.integers(0, 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
told = st.dictionaries(st.text(max_size=5), values, max_size=3)


def as_rows(dtype: np.dtype[np.void]) -> st.SearchStrategy[rows.Rows]:
    def cut(content: bytes) -> rows.Rows:
        return np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)

    return st.binary(max_size=3 * dtype.itemsize).map(cut)


entries = st.builds(
    Entry,
    kind=st.sampled_from([kind for kind in get_args(Kind) if kind != "booked"]),
    segment=numbers,
    time_s=st.floats(),
    unix_s=st.floats(),
    facts=told,
    raw=st.binary(max_size=20),
    samples=as_rows(SAMPLE),
    points=as_rows(POINT),
    memo=told,
    block=numbers,
    seq=st.just(0),
    epoch=numbers,
    tables=st.just(NO_FACTS),
    events=st.just(()),
)


def whole(entry: Entry) -> dict[str, Any]:
    """All that a journal keeps of it, comparable."""
    kept = entry._asdict() | {"samples": entry.samples.tobytes(), "points": entry.points.tobytes()}
    kept |= {name: None if math.isnan(kept[name]) else kept[name] for name in ("time_s", "unix_s")}
    return {name: value for name, value in kept.items() if name not in ("seq", "memo")}


@settings(max_examples=40)
@given(st.lists(st.lists(entries, max_size=3), max_size=5))
@example([[Entry("tie", time_s=-0.0, unix_s=-0.0)]])
def test_entries_of_every_kind_come_back_as_they_were_written(appended: list[list[Entry]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        writer = rows.journal_of_run(path)
        for some in appended:
            writer.append(some)
            assert (writer.trouble, list(writer.waiting)) == ("", [])
        writer.end(rows.ended("aborted", "done", end_kind="goal", end_id=3, end_value=1.5))
        writer.close()
        kept = [entry for some in appended for entry in some]
        read = entries_in(path)
        assert [whole(entry) for entry in read] == [whole(entry) for entry in kept]
        assert [entry.seq for entry in read] == list(range(1, len(kept) + 1))
        assert {entry.samples.dtype for entry in read} <= {SAMPLE}
        end = rows.ended("aborted", "done", end_kind="goal", end_id=3, end_value=1.5)
        assert end_of(path) == end | {"entries": len(kept)}
        newest = next((k for k in range(len(kept), 0, -1) if kept[k - 1].kind == "said"), 0)
        told = newest and {"seq": newest, "segment": kept[newest - 1].segment, "memo": kept[newest - 1].memo}
        assert memo_of(path) == (told or None)


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    reader = JournalReader(path)
    assert (reader.end(), reader.memo(), list(reader.entries())) == (None, None, [])
    for k in range(5):
        writer.append([rows.said(k * 10, 10)])
        (new,) = reader.entries(after=k)
        assert new.seq == k + 1
        np.testing.assert_array_equal(new.samples, rows.given(k * 10, 10))
    reader.close()
    writer.close()


def test_the_header_comes_back_with_the_program_and_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    header = rows.header(three_electrode=True)
    Journal.create(path, header, rows.PROGRAM_JSON).close()
    reader = JournalReader(path)
    assert reader.header["protocol"] == header["protocol"]
    assert (reader.header["pid"], reader.header["journal"]) == (os.getpid(), 2)
    assert reader.tables["samples"].dtype == layout.SAMPLES_3E.dtype
    program = reader.program()
    assert program is not None and load(program) == rows.PROGRAM
    assert reader.book().program == rows.PROGRAM
    assert reader.book().ledger.dtype == layout.SAMPLES_3E.dtype
    reader.close()


def test_facts_may_be_numpy_numbers_and_have_any_keys(tmp_path: Path) -> None:
    told = Entry("tie", facts={"a": np.float32(0.5), "b": np.arange(2)})
    keys = Entry("tie", facts={"of": [{np.int64(3): np.int64(1), (1, 2): {2: None}}]})
    path = rows.journal_with(tmp_path / "run.h5", [[told, keys]])
    assert [entry.facts for entry in entries_in(path)] == [
        {"a": 0.5, "b": [0, 1]},
        {"of": [{"3": 1, "(1, 2)": {"2": None}}]},
    ]


@pytest.mark.parametrize("name", ["run.h5", "run.h5.journal"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=r"not overwritten|not sealed"):
        rows.journal_of_run(tmp_path / "run.h5")
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"


def test_a_run_that_does_not_fit_is_refused_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="MB left"):
        rows.journal_of_run(tmp_path / "run.h5", expected_bytes=10**15)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        rows.journal_of_run(tmp_path / "nowhere" / "run.h5")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (sqlite3.OperationalError("disk I/O error"), "disk I/O error"),
        (OSError(errno.ENOSPC, "No space left on device", "x.journal"), "No space left on device"),
        (
            OSError("flush failed (file write failed: errno = 28, error message = 'No space', buf = 0x5)"),
            "No space",
        ),
    ],
)
def test_a_disk_that_takes_no_journal_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def refuses(*_: object) -> Store:
        raise error

    monkeypatch.setattr(Store, "create", refuses)
    with pytest.raises(RecordError, match=f"could not be started: {said}$"):
        rows.journal_of_run(tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


# --- interruptions -------------------------------------------------------------------------------------


def interrupted_at(line: int, do: Callable[[], object]) -> bool:
    """Do it with a KeyboardInterrupt at the given line event inside of the journal; False if it had fewer."""
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in (journal.__file__, store.__file__):
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
        writer = rows.journal_of_run(path)
        writer.append([rows.said(0, 10)])
        two = [rows.said(10, 10), rows.said(20, 10)]
        interrupted = interrupted_at(line, lambda w=writer, two=two: w.append(two, durable=True))
        writer.append([rows.said(30, 10)])
        writer.end(rows.ended("aborted"))
        writer.close()
        starts = first_rows(path)
        # gone only as far as it was interrupted before it was taken
        assert starts in ([0, 10, 20, 30], [0, 10, 30], [0, 30])
        assert memo_of(path) == {"seq": len(starts), "segment": 1, "memo": {"next": 40}}
        end = end_of(path)
        assert end is not None and end["entries"] == len(starts)
    assert line > 25 and starts == [0, 10, 20, 30]


# --- how safe it is ------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that the journal sees: clock.now_s; and clock.durable, how each write was asked for."""
    clock = SimpleNamespace(now_s=100.0, durable=[])
    monkeypatch.setattr(journal, "time", SimpleNamespace(monotonic=lambda: clock.now_s, sleep=lambda s: None))
    write = Store.write

    def noticed(self: Store, rows: Any, documents: Any, *, durable: bool) -> None:
        clock.durable.append(durable)
        write(self, rows, documents, durable=durable)

    monkeypatch.setattr(Store, "write", noticed)
    return clock


def test_how_long_the_disk_may_take_to_confirm(tmp_path: Path, clock: SimpleNamespace) -> None:
    writer = rows.journal_of_run(tmp_path / "run.h5")
    for pause_s, entry in [
        (0.0, rows.said(0, 10)),
        (0.05, rows.noted()),  # urgent, and only a moment ago
        (0.06, rows.said(10, 10)),  # with which the urgent one becomes safe
        (0.5, rows.said(20, 10)),
        (0.6, rows.said(30, 10)),
        (0.2, rows.over()),
    ]:
        clock.now_s += pause_s
        writer.append([entry])
    assert clock.durable == [False, False, True, False, True, True]
    writer.append([rows.said(40, 10)], durable=True)
    writer.append([rows.said(50, 10)])
    writer.end(rows.ended())
    assert clock.durable[6:] == [True, False, True]
    writer.close()


@pytest.mark.parametrize(
    "kind", ["writer", "meant", "done", "over", "asked", "event", "began", "said", "tie", "sensed"]
)
def test_what_was_meant_or_told_is_urgent(tmp_path: Path, clock: SimpleNamespace, kind: Any) -> None:
    writer = rows.journal_of_run(tmp_path / "run.h5")
    clock.now_s += 0.5
    writer.append([Entry(kind)])
    assert clock.durable == [kind not in ("began", "said", "tie", "sensed")]
    writer.close()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])
def test_only_what_has_to_be_durable_waits_for_the_disk(tmp_path: Path, durable: bool, level: int) -> None:
    """2: SQLite has the disk confirm each commit; 1: now and then."""
    one = Store.create(tmp_path / "x.journal", {})
    one.write([], {"memo": b"{}"}, durable=not durable)
    one.write([], {"memo": b"{}"}, durable=durable)
    assert one._db.execute("PRAGMA synchronous").fetchone()[0] == level
    one.close()


def test_what_is_durable_lies_in_the_file_itself(tmp_path: Path) -> None:
    """So that a copy of it alone is worth something."""
    path, copy = tmp_path / "run.h5", tmp_path / "copy.h5"
    writer = rows.journal_of_run(path)
    writer.append([rows.said(0, 10)], durable=True)
    writer.append([rows.said(10, 10)])
    shutil.copy(files.journal_of(path), files.journal_of(copy))
    assert rows_until_damage(copy) == (10, "")
    assert rows_until_damage(path) == (20, "")
    writer.close()


def test_what_was_written_last_is_confirmed_although_nothing_more_comes(
    tmp_path: Path, clock: SimpleNamespace
) -> None:
    """A chain may record a row every ten minutes, and a power cut takes a second at the most."""
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)

    def in_the_file_itself(name: str) -> int:
        copy = tmp_path / name
        shutil.copy(files.journal_of(path), files.journal_of(copy))
        return rows_until_damage(copy)[0]

    writer.append([rows.said(0, 10)])
    writer.confirm()
    assert in_the_file_itself("soon.h5") == 0
    clock.now_s += 1.0
    writer.confirm()
    assert in_the_file_itself("later.h5") == 10
    writer.append([rows.said(10, 10)])
    clock.now_s += 1.0
    writer.append([])
    assert in_the_file_itself("last.h5") == 20
    writer.close()


def test_the_memo_is_that_of_the_newest_block(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    assert memo_of(path) is None
    writer.append(rows.opening())
    assert memo_of(path) is None
    writer.append([rows.said(0, 10), rows.said(10, 10), rows.noted()])
    assert memo_of(path) == {"seq": 5, "segment": 1, "memo": {"next": 20}}
    writer.append([rows.noted(), rows.said(20, 10, memo={})])  # a block without one
    assert memo_of(path) == {"seq": 8, "segment": 1, "memo": {}}
    writer.append([rows.said(30, 10, segment=2)])
    assert memo_of(path) == {"seq": 9, "segment": 2, "memo": {"next": 40}}
    writer.close()


# --- other versions ------------------------------------------------------------------------------------


def test_rows_of_other_types_are_read_by_the_names_of_their_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = np.dtype(
        [("passes", "<i8"), ("gone", "<f8"), ("time_s", "<f4"), ("Ewe_V", "<f8"), ("flags", "u1")]
    )
    made = np.zeros(10, other)
    made["passes"], made["gone"], made["time_s"], made["flags"] = 3, 7.0, np.arange(10), 2
    made["Ewe_V"] = 0.25
    path = tmp_path / "run.h5"
    with monkeypatch.context() as patched:
        types = {"samples": other.descr, "points": POINT.descr}
        patched.setattr(journal, "row_types", lambda: types)
        rows.journal_with(path, [[*rows.opening(), rows.said(0, 10, samples=made)], [rows.swept(1)]])
    [*_, said, swept] = entries_in(path)
    assert said.samples.dtype == SAMPLE
    for name, value in {"passes": 3, "time_s": np.arange(10), "flags": 2, "Ewe_V": 0.25, "I_A": 0.0}.items():
        np.testing.assert_array_equal(said.samples[name], np.broadcast_to(value, 10), err_msg=name)
    assert swept.points.tobytes() == rows.points(1).tobytes()


def test_rows_that_say_nothing_of_a_counter_electrode_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = np.dtype([field for field in POINT.descr if field[0] not in OF_COUNTER])
    points = rows.points(1, half_cells=True)
    path = tmp_path / "run.h5"
    with monkeypatch.context() as patched:
        types = {"samples": SAMPLE.descr, "points": older.descr}
        patched.setattr(journal, "row_types", lambda: types)
        made = points[list(older.names or ())].astype(older)
        rows.journal_with(path, [[*rows.opening()], [rows.swept(1, points=made)]])
    swept = entries_in(path)[-1]
    assert swept.points.dtype == POINT
    np.testing.assert_array_equal(swept.points["Z_re_ohm"], points["Z_re_ohm"])
    for name in OF_COUNTER:
        assert np.isnan(swept.points[name]).all(), name


def test_a_journal_says_of_which_types_its_rows_are(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "run.h5", 1)
    with closing(JournalReader(path)) as reader:
        assert reader.header["rows"] == {
            name: [list(field) for field in types] for name, types in packing.row_types().items()
        }


def test_a_newer_journal_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.h5"
    with monkeypatch.context() as patched:
        patched.setattr(journal, "VERSION", 3)
        rows.journal_only(path, 1)
    with pytest.raises(JournalDamage, match="it is of version 3: a newer nakctl wrote it"):
        JournalReader(path)


def test_an_event_is_booked_as_it_was_told(tmp_path: Path) -> None:
    path = rows.journal_with(tmp_path / "run.h5", [[*rows.opening(), rows.said(0, 60), rows.noted(7)]])
    with closing(JournalReader(path)) as reader:
        page = reader.book().take(list(reader.entries()))
    assert page.events[-1] == Event(1.75, 1, "note", 2, rows.event(7).message, {"k": 7})
    assert page.tables["samples"].tobytes() == rows.samples(0, 60).tobytes()
