"""What EC-Lab recorded, as tables: of text and of .mpr, with a head and without."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import recorded_files as files
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.channel import Flag
from nakctl.errors import InputError
from nakctl.exchange import eclab, read_mpr, read_mpt
from nakctl.exchange.recording import Recording

galvani = pytest.importorskip("galvani.BioLogic")


def made(*recordings: Recording, **asked: Any) -> eclab.Made:
    known = {"title": "t", "area_cm2": None, "cell": ""} | asked
    return eclab.made_of(recordings, **known)


def of_text(technique: str, columns: files.Columns, **how: Any) -> Recording:
    return read_mpt.read(files.mpt(technique, columns, **how), f"x_01_{technique}_C01.mpt")


def same(one: Mapping[str, Any], other: Mapping[str, Any], rtol: float = 0.0) -> bool:
    """Numbers that .mpr keeps in single precision are equal only about."""
    assert one.keys() == other.keys()
    for table, rows in one.items():
        assert len(rows) == len(other[table])
        for name in rows.dtype.names:
            a, b = rows[name], other[table][name]
            equal = (
                np.allclose(a, b, rtol=rtol, atol=0, equal_nan=True)
                if a.dtype.kind == "f"
                else (a == b).all()
            )
            assert equal, (table, name, a, b)
    return True


@pytest.mark.parametrize(
    ("technique", "labels", "control", "spectra"),
    [
        ("OCV", ["1 ocv"], [np.nan] * 3, 0),
        ("CP", ["1 cp 20 uA", "2 cp -30 uA"], [2e-5, 2e-5, -3e-5, -3e-5], 0),
        ("CA", ["1 ca 3.5 V"], [3.5] * 3, 0),
        ("CV", ["1 cv", "1 cv", "1 cv"], files.CV["control/V"], 0),
        ("LSV", ["1 lsv"], files.LSV["control/V"], 0),
        ("GEIS", ["1 geis 380 uA"], [3.8e-4] * 9, 3),
        ("PEIS", ["1 peis 3.33 V"], [3.33] * 9, 3),
        (
            "GCPL",
            ["1 ocv", "2 cp 30 uA", "2 ca 4.2 V"] * 2,
            [np.nan, 3e-5, 3e-5, 4.2] * 2,
            0,
        ),
        ("MB", ["1 ocv", "2 cp 100 uA", "3 geis 100 uA", "2 cp 100 uA"], [np.nan, *[1e-4] * 5], 1),
    ],
)
def test_techniques(technique: str, labels: list[str], control: list[float], spectra: int) -> None:
    columns = files.EACH[technique]
    tables = made(of_text(technique, columns)).tables
    assert [each.decode() for each in tables["steps"]["label"]] == labels
    assert np.allclose(tables["samples"]["control"], np.array(control, "f4"), equal_nan=True)
    assert len(tables.get("spectra", ())) == spectra
    steps, samples = tables["steps"], tables["samples"]
    assert steps["row_count"].sum() == len(samples) and (steps["end_kind"] == b"").all()
    for step in steps:
        rows = samples[step["first_row"] : step["first_row"] + step["row_count"]]
        assert (rows["step_count"] == step["step_count"]).all() and step["t_end"] == rows["time"][-1]


def test_numbers_are_those_of_the_file() -> None:
    tables = made(of_text("CP", files.CP)).tables
    samples = tables["samples"]
    assert samples["time"].tolist() == files.CP["time/s"]
    assert np.array_equal(samples["Ewe"], np.array(files.CP["<Ewe>/V"], "f4"))
    assert np.array_equal(samples["I"], (np.array(files.CP["I/mA"]) / 1000).astype("f4"))
    assert np.array_equal(samples["Q"], np.array(files.CP["(Q-Qo)/C"]) / 3600)
    assert samples["step_id"].tolist() == [1, 1, 2, 2]


def test_spectra_are_told_apart_by_their_first_frequency() -> None:
    tables = made(of_text("GEIS", files.GEIS)).tables
    points, spectra = tables["impedance"], tables["spectra"]
    assert points["spectrum"].tolist() == [1, 1, 1, 2, 2, 2, 3, 3]
    assert spectra["complete"].tolist() == [1, 1, 0] and spectra["cycle"].tolist() == [1, 2, 3]
    assert points["frequency"].tolist() == files.GEIS["freq/Hz"][1:]
    assert points["Z_re"].tolist() == files.GEIS["Re(Z)/Ohm"][1:]
    assert points["Z_im"].tolist() == [-value for value in files.GEIS["-Im(Z)/Ohm"][1:]]
    assert np.allclose(points["Z_abs"], np.hypot(points["Z_re"], points["Z_im"]))
    assert np.array_equal(points["I_amp"], np.full(8, 5e-5, "f4"))
    from_eis = tables["samples"]["flags"] & Flag.FROM_EIS.value != 0
    assert from_eis.tolist() == [False, *[True] * 8]


def test_upward_sweeps_and_modulus_with_phase() -> None:
    upward = {name: list(reversed(values)) for name, values in files.GEIS.items()}
    upward["time/s"] = files.GEIS["time/s"]
    assert made(of_text("GEIS", upward)).tables["spectra"]["row_count"].tolist() == [2, 3, 3]
    points = made(of_text("MB", files.MB)).tables["impedance"]
    assert np.allclose(
        points["Z_re"] + 1j * points["Z_im"], [10, 20, 30] * np.exp(-1j * np.radians([10, 20, 30]))
    )


def test_a_spectrum_without_bias_has_none() -> None:
    noise = files.GEIS | {"<I>/mA": [1e-5] * 9}
    assert made(of_text("GEIS", noise)).tables["samples"]["control"].tolist() == [0.0] * 9


@pytest.mark.parametrize("technique", files.EACH)
def test_decimal_commas(technique: str) -> None:
    columns = files.EACH[technique]
    with_points, with_commas = (made(of_text(technique, columns, comma=comma)) for comma in (False, True))
    assert same(with_points.tables, with_commas.tables)
    about = ("start_time", "three_electrode", "simulated")
    assert [with_points.header[name] for name in about] == [with_commas.header[name] for name in about]
    assert with_points.header["sample"]["area_cm2"] == with_commas.header["sample"]["area_cm2"] == 0.5


@pytest.mark.parametrize("technique", files.EACH)
@pytest.mark.parametrize("first", [(), ("EC-Lab ASCII FILE", "Nb header lines : 3")])
def test_text_without_a_head(technique: str, first: tuple[str, ...]) -> None:
    columns = files.EACH[technique]
    raw = "\r\n".join((*first, *files.body(columns))).encode()
    found = made(read_mpt.read(raw, "x.mpt"))
    if technique not in ("CV", "LSV"):  # by mode alone nobody tells them from CA
        assert same(found.tables, made(of_text(technique, columns)).tables)
    assert found.header["start_time"] == "" and "no file says when" in " ".join(found.notes)
    named = made(read_mpt.read(raw, f"cell_02_{technique}_C01.mpt"))
    assert same(named.tables, made(of_text(technique, columns)).tables)


@pytest.mark.parametrize("technique", files.EACH)
def test_mpr_is_the_same_as_text(technique: str) -> None:
    columns = files.EACH[technique]
    binary = read_mpr.read(files.mpr(technique, columns, comments="two\r\nlines"), "x.mpr")
    text = of_text(technique, columns, comments=["two", "lines"])
    one, other = made(binary), made(text)
    assert same(one.tables, other.tables, rtol=2e-7)
    for part in ("start_time", "sample", "three_electrode"):
        assert one.header[part] == other.header[part]
    [told] = one.header["instrument"]["facts"]["imported_from"]
    assert (told["technique"], told["eclab_version"], told["channel"]) == (technique, "11.50", "1")


def test_text_is_read_as_galvani_reads_it() -> None:
    for technique, columns in files.EACH.items():
        for comma in (False, True):
            raw = files.mpt(technique, columns, comma=comma)
            rows, _ = galvani.MPTfile(io.BytesIO(raw))
            ours = read_mpt.read(raw, "x.mpt").columns
            theirs = {name.replace("<", "").replace(">", "").replace("dq", "dQ"): name for name in ours}
            for name in rows.dtype.names:
                column = ours[name] if name in ours else ours[theirs[name]]
                assert np.array_equal(rows[name].astype(float), column), (technique, name)


def test_a_file_without_current_has_that_of_its_charge() -> None:
    """As EC-Lab shows <I>."""
    samples = made(of_text("GCPL", files.GCPL)).tables["samples"]
    assert samples["I"] == pytest.approx(
        np.array([0, 2.88, 2.88, 1.44, 0, 2.88, 2.88, 0.72]) * 1e-5, rel=1e-6
    )
    assert samples["cycle"].tolist() == [0] * 4 + [1] * 4  # from half cycles
    assert samples["Q"].tolist() == [each / 1000 for each in files.GCPL["(Q-Qo)/mA.h"]]


def test_charge_from_what_there_is() -> None:
    by_steps = made(of_text("CA", files.CA)).tables["samples"]
    assert by_steps["Q"] == pytest.approx(np.array([4e-4, 6e-4, 7e-4]) / 3600, rel=1e-9)
    anew = files.CA | {"Ns": [0, 0, 1], "dQ/C": [4e-4, 6e-4, 1e-4]}  # a second potential
    assert made(of_text("CA", anew)).tables["samples"]["Q"] == pytest.approx(by_steps["Q"], rel=1e-9)
    by_current = {name: values for name, values in files.CA.items() if name != "dQ/C"}
    assert made(of_text("CA", by_current)).tables["samples"]["Q"] == pytest.approx(
        np.array([0, 3e-4, 4.5e-4]) / 3600, rel=1e-9
    )


# Several files


def test_a_chain_in_the_order_of_time() -> None:
    chain = [
        of_text("GEIS", files.GEIS),
        of_text("OCV", files.OCV),
        of_text("CP", files.CP),
        of_text("CA", files.CA),
    ]
    found = made(*chain)
    assert [each.decode() for each in found.tables["steps"]["label"]] == [
        "2.1 ocv", "3.1 cp 20 uA", "3.2 cp -30 uA", "4.1 ca 3.5 V", "1.1 geis 380 uA",
    ]  # fmt: skip
    samples = found.tables["samples"]
    assert (np.diff(samples["time"]) > 0).all() and len(set(samples["step_id"].tolist())) == 5
    assert samples["Q"][7] == pytest.approx((-3.5e-5 + 4e-4) / 3600, rel=1e-9)  # of CA, behind what CP moved
    assert found.header["start_time"] == "2024-01-10T11:02:29.886"


def test_loops_go_round_through_all_files() -> None:
    looped = [
        of_text(each, files.twice(files.EACH[each], 100.0), loops=(0, len(files.EACH[each]["time/s"])))
        for each in ("OCV", "CP")
    ]
    found = made(*looped).tables
    assert [each.decode()[:5] for each in found["steps"]["label"]] == ["1.1 o", "2.1 c", "2.2 c"] * 2
    assert found["steps"]["step_id"].tolist() == [1, 2, 3] * 2
    assert found["samples"]["cycle"].tolist() == [1] * 7 + [2] * 7
    Q_Ah = found["samples"]["Q"]
    assert Q_Ah[[6, -1]] == pytest.approx(np.array([-3.5e-5, -7e-5]) / 3600, rel=1e-9)


def test_a_loop_that_goes_on_counting_is_none() -> None:
    """Within a Modulo Bat: nothing is added twice."""
    columns = files.MB | {"(Q-Qo)/mA.h": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    found = made(of_text("MB", columns, loops=(0, 2, 5))).tables
    assert np.allclose(found["samples"]["Q"] * 1000, columns["(Q-Qo)/mA.h"], rtol=1e-9)
    assert len(found["spectra"]) == 1


def test_mpr_loops() -> None:
    columns = files.twice(files.OCV, 50.0)
    binary = read_mpr.read(files.mpr("OCV", columns, loops=(0, 3)), "x.mpr")
    assert binary.loops == (3, 6) and len(made(binary).tables["steps"]) == 2


def test_files_of_two_channels_and_of_no_date_are_refused() -> None:
    with pytest.raises(InputError, match="recorded at the same time"):
        made(of_text("OCV", files.OCV), of_text("CA", files.later(files.CA, -6.5)))
    with pytest.raises(InputError, match=r"x_01_CP_C01.mpt does not say when it was started"):
        made(of_text("OCV", files.OCV), of_text("CP", files.CP, start=None))
    undated = made(of_text("OCV", files.OCV, start=None), of_text("CP", files.CP, start=None))
    assert len(undated.tables["steps"]) == 3


def test_a_technique_in_the_midst_of_a_chain_begins_at_its_own_time() -> None:
    found = made(of_text("CP", files.later(files.CP, 3600.0)))
    assert found.header["start_time"] == "2024-01-10T12:02:32.886"
    assert found.tables["samples"]["time"].tolist() == [0.0, 1.0, 2.0, 3.5]
    second = files.START + timedelta(hours=1)
    chain = made(of_text("OCV", files.OCV), of_text("CP", files.CP, start=second))
    assert chain.tables["samples"]["time"][3] == 3603.0


def test_time_never_goes_back() -> None:
    samples = made(of_text("OCV", files.OCV | {"time/s": [1, 3, 2]})).tables["samples"]
    assert samples["time"].tolist() == [1, 3, 3]
    assert (samples["flags"] & Flag.BAD_TIME.value != 0).tolist() == [False, False, True]


# What the head says


@pytest.mark.parametrize(
    ("area", "cm2"),
    [
        ("0.785 cm²", 0.785),
        ("113.100 mm²", 1.131),
        ("0,001 cm²", None),
        ("0.000 cm²", None),
        ("3 furlong²", None),
    ],
)
def test_an_area_that_nobody_gave_is_none(area: str, cm2: float | None) -> None:
    found = made(of_text("OCV", files.OCV, area=area))
    assert found.header["sample"]["area_cm2"] == cm2
    assert ("no electrode area" in " ".join(found.notes)) == (cm2 is None)
    assert made(of_text("OCV", files.OCV, area=area), area_cm2=2.0).header["sample"]["area_cm2"] == 2.0


@pytest.mark.parametrize(
    ("area", "cm2"),
    [((0.5, 2), 0.5), ((113.1, 3), 1.131), ((0.001, 2), None), ((0.5, 9), None), ((-1.0, 2), None)],
)
def test_the_area_in_mpr(area: tuple[float, int], cm2: float | None) -> None:
    assert read_mpr.read(files.mpr("OCV", files.OCV, area=area), "x.mpr").area_cm2 == cm2


@pytest.mark.parametrize(
    ("said", "start"),
    [
        ("01/10/2024 11:02:29.886", datetime(2024, 1, 10, 11, 2, 29, 886000)),
        ("01/10/2024 11:02:29", datetime(2024, 1, 10, 11, 2, 29)),
        ("01.10.2024 11:02:29", datetime(2024, 1, 10, 11, 2, 29)),
        ("01-10-2024 11:02:29", datetime(2024, 1, 10, 11, 2, 29)),
        ("yesterday", None),
    ],
)
def test_dates(said: str, start: datetime | None) -> None:
    raw = files.mpt("OCV", files.OCV).replace(b"01/10/2024 11:02:29.886", said.encode())
    assert read_mpt.read(raw, "x.mpt").start == start


def test_provenance() -> None:
    raw = files.mpt("CP", files.CP, comments=["first", "second"])
    found = made(read_mpt.read(raw, "x.mpt"), cell="mine").header
    [told] = found["instrument"]["facts"]["imported_from"]
    assert (told["file"], len(told["sha256"]), told["eclab_version"]) == ("x.mpt", 64, "11.50")
    assert "Cycle Definition" in told["head"] and found["instrument"]["model"] == "SP-300 (SN 1854)"
    assert found["sample"]["name"] == "mine" and found["sample"]["facts"] == {"comments": "first\nsecond"}
    assert found["user"] == {"name": "ada"} and found["simulated"] is False
    assert made(read_mpt.read(raw, "x.mpt")).header["run_id"] == found["run_id"]


# What is damaged, or was in other hands

TEXT = files.mpt("CP", files.CP)
FIRST = next(k for k, line in enumerate(TEXT.splitlines()) if line.startswith(b"mode")) + 1


def glued(row: int) -> bytes:
    """Without the end of this row, from 1."""
    lines = TEXT.splitlines(keepends=True)
    lines[FIRST + row - 1] = lines[FIRST + row - 1].rstrip() + b"\t"
    return b"".join(lines)


def test_text_as_spreadsheets_save_it() -> None:
    """With tabs behind every line, and in UTF-16."""
    lines = TEXT.decode("latin-1").splitlines()
    filled = "\r\n".join(line + "\t" * (8 - line.count("\t")) for line in lines)
    told = made(read_mpt.read(TEXT, "x.mpt")).tables
    for raw in (filled.encode("utf-8"), filled.encode("utf-16"), TEXT.decode("latin-1").encode("utf-8-sig")):
        found = made(read_mpt.read(raw, "x.mpt")).tables
        assert found["samples"].tobytes() == told["samples"].tobytes()
        assert found["steps"].tobytes() == told["steps"].tobytes()


@pytest.mark.parametrize("value", ["", "x", "1e999", "1e39", '"', "-1.#IND"])
@pytest.mark.parametrize("column", ["time/s", "Ns", "I/mA", "control/mA"])
def test_a_damaged_number_is_none(column: str, value: str) -> None:
    """Also in the first row; those behind it keep their own."""
    lines = TEXT.decode("latin-1").split("\r\n")
    values = lines[FIRST].split("\t")
    values[list(files.CP).index(column)] = value
    lines[FIRST] = "\t".join(values)
    raw = "\r\n".join(lines).encode("latin-1")
    found = made(read_mpt.read(raw, "x.mpt")).tables["samples"]
    whole = made(read_mpt.read(TEXT, "x.mpt")).tables["samples"]
    assert np.array_equal(found["Ewe"], whole["Ewe"]) and np.array_equal(found["I"][1:], whole["I"][1:])
    assert np.array_equal(found["step_id"][1:], whole["step_id"][1:])
    assert np.all(np.diff(found["time"]) >= 0) and np.all(np.isfinite(found["time"]))


# What cannot be read


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "is no text of EC-Lab"),
        (b"a,b\n1,2\n", "is no text of EC-Lab"),
        (b"EC-LAB SETTING FILE\r\n", "nakctl import-mps makes a protocol of it"),
        (b"EC-Lab ASCII FILE\r\nhello\r\n", "second line does not say"),
        (b"EC-Lab ASCII FILE\r\nNb header lines : 99\r\n", "second line does not say"),
        (files.mpt("OCV", {"mode": [], "time/s": [], "Ewe/V": []}), "has no rows"),
        (files.mpt("OCV", {"mode": [3], "Ewe/V": [1], "time/s": [0]}).replace(b"time/s", b"tome/s"), "no time/s"),
        (files.mpt("CP", {"mode": [3], "time/s": [1], "I/mA": [0]}), "no Ewe/V among its columns"),
        (glued(1), "row 1 below its head has 14 values, and there are 7 columns"),
        (glued(3), "row 3 below its head has 14 values"),
        (files.mpt("OCV", files.OCV | {"time/s": [1e99] * 3}), "no row with a time"),
        (files.mpt("ZIR", files.PEIS), "'IR compensation (PEIS)', which is not read; read are OCV"),
    ],
)  # fmt: skip
def test_text_that_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(InputError) as refused:
        made(read_mpt.read(raw, "x.mpt"))
    assert told in str(refused.value)


WHOLE = files.mpr("CP", files.CP)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"EC-Lab ASCII FILE", "is no .mpr file"),
        (WHOLE[:-200], "save it as text in EC-Lab"),
        (WHOLE[:400], "save it as text in EC-Lab"),
        (files.mpr("OCV", files.OCV | {"unheard-of": [0, 0, 0]}), "a column that galvani does not know"),
        (files.mpr("ZIR", files.PEIS), "a technique of EC-Lab that is not read (number 50)"),
        (files.mpr("OCV", {"mode": [], "time/s": [], "Ewe/V": []}), "has no rows"),
    ],
)
def test_mpr_that_is_refused(raw: bytes, told: str) -> None:
    with pytest.raises(InputError) as refused:
        made(read_mpr.read(raw, "x.mpr"))
    assert told in str(refused.value)


def test_a_column_that_galvani_does_not_know_is_told_to_it() -> None:
    binary = read_mpr.read(files.mpr("OCV", files.OCV | {"step time/s": [0, 1, 2]}), "x.mpr")
    assert made(binary).header["instrument"]["facts"]["imported_from"][0]["columns_left_out"] == [
        "step time/s"
    ]


@given(st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=8))
def test_damaged_mpr_never_ends_in_a_traceback(place: int, damage: bytes) -> None:
    raw = WHOLE[:place] + damage + WHOLE[place + len(damage) :]
    try:
        made(read_mpr.read(raw, "x.mpr"))
    except InputError as refused:
        assert "x.mpr" in str(refused)
