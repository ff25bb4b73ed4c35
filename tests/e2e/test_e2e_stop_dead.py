"""A run is killed, its cell goes on: `nakctl stop` switches it off, and no row is thrown away.

On a virtual instrument in a process of its own, as on the bench. What is waited for is an event.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
from command_line import Command, Said, nakctl, samples_in
from killing import kill, left, segments
from patience import until
from virtual_bench import CH, LONG, Bench, events, killed, last_epoch, loaded_by_another, text_of

from nakctl.booking.layout import GAP_CODE
from nakctl.record import files, lock
from nakctl.record.slot import blocks_of

pytestmark = [pytest.mark.skipif(os.name != "posix", reason="SIGKILL"), pytest.mark.slow]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    one = Bench(tmp_path)
    yield one
    one.end()


def stop(bench: Bench, *more: str, name: str = "dead.h5") -> Said:
    return nakctl("stop", name, "--json", *more, cwd=bench.folder)


def same_as_undisturbed(path: Path, tmp_path_factory: pytest.TempPathFactory, strip: str = "") -> int:
    """Every row is one of a run that nobody killed. Returns how many blocks were missing, all of them told."""
    whole = Bench(tmp_path_factory.mktemp("whole"))
    try:
        with h5py.File(path, "r") as file:
            lasted_s = file["entry/samples/time"][-1] - file["entry/chains/time"][0]
        nakctl(
            "run",
            "long.yaml",
            *CH,
            "--set",
            f"strip={strip or f'{lasted_s:.0f}s'}",
            "--out",
            "whole.h5",
            cwd=whole.folder,
        )
        everything, _ = segments(whole.folder / "whole.h5")
    finally:
        whole.end()
    found, _ = segments(path)
    with h5py.File(path, "r") as file:
        events = [json.loads(text) for text in file["entry/events/json"].asstr()[()]]
    told = sum(event["facts"].get("blocks", 0) for event in events if event["code"] == GAP_CODE)
    is_there = np.isin(everything[1]["time_s"], found[1]["time_s"])
    assert found[1].tobytes() == everything[1][is_there].tobytes()
    assert told or is_there[: len(found[1])].all()
    return told


# the chain goes on


def test_its_cell_is_switched_off_and_its_rows_come_home(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dead = killed(bench)
    assert bench.state() == "running"
    said = stop(bench)
    assert said.code == 0, said
    assert bench.state() == "stopped"
    told = said.json
    assert (told["status"], told["end_kind"], told["cell_state"], told["sealed"]) == (
        "aborted",
        "operator",
        "open",
        True,
    )
    assert "nobody watched for" in told["end_reason"]
    assert text_of(dead.path, "run_status") == "aborted"
    assert text_of(dead.path, "results/cell_state") == "open"
    with h5py.File(dead.path, "r") as file:
        assert b"taken_over" in file["entry/events/code"][()].tolist()
        assert file["entry/raw/entries/epoch"][()].max() == 1
        times_s = file["entry/samples/time"][()]
        steps = file["entry/steps"]
        assert steps["row_count"][()].sum() == len(times_s)
        assert steps["end_kind"][()].tolist() == [b"duration", b"operator"]
    found, _ = segments(dead.path)
    assert len(found[1]) > dead.kept  # what waited on the channel is there, too
    assert same_as_undisturbed(dead.path, tmp_path_factory) <= 1
    left_over = [file.name for file in bench.folder.glob("dead.h5*") if not file.name.endswith("witness")]
    assert left_over == ["dead.h5"]
    assert stop(bench).code == 0  # which tells how it ended
    assert (
        nakctl("run", "other.yaml", *CH, "--set", "strip=5s", "--json", cwd=bench.folder).json["status"]
        == "completed"
    )


def test_a_block_that_left_the_channel_and_reached_nobody_is_told(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The program dies while it waits for an answer, which the instrument gives all the same."""
    run = Command(
        "run", "long.yaml", *CH, "--quiet", "--out", "dead.h5", cwd=bench.folder, witness="dead.h5.witness"
    )
    path = bench.folder / "dead.h5"
    until(lambda: left(path).kept >= 20)
    bench.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: waits_for_an_answer(path))
    finally:
        kill(run, "dead.h5")
        run.communicate()
        bench.process.send_signal(signal.SIGCONT)
    said = stop(bench)
    assert said.code == 0, said
    assert same_as_undisturbed(path, tmp_path_factory) == 1


def waits_for_an_answer(path: Path) -> bool:
    """Longer than an answer takes."""
    before = blocks_of(path)
    time.sleep(0.3)
    return before is not None and before.missing == 1 and blocks_of(path) == before


def test_of_two_who_ask_one_waits_for_the_other(bench: Bench) -> None:
    """The first one waits for the instrument, and holds the lock."""
    dead = killed(bench)
    bench.process.send_signal(signal.SIGSTOP)
    try:
        first = Command("stop", "dead.h5", cwd=bench.folder)
        until(lambda: lock.is_held(files.lock_of(dead.path)))
        second = Command("stop", "dead.h5", cwd=bench.folder)
    finally:
        bench.process.send_signal(signal.SIGCONT)
    for each in (first, second):
        each.communicate()
        assert each.wait() == 0
    assert bench.state() == "stopped"
    assert text_of(dead.path, "run_status") == "aborted"


def test_who_stops_may_be_killed_and_another_one_asks_again(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dead = killed(bench)
    for _ in range(2):
        kill_when_it_writes(bench, dead.path)
    said = stop(bench)
    assert said.code == 0, said
    if files.journal_of(
        dead.path
    ).exists():  # killed behind the end, before there was a file: nothing to stop
        assert nakctl("recover", "dead.h5", cwd=bench.folder).code == 0
    assert bench.state() == "stopped"
    assert text_of(dead.path, "run_status") in ("aborted", "recovered")
    assert same_as_undisturbed(dead.path, tmp_path_factory) <= 3


def kill_when_it_writes(bench: Bench, path: Path) -> None:
    before = last_epoch(path)
    run = Command("stop", path.name, cwd=bench.folder)
    until(lambda: last_epoch(path) > before or run.poll() is not None)
    kill(run, path.name)
    run.communicate()


# the chain is over


def test_one_that_ended_meanwhile_is_what_it_is(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All that was asked for was done: nothing was stopped."""
    dead = killed(bench, "--set", "strip=200s")
    until(lambda: bench.state() != "running")
    said = stop(bench)
    assert said.code == 0, said
    assert (said.json["status"], said.json["end_kind"]) == ("completed", "steps done")
    found, _ = segments(dead.path)
    assert found[1]["time_s"][-1] == pytest.approx(210.0, abs=1e-3)
    assert same_as_undisturbed(dead.path, tmp_path_factory, "200s") <= 1
    with h5py.File(dead.path, "r") as file:
        assert set(file["entry/steps/end_kind"][()].tolist()) == {b"duration"}


# somebody else's


def test_what_runs_for_another_is_left_alone(bench: Bench) -> None:
    dead = loaded_by_another(bench)
    before = files.journal_of(dead.path).read_bytes()
    said = stop(bench)
    assert said.code == 3
    assert "not of this run: it is left alone" in said.err
    assert bench.state() == "running"
    assert files.journal_of(dead.path).read_bytes() == before
    said = stop(bench, "--mine")
    assert said.code == 0, said
    assert bench.state() == "stopped"
    found, _ = segments(dead.path)
    assert len(found[1]) == dead.kept or len(found[1]) == dead.came  # and no row of the other one
    assert stop(bench, name="other.h5").code == 0  # whose rows are still there
    assert text_of(bench.folder / "other.h5", "run_status") in ("aborted", "interrupted")


# nobody answers


def test_who_does_not_answer_may_be_asked_again(bench: Bench) -> None:
    dead = killed(bench)
    bench.process.send_signal(signal.SIGSTOP)
    try:
        said = stop(bench)
    finally:
        bench.process.send_signal(signal.SIGCONT)
    assert said.code == 3, said
    assert "try again" in said.err
    assert last_epoch(dead.path) == 0
    assert stop(bench).code == 0
    assert bench.state() == "stopped"


# a journal that is damaged


@pytest.mark.parametrize("place", ["max(seq)", "3"])
def test_behind_damage_nothing_is_written_but_the_cell_is_switched_off(bench: Bench, place: str) -> None:
    dead = killed(bench)
    with closing(sqlite3.connect(files.journal_of(dead.path))) as db, db:
        db.execute(f"UPDATE entry SET crc = crc + 1 WHERE seq = (SELECT {place} FROM entry)")
    assert "may go on" in nakctl("show", "dead.h5", cwd=bench.folder).err
    said = stop(bench)
    assert said.code == 0, said
    assert "its journal is damaged" in said.json["end_reason"]
    assert "none of its rows was taken" in said.json["end_reason"]
    assert said.json["status"] == "recovered"
    assert bench.state() == "stopped"
    assert files.damaged_of(dead.path).exists()


# a stop that is not obeyed


def test_one_that_does_not_stop_can_be_asked_again(tmp_path: Path) -> None:
    """Whoever asks may give up, as in a run: twice more after the alarm."""
    bench = Bench(tmp_path, "--fault", "stop-ignored=1@t0")
    try:
        dead = killed(bench)
        asking = Command("stop", "dead.h5", cwd=bench.folder)
        until(lambda: "not_stopped" in events(dead.path))
        until(lambda: has_ended(asking))
        _, err = asking.communicate()
        assert asking.wait() == 3
        assert "THE CELL MAY STILL BE UNDER CURRENT" in err
        assert bench.state() == "running"
        assert files.journal_of(dead.path).exists()
        again = Command("stop", "dead.h5", cwd=bench.folder)
        until(lambda: events(dead.path).count("not_stopped") >= 2)
        assert again.poll() is None
        kill(again, "dead.h5")
        again.communicate()
    finally:
        bench.end()


def has_ended(asking: Command) -> bool:
    """After one Ctrl-C more."""
    asking.send_signal(signal.SIGINT)
    time.sleep(0.2)
    return asking.poll() is not None


# a channel that dies with its program


def test_a_simulated_channel_is_gone_with_its_program(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    run = Command("run", "long.yaml", "--speed", "40", "--quiet", "--out", "sim.h5", cwd=tmp_path)
    until(lambda: samples_in(tmp_path / "sim.h5") > 0)
    kill(run, "sim.h5")
    run.communicate()
    said = nakctl("stop", "sim.h5", "--json", cwd=tmp_path)
    assert said.code == 0, said
    assert "does not outlive the program" in said.json["end_reason"]
    assert said.json["status"] == "recovered"
    assert text_of(tmp_path / "sim.h5", "run_status") == "recovered"


# other commands that meet it


def test_to_look_at_it_changes_nothing(bench: Bench) -> None:
    """Else what waits on the channel would have no file any more."""
    dead = killed(bench)
    said = nakctl("show", "dead.h5", cwd=bench.folder)
    assert "its chain may go on on bench/ch1" in said.err
    refused = nakctl("recover", "dead.h5", cwd=bench.folder)
    assert (refused.code, "--as-it-is" in refused.err) == (2, True)
    assert files.journal_of(dead.path).exists()
    other = nakctl("run", "other.yaml", *CH, "--quiet", "--out", "other.h5", cwd=bench.folder)
    assert other.code == 3
    assert "is running something" in other.err
    assert bench.state() == "running"
    assert stop(bench).code == 0


def test_the_next_run_on_its_channel_makes_it_whole(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dead = killed(bench, "--set", "strip=200s")
    until(lambda: bench.state() != "running")
    run = ("run", "other.yaml", *CH, "--set", "strip=5s", "--json", "--out", "other.h5")
    said = nakctl(*run, cwd=bench.folder)
    assert (said.code, said.json["status"]) == (0, "completed"), said
    assert "is whole now: completed: all steps done" in said.err
    assert text_of(dead.path, "run_status") == "completed"
    assert same_as_undisturbed(dead.path, tmp_path_factory, "200s") <= 1
