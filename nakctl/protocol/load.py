"""A protocol file, read, filled in and checked against the language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nakctl.errors import Mark, ProtocolError
from nakctl.protocol import library, rules
from nakctl.protocol.levels import Used, with_lowest_levels
from nakctl.protocol.model import KINDS, Protocol
from nakctl.protocol.model import Profile as ProfileWords
from nakctl.protocol.params import Bound, bind
from nakctl.protocol.profiles import MOST_BYTES, Profile, Unreadable, read_profile
from nakctl.text import faults
from nakctl.text.faults import Problem
from nakctl.text.reader import Document, Loc, read_file, read_plain


@dataclass(frozen=True, slots=True)
class Loaded:
    """A protocol without fault, the text it came from, and what its parameters are in this run."""

    protocol: Protocol
    document: Document
    params: dict[str, Any]
    profiles: Mapping[str, Profile] = field(default_factory=dict)  # by the name that the file gives
    texts: Mapping[str, str] = field(default_factory=dict)  # of what was read beside it

    def mark(self, *loc: str | int) -> Mark:
        """Where the file says this, e.g. mark("steps", 1, "steps", 0, "for"): the word, or what is around it.

        A step begins at its first word.
        """
        return self.document.key_mark(loc)


def load(name_or_path: str | Path, overrides: Mapping[str, str] | None = None) -> Loaded:
    """The protocol of this file, or the shipped one of this name. overrides: parameters by name, as text.

    Raises ProtocolError with every fault found; InputError if there is no such file.
    """
    document = read_file(library.find(name_or_path), ProtocolError)
    return _with_profiles(understand(document, overrides or {}))


def _with_profiles(loaded: Loaded) -> Loaded:
    """The tables that it names, from beside it."""
    folder, faults_found = Path(loaded.document.file).parent, []
    texts: dict[str, str] = {}
    profiles: dict[str, Profile] = {}
    for loc, name in _profiles_in(loaded.protocol.steps, ("steps",)):
        if name in texts:
            continue
        path = folder / name
        try:
            texts[name] = read_plain(path, MOST_BYTES, ProtocolError)
            profiles[name] = read_profile(texts[name], str(path))
        except Unreadable as error:
            faults_found.append(error.fault(str(path), texts[name]))
        except ProtocolError as error:
            faults_found.append(loaded.document.fault(loaded.mark(*loc), f"profile: {error}"))
    if faults_found:
        raise ProtocolError(faults_found)
    return replace(loaded, profiles=profiles, texts=texts)


def _profiles_in(steps: Sequence[Any], loc: Loc) -> Iterator[tuple[Loc, str]]:
    for k, step in enumerate(steps):
        if isinstance(step, ProfileWords):
            yield (*loc, k, "profile"), step.profile
        for word in ("steps", "then", "otherwise"):
            inner = getattr(step, word, None)
            if isinstance(inner, list):
                yield from _profiles_in(inner, (*loc, k, word))


def understand(document: Document, overrides: Mapping[str, str]) -> Loaded:
    """The protocol that a document says. Raises ProtocolError with every fault found."""
    bound = bind(document, overrides)
    protocol, refused = _validate(bound.data)
    origins = {name: _origin(name, document, overrides) for name in bound.params}
    misfits = _levels_that_do_not_fit(bound, origins)
    found = [*bound.problems, *rules.problems(bound.data), *refused, *misfits]
    if found:
        from nakctl.protocol import mistakes  # only now: a protocol without fault waits for no explanation

        found = mistakes.understood(bound.data, found)
    if found or bound.faults or protocol is None:
        told = [_explained(problem, bound, origins) for problem in found]
        raise ProtocolError([*bound.faults, *faults.in_order(told, document)])
    return Loaded(protocol, document, bound.params)


def _validate(data: dict[str, Any]) -> tuple[Protocol | None, list[Problem]]:
    try:
        return Protocol.model_validate(data), []
    except ValidationError as error:
        return None, faults.problems(error, data, Protocol, KINDS, "a protocol")


def _levels_that_do_not_fit(bound: Bound, origins: Mapping[str, str]) -> list[Problem]:
    """A `$level` where its unit or its sign is wrong."""
    lowest, used = with_lowest_levels(bound.data)
    refused = _validate(lowest)[1] if used else []
    return [
        Problem(
            problem.loc, f"{problem.message} (in place of {_given_by(used[problem.loc], bound, origins)})"
        )
        for problem in refused
        if problem.loc in used
    ]


def _given_by(used: Used, bound: Bound, origins: Mapping[str, str]) -> str:
    """`$level`, and which parameter its levels came from."""
    ends = [used.staircase, *((*used.staircase, word) for word in ("from", "to"))]
    params = dict.fromkeys(bound.used[loc] for loc in ends if loc in bound.used)
    return ", of ".join([f"${used.name}", *(f"${name}, {origins[name]}" for name in params)])


def _origin(name: str, document: Document, overrides: Mapping[str, str]) -> str:
    return "by --set" if name in overrides else f"line {document.mark(('params', name)).line}"


def _explained(problem: Problem, bound: Bound, origins: Mapping[str, str]) -> Problem:
    """Says which parameter brought the value that is wrong here, and where that one is set."""
    for end in range(len(problem.loc), 0, -1):
        name = bound.used.get(problem.loc[:end])
        if name is not None:
            return _brought_by([name], problem, bound, origins)
    parts = (name for loc, name in bound.used.items() if loc[:-1] == problem.loc and problem.loc)
    return _brought_by(list(dict.fromkeys(parts)), problem, bound, origins)


def _brought_by(names: list[str], problem: Problem, bound: Bound, origins: Mapping[str, str]) -> Problem:
    said = "".join(f" (${name} is {bound.params[name]}, {origins[name]})" for name in names)
    return Problem(problem.loc, problem.message + said, problem.at_key)
