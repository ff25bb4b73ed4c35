"""The table's bands, apart from any run."""

from __future__ import annotations

import pytest

from nakctl.protocol import library
from nakctl.results.calibration import Band, Value, asked


@pytest.mark.parametrize(
    ("band", "value", "holds", "text"),
    [
        (Band(above=0.5, below=0.7), 0.6, True, "0.5 - 0.7"),
        (Band(above=0.5, below=0.7), 0.5, False, "0.5 - 0.7"),
        (Band(above=0.5, below=0.7), 0.71, False, "0.5 - 0.7"),
        (Band(above=0.0), 1e9, True, "> 0"),
        (Band(below=0.0), -1.0, True, "< 0"),
        (Band(below=0.0), 0.0, False, "< 0"),
        (Band(below=1.0), None, False, "< 1"),
        (Band(above=1.0), "yes", False, "> 1"),
        (Band(word="yes"), "yes", True, "yes"),
        (Band(word="yes"), "no", False, "yes"),
        (Band(word="yes"), 1.0, False, "yes"),
        (Band(word="yes"), None, False, "yes"),
    ],
)
def test_a_band_holds_what_lies_in_it(band: Band, value: Value, holds: bool, text: str) -> None:
    assert band.holds(value) is holds
    assert str(band) == text


def test_every_run_of_the_table_is_a_shipped_protocol() -> None:
    assert {run.protocol for run in asked().values()} <= set(library.names())
