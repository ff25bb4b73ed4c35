from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.table import Table, cut, from_json, to_json
from nakctl.device.channel import Flag

TABLES = [
    layout.SAMPLES,
    layout.SAMPLES_3E,
    layout.IMPEDANCE,
    layout.SPECTRA,
    layout.STEPS,
    layout.EVENTS,
    layout.CLOCK,
]


def test_samples_are_packed_as_documented() -> None:
    assert layout.SAMPLES.dtype == np.dtype(
        [
            ("time", "<f8"),
            ("Ewe", "<f4"),
            ("I", "<f4"),
            ("Q", "<f8"),
            ("step_count", "<u4"),
            ("step_id", "<u4"),
            ("cycle", "<u4"),
            ("flags", "<u2"),
            ("I_range", "<i2"),
            ("control", "<f4"),
        ]
    )
    assert layout.SAMPLES.dtype.itemsize == 44


def test_the_third_electrode_adds_a_column_and_takes_the_name_of_the_cell_voltage_away() -> None:
    two, three = ({c.name: c for c in table.columns} for table in (layout.SAMPLES, layout.SAMPLES_3E))
    assert set(three) - set(two) == {"Ece"}
    assert two["Ewe"].bdf_name == "voltage_volt"
    assert three["Ewe"].bdf_name == ""
    assert layout.tables({"three_electrode": True})["samples"].dtype == layout.SAMPLES_3E.dtype


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_has_a_label_and_numbers_have_a_unit(table: Table) -> None:
    for column in table.columns:
        assert column.long_name
        assert bool(column.units) == (np.dtype(column.dtype).kind != "S")
        assert "/" not in column.name


@pytest.mark.parametrize(
    ("table", "column", "term"),
    [
        (layout.SAMPLES, "time", "test_time_second"),
        (layout.SAMPLES, "I", "current_ampere"),
        (layout.SAMPLES, "Q", "net_capacity_ah"),
        (layout.IMPEDANCE, "Z_im", "imaginary_impedance_ohm"),
        (layout.IMPEDANCE, "frequency", "frequency_hertz"),
    ],
)
def test_terms_of_the_battery_data_format(table: Table, column: str, term: str) -> None:
    attributes = next(c for c in table.columns if c.name == column).attributes
    assert attributes["bdf_name"] == term
    assert attributes["bdf_iri"].endswith(f"battery-data-format#{term}")


def test_every_flag_is_explained() -> None:
    bits = next(c for c in layout.SAMPLES.columns if c.name == "flags").attributes["bits"]
    assert [item.split() for item in bits.split(", ")] == [[str(f.value), f.name] for f in Flag]


def test_names_of_the_ranges_stand_at_the_column() -> None:
    column = layout.samples(False, {"4": "1 mA"}).columns[-2]
    assert column.attributes["enum"] == "4 1 mA"


def test_a_journal_keeps_the_layout() -> None:
    kept = from_json(to_json(TABLES[1:]))
    assert list(kept.values()) == TABLES[1:]


@given(st.text(), st.integers(1, 80))
def test_cut_text_is_the_longest_whole_beginning_that_fits(text: str, size: int) -> None:
    text = text.encode(errors="ignore").decode()
    kept = cut(text, size)
    assert len(kept) <= size
    assert text.startswith(kept.decode())
    assert kept == text.encode() or len(text[: len(kept.decode()) + 1].encode()) > size
