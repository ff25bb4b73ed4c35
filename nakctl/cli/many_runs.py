"""Runs in virtual time, several at once: a few processes, each of which does one after the other (`worker`).

    for job, told in in_parallel(jobs, workers, stop_asked):
        ...                      # as they end; told: the report of `run_one`, or why there is none

A run is recorded in a hidden folder beside its place, and gets its name when it is whole: whatever happens,
there is a whole file or none. A worker that dies takes its run along, which another one begins once more; it
ends with the process that started it. They speak in lines of JSON, see `worker`.
"""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nakctl.cli.placing import Report, placed, unwritable
from nakctl.cli.workers import Heard, NotRun, Task, Worker, clear
from nakctl.errors import NakctlError

if TYPE_CHECKING:
    from nakctl.cli.one_run import Options
    from nakctl.cli.prepare import Prepared, Wishes
    from nakctl.cli.signals import StopAsked

TRIES = 2  # of a run whose worker dies
LOOK_s = 0.1  # how soon a wish to stop is heard


@dataclass(frozen=True, slots=True)
class Job:
    """A run in virtual time. file, wishes: as for `prepare`; out: its result, which is not there yet.

    ready  as it was prepared: a file that is changed meanwhile changes nothing then
    """

    file: str
    wishes: Wishes
    out: Path
    options: Options
    ready: Prepared | None = None


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


class Pool:
    """At most so many workers, of which none is started before it is needed, and none outlives the `with`.

    said           sentences that nobody has taken yet
    keeps_stopped  a run that was asked to stop is a result, too; else nothing is left of it, or said
    """

    def __init__(self, workers: int, stop_asked: StopAsked, *, keeps_stopped: bool = True) -> None:
        self._most, self._stop_asked, self._keeps_stopped = max(1, workers), stop_asked, keeps_stopped
        self._waiting: deque[Task] = deque()
        self._workers: list[Worker] = []
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stops = 0  # how often the workers were told to

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.bury()
        self._workers.clear()

    @property
    def has_room(self) -> bool:
        """What is added now begins now."""
        return len(self._waiting) + len(self.going) < self._most and not self._stops

    def add(self, job: Job) -> None:
        self._waiting.append(Task(job))

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
                    worker = Worker(self._heard)
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
                failed.append((task.job, unwritable(task.job, error)))
        return failed

    def _take(self, worker: Worker, told: Mapping[str, Any] | None) -> list[tuple[Job, Report | NakctlError]]:
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
        is_kept = self._keeps_stopped or told.get("report", {}).get("status") != "aborted"
        result = placed(task, told) if is_kept else None
        clear(task)
        return [] if result is None else [(task.job, result)]

    def _once_more(self, task: Task, how: str) -> list[tuple[Job, Report | NakctlError]]:
        if task.given_up:
            return [(task.job, NotRun(task.given_up))]
        if task.tries < TRIES:
            task.state = {}
            self.said.put(f"{task.job.out}: {how} before the run was over; it is begun once more")
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
