"""kill -9 of runs with sensors at random moments: what is left, and does it say what is missing?

    python tests/torture/kills.py [--kills 300] [--at-once 4] [--seed 1]

Half of the runs make 10 rows a second, half 1 000, in real time, with a sensor beside them. Each is killed with all
its helpers so long after its start, or after its first row, and recovered. The rows of each of its segments have to
be the first ones of the same run undisturbed; what is missing of what the channel had handed over has to be one block
at the most, and said; the tables of steps and spectra have to end where the rows end.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / folder) for folder in ("", "e2e")]
RUNS = tempfile.TemporaryDirectory(
    prefix="nakctl-runs-", ignore_cleanup_errors=True
)  # apart from this user's
os.environ |= {"NAKCTL_RUNS": RUNS.name, "NAKCTL_KEEPER": "none"}  # set before anything copies it

from killing import Rows, kill_one, recovered_status, undisturbed  # noqa: E402

RATES_s = {"10 rows/s": "100 ms", "1 000 rows/s": "1 ms"}
LONGEST_s = 4.0
PROTOCOL = """\
nakctl: 1
name: torture
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h, sensors: {press: [1 kPa, 100 MPa]}}
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}
record: {every: EVERY}
steps:
  - rest: 0.7 s
  - repeat: 3
    steps:
      - {strip: 10 uA, for: 0.3 s}
      - {peis: coarse}
      - {plate: 10 uA, for: 0.3 s, until: {charge: 1 Ah, then: end run}}
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: sim, model: SP-300}
channels:
  left: {device: bench, channel: 1}
cells:
  one: {channel: left, area: 0.4418 cm2, working: NaK50, counter: NaK50, simulated_as: NaK50}
sensors:
  press: {kind: sim, model: press, every: 0.1 s}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, statuses, failed = random.Random(asked.seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.at_once) as pool:
        whole = {
            rate: prepared(Path(folder) / rate.split(" rows")[0].replace(" ", ""), every)
            for rate, every in RATES_s.items()
        }

        def trial(k: int) -> str:
            rate = list(RATES_s)[k % 2]
            place, rows = whole[rate]
            moment_s = moments_s[k]
            run = kill_one(place, f"{k}.h5", moment_s, [*RUN, "--realtime"], begun=bool(k % 4))
            try:
                status = recovered_status(run, rows)
            except Exception as error:  # noqa: BLE001
                return f"FAILED at {rate}, killed after {moment_s:.3f} s: {type(error).__name__} {error}"
            missing = " with a declared block missing" if status != "not begun" and run.declared() else ""
            return f"{rate}: {status}{missing}"

        moments_s = [chance.uniform(0.0, LONGEST_s) for _ in range(asked.kills)]
        for said in pool.map(trial, range(asked.kills)):
            statuses[said] += 1
            failed += said.startswith("FAILED")
    for said, count in sorted(statuses.items()):
        print(f"{count:4d}  {said}")
    return bool(failed)


RUN = ["run", "torture.yaml", "--on", "left", "--cell", "one", "--quiet"]


def prepared(folder: Path, every: str) -> tuple[Path, tuple[Rows, Rows]]:
    """A folder with protocol and rig, and the run undisturbed."""
    folder.mkdir()
    (folder / "torture.yaml").write_text(PROTOCOL.replace("EVERY", every), encoding="utf-8")
    (folder / "rig.yaml").write_text(RIG, encoding="utf-8")
    return folder, undisturbed(folder, "whole.h5", RUN)


if __name__ == "__main__":
    sys.exit(main())
