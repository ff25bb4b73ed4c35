"""Does a sensor ever show a value that was not sent whole?

    python tests/torture/streams.py [--trials 1000]

For each kind of sensor, over real pseudo-terminals and sockets, an instrument whose answers are cut, stand still
within, lose bytes over a pause, are mixed with noise, come with the rest of the one before, or twice.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("", "sensors")]

from broken_streams import KINDS, broken_kind  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    asked = parser.parse_args()
    print(
        f"seed {asked.seed}\n\n| kind | broken answers | values read | never sent whole |\n|---|---|---|---|"
    )
    for kind in KINDS:
        breaks, values, wrong = broken_kind(kind, asked.trials, asked.seed)
        print(f"| {kind} | {breaks} | {values} | {wrong} |", flush=True)


if __name__ == "__main__":
    main()
