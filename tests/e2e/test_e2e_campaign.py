"""Several runs as one campaign: each is done once, and what stands in the way is told before any begins."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import pytest
from command_line import Going, Said, nakctl, refused, samples_in
from patience import until
from terminals import Terminal
from virtual_bench import SPEED, Bench

from nakctl.campaign.order import State
from nakctl.campaign.read import read
from nakctl.cli.campaigns.channels import Channels
from nakctl.cli.campaigns.found import found
from nakctl.cli.campaigns.going import Row, carry_out
from nakctl.cli.campaigns.onlooker import Operator, Shown
from nakctl.cli.campaigns.planned import Planned, planned
from nakctl.cli.many_runs import Pool
from nakctl.cli.signals import StopAsked
from nakctl.errors import InputError
from nakctl.record.lock import is_held

Here = Callable[..., Said]

SHORT = """\
nakctl: 1
name: A short run
params: {rest: 10 s, current: 10 uA}
record: {every: 1 s}
limits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 90 d}
steps:
  - rest: $rest
  - strip: $current
    for: 5 s
finally: rest
"""
CAMPAIGN = """\
nakctl-campaign: 1
name: Three runs
runs:
  - protocol: short.yaml
    cell: NaK50
    each: {current: [5 uA, 10 uA]}
  - protocol: short.yaml
    cell: randles
    on: sim-vmp3
"""
NAMES = ["short_NaK50_current-10uA", "short_NaK50_current-5uA", "short_randles"]
# The first one meets a limit.
FAILS = CAMPAIGN.replace("each:", "set: {current: 0.9 mA}\n    each:").replace(
    "current: [5 uA, 10 uA]", "rest: [10 s]"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CAMPAIGN, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A folder with a campaign that is done, with an umlaut and a blank: to be looked at."""
    folder = tmp_path_factory.mktemp("Käthes runs")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    (folder / "c.yaml").write_text(CAMPAIGN, encoding="utf-8")
    return folder, nakctl("campaign", "c.yaml", cwd=folder)


def results(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.h5"))


def states(said: Said) -> dict[str, str]:
    return {run["name"]: run["state"] for run in said.json["runs"]}


def test_each_run_has_its_file_and_is_told(ran: tuple[Path, Said]) -> None:
    folder, said = ran
    assert said.code == 0
    assert results(folder / "c") == NAMES
    assert said.out.startswith("SIMULATED  Three runs: 3 runs, results in c\n")
    assert "done: short_randles: completed: all steps done" in said.out
    assert said.out.endswith("3 done\n")
    assert [path.name for path in (folder / "c").iterdir() if path.is_dir()] == []  # nothing half done


def test_the_file_says_to_which_campaign_it_belongs(ran: tuple[Path, Said]) -> None:
    with h5py.File(ran[0] / "c" / f"{NAMES[0]}.h5") as file:
        told = file["entry/campaign"]
        assert told["name"].asstr()[()] == "Three runs"
        assert told["data"].asstr()[()] == CAMPAIGN
        assert told["run"].asstr()[()] == NAMES[0]
        assert file["entry/environment/command_line"].asstr()[()] == "nakctl campaign c.yaml"


def test_its_rows_are_those_of_a_run_of_its_own(ran: tuple[Path, Said]) -> None:
    folder, _ = ran
    nakctl("run", "short.yaml", "--set", "current=5 uA", "--quiet", "--out", "x.h5", cwd=folder)
    with h5py.File(folder / "x.h5") as one, h5py.File(folder / "c" / f"{NAMES[1]}.h5") as other:
        for name, column in one["entry/samples"].items():
            assert column[()].tobytes() == other[f"entry/samples/{name}"][()].tobytes()
        assert one["entry/plan/program"][()] == other["entry/plan/program"][()]


def test_a_second_call_does_nothing(ran: tuple[Path, Said]) -> None:
    folder, _ = ran
    before = {path: path.stat().st_mtime_ns for path in (folder / "c").iterdir()}
    said = nakctl("campaign", "c.yaml", "--json", cwd=folder)
    assert said.code == said.json["exit_code"] == 0
    assert set(states(said).values()) == {"done"}
    assert said.json["runs"][0]["report"]["status"] == "completed"
    assert {path: path.stat().st_mtime_ns for path in (folder / "c").iterdir()} == before


def test_it_counts_only_as_what_it_was_made_of(
    ran: tuple[Path, Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = ran
    monkeypatch.chdir(folder)

    def run(file: str, speed: float | None = None) -> Planned:
        return planned(read(Path(file)), None, dry=False, out=Path("c"), speed=speed)[2]

    now = run("c.yaml")
    assert found(now).state is State.DONE
    real = replace(now.ready, place=replace(now.ready.place, driver="biologic"))
    with pytest.raises(InputError, match=r"of another channel \(driver sim\), and this one is simulated"):
        found(replace(now, ready=real))

    (folder / "changed").mkdir()
    (folder / "changed" / "short.yaml").write_text(SHORT.replace("90 d", "80 d"), encoding="utf-8")
    (folder / "changed" / "c.yaml").write_text(CAMPAIGN, encoding="utf-8")
    assert (found(run("changed/c.yaml")).state, found(run("changed/c.yaml")).aside) == (State.MISSING, True)
    # on a channel with a clock: neither if it is found when it is over, nor if it was seen to go on
    row = Row(run("changed/c.yaml", speed=10), State.RUNNING)
    with Pool(1, StopAsked()) as hands, Operator(Path("nobody")) as wish:
        carry_out([row], "together", "stop", hands, Channels(), Shown("", silent=True), wish)
    assert row.state is found(row.one).state is State.HELD
    assert row.told.startswith("made with another protocol: --again changed (completed: ")


def test_what_was_changed_is_told_and_what_was_is_kept(ran: tuple[Path, Said]) -> None:
    """A comment changes nothing; a run that is added changes no other one."""
    folder, _ = ran
    (folder / "short.yaml").write_text(SHORT.replace("finally", "# as ever\nfinally"), encoding="utf-8")
    more = CAMPAIGN.replace("[5 uA, 10 uA]", "[5 uA, 7 uA, 10 uA]")
    (folder / "c.yaml").write_text(more, encoding="utf-8")
    said = nakctl("campaign", "c.yaml", "--check", "--json", cwd=folder)
    assert [run["state"] for run in said.json["runs"]] == ["done", "missing", "done", "done"]
    assert results(folder / "c") == NAMES

    (folder / "c.yaml").write_text(CAMPAIGN.replace("each: {", "seed: 3\n    each: {"), encoding="utf-8")
    (folder / "short.yaml").write_text(SHORT.replace("for: 5 s", "for: 6 s"), encoding="utf-8")
    said = nakctl("campaign", "c.yaml", cwd=folder)
    assert said.code == 0
    kept = f"c/short_randles.h5 was made before, and is kept as {Path('c/earlier/short_randles_')}"
    assert kept in said.out
    assert len(results(folder / "c" / "earlier")) == 1
    assert results(folder / "c") == sorted([*NAMES, *(f"{name}_seed-3" for name in NAMES[:2])])


def test_a_fault_anywhere_starts_nothing(here: Here, folder: Path) -> None:
    text = (
        CAMPAIGN.replace("10 uA]", "10 m]")
        .replace("randles", "nobody")
        .replace("short.yaml\n    cell: NaK", "shrt.yaml\n    cell: NaK")
    )
    (folder / "c.yaml").write_text(
        f"{text}  - {{protocol: short.yaml, set: {{rest: 5, curent: 1 uA}}, on: sim-sp}}\n", encoding="utf-8"
    )
    err = refused(here("campaign", "c.yaml"))
    for told in (
        "c.yaml:4:15  shrt.yaml is neither a file nor a shipped protocol",
        "c.yaml:8:11  there is no cell nobody",
        "there is no channel sim-sp without a rig.yaml",
    ):
        assert told in err
    (folder / "c.yaml").write_text(
        CAMPAIGN.replace("10 uA]", "10 m]").replace("randles", "NaK65"), encoding="utf-8"
    )
    assert "c.yaml:6:28  10 m is a length" in refused(here("campaign", "c.yaml"))
    (folder / "c.yaml").write_text(CAMPAIGN.replace("10 uA]", "5 A]"), encoding="utf-8")
    assert "short.yaml:8:5  2 strip" in refused(here("campaign", "c.yaml"))
    assert not (folder / "c").exists()


def test_check_takes_it_too(here: Here, folder: Path) -> None:
    said = here("check", ".")
    assert (said.code, said.out) == (
        0,
        "c.yaml: ok, a campaign of 3 runs\nshort.yaml: ok on sim-sp300, cell NaK50\n",
    )
    (folder / "c.yaml").write_text(CAMPAIGN.replace("10 uA", "10 m"), encoding="utf-8")
    assert "c.yaml:6:28  10 m is a length" in here("check", "c.yaml").err


def test_something_else_in_its_place_starts_nothing(here: Here, folder: Path) -> None:
    (folder / "c").mkdir()
    (folder / "c" / f"{NAMES[2]}.h5").write_text("mine")
    assert f"{NAMES[2]}.h5 is in the way, and no result of this run" in refused(here("campaign", "c.yaml"))
    assert (folder / "c" / f"{NAMES[2]}.h5").read_text() == "mine"


def test_where_no_folder_can_be(here: Here, folder: Path) -> None:
    """Nor does anybody hold a lock there."""
    told = refused(here("campaign", "c.yaml", "--out", "short.yaml/x"))
    assert told == "short.yaml is a file: name a folder for the results\n"
    assert "can be no folder: File name too long" in refused(here("campaign", "c.yaml", "--out", "x" * 300))
    assert not is_held(folder / "short.yaml" / "x.lock")


def test_a_plan_of_it_starts_nothing(here: Here, folder: Path) -> None:
    said = here("campaign", "c.yaml", "--check", "--speed", "10")
    assert said.code == 0
    assert "short_randles             sim-vmp3   randles  15 s     missing" in said.out
    assert "sim-sp300: short_NaK50_current-5uA, then short_NaK50_current-10uA (30 s)" in said.out
    assert not (folder / "c").exists()
    assert "no campaign" in refused(here("campaign", "c.yaml", "--stop")).replace(
        "nobody carries out a", "no"
    )


def test_a_failed_one_stops_the_others_until_that_is_wanted(folder: Path) -> None:
    (folder / "c.yaml").write_text(FAILS, encoding="utf-8")
    (folder / "short.yaml").write_text(SHORT.replace("[-1 V, 1 V]", "[-1 V, 0.1 V]"), encoding="utf-8")
    said = nakctl("campaign", "c.yaml", "--workers", "1", "--json", cwd=folder)
    assert said.code == 1
    assert list(states(said).values()) == ["failed", "held"]
    again = nakctl("campaign", "c.yaml", cwd=folder)
    assert again.code == 1
    assert "another run failed" in again.out
    assert "--again failed begins what failed once more" in again.out
    going_on = nakctl("campaign", "c.yaml", "--go-on", "--json", cwd=folder)
    assert (going_on.code, list(states(going_on).values())) == (1, ["failed", "done"])
    once_more = nakctl("campaign", "c.yaml", "--again", "failed", "--json", cwd=folder)
    assert (once_more.code, list(states(once_more).values())) == (1, ["failed", "done"])
    assert len(results(folder / "c" / "earlier")) == 1


def test_a_dry_run_lies_elsewhere(here: Here, folder: Path) -> None:
    (folder / "rig.yaml").write_text(
        """\
nakctl-rig: 1
devices: {bench: {driver: biologic, model: SP-300, address: 192.0.2.7}}
channels: {A1: {device: bench, channel: 1}, A2: {device: bench, channel: 2}}
cells:
  C7: {channel: A1, area: 0.5 cm2, simulated_as: NaK50}
  C8: {channel: A2, area: 0.5 cm2, simulated_as: randles}
""",
        encoding="utf-8",
    )
    (folder / "c.yaml").write_text(
        CAMPAIGN.replace("NaK50", "[C7, C8]").partition("  - protocol: short.yaml\n    cell: randles")[0],
        encoding="utf-8",
    )
    said = here("campaign", "c.yaml", "--check")
    assert "A1: short_C7_current-5uA, then short_C7_current-10uA" in said.out
    assert said.out.startswith("Three runs: 4 runs, results in c\n")
    assert "is for A1, which is here" in refused(here("campaign", "c.yaml", "--dask", "tcp://127.0.0.1:1"))
    dry = nakctl("campaign", "c.yaml", "--dry", "--json", cwd=folder)
    assert (dry.code, dry.json["folder"]) == (0, "c-dry")
    assert [run["channel"] for run in dry.json["runs"]] == ["dry-A1", "dry-A1", "dry-A2", "dry-A2"]
    assert not (folder / "c").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_ctrl_c_leaves_nothing_half_done(folder: Path) -> None:
    text = CAMPAIGN.replace("each:", "set: {rest: 60 d}\n    each:")
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    with Going("campaign", "c.yaml", "--workers", "2", cwd=folder, helpers=True) as going:
        until(lambda: len(list((folder / "c").glob(".nakctl-*/*.journal"))) == 2)
        said = going.end(signal.SIGINT)
    assert said.code == 130
    assert "3 missing\ninterrupted; the same command goes on with what is missing\n" in said.out
    assert [path.name for path in (folder / "c").iterdir()] == [".nakctl-campaign.lock"]


# --- on a clock: each run is a process of its own -----------------------------------------------------------

PACED = ("campaign", "c.yaml", "--speed", "5")
# On each channel one that lasts until it is told to end, and a short one after it.
TOGETHER = """\
nakctl-campaign: 1
name: Two channels
order: together
runs:
  - protocol: short.yaml
    cell: NaK50
    each: {rest: [1 d, 10 s]}
  - protocol: short.yaml
    cell: randles
    on: sim-vmp3
    set: {rest: 1 d}
"""
GOING, LAST = ["short_NaK50_rest-1d", "short_randles_rest-1d"], "short_NaK50_rest-10s"


def paced(folder: Path) -> Path:
    (folder / "c.yaml").write_text(TOGETHER, encoding="utf-8")
    return folder / "c"


def are_going(out: Path) -> bool:
    return all(samples_in(out / f"{name}.h5") > 1 for name in GOING)


def all_of_them(command: str, out: Path) -> list[int]:
    return [nakctl(command, out / f"{name}.h5", cwd=out).code for name in GOING]


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_killed_it_is_gone_on_with(folder: Path) -> None:
    """Its runs go on without it; the same command finds them, and begins only what is missing."""
    out = paced(folder)
    with Going(*PACED, cwd=folder, helpers=True) as going:
        until(lambda: are_going(out))
        assert not (out / f"{LAST}.h5").exists()
        going.process.send_signal(signal.SIGKILL)
        going.process.wait()
        seen = states(nakctl(*PACED, "--check", "--json", cwd=folder))
        assert {name for name, state in seen.items() if state == "running"} == {*GOING}
        assert seen[LAST] == "missing"
        assert all_of_them("skip", out) == [0, 0]
        said = nakctl(*PACED, "--json", cwd=folder)
    assert said.code == 0
    assert set(states(said).values()) == {"done"}
    assert results(out) == sorted([*GOING, LAST])
    assert not (out / "earlier").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_without_a_terminal_it_is_shown_and_stopped_from_another_one(folder: Path) -> None:
    out = paced(folder)
    begun = nakctl(*PACED, "--detach", cwd=folder)
    assert begun.code == 0
    assert "goes on without this terminal" in begun.out
    until(lambda: are_going(out))
    with Going(*PACED, cwd=folder) as shown:
        assert shown.process.stdout is not None
        said = [shown.process.stdout.readline() for _ in range(2)]
        assert "carried out by process" in said[1]
        stopped = nakctl(*PACED, "--stop", cwd=folder)
        assert stopped.code == 0
        assert stopped.out.startswith("no further run is begun\none goes on: nakctl stop ")
        assert shown.process.wait() == 130  # as who carried it out
    assert all_of_them("stop", out) == [0, 0]
    assert results(out) == GOING
    assert "begun: short_randles_rest-1d on sim-vmp3" in (out / "campaign.log").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_ctrl_c_stops_runs_where_nobody_can_be_asked(folder: Path) -> None:
    out = paced(folder)
    with Going(*PACED, "--json", cwd=folder, helpers=True) as going:
        until(lambda: are_going(out))
        said = going.end(signal.SIGINT)
    assert said.code == 130
    found: dict[str, Any] = {run["name"]: run for run in said.json["runs"]}
    assert [found[name]["state"] for name in (LAST, *GOING)] == ["held", "failed", "failed"]
    assert found[GOING[0]]["report"]["status"] == "aborted"


@pytest.mark.skipif(os.name != "posix", reason="signals, pseudo-terminals")
def test_on_a_terminal_ctrl_c_asks(folder: Path) -> None:
    out = paced(folder)
    shown = Terminal(*PACED, cwd=folder, columns=100, helpers=True)
    try:
        shown.until(lambda: "sim-sp300  step 1" in shown.text and "sim-vmp3   step 1" in shown.text)
        assert "1 missing, 2 running" in shown.text
        shown.type("\x03")
        shown.until(lambda: "Stop the runs, leave them running, or go back" in shown.text)
        shown.type("\n")
        shown.until(lambda: shown.text.count("sim-vmp3   step") > 0 and shown.lines[-1] == "")
        shown.type("\x03")
        shown.until(lambda: shown.text.count("Stop the runs") == 2)
        shown.type("l\n")
        assert shown.end() == 0
        assert "they go on: nakctl status, nakctl watch" in shown.text.replace("\n", " ")
    finally:
        shown.close()
    assert all_of_them("stop", out) == [0, 0]
    assert results(out) == GOING


def test_a_limit_may_be_what_a_run_is_for(folder: Path) -> None:
    (folder / "c.yaml").write_text(FAILS.replace("each:", "may_end_by: limit\n    each:"), encoding="utf-8")
    (folder / "short.yaml").write_text(SHORT.replace("[-1 V, 1 V]", "[-1 V, 0.1 V]"), encoding="utf-8")
    said = nakctl("campaign", "c.yaml", "--json", cwd=folder)
    assert (said.code, set(states(said).values())) == (0, {"done"})
    assert said.json["runs"][0]["report"]["status"] == "stopped"


# --- on an instrument ---------------------------------------------------------------------------------------

ON_THE_BENCH = """\
nakctl-campaign: 1
name: Two real channels
order: together
runs:
  - {protocol: short.yaml, cell: [cell-7, cell-8]}
"""


@pytest.mark.skipif(os.name != "posix", reason="signals to one process")
def test_on_an_instrument_killed_and_gone_on_with(folder: Path) -> None:
    """Its results stay where they are, whatever a dry run is told."""
    second = "  cell-8: {channel: bench/ch2, area: 1 cm2, simulated_as: randles}\n"
    bench = Bench(folder, "--cell", "2=randles", rig=second)
    rig = (folder / "rig.yaml").read_text(encoding="utf-8")
    rig = rig.replace("cells:", "  bench/ch2: {device: bench, channel: 2}\ncells:", 1)
    (folder / "rig.yaml").write_text(rig.replace("area: 1 cm2}", "area: 1 cm2, simulated_as: randles}"))
    (folder / "c.yaml").write_text(ON_THE_BENCH, encoding="utf-8")
    paced, out = ("campaign", "c.yaml", "--speed", SPEED), folder / "c"
    try:
        with Going(*paced, cwd=folder, helpers=True) as going:
            until(lambda: all(samples_in(out / f"short_cell-{k}.h5") > 1 for k in (7, 8)))
            going.process.send_signal(signal.SIGKILL)
            going.process.wait()
            said = nakctl(*paced, "--json", cwd=folder)
    finally:
        bench.end()
    assert (said.code, set(states(said).values())) == (0, {"done"})
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.h5")}
    assert len(before) == 2
    err = refused(nakctl("campaign", "c.yaml", "--dry", "--out", "c", cwd=folder))
    assert err.count("it is of another channel (driver biologic), and this one is simulated") == 2
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.h5")} == before
