"""Workflow commands of GitHub: each fault beside its line in the review."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nakctl.cli.ci.outcome import Everything, faults_of
from nakctl.errors import NO_MARK, Fault

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}


def annotated(everything: Everything, in_repository: Callable[[str], str]) -> Iterator[str]:
    """in_repository: a file as it is called from the top of the repository."""
    for fault in faults_of(everything.troubles):
        yield _command("error", fault, in_repository(fault.file))
    for fault in everything.warnings:
        yield _command("warning", fault, in_repository(fault.file))


def _command(level: str, fault: Fault, file: str) -> str:
    where = {"file": file}
    if fault.mark != NO_MARK:
        where |= {"line": str(fault.mark.line), "col": str(fault.mark.column)}
    told = ",".join(
        f"{name}={_escaped(value, _PROPERTY)}" for name, value in (where | {"title": "nakctl"}).items()
    )
    return f"::{level} {told}::{_escaped(fault.message, _DATA)}"


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
