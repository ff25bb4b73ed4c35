"""Formats of other packages: found by their entry point, as the page of the docs says it."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from command_line import nakctl_here
from samples import samples

from nakctl.exchange import formats
from nakctl.record.read import Run

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-an-export.md"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of the page, one that is broken, and one that would take a name of ours."""
    (code,) = (each for each in samples(PAGE) if each.file.endswith(".py"))
    (tmp_path / Path(code.file).name).write_text(code.text, "utf-8")
    (tmp_path / "broken_export.py").write_text("import no_such_module\n", "utf-8")
    offered = {"drttools": "nakctl_drttools:format", "broken": "broken_export:format"}
    offered |= {"csv": "nakctl_drttools:format", "other": "nakctl_drttools:format"}
    points = [EntryPoint(name, value, formats.GROUP) for name, value in offered.items()]
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(formats, "offered", lambda group: points)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_format_of_the_page_writes_what_it_says(
    installed: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    said = nakctl_here("export", run.path, "--as", "drttools", "-o", "all", capsys=capsys)
    assert (said.code, said.err) == (0, "")
    files = sorted((installed / "all").iterdir())
    assert [path.name for path in files] == [f"run_{n:04}.drt.txt" for n in run.spectra["spectrum"]]
    f_Hz, z_ohm = run.spectrum(1)
    assert np.loadtxt(files[0]) == pytest.approx(np.column_stack([f_Hz, z_ohm.real, z_ohm.imag]))
    said = nakctl_here("export", run.path, "--as", "drttools", "--step", "1", capsys=capsys)
    assert said.code == 2 and "has no spectra in step 1" in said.err


def test_others_are_listed_and_a_broken_one_breaks_no_other(
    installed: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = nakctl_here("export", "--as", "list", capsys=capsys).out
    assert "drttools     .drt.txt      spectra as three columns" in listed
    assert (
        "--as broken is of broken_export, which cannot be loaded: No module named 'no_such_module'" in listed
    )
    assert "--as other is of nakctl_drttools, and is no format of that name" in listed
    said = nakctl_here("export", run.path, "--as", "csv", "-o", "x.csv", capsys=capsys)
    assert said.code == 0 and "x_samples.csv" in said.out
    said = nakctl_here("export", run.path, "--as", "broken", capsys=capsys)
    assert said.code == 2 and "no_such_module" in said.err
