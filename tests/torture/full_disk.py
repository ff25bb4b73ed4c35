"""The disk of a run becomes full at a random moment, and there is room again, or there is none.

    python tests/torture/full_disk.py [--trials 50] [--seed 1]        (as root, on Linux: it mounts a small disk)

Every trial is one run in real time at 1 000 rows a second on a disk of its own. A filler takes all that is left of it
after a random moment. In a third of the trials it goes away again while the run goes on, in a third after its end
(then `nakctl recover`), and in a third every other place is full, too. Nothing may be lost that any place could hold;
else the file says so. Rows are compared with those of the same run undisturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np

from nakctl.record.raw_tables import RawReader

NAKCTL = [sys.executable, "-m", "nakctl"]
SIZE_MB = 24
LASTS_s = 6.0
PROTOCOL = f"""\
nakctl: 1
name: torture
limits: {{Ewe: [-1 V, 1 V], I: 1 mA, time: 10 h}}
record: {{every: 1 ms}}
steps:
  - rest: {LASTS_s / 2} s
  - {{strip: 10 uA, for: {LASTS_s / 2} s}}
finally: rest
"""
WAYS = ("room again in the run", "room after its end", "no place at all")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(folder: Path) -> None:
    """All that is left, and what is given up in the meantime."""
    with suppress(OSError), (folder / "filler").open("ab") as file:
        while True:
            file.write(b"\0" * 65536)
            file.flush()


def trial(folder: Path, way: str, moment_s: float, whole: np.ndarray) -> str:
    with small_disk(folder / "disk") as disk, small_disk(folder / "other") as other:
        (disk / "torture.yaml").write_text(PROTOCOL, encoding="utf-8")
        # the user's data folder and the temporary folder are on another disk
        environment = os.environ | {"HOME": str(other), "XDG_DATA_HOME": str(other), "TMPDIR": str(other)}
        command = [*NAKCTL, "run", "torture.yaml", "--realtime", "--quiet", "--out", "x.h5"]
        run = subprocess.Popen(
            command, cwd=disk, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        ends = time.monotonic() + 60
        while not (disk / "x.h5.journal").exists() and time.monotonic() < ends:
            time.sleep(0.02)
        time.sleep(moment_s)
        if way == "no place at all":
            fill(other)
        until = time.monotonic() + (2.0 if way == "room again in the run" else 60.0)
        while run.poll() is None and time.monotonic() < until:
            fill(disk)
            time.sleep(0.05)
        if way == "room again in the run":
            (disk / "filler").unlink()
        said = run.communicate(timeout=120)[0].decode()
        for filler in (disk / "filler", other / "filler"):
            filler.unlink(missing_ok=True)
        if (disk / "x.h5.journal").exists():
            done = subprocess.run(
                [*NAKCTL, "recover", "x.h5"],
                cwd=disk,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            said += done.stdout + done.stderr
        return judged(disk, other, way, said, whole)


def judged(disk: Path, other: Path, way: str, said: str, whole: np.ndarray) -> str:
    if "Traceback" in said:
        return f"FAILED {way}: a traceback\n{said}"
    path = disk / "x.h5"
    if not path.exists():
        return f"FAILED {way}: no file\n{said}"
    with h5py.File(path) as file:
        rows = np.concatenate([each.samples for each in RawReader(file).entries() if each.kind == "said"])
        status = file["entry/run_status"].asstr()[()]
        codes = {code.decode() for code in file["entry/events/code"][()]}
        recovery = file["entry/recovery"].asstr()[()] if "recovery" in file["entry"] else ""
    if rows.tobytes() != whole[: len(rows)].tobytes():
        return f"FAILED {way}: other rows\n{said}"
    left = [
        each.name
        for each in (*disk.iterdir(), *other.rglob("*"))
        if ".rest" in each.name or ".h5." in each.name
    ]
    if left:
        return f"FAILED {way}: left over: {left}\n{said}"
    told = "disk_refuses" in codes
    if len(rows) == len(whole) and status == "completed":
        return f"{way}: whole, told: {told}"
    if way != "no place at all":
        return f"FAILED {way}: {len(rows)} of {len(whole)} rows, {status}\n{said}"
    if status == "completed" or not ("gap" in codes or recovery):
        return f"FAILED {way}: {len(rows)} of {len(whole)} rows, and the file does not say so\n{said}"
    return f"{way}: not whole, and the file says so ({status})"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, results = random.Random(asked.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "torture.yaml").write_text(PROTOCOL, encoding="utf-8")
        subprocess.run(
            [*NAKCTL, "run", "torture.yaml", "--quiet", "--out", "whole.h5"], cwd=folder, check=True
        )
        with h5py.File(Path(folder) / "whole.h5") as file:
            whole = np.concatenate(
                [each.samples for each in RawReader(file).entries() if each.kind == "said"]
            )
        for number in range(asked.trials):
            place = Path(folder) / str(number)
            place.mkdir()
            result = trial(place, WAYS[number % 3], chance.uniform(0.0, LASTS_s), whole)
            results[result] += 1
            if result.startswith("FAILED"):
                print(number, result, flush=True)
    for result, count in sorted(results.items()):
        print(f"{count:4d}  {result.splitlines()[0]}")
    return any(result.startswith("FAILED") for result in results)


if __name__ == "__main__":
    sys.exit(main())
