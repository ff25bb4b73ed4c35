"""What a channel is loaded with for a chain: an entry for each technique, and one more before each that
begins with a pulse at the trigger output, which runs during the technique behind it. Pure.

Only here, and where rows are placed, is it known that entries are more than techniques.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nakctl.device.program import Loop, Technique, trigger_s
from nakctl_biologic.codes import Board
from nakctl_biologic.params import Loaded, loop, trigger_out

HIGH = 1  # Trigger_Logic; what helao-async sends. That 1 is high, nobody here has seen


def entries_of(techniques: Sequence[Technique], loaded: Sequence[Loaded], board: Board) -> tuple[Loaded, ...]:
    """loaded: an entry for each technique. A loop leads back to the pulse of what it begins with."""
    made: list[Loaded] = []
    begins: list[int] = []
    for technique, entry in zip(techniques, loaded, strict=True):
        begins.append(len(made))
        if pulse_s := trigger_s(technique):
            made.append(trigger_out(HIGH, pulse_s, board))
        if isinstance(technique, Loop):
            entry = replace(entry, params=tuple(loop(replace(technique, to=begins[technique.to]))))
        made.append(entry)
    return tuple(made)


def techniques_of(techniques: Sequence[Technique]) -> tuple[int, ...]:
    """Of each entry the place of its technique in the chain; of a pulse that of the technique behind it."""
    return tuple(
        place for place, each in enumerate(techniques) for _ in range(2 if trigger_s(each) > 0 else 1)
    )
