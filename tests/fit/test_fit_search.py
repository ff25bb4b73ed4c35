"""What is known, what goes together and what is not seen, on a model that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from nakctl.device.fitting import Answer, Course, Symbol, Together, Values, Written
from nakctl.fit import told
from nakctl.fit.findings import Fit
from nakctl.fit.fit import best
from nakctl.fit.history import History, Part
from nakctl.fit.settling import settled

N = 400


def symbol(name: str, spread: float = 1.0) -> Symbol:
    return Symbol(name, "ohm", 10.0, 1e-9, 1e9, spread, f"something for {name}")


@dataclass(frozen=True)
class Resistors:
    """Ewe = (a + b + c I) I; nothing depends on d."""

    model: str = "resistors"
    symbols: tuple[Symbol, ...] = tuple(map(symbol, "abcd"))
    start: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys("abcd", 5.0))
    together: tuple[Together, ...] = (
        Together("a + b", "ohm", lambda v: v["a"] + v["b"], ("a", "b"), ("a", "b")),
    )
    read: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    rest_V: tuple[float, float] = (-1.0, 1.0)

    def answer(self, values: Values, course: Course) -> Answer:
        I = course.end_A
        return Answer((values["a"] + values["b"] + values["c"] * I) * I, np.full(len(I), np.nan + 0j))

    def file_text(self, written: Sequence[Written], comments: Sequence[str], note: str) -> str:
        return ""


def found(
    true: Values,
    noise_V: float,
    offset_V: float = 0.0,
    most_A: float = 1.0,
    seed: int = 0,
    bent_ohm_A2: float = 0.0,
) -> Fit:
    I = np.linspace(0.0, most_A, N)
    nothing, whole = np.full(N, np.nan), np.zeros(N, np.intp)
    course = Course(np.ones(N), I, I, nothing, nothing, np.arange(N) == 0)
    Ewe_V = Resistors().answer(true, course).Ewe_V + offset_V + bent_ohm_A2 * I**3
    Ewe_V = Ewe_V + noise_V * np.random.default_rng(seed).standard_normal(N)
    part = Part("by hand", (), (), N, 0, ("1",), (), ())
    read = History(course, Ewe_V, nothing + 0j, whole, whole, np.zeros(N, np.bool_), whole, (part,), None)
    return settled(*best(Resistors(), read, lambda text: None), 0.1, lambda text: None)


TRUE = {"a": 12.0, "b": 6.0, "c": 4.0, "d": 1.0}


def test_what_is_seen_only_as_a_sum_is_told_as_a_sum_and_shared_as_shipped() -> None:
    fit = found(TRUE, 0.05)
    of = {one.symbol: one for one in fit.found}
    assert {name: one.certain for name, one in of.items()} == {
        "a": "together", "b": "together", "c": "found", "d": "no",
    }  # fmt: skip
    [sum_] = fit.combined
    assert sum_.value == pytest.approx(18.0, abs=2 * sum_.error)
    assert fit.values["a"] == pytest.approx(fit.values["b"])  # both were shipped alike
    assert of["c"].value == pytest.approx(4.0, rel=0.1)
    assert (of["d"].value, of["d"].error, of["d"].shipped) == (10.0, None, 10.0)
    assert of["d"].why == "nothing here depends on it; it takes something for d"


def test_what_noise_hides_stays_as_it_was() -> None:
    of = {one.symbol: one for one in found(TRUE, 0.05, most_A=0.05).found}
    assert of["c"].certain == "no"
    assert of["c"].value == 10.0
    assert of["c"].why.endswith("it takes something for c")


def test_an_offset_of_the_reference_is_told_and_changes_nothing() -> None:
    plain, off = found(TRUE, 0.01), found(TRUE, 0.01, offset_V=0.02)
    assert off.values == pytest.approx(plain.values, rel=1e-3)
    assert off.offsets_V[0] == pytest.approx(0.02, abs=2e-3)


def test_numbers_are_no_better_known_than_what_they_are_from_is_described() -> None:
    """Ewe bends as no cell of the model can, by a hundred times the noise."""
    right, wrong = found(TRUE, 0.01), found(TRUE, 0.01, bent_ohm_A2=20.0)
    [left] = right.left
    assert left.steady == 0.0 and left.noise == pytest.approx(0.01, rel=0.3)
    assert not any("not" in line for line in told.left_over(right))
    [left] = wrong.left
    assert left.steady > 10 * left.noise
    assert all(
        one.error >= 2 * left.share * one.value for one in (*wrong.found, *wrong.combined) if one.error
    )
    assert any("not quite what the model resistors describes" in line for line in told.left_over(wrong))


def test_a_combination_that_is_known_roughly_is_not_called_found() -> None:
    for noise_V, certain in ((0.05, "found"), (1.0, "roughly")):
        [sum_] = found(TRUE | {"c": 10.0}, noise_V).combined
        assert sum_.certain == certain
        assert (1.5 * sum_.error <= 0.1 * sum_.value) is (certain == "found")


def test_what_is_far_from_usual_is_asked_about() -> None:
    lines = told.left_over(found(TRUE | {"c": 300.0}, 0.05))
    assert any(line.startswith("c is 30 times what is usual: ") for line in lines)


def test_errors_are_as_large_as_they_are_said_to_be() -> None:
    """In 95 of 100 the truth is within two standard errors."""
    fits = [found(TRUE, 0.2, seed=seed) for seed in range(30)]
    within = [abs(fit.combined[0].value - 18.0) < fit.combined[0].error for fit in fits]
    assert sum(within) >= 24
    assert np.median([fit.combined[0].error for fit in fits]) < 0.15 * 18
