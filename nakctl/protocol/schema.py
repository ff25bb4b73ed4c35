"""The JSON Schema of the language, out of the model: editors complete and explain protocols with it.

`protocols/protocol.schema.json` is the copy that the first line of a protocol names.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nakctl.protocol import expect_words
from nakctl.protocol.model import A_STEP, KINDS, Expect, Protocol, Word
from nakctl.protocol.snippets import FILE as FILE_SNIPPET
from nakctl.protocol.snippets import SNIPPETS, body
from nakctl.text.quantities import REF_PATTERN

FILE = "protocol.schema.json"
_PARAMETER = {"type": "string", "pattern": f"^{REF_PATTERN}$", "description": "a parameter: $name"}
_USE_PARAMETER = {"$ref": "#/$defs/Parameter"}
_TOLD = ("description", "default", "examples")  # of a value, whatever it is
_VALUES = ("integer", "number", "boolean")


def schema() -> dict[str, Any]:
    """The schema of a protocol as it is written: `$name` may stand in place of any value."""
    made = tidy(_of_models(), _parametrised)
    told = {f"#/$defs/{name}": part.get("description") for name, part in made["$defs"].items()}
    for definition in (made, *made["$defs"].values()):
        _explain(definition, told)
        _open_to_parameters(definition)
    _with_figures(made["$defs"])
    made["$defs"]["Step"] = _step()
    made["defaultSnippets"] = [
        {"label": "protocol", "description": "a whole file", "body": body(FILE_SNIPPET)}
    ]
    made["$defs"]["Parameter"] = _PARAMETER
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "nakctl protocol", **made}


def _of_models() -> dict[str, Any]:
    """A protocol, what is expected of it, and each kind of step."""
    made = Protocol.model_json_schema(by_alias=True)
    models: list[type[Word]] = [Expect, *KINDS.values()]
    for model in models:
        of_kind = model.model_json_schema(by_alias=True)
        made["$defs"] |= of_kind.pop("$defs", {}) | {model.__name__: of_kind}
    one = {"$ref": "#/$defs/Expect"}
    made["properties"]["expect"]["anyOf"] = [one, {"type": "array", "items": one, "minItems": 1}]
    return made | {"$defs": dict(sorted(made["$defs"].items()))}


def _with_figures(defs: dict[str, Any]) -> None:
    """Of `expect`, among its other words."""
    words, patterns = expect_words.offered()
    del defs["Expect"]["properties"]["figures"]
    defs["Expect"]["properties"] |= words
    defs["Expect"]["patternProperties"] = patterns
    defs |= expect_words.forms()


def _step() -> dict[str, Any]:
    """Told by its kind word: an editor offers each kind once, and in a step the words of its kind alone."""
    of_kinds = [
        {"if": _is(kind), "then": {"$ref": f"#/$defs/{model.__name__}"}} for kind, model in KINDS.items()
    ]
    offered = [
        {"label": kind, "description": _first(model.__doc__), "body": body(SNIPPETS[kind])}
        for kind, model in KINDS.items()
    ]
    has_kind = {"type": "object", "anyOf": [{"required": [kind]} for kind in KINDS]}
    return {
        "type": "object",
        "allOf": [*of_kinds, {"if": has_kind, "else": {"type": "object", "defaultSnippets": offered}}],
        "anyOf": [{"required": [kind]} for kind in KINDS],
    }


def _is(kind: str) -> dict[str, Any]:
    """As `kind_of` has it: a pulse says `repeat`, too."""
    named = {"type": "object", "required": [kind]}
    return named if kind == "pulse" else named | {"not": {"required": ["pulse"]}}


def _first(doc: str | None) -> str:
    return (doc or "").strip().partition("\n\n")[0]


def _explain(definition: dict[str, Any], told: dict[str, str | None]) -> None:
    """A word that is explained by the words which it takes: an editor shows that beside it."""
    for part in definition.get("properties", {}).values():
        if "description" not in part and told.get(part.get("$ref", "")):
            part["description"] = _first(told[part["$ref"]])


def _open_to_parameters(definition: dict[str, Any]) -> None:
    """Each value may come from a parameter; those that are declared are what they are."""
    properties = definition.get("properties", {})
    for word, part in properties.items():
        if word not in ("params", "nakctl"):
            properties[word] = _or_parameter(part)


def _or_parameter(part: dict[str, Any]) -> dict[str, Any]:
    """The value, or a parameter; so may all within it."""
    if part == _USE_PARAMETER or REF_PATTERN in str(part.get("pattern")):
        return part
    about: dict[str, Any] = {key: part[key] for key in _TOLD if key in part}
    value = {key: inner for key, inner in part.items() if key not in about}
    choices = value["anyOf"] if set(value) == {"anyOf"} else [value]
    return {"anyOf": _once([*map(_opened, choices), _USE_PARAMETER]), **about}


def _opened(value: dict[str, Any]) -> dict[str, Any]:
    """A list or a mapping whose parts may come from parameters."""
    made = dict(value)
    for word in ("items", "additionalProperties"):
        if isinstance(value.get(word), dict):
            made[word] = _or_parameter(value[word])
    if "prefixItems" in value:
        made["prefixItems"] = [_or_parameter(part) for part in value["prefixItems"]]
    if "patternProperties" in value:
        parts = value["patternProperties"].items()
        made["patternProperties"] = {pattern: _or_parameter(part) for pattern, part in parts}
    return made


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
    if node == A_STEP:
        return {"$ref": "#/$defs/Step"}
    if "const" in node or not (node.get("type") in _VALUES or "enum" in node):
        return node
    about: dict[str, Any] = {key: node[key] for key in ("description", "default") if key in node}
    value = {key: part for key, part in node.items() if key not in about}
    return {"anyOf": [value, _USE_PARAMETER], **about}
