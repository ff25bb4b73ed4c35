"""Parts of a run, numbers as text, and where files go."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import exchange_runs
import numpy as np
import pytest
from exchange_runs import source
from hypothesis import given
from hypothesis import strategies as st
from record_disks import Usage

from nakctl.errors import InputError, RecordError
from nakctl.exchange import placing, to_mpt, to_netcdf, to_xlsx, to_z
from nakctl.exchange.source import nine_digits, one_line, shortest
from nakctl.record.read import Run, open_run
from nakctl.results.part import Part, ranges


@pytest.mark.parametrize(
    ("part", "samples", "spectra", "steps"),
    [
        ({}, 13, [1, 2], [1, 2, 3, 4]),
        ({"steps": ("2.1",)}, 4, [], [2]),
        ({"steps": ("2",)}, 7, [1, 2], [2, 3]),
        ({"steps": ("strip 0.1 mA",)}, 4, [], [2]),
        ({"steps": ("cp",)}, 7, [], [2, 4]),
        ({"steps": ("0.1 m",)}, 4, [], [2]),
        ({"steps": ("rest", "geis")}, 6, [1, 2], [1, 3]),
        ({"cycles": ((2, 2),)}, 6, [1, 2], [3, 4]),
        ({"cycles": ((1, 1), (2, 9))}, 13, [1, 2], [1, 2, 3, 4]),
        ({"spectra": ((2, 2),)}, 1, [2], [3]),
        ({"from_s": 7.0, "to_s": 8.5}, 2, [1], [2, 3]),
        ({"from_s": 0.0, "to_s": 0.0}, 0, [], []),
        ({"steps": ("2.1",), "to_s": 5.0}, 2, [], [2]),
    ],
)
def test_parts(run: Run, part: dict[str, Any], samples: int, spectra: list[int], steps: list[int]) -> None:
    made = source(run, **part)
    if not samples:
        with pytest.raises(InputError, match="holds no rows of: from 0 s, to 0 s"):
            made.count("samples")
        return
    assert made.count("samples") == samples
    of = {
        table: [int(number) for block in made.blocks(table) for number in block[column]]
        for table, column in (("spectra", "spectrum"), ("steps", "step_count"), ("impedance", "spectrum"))
    }
    assert of["spectra"] == spectra and list(dict.fromkeys(of["impedance"])) == spectra
    assert of["steps"] == steps


@pytest.mark.parametrize(("at_s", "told"), [(100.1, "100.1 s"), (3725.0, "3725 s"), (5400.0, "1 h 30 min")])
def test_a_time_is_told_as_it_was_asked_for(at_s: float, told: str) -> None:
    assert str(Part(to_s=at_s)) == f"to {told}"


def test_the_step_that_is_under_way_counts(tmp_path: Path) -> None:
    """It is in no table yet; what it is stands in the plan."""
    with open_run(exchange_runs.under_way(tmp_path / "run.h5")) as run:
        part = source(run, steps=("geis",))
        assert (part.count("samples"), part.count("spectra"), part.count("steps")) == (3, 2, 0)
        assert list(to_mpt.parts(source(run))) == ["_01_OCV.mpt", "_02_CP.mpt", "_03_GEIS.mpt", ".mpt"]
        [points] = to_mpt._points(part, "GEIS")
        assert points["Ns"].tolist() == [2] * 8
        assert list(to_mpt.parts(source(run, steps=("1",)))) == ["_01_OCV.mpt", ".mpt"]
        to_z.parts(part)["_0001.z"](tmp_path / "1.z")
        assert "Ampl and Bias in:           A" in (tmp_path / "1.z").read_text()


def test_what_is_not_there_is_told_with_what_is(run: Run) -> None:
    with pytest.raises(
        InputError, match=r"has no step 'nix'; it has .*'2.1 strip 0.1 mA'.*cycles 1-2; spectra 1-2"
    ):
        source(run, steps=("nix",)).count("samples")


def test_ranges() -> None:
    assert ranges("3", "--cycle") == ((3, 3),)
    assert ranges("1, 4-6", "--cycle") == ((1, 1), (4, 6))
    assert str(Part(("2.1",), ((2, 5),), to_s=3600.0)) == "step 2.1, cycle 2-5, to 1 h"
    for wrong in ("x", "5-2", "", "1-", "1;2"):
        with pytest.raises(InputError, match="--cycle"):
            ranges(wrong, "--cycle")


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_as_text(number: float) -> None:
    single = np.array([number], "f4")
    [written], [milli] = shortest(single), shortest(single, 3)
    assert np.float32(written) == single[0]
    if 1e-13 < abs(number) < 1e13:
        assert Decimal(repr(float(milli))) == Decimal(repr(float(written))) * 1000
        assert float(f"{written:.8e}") == written


def test_numbers_as_people_write_them() -> None:
    given = np.array([0.1, 1e-4, -2.5e-9, 123456.79, 0, np.nan, np.inf, 1e38], "f4")
    assert [str(float(each)) for each in shortest(given)[:5]] == [
        "0.1",
        "0.0001",
        "-2.5e-09",
        "123456.79",
        "0.0",
    ]
    assert shortest(given, 3)[:2].tolist() == [100.0, 0.1]
    assert (
        np.isnan(shortest(given)[5])
        and shortest(given)[6] == np.inf
        and np.float32(shortest(given)[7]) == given[7]
    )
    assert nine_digits(np.array([0.1 + 0.2, np.nan]))[0] == 0.3


def test_one_line() -> None:
    assert one_line("a\n\x1b[2Jb\u202e  c") == "a [2Jb c"


def names(run: Path, ends: tuple[str, ...], out: Path | None, many: str = "") -> list[Path]:
    return list(placing.targets(run, dict.fromkeys(ends, lambda path: None), ".csv", out, many=many))


def test_where_files_go(tmp_path: Path) -> None:
    run, one, two = tmp_path / "run.h5", ("_samples.csv",), ("_samples.csv", "_spectra.csv")
    assert names(run, two, None) == [tmp_path / "run_samples.csv", tmp_path / "run_spectra.csv"]
    assert names(run, two, None, many="z")[0] == tmp_path / "run-z" / "run_samples.csv"
    assert names(run, one, None, many="z") == [tmp_path / "run_samples.csv"]
    assert names(run, one, tmp_path / "x.csv") == [tmp_path / "x.csv"]
    assert names(run, two, tmp_path / "x.CSV")[1] == tmp_path / "x_spectra.csv"
    assert names(run, two, tmp_path / "new")[0] == tmp_path / "new" / "run_samples.csv"
    with pytest.raises(InputError, match="there is no folder"):
        names(run, two, tmp_path / "no" / "x.csv")
    assert names(run, one, tmp_path / "X.CSV") == [tmp_path / "X.CSV"]
    assert names(run, one, tmp_path / "cell.1")[0].parent == tmp_path / "cell.1"
    for asked, told in (
        ("x.txt", r"files end in .csv: .*x.csv, or a folder"),
        ("-", "nothing to the terminal"),
    ):
        with pytest.raises(InputError, match=told):
            names(run, one, tmp_path / asked if asked != "-" else Path("-"))
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        names(run, two, tmp_path / "file")
    (tmp_path / "run_spectra.csv").write_text("mine")
    with pytest.raises(InputError, match=r"run_spectra.csv exists already"):
        names(run, two, None)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def whole(path: Path) -> None:
        path.write_text("rows")
        assert path.name.startswith(".")

    def half(path: Path) -> None:
        path.write_text("ro")
        raise OSError(28, "No space left on device")

    folder = tmp_path / "new"
    with pytest.raises(RecordError, match=r"nothing was written to .*new: No space"):
        placing.write({folder / "a.csv": whole, folder / "b.csv": half})
    assert not folder.exists()

    def beside_another(path: Path) -> None:
        (folder / "theirs.csv").touch()
        half(path)

    with pytest.raises(RecordError, match="No space"):
        placing.write({folder / "a.csv": whole, folder / "b.csv": beside_another})
    assert [path.name for path in folder.iterdir()] == ["theirs.csv"]
    (folder / "theirs.csv").unlink()
    placing.write({folder / "a.csv": whole, folder / "c.csv": whole})
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "c.csv"]


def test_a_disk_that_is_too_small_is_told_before(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what would not survive it; a file is never larger than was looked for."""
    for parts in (to_netcdf.parts(source(run)), to_xlsx.parts(source(run))):
        [(end, write)] = parts.items()
        write(tmp_path / f"run{end}")
        size = (tmp_path / f"run{end}").stat().st_size
        with monkeypatch.context() as patch:
            patch.setattr("shutil.disk_usage", lambda path, size=size: Usage(size, 0, size))
            with pytest.raises(RecordError, match="MB left, and this file needs"):
                write(tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_what_came_meanwhile_stays(tmp_path: Path) -> None:
    def late(path: Path) -> None:
        path.write_text("rows")
        (tmp_path / "b.csv").write_text("mine")

    with pytest.raises(InputError, match="meanwhile"):
        placing.write({tmp_path / "a.csv": late, tmp_path / "b.csv": late})
    assert [path.name for path in tmp_path.iterdir()] == ["b.csv"]
    assert (tmp_path / "b.csv").read_text() == "mine"
