"""What a full disk did not take comes home as soon as there is room, and a reader never misses any of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import record_rows as rows
from record_disks import Disks, Usage, begun, ended_and_sealed
from record_reading import end_of, first_rows, memo_of, rows_until_damage, seqs
from test_record_journal import interrupted_at

from nakctl.record import files, journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.seal import seal
from nakctl.record.store import Store


def test_home_again_as_soon_as_there_is_room(disks: Disks, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part by part, so that nobody waits; meanwhile what is new still goes elsewhere."""
    monkeypatch.setattr(journal, "_AT_A_TIME", 3)
    writer = begun(disks)
    disks.fill(disks.run)
    for k in range(2, 12):
        writer.append([rows.said(k * 10, 10)])
    assert (disks.rests(), writer._home.last()) == (["data"], 5)
    disks.free()
    last = []
    for k in range(12, 18):
        writer.append([rows.said(k * 10, 10)])
        last.append(writer._home.last())
        assert rows_until_damage(disks.path) == (k * 10 + 10, "")
        assert memo_of(disks.path) == {"seq": k + 4, "segment": 1, "memo": {"next": k * 10 + 10}}
    assert (last, disks.rests()) == ([8, 11, 14, 17, 20, 21], [])
    assert list((disks.data / "nakctl").iterdir()) == []
    assert memo_of(disks.path) == {"seq": 21, "segment": 1, "memo": {"next": 180}}
    ended_and_sealed(disks, writer, 180)


def test_what_came_home_is_safe_before_the_other_place_is_given_up(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, done = begun(disks), list[object]()
    write, remove = Store.write, Store.remove

    def written(store: Store, *given: Any, durable: bool) -> None:
        write(store, *given, durable=durable)
        done.append((store.file, durable))

    def removed(store: Store) -> None:
        remove(store)
        done.append("removed")

    monkeypatch.setattr(Store, "write", written)
    monkeypatch.setattr(Store, "remove", removed)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    disks.free()
    writer.append([])
    assert done[-2:] == [(disks.journal, True), "removed"]
    ended_and_sealed(disks, writer, 30)


def test_several_places_come_home_in_their_order(disks: Disks) -> None:
    writer = begun(disks)
    for k, place in enumerate([disks.run, disks.data, disks.temp], 2):
        disks.fill(place)
        writer.append([rows.said(k * 10, 10)])
    assert disks.rests() == ["data", "temp", "home"]
    disks.free()
    while writer.elsewhere:
        writer.append([])
    assert seqs(disks.path) == list(range(1, 9))
    assert disks.rests() == []
    assert memo_of(disks.path) == {"seq": 8, "segment": 1, "memo": {"next": 50}}  # which came with them
    ended_and_sealed(disks, writer, 50)


def test_home_is_not_filled_to_the_brim(disks: Disks, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = begun(disks)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    disks.free()
    room = [journal._MARGIN_BYTES]
    monkeypatch.setattr("shutil.disk_usage", lambda place: Usage(1 << 34, 0, room[0]))
    writer.append([rows.said(30, 10)])
    assert (disks.rests(), writer._home.last()) == (["data"], 5)
    room[0] += 1 << 20
    writer.append([rows.said(40, 10)])
    writer.append([rows.said(50, 10)])
    assert (disks.rests(), writer._home.last()) == ([], 9)
    ended_and_sealed(disks, writer, 60)


def test_home_that_becomes_full_while_rows_are_brought_there(
    disks: Disks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_AT_A_TIME", 2)
    writer = begun(disks)
    disks.fill(disks.run)
    for k in range(2, 8):
        writer.append([rows.said(k * 10, 10)])
    disks.free()
    writer.append([rows.said(80, 10)])
    disks.fill(disks.journal)
    for k in range(9, 12):
        writer.append([rows.said(k * 10, 10)])
    assert (disks.rests(), writer._home.last()) == (["data"], 7)
    assert first_rows(disks.path) == [*range(0, 80, 10), *range(80, 120, 10)]
    disks.free()
    ended_and_sealed(disks, writer, 120)


def test_how_often_home_is_tried(disks: Disks, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(journal, "_HOME_EVERY_S", 1.0)
    monkeypatch.setattr(journal.time, "monotonic", lambda: now_s[0])
    writer = begun(disks)
    disks.fill(disks.run)
    writer.append([rows.said(20, 10)])
    writer.append([rows.said(30, 10)])  # home is tried, and full
    disks.free()
    now_s[0] += 0.9
    writer.append([rows.said(40, 10)])
    assert disks.rests() == ["data"]
    now_s[0] += 0.2
    writer.append([rows.said(50, 10)])
    assert disks.rests() == []
    ended_and_sealed(disks, writer, 60)


@pytest.mark.parametrize("when", ["before it is opened", "while it is read"])
def test_a_reader_is_not_put_out_by_what_is_brought_home(
    disks: Disks, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """As the live view, which looks again and again."""
    writer = begun(disks)
    for k, place in enumerate([disks.run, disks.data], 2):
        disks.fill(place)
        writer.append([rows.said(k * 10, 10)])
    reader = JournalReader(disks.path)
    listed = JournalReader._rests
    calls = []

    def then_brought_home(self: JournalReader) -> list[Path]:
        found = listed(self)
        calls.append(found)
        if len(calls) == 1:
            disks.free()
            while writer.elsewhere:
                writer.append([])
        return found

    monkeypatch.setattr(JournalReader, "_rests", then_brought_home)
    if when == "while it is read":
        calls.append([])
        read = reader.entries()
        found = [next(read) for _ in range(5)]
        calls.clear()
        then_brought_home(reader)
        found += read
    else:
        found = list(reader.entries())
    assert [entry.seq for entry in found] == [1, 2, 3, 4, 5, 6, 7]
    assert (reader.end(), reader.memo()) == (None, {"seq": 7, "segment": 1, "memo": {"next": 40}})
    reader.close()
    ended_and_sealed(disks, writer, 40)


@pytest.mark.slow
def test_an_interrupt_anywhere_on_the_way_out_and_home_costs_nothing(disks: Disks) -> None:
    """Of what was taken. The file that was made last may be left, and is known by its name."""
    for phase in ("out", "home"):
        line, interrupted = 0, True
        while interrupted:
            line += 1
            disks.path = disks.run / f"{phase}{line}.h5"
            writer = begun(disks, reads=1)
            disks.fill(disks.journal)
            if phase == "home":
                writer.append([rows.said(10, 10)])
                disks.free()
            one = [rows.said(20 if phase == "home" else 10, 10)]
            interrupted = interrupted_at(line, lambda w=writer, one=one: w.append(one))
            disks.free()
            for k in (3, 4):
                writer.append([rows.said(k * 10, 10)])
            writer.end(rows.ended())
            writer.close()
            starts = first_rows(disks.path)
            earlier = [0, 10, 20] if phase == "home" else [0, 10]
            assert starts in ([*earlier, 30, 40], [*earlier[:-1], 30, 40]), line
            assert memo_of(disks.path) == {"seq": 3 + len(starts), "segment": 1, "memo": {"next": 50}}
            end = end_of(disks.path)
            assert end is not None and end["entries"] == 3 + len(starts)
            with closing(JournalReader(disks.path)) as reader:
                left = {
                    each
                    for place in (disks.run, disks.data / "nakctl")
                    for each in place.glob("*.rest.journal")
                }
                assert left == set(reader.rests())
            for rest in left:
                files.remove_store(rest)
        assert line > 25


def test_what_a_reader_left_beside_a_place_that_is_gone_is_removed(tmp_path: Path) -> None:
    """It opened the store a moment before it was removed, and so made it a log."""
    path = tmp_path / "run.h5"
    rows.journal_only(path, 5)
    with closing(JournalReader(path)) as journal:
        [rest, *_] = files.rests_of(path, journal.header["run_id"])
    for end in ("-wal", "-shm"):
        Path(f"{rest}{end}").write_bytes(b"")
    assert seal(path).rows == 50
    assert rows.names_in(tmp_path) == ["run.h5"]
