"""A Dask cluster on this computer, for tests: prints its address, and ends with its standard input.

For each line of that it kills a worker in the middle of a run, and prints which.
"""

from __future__ import annotations

import sys
import time

import psutil
from distributed import LocalCluster


def at_work() -> psutil.Process:
    """A worker of which a run is being recorded."""
    while True:
        for process in psutil.Process().children(recursive=True):
            try:
                of_nakctl = any("nakctl.cli.worker" in word for word in process.cmdline())
                if of_nakctl and any(".journal" in file.path for file in process.open_files()):
                    return process.parent() or process
            except psutil.Error:  # it ended meanwhile
                continue
        time.sleep(0.01)


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        say(cluster.scheduler_address)
        for _ in sys.stdin:
            victim = at_work()
            victim.kill()
            say(victim.pid)
