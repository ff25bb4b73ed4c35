"""What is drawn of a run: no spike is lost, interruptions are marked, an unknown area is not 1 cm2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import results_runs as runs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure

from nakctl.record.read import open_run
from nakctl.results import figures
from nakctl.results.thin import thin

f_Hz, z_ohm = np.array([1e3, 1e2, 1e1]), np.array([10 - 1j, 20 - 5j, 30 - 2j])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures as they were saved: what is on their axes can be read."""
    seen: list[Figure] = []
    save = Figure.savefig

    def keep(figure: Figure, *args: Any, **options: Any) -> None:
        seen.append(figure)
        save(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return seen


# --- thinning ------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    arrays.arrays(np.float32, st.integers(0, 3000), elements=st.floats(-10, 10, width=32)),
    st.integers(20, 400),
)
def test_the_highest_and_the_lowest_are_always_drawn(values: Any, most: int) -> None:
    rows = thin(values, most)
    assert len(rows) <= max(most, 1)
    assert (np.diff(rows) > 0).all()
    if len(values):
        assert values[rows].max() == values.max()
        assert values[rows].min() == values.min()
    if len(values) <= most:
        assert rows.tolist() == list(range(len(values)))


@pytest.mark.parametrize("place", [0, 1, 4999, 5000, 9998, 9999])
@pytest.mark.parametrize("height", [1.0, -1.0])
def test_a_single_spike_stays_also_beside_a_reading_that_is_none(place: int, height: float) -> None:
    values = np.zeros(10_000, np.float32)
    values[place] = height
    assert place in thin(values, 100)
    values[place - 1 if place else 1] = np.nan
    assert place in thin(values, 100)


def test_every_part_of_a_long_curve_is_drawn() -> None:
    rows = thin(np.sin(np.arange(100_000.0)), 1000)
    assert rows[0] < 200 and rows[-1] >= 100_000 - 200
    assert np.diff(rows).max() < 400


# --- the picture ---------------------------------------------------------------------------------------


def lines_of(axes: Any) -> list[tuple[list[float], list[float]]]:
    return [
        (line.get_xdata().tolist(), line.get_ydata().tolist())
        for line in axes.lines
        if len(line.get_xdata()) > 2
    ]


def test_the_axes_hold_the_run(tmp_path: Path, drawn: list[Figure]) -> None:
    steps = [runs.strip(1e-3, [0.1, 0.2, 0.9, 0.2]), runs.strip(-2e-3, [-0.1, -0.5, -0.1])]
    more = runs.spectra(
        (1.0, 0.0, f_Hz, z_ohm, True), (3.0, 0.0, f_Hz, z_ohm, False), (5.0, 0.0, f_Hz, z_ohm, True)
    )
    path = runs.written(tmp_path / "run.h5", steps, more=more)
    figures.draw_run(open_run(path), tmp_path / "run.png")
    potential, current, charge, nyquist = drawn[0].axes[:4]
    time_s, Ewe_V = lines_of(potential)[0]
    assert time_s == [1, 2, 3, 4, 5, 6, 7]
    assert Ewe_V == pytest.approx([0.1, 0.2, 0.9, 0.2, -0.1, -0.5, -0.1])
    assert lines_of(current)[0][1] == pytest.approx([2.0] * 4 + [-4.0] * 3)  # mA/cm2, of 0.5 cm2
    assert lines_of(charge)[0][0] == pytest.approx(np.array([1, 2, 3, 4, 2, 0, -2]) * 2.0 / 3600)
    assert len(lines_of(nyquist)) == 2  # the complete ones
    assert lines_of(nyquist)[0][0] == pytest.approx([5.0, 10.0, 15.0])
    assert lines_of(nyquist)[0][1] == pytest.approx([0.5, 2.5, 1.0])  # upwards, as is the custom
    assert "mA cm" in current.get_ylabel() and "ohm cm²" in nyquist.get_xlabel()
    assert "SIMULATED" in [text.get_text() for text in drawn[0].texts]
    assert potential.get_legend() is None


def test_of_many_spectra_some_are_drawn_from_the_first_to_the_last(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    more = runs.spectra(*((float(k), 0.0, f_Hz, k * z_ohm, True) for k in range(1, 101)))
    path = runs.written(tmp_path / "run.h5", [runs.strip(1e-3, [0.1] * 100)], more=more)
    figures.draw_run(open_run(path), tmp_path / "run.png")
    shown = lines_of(drawn[0].axes[3])
    assert len(shown) == figures.MOST_SPECTRA
    assert [shown[k][0][0] for k in (0, -1)] == pytest.approx([5.0, 500.0])


def test_a_long_run_is_drawn_with_its_maximum(tmp_path: Path, drawn: list[Figure]) -> None:
    Ewe_V = np.full(50_000, 0.1)
    Ewe_V[31_415] = 2.0
    figures.draw_run(
        open_run(runs.written(tmp_path / "run.h5", [runs.strip(1e-3, Ewe_V.tolist())])), tmp_path / "run.png"
    )
    for axes in (drawn[0].axes[0], drawn[0].axes[2]):
        values = lines_of(axes)[0][1]
        assert len(values) <= 20_000
        assert max(values) == 2.0


def test_interruptions_are_marked_on_the_time_axis(tmp_path: Path, drawn: list[Figure]) -> None:
    steps = [runs.strip(1e-3, [0.1] * 60), runs.strip(1e-3, [0.2] * 60), runs.rest(60)]
    more = {"chains": runs.chains((0, 0, 0, 1, 0), (60.0, 0.5, 1, 2, 1e-3), (120.0, 0.5, 2, 3, 1e-3))}
    figures.draw_run(open_run(runs.written(tmp_path / "run.h5", steps, more=more)), tmp_path / "run.png")
    potential = drawn[0].axes[0]
    legend = potential.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "interrupted (1)",
        "interrupted under current (1)",
    ]
    marks = {line.get_label(): line.get_xdata().tolist() for line in potential.lines[1:]}
    assert marks == {"interrupted (1)": [2.0], "interrupted under current (1)": [1.0]}  # min


def test_without_a_known_area_nothing_is_areal(tmp_path: Path, drawn: list[Figure]) -> None:
    more = runs.spectra((1.0, 0.0, f_Hz, z_ohm, True))
    path = runs.written(
        tmp_path / "run.h5", [runs.strip(1e-3, [0.1] * 4)], more=more, sample={"name": "cell"}
    )
    figures.draw_run(open_run(path), tmp_path / "run.png")
    _, current, charge, nyquist = drawn[0].axes[:4]
    assert lines_of(current)[0][1] == pytest.approx([1.0] * 4)
    assert lines_of(nyquist)[0][0] == pytest.approx([10.0, 20.0, 30.0])
    for label in (current.get_ylabel(), charge.get_xlabel(), nyquist.get_xlabel(), nyquist.get_ylabel()):
        assert "cm" not in label
    assert "area unknown" in drawn[0].get_suptitle()
