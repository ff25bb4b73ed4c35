"""Runs in virtual time on a Dask cluster: as `many_runs.Pool`, but for where the workers are.

A task (`dask_task`) gives back the report and the bytes of the sealed file. They are written here, under the
name that the run was asked for. When the worker of a task is lost, the scheduler has another one do it.
"""

from __future__ import annotations

import queue
import secrets
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nakctl import __version__
from nakctl.cli.campaigns.dask_client import PATIENCE_s, connected, refuse_others, why_of
from nakctl.cli.campaigns.dask_task import done
from nakctl.cli.header import asked_by
from nakctl.cli.many_runs import Job, LOOK_s
from nakctl.cli.placing import Report, place, unwritable
from nakctl.cli.signals import StopAsked
from nakctl.cli.workers import HIDDEN, NotRun, message
from nakctl.errors import InputError, NakctlError, need
from nakctl.record import files

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 2  # tasks for each thread of the cluster: the next one is there when one is done
TRIES = 5  # of a task whose worker was lost more often than its scheduler puts up with
COUNT_s = 5.0  # how often the threads are counted


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
        self._client: Client = connected(self._address)
        try:
            self._count()
            refuse_others(self._client)
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
            self._failed.append((job, NotRun(f"{job.out}: the cluster does not take it ({why_of(error)})")))

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
        except CancelledError as error:
            if self._client.status != "running":
                raise NakctlError(
                    f"the Dask scheduler at {self._address} is gone, and with it the runs that went on; the "
                    "same command goes on with what is missing"
                ) from None
            return NotRun(f"{out}: the cluster has not done it ({why_of(error)})")
        except Exception as error:  # noqa: BLE001  (whatever a worker, or the way to it, may raise)
            return NotRun(f"{out}: the cluster has not done it ({why_of(error)})")
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
