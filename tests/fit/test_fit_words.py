"""What a simulator makes of words for a cell, and how it writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nakctl.device.fitting import Asked, Course, Seen
from nakctl.errors import InputError
from nakctl_sim.cell import catalog
from nakctl_sim.cell.models import numbers_at
from nakctl_sim.fitting.cell_text import comments, quoted
from nakctl_sim.fitting.nak_words import is_told, percent_K
from nakctl_sim.fitting.parametric import answered, length_cm
from nakctl_sim.fitting.subjects import subject


@pytest.mark.parametrize(
    ("electrolyte", "cm"),
    [
        ("NASICON 1.5 mm", 0.15), ("NASICON, 1,5 mm", 0.15), ("NASICON,1.5mm", 0.15), ("polymer 100 um", 0.01),
        ("LATP 1,500 um", None), ("NASICON 1.2.3 mm", None), ("NASICON, 10 mm, 1.5 mm thick", None),
        ("NASICON", None),
    ],
)  # fmt: skip
def test_a_thickness_in_words(electrolyte: str, cm: float | None) -> None:
    assert length_cm({"electrolyte": electrolyte}) == (None if cm is None else pytest.approx(cm))


@pytest.mark.parametrize(
    ("working", "name", "percent", "by_name"),
    [
        ("NaK50", "NaK-12", 50, False), ("NaK-65 on a mesh", "7", 65, False), ("NaK", "NaK-56", 56, True),
        ("NaK", "NaK-7", None, False), ("NaK780", "x", None, False), ("Na", "x", 0, False),
    ],
)  # fmt: skip
def test_a_composition_in_words(working: str, name: str, percent: float | None, by_name: bool) -> None:
    sample = {"working_electrode": working, "name": name}
    assert percent_K(sample) == (percent, by_name)
    assert is_told(sample)


def test_a_text_of_others_is_written_so_that_it_can_be_read() -> None:
    odd = "a\x85b\x07\u2028: #\"'"
    assert comments([odd]) == ["# a b? : #\"'"]
    assert quoted(odd) == '"a b? : #\\"\'"'


def test_each_cell_of_a_course_begins_anew_at_its_own_temperature() -> None:
    found = catalog.read("Li-symmetric")
    assert isinstance(found, catalog.PolarisingDescription)

    def course(*T_K: float) -> Course:
        n = len(T_K)
        none = np.full(n, np.nan)
        return Course(
            np.full(n, 60.0), np.full(n, 1e-4), np.full(n, 1e-4), none, np.array(T_K), np.ones(n, bool)
        )

    alone = [float(answered(found, {}, course(T_K)).Ewe_V[0]) for T_K in (340.0, 300.0, np.nan)]
    assert answered(found, {}, course(340.0, 300.0, np.nan)).Ewe_V.tolist() == pytest.approx(alone)
    assert len({round(E_V, 6) for E_V in alone}) == 3


@pytest.mark.parametrize("like", ["NaK50", "Li-symmetric", "blocking"])
def test_a_cell_that_was_warm_is_the_same_cell(
    like: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays as shipped is what the shipped cell has at the temperature of the runs."""
    monkeypatch.chdir(tmp_path)
    shipped = catalog.read(like)
    assert isinstance(shipped, catalog.NakDescription | catalog.PolarisingDescription)
    model = subject(Asked("warm", 1.0, like=like, T_K=330.0), Seen(10.0, 0.0, ()))
    Path("warm.yaml").write_text(model.file_text([], [], ""), encoding="utf-8")
    warm = catalog.read("warm.yaml")
    assert isinstance(warm, catalog.NakDescription | catalog.PolarisingDescription)
    shipped = replace(shipped, cell=replace(shipped.cell, area_cm2=1.0))
    for T_K in (298.15, 330.0):
        assert numbers_at(warm, T_K).tolist() == pytest.approx(numbers_at(shipped, T_K).tolist(), rel=1e-4)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"like": "dummy"}, "--like dummy: a circuit begins with what the spectrum shows"),
        ({"like": "dummy", "model": "nak"}, "its model is circuit, and nak is to be fitted"),
        ({"like": "full-cell"}, "--like full-cell: a battery is not fitted: its potentials are tables"),
        ({"percent_K": 56.0}, "--composition is for --model nak, and the cell is fitted as circuit"),
        ({"thickness_cm": 0.1}, "--thickness: a circuit has none"),
    ],
)  # fmt: skip
def test_what_a_model_has_no_use_for_is_refused(asked: Mapping[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=re.escape(why)):
        subject(Asked("x", 1.0, **asked), Seen(10.0, 0.0, ()))
