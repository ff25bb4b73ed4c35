"""How results are called: by what a run is alone, and each by another name."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from nakctl.campaign.naming import LONGEST, LONGEST_BYTES, result_name, twins

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
values = st.builds(
    lambda number, unit: f"{number} {unit}".strip(),
    st.one_of(st.integers(-1000, 1000), st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: f"{x:.3g}")),
    st.sampled_from(["", "s", "mA/cm2", "V", "degC"]),
)
params = st.dictionaries(names, values, max_size=3)


def test_it_says_what_the_run_is() -> None:
    swept = {"rest": "0.1 s"}
    assert result_name("pulsed-strip", "NaK50", {}, swept) == "pulsed-strip_NaK50_rest-0.1s.h5"
    given = {"current": "1 mA/cm2", "levels": "0.1, 0.2 mA"}
    named = "ccd_C7_current-1mAcm2_levels-0.1+0.2mA_seed-3.h5"
    assert result_name("ccd", "C 7", given, {}, seed=3) == named


@given(params, params, st.integers(0, 3), st.integers(0, 3))
def test_other_values_have_another_name(
    one: dict[str, str], other: dict[str, str], seed: int, seed_: int
) -> None:
    is_same = (one, seed) == (other, seed_)
    assert (result_name("p", "c", {}, one, seed) == result_name("p", "c", {}, other, seed_)) <= (
        is_same or _plain(one) == _plain(other)
    )


def _plain(params: dict[str, str]) -> list[str]:
    return [f"{name}-{re.sub(r'[ /]', '', value)}" for name, value in params.items()]


@given(params, st.dictionaries(names, st.text(max_size=300), max_size=3))
def test_every_computer_takes_it(given_: dict[str, str], swept: dict[str, str]) -> None:
    name = result_name("p", "c", given_, swept)
    assert len(name) <= LONGEST + 3
    assert len(name.encode()) <= LONGEST_BYTES + 3
    assert not re.search(r'[\\/:*?"<>|\s\0]', name)
    assert name.endswith(".h5")


def test_long_ones_stay_apart() -> None:
    for letter in "aä長":
        one, other = (result_name("p", letter * 100, {}, {"x": "a" * 200 + end}) for end in "bc")
        assert one != other
        assert len(one.encode()) <= LONGEST_BYTES + 3


def test_large_letters_are_small_ones_on_some_disks() -> None:
    assert twins(["a.h5", "B.h5", "A.h5", "b.h5"]) == {2: 0, 3: 1}
