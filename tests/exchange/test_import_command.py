"""`nakctl import` as a person types it, and what the file that it makes is good for."""

from __future__ import annotations

from pathlib import Path

import exchange_runs
import numpy as np
import pytest
import recorded_files as files
from command_line import nakctl, nakctl_here
from exchange_runs import source

import nakctl as package
from nakctl.errors import NakctlError, RecordError
from nakctl.exchange import eclab, to_mpt
from nakctl.record import imported
from nakctl.record.read import Run, open_run
from nakctl.results.current import current_steps

REAL = Path(__file__).parent / "data" / "biologic-peis.mpt"  # of impedance.py, MIT: see beside it


def brought_in(path: Path, *recordings: Path) -> Path:
    made = eclab.made_of([eclab.read(each) for each in recordings], path.stem, 0.5, "mine")
    imported.write(path, made.header, made.tables, made.events, eclab.STATUS, eclab.END_REASON)
    return path


def test_a_chain_becomes_a_run(tmp_path: Path) -> None:
    (tmp_path / "cell_01_CP_C01.mpr").write_bytes(files.mpr("CP", files.CP))
    (tmp_path / "cell_02_GEIS_C01.mpt").write_bytes(files.mpt("GEIS", files.GEIS))
    asked = ("import", "cell_02_GEIS_C01.mpt", "cell_01_CP_C01.mpr", "--area", "0.25cm2", "--cell", "mine")
    said = nakctl(*asked, cwd=tmp_path)
    assert (said.code, said.out, said.err) == (0, "cell.h5: 13 samples, 3 spectra, 3 steps\n", "")
    assert sorted(each.suffix for each in tmp_path.iterdir()) == [".h5", ".mpr", ".mpt"]
    again = nakctl(*asked, cwd=tmp_path)
    assert again.code == 2 and "cell.h5 exists already; nothing is overwritten" in again.err
    shown = nakctl("show", "cell.h5", "--json", cwd=tmp_path).json
    assert (shown["status"], shown["cell"], shown["area_cm2"]) == ("imported", "mine", 0.25)
    assert shown["simulated"] == 0 and shown["spectra"] == 3 and "short_at_s" not in shown
    assert nakctl("plot", "cell.h5", cwd=tmp_path).code == 0
    assert nakctl("export", "cell.h5", "--as", "bdf", cwd=tmp_path).code == 0
    head = (tmp_path / "cell.bdf.csv").read_text("utf-8").splitlines()[0]
    assert "Unix Time" not in head  # EC-Lab notes no time zone
    booked = nakctl("recover", "--again", "cell.h5", cwd=tmp_path)
    assert "it was imported, and holds no more than its tables" in booked.out + booked.err


def test_it_is_checked_as_any_sealed_file(tmp_path: Path) -> None:
    (tmp_path / "a.mpt").write_bytes(files.mpt("GEIS", files.GEIS))
    path = brought_in(tmp_path / "a.h5", tmp_path / "a.mpt")
    with package.open(path) as run:
        assert run.header.sealed and run.header.status == "imported" and run.header.end.kind == ""
        assert run.events["code"].tolist() == ["imported"] and len(current_steps(run)) == 1
        assert current_steps(run).I_A[0] == pytest.approx(3.8e-4)
        whole = path.read_bytes()
    for place in np.linspace(0, len(whole) - 1, 15, dtype=int).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            with open_run(path) as run:
                found = [run.samples[name] for name in run.samples.names], run.header.title, run.spectrum(1)
        except NakctlError:
            continue
        assert len(found[0][0]) == 9 and found[1] == "a"  # the byte was of no consequence
    path.write_bytes(whole[:-1000])
    with pytest.raises(RecordError, match="cut off"):
        open_run(path)


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.mpt").write_bytes(files.mpt("OCV", files.OCV))
    made = eclab.made_of([eclab.read(tmp_path / "a.mpt")], "a", None, "")
    wrong = {"samples": made.tables["samples"][["time", "Ewe"]]}
    with pytest.raises((ValueError, TypeError, KeyError)):
        imported.write(tmp_path / "a.h5", made.header, wrong, made.events, "imported", "")
    assert [each.name for each in tmp_path.iterdir()] == ["a.mpt"]


def test_our_own_text_comes_back(run: Run, tmp_path: Path) -> None:
    """The whole run, and its spectra; SIMULATED stays written on it."""
    for end, write in to_mpt.parts(source(run)).items():
        write(tmp_path / f"run{end}")
    with open_run(brought_in(tmp_path / "back.h5", tmp_path / "run.mpt")) as back:
        for name in ("time", "Ewe", "I", "step_id", "cycle", "control"):
            assert np.array_equal(back.samples[name], run.samples[name], equal_nan=True), name
        assert np.allclose(back.samples["Q"], run.samples["Q"], rtol=1e-15)
        assert back.steps["technique"].tolist() == ["OCV", "CP", "CP", "CP"]  # Modulo Bat has modes alone
        assert back.header.simulated and back.header.title == "SIMULATED back"
        assert back.header.area_cm2 == run.header.area_cm2
    with open_run(brought_in(tmp_path / "spectra.h5", tmp_path / "run_03_GEIS.mpt")) as back:
        assert len(back.spectra) == 2
        for number in (1, 2):
            for ours, theirs in zip(run.spectrum(number), back.spectrum(number), strict=True):
                assert np.array_equal(ours, theirs)
        assert np.array_equal(back.impedance["I_dc"], run.impedance["I_dc"])


def test_three_electrodes(tmp_path: Path) -> None:
    half = {"<Ece>/V": [-0.1] * 9, "Re(Zce)/Ohm": [0, *[5.0] * 8], "-Im(Zce)/Ohm": [0, *[2.0] * 8]}
    (tmp_path / "a.mpt").write_bytes(files.mpt("GEIS", files.GEIS | half))
    (tmp_path / "b.mpt").write_bytes(files.mpt("OCV", files.OCV))
    with open_run(brought_in(tmp_path / "a.h5", tmp_path / "a.mpt", tmp_path / "b.mpt")) as run:
        assert run.has_third_electrode and run.has_half_cells
        assert np.isnan(run.samples["Ece"][:3]).all() and (run.samples["Ece"][3:] == np.float32(-0.1)).all()
        assert run.impedance["Zce_im"].tolist() == [-2.0] * 8
    assert exchange_runs.source(run).run is run


def test_a_real_file(tmp_path: Path) -> None:
    """An SP-150 with EC-Lab 11.18; what impedance.py reads of it is what we read."""
    with open_run(brought_in(tmp_path / "a.h5", REAL)) as run:
        f_Hz, z_ohm = run.spectrum(1)
        assert run.header.start_time == "2018-02-04T10:02:46.000" and len(f_Hz) == 43
        assert run.header.instrument["model"] == "SP-150 (SN 10791079)"
        assert run.steps["technique"].tolist() == ["PEIS"] and run.spectra["complete"].tolist() == [1]
    preprocessing = pytest.importorskip("impedance.preprocessing")
    theirs_Hz, theirs_ohm = preprocessing.readBioLogic(str(REAL))
    assert np.array_equal(f_Hz, theirs_Hz) and np.array_equal(z_ohm, theirs_ohm)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["a.mps"], "nakctl import-mps makes a protocol of it"),
        (["a.h5"], "nakctl import reads what EC-Lab recorded, .mpr and .mpt (OCV, CP,"),
        (["none.mpt"], "none.mpt: there is no such file"),
        (["a.mpt", "-o", "x.csv"], "the name of a result file ends in .h5"),
        (["a.mpt", "-o", "no/x.h5"], "there is no folder no"),
        (["a.mpt", "--area", "3 V"], "--area 3 V: "),
        (["a.mpt", "b.mpt"], "a.mpt and b.mpt were recorded at the same time"),
    ],
)
def test_errors_help(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    args: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.mpt", "b.mpt"):
        (tmp_path / name).write_bytes(files.mpt("OCV", files.OCV | {"time/s": [0, 5, 10]}))
    (tmp_path / "b.mpt").write_bytes(files.mpt("OCV", files.OCV | {"time/s": [1, 5, 11]}))
    said = nakctl_here("import", *args, capsys=capsys)
    assert said.code == 2 and told in said.err and "Traceback" not in said.err
    assert not list(tmp_path.glob("*.h5"))


def test_the_content_tells_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mpr").write_bytes(files.mpt("OCV", files.OCV))
    (tmp_path / "b.mpt").write_bytes(files.mpr("OCV", files.OCV))
    for name in ("a.mpr", "b.mpt"):
        said = nakctl_here("import", name, capsys=capsys)
        assert said.code == 0 and "3 samples" in said.out
    (tmp_path / "c.mpt").touch()
    said = nakctl_here("import", "c.mpt", capsys=capsys)
    assert said.code == 2 and "c.mpt is empty" in said.err


def test_settings_and_data_are_told_apart(tmp_path: Path) -> None:
    for command, other in (("import", "import-mps"), ("export", "export-mps")):
        said = nakctl(command, "--help", cwd=tmp_path)
        assert "data, not settings" in " ".join(said.out.split())
        assert said.code == 0 and f"nakctl {other}" in said.out
    (tmp_path / "a.mpr").write_bytes(files.mpr("OCV", files.OCV))
    said = nakctl("import-mps", "a.mpr", cwd=tmp_path)
    assert said.code == 2 and "a.mpr holds data of EC-Lab: nakctl import makes a result file" in said.err
