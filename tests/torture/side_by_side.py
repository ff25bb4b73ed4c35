"""Many runs side by side on one virtual instrument: is a row lost, is a limit looked at in time, what does it cost?

    python tests/torture/side_by_side.py [--runs 16] [--seconds 600] [--rate 100] [--connections 32]

Each run is started with `nakctl run --detach` on a channel of its own, in real time, and records so many rows a
second; the first one has a burst of 10 kHz in its middle. A view of all of them is drawn meanwhile (`nakctl watch
--lines`). CPU and memory are those of the processes; rows are counted in the files.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import h5py
import psutil

NAKCTL = [sys.executable, "-m", "nakctl"]
PROTOCOL = """\
nakctl: 1
name: Side by side
record: {{every: {every} s}}
limits: {{Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}}
steps:
  - {{strip: 10 uA, for: {half} s}}
{burst}  - {{plate: 10 uA, for: {half} s}}
finally: rest
"""
BURST = "  - {strip: 10 uA, for: 1 s, record: {every: 0.1 ms}}\n"
KINDS = {"runner": "cli.runner", "keeper": "cli.keeper", "live view": "record.live", "viewer": "nakctl watch"}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=100.0, help="rows a second")
    parser.add_argument("--connections", type=int, default=32, help="that the instrument lets in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return beside(Path(name), asked)


def beside(folder: Path, asked: argparse.Namespace) -> int:
    os.environ |= {"NAKCTL_RUNS": str(folder / "runs"), "NAKCTL_CLAIMS": str(folder / "claims")}
    cells = [word for k in range(asked.runs) for word in ("--cell", f"{k + 1}=randles")]
    bench = subprocess.Popen(
        [*NAKCTL, "sim", "instrument", "--like", "vmp3", "--port", "0", *cells, "--habit",
         f"connections={asked.connections}"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert bench.stdout is not None
        address = bench.stdout.readline().rpartition(" at ")[2].strip()
        (folder / "rig.yaml").write_text(rig(address, asked), encoding="utf-8")
        return runs(folder, asked)
    finally:
        bench.kill()
        bench.wait()


def rig(address: str, asked: argparse.Namespace) -> str:
    numbers = range(1, asked.runs + 1)
    return "\n".join(
        [
            "nakctl-rig: 1",
            "devices:",
            f'  bench: {{driver: biologic, model: VMP-3, address: "{address}", connections: {asked.connections}}}',
            "channels:",
            *(f"  ch{k}: {{device: bench, channel: {k}}}" for k in numbers),
            "cells:",
            *(f"  cell-{k}: {{channel: ch{k}, area: 1 cm2}}" for k in numbers),
            "",
        ]
    )


def runs(folder: Path, asked: argparse.Namespace) -> int:
    half, every = asked.seconds / 2, 1 / asked.rate
    names = [f"r{k}" for k in range(1, asked.runs + 1)]
    refused = []
    for k, name in enumerate(names, 1):
        text = PROTOCOL.format(every=every, half=half, burst=BURST if k == 1 else "")
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        words = [f"{name}.yaml", "--on", f"ch{k}", "--out", f"{name}.h5", "--detach", "--quiet"]
        done = subprocess.run([*NAKCTL, "run", *words], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            refused.append(f"{name}: exit {done.returncode}, {done.stderr.strip()}")
    print(*refused, sep="\n")
    viewer = subprocess.Popen([*NAKCTL, "watch", "--lines"], cwd=folder, stdout=subprocess.DEVNULL)
    told = measured(asked.seconds)
    wait = [subprocess.run([*NAKCTL, "wait", f"{name}.h5"], cwd=folder).returncode for name in begun(folder)]
    viewer.wait()
    for kind, line in told.items():
        print(f"{kind:10} {line}")
    wrong = [name for name in begun(folder) if not is_whole(folder / f"{name}.h5", asked, name == "r1")]
    print(f"{len(wait)} runs, exit codes {sorted(set(wait))}, not whole: {wrong or 'none'}")
    return 1 if wrong or any(wait) else 0


def begun(folder: Path) -> list[str]:
    return sorted({path.name.partition(".")[0] for path in folder.glob("*.h5*")})


def measured(seconds: float) -> dict[str, str]:
    """CPU and memory by kind of process, over the time in which all runs go on."""
    time.sleep(min(10.0, seconds / 10))
    first, began = used(), time.monotonic()
    time.sleep(max(1.0, 0.8 * seconds - 10.0))
    last, passed = used(), time.monotonic() - began
    found = {}
    for kind, each in last.items():
        cpu = sum(cpu_s - first.get(kind, {}).get(pid, (0.0, 0))[0] for pid, (cpu_s, _) in each.items())
        rss = [memory for _, memory in each.values()]
        found[kind] = (
            f"{len(each):3} processes, CPU of each {100 * cpu / passed / len(each):6.2f} %, memory of each "
            f"{sum(rss) / len(rss) / 1e6:6.1f} MB, of the largest {max(rss) / 1e6:6.1f} MB"
        )
    return found


def used() -> dict[str, dict[int, tuple[float, int]]]:
    found: dict[str, dict[int, tuple[float, int]]] = defaultdict(dict)
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        for kind, word in KINDS.items():
            if word in line and "side_by_side" not in line:
                try:
                    if process.environ().get("NAKCTL_RUNS") != os.environ["NAKCTL_RUNS"]:
                        continue
                    cpu, memory = process.cpu_times(), process.memory_full_info().uss
                    found[kind][process.pid] = (cpu.user + cpu.system, memory)
                except psutil.Error:
                    continue
    return found


def is_whole(path: Path, asked: argparse.Namespace, has_burst: bool) -> bool:
    """All rows are there, and the cell was looked at as promised."""
    expected = asked.seconds * asked.rate + (10_000 if has_burst else 0)
    with h5py.File(path, "r") as file:
        rows, codes = len(file["entry/samples/time"]), file["entry/events/code"][()].tolist()
        late = [
            text.decode()
            for code, text in zip(codes, file["entry/events/message"][()].tolist(), strict=True)
            if code == b"late_round"
        ]
    if late:
        print(f"{path.name}: {len(late)} times late: {late[0]}")
    is_there = abs(rows - expected) <= 10 and b"gap" not in codes
    if not is_there:
        print(f"{path.name}: {rows} rows, {expected:.0f} expected; {sorted(set(codes))}")
    return is_there


if __name__ == "__main__":
    sys.exit(main())
