"""The pages for users are current, and what they say to type does something."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import door_runs
import h5py
import layout_page
import pytest
import python_page
import results_runs as runs

import nakctl

pytest.importorskip("xarray")
DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"layout.md": layout_page.page, "python.md": python_page.page}
OCTAVE = shutil.which("octave-cli") or ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """run.h5, and two of other days."""
    folder = tmp_path_factory.mktemp("pages")
    door_runs.everything(folder / "run.h5")
    for day, name in ((2, "monday"), (3, "tuesday")):
        runs.written(folder / f"{name}.h5", [runs.rest(2)], start_time=f"2026-03-0{day}T08:00:00+01:00")
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        (DOCS / name).write_text(PAGES[name](), "utf-8", newline="\n")
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), "pytest --update-golden tests/door writes it"


@pytest.mark.parametrize("name", PAGES)
def test_its_samples_in_python_run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    samples = list(layout_page.code(PAGES[name](), "python"))
    assert samples
    here: dict[str, object] = {}
    for sample in samples:
        exec(sample, here)
    if name == "layout.md":
        run = nakctl.open("run.h5")
        assert here["z_ohm"] == pytest.approx(run.spectra[1].z_ohm)
        assert here["late"] == pytest.approx(run[10.0:20.1].samples.Ewe)


def test_every_name_of_the_layout_is_on_its_page(folder: Path) -> None:
    page = layout_page.page()
    missing = []

    def look(path: str, item: h5py.HLObject) -> None:
        parent, _, name = path.rpartition("/")
        table = parent.replace("pressure", "NAME").replace("aux/I", "aux/NAME")
        if isinstance(item, h5py.Group):
            known = any(f"/entry/{each}" in page for each in (path, table, parent)) or parent.startswith(
                "raw"
            )
        else:
            known = f"`{name}`" in page or parent in ("results", "environment") or "potentiostat" in parent
        if not known and not parent.startswith("raw/"):
            missing.append(path)

    with h5py.File(folder / "run.h5") as file:
        file["entry"].visititems(look)
        missing += [name for name in file.attrs if not name.endswith("ersion") and f"`{name}`" not in page]
    assert [name for name in missing if name != "NX_class"] == []


def test_every_public_name_is_on_its_page(folder: Path) -> None:
    page = python_page.page()
    run = nakctl.open(folder / "run.h5")
    offered = [
        run,
        run.header,
        run.steps[1],
        run.cycles,
        run.cycles[1],
        run[1.0:2.0],
        run.spectra[1],
        run.aux["pressure"],
    ]
    names = {
        name for each in offered for name in (*getattr(each, "__dict__", ()), *getattr(each, "__slots__", ()))
    }
    names |= {name for parts in python_page.CLASSES for part in parts for name in python_page.public(part)}
    names |= set(nakctl.__all__)
    assert sorted(name for name in names if name[0] != "_" and not re.search(rf"\b{name}\b", page)) == []


@pytest.mark.skipif(not OCTAVE, reason="Octave is not installed")
def test_the_sample_in_octave_runs(folder: Path) -> None:
    (sample,) = layout_page.code(layout_page.page(), "octave")
    ask = "printf('%.9g ', numel(Ewe_V), Ewe_V(6), area_cm2, f_Hz(1), real(first_z_ohm(2)), imag(first_z_ohm(2)));"
    script = f"try; {sample.splitlines()[0]}; catch; exit(9); end\n{sample}{ask}"
    done = subprocess.run(
        [OCTAVE, "--no-gui", "--norc", "--eval", script], cwd=folder, capture_output=True, text=True
    )
    if done.returncode == 9:
        pytest.skip("Octave is here without its package netcdf")
    run = nakctl.open(folder / "run.h5")
    z_ohm = run.spectra[1].z_ohm[1]
    expected = [20, run.samples.Ewe[5], 0.5, 1e5, z_ohm.real, z_ohm.imag]
    assert [float(each) for each in done.stdout.split()] == pytest.approx(expected), done.stderr


def test_the_notebook_runs(tmp_path: Path) -> None:
    """Its cells one after the other, in a program of its own: a kernel would take four times as long."""
    notebook = json.loads((DOCS / "example.ipynb").read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] for cell in cells)
    program = "\n\n".join("".join(cell["source"]) for cell in cells)
    door_runs.everything(tmp_path / "run.h5")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, env={"MPLBACKEND": "agg", "PATH": "", "MPLCONFIGDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
