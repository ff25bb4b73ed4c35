"""The form of a settings file: columns, letters, wholeness."""

from __future__ import annotations

import pytest
from eclab_files import CP_GEIS, CP_LIMITS, GEIS_GCPL6, REAL, made, ocv

from nakctl.convert.settings import read, write
from nakctl.errors import InputError, Mark


def test_values_stand_in_columns_and_labels_may_come_twice() -> None:
    [technique] = read(CP_LIMITS, "x.mps").techniques
    assert (technique.number, technique.name, technique.columns) == (1, "Chronopotentiometry", 4)
    currents = next(row for row in technique.rows if row.label == "Is")
    assert [value.text for value in currents.values] == ["0.000", "2.000", "-2.000", "0.000"]
    assert [value.mark.column for value in currents.values] == [21, 41, 61, 81]


def test_the_header_is_asked_by_name() -> None:
    found = read(GEIS_GCPL6, "x.mps")
    assert found.said("Device") == "VMP3"
    assert found.said("Battery capacity") == ""
    assert len(found.techniques) == 18


@pytest.mark.parametrize("name", REAL)
def test_what_is_written_is_read_again(name: str) -> None:
    found = read(REAL[name], "x.mps")
    techniques = [
        (t.name, [(r.label, [v.text.replace(",", ".") for v in r.values]) for r in t.rows])
        for t in found.techniques
    ]
    for decimal in ".,":
        again = read(write(["Device : SP-300"], techniques, decimal), "x.mps")
        for one, other in zip(found.techniques, again.techniques, strict=True):
            assert (one.name, one.columns) == (other.name, other.columns)
            for row, back in zip(one.rows, other.rows, strict=True):
                assert row.label == back.label
                assert [v.text.replace(",", ".") for v in row.values] == [
                    v.text.replace(",", ".") for v in back.values
                ]


def test_bytes_are_cp1252_with_crlf_and_the_decimal_sign_asked_for() -> None:
    rows = [("Is", ["-25.000"]), ("unit Is", ["µA"]), ("ts (h:m:s)", ["0:02:0.0000"])]
    raw = write(["Filename : v1.2.mps", "Ewe ctrl range : min = -2.50 V, max = 2.50 V"], [("CP", rows)], ",")
    assert (
        b"Is                  -25,000             \r\nunit Is             \xb5A                  \r\n" in raw
    )
    assert b"0:02:0,0000" in raw and b"-2,50 V" in raw and b"Filename : v1.2.mps" in raw
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_an_editor_may_have_made_utf8_of_it() -> None:
    again = CP_GEIS.decode("cp1252").encode()
    assert read(again, "x.mps").techniques == read(CP_GEIS, "x.mps").techniques


WHOLE = made([ocv("0:00:30.0000")])
BROKEN = [
    (b"", 1, "the file is empty"),
    (b"nakctl: 1\n", 1, "begins with `EC-LAB SETTING FILE`"),
    (b"BT-LAB SETTING FILE\r\n", 1, "from BT-Lab"),
    (b"BIO-LOGIC MODULAR FILE\x1a", 1, ".mpr"),
    (WHOLE.decode("cp1252").encode("utf-16"), 1, "UTF-16"),
    (WHOLE.replace(b"Open Circuit", b"Open \x81Circuit"), 11, "no letter of cp1252"),
    (WHOLE.replace(b"techniques : 1", b"techniques : 3"), 3, "says 3 techniques and holds 1"),
    (WHOLE[: WHOLE.index(b"Technique : 1")], 3, "says 1 technique and holds 0"),
    (WHOLE[: WHOLE.index(b"Open Circuit")], 10, "has no name"),
    (WHOLE.replace(b"Number of linked techniques : 1", b""), 3, "is missing: the file is not whole"),
    (CP_LIMITS.replace(b"0.000               2.000 ", b"0.000     2.000 "), 13, "columns of 20"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "line", "said"), BROKEN, ids=[said for _, _, said in BROKEN])
def test_a_file_that_is_none_or_not_whole_is_told_with_its_line(raw: bytes, line: int, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read(raw, "x.mps")
    assert [(fault.mark.line, said in fault.message) for fault in caught.value.faults][:1] == [
        (line, True)
    ], caught.value


def test_any_piece_of_a_file_is_read_or_refused_in_sentences() -> None:
    """Cut anywhere: no traceback."""
    for end in range(0, len(CP_GEIS), 7):
        try:
            read(CP_GEIS[:end], "x.mps")
        except InputError as error:
            assert error.faults[0].mark >= Mark(1, 1)
