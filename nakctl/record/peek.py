"""What the journal of a run says of the whole of it, for who only looks: no rows, no numpy, no waiting."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nakctl.record import files


def header(path: Path) -> dict[str, Any] | None:
    """What NAME.h5 says of its run before the first row; None: there is no journal that can be read now."""
    return _document(files.journal_of(path), "header")


def end(path: Path, run_id: str = "") -> dict[str, Any] | None:
    """status and end_reason; None as long as the run was not ended in order. run_id: as the header has it."""
    run_id = run_id or str((header(path) or {}).get("run_id", ""))
    for file in (files.journal_of(path), *files.rests_of(path, run_id)):
        if (found := _document(file, "end")) is not None:
            return found
    return None


def program(path: Path) -> dict[str, Any] | None:
    """As `device.program_json` loads it; None: there is none that can be read now."""
    return _document(files.journal_of(path), "program")


@contextmanager
def looking(file: Path) -> Iterator[sqlite3.Connection]:
    """A store, for a moment: each statement is a transaction of its own, so whoever writes it folds its log
    whenever it likes. sqlite3.Error, OSError.
    """
    uri = f"{file.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0.1)) as db:
        yield db


def _document(file: Path, name: str) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        with looking(file) as db:
            row = db.execute("SELECT json FROM document WHERE name = ?", (name,)).fetchone()
        found = None if row is None else json.loads(row[0])
    except (sqlite3.Error, OSError, ValueError, TypeError):
        return None
    return found if isinstance(found, dict) else None
