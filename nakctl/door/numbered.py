"""Things with a number, as `nakctl show` and the file say it: the first one is 1."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError
from nakctl.record.columns import Columns
from nakctl.text.meant import did_you_mean

Table = TypeVar("Table", bound=Columns)


class NoSuch(InputError, LookupError):
    """There is nothing of this number or name, or nothing with it can be meant."""


class Sensors(dict[str, Table], Generic[Table]):
    """Tables by the name of their sensor."""

    def __missing__(self, name: str) -> Table:
        hint = did_you_mean(name, self) or ";"
        raise KeyError(f"there is no sensor {name}{hint} there are: {', '.join(self) or 'none'}")


def place_of(number: Any, numbers: npt.NDArray[Any], what: str) -> int:
    """Where this number stands; -1 is the last one, -2 the one before. NoSuch, with those that there are."""
    if not isinstance(number, int | np.integer) or isinstance(number, bool):
        raise NoSuch(f"{number!r} is no number of a {what}: they are whole")
    if -len(numbers) <= number < 0:
        return len(numbers) + number
    found = np.flatnonzero(numbers == number)
    if len(found):
        return int(found[0])
    known = f"{numbers[0]} to {numbers[-1]}" if len(numbers) else "none"
    raise NoSuch(f"there is no {what} {number}; there are: {known}")


def places_of(numbers_wanted: slice, numbers: npt.NDArray[Any]) -> range:
    """Of a slice by number: its start is in it, its stop is not; negative ones count from the end."""

    def place(bound: int | None) -> int | None:
        return bound if bound is None or bound < 0 else int(np.searchsorted(numbers, bound))

    ends = slice(place(numbers_wanted.start), place(numbers_wanted.stop), numbers_wanted.step)
    return range(len(numbers))[ends]
