"""What a pydantic model refused, told in sentences that point at the file.

Every refusal becomes a Problem: where in the data, and what would be right. pydantic's own location names
union branches and tags that the file knows nothing of: they are passed over by walking down the data too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from nakctl.errors import Fault
from nakctl.text import sentences
from nakctl.text.reader import Document, Loc
from nakctl.text.sentences import Model, did_you_mean

__all__ = ["Problem", "did_you_mean", "fault", "in_order", "problems"]

_WITHOUT_KIND = "expect"  # a list whose items have none: `set` is a word there


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong at loc in the data. at_key: the word itself is wrong, not its value."""

    loc: Loc
    message: str
    at_key: bool = False


def fault(problem: Problem, document: Document) -> Fault:
    """The problem with its place in the file."""
    mark = document.key_mark(problem.loc) if problem.at_key else document.mark(problem.loc)
    return document.fault(mark, problem.message)


def in_order(problems: Iterable[Problem], document: Document) -> tuple[Fault, ...]:
    """Faults as one reads the file; of several problems at one place the first given."""
    first: dict[Loc, Problem] = {}
    for problem in problems:
        first.setdefault(problem.loc, problem)
    found = [fault(problem, document) for problem in first.values()]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.mark, one.message)))


def problems(
    error: ValidationError, data: Any, model: Model, tags: Mapping[str, Model], whole: str
) -> list[Problem]:
    """Each refusal as a Problem. tags: the models that a discriminated union tells apart, by tag.

    whole  what all of the data is called: `a protocol`, `a sensor of kind scpi`
    """
    told = [_told(details, data, model, tags, whole) for details in error.errors()]
    return _best_branches(_lacking_together(_without_echo(told)))


@dataclass(frozen=True, slots=True)
class _Told:
    """A problem and what sorts it out from others.

    branches  of unions that pydantic was in when it met it: (where, which)
    words     what is missing, or what an unknown word was perhaps meant to be: (where, which)
    lacking   of whom a word is missing: the model, and what it is called
    """

    problem: Problem
    branches: tuple[tuple[Loc, str], ...]
    words: frozenset[tuple[Loc, str]] = frozenset()
    lacking: tuple[Model, str] | None = None

    @property
    def wrong_shape(self) -> bool:
        """The branch was not meant at all, if another one got further."""
        return self.problem.message.startswith("must be")


def _told(details: ErrorDetails, data: Any, top: Model, tags: Mapping[str, Model], whole: str) -> _Told:
    trace = _Trace(data, (top,))
    for before, part in pairwise(("", *details["loc"])):
        trace.step(before, part, tags)
    word = str(details["loc"][-1]) if details["loc"] else ""
    match details["type"]:
        case "missing":
            model = trace.here[0]
            called = _called(trace.path, model, tags, whole)
            asked = frozenset({(trace.path, word)})
            problem = Problem(trace.path, sentences.missing([word], model, called))
            return _Told(problem, tuple(trace.branches[:-1]), asked, (model, called))
        case "extra_forbidden":
            model, parent = trace.owner[0], trace.path[:-1]
            message = sentences.unknown(word, model, _called(parent, model, tags, whole), tags)
            meant = frozenset((parent, near) for near in sentences.nearest(word, sentences.words_of(model)))
            return _Told(Problem(trace.path, message, at_key=True), tuple(trace.branches), meant)
        case "union_tag_not_found":
            at, message = sentences.no_kind(details["input"], tags)
            return _Told(Problem((*trace.path, *at), message, at_key=True), tuple(trace.branches))
        case _:
            message = sentences.wrong_value(details)
            return _Told(Problem(trace.path, message, at_key=word == "[key]"), tuple(trace.branches))


class _Trace:
    """Follows pydantic's location through the data and the models at once."""

    def __init__(self, data: Any, models: tuple[Model, ...]) -> None:
        self.node = data
        self.path: Loc = ()
        self.here = self.owner = models
        self.branches: list[tuple[Loc, str]] = []

    def step(self, before: str | int, part: str | int, tags: Mapping[str, Model]) -> None:
        if isinstance(before, int) and part in tags and _WITHOUT_KIND not in self.path[-2:]:
            self.here = (tags[str(part)],)
        elif _leads_on(self.node, part):
            self.owner, self.here = self.here, _models_below(self.here, part) or self.here
            self.node, self.path = self.node[part], (*self.path, part)
        elif isinstance(part, str):  # the number of an only item, which stands there without a list, is none
            self.branches.append((self.path, part))
            self.here = tuple(model for model in self.here if model.__name__ == part) or self.here


def _leads_on(node: Any, part: str | int) -> bool:
    return (isinstance(node, dict) and part in node) or (isinstance(node, list) and part in range(len(node)))


def _models_below(models: tuple[Model, ...], word: str | int) -> tuple[Model, ...]:
    fields = [
        field
        for model in models
        for name, field in model.model_fields.items()
        if word == (field.alias or name)
    ]
    return tuple(found for field in fields for found in _models_in(field.annotation))


def _models_in(annotation: Any) -> tuple[Model, ...]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(found for part in get_args(annotation) for found in _models_in(part))


def _called(path: Loc, model: Model, tags: Mapping[str, Model], whole: str) -> str:
    """A step by its kind, anything else by the word that leads to it: `cp`, `record`; else the whole."""
    tag = next((tag for tag, known in tags.items() if known is model), None)
    names = [part for part in path if isinstance(part, str)]
    return tag or (names[-1] if names else whole)


def _without_echo(told: list[_Told]) -> list[_Told]:
    """`hlod: 1 h` is one slip, although `hold` is missing too."""
    meant = frozenset[tuple[Loc, str]]().union(*(one.words for one in told if one.problem.at_key))
    return [one for one in told if one.problem.at_key or not one.words & meant]


def _lacking_together(told: list[_Told]) -> list[_Told]:
    """The words that one place lacks as one problem: of each place the first one is told."""
    words: dict[Any, list[str]] = {}
    for one in told:
        if one.lacking is not None:
            words.setdefault((one.problem.loc, one.branches, one.lacking), []).extend(w for _, w in one.words)
    found: list[_Told] = []
    for one in told:
        lacked = words.pop((one.problem.loc, one.branches, one.lacking), None)
        if one.lacking is None:
            found.append(one)
        elif lacked is not None:
            message = sentences.missing(lacked, *one.lacking)
            found.append(replace(one, problem=replace(one.problem, message=message)))
    return found


def _best_branches(told: list[_Told]) -> list[Problem]:
    """Where a word takes one thing or another, keep what concerns the one that was meant."""
    found: list[Problem] = []
    for one in told:
        rivals = [other for other in told if _same_union(one, other)]
        if not one.wrong_shape or not one.branches:
            found.append(one.problem)
        elif all(rival.wrong_shape for rival in rivals):
            choices = dict.fromkeys(rival.problem.message.removeprefix("must be ") for rival in rivals)
            found.append(Problem(one.problem.loc, f"must be {' or '.join(choices)}"))
    return found


def _same_union(one: _Told, other: _Told) -> bool:
    """Both met in the union at one's innermost branch."""
    where = one.branches[-1][0] if one.branches else None
    return any(place == where for place, _ in other.branches)
