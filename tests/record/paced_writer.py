"""A small run in a process of its own: `paced_writer.py FILE POLLS PAUSE_s watched|alone`; says what it has recorded."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import record_rows as rows

from nakctl.record.recorder import Recorder

PER_POLL = rows.PER_POLL


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(path: Path, polls: int, pause_s: float, watched: bool) -> None:
    recorder = Recorder.create(path, rows.header(), rows.PROGRAM_JSON, watched=watched)
    status = "completed"
    try:
        recorder.append(rows.opening())
        for k in range(polls):
            say(k * PER_POLL)  # about to be recorded; all before it is
            recorder.begin_block(k + 1)
            recorder.append([rows.said(k * PER_POLL, PER_POLL), *([rows.noted(k)] if k % 7 == 0 else [])])
            time.sleep(pause_s)
    except KeyboardInterrupt:
        status = "aborted"
    finished = recorder.finish(status, "")
    say("sealed" if finished.sealed else finished.message)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "watched")
