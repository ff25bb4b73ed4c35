"""A circuit in words is what impedance.py takes it for; a fit finds exact values, and says which it cannot know."""

from __future__ import annotations

import numpy as np
import pytest
from circuits_exact import COARSE_Hz, PAPER_Hz, arc, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from nakctl.errors import InputError, NotInstalled
from nakctl.results.circuit_fit import fit_circuit
from nakctl.results.circuits import elements, impedance, parsed

f_Hz = COARSE_Hz
CIRCUITS: dict[str, dict[str, float]] = {
    "R0-p(R1,CPE1)-p(R2,CPE2)": {
        "R0": 20,
        "R1": 100,
        "CPE1_Q": 1e-6,
        "CPE1_alpha": 0.9,
        "R2": 150,
        "CPE2_Q": 1e-3,
        "CPE2_alpha": 0.85,
    },
    "R0-p(R1,C1)": {"R0": 20, "R1": 100, "C1": 1e-6},
    "p(R1,C1)": {"R1": 20, "C1": 1e-6},
    "R0-C1": {"R0": 20, "C1": 1e-6},
    "L0-R0-p(R1,C1)": {"L0": 1e-6, "R0": 20, "R1": 100, "C1": 1e-6},
    "R0-p(R1,C1)-W1": {"R0": 20, "R1": 100, "C1": 1e-6, "W1": 20},
    "R0-p(R1-W1,CPE1)": {"R0": 20, "R1": 100, "W1": 30, "CPE1_Q": 1e-5, "CPE1_alpha": 0.9},
    "R0-p(R1,CPE1)-CPE2": {
        "R0": 20,
        "R1": 100,
        "CPE1_Q": 1e-6,
        "CPE1_alpha": 0.9,
        "CPE2_Q": 1e-3,
        "CPE2_alpha": 0.8,
    },
}


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_exact_values_are_found_without_a_start(circuit: str) -> None:
    known = CIRCUITS[circuit]
    found = fit_circuit(f_Hz, impedance(parsed(circuit), known, f_Hz), circuit)
    assert {value.name: value.value for value in found.values} == pytest.approx(known, rel=1e-5)
    assert found.determined
    assert found.reduced < 1e-12


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_with_noise_they_are_within_their_errors(circuit: str) -> None:
    known = CIRCUITS[circuit]
    z = impedance(parsed(circuit), known, f_Hz) * noise(2e-3, len(f_Hz), 1)
    found = fit_circuit(f_Hz, z, circuit)
    assert all(abs(found[name].value - value) < 3.5 * found[name].error for name, value in known.items())
    assert found.determined
    assert found.reduced == pytest.approx(2e-3**2, rel=0.35)


def test_standard_errors_are_the_scatter_of_many_fits() -> None:
    circuit = "R0-p(R1,CPE1)"
    known = {"R0": 20.0, "R1": 100.0, "CPE1_Q": 1e-6, "CPE1_alpha": 0.9}
    exact = impedance(parsed(circuit), known, f_Hz)
    fits = [fit_circuit(f_Hz, exact * noise(5e-3, len(f_Hz), seed), circuit, known) for seed in range(40)]
    for name in (*known, "tau_R1_CPE1", "C_R1_CPE1"):
        scatter = np.std([fit[name].value for fit in fits], ddof=1)
        assert np.mean([fit[name].error for fit in fits]) == pytest.approx(scatter, rel=0.35), name


def test_time_constant_and_effective_capacitance() -> None:
    found = fit_circuit(f_Hz, 20 + arc(f_Hz, 100, 1e-4, 0.8), "R0-p(R1,CPE1)", unit="ohm cm2")
    assert found["tau_R1_CPE1"].value == pytest.approx(1e-4, rel=1e-4)
    assert found["C_R1_CPE1"].value == pytest.approx(1e-6, rel=1e-4)
    assert [found[name].unit for name in ("R1", "CPE1_Q", "CPE1_alpha", "tau_R1_CPE1", "C_R1_CPE1")] == [
        "ohm cm2", "s^alpha/(ohm cm2)", "", "s", "F/cm2",
    ]  # fmt: skip


UNHELD = {
    "two resistances that nothing tells apart": ("R0-R9-p(R1,C1)", {"R0", "R9"}),
    "one arc taken for two": ("R0-p(R1,C1)-p(R2,C2)", {"R1", "C1", "R2", "C2"}),
    "a coil below what shows": ("L0-R0-p(R1,C1)", {"L0"}),
}


@pytest.mark.parametrize("name", UNHELD)
def test_what_the_data_do_not_hold_is_not_determined(name: str) -> None:
    circuit, unheld = UNHELD[name]
    f = np.geomspace(1e4, 1.0, 41)
    found = fit_circuit(f, (20 + arc(f, 100, 1e-3)) * noise(1e-3, len(f)), circuit)
    assert not found.determined
    assert {value.name for value in found.values if not value.determined} == unheld
    assert sum(value.value for value in found.values if value.name.startswith("R")) == pytest.approx(
        120, rel=0.01
    )


@pytest.mark.parametrize("z", [np.full(43, np.nan + 0j), np.zeros(43, np.complex128)])
def test_no_numbers_determine_nothing(z: np.ndarray) -> None:
    found = fit_circuit(f_Hz, z)
    assert not found.determined
    assert np.isnan([value.value for value in found.values]).all()
    assert found.z.shape == f_Hz.shape


@pytest.mark.parametrize("count", range(5))
def test_too_few_points_determine_nothing(count: int) -> None:
    few = np.geomspace(1e5, 10, count)
    assert not fit_circuit(few, 20 + arc(few, 100, 1e-4)).determined


UNREAD = {
    "": "at its end, expected R, C, L, CPE, W or p(",
    "R0-": "at its end, expected R, C, L, CPE, W or p(",
    "R0-X1": "at 'X1', expected R",
    "R0 p(R1,C1)": "at 'p(R1,C1)', expected - or the end",
    "p(R1,C1": "at its end, expected - , or )",
    "p(R1)": "needs two parts or more",
    "R1-R1": "two R1; number them",
    "R0-__import__(1)": "at '__import__",
    "R0;C1": "at ';C1'",
    "p(" * 150: "expected R",
    "R0-" * 150 + "R0": "longer than 400 characters",
    "-".join(f"R{k}" for k in range(21)): "more than 20 elements",
    "CPE0_Q": "at 'CPE0_Q'",
}


@pytest.mark.parametrize("text", UNREAD)
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert UNREAD[text] in str(caught.value)


@pytest.mark.parametrize(
    ("start", "said"),
    [({"R7": 1.0}, "has no 'R7'; its values are R0, R1, C1"), ({"R0": -1.0}, "R0 is -1.0, expected a number above 0"),
     ({"R0": np.nan}, "expected a number above 0")],
)  # fmt: skip
def test_a_start_that_cannot_be_is_said(start: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit_circuit(f_Hz, 20 + arc(f_Hz, 100, 1e-4), "R0-p(R1,C1)", start)


def test_without_scipy_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nakctl.errors.find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r'needs scipy, not installed here: pip install "nakctl\[fit\]"'):
        fit_circuit(f_Hz, 20 + arc(f_Hz, 100, 1e-4))


def test_an_exponent_beyond_what_it_can_be_is_said() -> None:
    with pytest.raises(InputError, match=r"CPE1_alpha is 1.2, expected 0.3 to 1"):
        fit_circuit(f_Hz, 20 + arc(f_Hz, 100, 1e-4), "R0-p(R1,CPE1)", {"CPE1_alpha": 1.2})


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_impedances_are_those_of_impedance_py(circuit: str) -> None:
    from impedance.models.circuits import CustomCircuit

    known = CIRCUITS[circuit]
    with pytest.warns(UserWarning, match="initial parameters"):
        theirs = CustomCircuit(circuit, initial_guess=list(known.values())).predict(
            PAPER_Hz, use_initial=True
        )
    assert impedance(parsed(circuit), known, PAPER_Hz) == pytest.approx(theirs, rel=1e-9)


@settings(max_examples=8)
@given(st.floats(0.01, 100.0))
def test_twice_the_impedance_is_twice_each_resistance(scale: float) -> None:
    z = (20 + arc(f_Hz, 100, 1e-4, 0.9)) * noise(1e-3, len(f_Hz))
    one, other = fit_circuit(f_Hz, z, "R0-p(R1,CPE1)"), fit_circuit(f_Hz, scale * z, "R0-p(R1,CPE1)")
    assert other["R1"].value == pytest.approx(scale * one["R1"].value, rel=1e-4)
    assert other["CPE1_Q"].value == pytest.approx(one["CPE1_Q"].value / scale, rel=1e-4)
    assert other["CPE1_alpha"].error == pytest.approx(one["CPE1_alpha"].error, rel=1e-3)


def test_names_come_from_left_to_right() -> None:
    assert [one.name for one in elements(parsed(" R0 - p( R1 - W1 , CPE1 ) "))] == ["R0", "R1", "W1", "CPE1"]
