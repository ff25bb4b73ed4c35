from __future__ import annotations

import math
from pathlib import Path

import pytest
from plan_builders import SP300, estimated, hold, lowered, plan, repeat, with_limits

from nakctl.plan import plan as p
from nakctl.render.figure import MOST_PASSES, SHOWN_WITHOUT_END, draw, pieces

PULSE = (hold(level=1e-3, duration_s=1.0), hold("rest", duration_s=5.0))


def ends(of: p.Plan) -> list[tuple[float, float, float]]:
    return [(piece.start_s, piece.end_s, piece.high_A) for piece in pieces(of, estimated(of))]


def test_few_passes_are_drawn_one_by_one() -> None:
    of = plan(hold("rest"), repeat(2, *PULSE), hold(level=-1e-3))
    assert ends(of) == [
        (0, 60, 0),
        (60, 61, 1e-3),
        (61, 66, 0),
        (66, 67, 1e-3),
        (67, 72, 0),
        (72, 132, -1e-3),
    ]


def test_many_passes_are_one_band() -> None:
    of = plan(hold("rest"), repeat(50_000, *PULSE), hold(level=-1e-3))
    first, band, last = pieces(of, estimated(of))
    assert (band.start_s, band.end_s, band.low_A, band.high_A) == (60, 60 + 300_000, 0, 1e-3)
    assert [piece.high_A for piece in band.one_pass] == [1e-3, 0]
    assert last.start_s == band.end_s
    assert not first.one_pass


def test_the_edge_between_lines_and_band() -> None:
    assert len(ends(plan(repeat(MOST_PASSES, *PULSE)))) == 2 * MOST_PASSES
    assert len(ends(plan(repeat(MOST_PASSES + 1, *PULSE)))) == 1


def test_nested_repeats_stay_few_pieces() -> None:
    nested = repeat(MOST_PASSES, repeat(MOST_PASSES, repeat(MOST_PASSES, *PULSE)))
    of = plan(nested)
    assert len(ends(of)) < 25_000
    assert ends(of)[-1][1] == pytest.approx(6 * MOST_PASSES**3)


def test_potential_control_has_no_known_current() -> None:
    (piece,) = pieces(plan(hold("ca", 0.1)), estimated(plan(hold("ca", 0.1))))
    assert math.isnan(piece.low_A)


def test_an_endless_repeat_is_drawn_to_its_limit_or_for_some_passes() -> None:
    assert ends(plan(repeat(None, *PULSE)))[-1][1] == 6 * SHOWN_WITHOUT_END
    assert ends(plan(repeat(None, *PULSE), limits=with_limits(time_s=120.0)))[-1][1] == 120


@pytest.mark.parametrize(
    "steps",
    [
        (repeat(50_000, *PULSE), hold("ca", 0.1, 3600.0), hold(level=-1e-3, duration_s=86400.0)),
        (hold("ca", 0.1),),
        (repeat(None, *PULSE),),
    ],
)
def test_pictures_are_made(steps: tuple[p.Step, ...], tmp_path: Path) -> None:
    of, path = plan(*steps), tmp_path / "plan.png"
    draw(of, lowered(of), estimated(of), SP300, path, simulated=True)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5000
