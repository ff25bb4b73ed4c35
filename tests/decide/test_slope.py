"""How fast Ewe and |I| change: a line through the last minutes of a step."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import end
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.met import Met
from nakctl.decide.slope import SlopeWatch
from nakctl.device.ends import End

OVER_s = 100.0


def slope_end(side: str, value: float, quantity: str = "dEwe/dt") -> End:
    made = end(1, quantity, side, value)
    return End(**{name: getattr(made, name) for name in End.__slots__} | {"over_s": OVER_s})


def rows(time_s, Ewe_V, I_A=0.0, step_count: int = 1, step_id: int = 1) -> np.ndarray:
    made = np.zeros(len(time_s), layout.SAMPLES.dtype)
    made["time"], made["Ewe"], made["I"] = time_s, Ewe_V, I_A
    made["step_count"], made["step_id"] = step_count, step_id
    return made


def fed(watch: SlopeWatch, samples: np.ndarray, cuts: list[int]) -> tuple[int, float] | None:
    """The place of the row that meets it, when rows come in these reads."""
    before = 0
    for part in np.split(samples, cuts):
        met = watch.look(part) if len(part) else None
        if met is not None:
            return before + met.row, met.value
        before += len(part)
    return None


def by_hand(samples: np.ndarray, value: float) -> int | None:
    """The first row at which a fit to the last so long is flatter."""
    time_s = samples["time"]
    for place, now_s in enumerate(time_s):
        window = (time_s >= now_s - OVER_s * (1 + 1e-9)) & (time_s <= now_s)
        if now_s - time_s[0] >= OVER_s * (1 - 1e-9) and window.sum() >= 3:
            slope = np.polyfit(time_s[window] - now_s, samples["Ewe"][window].astype(float), 1)[0]
            if abs(slope) < value:
                return place
    return None


def decay(time_s: np.ndarray, tau_s: float, start_s: float = 0.0) -> np.ndarray:
    return 0.5 + 0.2 * np.exp(-(time_s - start_s) / tau_s)


@settings(max_examples=60, deadline=None)
@given(
    every_s=st.sampled_from([0.5, 1.0, 7.0, 30.0]),
    tau_s=st.floats(20.0, 2000.0),
    start_s=st.sampled_from([0.0, 3e6]),
    cuts=st.lists(st.integers(0, 400), max_size=6).map(sorted),
)
def test_it_is_met_where_a_fit_by_hand_is(
    every_s: float, tau_s: float, start_s: float, cuts: list[int]
) -> None:
    time_s = start_s + np.arange(1, 400) * every_s
    samples = rows(time_s, decay(time_s, tau_s, start_s))
    found = fed(SlopeWatch(slope_end("below", 2e-5)), samples, cuts)
    assert (None if found is None else found[0]) == by_hand(samples, 2e-5)


def test_how_rows_are_cut_changes_nothing_where_they_are_many() -> None:
    time_s = np.arange(1, 60_000) * 0.005
    samples = rows(time_s, decay(time_s, 50.0))
    at_once = fed(SlopeWatch(slope_end("below", 1e-4)), samples, [])
    assert at_once is not None
    found = fed(SlopeWatch(slope_end("below", 1e-4)), samples, list(range(0, 60_000, 77)))
    assert found is not None and found[0] == at_once[0] and found[1] == pytest.approx(at_once[1], rel=1e-6)
    near = np.searchsorted(time_s, time_s[at_once[0]] - OVER_s)
    slope = np.polyfit(time_s[near : at_once[0] + 1], samples["Ewe"][near : at_once[0] + 1].astype(float), 1)
    assert abs(slope[0]) == pytest.approx(1e-4, rel=0.01)  # the window begins within a part of it


def test_it_is_not_judged_before_so_long_has_passed_in_the_step() -> None:
    time_s = np.arange(0.0, 300.0)
    met = SlopeWatch(slope_end("below", 1e-3)).look(rows(time_s, 1.0))
    assert met == Met(slope_end("below", 1e-3), 0.0, 100)


def test_a_step_that_begins_again_is_fitted_anew() -> None:
    watch, time_s = SlopeWatch(slope_end("below", 1e-3)), np.arange(0.0, 90.0)
    assert watch.look(rows(time_s, 1.0)) is None
    assert watch.look(rows(time_s + 90, 1.0, step_count=2)) is None
    assert watch.look(rows(time_s + 180, 1.0, step_count=2)) is not None


def test_other_steps_do_not_count() -> None:
    assert SlopeWatch(slope_end("below", 1e-3)).look(rows(np.arange(0.0, 300.0), 1.0, step_id=2)) is None


def test_a_spike_goes_up_or_down() -> None:
    time_s = np.arange(0.0, 300.0)
    for sign in (1, -1):
        Ewe_V = np.where(time_s < 200, 0.1, 0.1 + sign * 0.01 * (time_s - 200))
        met = SlopeWatch(slope_end("above", 1e-3)).look(rows(time_s, Ewe_V))
        assert met is not None and 200 < met.row < 240 and met.value > 1e-3


def test_a_current_counts_without_its_sign() -> None:
    time_s = np.arange(0.0, 600.0)
    for sign in (1, -1):
        I_A = sign * 1e-4 * np.exp(-time_s / 100)
        met = SlopeWatch(slope_end("below", 1e-8, "dI/dt")).look(rows(time_s, 1.0, I_A))
        assert met is not None and met.value == pytest.approx(1e-8, rel=0.02)


def test_readings_that_are_no_numbers_say_nothing() -> None:
    time_s = np.arange(0.0, 300.0)
    Ewe_V = np.where(time_s % 3 == 0, np.nan, 1.0)
    met = SlopeWatch(slope_end("below", 1e-3)).look(rows(time_s, Ewe_V))
    assert met is not None and met.row in (101, 102)


def test_of_a_step_of_weeks_no_digit_is_lost() -> None:
    """1 mV/h at 4 V after three weeks."""
    watch, step_s = SlopeWatch(slope_end("above", 1.0)), 5000.0
    for start_s in np.arange(0.0, 1.8e6, step_s):
        watch.look(_exact(start_s + np.arange(0.0, step_s)))
    assert watch.now == pytest.approx(1e-3 / 3600, rel=1e-3)


def _exact(time_s: np.ndarray) -> np.ndarray:
    """Ewe in single precision would be the noise."""
    columns = [("time", "<f8"), ("Ewe", "<f8"), ("step_count", "<u4"), ("step_id", "<u4")]
    made = np.zeros(len(time_s), columns)
    made["time"], made["Ewe"], made["step_count"], made["step_id"] = time_s, 4 + 1e-3 / 3600 * time_s, 1, 1
    return made


def test_nobody_looks_before_anything_can_be_known_nor_later_than_it_is_due() -> None:
    watch = SlopeWatch(slope_end("below", 1e-9))
    assert watch.may_wait_s(50.0) == OVER_s  # its step may begin now
    time_s = np.arange(1000.0, 1041.0)
    watch.look(rows(time_s, 0.5 + 1e-3 * time_s))
    assert watch.may_wait_s(1040.0) == pytest.approx(60.0)
    time_s = np.arange(1041.0, 1200.0)
    watch.look(rows(time_s, 0.5 + 1e-3 * time_s))
    assert watch.may_wait_s(1199.0) == pytest.approx(OVER_s / 20)
