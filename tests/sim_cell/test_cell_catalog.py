"""Cells by name and from files: what is read, what is refused and where."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from nakctl.errors import CellError, Mark
from nakctl_sim.cell import catalog, kernel, nak
from nakctl_sim.cell.cell_file import NakFile, Parameters
from nakctl_sim.cell.models import load_model, names

MINE = """\
model: nak
cells:
  mine:
    working: NaK55
    composition_wt_percent_K: 55
"""


def given(start: str, end: str = ", status: F, source: me}") -> str:
    """MINE with one parameter, in line 7."""
    return f"{MINE}parameters:\n  {start}{end}\n"


@pytest.fixture
def write(tmp_path):
    def file(text: str) -> str:
        path = tmp_path / "my-cell.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return file


def test_the_built_in_cells():
    assert names() == (
        "NaK50", "NaK65", "NaK80", "K", "Na-symmetric", "dummy", "randles", "open-lead", "shorted-lead",
        "double-layer", "three-electrode-dummy", "full-cell", "three-electrode", "Li-symmetric", "blocking",
    )  # fmt: skip


def test_what_a_plan_and_a_file_need_to_know():
    cell = catalog.describe("NaK50")
    assert (cell.name, cell.area_cm2, cell.source) == ("NaK50", 0.4418, "built-in")
    assert (cell.working, cell.counter, cell.reference) == ("NaK50", "Na", "Na")
    assert cell.electrolyte == "NASICON 1.5 mm"
    assert cell.facts["parameters"]["K_m"] == 0.1065


@pytest.mark.parametrize("name", names())
def test_a_model_carries_the_cell_that_was_described(name):
    model = load_model(name)
    assert replace(model.cell, simulated_as=name) == catalog.describe(name)
    assert (model.name, model.area_cm2) == (name, model.cell.area_cm2)


def test_describing_a_cell_compiles_nothing():
    code = "import sys, nakctl_sim.cell.catalog as c; c.describe('NaK50'); sys.exit('nakctl_sim.kernel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_composition_differs_between_the_alloys():
    alloys = [catalog.read(name) for name in ("NaK50", "NaK65", "NaK80", "K")]
    assert all(alloy.parameters == alloys[0].parameters for alloy in alloys)
    assert len({alloy.composition_wt_percent_K for alloy in alloys}) == 4


def test_every_parameter_reaches_the_kernel_at_its_place():
    assert [getattr(nak, name.upper()) for name in nak.PARAMETERS] == list(range(len(nak.PARAMETERS)))
    given = catalog.read("NaK50").parameters
    assert set(given) == set(Parameters.model_fields)
    of_temperature = {"T", "T_ref", "E_s", "E_gb", "E_int"}  # what they come to is in the others
    assert set(given) - set(nak.PARAMETERS) == of_temperature
    model = load_model("NaK50")
    for name in set(given) - of_temperature:
        assert model.p[nak.PARAMETERS.index(name)] == given[name]


def test_every_parameter_says_where_it_comes_from():
    shipped = catalog.read_file(catalog.HERE / "nak.yaml")
    parameters = NakFile.model_validate(shipped.data).parameters
    for symbol in Parameters.model_fields:
        entry = getattr(parameters, symbol)
        assert entry.source, symbol
        assert entry.unit, symbol


def test_a_short_file_takes_the_rest_from_what_is_shipped(write):
    path = write(
        MINE + "    area: 50 mm2\nparameters:\n  j_c: {value: 3, unit: mA/cm2, status: F, source: mine}\n"
    )
    mine, shipped = catalog.read(path), catalog.read("NaK50")
    assert (mine.cell.name, mine.cell.area_cm2, mine.cell.source) == ("mine", 0.5, path)
    assert mine.parameters == shipped.parameters | {"j_c": 3.0}
    assert mine.NaK_volume_cm3 == shipped.NaK_volume_cm3


def test_the_nearest_words_win(write):
    path = write(MINE + "    NaK_volume: 10 uL\nbuild:\n  NaK_volume: 20 uL\n  area: 1 cm2\n")
    mine = catalog.read(path)
    assert (mine.NaK_volume_cm3, mine.cell.area_cm2) == (0.01, 1.0)


def test_a_copy_of_the_shipped_file_is_the_same_cell(write):
    path = write((catalog.HERE / "nak.yaml").read_text(encoding="utf-8"))
    assert load_model(f"{path}#NaK65").p.tolist() == load_model("NaK65").p.tolist()
    with pytest.raises(CellError, match="holds several cells: NaK50, NaK65"):
        catalog.describe(path)
    with pytest.raises(CellError, match="holds no cell NaK51"):
        catalog.describe(f"{path}#NaK51")


def test_a_copy_of_the_shipped_circuits_is_the_same_circuit(write):
    path = write((catalog.HERE / "circuits.yaml").read_text(encoding="utf-8"))
    assert load_model(f"{path}#randles").p.tolist() == load_model("randles").p.tolist()


def test_thickness_scales_the_electrolyte_and_contact_fraction_is_th_0(write):
    path = write(MINE + "    pellet_thickness: 0.75 mm\n    contact_fraction: 32 %\n")
    mine, shipped = load_model(path), load_model("NaK50")
    for index in (nak.R_S, nak.R_GB):
        assert mine.p[index] == shipped.p[index] / 2
    assert mine.p[nak.R_C] == shipped.p[nak.R_C]
    assert mine.p[nak.TH_0] == 0.32


def test_a_circuit_of_ones_own(write):
    text = (
        "model: circuit\ncells:\n  box: {area: 2 cm2, source: 1.5 V, series: 10 ohm, capacitor: 1 F,"
        " pairs: [{R: 5 ohm, C: 0.2 mF}]}\n"
    )
    box = load_model(write(text))
    x = box.state()
    assert kernel.voltage(box.kind, box.p, x, 0.0) == 1.5
    # 1.5 V + 0.1 A (10 + 5 ohm) + 0.1 A 2 s/1 F
    assert kernel.advance(box.kind, box.p, x, 0.1, 2.0) == pytest.approx(3.2)
    assert box.impedance(x, np.array([1e7]))[0].real == pytest.approx(10.0)


def test_specimens_are_scattered_by_seed_and_only_if_asked():
    assert load_model("NaK50").p.tolist() == load_model("NaK50").p.tolist()
    one, same, other = (load_model("NaK50", seed) for seed in (1, 1, 2))
    assert one.p.tolist() == same.p.tolist() != other.p.tolist()
    changed = [
        name for name, a, b in zip(nak.PARAMETERS, one.p, load_model("NaK50").p, strict=True) if a != b
    ]
    assert sorted(changed) == ["K_m", "R_c", "th_0"]
    assert one.cell.facts["scatter_seed"] == 1
    assert one.cell.facts["parameters"]["K_m"] == one.p[nak.K_M]


def test_a_file_can_ask_for_a_specimen(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "model: nak\ncells:\n  A: {working: NaK50, composition_wt_percent_K: 50, scatter: {seed: 7}}\n"
    path.write_text(text)
    found = load_model(str(path))
    assert (found.p == load_model("NaK50", 7).p).all()
    assert (load_model(str(path), 8).p == load_model("NaK50", 8).p).all()
    assert found.cell.facts["scatter_seed"] == 7
    path.write_text(text.replace("7", "x"))
    with pytest.raises(CellError, match=r"mine\.yaml:3"):
        load_model(str(path))


def test_scatter_is_five_percent():
    factors = np.array([load_model("NaK50", seed).p[nak.K_M] for seed in range(400)]) / 0.1065
    assert np.log(factors).std() == pytest.approx(0.05, rel=0.15)
    assert np.log(factors).mean() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("text", "mark", "said"),
    [
        (MINE.replace("55\n", "155\n"), (5, 31), "99.99"),
        (MINE + "    aera: 1 cm2\n", (6, 5), "did you mean area?"),
        (MINE + "    area: 0.5 mm\n", (6, 11), "0.5 mm is a length"),
        (MINE + "    area: $size\n", (6, 11), "write the value"),
        (MINE + "    contact_fraction: 150 %\n", (6, 23), "at most 100 %"),
        (given("K_m: {value: 1, unit: mA/cm2"), (7, 8), "per mol/L"),
        (given("n_gb: {value: 1.2, unit: '1'"), (7, 9), "at most 1"),
        (given("R_c: {value: -1, unit: ohm cm2"), (7, 8), "at least 0"),
        (given("T_D: {value: 0, unit: s"), (7, 8), "above 0"),
        (given("T_D: {value: .inf, unit: s"), (7, 16), ""),
        (given("T_D: {value: high, unit: s"), (7, 16), "number"),
        (given("b_p: {value: 0.5, unit: '1'"), (7, 8), "at least 1"),
        (given("T_D: {value: 1, unit: s", ", status: X, source: me}"), (7, 36), "P or L or F or A"),
        (given("T_D: {value: 1, unit: s", ", status: F}"), (7, 8), "source"),
        (given("K_x: {value: 1, unit: s"), (7, 3), "did you mean K_m?"),
        ("model: nak\ncells: {}\n", (2, 8), "at least 1"),
        ("model: circuit\ncells:\n  a: {area: 1 cm2, series: 5}\n", (3, 28), "5 has no unit"),
        ("model: circuit\ncells:\n  a: {area: 1 cm2, pairs: [{R: 1 ohm, C: 1 V}]}\n", (3, 42), "capacitance"),
        (
            "model: cirquit\ncells:\n  a: {working: x}\n",
            (1, 8),
            "there is no model cirquit; did you mean circuit?",
        ),
        ("cells:\n  a: {area: 1 cm2\n", None, "closed"),
    ],
)
def test_faults_are_found_at_their_place(write, text, mark, said):
    path = write(text)
    with pytest.raises(CellError) as caught:
        catalog.describe(path)
    fault = caught.value.faults[0]
    assert fault.file == path
    assert mark is None or fault.mark == Mark(*mark)
    assert said in str(fault)


def test_all_faults_are_told_at_once(write):
    text = MINE.replace("55\n", "155\n") + "    area: 1 s\nbuild:\n  counter: 5\n"
    with pytest.raises(CellError) as caught:
        catalog.describe(write(text))
    assert [fault.mark.line for fault in caught.value.faults] == [5, 6, 8]


def test_parameters_that_contradict_each_other_are_refused(write):
    path = write(given("c_K: {value: 30, unit: mol/L"))
    with pytest.raises(CellError, match="c_K must be below c_Na"):
        catalog.describe(path)


@pytest.mark.parametrize("name", ["nak50", "", "NaK50.yml", "no/such/file.yaml", "#NaK50"])
def test_what_is_not_there_is_said_to_be_missing(name):
    with pytest.raises(CellError, match="there is no"):
        catalog.describe(name)
