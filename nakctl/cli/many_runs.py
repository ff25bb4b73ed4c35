"""Runs in virtual time, several at once: a few processes, each of which does one after the other (`worker`).

    for job, told in in_parallel(jobs, workers, stop_asked):
        ...                      # as they end; told: the report of `run_one`, or why there is none

A run is recorded in a hidden folder beside its place, and gets its name when it is whole: whatever happens,
there is a whole file or none. A worker that dies takes its run along, which another one begins once more; it
ends with the process that started it. They speak in lines of JSON, see `worker`.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl import isolated
from nakctl.errors import ExitCode, InputError, NakctlError
from nakctl.record import files

if TYPE_CHECKING:
    from nakctl.cli.one_run import Options
    from nakctl.cli.prepare import Wishes
    from nakctl.cli.signals import StopAsked

HIDDEN = ".nakctl-"  # how the folders begin in which runs are recorded
TRIES = 2  # of a run whose worker dies
LOOK_s = 0.1  # how soon a wish to stop is heard
_PATIENCE_s, _PAUSE_s = 5.0, 0.05

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A run in virtual time. file, wishes: as for `prepare`; out: its result, which is not there yet."""

    file: str
    wishes: Wishes
    out: Path
    options: Options


class NotRun(NakctlError):
    """As a worker said, or what became of it."""

    def __init__(self, message: str, code: int = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.exit_code = ExitCode(code)


def in_parallel(
    jobs: Sequence[Job], workers: int, stop_asked: StopAsked
) -> Iterator[tuple[Job, Report | NakctlError]]:
    """Do them, begun in this order, and give each as it ends.

    Asked to stop, those that go on end as `aborted`, and no further one is begun, or given; asked once more,
    they are killed and leave nothing. So they are if nobody takes what is given any more.
    """
    with Pool(workers, stop_asked) as pool:
        for job in jobs:
            pool.add(job)
        while pool.is_busy:
            yield from pool.look()


def cores() -> int:
    """That this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


@dataclass(slots=True)
class _Task:
    """A job. folder: where it is recorded now; state: where it is, see `run.outside.where`; given_up: why."""

    job: Job
    tries: int = 0
    folder: Path | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    given_up: str = ""


class Pool:
    """At most so many workers, of which none is started before it is needed, and none outlives the `with`."""

    def __init__(self, workers: int, stop_asked: StopAsked) -> None:
        self._most, self._stop_asked = max(1, workers), stop_asked
        self._waiting: deque[_Task] = deque()
        self._workers: list[_Worker] = []
        self._heard: queue.SimpleQueue[tuple[_Worker, Mapping[str, Any] | None]] = queue.SimpleQueue()
        self._stops = 0  # how often the workers were told to

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.bury()
        self._workers.clear()

    def add(self, job: Job) -> None:
        self._waiting.append(_Task(job))

    def give_up(self, job: Job, why: str) -> None:
        """Kill the worker that does it, and begin it no more: `look` gives why."""
        for worker in self._workers:
            if worker.task is not None and worker.task.job is job:
                worker.task.given_up = why
                worker.kill()

    @property
    def is_busy(self) -> bool:
        return any(worker.task for worker in self._workers) or bool(self._waiting and not self._stops)

    @property
    def going(self) -> list[tuple[Job, Mapping[str, Any]]]:
        """The runs that go on, and where they are; nothing of that before their first row."""
        return [(task.job, task.state) for each in self._workers if (task := each.task) is not None]

    def look(self, wait_s: float = LOOK_s) -> list[tuple[Job, Report | NakctlError]]:
        """What has ended. Waits for that, but not for long."""
        self._pass_on_the_stop()
        found = [] if self._stops else self._begin()
        with suppress(queue.Empty):
            heard = self._heard.get(timeout=0.0 if found else wait_s)
            while True:
                found += self._take(*heard)
                heard = self._heard.get_nowait()
        return found

    def _begin(self) -> list[tuple[Job, Report | NakctlError]]:
        """As many as may go on at once."""
        failed: list[tuple[Job, Report | NakctlError]] = []
        while self._waiting:
            worker = next((each for each in self._workers if each.task is None), None)
            if worker is None:
                if len(self._workers) == self._most:
                    break
                try:
                    worker = _Worker(self._heard)
                except OSError as error:
                    if self._workers:  # the others will do it
                        break
                    why = f"no process can be started for it ({error.strerror or error})"
                    failed.append((self._waiting[0].job, NotRun(f"{self._waiting.popleft().job.out}: {why}")))
                    continue
                self._workers.append(worker)
            task = self._waiting.popleft()
            try:
                worker.begin(task)
            except OSError as error:  # no folder can be made; of a pipe that broke, its worker's end is heard
                worker.task = None
                failed.append((task.job, _unwritable(task.job, error)))
        return failed

    def _take(
        self, worker: _Worker, told: Mapping[str, Any] | None
    ) -> list[tuple[Job, Report | NakctlError]]:
        """told None: it is gone."""
        task = worker.task
        if told is None:
            self._workers.remove(worker)
            how = worker.bury()
            return [] if task is None or self._stops else self._once_more(task, how)
        if task is None:
            return []
        if "state" in told:
            task.state = told["state"]
            return []
        worker.task = None
        result = _placed(task, told)
        _clear(task)
        return [] if result is None else [(task.job, result)]

    def _once_more(self, task: _Task, how: str) -> list[tuple[Job, Report | NakctlError]]:
        if task.given_up:
            return [(task.job, NotRun(task.given_up))]
        if task.tries < TRIES:
            task.state = {}
            self._waiting.appendleft(task)
            return []
        return [(task.job, NotRun(f"{task.job.out}: {how} before the run was over, {TRIES} times"))]

    def _pass_on_the_stop(self) -> None:
        times = self._stop_asked.count()
        if times == self._stops:
            return
        self._stops = times
        for worker in self._workers:
            if times == 1 and worker.task is not None:
                worker.stop(self._stop_asked.reason)
            else:
                worker.kill()


class _Worker:
    """A process. heard: where its answers go, and None when it is gone. OSError: none can be started."""

    def __init__(self, heard: queue.SimpleQueue[tuple[_Worker, Mapping[str, Any] | None]]) -> None:
        self.task: _Task | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe would have to be read)
        try:
            self._process = isolated.start(
                "nakctl.cli.worker", stdin=subprocess.PIPE, stderr=self._complaints
            )
        except OSError:
            self._complaints.close()
            raise
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()

    def begin(self, task: _Task) -> None:
        """OSError: its folder cannot be made."""
        job, self.task = task.job, task
        task.tries += 1
        task.folder = job.out.parent / f"{HIDDEN}{secrets.token_hex(4)}"
        task.folder.mkdir()
        wanted = {"file": job.file, "wishes": job.wishes.dump(), "options": job.options.dump()}
        self._say({"run": {**wanted, "out": str(task.folder / job.out.name), "command_line": sys.argv[1:]}})

    def stop(self, reason: str) -> None:
        self._say({"stop": reason})

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
            _clear(self.task)
        with self._complaints:
            self._complaints.seek(0)
            lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        code = self._process.returncode
        how = "not yet" if code is None else f"signal {-code}" if code < 0 else f"code {code}"
        return f"its process ended ({how}{f': {lines[-1]}' if lines else ''})"

    def _say(self, message: Mapping[str, Any]) -> None:
        """A line is less than what a pipe holds, so this waits for nobody."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone, which is heard
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _listen(self, heard: queue.SimpleQueue[tuple[_Worker, Mapping[str, Any] | None]]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                if (told := _message(line)) is not None:
                    heard.put((self, told))
        heard.put((self, None))


def _message(line: str) -> Mapping[str, Any] | None:
    """None: it is none of ours, but what some library printed."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.keys() & {"state", "report", "failed", "nothing"} else None


# --- files -------------------------------------------------------------------------------------------------


def _placed(task: _Task, told: Mapping[str, Any]) -> Report | NakctlError | None:
    """What came of it, with its file in its place. None: it was to stop before anything was started."""
    job, folder = task.job, task.folder
    assert folder is not None
    if "nothing" in told:
        return None
    if "failed" in told:
        return NotRun(_as_placed(told["failed"], folder, job), told["code"])
    report: Report = {
        name: _as_placed(value, folder, job) if isinstance(value, str) else value
        for name, value in told["report"].items()
    }
    if not report["sealed"]:
        why = report.get("message") or report["end_reason"]
        return NotRun(f"{job.out}: {why}; nothing of it is kept", max(report["exit_code"], ExitCode.FAILED))
    try:
        place(folder / job.out.name, job.out)
    except InputError as error:
        return error
    except OSError as error:
        return _unwritable(job, error)
    return report


def place(file: Path, out: Path) -> None:
    """Give a whole file its name. InputError: there is one of that name; OSError."""
    try:
        os.link(file, out)  # unlike a change of its name, this never overwrites
    except FileExistsError:
        raise InputError(f"{out} was made meanwhile by somebody else; nothing is overwritten") from None
    except OSError:  # a disk without that
        files.refuse_existing(out)
        files.put_in_place(file, out)
    files.sync_folder(out.parent)


def _as_placed(text: str, folder: Path, job: Job) -> str:
    """As if it had been recorded where it belongs."""
    return text.replace(str(folder / job.out.name), str(job.out))


def _clear(task: _Task) -> None:
    """Of a worker that died a helper may still write there, until it sees that."""
    until = time.monotonic() + _PATIENCE_s
    while task.folder is not None and task.folder.exists() and time.monotonic() < until:
        shutil.rmtree(task.folder, ignore_errors=True)
        time.sleep(_PAUSE_s * task.folder.exists())


def _unwritable(job: Job, error: OSError) -> NakctlError:
    return NotRun(f"{job.out} cannot be written: {error.strerror or error}")
