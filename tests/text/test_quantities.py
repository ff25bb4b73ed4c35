from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from nakctl.text.quantities import QuantitiesWord, Quantity, QuantityWord, Ref, as_ref, quantities, quantity
from nakctl.text.units import UnitError

LEVELS = quantities("areal current", "current")


@pytest.mark.parametrize(
    "written",
    [
        "0.05, 0.1, 0.2 mA/cm2",
        "0.05,0.1,0.2mA/cm2",
        "50 uA/cm2, 0.1 mA/cm2, 0.2 mA/cm2",
        ["0.05 mA/cm2", "100 uA/cm2", "0.2 mA cm-2"],
    ],
)
def test_a_list_may_share_its_unit(written: object) -> None:
    found = LEVELS(written)
    assert [one.value for one in found.values] == [5e-5, 1e-4, 2e-4]


def test_shared_units_stand_in_each_text() -> None:
    found = LEVELS("-5e-2, .1, 2. mA")
    assert [one.text for one in found.values] == ["-5e-2 mA", ".1 mA", "2. mA"]


@pytest.mark.parametrize(
    ("written", "phrase"),
    [
        ("$levels", "stands for one value"),
        ("0.05, 0.1", "0.05, 0.1 has no unit: write it once, at the end, such as 0.05, 0.1 mA/cm2"),
        ("0,05 mA/cm2", "write 0.05 mA/cm2 with a point"),
        ("0.05, mA/cm2", "0.05 has no unit"),
        ("0.05,, 0.1 mA/cm2", "not a number"),
        ([], "needs 1 to"),
        ([0.05, "0.1 mA/cm2"], "0.05 has no unit: give each its own, or write without brackets"),
        ([["0.1 mA"]], "must be a current per area or a current"),
        ({"from": 1}, "must be"),
        ("1 mA/cm2, 1 mA", "do not belong in one list: a current per area and a current"),
        (",".join(["1"] * 10_001) + " mA", "needs 1 to 10000 values"),
    ],
)
def test_lists_that_cannot_be(written: object, phrase: str) -> None:
    with pytest.raises(UnitError) as caught:
        LEVELS(written)
    assert phrase in str(caught.value)


@pytest.mark.parametrize("text", ["level", "$", "$1", "$a b", "$a-b", "5 $a", "$$a", 5, None])
def test_a_reference_is_a_whole_word(text: object) -> None:
    assert as_ref(text) is None


def test_a_reference_is_kept_as_one() -> None:
    assert quantity("time")("$level") == Ref("level")


@pytest.mark.parametrize(
    ("word", "text", "phrase"),
    [
        (quantity("current", sign="none"), "-1 mA", "directions already: write it without sign, or use cp"),
        (quantity("current", sign="none"), "0 mA", "must be greater than zero"),
        (quantity("potential", sign="positive"), "0 V", "must be greater than zero"),
        (quantity("pressure", sign="positive"), "0 MPa", "must be greater than zero"),
    ],
)
def test_signs(word: QuantityWord, text: str, phrase: str) -> None:
    with pytest.raises(UnitError) as caught:
        word(text)
    assert phrase in str(caught.value)


def test_zero_volt_is_a_potential() -> None:
    assert quantity("potential")("0 V") == Quantity(0.0, "potential", "0 V")


@pytest.mark.parametrize("word", [quantity("time"), quantities("time")])
def test_pydantic_passes_the_sentence_on(word: QuantityWord | QuantitiesWord) -> None:
    from typing import Annotated

    adapter: TypeAdapter[object] = TypeAdapter(Annotated[object, word])
    assert adapter.validate_python("10 s")
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python("10 {V}")
    assert "10 {V}" in caught.value.errors()[0]["msg"]
