"""What can go wrong, sorted by what the reader can do about it.

NakctlError                 exit code
  InputError                2   edit a file or the command line
    ProtocolError               the YAML of a protocol
    CellError                   the YAML of a cell
    RigError                    rig.yaml, or the name of a channel
    NotInstalled                packages of an extra are not there
    LimitError                  the plan asks for more than the instrument can do
      ChainTooLong                its chains could be shorter
  ChannelError              3   the instrument or its link
    LinkLost                    it does not answer
    ChannelTaken                another program or another firmware is on the channel
    ChannelGone                 it ended with the program that ran it
    IllegalEvent                it did what no table expects
  RecordError               1   the disk
"""

from __future__ import annotations

import os
import shlex
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from importlib.util import find_spec
from pathlib import Path


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1
    BAD_INPUT = 2
    INSTRUMENT = 3
    INTERRUPTED = 130


# What a program that ran an experiment leaves with, by the status of the run, unless an error says otherwise.
EXIT_CODES: Mapping[str, ExitCode] = {
    "completed": ExitCode.DONE,
    "stopped": ExitCode.FAILED,  # by a limit
    "recovered": ExitCode.FAILED,  # after its program died
    "aborted": ExitCode.INTERRUPTED,  # by the operator
    "interrupted": ExitCode.INSTRUMENT,  # by the instrument, its link, or nobody knows what
}


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a text file, counted from 1 as editors do."""

    line: int
    column: int


NO_MARK = Mark(0, 0)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at one place: the fact first, then what would be right.

    text is the offending line itself, without its end. file may be an option of the command line, which has
    no lines: then the mark is NO_MARK.
    """

    file: str
    mark: Mark
    message: str
    text: str = ""

    def __str__(self) -> str:
        if self.mark == NO_MARK:
            return f"{self.file}  {self.message}"
        place = f"{self.file}:{self.mark.line}:{self.mark.column}  {self.message}"
        return f"{place}\n{self.mark.line:>4} | {self.text}" if self.text else place


def typed(path: Path | str) -> str:
    """How it stands in a command that somebody is told to type: in quotes, if a shell would take it apart."""
    text = str(path)
    if os.name == "nt":
        return f'"{text}"' if set(text) & set(" &()[]{}^=;!'+,`~") else text
    return shlex.quote(text)


class NakctlError(Exception):
    """Anything nakctl explains in a sentence instead of a traceback."""

    exit_code = ExitCode.FAILED


class InputError(NakctlError):
    """Bad input: nothing was started. Carries every fault found, not only the first."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, faults: str | Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = () if isinstance(faults, str) else tuple(faults)
        super().__init__(faults if isinstance(faults, str) else "\n".join(map(str, self.faults)))


class NotInstalled(InputError, ImportError):
    """It needs packages that belong to an extra."""


class ProtocolError(InputError):
    """Edit the protocol."""


class CellError(InputError):
    """Edit the cell's file, or name another cell."""


class RigError(InputError):
    """Edit rig.yaml, or name another channel."""


class LimitError(InputError):
    """The plan exceeds the instrument."""


class ChainTooLong(LimitError):
    """The channel does not hold a chain of so many techniques. can_feed: longer ones could be handed over
    while they run."""

    def __init__(self, message: str, techniques: int, *, can_feed: bool = True) -> None:
        super().__init__(message)
        self.techniques, self.can_feed = techniques, can_feed


class ChannelError(NakctlError):
    """The instrument or its link; the record is whole up to this moment."""

    exit_code = ExitCode.INSTRUMENT


class LinkLost(ChannelError):
    """The instrument does not answer."""


class ChannelTaken(ChannelError):
    """The channel is no longer this run's: there is nothing on it to stop, and nothing to read."""


class ChannelGone(ChannelError):
    """The channel does not outlive its program: there is nothing to stop, and nothing to fetch."""


class IllegalEvent(ChannelError):
    """The instrument did something that no state of the engine expects."""


class RecordError(NakctlError):
    """The journal or the result file could not be written or read."""


def need(what: str, extra: str, *packages: str) -> None:
    """NotInstalled, with what to do, if one of these is not there. what: that needs them."""
    missing = [each for each in packages if find_spec(each) is None]
    if missing:
        names = ", ".join(missing)
        raise NotInstalled(f'{what} needs {names}, not installed here: pip install "nakctl[{extra}]"')


def place_of(error: BaseException) -> str:
    """Of a fault of the program itself: where it happened, for a sentence."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "somewhere"
