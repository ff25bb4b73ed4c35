"""The JSON Schema of rig files. `protocols/rig.schema.json` is the copy that their first line names."""

from __future__ import annotations

import json
from typing import Any

from nakctl.protocol.schema import tidy
from nakctl.rig.rig_yaml import RigWords
from nakctl.text.quantities import REF_PATTERN

FILE = "rig.schema.json"


def schema() -> dict[str, Any]:
    """The schema of a rig as it is written."""
    made = tidy(RigWords.model_json_schema(by_alias=True), _without_parameters)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "nakctl rig", **made}


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _without_parameters(node: dict[str, Any]) -> dict[str, Any]:
    """A rig has none, so no `$name` stands for a quantity."""
    if "pattern" not in node:
        return node
    return node | {"pattern": node["pattern"].replace(f"|{REF_PATTERN}", "")}
