"""What recording costs: appending polls to the journal, sealing, reading back.

python benchmarks/record.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from timing import seconds, table

import nakctl
from nakctl.booking.entry import Entry
from nakctl.device import program_json
from nakctl.device.channel import SAMPLE
from nakctl.device.program import Cp, Hardware, Loop, Program, Segment, StepInfo
from nakctl.errors import NO_MARK
from nakctl.record.recorder import Recorder

HEADER = {"format": 1, "run_id": "benchmark", "start_time": "2025-01-01T00:00:00+00:00", "title": "benchmark"}
SIZES = ((100, 1_000), (10_000, 100))  # rows of a poll, polls


RANGE = Hardware("1 mA", "5 V", 5)
PROGRAM = Program(
    "SP-300",
    1.0,
    (Segment((Cp(1, 1e-4, 6.0, 0.2, None, (), "stop", RANGE), Loop(0, None, True))),),
    (StepInfo(1, "1 strip", "CP", 0, NO_MARK),),
)
OPENING = (
    Entry("meant", 1, facts={"verb": "load", "position": [[0, 0]], "new_cycle": False}),
    Entry("done", 1, facts={"verb": "start", "called_s": 0.0, "returned_s": 0.0}),
    Entry("began", 1, facts={"time_s": 0.0, "error_s": 0.0}),
)


def poll(first: int, count: int) -> list[Entry]:
    """Samples that compress as badly as real ones: noise in the last digits."""
    noise = np.random.default_rng(first).standard_normal((2, count))
    made = np.zeros(count, SAMPLE)
    made["time_s"] = np.arange(first, first + count) * 0.2
    made["Ewe_V"], made["I_A"] = 0.1 + 1e-5 * noise[0], 1e-4 + 1e-8 * noise[1]
    made["passes"] = made["time_s"] // 6
    return [Entry("said", 1, float(made["time_s"][-1]), samples=made)]


def main() -> None:
    told: list[tuple[object, ...]] = [("rows", "per poll", "append", "rate", "seal", "read a column", "file")]
    with tempfile.TemporaryDirectory() as folder:
        for per_poll, polls in SIZES:
            path = Path(folder) / f"{per_poll}.h5"
            recorder = Recorder.create(path, HEADER, program_json.dump(PROGRAM))
            recorder.append(OPENING)
            total = per_poll * polls
            made = [poll(k * per_poll, per_poll) for k in range(polls)]
            append_s = seconds(lambda made=made, recorder=recorder: [recorder.append(each) for each in made])
            seal_s = seconds(lambda recorder=recorder: recorder.finish("completed", "benchmark"))
            with nakctl.open(path) as run:
                read_s = seconds(lambda run=run: run.samples.Ewe)
            size = path.stat().st_size
            told.append(
                (
                    total,
                    per_poll,
                    f"{append_s / polls * 1e3:.3f} ms",
                    f"{total / append_s / 1e6:.2f} M/s",
                    f"{seal_s:.1f} s",
                    f"{read_s * 1e3:.0f} ms",
                    f"{size / 1e6:.1f} MB, {size / total:.1f} B/row",
                )
            )
    table(told)


if __name__ == "__main__":
    main()
