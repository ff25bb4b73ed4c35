"""A virtual instrument as a process of its own, and runs on it by the real command line, with a sensor.

Each bench has a folder, and in it a list of runs of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from same_run import Failed

from nakctl.record import files, lock

NAKCTL = [sys.executable, "-m", "nakctl"]
PROTOCOL = """\
nakctl: 1
name: torn
params: {first: 20 s, longest: 1000 h}
limits: {Ewe: [-2 V, 2 V], I: 5 mA, time: $longest, sensors: {press: [1 kPa, 100 MPa]}}
spectra:
  coarse: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 1 Hz, per_decade: 4}
record: {every: 0.5 s}
steps:
  - rest: $first
  - repeat: 4
    steps:
      - {strip: 100 uA, for: 20 s, until: {charge: 1 Ah, then: next step}}
      - {peis: coarse}
      - {plate: 100 uA, for: 20 s, until: {charge: 1 Ah, then: end loop}}
      - repeat: 2
        steps:
          - {strip: 50 uA, for: 10 s}
          - {rest: 5 s}
  - repeat: 3
    steps:
      - {peis: coarse}
      - {rest: 4 s}
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  bench: {{driver: biologic, model: SP-300, address: "{address}"}}
channels:
  ch1: {{device: bench, channel: 1}}
cells:
  one: {{channel: ch1, area: 1 cm2}}
sensors:
  press: {{kind: sim, model: press, every: 0.2 s}}
"""


class Bench:
    """An instrument, a rig, a list of runs, and a run.

    keeper  whether the run may start one
    """

    def __init__(
        self,
        folder: Path,
        speed: int,
        faults: Sequence[str] = (),
        *,
        keeper: bool = False,
        words: Sequence[str] = (),
    ) -> None:
        """words: further ones for the instrument."""
        self.folder, self.speed, self.path = folder, speed, folder / "run.h5"
        runs, claims = folder / "runs", folder / "claims"
        runs.mkdir(parents=True)
        claims.mkdir()
        self.runs = runs
        self.environment = {
            **os.environ, "NAKCTL_RUNS": str(runs), "NAKCTL_CLAIMS": str(claims), "OPENBLAS_NUM_THREADS": "1",
        }  # fmt: skip
        self.environment.pop("NAKCTL_KEEPER", None)
        if not keeper:
            self.environment["NAKCTL_KEEPER"] = "none"
        asked = [*words, *(word for fault in faults for word in ("--fault", fault))]
        self.instrument = subprocess.Popen(
            [sys.executable, "-m", "nakctl_sim.instrument", "--port", "0", "--speed", str(speed),
             "--cell", "randles", *asked],
            stdout=subprocess.PIPE, text=True, cwd=folder,
        )  # fmt: skip
        assert self.instrument.stdout is not None
        self.address = self.instrument.stdout.readline().rpartition(" at ")[2].strip()
        self.began_s = time.monotonic()
        (folder / "rig.yaml").write_text(RIG.format(address=self.address), encoding="utf-8")
        (folder / "torn.yaml").write_text(PROTOCOL, encoding="utf-8")

    def nakctl(self, *words: str, longest_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*NAKCTL, *words], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=longest_s, check=False,
        )  # fmt: skip

    def run(self, *words: str, longest_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """`nakctl run`, with further words."""
        of_all = ("--on", "ch1", "--cell", "one", "--speed", str(self.speed), "--out", "run.h5")
        return self.nakctl("run", "torn.yaml", *of_all, *words, longest_s=longest_s)

    def processes(self, word: str = "nakctl") -> list[int]:
        """Those that this run has started, or its keeper, by what stands in their command line."""
        mine, found = f"NAKCTL_RUNS={self.runs}".encode(), []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_mine = mine in (each / "environ").read_bytes().split(b"\0")
                if is_mine and word.encode() in (each / "cmdline").read_bytes():
                    found.append(int(each.name))
        return found

    def is_over(self) -> bool:
        there = files.journal_of(self.path).exists() or lock.is_held(files.lock_of(self.path))
        return not there and self.path.exists()

    def until(self, found: Callable[[], bool], seconds: float) -> bool:
        """Whether it came; the end of the run ends it, too."""
        end_s = time.monotonic() + seconds
        while not (found() or self.is_over()):
            if time.monotonic() > end_s:
                return False
            time.sleep(0.02)
        return True

    def end(self) -> None:
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.instrument.kill()
        self.instrument.communicate()


def left_behind(bench: Bench) -> None:
    """Failed if anything of the run is there a while after its end."""
    end_s = time.monotonic() + 15.0
    while True:
        of_keeper = set(bench.processes("nakctl.cli.keeper")) | set(bench.processes("import keeper, keeping"))
        running = [pid for pid in bench.processes() if pid not in of_keeper]
        bench.nakctl("status")  # who lists them drops those that are over
        entries = [file.name for file in bench.runs.glob("*.json") if file.name != "notified.json"]
        beside = sorted(file.name for file in bench.folder.glob("run.h5?*"))
        if not running and not entries and not beside:
            return
        if time.monotonic() > end_s:
            lines = [
                (Path(f"/proc/{pid}/cmdline").read_bytes()[-120:] if Path(f"/proc/{pid}").exists() else b"")
                for pid in running
            ]
            raise Failed(f"left behind: processes {lines}, entries {entries}, files {beside}")
        time.sleep(0.2)
