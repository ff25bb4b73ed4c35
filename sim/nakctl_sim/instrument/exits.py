"""Test1..3 of a limit technique: bit fields -> the tests of the simulated potentiostat.

    bit 0     active; a test counts only if the one before it is active
    bit 1     with the next test: 0 OR, 1 AND, evaluated ((1 op 2) op 3)
    bits 2-4  0 "<", 1 ">"
    bits 5-   0 E, 3 I (1 and 2 are auxiliary inputs)

The potentiostat ends a technique when any of its tests on Ewe or |I| is met. What cannot be said that way is
refused (-403): a current tested on one side only, AND between anything but -x < I < x, auxiliary inputs.
Source: the manual's sections on CPLIMIT and CALIMIT, as transcribed in helao-async and Matlab4Potentiostat.
"""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.device.program import Test
from nakctl_sim.instrument.received import Received, refuse

POTENTIAL, CURRENT = 0, 3


@dataclass(frozen=True, slots=True)
class Slot:
    above: bool
    variable: int
    value: float
    and_next: bool


def tests_of(received: Received, step: int) -> tuple[Test, ...]:
    slots = _slots(received, step)
    found: list[Test] = []
    if len(slots) > 1 and slots[0].and_next:
        found.append(_both_sides(slots[0], slots[1], outside=False))
        slots = slots[2:]
    if any(slot.and_next for slot in slots[:-1]):
        refuse()
    found += [_potential(slot) for slot in slots if slot.variable == POTENTIAL]
    currents = [slot for slot in slots if slot.variable == CURRENT]
    if len(currents) == 2:
        found.append(_both_sides(*currents, outside=True))
    elif currents or any(slot.variable not in (POTENTIAL, CURRENT) for slot in slots):
        refuse()
    return tuple(found)


def _slots(received: Received, step: int) -> list[Slot]:
    slots = []
    for n in (1, 2, 3):
        bits = received.values[f"Test{n}_Config"][step]
        if not bits & 1:
            break
        comparison = (bits >> 2) & 7
        if comparison > 1:
            refuse()
        value = received.values[f"Test{n}_Value"][step]
        slots.append(Slot(comparison == 1, bits >> 5, value, bool(bits & 2)))
    return slots


def _potential(slot: Slot) -> Test:
    return Test("Ewe", "above" if slot.above else "below", slot.value)


def _both_sides(one: Slot, other: Slot, *, outside: bool) -> Test:
    """|I| above x is I > x OR I < -x; |I| below x is I < x AND I > -x."""
    upper, lower = (one, other) if one.value > other.value else (other, one)
    mirrored = upper.value == -lower.value > 0
    directions = upper.above == outside and lower.above != outside
    if not (one.variable == other.variable == CURRENT and mirrored and directions):
        refuse()
    return Test("|I|", "above" if outside else "below", upper.value)
