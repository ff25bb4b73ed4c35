"""A virtual instrument in a process of its own, as on the bench, and runs on it that are killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import h5py
from command_line import ENVIRONMENT, Command, nakctl, samples_in, virtual_instrument
from killing import Killed, kill, left
from patience import until

from nakctl.record.journal_reader import JournalReader

SPEED = "40"
CH = ("--on", "bench/ch1", "--speed", SPEED)
LONG = """\
nakctl: 1
name: A long strip
params: {strip: 100 h}
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1000 h}
steps:
  - rest: 10 s
  - strip: 10 uA
    for: $strip
finally: rest
"""
OTHER = LONG.replace("A long strip", "Another one")


class Bench:
    """A virtual SP-300 in a process of its own, and a folder with its rig.

    more     of its options; words, rig: of its channel, and of the rig; environment: of those who use it
    """

    def __init__(
        self,
        folder: Path,
        *more: str,
        words: str = "",
        rig: str = "",
        environment: Mapping[str, str] = ENVIRONMENT,
    ) -> None:
        self.folder, self.environment = folder, environment
        self.process, self.address = virtual_instrument(
            "--speed", SPEED, "--cell", "randles", *more, cwd=folder
        )
        (folder / "rig.yaml").write_text(
            f"""\
nakctl-rig: 1
devices:
  bench: {{driver: biologic, model: SP-300, address: "{self.address}"}}
channels:
  bench/ch1: {{device: bench, channel: 1{words}}}
cells:
  cell-7: {{channel: bench/ch1, area: 1 cm2}}
{rig}""",
            encoding="utf-8",
        )
        (folder / "long.yaml").write_text(LONG, encoding="utf-8")
        (folder / "other.yaml").write_text(OTHER, encoding="utf-8")

    def switch_off_and_on(self) -> None:
        """Nothing of what was on it is there any more."""
        self.end()
        port = self.address.rpartition(":")[2]
        self.process, address = virtual_instrument(
            "--speed", SPEED, "--cell", "randles", "--port", port, cwd=self.folder
        )
        assert address == self.address

    def state(self) -> str:
        """Of the channel, as the instrument says."""
        said = nakctl("channels", "--json", cwd=self.folder, environment=self.environment)
        return str(said.json["channels"][0]["state"])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def killed(bench: Bench, *more: str, name: str = "dead.h5", samples: int = 20) -> Killed:
    """A run that was killed in the middle of its chain."""
    run = Command(
        "run",
        "long.yaml",
        *CH,
        *more,
        "--quiet",
        "--out",
        name,
        cwd=bench.folder,
        environment=bench.environment,
        witness=f"{name}.witness",
    )
    path = bench.folder / name
    try:
        until(lambda: left(path).kept >= samples)
    finally:
        kill(run, name)
        run.communicate()
    return left(path)


def text_of(path: Path, name: str) -> str:
    with h5py.File(path, "r") as file:
        return str(file[f"entry/{name}"].asstr()[()])


def events(path: Path) -> list[str]:
    with closing(JournalReader(path)) as journal:
        return [str(entry.facts["code"]) for entry in journal.latest("event")]


def last_epoch(path: Path) -> int:
    try:
        with closing(JournalReader(path)) as journal:
            return max((entry.epoch for entry in journal.latest("writer")), default=0)
    except Exception:  # noqa: BLE001  (it was sealed meanwhile)
        return 99


def loaded_by_another(bench: Bench) -> Killed:
    """The dead one's chain is gone: another run was started there, and killed as well."""
    dead = killed(bench)
    kept = bench.folder / "kept"
    kept.mkdir()
    for file in bench.folder.glob("dead.h5*"):
        file.rename(kept / file.name)
    stopped_by_another(bench)
    run = Command(
        "run",
        "other.yaml",
        *CH,
        "--discard-rows",
        "--quiet",
        "--out",
        "other.h5",
        cwd=bench.folder,
        environment=bench.environment,
    )
    until(lambda: samples_in(bench.folder / "other.h5") > 0)
    kill(run, "other.h5")
    run.communicate()
    for file in kept.iterdir():
        file.rename(bench.folder / file.name)
    return dead


def stopped_by_another(bench: Bench) -> None:
    """What runs on the channel, whosever it is; its rows still wait there."""
    subprocess.run([sys.executable, "-c", STOPPER, bench.address], check=True, env=ENVIRONMENT)


def taken_by_another(bench: Bench) -> None:
    """That stops what runs on the channel, and starts a rest of its own."""
    subprocess.run([sys.executable, "-c", STOPPER + TAKER, bench.address], check=True, env=ENVIRONMENT)


STOPPER = """
import sys
import time
from nakctl.device.cell import Cell
from nakctl.device.driver import Place
from nakctl.run.clock import WallClock
from nakctl_biologic.driver import driver
channel = driver.open(Place("x", "biologic", "SP-300", 1, {"address": sys.argv[1]}), Cell("x", 1.0), WallClock(), 0, True)
channel.seize()
channel.stop()
while channel.look() is None or channel.look().running:
    pass
channel.leave()
"""
TAKER = """
from nakctl.device.program import Hardware, Ocv, Segment
options = {"address": sys.argv[1], "discard_rows": True}
channel = driver.open(Place("x", "biologic", "SP-300", 1, options), Cell("x", 1.0), WallClock(), 0)
channel.load(Segment((Ocv(1, 4e4, 10.0, None, Hardware("1 mA", "5 V", 8)),)), "another lab's")
channel.start()
while not channel.look().running:
    pass
channel.leave()
"""
