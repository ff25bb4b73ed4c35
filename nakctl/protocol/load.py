"""A protocol file, read, filled in and checked against the language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nakctl.errors import Mark, ProtocolError
from nakctl.protocol import expect_rules, library, rules
from nakctl.protocol.levels import Used, with_lowest_levels
from nakctl.protocol.model import KINDS, Expect, Protocol
from nakctl.protocol.model import Profile as ProfileWords
from nakctl.protocol.params import BY_SET, Bound, bind
from nakctl.protocol.profiles import MOST_BYTES, Profile, Unreadable, read_profile
from nakctl.protocol.written import words
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

    def expected(self, *cell: str) -> list[tuple[int, Expect]]:
        """What is expected of a run with these parameters, by number from 0. cell: and on the one of these
        names."""
        return [
            (k, expect)
            for k, expect in enumerate(self.protocol.expect)
            if self._is_set_so(expect) and (not cell or expect.is_for(*cell))
        ]

    def _is_set_so(self, expect: Expect) -> bool:
        wanted = words(self.document.data.get("params")) | expect.sets
        return all(_plain(wanted.get(name)) == _plain(value) for name, value in self.params.items())

    def expect_loc(self, number: int) -> Loc:
        """Where the expectation of this number stands."""
        return ("expect", number) if isinstance(self.document.data["expect"], list) else ("expect",)


def load(
    name_or_path: str | Path, overrides: Mapping[str, str] | None = None, given_by: str = BY_SET
) -> Loaded:
    """The protocol of this file, or the shipped one of this name. overrides: parameters by name, as text;
    given_by: what whoever gave them calls that, in what is told of them.

    Raises ProtocolError with every fault found; InputError if there is no such file.
    """
    return filled(document_of(name_or_path), overrides or {}, given_by)


def document_of(name_or_path: str | Path) -> Document:
    """As it is written; the same for any parameters."""
    document = read_file(library.find(name_or_path), ProtocolError)
    if "nakctl-campaign" in document.data and "nakctl" not in document.data:
        raise ProtocolError(f"{document.file} is a campaign, for nakctl campaign; a protocol has steps")
    return document


def filled(document: Document, overrides: Mapping[str, str], given_by: str = BY_SET) -> Loaded:
    """The protocol with these parameters, and the tables that it names."""
    return _with_profiles(understand(document, overrides, given_by))


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


def understand(document: Document, overrides: Mapping[str, str], given_by: str = BY_SET) -> Loaded:
    """The protocol that a document says. Raises ProtocolError with every fault found."""
    bound = bind(document, overrides, given_by)
    protocol, refused = _validate(bound.data)
    origins = {
        name: f"by {given_by}" if name in overrides else f"line {document.mark(('params', name)).line}"
        for name in bound.params
    }
    misfits = _levels_that_do_not_fit(bound, origins)
    found = [*bound.problems, *rules.problems(bound.data), *refused, *misfits]
    if found:
        from nakctl.protocol import mistakes  # only now: a protocol without fault waits for no explanation

        found = mistakes.understood(bound.data, found)
    if found or bound.faults or protocol is None:
        told = [_explained(problem, bound, origins) for problem in found]
        raise ProtocolError([*bound.faults, *faults.in_order(told, document)])
    loaded = Loaded(protocol, document, bound.params)
    if wrong := list(_wrong_sets(loaded, overrides)):
        raise ProtocolError(faults.in_order(wrong, document))
    return loaded


def _wrong_sets(loaded: Loaded, overrides: Mapping[str, str]) -> Iterator[Problem]:
    """Values of `set` in `expect` with which it is no protocol."""
    for loc, written in expect_rules.each(loaded.document.data):
        expect = loaded.protocol.expect[loc[-1] if isinstance(loc[-1], int) else 0]
        if not expect.sets or all(overrides.get(name) == value for name, value in expect.sets.items()):
            continue
        try:
            understand(replace(loaded.document, data=_without_expect(loaded.document)), expect.sets)
        except ProtocolError as error:
            for fault in error.faults:
                name = next((name for name in written["set"] if f"${name} " in fault.message), None)
                at = (*loc, "set") if name is None else (*loc, "set", name)
                yield Problem(at, fault.message.replace(", by --set)", ")"))


def _without_expect(document: Document) -> dict[str, Any]:
    return {word: value for word, value in document.data.items() if word != "expect"}


def _plain(value: object) -> str:
    """`0.1s` is `0.1 s`."""
    return "".join(str(value).split()).casefold() if isinstance(value, bool | str) else repr(value)


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


def _explained(problem: Problem, bound: Bound, origins: Mapping[str, str]) -> Problem:
    """Says which parameter brought the value that is wrong here, and where that one is set."""
    for end in range(len(problem.loc), 0, -1):
        name = bound.used.get(problem.loc[:end])
        if name is not None:
            return _brought_by([name], problem, bound, origins)
    parts = (name for loc, name in bound.used.items() if loc[:-1] == problem.loc and problem.loc)
    return _brought_by(list(dict.fromkeys(parts)), problem, bound, origins)


def _brought_by(names: list[str], problem: Problem, bound: Bound, origins: Mapping[str, str]) -> Problem:
    # A number in quotes is a text, which is not seen once it is written without them.
    shown = repr if "number" in problem.message else str
    said = "".join(f" (${name} is {shown(bound.params[name])}, {origins[name]})" for name in names)
    return Problem(problem.loc, problem.message + said, problem.at_key)
