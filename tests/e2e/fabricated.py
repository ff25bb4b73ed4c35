"""Runs as they are seen from outside, made by hand: their entries, locks, slots and journals."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from nakctl.record import files, lock, registry
from nakctl.record.boot import boot_id
from nakctl.record.packing import SCHEMA, packed
from nakctl.record.registry import KnownRun
from nakctl.record.slot import Slot


def known(path: Path, k: int = 0, **more: Any) -> KnownRun:
    run_id = f"{k:08x}-0000-4000-8000-000000000000"
    about: dict[str, Any] = {
        "place": f"bench-{k}", "protocol": "Strip and plate", "cell": f"NaK{k}", "pid": 4000 + k,
        "started": f"2026-05-01T12:00:{k % 60:02d}+02:00", "protocol_file": "strip.yaml", "boot": boot_id(),
        "driver": "biologic", "address": "192.168.0.7", "channel": k, "version": "0.1.0", "area_cm2": 0.5,
        "ends": "2031-05-03T07:30:00+00:00",
    }  # fmt: skip
    return KnownRun(run_id=run_id, path=path, **{**about, **more})


def state(run: KnownRun, **more: Any) -> dict[str, Any]:
    """Just told."""
    now_s = time.monotonic()
    return {
        "run_id": run.run_id, "boot": run.boot, "virtual": False, "state": "running", "alarm": None, "call": None,
        "steps": 12, "cycles": 20, "step": "2.1 strip 0.05 mA/cm2", "step_id": 3, "cycle": 7, "Ewe_V": 0.0123,
        "I_A": 25e-6, "I_mA_cm2": 0.05, "Q_Ah": 1e-6, "Q_mAh_cm2": 0.002, "samples": 100, "spectra": 2,
        "time_s": 3600.0, "alone": "Ewe above 3 V", "nearest": None, "round_monotonic_s": now_s,
        "sampled_monotonic_s": now_s, "told_monotonic_s": now_s, "told_unix_s": time.time(), **more,
    }  # fmt: skip


def journal(path: Path, run: KnownRun, end: dict[str, Any] | None = None) -> None:
    """With a header and, if any, an end."""
    documents = {"header": {"run_id": run.run_id}, **({} if end is None else {"end": end})}
    with closing(sqlite3.connect(files.journal_of(path))) as db, db:
        db.execute("PRAGMA journal_mode = WAL")
        for statement in SCHEMA:
            db.execute(statement)
        db.executemany(
            "INSERT INTO document VALUES (?, ?, 0)",
            [(name, packed(each)) for name, each in documents.items()],
        )


@contextmanager
def fabricated(
    path: Path, k: int = 0, *, held: bool = True, end: dict[str, Any] | None = None, **more: Any
) -> Iterator[KnownRun]:
    """more: of its state."""
    run = known(path, k)
    assert registry.enter(run) == ""
    journal(path, run, end)
    slot = Slot(path)
    slot.tell(state(run, **more))
    taken = lock.hold(files.lock_of(path)) if held else None
    try:
        yield run
    finally:
        slot.close()
        if taken is not None:
            taken.close()
