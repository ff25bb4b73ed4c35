"""Rules of `expect` that one of its words alone cannot know. Pure: data as written in, problems out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nakctl.protocol.written import quantity, words
from nakctl.text.faults import Problem, did_you_mean
from nakctl.text.reader import Loc


def problems(data: dict[str, Any]) -> Iterator[Problem]:
    for loc, expect in each(data):
        yield from _one(expect, loc, words(data.get("params")))


def each(data: dict[str, Any]) -> Iterator[tuple[Loc, dict[str, Any]]]:
    """Every expectation, and where it stands."""
    given = data.get("expect")
    listed = [("expect", i) for i in range(len(given))] if isinstance(given, list) else [("expect",)]
    for loc, one in zip(listed, given if isinstance(given, list) else [given], strict=True):
        if isinstance(one, dict):
            yield loc, one


def _one(expect: dict[str, Any], loc: Loc, params: dict[str, Any]) -> Iterator[Problem]:
    if "cell" in expect and "cells" in expect:
        yield Problem((*loc, "cells"), "cell and cells at once: name all of them in cells", at_key=True)
    for name in words(expect.get("set")):
        if name not in params:
            listed = f"its parameters are: {', '.join(params)}" if params else "it has none"
            hint = did_you_mean(name, params) or ";"
            text = f"{name} is no parameter of this protocol{hint} {listed}"
            yield Problem((*loc, "set", name), text, at_key=True)
    least, most = (quantity(expect.get(word), ("time",)) for word in ("at_least", "at_most"))
    if least is not None and most is not None and least.value > most.value:
        yield Problem((*loc, "at_most"), f"nothing takes {least} at least and {most} at most")
