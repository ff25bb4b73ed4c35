"""One catalogue of quantities: it knows each name that a file holds, and no other; the page of the docs is its."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
import results_experiments as experiments

import nakctl.results
from nakctl.record.read import open_run
from nakctl.results import catalogue
from nakctl.results.conclude import concluded, conclusions
from nakctl.results.summary import figures, told

DOCS = Path(__file__).parents[2] / "docs" / "results.md"
OF_HEADER = {one.name for heading, those in catalogue.sections() if heading == "The run" for one in those}


def test_the_page_of_the_docs_is_current(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        DOCS.write_text(catalogue.page(), encoding="utf-8", newline="\n")
    assert DOCS.read_text(encoding="utf-8") == catalogue.page()


def test_each_name_in_a_file_is_in_the_catalogue_and_back(kinds: dict[str, Path]) -> None:
    """Runs of all kinds: together they hold everything that the catalogue has of the time domain."""
    held = set()
    for name, path in kinds.items():
        found = conclusions(path)
        assert "trouble" not in open_run(path).header.results, name
        assert [each for each in found if catalogue.quantity(each) is None] == [], name
        assert told(figures(open_run(path)))
        held |= {known.name for each in found if (known := catalogue.quantity(each))}
    of_spectra = {
        one.name
        for heading, those in catalogue.sections()
        if heading in experiments.HELD_ELSEWHERE
        for one in those
    }
    assert held - of_spectra == catalogue.quantities().keys() - OF_HEADER - of_spectra


def test_the_end_of_a_name_and_its_units_say_the_same() -> None:
    ends = {
        "_mAh_cm2": "mA*h/cm^2", "_mA_cm2": "mA/cm^2", "_mA": "mA", "_ohm_cm2": "ohm*cm^2", "_cm2": "cm^2", "_V_s": "V/s",
        "_sqrt_s": "V s-0.5", "_mAh": "mA*h", "_Wh": "W*h", "_V": "V", "_s": "s", "_A": "A", "_ohm": "ohm",
        "_K": "K", "_S": "S", "_kJ_mol": "kJ/mol", "_from_Hz": "Hz", "_Hz": "s-1",
    }  # fmt: skip
    for one in catalogue.quantities().values():
        end = next((end for end in ends if one.name.endswith(end)), None)
        if end is not None and one.name != "end_value":
            assert one.units == ends[end], one.name
        assert (one.units != "") == (one.kind in ("number", "numbers")) or one.name == "end_value", one.name
        assert one.text, one.name


def test_rows_of_numbers_are_small_datasets_that_say_what_they_are(kinds: dict[str, Path]) -> None:
    with h5py.File(kinds["ccd"]) as file:
        levels = file["entry/results/strip_levels_mA_cm2"]
        assert levels[:] == pytest.approx([1.0, 2.0, 4.0, 8.0])
        assert levels.attrs["units"] == "mA/cm^2"
        assert levels.attrs["definition"] == "current of each level of stripping, as set"
        assert file["entry/results/samples"].attrs["definition"] == "rows of the main table"


@pytest.mark.parametrize("kind", ["ccd", "sensed", "scans", "battery"])
def test_show_reads_back_what_would_be_drawn_anew(kind: str, kinds: dict[str, Path]) -> None:
    run = open_run(kinds[kind])
    kept = concluded(run)
    assert kept is not None
    drawn = figures(run)
    assert repr({name: kept[name] for name in drawn}) == repr(drawn)  # also NaN, True and 3.0
    assert told(kept) == told(drawn)


def test_what_another_version_wrote_is_drawn_anew(
    kinds: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nakctl.results.conclude.version", lambda: "another")
    assert concluded(open_run(kinds["ccd"])) is None


def test_the_version_is_of_what_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = catalogue.version.__wrapped__()
    (tmp_path / "one.py").write_text("x = 1\n")
    monkeypatch.setattr(catalogue, "_data", lambda: tmp_path)
    there = catalogue.version.__wrapped__()
    (tmp_path / "one.py").write_text("x = 2\n")
    assert len({here, there, catalogue.version.__wrapped__()}) == 3


# --- the public names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", nakctl.results.__all__)
def test_each_public_name_says_what_it_is(name: str) -> None:
    thing = getattr(nakctl.results, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing):
        assert not (thing.__doc__ or "").startswith(f"{name}("), "the signature is no docstring"


def test_no_public_name_is_that_of_a_module() -> None:
    """Which would stand there instead, once it was imported."""
    modules = {module.name for module in pkgutil.iter_modules(nakctl.results.__path__)}
    assert not modules & set(nakctl.results.__all__)
    for module in sorted({nakctl.results._HOME[name] for name in nakctl.results.__all__}):
        importlib.import_module(f"nakctl.results.{module}")
    assert not any(inspect.ismodule(getattr(nakctl.results, name)) for name in nakctl.results.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'unheard_of'"):
        _ = nakctl.results.unheard_of


def test_the_door_loads_nothing_heavy() -> None:
    ask = (
        "import sys, nakctl.results; print([m for m in ('numpy', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip() == "[]"
    ask = "import sys; from nakctl.results import *; print([m for m in ('matplotlib',) if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True).stdout.strip() == "[]"


def test_units_are_told_as_people_write_them() -> None:
    known = catalogue.quantities()
    names = ("charge_mAh_cm2", "activation_energy_kJ_mol", "strip_levels_ohm_cm2", "duration_s", "samples")
    assert [known[name].unit for name in names] == ["mAh/cm2", "kJ/mol", "ohm cm2", "s", ""]
