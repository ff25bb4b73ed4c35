"""What a chain goes on to while nobody watches."""

from __future__ import annotations

import pytest
from hand_made import cp, rest

from nakctl.device.program import Loop, Segment
from nakctl.plan.held import ahead


@pytest.mark.parametrize(
    ("techniques", "step", "steps"),
    [
        ((rest(1), cp(2), rest(3)), 1, [1, 2, 3]),
        ((rest(1), cp(2), rest(3)), 3, [3]),  # what is over does not come again
        ((rest(1), cp(2), cp(2), rest(3)), 2, [2, 3]),
        ((rest(1), cp(2), Loop(0, 3, True), rest(3)), 2, [2, 3, 1]),
    ],
)
def test_what_is_ahead(techniques: tuple, step: int, steps: list[int]) -> None:  # type: ignore[type-arg]
    assert ahead(step, Segment(techniques)) == steps
