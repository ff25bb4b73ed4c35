"""A run through the driver on a virtual instrument that is a process of its own: as on the bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import Going, Said, nakctl, samples_in, virtual_instrument
from patience import until

Here = Callable[..., Said]
Bench = Callable[[str], tuple[str, ...]]


@pytest.fixture
def bench(here: Here, tmp_path: Path) -> Iterator[Bench]:
    """bench("40"): a rig with a virtual SP-300 on a port, 40 times as fast, and the words of a run on it."""
    started = []

    def start(speed: str) -> tuple[str, ...]:
        process, address = virtual_instrument("--speed", speed, cwd=tmp_path)
        started.append(process)
        assert here("rig", "init", address).code == 0
        with (tmp_path / "rig.yaml").open("a", encoding="utf-8") as rig:
            rig.write("cells:\n  cell-7: {channel: sp300/ch1, area: 0.4418 cm2}\n")
        return ("run", "ccd", "--on", "sp300/ch1", "--set", "f_max=10kHz", "--speed", speed)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_run_looks_as_on_any_other_channel(bench: Bench, here: Here, tmp_path: Path) -> None:
    said = nakctl(*bench("400"), "--set", "half_cycle=30s", "--out", "ccd.h5", cwd=tmp_path)
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    where = "cell cell-7, 0.4418 cm2, on sp300/ch1 (SP-300)"
    assert lines[0] == f"SIMULATED  Critical current density with operando GEIS: {where}"
    assert "completed: all steps done" in lines
    assert lines[-1] == "file ccd.h5"
    show = here("show", "ccd.h5", "--json").json
    assert show["simulated"] is True
    assert show["spectra"] >= 8
    after = here("channels", "--json").json["channels"][0]
    assert (after["state"], after["owner"]) == ("stopped", "")


def test_what_is_told_of_a_run_that_goes_on_and_of_one_that_was_killed(
    bench: Bench, here: Here, tmp_path: Path
) -> None:
    run = bench("4")  # its chain goes on while four commands look at it
    with Going(*run, "--out", "first.h5", cwd=tmp_path) as going:
        until(lambda: samples_in(tmp_path / "first.h5") > 0)
        row = here("channels", "--json").json["channels"][0]
        second = here(*run, "--out", "second.h5")
        examined = here("doctor")
    assert row["state"] == "running"
    assert row["run"] | {"since": ""} == {
        "channel": "sp300/ch1",
        "what": "Critical current density with operando GEIS, cell cell-7",
        "file": str((tmp_path / "first.h5").resolve()),
        "pid": going.process.runner,
        "user": row["run"]["user"],
        "since": "",
    }
    assert second.code == 3
    assert second.err.startswith(f"sp300/ch1 is in use: {row['run']['what']}, ")
    assert "first.h5 (process" in second.err
    assert examined.code == 0
    assert "2 programs are connected" in examined.out
    # The instrument does not notice that the program is gone, and its channel is not taken over.
    row = here("channels", "--json").json["channels"][0]
    assert (row["state"], row["owner"].partition(" ")[0]) == ("running", "nakctl")
    third = here(*run, "--out", "third.h5")
    assert third.code == 3
    assert "is running something" in third.err
    assert not list(tmp_path.glob("second*")) + list(tmp_path.glob("third*"))
