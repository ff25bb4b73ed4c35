"""A run is killed, or hangs: somebody goes on with it, in the same file, to its end.

On a virtual instrument in a process of its own, as on the bench. What is waited for is an event.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from command_line import ENVIRONMENT, Said, nakctl, processes
from patience import until
from virtual_bench import (
    CH,
    LONG,
    SPEED,
    Bench,
    last_epoch,
    loaded_by_another,
    stopped_by_another,
    taken_by_another,
    text_of,
)

from nakctl.booking.layout import GAP_CODE
from nakctl.device.instrument import instrument
from nakctl.record import files, lock
from nakctl.record.registry import FOLDER_VARIABLE, known_runs
from nakctl.record.slot import state_of

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found in /proc"),
    pytest.mark.slow,
]

KEEPER = "nakctl.cli.keeper"
ROOM = "sensors:\n  room: {kind: sim, model: chamber, every: 10 s}\n"
ROOM_LIMIT = "time: 1000 h, sensors: {room: [-50 degC, 300 degC]}}"


class Keepers:
    """Runs of one test apart from those of others, with a keeper of their own or without any."""

    def __init__(self, folder: Path) -> None:
        self.runs = folder / "runs"
        self.runs.mkdir()
        self.none: Mapping[str, str] = {**ENVIRONMENT, FOLDER_VARIABLE: str(self.runs)}
        self.one = {name: value for name, value in self.none.items() if name != "NAKCTL_KEEPER"}

    @property
    def pids(self) -> list[int]:
        """Of the keeper, and of who is about to be one."""
        return [pid for pid in processes(f"'{KEEPER}'") if self._is_ours(pid)]

    def end(self) -> None:
        until(lambda: not any(map(_killed, self.pids)))
        for run in known_runs():
            _killed(pid_of(run.path))

    def _is_ours(self, pid: int) -> bool:
        with suppress(OSError):
            return f"{FOLDER_VARIABLE}={self.runs}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
        return False


@pytest.fixture
def keepers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keepers]:
    some = Keepers(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(some.runs))
    yield some
    some.end()


@pytest.fixture
def benches(tmp_path: Path, keepers: Keepers) -> Iterator[Callable[..., Bench]]:
    """benches(...): as `Bench`."""
    made: list[Bench] = []

    def make(*more: str, **words: Any) -> Bench:
        made.append(Bench(tmp_path, *more, **{"environment": keepers.none, **words}))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def bench(benches: Callable[..., Bench]) -> Bench:
    """Where no keeper is."""
    return benches()


# --- what is seen, and done ---------------------------------------------------------------------------------


def state(path: Path) -> dict[str, Any]:
    return dict(state_of(path) or {})


def pid_of(path: Path) -> int:
    """Of who records it, or did last."""
    return int(state(path).get("pid", 0))


def _killed(pid: int, number: int = signal.SIGKILL) -> bool:
    if pid <= 0:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def began(bench: Bench, *more: str, name: str = "x.h5") -> Path:
    """A run that nobody shows, in the middle of its chain."""
    said = nakctl(
        *("run", "long.yaml", *CH, *more, "--out", name, "--detach"),
        cwd=bench.folder,
        environment=bench.environment,
    )
    assert said.code == 0, said
    path = bench.folder / name
    until(lambda: state(path).get("step_id", 0) >= 2)  # before it no current flows, and nobody need watch
    goes_on(path)
    return path


def goes_on(path: Path) -> None:
    before = state(path).get("samples", 0)
    until(lambda: state(path).get("samples", 0) > before + 9)


def die(path: Path) -> int:
    """Kill the process of a run, and see that it is gone."""
    pid = pid_of(path)
    assert _killed(pid)
    until(lambda: not lock.is_held(files.lock_of(path)))
    return pid


def asked(bench: Bench, *args: str) -> Said:
    return nakctl(*args, cwd=bench.folder, environment=bench.environment)


def attach(bench: Bench, *args: str) -> Said:
    return asked(bench, "attach", *args)


def is_over(path: Path) -> bool:
    return path.resolve() not in [run.path for run in known_runs()]


def whole(path: Path, status: str = "completed", pauses: int = 0) -> list[dict[str, Any]]:
    """Wait for a sealed file, with every second of it, but for pauses and what is declared. Its events."""
    until(lambda: is_over(path))
    assert text_of(path, "run_status") == status, text_of(path, "end_reason")
    with h5py.File(path, "r") as file:
        events = [json.loads(text) for text in file["entry/events/json"].asstr()[()]]
        times_s = file["entry/samples/time"][()]
        assert file["entry/steps/row_count"][()].sum() == len(times_s)
    missing = sum(event["facts"].get("blocks", 0) for event in events if event["code"] == GAP_CODE)
    assert (np.diff(times_s) > 1.5).sum() - pauses <= missing <= 1
    return events


def codes(events: list[dict[str, Any]]) -> list[str]:
    return [event["code"] for event in events]


# --- the keeper ---------------------------------------------------------------------------------------------


def test_a_run_that_was_killed_is_gone_on_with_to_its_end(
    benches: Callable[..., Bench], keepers: Keepers
) -> None:
    bench = benches(environment=keepers.one)
    path = began(bench, "--set", "strip=500s")
    until(lambda: lock.is_held(keepers.runs / "keeper.lock"))
    killed = die(path)
    until(lambda: pid_of(path) not in (0, killed))
    assert state(path)["outlives"]
    events = whole(path)
    assert codes(events).count("taken_over") == 1
    (told,) = (event for event in events if event["code"] == "taken_over")
    assert told["facts"]["why"] == "died"
    assert 0 < told["facts"]["unwatched_s"] < 60
    assert bench.state() == "stopped"
    assert len(keepers.pids) == 1


def test_one_that_hangs_is_ended_and_replaced(benches: Callable[..., Bench], keepers: Keepers) -> None:
    bench = benches(environment=keepers.one)
    path = began(bench)
    until(lambda: lock.is_held(keepers.runs / "keeper.lock"))
    hung = pid_of(path)
    os.kill(hung, signal.SIGSTOP)
    until(lambda: pid_of(path) != hung and state(path).get("state") == "running")
    assert not _killed(hung, signal.SIGCONT)  # it is dead, and touches nothing any more
    goes_on(path)
    assert asked(bench, "stop", "x.h5").code == 0
    assert codes(whole(path, "aborted")).count("taken_over") == 1
    assert bench.state() == "stopped"


def test_where_nobody_can_go_on_and_it_shall_not_be_alone_it_is_stopped(
    benches: Callable[..., Bench], keepers: Keepers
) -> None:
    """Nobody can read its journal, so nobody goes on with it; the cell can be switched off all the same."""
    bench = benches(words=", unwatched: stop, unwatched_for: 1 s", environment=keepers.one)
    path = began(bench)
    until(lambda: lock.is_held(keepers.runs / "keeper.lock"))
    assert bench.state() == "running"
    die(path)
    with closing(sqlite3.connect(files.journal_of(path), timeout=5)) as db, db:
        db.execute("UPDATE entry SET crc = crc + 1 WHERE seq = 3")
    until(lambda: is_over(path))
    assert bench.state() == "stopped"
    assert text_of(path, "run_status") == "recovered"


def test_the_file_of_a_simulated_channel_that_died_with_its_program_is_sealed(
    tmp_path: Path, keepers: Keepers
) -> None:
    (tmp_path / "long.yaml").write_text(LONG, encoding="utf-8")
    begun = ("run", "long.yaml", "--speed", SPEED, "--out", "x.h5", "--detach")
    assert nakctl(*begun, cwd=tmp_path, environment=keepers.one).code == 0
    path = tmp_path / "x.h5"
    goes_on(path)
    until(lambda: lock.is_held(keepers.runs / "keeper.lock"))
    die(path)
    whole(path, "recovered")


# --- by hand ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["x.h5", "--all"])
def test_with_the_keeper_gone_too_somebody_attaches(which: str, bench: Bench, keepers: Keepers) -> None:
    path = began(bench, "--set", "strip=300s")
    die(path)
    assert (keepers.pids, last_epoch(path)) == ([], 0)
    said = attach(bench, which)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"{path}: gone on with; nakctl status ")
    again = attach(bench, which)
    assert again.code == 0
    assert again.out == ("" if which == "--all" else f"{path}: its program lives, and goes on with it\n")
    (told,) = (event for event in whole(path) if event["code"] == "taken_over")
    assert told["facts"]["why"] == ("died" if which == "--all" else "asked")
    over = attach(bench, which)
    if which == "--all":
        assert over == Said(0, "", "")
    else:
        assert over == Said(2, "", f"{path} is over: nakctl show {path}\n")


@pytest.mark.parametrize("what", ["switched off", "taken"])
def test_what_was_on_the_channel_is_gone_under_a_run(what: str, bench: Bench) -> None:
    """The run leaves it alone; a person, who has looked at the cell, continues it."""
    path = began(bench, "--set", "strip=200s")
    pid = pid_of(path)
    os.kill(pid, signal.SIGSTOP)  # else it may see it stopped first, which is an end
    if what == "taken":
        taken_by_another(bench)
    else:
        bench.switch_off_and_on()
    os.kill(pid, signal.SIGCONT)
    until(lambda: state(path).get("state") == "lost" and not lock.is_held(files.lock_of(path)))
    said = asked(bench, "wait", "x.h5", "--timeout", "0")
    assert (said.code, said.out, "nakctl attach --continue" in said.err) == (3, "", True), said
    (seen,) = asked(bench, "status", "--json").json["runs"]
    assert (seen["health"], seen["state"]["state"]) == ("LOST", "lost")
    assert attach(bench, "x.h5").code == 3
    if what == "taken":
        assert attach(bench, "x.h5", "--continue").code == 3
        assert bench.state() == "running"  # the other's, to the end
        stopped_by_another(bench)
        refused = attach(bench, "x.h5", "--continue")
        assert (refused.code, "--discard-rows" in refused.err) == (3, True), refused
    assert attach(bench, "x.h5", "--continue", *(["--discard-rows"] if what == "taken" else [])).code == 0
    until(lambda: is_over(path))
    assert text_of(path, "run_status") == "completed"
    with h5py.File(path, "r") as file:
        told = [json.loads(text)["code"] for text in file["entry/events/json"].asstr()[()]]
        labels = [label.split()[0] for label in file["entry/steps/label"].asstr()[()]]
        stripped = file["entry/samples/I"][()] > 0
    assert {"lost", "taken_over", "continued"} <= set(told)
    assert (labels[0], set(labels[1:])) == ("1", {"2"})
    assert stripped.sum() == pytest.approx(200, abs=5)  # one row a second


STAIRS = """\
nakctl: 1
name: More levels than a channel holds techniques
spectra:
  quick: {kind: geis, amplitude: 2 uA, from: 1 kHz, to: 10 Hz, per_decade: 2}
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1000 h}
steps:
  - rest: 10 s
  - staircase: {from: 1 uA, to: 45 uA, step: 1 uA}
    steps:
      - strip: $level
        for: 5 s
      - geis: quick
        during: {strip: $level}
"""


def test_a_chain_that_is_handed_over_while_it_runs_is_gone_on_with(bench: Bench) -> None:
    """Whoever comes next knows which level stands in which place of the channel, and hands over the others."""
    (bench.folder / "long.yaml").write_text(STAIRS, encoding="utf-8")
    path = began(bench)
    until(lambda: state(path).get("step_id", 0) > 20)
    die(path)
    assert attach(bench, "x.h5").code == 0
    until(lambda: is_over(path))
    assert text_of(path, "run_status") == "completed", text_of(path, "end_reason")
    with h5py.File(path, "r") as file:
        events = [json.loads(text) for text in file["entry/events/json"].asstr()[()]]
        labels = [label.split(" ", 1)[1] for label in file["entry/steps/label"].asstr()[()]]
        chains, spectra = len(file["entry/chains/time"]), len(file["entry/spectra/step_count"])
    longest = max(chain.count("\n") for chain in text_of(path, "plan/program").split("segment"))
    assert longest > instrument("SP-300").chain_length
    assert codes(events).count("taken_over") == 1
    levels = [f"strip {0.001 * k:.4g} mA/cm2" for k in range(1, 46)]
    asked = [label for level in levels for label in (level, f"geis {level}")]
    kept = [label for label in asked if label in labels]
    assert labels[1:] == kept  # each once, in its order
    # The dead program may have taken a block along, of which the file tells: on a busy machine it can hold all
    # of a short spectrum.
    assert kept == asked or "gap" in codes(events)
    assert len(kept) >= len(asked) - 1 and spectra >= 45 - 1
    # the rest and all of the staircase; a third one where nobody came before it stopped at its fence
    assert chains in (2, 3)


def test_slips(bench: Bench) -> None:
    for args, says in (
        (("never.h5",), "no such run"),
        ((), "name one run, or give --all"),
        (("x.h5", "--all"), "name one run, or give --all"),
    ):
        said = attach(bench, *args)
        assert (said.code, said.out, says in said.err) == (2, "", True), said


def test_what_another_one_runs_there_is_left_alone(bench: Bench) -> None:
    dead = loaded_by_another(bench)
    before = files.journal_of(dead.path).read_bytes()
    said = attach(bench, "dead.h5")
    assert (said.code, said.out) == (3, ""), said
    assert "not of this run: it is left alone" in said.err
    assert files.journal_of(dead.path).read_bytes() == before
    assert bench.state() == "running"
    assert attach(bench, "other.h5").code == 0  # whose it is
    goes_on(bench.folder / "other.h5")
    assert asked(bench, "stop", "other.h5").code == 0


def test_paused_it_stays_until_somebody_resumes_it(bench: Bench) -> None:
    path = began(bench, "--set", "strip=300s")
    assert asked(bench, "pause", "x.h5", "--now").code == 0
    die(path)
    assert attach(bench, "x.h5").code == 0
    until(lambda: state(path).get("state") == "paused")
    assert bench.state() == "stopped"
    assert asked(bench, "resume", "x.h5").code == 0
    events = whole(path, pauses=1)
    assert [code for code in codes(events) if code in ("paused", "taken_over", "resumed")] == [
        "paused",
        "taken_over",
        "resumed",
    ]
    with h5py.File(path, "r") as file:
        assert file["entry/steps/end_kind"][()].tolist() == [b"duration", b"duration"]


def test_a_limit_that_was_crossed_while_nobody_watched_ends_it_at_once(bench: Bench) -> None:
    """That of the time of the run, which no instrument knows."""
    text = (bench.folder / "long.yaml").read_text(encoding="utf-8")
    (bench.folder / "long.yaml").write_text(text.replace("time: 1000 h", "time: 4 min"), encoding="utf-8")
    path = began(bench)
    die(path)
    begun_s = state(path)["told_unix_s"] - state(path)["time_s"] / float(SPEED)
    until(lambda: time.time() - begun_s > 280 / float(SPEED))
    assert bench.state() == "running"
    assert attach(bench, "x.h5").code == 0
    events = whole(path, "stopped")
    assert "4 min of run time" in text_of(path, "end_reason")
    assert bench.state() == "stopped"
    at_s = {event["code"]: event["time_s"] for event in events}
    assert at_s["end"] - at_s["taken_over"] < 2 * float(SPEED)  # two seconds, with a start of its process


def test_its_sensors_go_on(benches: Callable[..., Bench]) -> None:
    bench = benches(rig=ROOM)
    path = began(bench, "--set", "strip=400s")
    die(path)
    assert attach(bench, "x.h5").code == 0
    events = whole(path)
    taken_s = next(event["time_s"] for event in events if event["code"] == "taken_over")
    with h5py.File(path, "r") as file:
        is_value = np.isfinite(file["entry/aux/room/value"][()])  # a gap has none
        times_s = file["entry/aux/room/time"][()][is_value]
        ended_s = file["entry/samples/time"][-1]
    assert not is_value.all()
    assert np.all(np.diff(times_s) > 0)
    assert (times_s < taken_s).sum() >= 1
    assert (times_s > taken_s).sum() > (ended_s - taken_s) / 20


# --- the computer goes down ---------------------------------------------------------------------------------


def test_told_to_end_it_leaves_a_channel_that_may_be_alone(bench: Bench) -> None:
    path = began(bench, "--set", "strip=400s")
    assert _killed(pid_of(path), signal.SIGTERM)
    until(lambda: not lock.is_held(files.lock_of(path)))
    assert bench.state() == "running"
    assert last_epoch(path) == 0
    assert attach(bench, "x.h5").code == 0
    assert "taken_over" in codes(whole(path))


@pytest.mark.parametrize("why", ["rig", "limit"])
def test_told_to_end_it_stops_a_channel_that_may_not(why: str, benches: Callable[..., Bench]) -> None:
    bench = benches(rig=ROOM, words=", unwatched: stop" if why == "rig" else "")
    if why == "limit":  # of a sensor: nobody else reads it
        text = (bench.folder / "long.yaml").read_text(encoding="utf-8")
        (bench.folder / "long.yaml").write_text(text.replace("time: 1000 h}", ROOM_LIMIT), encoding="utf-8")
    path = began(bench)
    assert _killed(pid_of(path), signal.SIGTERM)
    whole(path, "aborted")
    assert text_of(path, "end_reason") == "stopped: its process was told to end"
    assert bench.state() == "stopped"
