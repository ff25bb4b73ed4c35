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
    ({"text": "other", "program": {"nodes": [2]}}, "the protocol"),
    ({"tables": {"a.csv": "1,3"}, "program": {"nodes": [2]}}, "the protocol"),
    ({"params": {"rest": "2 s"}, "program": {"nodes": [2]}}, "a parameter"),
    ({"params": {"rest": "1.0 s"}}, ""),
    ({"cell": "C8"}, "the cell"),
    ({"area_cm2": 0.6, "program": {"nodes": [2]}, "text": "other"}, "the protocol and the cell's area"),
    ({"cell_is": {"R": 2}}, "what is declared of the cell, or simulates it"),
    ({"seed": 1}, "the seed"),
    ({"seed": None, "channel": "biologic SP-300"}, "the kind of channel and the seed"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_what_is_another_one_is_told(change: dict[str, Any], told: str) -> None:
    assert difference(made_of(**RUN), made_of(**{**RUN, **change})) == told
