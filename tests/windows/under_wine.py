"""Programs of Windows under Wine, and nakctl among them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOUND = f"import sys; sys.path[:0] = [{str(REPOSITORY)!r} + each for each in ('', '/drivers', '/sim')]; "
NAKCTL = (
    "import runpy; sys.argv[0] = 'nakctl'; runpy.run_module('nakctl', run_name='__main__', alter_sys=True)"
)
PATIENCE_s = 240.0  # on a busy machine
SPEED = "5"  # of the virtual instrument: at a higher one the few looks of a slow process would be alarms

SHORT = """
nakctl: 1
name: Short in Ω
limits: {Ewe: [-1 V, 3.5 V], time: 1 h}
steps:
  - rest: 2 s
    record: {every: 1 s}
  - strip: 0.1 mA/cm2
    for: %s
    record: {every: 1 s}
finally: rest
"""

LONG = """
nakctl: 1
name: A long strip in Ω
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1000 h}
steps:
  - rest: 2 s
  - strip: 10 uA
    for: 100 h
finally: rest
"""
RIG = """
nakctl-rig: 1
devices:
  bench: {driver: biologic, model: SP-300, address: "%s"}
channels:
  bench/ch1: {device: bench, channel: 1}
cells:
  cell-7: {channel: bench/ch1, area: 1 cm2}
"""


@dataclass
class Wine:
    """One user of Windows, in a folder that is C:\\... to nobody and Z:\\... to all.

    A process of Windows is one of this system too, so it can be killed as such.

    variables  of its environment, besides
    """

    home: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Through pipes: Python does not start under Wine with a file as its output."""
        process = subprocess.Popen(
            ["wine", str(self.home / "python" / "python.exe"), "-c", FOUND + code, *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "WINEPREFIX": str(self.home / "prefix"),
                "WINEDEBUG": "-all",
                "WINEDLLOVERRIDES": "bcryptprimitives=n;winedbg.exe=d",  # who crashes is gone, and not kept
                "NAKCTL_RUNS": f"Z:{self.folder}/runs",
                "NAKCTL_CLAIMS": f"Z:{self.folder}/claims",
                "NAKCTL_KEEPER": "none",
                **self.variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def python(self, code: str, *arguments: str) -> tuple[int, str, str]:
        return said(self.start(code, *arguments))

    def end(self) -> None:
        """What a test left behind that failed."""
        for pid in self.processes("nakctl."):
            kill(pid)
        for process in self.started:
            process.kill()
            process.wait(PATIENCE_s)  # not to the end of its pipes: Wine hands them on to helpers
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def processes(self, module: str) -> list[int]:
        """Those of ours that run this module, which were started by others of ours, by their number here."""
        ours = f"NAKCTL_RUNS=Z:{self.folder}/runs\0".encode()
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended meanwhile
                is_one = f"run_module('{module}" in (place / "cmdline").read_text(errors="replace")
                if is_one and ours in (place / "environ").read_bytes():
                    found.append(int(place.name))
        return found

    def nakctl(self, *arguments: str) -> tuple[int, str, str]:
        return self.python(NAKCTL, *arguments)

    def protocol(self, duration: str) -> str:
        (self.folder / "short.yaml").write_text(SHORT % duration, encoding="utf-8")
        return "short.yaml"


def _text(said: bytes) -> str:
    return said.decode("cp1252").replace("\r\n", "\n")  # as a console of Western Europe


class Bench:
    """A virtual SP-300 at the end of a cable: a process of this system, as an instrument is no Windows either.

    Its cell and its spectra need functions of complex numbers, which Wine aborts on. What it is asked by comes
    from Windows' side: the driver, through pointers to C functions.
    """

    def __init__(self, folder: Path) -> None:
        words = ("--port", "0", "--speed", SPEED, "--cell", "randles")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nakctl_sim.instrument", *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        address = self.process.stdout.readline().rpartition(" at ")[2].strip()
        (folder / "rig.yaml").write_text(RIG % address, encoding="utf-8")
        (folder / "long.yaml").write_text(LONG, encoding="utf-8")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def said(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """With which code it ended, and what it printed. Not to the end of its pipes: Wine hands those on to who is
    to outlive it, which Windows does not."""
    assert process.stdout is not None
    assert process.stderr is not None
    pipes, end_s = (process.stdout, process.stderr), time.monotonic() + PATIENCE_s
    heard = [b"", b""]
    for pipe in pipes:
        os.set_blocking(pipe.fileno(), False)
    while True:
        is_over = process.poll() is not None
        heard = [before + (pipe.read() or b"") for before, pipe in zip(heard, pipes, strict=True)]
        if is_over:
            return process.returncode, _text(heard[0]), _text(heard[1])
        assert time.monotonic() < end_s, heard
        time.sleep(0.02)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def until(found: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    end_s = time.monotonic() + PATIENCE_s
    while not found():
        assert time.monotonic() < end_s
        time.sleep(0.05)
