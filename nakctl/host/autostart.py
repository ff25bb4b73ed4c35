"""Who looks after the runs when the computer has started again: the system itself, every five minutes.

It runs `nakctl attach --all`, whether anybody is logged on or not.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

ARGUMENTS = ("attach", "--all")
# Folders by which programs of ours find each other: who starts without a terminal would look elsewhere.
_FOLDERS = ("NAKCTL_RUNS", "NAKCTL_CLAIMS", "XDG_DATA_HOME", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be started. variables: of the environment, that are set here and would not be there."""

    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Installed:
    """Whether it is, and how it goes.

    last     when it was started, as the system writes it; "": not yet
    code     with which it ended then; None: unknown
    remarks  what is not as it should be, a sentence each
    """

    is_there: bool
    last: str = ""
    code: int | None = None
    remarks: tuple[str, ...] = ()


class Autostart(Protocol):
    """One per kind of system."""

    def texts(self) -> Mapping[str, str]:
        """What is installed, by the name of its file or of its task."""

    def install(self) -> list[str]:
        """Or bring up to date. Returns remarks; NakctlError if it is not installed."""

    def remove(self) -> bool:
        """Whether there was one. NakctlError if it is still there."""

    def state(self) -> Installed: ...


def of_this_computer(*, logged_on: bool = False) -> Autostart:
    """logged_on: on Windows, only while this user is logged on."""
    command = [sys.executable, "-P", "-m", "nakctl", *ARGUMENTS]  # -P: nothing of the folder it starts in
    wanted = Wanted(command, carried_over(os.environ))
    if sys.platform == "win32":
        from nakctl.host import windows_autostart

        return windows_autostart.of_this_user(wanted, logged_on=logged_on)
    from nakctl.host import systemd

    return systemd.of_this_user(wanted, getpass.getuser())


def carried_over(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that have to be the same there, with whole paths."""
    ours = {name: value for name, value in environment.items() if name.startswith("NAKCTL_")}
    folders = {name: str(Path(environment[name]).absolute()) for name in _FOLDERS if environment.get(name)}
    return dict(sorted((ours | folders).items()))
