"""Runs in virtual time, several at once: real workers, which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import forked_helpers
import h5py
import pytest
from command_line import Command, helpers_of, nakctl, processes
from patience import until
from short_run import SHORT

from nakctl import isolated
from nakctl.cli.many_runs import Job, Pool, in_parallel
from nakctl.cli.one_run import Options
from nakctl.cli.placing import sweep
from nakctl.cli.prepare import Wishes
from nakctl.cli.signals import StopAsked
from nakctl.cli.workers import NotRun
from nakctl.errors import NakctlError
from nakctl.record import lock

WORKER = "nakctl.cli.worker"
LONG = "long.yaml"  # half a minute


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    (tmp_path / "slip.yaml").write_text(SHORT.replace("steps:", "stepps:"), encoding="utf-8")
    (tmp_path / "long.yaml").write_text(
        SHORT.replace("10 h", "90 d").replace("20 s", "60 d"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Those that were started: forked from a process that has everything imported, where that can be."""
    started: list[Any] = []
    start = isolated.start

    def noted(module: str, *arguments: str, **pipes: Any) -> Any:
        if module != WORKER:
            return start(module, *arguments, **pipes)
        forks = os.name == "posix"
        how = {"cwd": Path.cwd(), "program": WORKER, "helpers": True} if forks else {}
        started.append((Command if forks else start)(*(() if forks else (module,)), **how, **pipes))
        return started[-1]

    monkeypatch.setattr(isolated, "start", noted)
    return started


def job(out: str, sets: dict[str, str] | None = None, file: str = "short.yaml", seed: int = 0) -> Job:
    options = Options(Path(out), seed, None, "", as_json=False, quiet=True)
    return Job(file, Wishes("sim-sp300", "NaK50", sets or {}, None), Path(out), options)


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".yaml")


def samples(path: Path) -> bytes:
    with h5py.File(path) as file:
        return b"".join(file["entry/samples"][name][()].tobytes() for name in ("time", "Ewe", "I"))


def test_each_is_done_and_one_that_cannot_be_costs_no_other(folder: Path) -> None:
    (folder / "taken.h5").write_text("mine")
    jobs = [
        job("slip.h5", file="slip.yaml"),
        job("a.h5"),
        job("taken.h5"),
        job("b.h5", {"rest": "30 s"}, seed=7),
    ]
    told = {each.out.name: came for each, came in in_parallel(jobs, 2, StopAsked())}
    assert isinstance(told["slip.h5"], NotRun)
    assert told["slip.h5"].exit_code == 2
    assert "slip.yaml:8:1  stepps is no word" in str(told["slip.h5"])
    assert "taken.h5 was made meanwhile by somebody else" in str(told["taken.h5"])
    assert (folder / "taken.h5").read_text() == "mine"
    for name in ("a.h5", "b.h5"):
        report = told[name]
        assert not isinstance(report, NakctlError)
        assert (report["status"], report["file"], report["exit_code"]) == ("completed", name, 0)
    assert files_in(folder) == ["a.h5", "b.h5", "taken.h5"]

    nakctl("run", "short.yaml", "--set", "rest=30 s", "--seed", "7", "--out", "c.h5", cwd=folder)
    assert samples(folder / "b.h5") == samples(folder / "c.h5")
    assert samples(folder / "a.h5") != samples(folder / "c.h5")


def test_a_run_whose_worker_dies_is_begun_once_more(folder: Path, workers: list[Any]) -> None:
    stop = StopAsked()
    with Pool(1, stop) as pool:
        pool.add(job("x.h5", file=LONG))
        assert kill(workers, pool) == []
        at_work(pool)
        stop.ask("enough")
        [(_, report)] = ended(pool)
    assert not isinstance(report, NakctlError)
    assert (report["status"], report["end_reason"]) == ("aborted", "enough")
    assert files_in(folder) == ["x.h5"]
    assert h5py.File(folder / "x.h5").attrs["sealed"]


def test_one_whose_worker_dies_again_is_given_up_and_others_are_not(folder: Path, workers: list[Any]) -> None:
    with Pool(1, StopAsked()) as pool:
        pool.add(job("x.h5", file=LONG))
        assert kill(workers, pool) == []
        [(_, error)] = kill(workers, pool)
        assert str(error) == "x.h5: its process ended (signal 9) before the run was over, 2 times"
        pool.add(job("y.h5"))
        [(one, report)] = ended(pool)
        assert not isinstance(report, NakctlError)
        assert one.out.name == "y.h5"
    assert files_in(folder) == ["y.h5"]
    assert all(each.poll() is not None for each in workers)


def test_asked_twice_to_stop_it_leaves_nothing(folder: Path, workers: list[Any]) -> None:
    stop = StopAsked()
    with Pool(2, stop) as pool:
        for name in ("x.h5", "y.h5", "z.h5"):
            pool.add(job(name, file=LONG))
        at_work(pool, 2)
        stop.ask()
        stop.ask()
        assert ended(pool) == []
    assert files_in(folder) == []
    assert [each.poll() for each in workers] == [-signal.SIGKILL] * 2


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes there")
def test_a_worker_ends_with_who_started_it(folder: Path) -> None:
    """Killed, so that it could not say so; and started as outside of the tests."""
    code = """
import sys
from test_many_runs import LONG, Pool, StopAsked, at_work, job
with Pool(1, StopAsked()) as pool:
    pool.add(job("x.h5", file=LONG))
    at_work(pool)
    print("begun", flush=True)
    sys.stdin.read()
"""
    process = forked_helpers.python(code, stdin=subprocess.PIPE)
    with process.stdin, process.stdout, process.stderr:
        assert process.stdout.readline() == "begun\n"
        [worker] = helpers_of(process.pid, WORKER)
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: worker not in processes(WORKER))
        process.wait()
    assert files_in(folder) == []


def test_what_a_power_cut_left_is_removed_and_what_is_at_work_is_not(folder: Path) -> None:
    left, at_work_ = folder / ".nakctl-0123abcd", folder / ".nakctl-4567cdef"
    for each in (left, at_work_, folder / ".nakctl-notes"):
        each.mkdir()
        (each / "x.h5.journal").touch()
    with lock.hold(at_work_ / "x.h5.lock"):
        sweep(folder)
    assert files_in(folder) == [".nakctl-4567cdef", ".nakctl-notes"]


# --- looking on --------------------------------------------------------------------------------------------

Ended = list[tuple[Job, Any]]


def at_work(pool: Pool, many: int = 1) -> None:
    """So many runs have rows."""
    until(lambda: sum(bool(state) for _, state in pool.going) == many, turn=pool.look)


def kill(workers: list[Any], pool: Pool) -> Ended:
    """The only one that works, and have that heard: what ended with it."""
    at_work(pool)
    workers[-1].kill()
    found: Ended = []
    until(lambda: not any(state for _, state in pool.going), turn=lambda: found.extend(pool.look()))
    return found


def ended(pool: Pool) -> Ended:
    found: Ended = []
    while pool.is_busy:
        found += pool.look()
    return found
