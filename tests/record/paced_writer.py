"""A small run in a process of its own: `paced_writer.py FILE POLLS PAUSE_s`; says what it has recorded."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import record_rows as rows

from nakctl.record.recorder import Recorder

PER_POLL = 10


def main(path: Path, polls: int, pause_s: float) -> None:
    recorder = Recorder.create(path, rows.header())
    status = "completed"
    try:
        for k in range(polls):
            tables = {"samples": rows.samples(k * PER_POLL, PER_POLL)}
            if k % 5 == 0:
                tables["steps"] = rows.step(k // 5)
            print(k * PER_POLL, flush=True)  # about to be recorded; all before it is
            recorder.append(tables, [rows.event(k)] if k % 7 == 0 else [])
            time.sleep(pause_s)
    except KeyboardInterrupt:
        status = "aborted"
    finished = recorder.finish(status, "")
    print("sealed" if finished.sealed else finished.message, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
