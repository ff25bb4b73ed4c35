"""What installed packages offer as entry points: drivers, kinds of sensors, what draws conclusions.

Looking through all packages of an environment takes some ten milliseconds, with hundreds of them more. What
is ours is found in one of them, and asked first.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points


def offered(group: str) -> tuple[EntryPoint, ...]:
    """All of a group, from all packages."""
    return tuple(entry_points(group=group))


def named(group: str, name: str) -> EntryPoint | None:
    """The one of this name; None: nobody offers it. Of two that are called alike, ours."""
    everybody = (each for of in (_ours, offered) for each in of(group))
    return next((each for each in everybody if each.name == name), None)


def _ours(group: str) -> Iterator[EntryPoint]:
    try:
        yield from distribution("nakctl").entry_points.select(group=group)
    except PackageNotFoundError:  # a source tree that is not installed
        return
