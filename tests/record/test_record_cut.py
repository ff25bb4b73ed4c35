"""How reads are cut, and how many are booked at once, changes no bit of the tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import record_rows as rows
from hypothesis import given
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.book import Book, Page
from nakctl.booking.entry import Entry

ROWS = 180
cuts = st.lists(st.integers(1, ROWS - 1), max_size=12, unique=True).map(sorted)


def read(at: list[int]) -> list[Entry]:
    """The run in reads that end at these rows."""
    edges = [0, *at, ROWS]
    said = [rows.said(start, end - start) for start, end in pairwise(edges)]
    return [*rows.opening(), *said, *rows.spectra(3, 2), rows.over()]


def tables_of(pages: list[Page]) -> dict[str, bytes]:
    """All but that of the clock, which has a row of a read."""
    names = [name for name in layout.tables({}) if name not in ("clock", "events")]
    parts = {name: [page.tables[name] for page in pages if name in page.tables] for name in names}
    return {name: np.concatenate(each).tobytes() if each else b"" for name, each in parts.items()}


WHOLE = rows.booked(read([]))


@given(at=cuts, unclosed=st.booleans(), data=st.data())
def test_how_reads_are_cut_changes_no_bit(at: list[int], unclosed: bool, data: st.DataObject) -> None:
    entries = read(at)
    turns = data.draw(st.lists(st.integers(1, len(entries) - 1), max_size=6, unique=True).map(sorted))
    book = Book(rows.PROGRAM, layout.SAMPLES.dtype)
    pages = [book.take(entries[start:end]) for start, end in pairwise([0, *turns, len(entries)])]
    if unclosed:
        pages.append(book.settle())
    pages.append(book.close(unclosed=unclosed))
    found = tables_of(pages)
    assert found == {name: WHOLE[name].tobytes() for name in found}
    assert found["samples"][: ROWS * WHOLE["samples"].itemsize] == rows.samples(0, ROWS).tobytes()
