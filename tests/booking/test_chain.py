"""The table of a loaded chain, against a walk through it."""

from __future__ import annotations

import numpy as np
from hand_made import cp, geis, info, loop, program, rest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.booking.chain import Chain, chain_of
from nakctl.decide.proof import TICK_s
from nakctl.device.program import Loop, Segment, Technique

LEVELS = {1: 0, 2: 1, 3: 2}  # of a staircase, by step
STEPS = st.sampled_from([1, 2, 3])
TECHNIQUES = st.one_of(
    st.builds(rest, STEPS),
    st.builds(cp, STEPS, st.sampled_from([1e-3, 2e-3]), sentinel=st.booleans(), duration_s=st.floats(1.0, 50.0)),
    st.builds(geis, STEPS, st.integers(2, 9)),
)  # fmt: skip


@st.composite
def chains(draw: st.DrawFn) -> tuple[Technique, ...]:
    """With loops, which may lie within each other."""
    chain: list[Technique] = []
    for _ in range(draw(st.integers(1, 4))):
        chain += draw(st.lists(TECHNIQUES, min_size=1, max_size=4))
        if draw(st.booleans()):
            chain.append(loop(draw(st.integers(0, len(chain) - 1)), 3, draw(st.booleans())))
    return tuple(chain)


def made(chain: tuple[Technique, ...], new_cycle: tuple[int, ...] = ()) -> Chain:
    steps = [info(step, level) for step, level in LEVELS.items()]
    return chain_of(program(Segment(chain), steps=steps), Segment(chain, new_cycle=new_cycle), 0.0)


def way(chain: tuple[Technique, ...], a: int, b: int) -> tuple[Loop | None, list[int]]:
    """From one technique to another: the loop that is taken, if one is, and what is passed on the way."""
    if b > a:
        return None, list(range(a + 1, b))
    for at in range(a + 1, len(chain)):
        taken = chain[at]
        if isinstance(taken, Loop) and taken.to <= b:
            return taken, [*range(a + 1, at), *range(taken.to, b)]
    return None, []


def lasts_s(chain: tuple[Technique, ...], table: Chain, at: int) -> float:
    sweep = table.sweeps[at]
    if sweep is not None:
        return float(sweep.left_s[0])
    return 0.0 if isinstance(chain[at], Loop) else max(0.0, chain[at].duration_s - TICK_s)  # type: ignore[union-attr]


@given(chains(), st.sets(st.integers(0, 15)))
def test_what_it_means_to_come_from_one_technique_to_another(
    chain: tuple[Technique, ...], begins: set[int]
) -> None:
    table = made(chain, tuple(begins))
    played = [at for at, each in enumerate(chain) if not isinstance(each, Loop)]
    for a in played:
        for b in played:
            taken, passed = way(chain, a, b)
            one, other = chain[a].step, chain[b].step  # type: ignore[union-attr]
            levels = LEVELS[one], LEVELS[other]
            cycle = taken.passes if taken else 0 not in levels and levels[0] != levels[1]
            cycle = cycle or any(a < at <= b for at in begins)
            assert table.new_cycle[a, b] == cycle
            assert table.new_step[a, b] == (cycle or one != other)
            expected_s = sum(lasts_s(chain, table, at) for at in passed)
            np.testing.assert_allclose(table.between_s[a, b], expected_s, atol=1e-9)


def test_a_step_goes_on_in_its_next_part_and_in_its_sentinel() -> None:
    long, sentinel = cp(1), cp(1, sentinel=True)
    table = made((long, long, sentinel, cp(1, 2e-3), cp(2), rest(1), rest(1)))
    assert np.argwhere(table.stays).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert np.argwhere(table.parted).tolist() == [[0, 1]]
    assert not made((sentinel, long)).stays.any()
