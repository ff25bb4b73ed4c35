"""Every shipped protocol: checked, planned and run in simulation."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Said
from shortened import CELLS, SHORT, WITH_SENSORS, cell_name

from nakctl.protocol.library import names

Here = Callable[..., Said]

# Parameters that make the long ones short; the whole library at full length is benchmarks/library.py.
SHORTER = {
    "ccd": ["half_cycle=2 min", "f_max=1 kHz"],
    "ccd-na-symmetric": ["half_cycle=20 s", "last=0.6 mA/cm2"],
    "galvanostatic-cycling": ["cycles=2", "half_cycle=1 min"],
    "plate-geis-ocv": ["capacity=0.01 mAh/cm2", "rest=20 min"],
    "plate-to-cutoff": ["capacity=0.05 mAh/cm2"],
    "pulsed-strip": ["cutoff=20 mV"],
    "pulsed-strip-quarter": ["capacity=0.01 mAh/cm2"],
    "sgeis-plate-rest": ["step=0.19 mA/cm2", "rest=5 min"],
    "sgeis-strip-rest": ["step=0.19 mA/cm2", "rest=5 min"],
    "staircase-strip": ["hold=1 min"],
}
WITH_SPECTRA = {  # all of them from 7 MHz down
    "ccd",
    "ccd-na-symmetric",
    "plate-geis-ocv",
    "pristine-eis",
    "sgeis-plate-rest",
    "sgeis-strip-rest",
}


OF_THE_PAPER = [name for name in names() if name not in CELLS]  # for the cell that is meant if none is named
WITHOUT_SENSORS = [name for name in names() if name not in WITH_SENSORS]


def test_all_pass_the_check(here: Here) -> None:
    said = here("check", *OF_THE_PAPER, "--json")
    assert said.code == 0
    assert said.json["ok"] is True
    assert [report["file"] for report in said.json["files"]] == OF_THE_PAPER


@pytest.mark.parametrize("name", WITHOUT_SENSORS)
def test_it_plans_and_runs(name: str, here: Here, tmp_path: Path) -> None:
    shorter = SHORTER.get(name) or [
        f"{word}={value}" for word, value in SHORT.get(name, {}).items() if name in CELLS
    ]
    sets = [word for text in shorter for word in ("--set", text)]
    said = here("run", name, "--cell", cell_name(name), *sets, "--json")
    assert said.code == 0, said
    assert said.json["status"] == "completed"
    assert said.json["samples"] > 0
    assert said.json["gaps"] == 0
    assert (said.json["spectra"] > 0) == (name in {*WITH_SPECTRA, "transference"})
    assert said.json["title"].startswith("SIMULATED ")
    (file,) = tmp_path.iterdir()
    assert file.name == said.json["file"]
    assert file.name.endswith(f"_{name}_{said.json['cell']}.h5")
    assert file.name.startswith(time.strftime("%Y-"))


@pytest.mark.parametrize("name", WITHOUT_SENSORS)
def test_the_plan_can_be_read_and_says_that_it_is_simulated(name: str, here: Here) -> None:
    said = here("plan", name, "--cell", cell_name(name))
    assert said.code == 0
    assert "on SP-300 (SIMULATED)" in said.out.splitlines()[1]
    assert "in all" in said.out
    assert max(map(len, said.out.splitlines())) <= 120


def test_on_the_vmp3_the_fast_ones_fail_with_line_reason_and_cure(here: Here) -> None:
    said = here("check", *OF_THE_PAPER, "--on", "sim-vmp3", "--json")
    assert said.code == 2
    failed = {report["file"]: report for report in said.json["files"] if not report["ok"]}
    assert set(failed) == WITH_SPECTRA
    for report in failed.values():
        for error in report["errors"]:
            line = Path(error["file"]).read_text(encoding="utf-8").splitlines()[error["line"] - 1]
            assert "$f_max" in line
            assert "7 MHz" in error["message"]
            assert "1 MHz" in error["message"]


def test_the_cure_is_one(here: Here) -> None:
    said = here("check", *sorted(WITH_SPECTRA), "--on", "sim-vmp3", "--set", "f_max=1MHz")
    assert said.code == 0


def test_in_words_it_reads_like_this(here: Here) -> None:
    said = here("check", "ccd", "--on", "sim-vmp3")
    first, line, *_ = said.err.splitlines()
    assert f"protocols{os.sep}ccd.yaml:12:" in first
    assert "1 MHz would fit" in first
    assert line.startswith("  12 |   operando: {kind: geis")
