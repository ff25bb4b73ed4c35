"""A run that is ended from outside: by Ctrl-C, by a polite kill, by a closed terminal, by the disk."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import h5py
import pytest
from command_line import Going, Said, nakctl, samples_in
from patience import PATIENCE_s, until

from nakctl.record.asked import who_asks

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals to one process")
PACED = ("run", "short.yaml", "--set", "rest=1 h", "--speed", "60", "--out", "x.h5")


def going_on(folder: Path, *more: str) -> Going:
    """A paced run whose file can be read already."""
    going = Going(*PACED, *more, cwd=folder)
    until(lambda: samples_in(folder / "x.h5") > 5)
    return going


def test_it_ends_in_order(short: Path) -> None:
    with going_on(short, "--json") as going:
        said = going.end(signal.SIGINT)
    assert said.code == 130
    assert said.err == ""
    assert said.json["status"] == "aborted"
    assert said.json["end_reason"] == f"stopped by {who_asks()}"
    assert sorted(path.name for path in short.iterdir()) == ["short.yaml", "x.h5"]
    with h5py.File(short / "x.h5", "r") as file:
        assert file["entry/run_status"].asstr()[()] == "aborted"
        assert len(file["entry/samples/time"]) == said.json["samples"] > 5
        assert file["entry/steps/end_reason"].asstr()[-1] == said.json["end_reason"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGKILL"])
def test_who_shows_it_is_not_needed(name: str, short: Path) -> None:
    """A closed terminal, a polite kill and another one end the view, and no run."""
    with Going("run", "short.yaml", "--speed", "5", "--out", "x.h5", cwd=short) as going:
        until(lambda: samples_in(short / "x.h5") > 1)
        going.process.send_signal(getattr(signal, name))
        assert going.process.wait(PATIENCE_s) == -getattr(signal, name)
        assert nakctl("wait", "x.h5", cwd=short).code == 0
    with h5py.File(short / "x.h5", "r") as file:
        assert file["entry/run_status"].asstr()[()] == "completed"


def test_ctrl_c_reaches_the_whole_group_and_the_file_is_sealed_all_the_same(short: Path) -> None:
    with going_on(short) as going:
        os.killpg(going.process.pid, signal.SIGINT)
        said = going.end()
    assert said.code == 130
    assert "aborted: stopped by" in said.out
    assert h5py.File(short / "x.h5", "r").attrs["sealed"]


def test_after_ctrl_c_no_further_value_is_run(short: Path) -> None:
    with Going(
        *PACED[:-4], "--speed", "60", "--each", "current=5uA,10uA", "--out", "x.h5", cwd=short
    ) as going:
        until(lambda: samples_in(short / "x_current-5uA.h5") > 5)
        assert going.end(signal.SIGINT).code == 130
    assert [path.name for path in short.glob("*.h5")] == ["x_current-5uA.h5"]


def test_a_reader_of_the_output_that_goes_away_does_not_end_the_run(short: Path) -> None:
    with Going("run", "short.yaml", "--out", "x.h5", cwd=short) as going:
        assert going.process.stdout is not None
        going.process.stdout.close()
        assert going.process.wait(PATIENCE_s) == 0
    assert h5py.File(short / "x.h5", "r")["entry/run_status"].asstr()[()] == "completed"


def test_a_plan_into_head(short: Path) -> None:
    command = f"{sys.executable} -m nakctl schema | head -1"
    with os.popen(f"cd {short} && ({command}) 2>&1") as pipe:
        assert pipe.read() == "{\n"


def killed(folder: Path) -> None:
    with going_on(folder) as going:
        going.process.kill_all()
        going.process.wait()


@pytest.mark.parametrize(
    "command", [("recover", "x.h5"), ("show", "x.h5"), ("run", "short.yaml", "--out", "y.h5")]
)
def test_the_next_command_makes_a_killed_run_whole(command: tuple[str, ...], short: Path) -> None:
    killed(short)
    said = nakctl(*command, cwd=short)
    assert said.code == 0
    assert "recovered from the journal" in said.out + said.err
    assert not list(short.glob("*.journal*"))
    with h5py.File(short / "x.h5", "r") as file:
        assert file["entry/run_status"].asstr()[()] == "recovered"


def test_a_run_that_goes_on_is_not_recovered(short: Path) -> None:
    with going_on(short) as going:
        said = nakctl("recover", "x.h5", cwd=short)
        assert said.code == 2
        assert "still being recorded" in said.err
        assert going.process.poll() is None
        assert "the run goes on" in nakctl("show", "x.h5", cwd=short).out


@pytest.fixture
def full_disk(short: Path) -> Said:
    """A run whose process, from its middle on, can write no file any more."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("the limits of another process can be set on Linux only")
    with Going(
        "run", "short.yaml", "--set", "rest=3 min", "--speed", "60", "--out", "x.h5", cwd=short
    ) as going:
        until(lambda: samples_in(short / "x.h5") > 5)
        resource.prlimit(going.process.runner, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        return going.end()


def test_a_full_disk_is_explained_and_what_was_recorded_stays(full_disk: Said, short: Path) -> None:
    assert full_disk.code == 1
    assert "Traceback" not in full_disk.err
    assert "nakctl recover x.h5" in full_disk.out
    recorded = samples_in(short / "x.h5")
    assert nakctl("recover", "x.h5", cwd=short).code == 0
    with h5py.File(short / "x.h5", "r") as file:
        assert len(file["entry/samples/time"]) >= recorded > 5
