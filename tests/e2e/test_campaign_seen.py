"""Runs of a campaign that other processes record, as it sees them: what it takes for its own, and what it tells."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fabricated import fabricated
from short_run import SHORT

from nakctl.campaign.order import State
from nakctl.campaign.read import read
from nakctl.cli.campaigns.channels import Channels
from nakctl.cli.campaigns.found import found
from nakctl.cli.campaigns.going import Row
from nakctl.cli.campaigns.planned import Planned, planned
from nakctl.cli.campaigns.told import ended, fitted, in_a_line, summary
from nakctl.record import files, registry

CAMPAIGN = "nakctl-campaign: 1\nname: One run\nruns: [{protocol: short.yaml, cell: NaK50}]\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """The one run of a campaign, on a clock."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(tmp_path / "runs"))
    Path("short.yaml").write_text(SHORT, encoding="utf-8")
    Path("c.yaml").write_text(CAMPAIGN, encoding="utf-8")
    Path("c").mkdir()
    [one] = planned(read(Path("c.yaml")), None, dry=False, out=Path("c"), speed=10)
    return one


def test_trouble_is_told_and_who_died_may_find_a_successor(run: Planned) -> None:
    channels, row = Channels(), Row(run, State.RUNNING)
    files.asked_of(run.out).mkdir()
    hangs = {"name": "BL_GetData", "since_monotonic_s": time.monotonic() - 60}
    with fabricated(run.out.resolve(), call=hangs):
        channels.watch(0, run.out)
        assert channels.look() == []
        assert "short_NaK50: STUCK: BL_GetData of the channel has not come back for" in channels.said.get()
        row.where, row.health = channels.going[0].state, channels.going[0].health.word
        assert in_a_line([row])[1] == "short_NaK50 STUCK, step 2.1, 1 h"
        for times in (1, 1, 2, 2):
            channels.stop(times)
        assert len([*files.asked_of(run.out).iterdir()]) == 2  # once each time that it was wanted
    assert found(run).state is State.DEAD
    later = Channels()
    later.watch(0, run.out)
    assert (later.look(), later.is_busy) == ([], True)


def test_on_a_narrow_terminal_the_state_is_seen() -> None:
    lines = [("run", "channel", "state", "how"), ("short_NaK50_rest-200s", "sim-sp300", "failed", "x" * 50)]
    assert fitted(lines, 40) == [
        "run           channel    state   how",
        ".._rest-200s  sim-sp300  failed  xxxxx..",
    ]
    assert fitted(lines, 10**9)[1] == f"short_NaK50_rest-200s  sim-sp300  failed  {'x' * 50}"


def test_a_table_has_a_line_for_each_run(run: Planned) -> None:
    row = Row(run, State.FAILED, error="write failed (time = today\n, \x1b[2J, errno = 28)")
    assert [line.count("\n") + line.count("\x1b") for line in (*summary([row]), ended(row))] == [0] * 4
