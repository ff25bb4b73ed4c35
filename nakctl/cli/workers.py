"""Workers as they are seen from here: processes that do runs in virtual time, one after the other (`worker`).

Used by `many_runs.Pool`, which keeps several, and by `do_one`.
"""

from __future__ import annotations

import base64
import json
import pickle
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl import isolated
from nakctl.errors import ExitCode, NakctlError

if TYPE_CHECKING:
    from nakctl.cli.many_runs import Job

HIDDEN = ".nakctl-"  # how the folders begin in which runs are recorded
Heard = tuple["Worker", Mapping[str, Any] | None]  # None: it is gone
_WANTED_s = 0.5  # how soon it is heard that nobody wants a run any more
_PATIENCE_s, _PAUSE_s = 5.0, 0.05


class NotRun(NakctlError):
    """As a worker said, or what became of it."""

    def __init__(self, message: str, code: int = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = ExitCode(code)


@dataclass(slots=True)
class Task:
    """A job. folder: where it is recorded now; state: where it is, see `run.outside.where`; given_up: why."""

    job: Job
    tries: int = 0
    folder: Path | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    given_up: str = ""


class Worker:
    """A process. heard: where its answers go, and None when it is gone. OSError: none can be started."""

    def __init__(self, heard: queue.SimpleQueue[Heard]) -> None:
        self.task: Task | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe would have to be read)
        try:
            self._process = isolated.start(
                "nakctl.cli.worker", stdin=subprocess.PIPE, stderr=self._complaints
            )
        except OSError:
            self._complaints.close()
            raise
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()

    def begin(self, task: Task) -> None:
        """OSError: its folder cannot be made."""
        job, self.task = task.job, task
        task.tries += 1
        task.folder = job.out.parent / f"{HIDDEN}{secrets.token_hex(4)}"
        task.folder.mkdir()
        self.say({"run": message(job, task.folder / job.out.name)})

    def stop(self, reason: str) -> None:
        self.say({"stop": reason})

    def kill(self) -> None:
        self._process.kill()

    def bury(self) -> str:
        """How it ended, as a sentence's beginning. What it was about to record is gone."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # one whose disk hangs cannot be ended
            self._process.wait(_PATIENCE_s)
        if self.task is not None:
            clear(self.task)
        with self._complaints:
            self._complaints.seek(0)
            lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        code = self._process.returncode
        how = "not yet" if code is None else f"signal {-code}" if code < 0 else f"code {code}"
        return f"its process ended ({how}{f': {lines[-1]}' if lines else ''})"

    def say(self, message: Mapping[str, Any]) -> None:
        """A thread of the worker takes it at once."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone, which is heard
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _listen(self, heard: queue.SimpleQueue[Heard]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                if (told := _message(line)) is not None:
                    heard.put((self, told))
        heard.put((self, None))


def clear(task: Task) -> None:
    """Of a worker that died a helper may still write there, until it sees that."""
    until = time.monotonic() + _PATIENCE_s
    while task.folder is not None and task.folder.exists() and time.monotonic() < until:
        shutil.rmtree(task.folder, ignore_errors=True)
        time.sleep(_PAUSE_s * task.folder.exists())


def message(job: Job, out: Path) -> dict[str, Any]:
    """What a worker is told of a run. RecordError, OSError: the file of its cell cannot be read any more."""
    told = {"out": str(out), "options": job.options.dump(), "command_line": sys.argv[1:]}
    if job.ready is None:
        return {**told, "file": job.file, "wishes": job.wishes.dump()}
    told["ready"] = base64.b64encode(pickle.dumps(job.ready)).decode("ascii")
    file = Path(job.ready.cell.simulated_as.partition("#")[0])
    if file.suffix.lower() in (".yaml", ".yml"):
        told["cell"] = file.read_text(encoding="utf-8")
    return told


def _message(line: str) -> Mapping[str, Any] | None:
    """None: it is none of ours, but what some library printed."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() & {"state", "report", "failed", "nothing"} else None


# --- one at a time, for who has a thread of its own for each ------------------------------------------------

_idle: list[tuple[Worker, queue.SimpleQueue[Heard]]] = []  # they end with this process


def do_one(run: Mapping[str, Any], is_wanted: Callable[[], bool]) -> Mapping[str, Any]:
    """What a worker says to the end of a run (`report`, `failed` or `nothing`). Of any thread.

    run  as `message` has it; is_wanted: asked again and again. NotRun: its worker died
    """
    try:
        worker, heard = _idle.pop()
    except IndexError:
        heard = queue.SimpleQueue()
        worker = Worker(heard)
    worker.say({"run": run})
    while True:
        with suppress(queue.Empty):
            told = heard.get(timeout=_WANTED_s)[1]
            if told is None:
                raise NotRun(worker.bury())
            if "state" not in told:
                _idle.append((worker, heard))
                return told
        if not is_wanted():
            worker.kill()
