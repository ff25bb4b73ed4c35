"""The JSON Schema of the language, out of the model: editors complete and explain protocols with it.

`protocols/protocol.schema.json` is the copy that the first line of a protocol names.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nakctl.protocol.model import Protocol
from nakctl.text.quantities import REF_PATTERN

FILE = "protocol.schema.json"
_PARAMETER = {"type": "string", "pattern": f"^{REF_PATTERN}$", "description": "a parameter: $name"}
_USE_PARAMETER = {"$ref": "#/$defs/Parameter"}
_VALUES = ("integer", "number", "boolean")


def schema() -> dict[str, Any]:
    """The schema of a protocol as it is written, with `$name` allowed where a value stands."""
    made = tidy(Protocol.model_json_schema(by_alias=True), _parametrised)
    made["$defs"]["Parameter"] = _PARAMETER
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "nakctl protocol", **made}


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def tidy(node: Any, finish: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Any:
    """Without what only Python knows: `null` for a word left out, its defaults, titles made of names.

    finish: what to make of each node in the end.
    """
    if isinstance(node, list):
        return [tidy(part, finish) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {key: part for key, part in node.items() if key not in ("title", "discriminator", "default")}
    if isinstance(node.get("default"), str | int | float) and "const" not in node:
        kept["default"] = node["default"]
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    for table in ("$defs", "properties"):
        if table in kept:
            kept[table] = {name: tidy(part, finish) for name, part in kept[table].items()}
    done = ("$defs", "properties")
    rest = {key: part if key in done else tidy(part, finish) for key, part in kept.items()}
    return finish(_without_null(rest))


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if not choices:
        return node
    others = {key: part for key, part in node.items() if key != "anyOf"}
    flat = [inner for choice in choices for inner in choice.get("anyOf", [choice])]
    told = {
        key: part for choice in choices if "anyOf" in choice for key, part in choice.items() if key != "anyOf"
    }
    return flat[0] | others if len(flat) == 1 else {"anyOf": _once(flat)} | told | others


def _once(choices: list[Any]) -> list[Any]:
    return [choice for i, choice in enumerate(choices) if choice not in choices[:i]]


def _parametrised(node: dict[str, Any]) -> dict[str, Any]:
    """A number, a switch or one word of several may also come from a parameter."""
    if "const" in node or not (node.get("type") in _VALUES or "enum" in node):
        return node
    about: dict[str, Any] = {key: node[key] for key in ("description", "default") if key in node}
    value = {key: part for key, part in node.items() if key not in about}
    return {"anyOf": [value, _USE_PARAMETER], **about}
