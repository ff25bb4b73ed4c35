"""Parameters: `$name` in a protocol becomes the declared value, or the one that is given for a run.

A `$name` is a whole value; there is no arithmetic, nothing inside texts, no parameter in another. The level
of a staircase keeps its dollar sign: it is known only when the plan is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from nakctl.errors import NO_MARK, Fault, InputError
from nakctl.text.faults import Problem, did_you_mean
from nakctl.text.quantities import as_ref, refuse_close_commas, share_unit
from nakctl.text.reader import Document, Loc, read_text
from nakctl.text.units import UnitError

BY_SET = "--set"  # how values are given in a terminal


@dataclass(frozen=True, slots=True)
class Bound:
    """A document with its parameters filled in.

    data      the values, without any declared `$name`
    params    what each parameter is now
    used      where a parameter stood: location -> name
    problems  what is wrong with the file; faults: what is wrong with given values
    """

    data: dict[str, Any]
    params: dict[str, Any]
    used: Mapping[Loc, str]
    problems: tuple[Problem, ...]
    faults: tuple[Fault, ...]


def bind(document: Document, overrides: Mapping[str, str], given_by: str = BY_SET) -> Bound:
    """Fill the parameters in. What is wrong is collected; the values it concerns stay as written.

    given_by  what whoever gave `overrides` calls that
    """
    declared = document.data.get("params")
    declared = declared if isinstance(declared, dict) else {}
    given, faults = _given(overrides, declared, given_by)
    filling = _Filling(declared | given)
    data = {
        word: value if word == "params" else filling.fill(value, (word,), frozenset())
        for word, value in document.data.items()
    }
    counted = {name for loc, name in filling.used.items() if loc[0] != "expect"}  # there it changes no run
    found = (*_badly_declared(declared, counted), *filling.problems)
    return Bound(data, declared | given, filling.used, found, tuple(faults))


def split_each(text: str) -> tuple[str, list[str]]:
    """`rest=0.1, 1, 5 s` -> ("rest", ["0.1 s", "1 s", "5 s"]): a bare number takes the unit of the last."""
    name, equals, values = text.partition("=")
    try:
        refuse_close_commas(values)
    except UnitError as error:
        raise InputError(f"--each {text}: {error}") from None
    parts = share_unit(values.split(","))
    if not equals or not name.strip() or not all(parts):
        raise InputError(f"--each {text}: write it as name=value,value,...")
    return name.strip(), parts


def _given(
    overrides: Mapping[str, str], declared: Mapping[str, Any], given_by: str
) -> tuple[dict[str, Any], list[Fault]]:
    """The values, read as YAML reads them."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in overrides.items():
        here = f"{given_by} {name}={text}"
        if name not in declared:
            listed = f"its parameters are: {', '.join(declared)}" if declared else "it has none"
            hint = did_you_mean(name, declared) or ";"
            faults.append(Fault(here, NO_MARK, f"{name} is no parameter of this protocol{hint} {listed}"))
            continue
        try:
            values[name] = read_text(f"value: {text}", here).data["value"]
        except InputError as error:
            faults += [Fault(here, NO_MARK, one.message) for one in error.faults]
    return values, faults


def _badly_declared(declared: Mapping[str, Any], used: Collection[str]) -> list[Problem]:
    """A parameter has a value and a use: --set of one without use would change nothing, silently."""
    found = []
    for name, value in declared.items():
        loc = ("params", name)
        if value is None:
            found.append(Problem(loc, f"{name} has no value: give its default"))
        elif as_ref(value):
            found.append(Problem(loc, f"{name} is {value}: a parameter cannot stand for another"))
        elif name not in used:
            found.append(
                Problem(loc, f"{name} is never used: write ${name} where it belongs, or delete it", True)
            )
    return found


class _Filling:
    """Walks the data, putting values in place of names."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.params = params
        self.used: dict[Loc, str] = {}
        self.problems: list[Problem] = []

    def fill(self, value: Any, loc: Loc, levels: frozenset[str]) -> Any:
        """The value without parameters. levels: names that enclosing staircases give to their level."""
        if isinstance(value, dict):
            inner = self.levels_in(value, loc, levels)
            return {
                word: self.fill(part, (*loc, word), inner if word == "steps" else levels)
                for word, part in value.items()
            }
        if isinstance(value, list):
            return [self.fill(part, (*loc, i), levels) for i, part in enumerate(value)]
        return self.named(value, loc, levels)

    def levels_in(self, step: dict[str, Any], loc: Loc, levels: frozenset[str]) -> frozenset[str]:
        """The names known inside a staircase. Each means one thing only."""
        if "staircase" not in step:
            return levels
        name = str(step.get("as", "level"))
        if name in levels or name in self.params:
            what = "the level of an outer staircase" if name in levels else "a parameter"
            message = f"${name} is {what} already: give this level another name with `as: ...`"
            self.problems.append(Problem((*loc, "as"), message))
        return levels | {name}

    def named(self, value: Any, loc: Loc, levels: frozenset[str]) -> Any:
        ref = as_ref(value)
        if ref is None or ref.name in levels:
            return value
        if ref.name in self.params:
            self.used[loc] = ref.name
            return self.params[ref.name]
        known = [*self.params, *levels]
        listed = ", ".join(f"${name}" for name in known) or "none: declare it under params"
        hint = did_you_mean(ref.name, known) or ";"
        self.problems.append(Problem(loc, f"${ref.name} is no parameter{hint} known here are: {listed}"))
        return value
