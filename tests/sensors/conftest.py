"""Sensors beside nothing, which are closed in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alone import Alone

from nakctl.device.sensor import SensorSpec


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Alone]]:
    made: list[Alone] = []

    def make(*specs: SensorSpec, taken_over: float | None = None) -> Alone:
        made.append(Alone(tmp_path / "a.h5", *specs, taken_over=taken_over))
        return made[-1]

    yield make
    for each in made:
        each.sensors.close()
