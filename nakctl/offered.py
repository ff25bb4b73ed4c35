"""What installed packages offer as entry points: drivers, kinds of sensors, what draws conclusions.

Looking through all packages of an environment takes some ten milliseconds, with hundreds of them more. What
is ours is found in one of them, and asked first.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def offered(group: str) -> tuple[EntryPoint, ...]:
    """All of a group, from all packages."""
    from importlib.metadata import entry_points  # late: it brings a parser of mails

    return tuple(entry_points(group=group))


@cache
def ours(group: str) -> tuple[EntryPoint, ...]:
    """Those of nakctl itself, which stay as they are: a campaign asks ten thousand times."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return tuple(distribution("nakctl").entry_points.select(group=group))
    except PackageNotFoundError:  # a source tree that is not installed
        return ()


def named(group: str, name: str) -> EntryPoint | None:
    """The one of this name; None: nobody offers it. Of two that are called alike, ours."""
    everybody = (each for of in (ours, offered) for each in of(group))
    return next((each for each in everybody if each.name == name), None)
