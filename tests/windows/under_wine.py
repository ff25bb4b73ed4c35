"""Programs of Windows under Wine, and nakctl among them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOUND = f"import sys; sys.path[:0] = [{str(REPOSITORY)!r} + each for each in ('', '/drivers', '/sim')]; "
NAKCTL = (
    "import runpy; sys.argv[0] = 'nakctl'; runpy.run_module('nakctl', run_name='__main__', alter_sys=True)"
)
# What the simulator does before a run that keeps time: it computes a spectrum once, which Wine cannot.
PACED = f"import nakctl_sim.warm_up as each; each.warm_up = lambda *_: None; {NAKCTL}"
PATIENCE_s = 240.0  # the simulator is compiled under Wine, on a busy machine

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


@dataclass
class Wine:
    """One user of Windows, in a folder that is C:\\... to nobody and Z:\\... to all.

    A process of Windows is one of this system too, so it can be killed as such.
    """

    home: Path
    folder: Path
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
                "WINEDLLOVERRIDES": "bcryptprimitives=n",
                "NAKCTL_RUNS": f"Z:{self.folder}/runs",
                "NAKCTL_CLAIMS": f"Z:{self.folder}/claims",
                "NAKCTL_NO_NUMBA": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def python(self, code: str, *arguments: str) -> tuple[int, str, str]:
        process = self.start(code, *arguments)
        out, err = process.communicate(timeout=PATIENCE_s)
        return process.returncode, _text(out), _text(err)

    def end(self) -> None:
        """What a test left behind that failed."""
        for process in self.started:
            process.kill()
            process.wait(PATIENCE_s)  # not to the end of its pipes: Wine hands them on to helpers
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def nakctl(self, *arguments: str) -> tuple[int, str, str]:
        return self.python(NAKCTL, *arguments)

    def protocol(self, duration: str) -> str:
        (self.folder / "short.yaml").write_text(SHORT % duration, encoding="utf-8")
        return "short.yaml"


def _text(said: bytes) -> str:
    return said.decode("cp1252").replace("\r\n", "\n")  # as a console of Western Europe
