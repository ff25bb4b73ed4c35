"""A program as plain JSON values, and back: a journal holds what was loaded, and is read years later.

The classes of `program.py` and `ends.py` say what stands where; what may be one of several carries a tag
under `is`, which outlives the name of its class. Numbers that JSON does not have are the texts nan, inf and
-inf.

A field that is added with a default needs no new version: a program without it is read as if the default
stood there. Any other change of the form does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from nakctl.device.program import (
    Ask,
    Branch,
    Ca,
    Capacity,
    Cp,
    Draw,
    Eis,
    HostLoop,
    Loop,
    Node,
    Ocv,
    Program,
    Segment,
    SetPoint,
)
from nakctl.errors import RecordError

VERSION = 1
TAGS: dict[type, str] = {
    Ocv: "OCV",
    Cp: "CP",
    Ca: "CA",
    Draw: "DRAW",
    Eis: "EIS",
    Loop: "loop",
    Segment: "segment",
    HostLoop: "host loop",
    SetPoint: "set point",
    Ask: "ask",
    Branch: "branch",
    Capacity: "capacity",
}
NO_JSON = ("nan", "inf", "-inf")
EXACT = 2**53  # whole numbers up to here are floats as they are
WORDS = {int: "whole number", bool: "yes or no", str: "text"}

Reader = Callable[[Any], Any]


def dump(program: Program) -> dict[str, Any]:
    """The program as dicts, lists, texts, finite numbers, bools and None: any JSON holds them."""
    return {"version": VERSION, "program": _written(program)}


def load(document: Mapping[str, Any]) -> Program:
    """The program that `dump` made this of. RecordError: it is none, and the first place that tells."""
    program: Program = _read(document, "program", Program)
    return program


def dump_nodes(nodes: tuple[Node, ...]) -> dict[str, Any]:
    """What is left of a program, whose steps and ends are what they were."""
    return {"version": VERSION, "nodes": _written(nodes)}


def load_nodes(document: Mapping[str, Any]) -> tuple[Node, ...]:
    """What `dump_nodes` made this of. RecordError as in `load`."""
    nodes: tuple[Node, ...] = _read(document, "nodes", tuple[Node, ...])
    return nodes


def _read(document: Mapping[str, Any], name: str, hint: Any) -> Any:
    version = document.get("version") if isinstance(document, Mapping) else None
    if version != VERSION:
        known = f"this nakctl reads version {VERSION}"
        raise RecordError(f"the program cannot be read: it has the version {_shown(version)}, {known}")
    try:
        return _reader(hint)(document.get(name))
    except _Unfit as unfit:
        place = ".".join((name, *unfit.place))
        raise RecordError(f"the program cannot be read: {place} {unfit}") from None


class _Unfit(Exception):
    """What stands in a place does not belong there. place: the way to it, from outside."""

    def __init__(self, what: str, *place: str) -> None:
        super().__init__(what)
        self.place = place

    def within(self, place: str) -> _Unfit:
        return _Unfit(str(self), place, *self.place)


def _written(value: Any) -> Any:
    of = type(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if of is tuple:
        return [_written(each) for each in value]
    if not is_dataclass(of):
        return value
    written = {"is": TAGS[of]} if of in TAGS else {}
    for name in _readers(of):
        written[name] = _written(getattr(value, name))
    return written


@cache
def _reader(hint: Any) -> Reader:
    """Makes the value of what `_written` made of it; raises _Unfit if that is something else."""
    choices = get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return partial(_object, hint)
    if get_origin(hint) is Literal:
        return partial(_one_of, choices)
    if get_origin(hint) is tuple:
        return partial(_list, _reader(choices[0]))
    if get_origin(hint) is UnionType and NoneType in choices:
        [reader] = [_reader(each) for each in choices if each is not NoneType]
        return lambda given: None if given is None else reader(given)
    if get_origin(hint) is UnionType:
        return partial(_tagged, {TAGS[each]: _reader(each) for each in choices})
    return _float if hint is float else partial(_plain, hint)


@cache
def _readers(of: type) -> dict[str, Reader]:
    """Of the fields; asked for when they are needed, because a loop of nodes is a node."""
    hints = get_type_hints(of)
    return {field.name: _reader(hints[field.name]) for field in fields(of)}


def _object(of: type, given: Any) -> Any:
    if type(given) is not dict:
        raise _Unfit(f"has no fields: {_shown(given)}")
    readers, values = _readers(of), {}
    for name, value in given.items():
        reader = readers.get(name)
        if reader is not None:
            try:
                values[name] = reader(value)
            except _Unfit as unfit:
                raise unfit.within(name) from None
        elif name != "is" or of not in TAGS:
            raise _Unfit("is nothing that this nakctl knows", name)
    if len(values) < len(readers):
        for field in fields(of):
            if field.name not in values and field.default is MISSING:
                raise _Unfit("is missing", field.name)
    return of(**values)


def _list(reader: Reader, given: Any) -> tuple[Any, ...]:
    if type(given) is not list:
        raise _Unfit(f"is no list: {_shown(given)}")
    values = []
    for place, value in enumerate(given):
        try:
            values.append(reader(value))
        except _Unfit as unfit:
            raise unfit.within(str(place)) from None
    return tuple(values)


def _tagged(readers: Mapping[str, Reader], given: Any) -> Any:
    tag = given.get("is") if type(given) is dict else None
    if type(tag) is not str or tag not in readers:
        raise _Unfit(f"is none of {', '.join(readers)}: {_shown(tag)}")
    return readers[tag](given)


def _one_of(choices: tuple[Any, ...], given: Any) -> Any:
    if given not in choices:
        raise _Unfit(f"is none of {', '.join(choices)}: {_shown(given)}")
    return given


def _float(given: Any) -> float:
    of = type(given)
    if of is float or (of is int and abs(given) <= EXACT) or (of is str and given in NO_JSON):
        return float(given)
    raise _Unfit(f"is no number: {_shown(given)}")


def _plain(of: type, given: Any) -> Any:
    if type(given) is not of:
        raise _Unfit(f"is no {WORDS[of]}: {_shown(given)}")
    return given


def _shown(given: Any) -> str:
    text = repr(given)
    return text if len(text) < 40 else f"{text[:40]}..."
