"""A disk that will be full soon is told of before it is."""

from __future__ import annotations

import shutil
import types
from pathlib import Path

import pytest
import record_rows as rows

from nakctl.record import files, room
from nakctl.record.journal_reader import JournalReader
from nakctl.record.recorder import Recorder
from nakctl.record.room import LOW_BYTES, LOOK_EVERY_s, LowDisk, Room, SOON_s

MUCH = 500 << 30


def told(free_bytes: list[int], every_s: float = 60.0, aside: int = 0) -> list[LowDisk | None]:
    """What is said, when so much is left, minute by minute."""
    made = Room(Path("/data/x.h5"))
    return [made.judged(k * every_s, free, aside) for k, free in enumerate(free_bytes)]


def test_much_room_is_nothing_to_tell() -> None:
    assert told([MUCH - k * (1 << 20) for k in range(100)]) == [None] * 100


def test_little_room_is_told_once_and_again_when_it_is_half() -> None:
    found = told(
        [LOW_BYTES, LOW_BYTES - 2, LOW_BYTES - 3, LOW_BYTES // 2 - 1, LOW_BYTES // 5, LOW_BYTES // 5]
    )
    assert [low is not None for low in found] == [False, True, False, True, True, False]


def test_after_there_was_room_again_it_is_told_anew() -> None:
    found = told([LOW_BYTES // 2, LOW_BYTES + 1, LOW_BYTES // 2, 2 * LOW_BYTES, LOW_BYTES // 2])
    assert [low is not None for low in found] == [True, False, False, False, True]


def test_a_disk_that_fills_fast_is_told_of_with_how_long_it_lasts() -> None:
    """Not before it was seen to do so for ten minutes: somebody may copy a file."""
    each = MUCH // 100
    found = told([MUCH - k * each for k in range(30)])
    assert found[:10] == [None] * 10
    first = found[10]
    assert first is not None and first.lasts_s == pytest.approx(90 * 60)
    assert "as it fills now, for 1 h 30 min" in str(first)
    assert found[11:] == [None] * 19
    slower = [MUCH - k * int(MUCH * 60 / SOON_s / 2) for k in range(30)]
    assert told(slower) == [None] * 30


def test_what_was_set_aside_is_room() -> None:
    assert told([LOW_BYTES // 2], aside=LOW_BYTES) == [None]
    (low,) = told([LOW_BYTES // 2], aside=LOW_BYTES // 4)
    assert str(low) == "the disk of /data has 540 MB left, and 270 MB set aside for this run"


def test_it_is_looked_at_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the real disk; and a drive that is gone is told of elsewhere."""
    path = tmp_path / "x.h5"
    asked: list[Path] = []

    def usage(folder: Path) -> types.SimpleNamespace:
        asked.append(folder)
        return types.SimpleNamespace(free=7 << 20)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    files.reserve_of(path).write_bytes(b"x" * 1000)
    made = Room(path)
    assert made.look() is None and asked == []  # just begun
    made._looked_at -= LOOK_EVERY_s
    low = made.look()
    assert low is not None and (low.free_bytes, low.aside_bytes) == (7 << 20, 1000)
    assert made.look() is None and asked == [tmp_path]
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: (_ for _ in ()).throw(FileNotFoundError))
    made._looked_at -= LOOK_EVERY_s
    assert made.look() is None


def test_the_record_tells_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the run, and to whoever reads it later."""
    monkeypatch.setattr(room, "LOW_BYTES", 1 << 60)
    recorder = Recorder.create(tmp_path / "x.h5", rows.header(), rows.PROGRAM_JSON, watched=False)
    try:
        assert recorder.tick() == ()
        recorder._room._looked_at -= LOOK_EVERY_s
        (event,) = recorder.tick()
        assert (event.code, event.severity) == ("low_disk", 1)
        assert recorder.tick() == ()
        reader = JournalReader(tmp_path / "x.h5")
        (kept,) = reader.latest("event")
        reader.close()
        assert kept.facts["message"] == event.message
        assert kept.facts["facts"].keys() == {"free_bytes", "aside_bytes", "lasts_s"}
    finally:
        recorder.abandon()
