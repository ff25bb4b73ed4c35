"""A damaged journal gives everything that came before, says where it ends, and never anything wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import record_rows as rows
from hypothesis import given, settings
from hypothesis import strategies as st
from record_reading import rows_until_damage

from nakctl.record import files
from nakctl.record.journal_reader import JournalDamage, JournalReader


def test_a_truncated_log_ends_at_a_whole_read(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    writer = rows.journal_of_run(path)
    for k in range(30):
        writer.append([rows.said(k * 10, 10)])
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
    path = rows.journal_only(tmp_path_factory.mktemp("whole") / "run.h5", 60)
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


def test_a_damaged_name_that_is_no_text_is_damage_like_any_other(whole_journal: bytes) -> None:
    """Wherever in the first page, which holds the names of tables and columns."""
    names = [
        place
        for place in range(3000, 4096)
        if whole_journal[place : place + 5] in (b"entry", b"TABLE", b"raw B")
    ]
    assert names
    for place in names:
        damaged = bytearray(whole_journal)
        damaged[place] ^= 0x88
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.h5"
            files.journal_of(path).write_bytes(damaged)
            count, reason = rows_until_damage(path)
        assert count == 600 or reason


@pytest.mark.parametrize(
    ("good", "part"),
    [
        (38, lambda: rows.given(300, 10).tobytes()),
        (43, lambda: b"raw 350"),
        (43, lambda: rows.packed_facts(rows.said(350, 10))),
    ],
    ids=["its rows", "what they were made of", "its facts"],
)
def test_damage_says_where_it_begins(
    tmp_path: Path, whole_journal: bytes, good: int, part: Callable[[], bytes]
) -> None:
    """Row 300 is in read 30: three entries opened the chain, and every seventh read had an event."""
    damaged = bytearray(whole_journal)
    damaged[whole_journal.index(part()) + 5] ^= 1
    path = tmp_path / "run.h5"
    files.journal_of(path).write_bytes(damaged)
    with closing(JournalReader(path)) as reader:
        with pytest.raises(JournalDamage, match="not as it was written: its checksum is wrong") as told:
            list(reader.entries())
        assert told.value.good == good
        assert f"after entry {good}:" in str(told.value)
        assert len(list(zip(range(good), reader.entries(), strict=False))) == good
