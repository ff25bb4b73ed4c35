"""What came of a run beside what was expected: ends, times, figures in any unit, of one value or of many."""

from __future__ import annotations

from typing import Any

import pytest

from nakctl.checks.judged import Judged, judged
from nakctl.protocol.model import Expect
from nakctl.text.reader import read_text

RAN: dict[str, Any] = {
    "status": "completed", "end_reason": "short", "end_kind": "rule", "duration_s": 28607.4, "area_cm2": 0.5,
    "ccd_mA_cm2": 0.2, "charge_mAh_cm2": -0.0885904, "short_at_s": 28607.2, "short_at_mA_cm2": 0.4,
    "short_while": "plating", "short_visible": True, "peaks": 2, "peak_2_tau_s": 0.078, "peak_2_ohm_cm2": 170.0,
    "high_frequency_resistance_ohm": 115.0, "transference_number": 0.41, "activation_energy_kJ_mol": 29.7,
    "cycles_number": [1.0, 2.0, 3.0, 4.0], "cycles_whole": [1.0, 1.0, 1.0, 0.0],
    "cycles_coulombic_efficiency": [1.0, 0.97, 0.99, 0.778], "cycles_energy_efficiency": [0.9, None, 0.8, None], "scans_separation_V": [None], "strip_levels_V": [0.02, 0.04], "rates_mAh": [1.0, 3.0],
}  # fmt: skip
STOPPED = RAN | {"status": "stopped", "end_reason": "limit: Ewe above 3.5 V", "end_kind": "limit"}
ALL_DONE = RAN | {"end_reason": "all steps done", "end_kind": "steps done"}
GOAL = RAN | {"end_reason": "Ewe above 3 V", "end_kind": "cutoff"}
BROKEN = RAN | {"status": "interrupted", "end_reason": "the link is lost", "end_kind": "trouble"}


def expect(text: str) -> Expect:
    return Expect.model_validate(read_text(f"expect: {{{text}}}", "p.yaml").data["expect"])


@pytest.mark.parametrize(
    ("told", "met", "missed"),
    [
        (RAN, ["short", "completed", "[all steps done, short]", ""], ["all steps done", "limit", "cutoff"]),
        (
            STOPPED,
            ["limit", "'limit: Ewe above 3.5 V'", "'limit: Ewe_above'"],
            ["", "completed", "Ewe above 3.5 V"],
        ),
        (ALL_DONE, ["all steps done", ""], ["short", "Ewe above 3 V"]),
        (GOAL, ["cutoff", "Ewe above 3 V", "Ewe_above", "Ewe above"], ["Ewe below", "limit"]),
        (BROKEN, [], ["", "completed", "short", "limit"]),
    ],
)
def test_how_it_ends(told: dict[str, Any], met: list[str], missed: list[str]) -> None:
    for words, is_met in ((met, True), (missed, False)):
        for word in words:
            [end] = judged([expect(f"ends: {word}" if word else "")], told)
            assert (end.word, end.met) == ("ends", is_met), word


FIGURES = [
    ("at_most: 8 h", True, "duration 7 h 57 min"),
    ("at_most: 2 h", False, "duration 7 h 57 min (expected 2 h or less)"),
    ("at_least: 8 h", False, "duration 7 h 57 min (expected 8 h or more)"),
    ("ccd: [0.15, 0.45] mA/cm2", True, "ccd 0.2 mA/cm2"),
    ("ccd: [0.2, 0.2] mA/cm2", True, "ccd 0.2 mA/cm2"),
    ("ccd: {above: 200 uA/cm2}", False, "ccd 200 uA/cm2 (expected above 200 uA/cm2)"),
    ("ccd: {below: 0.15 mA}", True, "ccd 0.1 mA"),  # of the whole cell: 0.5 cm2
    ("charge: [-0.1, 0] mAh/cm2", True, "charge -0.08859 mAh/cm2"),
    ("charge: [-160, -159] mC", True, "charge -159.5 mC"),
    ("short_at: [7 h, 8 h]", True, "short_at 7.946 h"),
    ("short_at: [0.3, 0.5] mA/cm2", True, "short_at 0.4 mA/cm2"),
    ("short_while: plating", True, "short_while plating"),
    ("short_while: stripping", False, "short_while plating (expected stripping)"),
    ("short_visible: false", False, "short_visible true (expected false)"),
    ("peaks: 2", True, "peaks 2"),
    ("peaks: [3, 4]", False, "peaks 2 (expected 3 to 4)"),
    ("peak_2_tau: [50, 100] ms", True, "peak_2_tau 78 ms"),
    ("peak_2: {above: 200 ohm}", True, "peak_2 340 ohm"),  # 170 ohm cm2 on 0.5 cm2
    ("high_frequency_resistance: [50, 60] ohm cm2", True, "high_frequency_resistance 57.5 ohm cm2"),
    ("transference_number: {above: 0.4}", True, "transference_number 0.41"),
    ("transference_number: {above: 45 %}", False, "transference_number 41 % (expected above 45 %)"),
    ("activation_energy: [20, 40] kJ/mol", True, "activation_energy 29.7 kJ/mol"),
    ("cycles: 3", True, "cycles 3"),
    ("cycles_coulombic_efficiency: {above: 95 %}", True, "cycles_coulombic_efficiency 97 % to 100 %"),
    ("cycles_coulombic_efficiency: {above: 98 %}", False, "cycles_coulombic_efficiency 97 % (expected above 98 %)"),
    ("cycles_energy_efficiency: {above: 50 %}", False, "cycles_energy_efficiency 80 % to 90 %, and 1 of 3 not told by this run (expected above 50 %)"),
    ("scans_separation: {below: 1 V}", False, "scans_separation not told by this run (expected below 1 V)"),
    ("strip_levels: [10, 50] mV", True, "strip_levels 20 mV to 40 mV"),
    ("rates: [2, 6] mAh/cm2", True, "rates 2 mAh/cm2 to 6 mAh/cm2"),
    ("strip_threshold: [0.1, 0.9] mA/cm2", False, "strip_threshold not told by this run (expected 0.1 to 0.9 mA/cm2)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "met", "told"), FIGURES)
def test_what_came_out(text: str, met: bool, told: str) -> None:
    [_, one] = judged([expect(text)], RAN)
    assert (one.met, str(one)) == (met, told)


def test_of_several_expectations_of_a_run_one_says_how_it_ends() -> None:
    found = judged([expect("peaks: 2"), expect("ends: limit, peaks: 2")], STOPPED)
    assert found == [
        Judged("ends", "limit", "limit: Ewe above 3.5 V", True),
        Judged("peaks", "2", "2", True),
    ]


def test_what_is_per_area_needs_an_area() -> None:
    [_, one] = judged([expect("ccd: {below: 1 mA}")], RAN | {"area_cm2": None})
    assert not one.met
