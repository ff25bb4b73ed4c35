"""Whether a result is of the run that is asked for now."""

from __future__ import annotations

from typing import Any

import pytest

from nakctl.campaign.made_of import difference, made_of

RUN: dict[str, Any] = {
    "text": "steps: ...", "tables": {"a.csv": "1,2"}, "params": {"rest": "1 s"}, "program": {"nodes": [1]},
    "cell": "C7", "area_cm2": 0.5, "cell_is": {"R": 1}, "channel": "sim SP-300", "seed": 0,
}  # fmt: skip
CHANGES = [
    ({}, ""),
    ({"text": "steps: ... # a comment"}, ""),  # the same program
    ({"program": {"nodes": [1], "new": 0}}, ""),  # the same text, by another version of nakctl
    ({"text": "other", "program": {"nodes": [2]}}, "made with another protocol"),
    ({"tables": {"a.csv": "1,3"}, "program": {"nodes": [2]}}, "made with another protocol"),
    ({"params": {"rest": "2 s"}, "program": {"nodes": [2]}}, "made with another value of a parameter"),
    ({"params": {"rest": "1.0 s"}}, ""),
    ({"cell": "C8"}, "made with another cell"),
    (
        {"area_cm2": 0.6, "program": {"nodes": [2]}, "text": "other"},
        "made with another protocol, another area of the cell",
    ),
    ({"cell_is": {"R": 2}}, "made with another description or simulation of the cell"),
    ({"seed": 1}, "made with another seed"),
    ({"seed": None, "channel": "biologic SP-300"}, "made with another kind of channel, another seed"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_what_is_another_one_is_told(change: dict[str, Any], told: str) -> None:
    assert difference(made_of(**RUN), made_of(**{**RUN, **change})) == told


def test_of_what_no_campaign_made_nobody_knows() -> None:
    assert difference({}, made_of(**RUN)) == "made by no campaign"
