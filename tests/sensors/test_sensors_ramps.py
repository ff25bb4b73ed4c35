"""A ramp as it is written to an instrument: step by step, by the sensors' process or in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from alone import Alone, signals
from bench import spec_of
from beside import run_beside
from hypothesis import given
from hypothesis import strategies as st

import nakctl
from nakctl.device.sensor import Ramp, RAMP_LATEST_s, RAMP_SOONEST_s, Raw, SensorTrouble
from nakctl_sensors.health import Health
from nakctl_sensors.ramping import Ramping
from nakctl_sensors.virtual import VirtualSensors

CHAMBER = spec_of("chamber", kind="sim", model="chamber", time_constant="2 min")
PRESS = spec_of("press", kind="sim", model="press", every="20 ms", time_constant="1 ms")


@given(
    st.floats(-50, 50), st.floats(-50, 50), st.floats(1e-4, 10), st.floats(0, 1e5), st.floats(0, 1e6)
)  # fmt: skip
def test_a_step_is_never_beyond_the_ramp_nor_far_behind(
    start: float, to: float, per_s: float, since_s: float, later_s: float
) -> None:
    ramp = Ramp(start, to, per_s, since_s)
    written, at = ramp.written(since_s + later_s), ramp.at(since_s + later_s)
    low, high = sorted((start, at))
    assert low - 1e-6 <= written <= high + 1e-6
    assert abs(at - written) <= per_s * ramp.step_s + 1e-6
    assert RAMP_SOONEST_s <= ramp.step_s <= RAMP_LATEST_s
    assert ramp.written(since_s + ramp.lasts_s * 1.001 + 1) == to


class Deaf:
    """Obeys but for some of its answers."""

    listens = False

    def __init__(self, *fails: int) -> None:
        self.fails, self.count, self.heard = fails, 0, list[float]()

    def set(self, raw: float) -> None:
        self.count += 1
        if self.count in self.fails:
            raise SensorTrouble("timeout", "did not answer")
        self.heard.append(raw)

    def read(self) -> Raw:
        raise NotImplementedError

    def close(self) -> None: ...


def test_a_step_that_fails_is_told_once_and_the_ramp_goes_on() -> None:
    ramping, health, source = Ramping(), Health(CHAMBER), Deaf(2, 3)
    ramping.begin(Ramp(25.0, 26.0, 0.1, 0.0))
    for second in range(12):
        try:
            ramping.move(source, health, float(second))
        except SensorTrouble:
            assert second in (1, 2)
    assert source.heard == pytest.approx([25.0, *(25 + k / 10 for k in range(3, 10)), 26.0])
    assert [notice.code for notice in health.taken()] == ["sensor_not_set", "sensor_set"]
    ramping.move(source, health, 100.0)
    assert source.heard[-1] == 26.0


def test_a_simulated_chamber_follows_a_ramp_in_the_time_of_the_run(tmp_path: Path) -> None:
    """As first order does: one time constant behind, when it has come into its stride."""
    path = tmp_path / "a.h5"
    steps = "- rest: 10 min\n- set: {chamber: {to: 80 degC, rate: 1 K/min}}\n- rest: 80 min\n"
    run_beside(path, steps, specs=(CHAMBER,), sensors=VirtualSensors)
    chamber = nakctl.open(path).aux["chamber"]
    gone_min = (chamber.time - 600) / 60
    on_its_way = (gone_min > 10) & (gone_min < 54)
    behind_K = 25 + gone_min[on_its_way] - chamber.value[on_its_way]
    assert behind_K == pytest.approx(np.full(len(behind_K), 2.0), abs=0.15)
    assert chamber.value[-1] == pytest.approx(80, abs=0.01)


def test_its_process_writes_it_and_tells_the_end(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.sensors.set("press", Ramp(10.0, 12.0, 2.0, beside.now_s()))
    beside.until_told("sensor_set", "press")
    assert beside.notices[-1].facts["value"] == 12.0
    rows = beside.close()["press"]
    seen = np.round(rows["value"][~np.isnan(rows["value"])], 6)
    assert (np.diff(seen) >= 0).all()
    assert beside.codes == ["sensor_set"]


def test_a_set_point_takes_its_place(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.sensors.set("press", Ramp(10.0, 100.0, 0.1, beside.now_s()))
    beside.sensors.set("press", 9.0)
    beside.until_told("sensor_set", "press")
    beside.until(lambda: beside.latest["press"].value == pytest.approx(9.0))
    assert beside.notices[-1].facts["value"] == 9.0


@signals
def test_who_follows_a_process_that_died_goes_on_with_it(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.sensors.set("press", Ramp(10.0, 13.0, 0.5, beside.now_s()))
    beside.until(lambda: beside.latest["press"].value > 10)
    beside.stop()
    beside.until_told("sensors_back")
    beside.until_told("sensor_set", "press")
    beside.until(lambda: beside.latest["press"].value == pytest.approx(13.0))


def test_a_ramp_that_ends_with_the_run_is_no_unanswered_set_point(bench: Callable[..., Alone]) -> None:
    beside = bench(PRESS)
    beside.until_read("press")
    beside.sensors.set("press", Ramp(10.0, 100.0, 0.01, beside.now_s()))
    beside.until_read("press")
    beside.close()
    assert beside.codes == []
