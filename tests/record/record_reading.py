"""What can be read of a journal, checked row by row."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import record_rows as rows

from nakctl.booking.entry import Entry
from nakctl.record.journal_reader import JournalDamage, JournalReader


def entries_in(path: Path, after: int = 0) -> list[Entry]:
    with closing(JournalReader(path)) as reader:
        return list(reader.entries(after))


def seqs(path: Path) -> list[int]:
    return [entry.seq for entry in entries_in(path)]


def first_rows(path: Path) -> list[int]:
    """Number of the first row of every read; the numbers of all entries are checked."""
    found = entries_in(path)
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    return [round(float(entry.samples["time_s"][0]) / rows.EVERY_s) for entry in found if len(entry.samples)]


def rows_until_damage(path: Path) -> tuple[int, str]:
    """How many rows can be read, and why not more. Every one of them must be right."""
    count, reason = 0, ""
    try:
        reader = JournalReader(path)
    except JournalDamage as error:
        return 0, error.reason
    try:
        for entry in reader.entries():
            got = entry.samples
            np.testing.assert_array_equal(got, rows.given(count, len(got)))
            count += len(got)
    except JournalDamage as error:
        reason = error.reason
    reader.close()
    return count, reason


def memo_of(path: Path) -> dict[str, Any] | None:
    with closing(JournalReader(path)) as reader:
        return reader.memo()


def end_of(path: Path) -> dict[str, Any] | None:
    with closing(JournalReader(path)) as reader:
        return reader.end()
