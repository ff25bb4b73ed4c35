"""How the benchmarks measure: medians of interleaved runs, so that a busy machine slows all alike."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start_s = time.perf_counter()
    action()
    return time.perf_counter() - start_s


def medians(actions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median time of each, in seconds; every round calls all of them."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name].append(seconds(action))
    return {name: statistics.median(times) for name, times in taken.items()}


def python(*args: str) -> Callable[[], object]:
    """A fresh Python process with these arguments; its output is thrown away."""

    def start() -> object:
        return subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL)

    return start


def table(rows: Sequence[Sequence[object]]) -> None:
    """Print rows as columns; the first row is the head."""
    widths = [max(len(str(row[k])) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        print("  ".join(f"{cell!s:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
