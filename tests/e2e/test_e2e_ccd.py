"""The experiment of the README: from the YAML to the short circuit and the critical current density."""

from __future__ import annotations

import pytest
from command_line import nakctl
from short_run import Ran

from nakctl.checks.judged import judged
from nakctl.protocol.load import load

KEYS = {"status", "end_reason", "simulated", "duration_s", "samples", "spectra", "gaps"}
KEYS_OF_A_SHORT = {"ccd_mA_cm2", "short_at_mAh_cm2"}


def test_it_runs_to_the_short_and_finds_the_critical_current_density(ccd: Ran) -> None:
    assert ccd.said.code == 0
    assert ccd.said.err == ""
    report = ccd.report
    assert report["status"] == "completed"
    assert report["end_reason"] == "short"
    assert report["simulated"] is True
    assert report["sealed"] is True
    assert report["ccd_mA_cm2"] == pytest.approx(0.2, rel=1e-6)
    assert report["short_at_mA_cm2"] == pytest.approx(0.4, rel=1e-6)
    assert 0 < report["short_at_mAh_cm2"] < 0.4
    assert report["gaps"] == 0
    assert report["spectra"] > 700  # about 35 s each, through 7 to 8 h
    assert report["incomplete_spectra"] <= 1  # the one in which the cell shorted


def test_it_is_what_the_protocol_expects(ccd: Ran) -> None:
    found = judged(load("ccd").protocol.expect, ccd.report)
    assert [str(one) for one in found] == ["ends short", "duration 7 h 57 min", "ccd 0.2 mA/cm2"]
    assert all(one.met for one in found)


def test_nothing_but_the_file_is_left(ccd: Ran) -> None:
    assert [path.name for path in ccd.path.parent.iterdir()] == [ccd.path.name]


def test_show_says_the_same_as_the_run(ccd: Ran) -> None:
    shown = nakctl("show", ccd.path, "--json", cwd=ccd.path.parent)
    assert shown.code == 0
    assert shown.json.keys() >= KEYS | KEYS_OF_A_SHORT
    assert {name: shown.json[name] for name in KEYS | KEYS_OF_A_SHORT} == {
        name: ccd.report[name] for name in KEYS | KEYS_OF_A_SHORT
    }


def test_show_reads_as_sentences_that_begin_with_simulated(ccd: Ran) -> None:
    shown = nakctl("show", ccd.path, cwd=ccd.path.parent)
    lines = shown.out.splitlines()
    assert lines[0].startswith("SIMULATED ")
    assert "completed: short" in lines
    assert any(line.startswith("critical current density: 0.2 mA/cm2") for line in lines)
