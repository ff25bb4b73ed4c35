"""Potentials that only the run knows: measured first, then held, the same for whoever comes next."""

from __future__ import annotations

import numpy as np
import pytest
from asking import paused, ran
from dying import gone_on_with, successors
from running import HEAD, done

from nakctl.booking.entry import Entry

PEIS = HEAD.replace(
    "steps:\n", "  p: {kind: peis, amplitude: 10 mV, from: 1 kHz, to: 10 Hz, per_decade: 3}\nsteps:\n"
)
REST = "{rest: 3 s, record: {every: 0.1 s}}"
HOLD = "{ca: 50 mV vs %s, for: 4 s, record: {every: 0.1 s}}"
STRIP = "{strip: 0.1 mA, for: 4 s, record: {every: 0.1 s}}"


def level_V(kept, step: int) -> float:
    """The potential that a step imposed, by its rows."""
    row = kept["steps"][step]
    return float(np.median(kept["samples"]["control"][kept["samples"]["step_count"] == row["step_count"]]))


def end_V(kept, step: int) -> float:
    row = kept["steps"][step]
    return float(kept["samples"]["Ewe"][kept["samples"]["step_count"] == row["step_count"]][-1])


def known(kept) -> list[list[float]]:
    return [entry.facts["known"] for entry in kept.entries if "known" in entry.facts]


@pytest.mark.parametrize("of", ["OCV", "start", "last"])
def test_a_potential_is_counted_from_what_was_measured(of: str) -> None:
    outcome, kept = done(f"- {REST}\n- {STRIP}\n- {HOLD % of}\n- {REST}", cell="NaK50")
    assert outcome.status == "completed"
    expected = {"OCV": end_V(kept, 0), "start": float(kept["samples"]["Ewe"][0]), "last": end_V(kept, 1)}
    assert level_V(kept, 2) == pytest.approx(expected[of] + 0.05, abs=1e-6)
    assert known(kept) == [[pytest.approx(expected[of] + 0.05, abs=1e-6)]]


def test_a_staircase_of_spectra_against_the_open_circuit() -> None:
    """Mott-Schottky: a hold and a spectrum at each level."""
    steps = """
    - rest: 2 s
    - staircase: 0, 50, 100 mV
      steps:
        - ca: $level vs OCV
          for: 2 s
        - peis: p
          during: {ca: $level vs OCV}
    """
    outcome, kept = done(steps, head=PEIS)
    assert outcome.status == "completed"
    OCV_V = end_V(kept, 0)
    levels = [level_V(kept, k) for k in range(1, 7)]
    assert levels == pytest.approx([OCV_V + add for add in (0, 0, 0.05, 0.05, 0.1, 0.1)], abs=1e-6)
    assert kept["spectra"]["complete"].all()


def test_a_voltammogram_from_the_open_circuit_is_one_chain() -> None:
    steps = (
        "- rest: 2 s\n- {cv: '0.2 V, -0.1 V', from: OCV, rate: 50 mV/s, cycles: 2, record: {every: 0.1 s}}"
    )
    outcome, kept = done(steps)
    assert outcome.status == "completed"
    assert len(kept["chains"]) == 2  # the rest, and all of the scans
    samples = kept["samples"]
    scanned = samples[samples["time"] > kept["chains"]["time"][1]]
    assert scanned["Ewe"][0] == pytest.approx(end_V(kept, 0), abs=0.01)
    assert scanned["Ewe"].max() == pytest.approx(0.2, abs=0.01)
    assert scanned["Ewe"].min() == pytest.approx(-0.1, abs=0.01)
    first = kept["steps"][1]
    assert first["t_end"] - first["t_start"] == pytest.approx((0.2 - end_V(kept, 0)) / 0.05, abs=0.2)


def test_each_pass_counts_from_what_it_measured() -> None:
    _, kept = done(f"- repeat: 3\n  steps: [{STRIP}, {HOLD % 'last'}]", cell="NaK50")
    expected = [end_V(kept, k) + 0.05 for k in (0, 2, 4)]
    assert [level_V(kept, k) for k in (1, 3, 5)] == pytest.approx(expected, abs=1e-6)
    assert len({round(value, 5) for value in expected}) > 1


@pytest.mark.parametrize(
    ("steps", "status", "kind", "words"),
    [
        (
            f"- {REST}\n- {{ca: 4 V vs OCV, for: 1 s}}",
            "stopped",
            "limit",
            "came to 4 V, above what limits.Ewe allow",
        ),
        (f"- {REST}\n- {{ca: -4 V vs start, for: 1 s}}", "stopped", "limit", "below what limits.Ewe allow"),
        (
            f"- {STRIP}\n- {{ca: 1 V vs OCV, for: 1 s}}",
            "interrupted",
            "interrupted",
            "no rest came before it",
        ),
        ("- {ca: 1 V vs last, for: 1 s}", "interrupted", "interrupted", "no step came before it"),
    ],
)
def test_what_may_not_be_is_not_loaded(steps: str, status: str, kind: str, words: str) -> None:
    outcome, kept = done(steps)
    assert (outcome.status, outcome.end_kind) == (status, kind)
    assert words in outcome.reason and "nothing was loaded" in outcome.reason
    loads = [e for e in kept.entries if (e.kind, e.facts.get("verb")) == ("meant", "load")]
    assert len(loads) == steps.count("- ") - 1
    assert outcome.cell_open


COURSES = {
    "hold": f"- {REST}\n- {STRIP}\n- {HOLD % 'OCV'}\n- {REST}",
    "loop": f"- repeat: 2\n  steps: [{REST}, {HOLD % 'OCV'}, {STRIP}, {HOLD % 'last'}]",
    "spectra": f"- {REST}\n- {{ca: 50 mV vs OCV, for: 8 s, spectra: p, record: {{every: 0.1 s}}}}\n- {REST}",
    "scan": f"- {REST}\n- {{lsv: 0.3 V, from: OCV, rate: 50 mV/s, record: {{every: 0.1 s}}}}\n- {REST}",
}


def loaded(kept) -> list[Entry]:
    return [e for e in kept.entries if (e.kind, e.facts.get("verb")) == ("meant", "load")]


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
def test_whoever_comes_next_holds_the_same(steps: str) -> None:
    _, whole, _ = gone_on_with(0, heard=False, steps=steps, head=PEIS)
    completed = 0
    for at, kept in successors(steps, every=3, head=PEIS):
        completed += 1
        assert [label for label, _ in kept.steps()] == [label for label, _ in whole.steps()], at
        levels = [level_V(kept, k) for k in range(len(kept["steps"]))]
        expected = [level_V(whole, k) for k in range(len(whole["steps"]))]
        assert levels == pytest.approx(expected, abs=2e-3, nan_ok=True), at
    assert completed > 3


@pytest.mark.parametrize("steps", COURSES.values(), ids=COURSES)
@pytest.mark.parametrize("asked_s", [1.0, 4.0, 6.0, 9.5])
def test_after_a_pause_it_is_held_on(steps: str, asked_s: float) -> None:
    usual = ran(steps, head=PEIS)[1]
    outcome, kept = paused(steps, asked_s, head=PEIS)
    assert outcome.status == "completed"
    assert [label for label, _ in kept.steps()] == [label for label, _ in usual.steps()]
    levels = [level_V(kept, k) for k in range(len(kept["steps"]))]
    expected = [level_V(usual, k) for k in range(len(usual["steps"]))]
    assert levels == pytest.approx(expected, abs=2e-3, nan_ok=True)
