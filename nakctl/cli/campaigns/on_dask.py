"""Runs in virtual time on a Dask cluster: as `many_runs.Pool`, but for where the workers are.

A task does on its machine what a worker does here (`nakctl.cli.worker`, a process beside that of Dask), in a
folder that vanishes, and gives back the report and the bytes of the sealed file. They are written here, under
the name that the run was asked for. A task is pure: when its worker is lost, the scheduler has another one do
it. One that nobody wants any more ends.
"""

from __future__ import annotations

import logging
import platform
import queue
import secrets
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl import __version__
from nakctl.cli.header import asked_by
from nakctl.cli.many_runs import Job, LOOK_s, Report, as_placed, place, placed_report, unwritable
from nakctl.cli.signals import StopAsked
from nakctl.cli.workers import HIDDEN, NotRun, do_one, message
from nakctl.errors import ExitCode, InputError, NakctlError, need
from nakctl.record import files

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE_s = 15.0  # until a scheduler answers, and has workers
AHEAD = 2  # tasks for each thread of the cluster: the next one is there when one is done
TRIES = 5  # of a task whose worker was lost more often than its scheduler puts up with
COUNT_s = 5.0  # how often the threads are counted

Done = tuple[Report | None, str, int, bytes]  # the report and the file; or why there is none, and the code


# --- on a worker of the cluster ----------------------------------------------------------------------------


def done(run: Mapping[str, Any], version: str) -> Done:
    """One run, of which `workers.message` tells. version: of who asks for it."""
    if version != __version__:
        return None, _other_version(__version__, version), int(ExitCode.BAD_INPUT), b""
    with tempfile.TemporaryDirectory(prefix="nakctl-", ignore_cleanup_errors=True) as folder:
        out = Path(run["out"])
        file = Path(folder) / out.name
        told = do_one({**run, "out": str(file)}, _is_wanted())
        if "failed" in told:
            return None, as_placed(told["failed"], file, out), int(told["code"]), b""
        if "nothing" in told or not told["report"]["sealed"]:
            report = told.get("report", {})
            why = report.get("message") or report.get("end_reason") or "it was not begun"
            return None, f"{as_placed(why, file, out)}; nothing of it is kept", int(ExitCode.FAILED), b""
        return placed_report(told["report"], file, out), "", 0, file.read_bytes()


def _is_wanted() -> Callable[[], bool]:
    """Whether somebody still waits for the task of this thread: Dask ends none that has begun."""
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except (ValueError, AttributeError):  # a test calls it
        return lambda: True

    def asks() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state not in ("cancelled", "released", "forgotten")

    return asks


# --- here --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Task:
    job: Job
    future: Future
    tries: int = 1


class Cluster:
    """See `going.Hands`. NotInstalled; NakctlError: no scheduler answers, or its workers are others."""

    def __init__(self, address: str, stop_asked: StopAsked) -> None:
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._address, self._stop_asked = address, stop_asked
        self._tasks: list[_Task] = []
        self._ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._failed: list[tuple[Job, NakctlError]] = []
        self._threads, self._counted_at = 1, 0.0

    def __enter__(self) -> Cluster:
        need("--dask", "dask", "distributed")
        for name in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._client = _client(self._address)
        try:
            self._count()
            _refuse_others(self._client)
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._let_go()
        with suppress(Exception):  # whatever it is, nothing depends on it any more
            self._client.close(timeout=PATIENCE_s)

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < AHEAD * self._threads and not self._stop_asked.count()

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks or self._failed)

    @property
    def going(self) -> list[tuple[Job, Mapping[str, Any]]]:
        return [(task.job, {}) for task in self._tasks]

    def add(self, job: Job) -> None:
        said = {**(job.options.said or {}), **asked_by(_protocol_of(job))}
        job = replace(job, options=replace(job.options, said=said))
        try:
            self._tasks.append(_Task(job, self._submit(job)))
        except Exception as error:  # noqa: BLE001  (of a connection that is gone; its kinds are many)
            self._failed.append((job, NotRun(f"{job.out}: the cluster does not take it ({_why(error)})")))

    def look(self, wait_s: float = LOOK_s) -> list[tuple[Job, Report | NakctlError]]:
        if self._stop_asked.count():
            self._let_go()
            return []
        found: list[tuple[Job, Report | NakctlError]] = [*self._failed]
        self._failed.clear()
        if time.monotonic() - self._counted_at > COUNT_s:
            self._count()
        with suppress(queue.Empty):
            future = self._ended.get(timeout=0.0 if found else wait_s)
            while True:
                found += self._over(future)
                future = self._ended.get_nowait()
        return found

    def _submit(self, job: Job) -> Future:
        key = f"nakctl-{job.out.stem}-{secrets.token_hex(4)}"
        future = self._client.submit(done, message(job, job.out), __version__, key=key, pure=False)
        future.add_done_callback(self._ended.put)
        return future

    def _over(self, future: Future) -> list[tuple[Job, Report | NakctlError]]:
        task = next((each for each in self._tasks if each.future is future), None)
        if task is None:
            return []
        came = self._came(task)
        if came is None:
            return []
        self._tasks.remove(task)
        future.release()
        return [(task.job, came)]

    def _came(self, task: _Task) -> Report | NakctlError | None:
        """None: it is done once more."""
        from distributed import KilledWorker

        out = task.job.out
        try:
            report, why, code, file = task.future.result(timeout=None)
        except KilledWorker as error:
            if task.tries == TRIES:
                return NotRun(f"{out}: the workers of the cluster that did it were lost, {TRIES} times")
            self.said.put(f"{out}: the workers that did it were lost ({error.task}); it is done once more")
            task.tries += 1
            task.future = self._submit(task.job)
            return None
        except NakctlError as error:
            return NotRun(f"{out}: on the cluster {error}", int(error.exit_code))
        except Exception as error:  # noqa: BLE001  (whatever a worker, or the way to it, may raise)
            return NotRun(f"{out}: the cluster has not done it ({_why(error)})")
        return NotRun(f"{out}: {why}", code) if report is None else _written(task.job, report, file)

    def _let_go(self) -> None:
        tasks, self._tasks = self._tasks, []
        with suppress(Exception):  # a connection that is gone
            self._client.cancel([task.future for task in tasks], force=True)

    def _count(self) -> None:
        self._counted_at = time.monotonic()
        threads = self._threads
        with suppress(Exception):
            threads = sum(self._client.nthreads().values())
        if threads == 0 and self._threads:
            self.said.put(f"{self._address} has no worker any more; runs wait until there is one")
        self._threads = threads


def _client(address: str) -> Client:
    from distributed import Client

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that are others there: what counts is asked for
            client = Client(address, timeout=PATIENCE_s, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise NakctlError(f"no Dask scheduler answers at {address} ({_why(error)})") from None
    try:
        client.wait_for_workers(1, timeout=PATIENCE_s)
    except TimeoutError:
        client.close()
        raise NakctlError(f"the Dask scheduler at {address} has no workers") from None
    return client


def _refuse_others(client: Client) -> None:
    """InputError if a worker has another nakctl or Python: what is sent there, the same alone understands."""

    def versions() -> tuple[str, str]:  # sent as code: there may be no nakctl
        import platform

        try:
            from nakctl import __version__
        except ImportError:
            return "", platform.python_version()
        return __version__, platform.python_version()

    for worker, (version, python) in client.run(versions).items():
        if version != __version__:
            raise InputError(f"worker {worker}: {_other_version(version, __version__)}")
        if python.rpartition(".")[0] != platform.python_version().rpartition(".")[0]:
            raise InputError(
                f"worker {worker} has Python {python}, and here is {platform.python_version()}: they have to "
                "agree in the first two numbers"
            )


def _other_version(there: str, here: str) -> str:
    if not there:
        return "nakctl is not installed there: pip install nakctl"
    return f"there is nakctl {there}, and here {here}: install the same"


def _written(job: Job, report: Report, file: bytes) -> Report | NakctlError:
    """The file in its place."""
    folder = job.out.parent / f"{HIDDEN}{secrets.token_hex(4)}"
    try:
        folder.mkdir()
        hidden = folder / job.out.name
        hidden.write_bytes(file)
        files.sync_file(hidden)
        place(hidden, job.out)
    except InputError as error:
        return error
    except OSError as error:
        return unwritable(job, error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report


def _protocol_of(job: Job) -> str:
    """Its file; the job may name a shipped one."""
    return job.file if job.ready is None else job.ready.loaded.document.file


def _why(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
