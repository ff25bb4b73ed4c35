"""What nobody could say for certain of a real channel: every such fact is a switch with a name."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from nakctl.errors import RigError
from nakctl.text.meant import did_you_mean


@dataclass(frozen=True, slots=True)
class ChannelHabits:
    """Habits of the potentiostat, whatever it is read through. Each with what is uncertain about it.

    test_row           A row is written where a test is met. Without it nothing in the rows says that one was.
    end_row            A row is written at the end of OCV, CP and CA. Without it the last row is the one that
                       was due before, also if another is due at the end.
    eis_factor         Each frequency takes so many times as long as the instrument's data say.
    late_row_s         The last row of CP and CA carries a time that lies so much behind the first row of the
                       technique that follows (seen on hardware: about 10 us); 0: it does not.
    scan_means         A row of a ramp or scan holds means over the last half of the time since the row before
                       (the vendor writes <I> and <Ewe>); a row where a test is met holds what met it.
                       Without it every row is a reading of its moment.
    """

    test_row: bool = True
    end_row: bool = True
    eis_factor: float = 1.0
    late_row_s: float = 0.0
    scan_means: bool = False

    def __post_init__(self) -> None:
        if not 0.0 < self.eis_factor < math.inf:
            raise RigError(f"habit eis_factor={self.eis_factor}: a positive number")
        if not 0.0 <= self.late_row_s < math.inf:
            raise RigError(f"habit late_row_s={self.late_row_s}: a number of seconds, 0 or more")


H = TypeVar("H", bound=ChannelHabits)
USUAL = ChannelHabits()


def with_words(habits: H, words: list[str]) -> H:
    """Habits changed by texts like `eis_factor=1.35`. RigError says what there is."""
    return replace(habits, **dict(_change(type(habits), word) for word in words))


def _change(kind: type[ChannelHabits], word: str) -> tuple[str, Any]:
    name, _, text = word.partition("=")
    kinds = get_type_hints(kind)
    if name not in kinds:
        known = [each.name for each in fields(kind)]
        hint = did_you_mean(name, known) or ";"
        raise RigError(f"there is no habit {name}{hint} there are: {', '.join(known)}")
    return name, _value(name, kinds[name], text)


def _value(name: str, kind: Any, text: str) -> Any:
    choices = get_args(kind) if get_origin(kind) is Literal else (True, False) if kind is bool else ()
    for choice in choices:
        if str(choice).lower() == text.lower():
            return choice
    if choices:
        raise RigError(f"habit {name}={text}: one of {', '.join(map(str, choices))}")
    try:
        return kind(text)
    except ValueError:
        raise RigError(f"habit {name}={text}: a number") from None
