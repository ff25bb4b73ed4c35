"""The schema of one protocol: its names are offered where they may stand, and nothing that is accepted is red."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from test_schema import TESTS, accepted

from nakctl.protocol import schema
from nakctl.protocol.names import Names, names_in, schema_with
from nakctl.text.reader import read_text

HALF_DONE = """\
nakctl: 1
params: {current: 1 mA/cm2, half: 4 mAh/cm2, cutoff: 3 V, chord: "0.1, 0.2 mA/cm2", often: 3}
spectra:
  mine: {kind: geis}
  other: {kind: geis}
  soft: {kind: peis}
  either: {kind: $kind}
steps:
  - rest:
    label: first
  - staircase: 1, 2 uA
    as: amount
    steps:
      - staircase: 1, 2 s
        steps: [{strip: $amount, for: $level, label: inner}]
  - rest: {label: $name}
"""
RIG = {"chamber": "temperature", "press": "pressure"}
NAMES = replace(names_in(read_text(HALF_DONE, "p").data), sensors=RIG, settable=("chamber",))
MADE = schema_with(NAMES)


def offers(node: dict[str, Any], made: dict[str, Any] = MADE) -> list[str]:
    """What an editor offers as a value: examples and choices, of all that may stand there."""
    if "$ref" in node:
        return offers(made["$defs"][node["$ref"].removeprefix("#/$defs/")], made)
    own = [*node.get("examples", ()), *node.get("enum", ())]
    return [*own, *(each for choice in node.get("anyOf", ()) for each in offers(choice, made))]


def of(model: str, *words: str) -> dict[str, Any]:
    node: dict[str, Any] = MADE["$defs"][model]
    for word in words:
        own = next(one for one in [node, *node.get("anyOf", ())] if word in one.get("properties", {}))
        node = own["properties"][word]
    return node


def test_the_names_of_a_protocol_that_is_half_done() -> None:
    assert list(NAMES.sweeps) == ["mine", "other", "soft", "either"]
    assert NAMES.levels == ("$amount", "$level")
    assert NAMES.labels == ("first", "inner")
    assert names_in({"steps": "later", "params": None, "spectra": ["x"]}) == Names()


@pytest.mark.parametrize(
    ("place", "first"),
    [
        (("Geis", "geis"), ["mine", "other", "either"]),
        (("Peis", "peis"), ["soft", "either"]),
        (("Strip", "spectra"), ["mine", "other", "either"]),
        (("Strip", "spectra", "use"), ["mine", "other", "either"]),
        (("Ca", "spectra"), ["soft", "either"]),
        (("Ca", "spectra", "use"), ["soft", "either"]),
        (("Rest", "spectra"), ["mine", "other", "soft", "either"]),
        (("Strip", "strip"), ["$current", "$amount", "$level", "0.4 mA/cm2"]),
        (("Strip", "for"), ["$half", "$amount", "$level", "10 s"]),
        (("Cutoff", "Ewe_above"), ["$cutoff", "$amount", "$level", "3 V"]),
        (("Ca", "ca"), ["$cutoff", "$amount", "$level", "3 V"]),
        (("Repeat", "repeat"), ["$current", "$half", "$cutoff", "$chord", "$often"]),
        (("Settling", "sensor"), ["chamber", "press"]),
        (("Set", "set", "chamber"), ["25 degC"]),
        (("EndedBy", "step"), ["first", "inner"]),
        (("LoopEnd", "step"), ["first", "inner"]),
    ],
)
def test_what_is_offered_first(place: tuple[str, ...], first: list[str]) -> None:
    assert offers(of(*place))[: len(first)] == first


def test_only_what_can_be_set_is_offered_to_be_set_and_all_to_limit() -> None:
    [set_points] = [one for one in of("Set", "set")["anyOf"] if "properties" in one]
    [limits] = [one for one in of("Limits", "sensors")["anyOf"] if "properties" in one]
    assert (list(set_points["properties"]), list(limits["properties"])) == (["chamber"], ["chamber", "press"])


def snippet(kind: str, made: dict[str, Any]) -> Any:
    offered = made["$defs"]["Step"]["allOf"][-1]["else"]["defaultSnippets"]
    return next(one["body"] for one in offered if one["label"] == kind)


def test_a_snippet_lets_one_choose_among_the_names() -> None:
    assert snippet("geis", MADE)["geis"] == "${1|mine,other,either|}"
    assert snippet("wait", MADE)["wait"]["sensor"] == "${1|chamber,press|}"
    assert snippet("set", MADE)["set"] == {"${1:chamber}": "${2:60 degC}"}
    assert snippet("if", MADE)["if"]["step"] == "${1|first,inner|}"
    odd = schema_with(Names(labels=("a, b", "c|d")))
    assert snippet("if", odd)["if"]["step"] == "${1|a\\, b,c\\|d|}"


def test_without_names_it_is_the_schema_of_the_language() -> None:
    assert schema_with(Names()) == schema.schema()


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(MADE)


def red(data: dict[str, Any], made: dict[str, Any]) -> list[str]:
    return [error.message[:200] for error in jsonschema.Draft202012Validator(made).iter_errors(data)]


def test_no_protocol_of_the_repository_is_red_beside_its_own_names() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(TESTS.parent.rglob("*.yaml"))]
    found = [data for text in texts if (data := accepted(text)) is not None]
    assert len(found) > 20
    for data in found:
        known = replace(names_in(data), sensors=RIG, settable=("chamber",))
        assert red(data, schema_with(known)) == [], data["name"]


def test_names_are_offered_and_nothing_more() -> None:
    """What a schema refuses does not depend on names: but for offers, and the words of known sensors, it is the same."""

    def bare(node: Any) -> Any:
        if isinstance(node, list):
            return [bare(part) for part in node]
        if not isinstance(node, dict):
            return node
        if node.get("$ref") == "#/$defs/SpectraUse":
            return bare(schema.schema()["$defs"]["SpectraUse"])
        kept = {
            word: bare(part) for word, part in node.items() if word not in ("examples", "defaultSnippets")
        }
        if len(kept.get("patternProperties", ())) == 1 and "properties" in kept:
            [value] = kept["patternProperties"].values()
            assert all(own == value for own in kept.pop("properties").values())
        return kept

    assert json.dumps(bare(MADE)) == json.dumps(bare(schema.schema()))
