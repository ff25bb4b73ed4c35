"""The helpers of a run: processes that touch HDF5 on its behalf.

libhdf5 can take its process down when a disk is full (h5py issue 914), so the process that controls the cell
never loads it. A helper is `python -m nakctl.record.NAME FILE`; what it has to say it prints as one line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What sealing came to. rows: samples; message: a sentence for the user."""

    path: Path
    sealed: bool
    status: str
    rows: int
    message: str

    def line(self) -> str:
        return json.dumps(asdict(self) | {"path": str(self.path)})

    @classmethod
    def from_line(cls, line: str) -> Outcome:
        said = json.loads(line)
        return cls(**said | {"path": Path(said["path"])})


class Helper:
    """A running helper."""

    def __init__(self, name: str, path: Path) -> None:
        # A file and not a pipe: nobody reads while it runs, and a full pipe would stop it.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"nakctl.record.{name}", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            creationflags=_own_group(),
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> Outcome | str:
        """Wait for its end: what it printed, or what is known of why it printed nothing."""
        printed, _ = self._process.communicate()
        complaint = self._complaint()
        return Outcome.from_line(printed) if printed.strip() else complaint

    def kill(self) -> str:
        """End it now and say what it had complained of."""
        self._process.kill()
        self._process.communicate()
        return self._complaint()

    def _complaint(self) -> str:
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        self._complaints.close()
        return lines[-1] if lines else f"it ended with code {self._process.returncode}"


def _own_group() -> int:
    """On Windows Ctrl-C goes to the whole group, and a helper must outlive it; elsewhere it ignores it."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
