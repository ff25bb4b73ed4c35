"""What a run has recorded lately, for who only looks: the rows that will be booked, and its writer never waits."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import record_rows as rows
from record_disks import Disks

from nakctl.booking.entry import Entry
from nakctl.record import files, peek, tail
from nakctl.record.store import Store
from nakctl.record.tail import News, Tail

END_s = 1e9


def everything(seen: Tail, has_spectra: bool = False) -> News:
    """Until a look brings nothing more."""
    found = News()
    while True:
        news = seen.look(has_spectra)
        found.rows += news.rows
        found.events += news.events
        if not news.rows and not news.events:
            return found


def table(found: News) -> list[tuple[float, float, float]]:
    return sorted(found.rows)


def booked(count: int) -> list[tuple[float, float, float]]:
    samples = rows.samples(0, count)
    return list(zip(*(samples[name].tolist() for name in ("time", "Ewe", "I")), strict=True))


def test_rows_lie_where_the_file_has_them_and_each_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    seen = Tail(path)
    assert seen.look() == News()  # before there is anything
    with closing(rows.journal_of_run(path)) as journal:
        found = News()
        for poll in rows.polls(30):
            journal.append(poll)
            found.rows += seen.look().rows
        assert table(found) == booked(300)
        assert seen.look() == News()


def test_who_looks_while_a_journal_is_removed_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite makes the files beside it anew for whoever opens it."""
    path, unlink = rows.journal_only(tmp_path / "x.h5", 20), Path.unlink

    def unlink_and_look(file: Path, missing_ok: bool = False) -> None:
        unlink(file, missing_ok=missing_ok)
        peek.header(path)

    monkeypatch.setattr(Path, "unlink", unlink_and_look)
    files.remove_journal(path)
    assert [*tmp_path.iterdir()] == []


def test_who_comes_late_sees_the_newest_and_an_even_choice_of_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "NEWEST", 20)
    monkeypatch.setattr(tail, "PAST", 10)
    monkeypatch.setattr(tail, "PAST_s", END_s)
    path = rows.journal_only(tmp_path / "x.h5", 200)
    found = table(everything(Tail(path)))
    assert set(found) < set(booked(2000))
    assert found[-150:] == booked(2000)[-150:]
    chosen = np.unique([int(time_s / rows.EVERY_s) // 200 for time_s, _, _ in found])
    assert chosen.tolist() == list(range(10))  # some of every tenth


def test_only_as_far_back_as_it_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "NEWEST", 5)
    monkeypatch.setattr(tail, "PAST_s", END_s)
    path = rows.journal_only(tmp_path / "x.h5", 100)
    found = table(everything(Tail(path, back_s=100.0)))
    end_s = 1000 * rows.EVERY_s
    assert end_s - 100 - 3 < found[0][0] < end_s - 100 + 3
    assert len(found) == pytest.approx(400, abs=20)


def test_one_look_at_a_long_journal_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "NEWEST", 20)
    monkeypatch.setattr(tail, "NEW_s", 0.0)
    monkeypatch.setattr(tail, "PAST_s", 0.0)
    seen = Tail(rows.journal_only(tmp_path / "x.h5", 100))
    assert seen.look() == News()  # no time for anything
    monkeypatch.setattr(tail, "NEW_s", END_s)
    assert len(seen.look().rows) < 250


def test_of_a_later_chain_the_start_is_found_by_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "NEWEST", 3)
    monkeypatch.setattr(tail, "PAST_s", END_s)
    later = [
        *rows.opening(2, 5000.0),
        *(Entry("said", 2, 5010.0, samples=rows.given(k, 1), block=k) for k in range(100)),
    ]
    path = rows.journal_only(tmp_path / "x.h5", 50, more_entries=later)
    found = table(everything(Tail(path)))
    assert set(booked(500)) < set(found)
    assert [time_s for time_s, _, _ in found[-100:]] == [5000.0 + k * rows.EVERY_s for k in range(100)]


@pytest.mark.parametrize(("newest", "last", "number"), [(1000, 5, 4), (1000, 3, 3), (1, 5, 4), (1, 2, 3)])
def test_the_last_spectrum_that_is_complete(
    newest: int, last: int, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "NEWEST", newest)
    entries = rows.spectra(4, last)
    for entry in entries:
        if len(entry.points):
            entry.points["Z_re_ohm"] += entry.block  # else all of them were the same
    path = rows.journal_only(tmp_path / "x.h5", 5, more_entries=entries)
    seen = Tail(path)
    everything(seen, has_spectra=True)
    found = np.array(seen.spectrum)
    wanted = rows.points(number)
    wanted["Z_re_ohm"] += number
    assert found.T.tolist() == [wanted[name].tolist() for name in ("frequency_Hz", "Z_re_ohm", "Z_im_ohm")]


def test_what_is_worth_a_line(tmp_path: Path) -> None:
    notice = [2.5, 1, "gap", "rows are missing", {}]
    quiet = [2.5, 0, "tie", "nothing", {}]
    asked = {"verb": "stop", "after": "cycle", "who": "Ada", "id": "1", "answer": "it will", "place": None}
    by_signal = {"verb": "stop", "who": "Ada", "reason": "Ctrl-C"}
    entries = [
        rows.said(0, 10, facts={"visit": [0, 0, 0.0], "notices": [quiet, notice]}),
        Entry("asked", 1, 3.0, facts=asked),
        Entry("asked", 1, 3.0, facts=by_signal),
        rows.noted(16),
    ]
    path = rows.journal_with(tmp_path / "x.h5", [rows.opening(), entries])
    found = Tail(path).look().events
    assert [(event.time_s, event.message[:26]) for event in found] == [
        (2.5, "rows are missing"),
        (3.0, "Ada asks: stop after cycle"),
        (4.0, rows.event(16).message[:26]),
    ]


def test_what_makes_no_sense_is_left_out_and_passed(tmp_path: Path) -> None:
    torn = rows.said(10, 10, facts={"notices": "?"})
    path = rows.journal_with(tmp_path / "x.h5", [rows.opening(), [rows.said(0, 10), torn, rows.said(20, 10)]])
    assert table(everything(Tail(path))) == booked(30)


def test_of_an_older_journal_there_are_no_rows(tmp_path: Path) -> None:
    path = rows.journal_only(tmp_path / "x.h5", 2)
    with closing(Store.reopen(files.journal_of(path))) as store:
        store._db.execute("UPDATE document SET json = ? WHERE name = 'header'", (b'{"journal": 1}',))
    assert everything(Tail(path)) == News()


def test_what_the_disk_did_not_take_is_seen_all_the_same(disks: Disks) -> None:
    seen = Tail(disks.path)
    found = News()
    with closing(rows.journal_of_run(disks.path)) as journal:
        for k, poll in enumerate(rows.polls(12)):
            if k == 6:
                disks.fill(disks.journal)
            journal.append(poll)
            found.rows += seen.look().rows
        assert journal.elsewhere
        assert table(found) == booked(120)


def test_the_log_of_a_journal_that_is_watched_is_folded_as_ever(tmp_path: Path) -> None:
    """Its writer meets no reader, and the log begins anew as it does alone."""
    largest = {}
    for name, looks in (("alone", False), ("watched", True)):
        path = tmp_path / f"{name}.h5"
        seen = Tail(path)
        log = Path(f"{files.journal_of(path)}-wal")
        largest[name] = 0
        with closing(rows.journal_of_run(path)) as journal:
            for k, poll in enumerate(rows.polls(600)):
                journal.append(poll, durable=k % 10 == 0)
                if looks:
                    seen.look()
                largest[name] = max(largest[name], log.stat().st_size)
            assert journal._home.confirm()
    assert largest["watched"] == largest["alone"] < 1_000_000
