"""Runs on a wall clock: a runner of Windows, apart from its terminal, on an instrument that outlives it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
from under_wine import LONG, NAKCTL, RIG, SPEED, PATIENCE_s, Wine, kill, until

from nakctl.record import files
from nakctl.record.slot import state_of

RUN = ("run", "long.yaml", "--on", "bench/ch1", "--speed", SPEED, "--out", "x.h5")
RUNNER, KEEPER = "nakctl.cli.runner", "nakctl.cli.keeper"


def told(path: Path) -> dict[str, Any]:
    return dict(state_of(path) or {})


def goes_on(path: Path) -> None:
    before = told(path).get("samples", 0)
    until(lambda: told(path).get("state") == "running" and told(path).get("samples", 0) > before + 3)


def begun(wine: Wine) -> Path:
    """A run that nobody shows, in the middle of its chain."""
    code, out, err = wine.nakctl(*RUN, "--detach")
    assert (code, err) == (0, ""), out
    assert out.startswith("x.h5: begun. nakctl watch x shows it")
    path = wine.folder / "x.h5"
    goes_on(path)
    return path


def killed(wine: Wine, path: Path) -> int:
    """Its runner; what Windows called it."""
    (runner,) = wine.processes(RUNNER)
    called = told(path)["pid"]
    kill(runner)
    until(lambda: not wine.processes(RUNNER))
    return int(called)


def is_sealed(path: Path) -> bool:
    return not files.journal_of(path).exists() and not files.temporary_of(path).exists()


def stopped(wine: Wine, path: Path) -> list[dict[str, Any]]:
    """Its events, once it was stopped and is whole."""
    code, out, err = wine.nakctl("stop", "x.h5")
    assert (code, err) == (0, ""), out
    assert out.endswith("the cell is open\n")
    code, out, err = wine.nakctl("wait", "x.h5")
    assert (code, err) == (130, ""), out
    assert is_sealed(path)
    assert sorted(each.name for each in wine.folder.glob("x.h5*")) == ["x.h5"]
    assert state_of_channel(wine) == "stopped"
    with h5py.File(path) as file:
        assert file["entry/run_status"].asstr()[()] == "aborted"
        assert len(file["entry/samples/time"]) > 3
        return [json.loads(text) for text in file["entry/events/json"].asstr()[()]]


def state_of_channel(wine: Wine) -> str:
    code, out, err = wine.nakctl("channels", "--json")
    assert (code, err) == (0, "")
    return str(json.loads(out)["channels"][0]["state"])


def test_a_run_is_begun_seen_waited_for_and_stopped(bench: Wine) -> None:
    path = begun(bench)
    code, out, _ = bench.nakctl("status", "--json")
    (run,) = json.loads(out)["runs"]
    assert (code, run["health"], run["held"], run["pid"]) == (0, "running", True, told(path)["pid"])
    code, _, err = bench.nakctl("wait", "x.h5", "--timeout", "0")
    assert (code, err) == (1, f"Z:{str(path).replace('/', chr(92))} has not ended within 0 s; it goes on\n")
    assert "still being recorded" in bench.nakctl("recover", "x.h5")[2]
    code, _, err = bench.nakctl(*RUN[:-1], "y.h5", "--detach")
    assert code == 3
    assert "is in use: A long strip" in err
    stopped(bench, path)
    assert bench.nakctl("status") == (0, "no run is going on, and none was left unsealed\n", "")


def test_a_viewer_that_is_closed_closes_no_run(bench: Wine) -> None:
    viewer = bench.start(NAKCTL, *RUN)
    path = bench.folder / "x.h5"
    goes_on(path)
    viewer.kill()
    viewer.wait(PATIENCE_s)
    goes_on(path)
    stopped(bench, path)


def test_a_run_that_was_killed_is_gone_on_with(bench: Wine) -> None:
    path = begun(bench)
    before = killed(bench, path)
    assert state_of_channel(bench) == "running"
    code, _, err = bench.nakctl("wait", "x.h5", "--timeout", "0")
    assert code != 0, err
    code, out, err = bench.nakctl("attach", "x.h5", "--detach")
    assert (code, err) == (0, "")
    assert "gone on with" in out
    goes_on(path)
    assert told(path)["pid"] != before
    (taken_over,) = (event for event in stopped(bench, path) if event["code"] == "taken_over")
    assert taken_over["facts"]["why"] == "asked"


def test_the_keeper_has_a_run_gone_on_with_that_was_killed(bench: Wine) -> None:
    bench.variables["NAKCTL_KEEPER"] = "wanted"
    path = begun(bench)
    until(lambda: bool(bench.processes(KEEPER)))
    before = killed(bench, path)
    until(lambda: told(path).get("pid", before) != before)
    goes_on(path)
    (taken_over,) = (event for event in stopped(bench, path) if event["code"] == "taken_over")
    assert taken_over["facts"]["why"] == "died"


def test_what_a_killed_run_had_recorded_is_recovered(bench: Wine) -> None:
    path = begun(bench)
    killed(bench, path)
    code, _, err = bench.nakctl("recover", "x.h5")
    assert (code, "--as-it-is" in err) == (2, True), err
    code, out, err = bench.nakctl("recover", "--as-it-is", "x.h5")
    assert (code, err) == (0, ""), out
    assert is_sealed(path)
    with h5py.File(path) as file:
        assert file["entry/run_status"].asstr()[()] == "recovered"
    assert bench.nakctl("status") == (0, "no run is going on, and none was left unsealed\n", "")


def test_a_run_without_an_instrument_says_what_the_makers_library_says(wine: Wine) -> None:
    """By its own number. What is printed while it is loaded, such as easy_biologic's warning, is no word of ours."""
    (wine.folder / "rig.yaml").write_text(RIG % "127.0.0.1", encoding="utf-8")
    (wine.folder / "long.yaml").write_text(LONG, encoding="utf-8")
    code, out, err = wine.nakctl(*RUN[:4], "--out", "x.h5", "--detach")
    assert (code, out) == (3, "")
    assert err.startswith("BL_Connect: the connection cannot be made")
    assert sorted(each.name for each in wine.folder.glob("x.h5*")) == []
