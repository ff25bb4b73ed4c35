"""`nakctl import-mps`, `export-mps` and `convert`, as a person types them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import nakctl

sys.path.append(str(Path(__file__).parents[1] / "convert"))
from eclab_files import OCV_PEIS_LOOP, REAL, made, mb, ocv, with_table


def test_there_and_back_again(tmp_path: Path) -> None:
    (tmp_path / "cell 3.mps").write_bytes(OCV_PEIS_LOOP)
    said = nakctl("import-mps", "cell 3.mps", "-o", "cell.yaml", cwd=tmp_path)
    assert (said.code, said.err) == (0, ""), said
    assert "cell.yaml (and protocol.schema.json" in said.out
    assert nakctl("check", "cell.yaml", cwd=tmp_path).code == 0
    said = nakctl("export-mps", "cell.yaml", "--decimal", "comma", cwd=tmp_path)
    assert said.code == 0 and "cell.mps (for a SP-300" in said.out
    raw = (tmp_path / "cell.mps").read_bytes()
    assert raw.startswith(b"EC-LAB SETTING FILE\r\n") and b"10,0" in raw
    printed = nakctl("import-mps", "cell.mps", cwd=tmp_path).out
    written = (tmp_path / "cell.yaml").read_text(encoding="utf-8")
    assert printed[printed.index("steps:") :] == written[written.index("steps:") :]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.mps").write_bytes(OCV_PEIS_LOOP)
    (tmp_path / "a.yaml").write_text("mine")
    said = nakctl("import-mps", "a.mps", "-o", "a.yaml", cwd=tmp_path)
    assert said.code == 2 and "exists already" in said.err
    assert nakctl("import-mps", "a.mps", "-o", "b.yaml", cwd=tmp_path).code == 0
    said = nakctl("export-mps", "b.yaml", "-o", "a.mps", cwd=tmp_path)
    assert said.code == 2 and "exists already" in said.err
    assert (tmp_path / "a.mps").read_bytes() == OCV_PEIS_LOOP


def test_the_table_of_an_urban_profile_is_written_beside_the_protocol(tmp_path: Path) -> None:
    rows = (("0.0", "0.1"), ("10.0", "0.2"), ("25.0", "0.0"))
    raw = with_table(made([mb(["UP"], lim_nb="0")], header=["Safety Limits :", "\t|I| = 5.000 mA"]), *rows)
    (tmp_path / "drive.mps").write_bytes(raw)
    said = nakctl("import-mps", "drive.mps", cwd=tmp_path)
    assert said.code == 0 and "profile: drive_1_0.csv" in said.out and "with -o FILE its table" in said.err
    assert not (tmp_path / "drive_1_0.csv").exists()
    said = nakctl("import-mps", "drive.mps", "-o", "drive.yaml", cwd=tmp_path)
    assert (said.code, said.out.split(" (")[0]) == (0, "drive.yaml, drive_1_0.csv")
    assert "compare it with its plot" in said.err
    said = nakctl("plan", "drive.yaml", cwd=tmp_path)
    assert said.code == 0 and "profile drive_1_0.csv" in said.out
    said = nakctl("import-mps", "drive.mps", "-o", "again.yaml", cwd=tmp_path)
    assert said.code == 2 and "drive_1_0.csv exists already" in said.err
    assert not (tmp_path / "again.yaml").exists()


def test_what_eclab_cannot_say_is_told_by_line_and_nothing_is_written(tmp_path: Path) -> None:
    said = nakctl("export-mps", "ccd", cwd=tmp_path)
    assert said.code == 2
    assert "ccd.yaml:16:3  a short circuit" in said.err and "ccd.yaml:21:9  spectra during a step" in said.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "raw", "said"),
    [
        ("gone.mps", None, "there is no such file"),
        ("x.mps", b"BIO-LOGIC MODULAR FILE", "x.mps:1:1  this is a data file"),
        ("x.mps", made([("Dance", {})]), "x.mps:11:1  Dance is no technique"),
        ("x.mps", made([ocv("soon")]), "x.mps:12:21  tR (h:m:s): 'soon' is no time"),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, name: str, raw: bytes | None, said: str) -> None:
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    answer = nakctl("import-mps", name, cwd=tmp_path)
    assert answer.code == 2 and said in answer.err and not answer.out


def test_every_imported_file_passes_check(tmp_path: Path) -> None:
    """What the command writes, `check` takes, on the instrument that the file was made for."""
    for name, raw in REAL.items():
        (tmp_path / f"{name}.mps").write_bytes(raw)
        assert nakctl("import-mps", f"{name}.mps", "-o", f"{name}.yaml", cwd=tmp_path).code == 0
        on = "sim-vmp3" if name == "geis-gcpl6" else "sim-sp300"
        said = nakctl("check", f"{name}.yaml", "--on", on, cwd=tmp_path)
        assert said.code == 0 and "ok on" in said.out, said.err


def test_pybamm_and_unicycler(tmp_path: Path) -> None:
    (tmp_path / "formation.txt").write_text("Charge at C/10 until 4.2 V\nRest for 1 hour\n")
    said = nakctl("convert", "formation.txt", cwd=tmp_path)
    assert said.code == 2 and "formation.txt:1:1  C/10 is of the cell's capacity" in said.err
    options = ("--capacity", "2 mAh", "--longest", "24 h")
    said = nakctl("convert", "formation.txt", *options, "-o", "formation.yaml", cwd=tmp_path)
    assert said.code == 0, said.err
    assert "- strip: 200 uA" in (tmp_path / "formation.yaml").read_text()
    (tmp_path / "cycler.json").write_text(
        '{"record": {"time_s": 10}, "safety": {"min_voltage_V": 0, "max_voltage_V": 5},\n'
        ' "method": [{"step": "open_circuit_voltage", "until_time_s": 60}]}'
    )
    said = nakctl("convert", "cycler.json", cwd=tmp_path)
    assert said.code == 0 and "- rest: 1 min" in said.out
