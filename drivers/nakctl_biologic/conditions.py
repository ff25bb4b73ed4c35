"""Tests of a step -> the three test slots of CPLIMIT and CALIMIT.

And of those of VSCANLIMIT and ISCANLIMIT, where they are compared strictly.

Bits of a slot: 0 active; 1 AND with the next slot (else OR); 2..4 above (else below); 5.. the quantity.
The slots are evaluated ((1 op 2) op 3). Source: the vendor's manual as transcribed in helao-async; the values
agree with those of Matlab4Potentiostat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nakctl.device.program import Test, Tested
from nakctl.errors import LimitError
from nakctl_biologic.records import Param, array, integer, single

SLOTS = 3
ACTIVE, AND, ABOVE = 1, 2, 4
EWE, I = 0 << 5, 3 << 5
NEXT_TECHNIQUE, STOP_EXPERIMENT = 1, 2  # Exit_Cond

Slot = tuple[int, float]  # configuration, value
IDLE: Slot = (0, 0.0)


def slots(tests: Sequence[Test]) -> tuple[Slot, ...]:
    """Always three. Any one test suffices. LimitError if there are too many.

    |I| takes two slots, one for each sign of the current. Its AND binds only with what stands before it, so
    a test of |I| below comes first.
    """
    first = sorted(tests, key=lambda test: (test.quantity, test.side) != ("|I|", "below"))
    found = tuple(slot for test in first for slot in _slots_of(test))
    if len(found) > SLOTS:
        raise LimitError(f"the instrument has {SLOTS} tests per step, not {len(found)}")
    return found + (IDLE,) * (SLOTS - len(found))


def _slots_of(test: Test) -> tuple[Slot, ...]:
    above = ABOVE if test.side == "above" else 0
    if test.quantity == "Ewe":
        return ((ACTIVE | EWE | above, test.value),)
    if test.side == "above":
        return (ACTIVE | I | ABOVE, test.value), (ACTIVE | I, -test.value)
    return (ACTIVE | AND | I, test.value), (ACTIVE | I | ABOVE, -test.value)


def condition_params(steps: Sequence[Tested]) -> Iterable[Param]:
    """The arrays Test1_Config ... Exit_Cond, one element per step or vertex, those of idle slots included."""
    table = [slots(step.tests) for step in steps]
    for number in range(SLOTS):
        yield from array(integer, f"Test{number + 1}_Config", [row[number][0] for row in table])
        yield from array(single, f"Test{number + 1}_Value", [row[number][1] for row in table])
    exits = [NEXT_TECHNIQUE if step.on_test == "next" else STOP_EXPERIMENT for step in steps]
    yield from array(integer, "Exit_Cond", exits)
