"""A dry run of a protocol, with this code and with that of another commit.

    python benchmarks/dry_run.py [COMMIT] [PROTOCOL]

Both run the shipped protocol of their own commit on the simulated cell, in turn, up to the sealed file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from commits import ROOT, environment, unpacked
from timing import medians, table

ROUNDS = 15
BEFORE = "cad51e8"  # the last one whose channel was asked twice for every block


def dry_run(root: Path, protocol: str) -> Callable[[], object]:
    """A run in a fresh process with the code below root."""

    def start() -> object:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "nakctl", "run", protocol, "--json", "--out", "run.h5"]
            return subprocess.run(
                command, cwd=folder, env=environment(root), stdout=subprocess.DEVNULL, check=False
            )

    return start


def main(commit: str = BEFORE, protocol: str = "ccd") -> None:
    with unpacked(commit) as before:
        runs = {commit: dry_run(before, protocol), "now": dry_run(ROOT, protocol)}
        taken = medians(runs, ROUNDS)
    rows = [(name, f"{time_s:.2f} s", f"{taken[commit] / time_s:.2f}") for name, time_s in taken.items()]
    table([("code", f"dry run of {protocol}", "times as fast"), *rows])


if __name__ == "__main__":
    main(*sys.argv[1:])
