"""The names that one protocol and its rig give, put into the schema: an editor then offers them.

They are offered and nothing more: whatever the schema of the language accepts, this one accepts as well, so a
name that was given since is not red.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from nakctl.protocol.model import KINDS
from nakctl.protocol.schema import schema
from nakctl.protocol.snippets import SNIPPETS, body
from nakctl.protocol.written import quantity, words
from nakctl.text.quantities import REF_PATTERN
from nakctl.text.units import DIMENSIONS

_SWEPT = {"ca": ("peis",), "rest": ("geis", "peis")}  # the sweeps that go with a step; of others: geis
_BOTH = ("geis", "peis")


@dataclass(frozen=True, slots=True)
class Names:
    """What one file and its rig call things.

    sweeps   by name: what they may be taken as, geis or peis
    params   their values, by name
    levels   of staircases: `$level`
    labels   of steps
    sensors  of the rig, by name: what they measure, a key of DIMENSIONS
    settable those of them that `set` may name
    """

    sweeps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    levels: Sequence[str] = ()
    labels: Sequence[str] = ()
    sensors: Mapping[str, str] = field(default_factory=dict)
    settable: Sequence[str] = ()

    def swept(self, kinds: Sequence[str]) -> list[str]:
        """The sweeps of these kinds."""
        return [name for name, may_be in self.sweeps.items() if set(may_be) & set(kinds)]


def names_in(data: Mapping[str, Any]) -> Names:
    """Those of a protocol as it is written: it may be half done, and have faults."""
    kinds = {name: words(sweep).get("kind") for name, sweep in words(data.get("spectra")).items()}
    steps = list(_mappings(data.get("steps")))
    stairs = [step.get("as", "level") for step in steps if "staircase" in step]
    labels = [step["label"] for step in steps if isinstance(step.get("label"), str)]
    return Names(
        sweeps={str(name): (kind,) if kind in _BOTH else _BOTH for name, kind in kinds.items()},
        params=words(data.get("params")),
        levels=tuple(dict.fromkeys(f"${name}" for name in stairs)),
        labels=tuple(label for label in dict.fromkeys(labels) if not label.startswith("$")),
    )


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from _mappings(part)


def schema_with(names: Names) -> dict[str, Any]:
    """The schema of the language, which offers these names."""
    made: dict[str, Any] = _with_parameters(_language(), names)
    defs = made["$defs"]
    defs["Parameter"] = _offering(defs["Parameter"], [f"${name}" for name in names.params])
    for kind, model in KINDS.items():
        its = defs[model.__name__]["properties"]
        if kind in _BOTH:
            _first_offers(its[kind], names.swept((kind,)))
        if "spectra" in its:
            _offer_sweeps(its["spectra"], names.swept(_SWEPT.get(kind, ("geis",))), defs["SpectraUse"])
    _first_offers(defs["Settling"]["properties"]["sensor"], list(names.sensors))
    for place in ("EndedBy", "LoopEnd"):
        _first_offers(defs[place]["properties"]["step"], names.labels)
    _offer_words(defs["Set"]["properties"]["set"], {name: names.sensors[name] for name in names.settable})
    _offer_words(defs["Limits"]["properties"]["sensors"], names.sensors)
    for offered in defs["Step"]["allOf"][-1]["else"]["defaultSnippets"]:
        offered["body"] = body(SNIPPETS[offered["label"]], _places(offered["label"], names))
    return made


@cache
def _language() -> dict[str, Any]:
    """To be copied, never changed."""
    return schema()


def text(names: Names) -> str:
    """The schema as it is written beside a protocol."""
    return json.dumps(schema_with(names), indent=1, ensure_ascii=False) + "\n"


def _with_parameters(node: Any, names: Names) -> Any:
    """Each quantity that may be a parameter offers those that are of its kind."""
    if isinstance(node, list):
        return [_with_parameters(part, names) for part in node]
    if not isinstance(node, dict):
        return node
    made = {word: _with_parameters(part, names) for word, part in node.items()}
    if REF_PATTERN not in str(node.get("pattern")) or "examples" not in node:
        return made
    fit = [f"${name}" for name, value in names.params.items() if _fits(value, node["examples"])]
    return _offering(made, [*fit, *names.levels])


def _fits(value: Any, examples: Sequence[str]) -> bool:
    """Whether a value is of a kind that a word gives an example of; a word for lists gives one of a list."""
    dimensions = tuple(name for name, known in DIMENSIONS.items() if known.example in examples)
    return not dimensions or value in examples or quantity(value, dimensions) is not None


def _offering(node: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What this file knows stands first."""
    if not names:
        return node
    return node | {"examples": [*names, *node.get("examples", ())]}


def _first_offers(part: dict[str, Any], names: Sequence[str]) -> None:
    """Of the choices for a word the first is the name."""
    part["anyOf"][0] = _offering(part["anyOf"][0], names)


def _offer_sweeps(part: dict[str, Any], names: Sequence[str], use: dict[str, Any]) -> None:
    """A name, or the words that take one: written out here, because the sweeps depend on the kind of step."""
    if not names:
        return
    _first_offers(part, names)
    own = json.loads(json.dumps(use))
    _first_offers(own["properties"]["use"], names)
    part["anyOf"][1] = own


def _offer_words(part: dict[str, Any], sensors: Mapping[str, str]) -> None:
    """Names as words of a mapping, with the same values as before, and an example of their own."""
    mapping = part["anyOf"][0]
    [value] = mapping["patternProperties"].values()
    shown = {name: [DIMENSIONS[dimension].example] for name, dimension in sensors.items()}
    own = {name: _shown(value, each) for name, each in shown.items()}
    part["anyOf"][0] = mapping | ({"properties": own} if own else {})


def _shown(value: dict[str, Any], examples: Sequence[str]) -> dict[str, Any]:
    """With these examples, where one value may stand by itself: a set-point may also be a ramp."""
    if "anyOf" in value:
        return value | {"anyOf": [_shown(choice, examples) for choice in value["anyOf"]]}
    return value | {"examples": list(examples)} if "pattern" in value else value


def _places(kind: str, names: Names) -> dict[str, Sequence[str]]:
    """What a snippet of a kind may name."""
    return {
        "operando": names.swept(("geis",)),
        "resting": names.swept(("peis",)),
        "chamber": names.settable if kind == "set" else tuple(names.sensors),
        "strip-1": names.labels,
    }
