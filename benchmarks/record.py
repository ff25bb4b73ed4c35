"""What recording costs: appending polls to the journal, sealing, reading back.

python benchmarks/record.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from timing import seconds, table

import nakctl
from nakctl.record import layout
from nakctl.record.recorder import Recorder

HEADER = {"format": 1, "run_id": "benchmark", "start_time": "2025-01-01T00:00:00+00:00", "title": "benchmark"}
SIZES = ((100, 1_000), (10_000, 100))  # rows of a poll, polls


def rows(first: int, count: int) -> np.ndarray:
    """Samples that compress as badly as real ones: noise in the last digits."""
    noise = np.random.default_rng(first).standard_normal((2, count))
    made = np.zeros(count, layout.SAMPLES.dtype)
    made["time"] = np.arange(first, first + count) * 0.2
    made["Ewe"], made["I"] = 0.1 + 1e-5 * noise[0], 1e-4 + 1e-8 * noise[1]
    made["Q"] = np.cumsum(made["I"].astype(np.float64)) * 0.2 / 3600
    made["step_count"] = made["time"] // 6
    return made


def main() -> None:
    told: list[tuple[object, ...]] = [("rows", "per poll", "append", "rate", "seal", "read a column", "file")]
    with tempfile.TemporaryDirectory() as folder:
        for per_poll, polls in SIZES:
            path = Path(folder) / f"{per_poll}.h5"
            recorder = Recorder.create(path, HEADER)
            total = per_poll * polls
            made = [{"samples": rows(k * per_poll, per_poll)} for k in range(polls)]
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
