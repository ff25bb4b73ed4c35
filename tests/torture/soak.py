"""Three weeks of an instrument's time with a death every day: one file, and memory that does not grow.

    python tests/torture/soak.py [--days 21] [--speed 2000]

A run on a virtual instrument in a process of its own, a row every 10 s, its process killed once a day of the
instrument's time; `nakctl attach` has another one go on (the keeper would wait, as a day lasts for less than a
minute here). In the end the file is whole: all steps done, rows of every
day, no more than one block missing for a death. Memory is that of the process, before each death.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil

NAKCTL = [sys.executable, "-m", "nakctl"]
EVERY_s = 10.0
PROTOCOL = """\
nakctl: 1
name: Three weeks
record: {{every: 10 s}}
limits: {{Ewe: [-1 V, 1 V], I: 1 mA, time: 1000 h}}
steps:
  - repeat: {days}
    steps:
      - {{strip: 10 uA, for: 12 h}}
      - {{plate: 10 uA, for: 12 h}}
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  bench: {{driver: biologic, model: SP-300, address: "{address}"}}
channels:
  ch1: {{device: bench, channel: 1}}
cells:
  cell: {{channel: ch1, area: 1 cm2}}
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--speed", type=float, default=2000.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"NAKCTL_RUNS": str(folder / "runs"), "NAKCTL_CLAIMS": str(folder / "claims")}
        os.environ["NAKCTL_KEEPER"] = "none"
        instrument = [
            *NAKCTL,
            "sim",
            "instrument",
            "--port",
            "0",
            "--speed",
            str(asked.speed),
            "--cell",
            "randles",
        ]
        with subprocess.Popen(instrument, stdout=subprocess.PIPE, text=True) as bench:
            try:
                assert bench.stdout is not None
                address = bench.stdout.readline().rpartition(" at ")[2].strip()
                (folder / "rig.yaml").write_text(RIG.format(address=address), encoding="utf-8")
                return soaked(folder, asked)
            finally:
                bench.kill()


def soaked(folder: Path, asked: argparse.Namespace) -> int:
    (folder / "long.yaml").write_text(PROTOCOL.format(days=asked.days), encoding="utf-8")
    words = ["long.yaml", "--on", "ch1", "--speed", str(asked.speed), "--out", "x.h5", "--detach", "--quiet"]
    subprocess.run([*NAKCTL, "run", *words], cwd=folder, check=True)
    began, day_s, deaths = time.monotonic(), 86400.0 / asked.speed, 0
    while (state := state_of(folder)) is not None:
        if time.monotonic() - began < (deaths + 0.5) * day_s:
            time.sleep(0.5)
            continue
        process = psutil.Process(state["pid"])
        memory_MB = process.memory_full_info().uss / 1e6
        process.kill()
        deaths, killed = deaths + 1, time.monotonic()
        subprocess.run([*NAKCTL, "attach", "x.h5"], cwd=folder, capture_output=True)
        while (after := state_of(folder)) is not None and after["pid"] == state["pid"]:
            time.sleep(0.1)
        print(
            f"day {deaths:3}  memory {memory_MB:6.1f} MB  rows {state.get('samples', 0):7}  watched again after "
            f"{time.monotonic() - killed:5.1f} s",
            flush=True,
        )
    code = subprocess.run([*NAKCTL, "wait", "x.h5"], cwd=folder).returncode
    with h5py.File(folder / "x.h5", "r") as file:
        time_s = file["entry/samples/time"][()]
        steps, gaps = len(file["entry/steps/label"]), int(np.sum(file["entry/events/code"][()] == b"gap"))
        status = file["entry/run_status"].asstr()[()]
    print(
        f"exit {code}, {status}, {deaths} deaths, {gaps} blocks declared missing; {len(time_s)} rows of about "
        f"{asked.days * 86400 / EVERY_s:.0f}, {steps} steps of {2 * asked.days}; longest hole between rows "
        f"{np.diff(time_s).max():.0f} s; time never goes back: {bool(np.all(np.diff(time_s) >= 0))}"
    )
    return code


def state_of(folder: Path) -> dict[str, Any] | None:
    """What the run tells; None: it is over."""
    done = subprocess.run(
        [*NAKCTL, "status", "--json"], cwd=folder, capture_output=True, text=True, check=True
    )
    runs = json.loads(done.stdout)["runs"]
    return (runs[0]["state"] or {"pid": 0}) if runs else None


if __name__ == "__main__":
    sys.exit(main())
