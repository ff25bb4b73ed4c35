"""The sensors of rig.yaml: each one's words are those of its kind, read by the package that brings it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nakctl.device.sensor import SensorSpec, kind_names, load_kind
from nakctl.text.faults import Problem, did_you_mean

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")  # as protocols name them, and groups of the file


def read_sensors(written: Mapping[str, Any]) -> tuple[dict[str, SensorSpec], list[Problem]]:
    """The sensors by name, and everything that is wrong with them; locations within `sensors`."""
    specs: dict[str, SensorSpec] = {}
    found: list[Problem] = []
    for name, words in written.items():
        spec, problems = _one(name, words)
        found += [Problem(("sensors", name, *each.loc), each.message, each.at_key) for each in problems]
        if spec is not None:
            specs[name] = spec
    return specs, found


def _one(name: str, words: Any) -> tuple[SensorSpec | None, list[Problem]]:
    if not NAME.fullmatch(name):
        text = "the name of a sensor begins with a letter and has at most 40 letters, digits and _"
        return None, [Problem((), text, at_key=True)]
    if not isinstance(words, dict):
        return None, [Problem((), "must be words with values, such as {kind: scpi, address: ...}")]
    kind, known = words.get("kind"), kind_names()
    if kind not in known:
        if kind is None:
            return None, [Problem((), f"{name} needs the word kind, one of: {', '.join(known)}")]
        hint = did_you_mean(str(kind), known) or ";"
        return None, [Problem(("kind",), f"there is no kind {kind}{hint} kinds are: {', '.join(known)}")]
    return load_kind(kind).spec(name, words)
