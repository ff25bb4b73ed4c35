"""Every shipped protocol at full length on the simulated SP-300: how long the whole library takes.

python benchmarks/library.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import table

from nakctl.protocol.library import names


def run(name: str, folder: Path) -> tuple[float, dict[str, object], int]:
    """Seconds, the report, and the size of the file."""
    out = folder / f"{name}.h5"
    start_s = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "nakctl", "run", name, "--json", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    return time.perf_counter() - start_s, json.loads(done.stdout), out.stat().st_size


def main() -> None:
    rows, total_s, total_rows = [], 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for name in names():
            taken_s, report, size = run(name, Path(folder))
            samples = int(str(report["samples"]))
            total_s, total_rows = total_s + taken_s, total_rows + samples
            hours = float(str(report["duration_s"])) / 3600
            end = f"{report['status']}: {report['end_reason']}"
            speed = f"{samples / taken_s / 1e3:.0f} k/s"
            rows.append(
                (name, f"{taken_s:.1f} s", f"{hours:.1f} h", samples, speed, f"{size / 1e6:.1f} MB", end)
            )
    rows.append(("all", f"{total_s:.1f} s", "", total_rows, f"{total_rows / total_s / 1e3:.0f} k/s", "", ""))
    table([("protocol", "took", "lasts", "samples", "rows", "file", "end"), *rows])


if __name__ == "__main__":
    main()
