"""Every run of a campaign, prepared before the first one begins; and what it was made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nakctl.campaign.made_of import difference
from nakctl.campaign.read import read
from nakctl.cli.beginning import job_of, refuse_changed
from nakctl.cli.campaigns.planned import Planned, planned
from nakctl.cli.prepare import prepare
from nakctl.errors import InputError

FILES = {
    "rest.yaml": (
        "nakctl: 1\nname: Rest\nparams: {rest: 10 s}\nlimits: {Ewe: [-1 V, 1 V], I: 1 mA, time: 1 h}\n"
        "record: {every: 1 s}\nsteps:\n  - rest: $rest\nfinally: rest\n"
    ),
    "cells.yaml": "model: nak\ncells:\n  mine: {working: NaK50, composition_wt_percent_K: 50}\n",
    "c.yaml": "nakctl-campaign: 1\nname: A rest\nruns: [{protocol: rest.yaml, cell: cells.yaml}]\n",
}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Planned]:
    """The one run, after these changes of its files: name=(before, after)."""
    monkeypatch.chdir(tmp_path)

    def of(**changes: tuple[str, str]) -> Planned:
        for name, text in FILES.items():
            change = changes.get(name.partition(".")[0], ("", ""))
            Path(name).write_text(text.replace(*change) if change[0] else text, encoding="utf-8")
        [one] = planned(read(Path("c.yaml")), None, dry=False, out=Path("out"))
        return one

    return of


CHANGES = [
    ({"rest": ("finally", "# a comment\nfinally")}, ""),
    ({"c": ("A rest", "Another name")}, ""),
    ({"rest": ("1 h", "2 h")}, "protocol"),
    ({"rest": ("10 s", "11 s")}, "value of a parameter"),
    ({"c": ("cells.yaml", "cells.yaml, set: {rest: 11 s}")}, "value of a parameter"),
    ({"cells": ("K: 50", "K: 51")}, "simulation of the cell"),
    ({"cells": ("mine", "yours")}, "another cell"),
    ({"c": ("cells.yaml", "cells.yaml, seed: 1")}, "seed"),
    ({"c": ("cells.yaml", "cells.yaml, on: sim-vmp3")}, "kind of channel"),
]


@pytest.mark.parametrize(("changes", "told"), CHANGES, ids=[told or "nothing" for _, told in CHANGES])
def test_what_makes_another_run_of_it(
    changes: dict[str, tuple[str, str]], told: str, plan: Callable[..., Planned]
) -> None:
    was, now = plan(), plan(**changes)
    assert told in difference(was.made_of, now.made_of)
    assert bool(told) == bool(difference(was.made_of, now.made_of))


LATER = [
    ("rest.yaml", "1 h", "2 h", "another protocol"),
    ("cells.yaml", "percent_K: 50", "percent_K: 51", "another description or simulation of the cell"),
]


@pytest.mark.parametrize(("file", "before", "after", "told"), LATER)
def test_what_is_changed_after_it_was_checked_is_not_run(
    file: str, before: str, after: str, told: str, plan: Callable[..., Planned]
) -> None:
    """Nor recorded as what it is not: the file says what the run was made of when it was checked."""
    one = plan()
    job = job_of(one, one.options, [])
    refuse_changed(prepare(one.file, one.wishes), 0, job["made_of"])
    Path(file).write_text(FILES[file].replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=f"made with {told} than when it was checked, so nothing was"):
        refuse_changed(prepare(one.file, one.wishes), 0, job["made_of"])


def test_all_that_is_wrong_with_a_run_is_told_at_once(plan: Callable[..., Planned]) -> None:
    with pytest.raises(InputError) as raised:
        plan(c=("cells.yaml", "nobody, set: {rst: 1 s, rest: 5 m}"), rest=("finally", "finaly"))
    assert all(told in str(raised.value) for told in ("no cell nobody", "rst is no parameter", "finaly"))
    assert str(raised.value).count("no cell nobody") == 1
