"""What came of the files of a repository: values that every way of telling them draws on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nakctl.checks.judged import Judged
from nakctl.cli.prepare import Wishes
from nakctl.errors import ExitCode, Fault

Stage = Literal["check", "plan", "dry run", "expect"]
STAGES: tuple[Stage, ...] = ("check", "plan", "dry run", "expect")
OF_FILES: tuple[Stage, ...] = ("check", "plan")  # what is wrong there is mended in a file


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, at a place in a file. word: of `expect`, if it is about one."""

    stage: Stage
    fault: Fault
    word: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A protocol on a cell, with parameters.

    cell      as rig.yaml or the simulator calls it
    also      other cells of the rig of which the very same would come
    expected  numbers of the entries of `expect` that say what comes of it
    skipped   why there is no dry run; "": there is one
    chosen    nobody named the cell: it is one of several of the rig
    """

    file: str
    cell: str
    wishes: Wishes
    also: tuple[str, ...] = ()
    expected: tuple[int, ...] = ()
    skipped: str = ""
    chosen: bool = False

    @property
    def label(self) -> str:
        """`C7, rest=0.1 s`"""
        return ", ".join([self.cell, *(f"{name}={value}" for name, value in self.wishes.sets.items())])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case, as far as it came.

    on         what it ran on, in words; planned_s: how long it was to take, None: until something ends it
    report     as `nakctl run --json` has it
    wall_s     how long the dry run took here
    """

    case: Case
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[Fault, ...] = ()
    on: str = ""
    planned_s: float | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    judged: tuple[Judged, ...] = ()
    wall_s: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.case.file} on {self.case.label}" if self.case.cell else self.case.file

    @property
    def can_run(self) -> bool:
        """Of one that was checked and planned."""
        return not self.troubles and not self.case.skipped

    @property
    def failed(self) -> Stage | None:
        """The first stage that something went wrong in."""
        return next((stage for stage in STAGES if any(one.stage == stage for one in self.troubles)), None)

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.failed in OF_FILES:
            return "FAULT"
        if self.failed == "dry run":
            return "STOPPED"
        return "NOT MET" if self.failed == "expect" else "skipped" if self.case.skipped else "ok"


@dataclass(frozen=True, slots=True)
class Looked:
    """A rig, a file of cells or a campaign: what is wrong with it, and what it holds."""

    file: str
    troubles: tuple[Trouble, ...] = ()
    warnings: tuple[Fault, ...] = ()
    told: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A protocol that was not looked at."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What a protocol does otherwise than at the base, in Markdown. alarming: changes for the worse."""

    file: str
    text: str
    alarming: int = 0


@dataclass(frozen=True, slots=True)
class Everything:
    """What there is to tell in the end.

    since        what changed is told beside this; "": nothing to compare with, and `why` says so
    differences  what changed protocols do otherwise; removed: those that are gone
    undone       runs that are missing, because it was interrupted
    """

    outcomes: Sequence[Outcome] = ()
    looked: Sequence[Looked] = ()
    left_out: Sequence[LeftOut] = ()
    since: str = ""
    why: str = ""
    differences: Sequence[Changed] = ()
    removed: Sequence[str] = ()
    wall_s: float = 0.0
    undone: int = 0
    interrupted: bool = False

    @property
    def all(self) -> list[Looked | Outcome]:
        return [*self.looked, *self.outcomes]

    @property
    def troubles(self) -> list[Trouble]:
        return [trouble for one in self.all for trouble in one.troubles]

    @property
    def warnings(self) -> list[Fault]:
        return list(dict.fromkeys(each for one in self.all for each in one.warnings))

    @property
    def exit_code(self) -> ExitCode:
        """Files that have to be mended come first: of what they would do nothing is known."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        stages = {trouble.stage for trouble in self.troubles}
        if stages & {*OF_FILES}:
            return ExitCode.BAD_INPUT
        return ExitCode.FAILED if stages else ExitCode.DONE


def faults_of(troubles: Iterable[Trouble]) -> list[Fault]:
    """Each once: a slip of a protocol is the same on every cell."""
    return list(dict.fromkeys(trouble.fault for trouble in troubles))
