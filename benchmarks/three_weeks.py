"""A run of three weeks by a real instrument's rhythm: one entry per read, one row per interval.

    python benchmarks/three_weeks.py [--every 10]

Prints how long its journal takes to be replayed and sealed, how large journal and file become, beside what
`plan` says of such a run on a real instrument, and how much memory sealing takes.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nakctl.booking.entry import Entry, said
from nakctl.device import program_json
from nakctl.device.channel import POINT, SAMPLE, Look, Reading, State, Visit
from nakctl.device.program import Cp, Hardware, Loop, Ocv, Program, Segment, StepInfo
from nakctl.errors import NO_MARK
from nakctl.plan.estimate import Amount
from nakctl.record.journal import Journal
from nakctl.record.journal_reader import JournalReader
from nakctl.record.seal import batches

LASTS_s = 21 * 86_400.0
STEP_s = 3600.0
RANGE = Hardware("1 mA", "5 V", 5)
WORDS = b"\x2a" * 72  # as many as a row of a BioLogic instrument is made of, with its head


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=float, default=10.0, help="seconds from row to row")
    every_s = parser.parse_args().every
    steps = tuple(StepInfo(k, f"{k} step", "CP", 0, NO_MARK) for k in (1, 2))
    techniques = (Cp(1, 1e-4, STEP_s, every_s, None, (), "stop", RANGE), Ocv(2, STEP_s, every_s, None, RANGE))
    program = Program("SP-300", 1.0, (Segment((*techniques, Loop(0, None, True))),), steps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.h5"
        count = write(path, program, every_s)
        journal = Path(f"{path}.journal").stat().st_size
        began = time.perf_counter()
        reader = JournalReader(path)
        book, rows = reader.book(), 0
        for entries in batches(reader.entries()):
            rows += len(book.take(entries).tables.get("samples", ()))
        reader.close()
        replay_s = time.perf_counter() - began
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "nakctl", "recover", str(path)], check=True, stdout=subprocess.DEVNULL
        )
        seal_s = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        file = path.stat().st_size
    of = Amount(duration_s=LASTS_s, samples=rows, resting=rows / 2, visits=LASTS_s / STEP_s)
    told = of.journal_bytes(every_s), of.file_bytes(every_s)
    print(f"{count} entries, {rows} rows")
    for what, size, planned in (("journal", journal, told[0]), ("file", file, told[1])):
        print(f"{what} {size / 1e6:.1f} MB, {size / rows:.1f} B a row; plan: {planned / 1e6:.1f} MB")
    print(f"replay {replay_s:.1f} s ({replay_s / count * 1e6:.1f} us an entry)")
    print(f"recover {seal_s:.1f} s, {memory:.0f} MB of memory")


def write(path: Path, program: Program, every_s: float) -> int:
    header = {
        "format": 1,
        "run_id": "3 weeks",
        "start_time": "2026-03-01T09:30:00+00:00",
        "title": "three weeks",
    }
    journal = Journal.create(path, header, program_json.dump(program))
    journal.append(
        [
            Entry("meant", 1, facts={"verb": "load", "position": [[0, 0]], "new_cycle": False}),
            Entry("done", 1, facts={"verb": "start", "called_s": 0.0, "returned_s": 0.0}),
            Entry("began", 1, facts={"time_s": 0.0, "error_s": 0.0}),
        ]
    )
    chance, batch = np.random.default_rng(1), []
    nothing = np.zeros(0, POINT)
    count = int(LASTS_s / every_s)
    for k in range(1, count + 1):
        step = int((k * every_s - 1e-9) // STEP_s)
        row = np.zeros(1, SAMPLE)
        row["time_s"], row["Ewe_V"], row["I_A"] = (
            k * every_s,
            0.1 + 1e-4 * chance.standard_normal(),
            1e-4 * (1 - step % 2),
        )
        row["technique"], row["passes"] = step % 2, step // 2
        look = Look(True, float(row["Ewe_V"][0]), float(row["I_A"][0]), k * every_s, 0.0)
        reading = Reading(
            State.RUNNING, row, nothing, (), look, visit=Visit(step % 2, step // 2, step * STEP_s), raw=WORDS
        )
        batch.append(said(reading, segment=1, block=k, time_s=k * every_s, unix_s=1.77e9 + k * every_s))
        if len(batch) == 1000:
            journal.append(batch)
            batch = []
    journal.append(batch)
    journal.end({"status": "completed", "end_reason": "all steps done", "facts": {}})
    journal.close()
    return count


if __name__ == "__main__":
    main()
