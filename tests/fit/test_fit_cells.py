"""`nakctl sim fit` on runs of cells that are known: found within what is told, and the rest is said."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from command_line import Said
from fit_runs import FAR, NEAR, POOR, Nak

from nakctl_sim.cell import catalog

Here = Callable[..., Said]
WITHIN = 0.10
# What a staircase with rests has to tell, whatever cell it is of.
OF_STAIRS = {"R_s", "R_gb", "tau_gb", "n_gb", "tau_int", "n_int", "K_m", "T_D"}


def by_symbol(report: Any, *grades: str) -> dict[str, dict[str, Any]]:
    return {one["symbol"]: one for one in report["parameters"] if one["certain"] in grades}


def combined(name: str, true: Mapping[str, float]) -> float:
    """`R_c + 1.45 R_ct`; or the threshold, with the margin of 65 wt% K: section 5 of the model."""
    if name == "K_m sig_m M":
        return true["K_m"] * true["sig_m"] * 1.56
    terms = (term.rpartition(" ") for term in name.split(" + "))
    return sum(float(factor or 1) * true[symbol] for factor, _, symbol in terms)


def truth(cell: Nak) -> dict[str, float]:
    return catalog.read("NaK50").parameters | dict(cell.values)  # type: ignore[union-attr]


@pytest.mark.parametrize("cell", [FAR, POOR], ids=lambda cell: cell.name)
def test_a_cell_is_found_again_from_a_spectrum_and_a_staircase(
    cell: Nak, runs: Mapping[str, Path], here: Here
) -> None:
    said = here("sim", "fit", runs[cell.name], "-o", "mine.yaml", "--json")
    assert said.code == 0, said.err
    report, true = said.json, truth(cell)
    found, rough = by_symbol(report, "found"), by_symbol(report, "roughly")
    together = by_symbol(report, "together")
    off = {name: one["value"] / true[name] - 1 for name, one in found.items()}
    off |= {one["name"]: one["value"] / combined(one["name"], true) - 1 for one in report["combinations"]}
    assert {name: round(by, 3) for name, by in off.items() if abs(by) > WITHIN} == {}
    assert OF_STAIRS - found.keys() - rough.keys() - together.keys() == set()
    for name, one in (found | rough).items():  # four standard errors
        assert abs(one["value"] - true[name]) < 2 * one["error"], name

    unknown = by_symbol(report, "no")
    assert {"tau_p", "m_0", "tau_a", "E_gb"} <= unknown.keys()
    assert all(one["why_not"] and one["value"] == one["shipped"] for one in unknown.values())
    assert "hours of rest" in unknown["tau_p"]["why_not"]

    described = catalog.read("mine.yaml")
    assert isinstance(described, catalog.NakDescription)
    assert described.composition_wt_percent_K == cell.percent_K
    assert described.cell.area_cm2 == pytest.approx(cell.area_cm2)
    assert described.pellet_thickness_cm == pytest.approx(cell.thickness_mm / 10)
    for one in report["parameters"]:
        assert described.parameters[one["symbol"]] == pytest.approx(one["value"], rel=1e-4)
    checked = here("check", "ccd", "--cell", "mine.yaml")
    assert checked.code == 0, checked
    assert f"cell {cell.name}" in checked.out


def test_a_spectrum_alone_tells_sums_and_says_what_it_does_not_tell(
    runs: Mapping[str, Path], here: Here
) -> None:
    report = here("sim", "fit", runs["spectrum"], "-o", "mine.yaml", "--json").json
    found, true = by_symbol(report, "found"), truth(NEAR)
    for name in ("R_s", "R_gb", "tau_gb"):
        assert found[name]["value"] == pytest.approx(true[name], rel=WITHIN)
        assert found[name]["from"] == "spectrum.h5: spectrum 1 at rest"
    [interface] = report["combinations"]
    assert interface["name"] == "R_c + R_ct"
    assert interface["value"] == pytest.approx(true["R_c"] + true["R_ct"], abs=2 * interface["error"])
    shares = by_symbol(report, "together")
    assert shares["R_c"]["value"] / shares["R_ct"]["value"] == pytest.approx(100 / 50)  # as shipped
    unknown = by_symbol(report, "no")
    needs = {"K_m": "strip currents", "T_D": "a rest after", "kap": "stripping", "m_0": "plating"}
    assert all(text in unknown[name]["why_not"] for name, text in needs.items())
    assert report["not_looked_for"]["th_0, j_c, tau_f, R_short"]


def test_a_circuit_has_as_many_pairs_as_there_are_arcs(runs: Mapping[str, Path], here: Here) -> None:
    report = here("sim", "fit", runs["box"], "-o", "mine.yaml", "--json").json
    assert report["model"] == "circuit"
    found = {name: one["value"] for name, one in by_symbol(report, "found").items()}
    expected = {"series": 31, "R1": 260, "C1": 40e-9, "n1": 0.9, "R2": 700, "C2": 30e-6, "n2": 1.0}
    assert found == pytest.approx(expected, rel=0.05)
    assert report["read"]["source"] == pytest.approx(0.4, abs=1e-3)
    [run] = report["runs"]
    assert run["spectra_at_rest"] == [1] and run["readings_of_Ewe_under_current"] > 10
    described = catalog.read("mine.yaml")
    assert isinstance(described, catalog.CircuitDescription)
    assert [pair.R.value for pair in described.circuit.pairs] == pytest.approx([260, 700], rel=0.05)
    assert described.circuit.source is not None
    assert described.circuit.source.value == pytest.approx(0.4, abs=1e-3)


def test_what_people_read_and_words_that_stand_in_for_what_files_do_not_say(
    runs: Mapping[str, Path], here: Here
) -> None:
    options = ("--name", "No 7", "--thickness", "3 mm", "--composition", "56", "--area", "0.8836cm2")
    said = here("sim", "fit", runs["spectrum"], "-o", "my cell.yaml", *options)
    lines, true = said.out.splitlines(), truth(NEAR)
    assert lines[0] == "SIMULATED cell No 7, 0.8836 cm2, model nak"
    assert lines[1].startswith("from spectrum.h5: spectrum 1 at rest; ")
    assert any(line.split()[:4] == ["R_s", "ohm", "cm2", "50"] for line in lines)
    assert "not determined, left as it was:" in lines
    assert not any("not quite" in line or "usual" in line for line in lines)
    assert lines[-1].startswith("my cell.yaml: nakctl run pristine-eis --cell ")
    text = Path("my cell.yaml").read_text(encoding="utf-8")
    assert text.startswith("# No 7, fitted to SIMULATED runs by nakctl ")
    typed = text.splitlines()[1].removeprefix("#   ")
    assert shlex.split(typed) == [
        "nakctl", "sim", "fit", "spectrum.h5", "--name", "No 7", "--area", "0.8836cm2", "--composition", "56",
        "--thickness", "3 mm",
    ]  # fmt: skip
    assert 'status: F, source: "spectrum.h5: spectrum 1 at rest; +- ' in text
    assert "#   tau_p: nothing here depends on it; it takes spectra through hours of rest" in text

    described = catalog.read("my cell.yaml")
    assert isinstance(described, catalog.NakDescription)
    assert described.parameters["R_s"] == pytest.approx(
        true["R_s"], rel=0.03
    )  # twice the area, half per length
    assert (described.cell.name, described.composition_wt_percent_K) == ("No 7", 56)
    assert described.pellet_thickness_cm == pytest.approx(0.3)

    again = here("sim", "fit", runs["spectrum"], "-o", "my cell.yaml")
    assert (again.code, again.err.strip()) == (2, "my cell.yaml exists already; --overwrite replaces it")
    assert Path("my cell.yaml").read_text(encoding="utf-8") == text
