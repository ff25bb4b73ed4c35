"""When is a limit kept that the host holds, while something else goes wrong?

    python tests/torture/limits_kept.py [--trials 30] [CONDITION ...]

Every trial is one `nakctl run` of a rest with `limits: {time: 3 s}` through the driver, on a virtual instrument
that is a process of its own; a time is the limit whose keeping needs no guess about the cell. Kept at: the last row
or the stop, whichever is later, as the file says. Promised: the limit and the reaction that `plan` prints.
For the calls that hang the figure is how long one had hung when the alarm stood in the journal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nakctl.record import asked, files
from nakctl.record.read import open_run

LIMIT_s, REACTION_s = 3.0, 0.2
NAKCTL = [sys.executable, "-m", "nakctl"]
PROTOCOL = """\
nakctl: 1
name: torture
limits: {{Ewe: [-5 V, 5 V], time: {limit} s{sensors}}}
record: {{every: {every}}}
steps:
  - rest: 9 s
finally: rest
"""
RIG = """\
nakctl-rig: 1
devices:
  gb: {{driver: biologic, model: SP-300, address: "{address}"}}
channels:
  ch1: {{device: gb, channel: 1}}
cells:
  one: {{channel: ch1, area: 1 cm2, working: a, counter: b, reference: b}}
{sensors}"""
SENSOR = """\
sensors:
  press: {kind: sim, model: press, every: 0.2 s}
"""


@dataclass
class Trial:
    """One run under way: its folder, the file it writes, its process, the instrument's."""

    folder: Path
    out: Path
    process: subprocess.Popen[bytes]

    @property
    def journal(self) -> Path:
        return Path(f"{self.out}.journal")

    def wait_for_rows(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(sqlite3.Error):
                db = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, timeout=1)
                with contextlib.closing(db):
                    if db.execute("SELECT count(*) FROM entry WHERE kind = 'said'").fetchone()[0] > 1:
                        return
            time.sleep(0.02)
        raise AssertionError("no row came")

    def children(self, word: str) -> list[int]:
        """Processes of this run whose command line holds the word."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if word in line and (str(self.out) in line or _parent(entry) == self.process.pid):
                        found.append(int(entry.name))
        return found


def _parent(entry: Path) -> int:
    return int((entry / "stat").read_text().rpartition(")")[2].split()[1])


Trouble = Callable[[Trial], None]


def nothing(trial: Trial) -> None: ...


def stopped(word: str) -> Trouble:
    """A helper of the run stands still from its first rows on, and until well after the limit."""

    def stop(trial: Trial) -> None:
        trial.wait_for_rows()
        pids = trial.children(word)
        assert pids, f"no process {word}"
        for number, wait_s in ((signal.SIGSTOP, LIMIT_s + 2.0), (signal.SIGCONT, 0.0)):
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
            time.sleep(wait_s)

    return stop


def locked(trial: Trial) -> None:
    """Another program holds the write lock of the journal for 10 s."""
    trial.wait_for_rows()
    db = sqlite3.connect(trial.journal, isolation_level=None, timeout=5)
    db.execute("BEGIN IMMEDIATE")
    time.sleep(8)
    db.execute("ROLLBACK")
    db.close()


def full(trial: Trial) -> None:
    """The disk is full, from the first rows on, and until well after the limit."""
    trial.wait_for_rows()
    filler = trial.folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"\0" * 4096)
            file.flush()
    time.sleep(LIMIT_s + 2.0)
    filler.unlink()


def flooded(trial: Trial) -> None:
    """A thousand requests, and as many files that are none."""
    trial.wait_for_rows()
    until = time.monotonic() + 10
    while not files.asked_of(trial.out).is_dir() and time.monotonic() < until:
        time.sleep(0.02)
    for number in range(1000):
        with contextlib.suppress(OSError):  # the run is over
            asked.put(trial.out, asked.new_request("note", text=f"number {number}"))
            (files.asked_of(trial.out) / f"{number}.request").write_bytes(os.urandom(100))


SLOW_COMMIT = """
import sys, time
from nakctl.record.store import Store
write, state = Store.write, {"left": 40}
def slow(self, rows, documents, *, durable):
    state["left"] -= 1
    if state["left"] == 0:
        time.sleep(10)
    write(self, rows, documents, durable=durable)
Store.write = slow
from nakctl.cli import main
sys.argv = ["nakctl", *sys.argv[1:]]
main()
"""


@dataclass(frozen=True)
class Condition:
    """What goes wrong, and how the run is started."""

    what: str
    trouble: Trouble = nothing
    every: str = "0.1 s"
    terminal: bool = False  # one that nobody reads from
    sensor: bool = False
    small_disk: bool = False
    busy: int = 0
    start: tuple[str, ...] = tuple(NAKCTL)
    faults: tuple[str, ...] = ()


CONDITIONS = {
    "quiet": Condition("nothing"),
    "terminal": Condition("terminal frozen", terminal=True),
    "commit": Condition("a commit 10 s late", start=(sys.executable, "-c", SLOW_COMMIT)),
    "asked": Condition("1 000 requests, and noise", flooded),
    "lock": Condition("journal locked by another program", locked),
    "sensors": Condition("sensors' process stopped", stopped("nakctl_sensors"), sensor=True),
    "live": Condition("live view stopped", stopped("nakctl.record.live")),
    "disk": Condition("disk full", full, small_disk=True),
    "cores": Condition("both cores loaded", busy=4),
    "1000": Condition("1 000 rows/s", every="1 ms"),
    "25000": Condition("25 000 rows/s", every="40 us"),
    "hang": Condition("a call of the library hangs", faults=("hang=BL_GetData:8s@t1.5",)),
}


@contextlib.contextmanager
def instrument(faults: tuple[str, ...]) -> Iterator[str]:
    words = [word for fault in faults for word in ("--fault", fault)]
    command = [sys.executable, "-m", "nakctl_sim.instrument", "--port", "0", "--cell", "1=randles", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rpartition(" at ")[2].strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def folder(small: bool) -> Iterator[Path]:
    """A folder; a small one is a disk of its own, which needs the right to mount one."""
    with tempfile.TemporaryDirectory(prefix="nakctl torture ") as name:
        if small:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            if small:
                subprocess.run(["umount", "-l", name], check=False)


def trial(condition: Condition) -> float:
    """Seconds after the limit at which it was kept; for a call that hangs: from there to the alarm."""
    with folder(condition.small_disk) as where, instrument(condition.faults) as address:
        sensor = SENSOR if condition.sensor else ""
        (where / "rig.yaml").write_text(RIG.format(address=address, sensors=textwrap.dedent(sensor)))
        of_sensor = ", sensors: {press: [1 kPa, 5000 MPa]}" if condition.sensor else ""
        text = PROTOCOL.format(limit=LIMIT_s, every=condition.every, sensors=of_sensor)
        (where / "t.yaml").write_text(text)
        out = where / "x.h5"
        command = [*condition.start, "run", "t.yaml", "--on", "ch1", "--out", str(out)]
        masters = pty.openpty() if condition.terminal else None
        said = (where / "said.txt").open("wb")
        screen = said if masters is None else masters[1]
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(condition.busy)]
        try:
            process = subprocess.Popen(
                command,
                cwd=where,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                start_new_session=True,
            )
            one = Trial(where, out, process)
            condition.trouble(one)
            process.wait(120)
        finally:
            for each in busy:
                each.kill()
                each.wait()
            for each in masters or ():
                os.close(each)
            said.close()
        try:
            return measured(where, out, condition)
        except AssertionError:
            sys.stderr.write((where / "said.txt").read_text(encoding="utf-8", errors="replace"))
            raise


def measured(where: Path, out: Path, condition: Condition) -> float:
    if Path(f"{out}.journal").exists():
        subprocess.run([*NAKCTL, "recover", str(out)], cwd=where, check=False, capture_output=True)
    with open_run(out) as run:
        if condition.faults:
            told = dict(
                zip(run.events.code, zip(run.events.time, run.events.message, strict=True), strict=True)
            )
            assert "call_hangs" in told, "no alarm"
            back_s, text = told["call_back"]
            began_s = back_s - float(re.findall(r"after (\S+) s", text)[0])
            return float(told["call_hangs"][0] - began_s)
        stops = [t for t, code in zip(run.events.time, run.events.code, strict=True) if code == "stop"]
        assert run.header.status == "stopped", f"{run.header.status}: {run.header.end_reason}"
        return max(float(run.samples.time[-1]), *map(float, stops)) - LIMIT_s


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("conditions", nargs="*", choices=[*CONDITIONS, []], metavar="CONDITION")
    wanted = parser.parse_args()
    print(f"limit {LIMIT_s:g} s, promised {LIMIT_s + REACTION_s:g} s; seconds after the limit\n")
    print(f"| {'trouble':35} | trials | median | worst | within {REACTION_s:g} s |\n|---|---|---|---|---|")
    for name in wanted.conditions or CONDITIONS:
        condition = CONDITIONS[name]
        late = [trial(condition) for _ in range(wanted.trials)]
        promised = 2.0 if condition.faults else REACTION_s + (0.1 if condition.every == "0.1 s" else 0.0)
        kept = sum(each <= promised for each in late)
        middle, worst = statistics.median(late), max(late)
        print(
            f"| {condition.what:35} | {len(late)} | {middle:.3f} | {worst:.3f} | {kept} of {len(late)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
