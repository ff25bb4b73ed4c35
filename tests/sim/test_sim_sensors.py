"""The simulated press and chamber: first order after set-points and an operator's hand, however one reads."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.sensor import load_kind
from nakctl.run.clock import FreeClock
from nakctl_sim.sensors import Lagging

times = st.floats(0, 1000)
taus = st.floats(1, 1000)
values = st.floats(-50, 50)
tables = st.lists(st.tuples(times, values), max_size=6, unique_by=lambda pair: pair[0]).map(sorted)


def made(**words: Any) -> tuple[Any, FreeClock]:
    """What rig.yaml would describe, opened at the beginning of a run."""
    spec, problems = load_kind("sim").spec("a", {"kind": "sim", **words})
    assert spec is not None, problems
    clock = FreeClock()
    return load_kind("sim").open(spec, clock), clock


def value_at(source: Any, clock: FreeClock, time_s: float) -> float:
    clock.advance_to(time_s)
    return float(source.read().value)


def closed_form(start: float, moves: list[tuple[float, float]], tau_s: float, time_s: float) -> float:
    """The sum over all targets, each as long as it held."""
    made = [(0.0, start), *(move for move in moves if move[0] <= time_s)]
    ends = [*(begin for begin, _ in made[1:]), time_s]
    left = start * math.exp(-time_s / tau_s)
    for (begin, target), end in zip(made, ends, strict=True):
        left += target * (math.exp((end - time_s) / tau_s) - math.exp((begin - time_s) / tau_s))
    return left


def test_an_operator_moves_a_press_at_these_times() -> None:
    press, clock = made(
        model="press", table=[["0 s", "2 MPa"], ["10 min", "10 MPa"], ["2 h", "8 MPa"]], time_constant="30 s"
    )
    assert value_at(press, clock, 0) == 2
    assert value_at(press, clock, 599.9) == 2
    assert value_at(press, clock, 600) == 2
    assert value_at(press, clock, 630) == pytest.approx(10 - 8 / math.e, rel=1e-12)
    assert value_at(press, clock, 7199) == pytest.approx(10, abs=1e-9)
    assert value_at(press, clock, 7260) == pytest.approx(8 + 2 / math.e**2, rel=1e-12)


@pytest.mark.parametrize(
    ("words", "at_s", "value"),
    [
        ({"model": "press"}, 0, 10),
        ({"model": "press", "start": "25 bar"}, 0, 2.5),
        ({"model": "press", "start": "0 MPa"}, 0, 0),
        ({"model": "press", "table": [["0 h", "0 bar"]]}, 5, 0),
        ({"model": "press", "table": [["1 s", "2000 kPa"]]}, 0, 10),  # until then what is usual
        ({"model": "press", "table": [["1 s", "2000 kPa"]]}, 1000, 2),
        ({"model": "press", "start": "1 MPa", "table": [["0 s", "2 MPa"]]}, 0, 1),
        ({"model": "chamber", "start": "300 K", "table": [["0.5 min", "333.15 K"]]}, 0, 26.85),
        ({"model": "chamber", "start": "300 K", "table": [["0.5 min", "333.15 K"]]}, 1e5, 60),
    ],
)
def test_where_it_starts_and_in_which_unit(words: dict[str, Any], at_s: float, value: float) -> None:
    assert value_at(*made(**words), at_s) == pytest.approx(value, abs=1e-9)


def test_a_set_point_holds_until_the_next_time_of_the_table() -> None:
    press, clock = made(
        model="press",
        table=[["0 s", "2 MPa"], ["1000 s", "10 MPa"], ["2000 s", "8 MPa"]],
        time_constant="1 s",
    )
    clock.advance_to(500)
    press.set(5.0)
    assert value_at(press, clock, 999) == pytest.approx(5)
    assert value_at(press, clock, 1999) == pytest.approx(10)
    clock.advance_to(2000)
    press.set(6.0)  # at the very time of the table: what was said last counts
    assert value_at(press, clock, 9000) == pytest.approx(6)


def test_who_opens_it_late_finds_what_the_operator_did() -> None:
    clock = FreeClock()
    clock.advance_to(700)
    assert Lagging(2.0, 30.0, [(600.0, 10.0)], clock).value() == pytest.approx(10 - 8 * math.exp(-100 / 30))


def test_ten_readings_a_second_change_no_bit() -> None:
    table = [(100.0, 10.0), (333.3, 7.7), (700.1, 12.1)]
    clock, seldom = FreeClock(), FreeClock()
    often = Lagging(2.0, 123.4, table, clock)
    for k in range(10_000):
        value = value_at(often, clock, k / 10)
        if k % 997 == 0:
            assert value == value_at(Lagging(2.0, 123.4, table, seldom), seldom, k / 10)


@given(tables, values, taus, times, st.lists(times, max_size=20))
def test_a_value_does_not_depend_on_when_others_were_read(
    table: list[tuple[float, float]], start: float, tau_s: float, at_s: float, read_s: list[float]
) -> None:
    seldom, often = FreeClock(), FreeClock()
    seen_often = Lagging(start, tau_s, table, often)
    for time_s in sorted(each for each in read_s if each <= at_s):
        value_at(seen_often, often, time_s)
    value = value_at(Lagging(start, tau_s, table, seldom), seldom, at_s)
    assert value == value_at(seen_often, often, at_s)  # to the last bit
    assert value == pytest.approx(closed_form(start, table, tau_s, at_s), abs=1e-9)


@given(tables, tables, values, taus, times)
def test_set_points_and_table_are_moves_alike(
    table: list[tuple[float, float]],
    set_points: list[tuple[float, float]],
    start: float,
    tau_s: float,
    at_s: float,
) -> None:
    clock = FreeClock()
    source = Lagging(start, tau_s, table, clock)
    for time_s, value in set_points:
        if time_s <= at_s:
            clock.advance_to(time_s)
            source.set(value)
    # of two moves at one time the set-point is the later one
    moves = sorted([*table, *set_points], key=lambda move: move[0])
    assert value_at(source, clock, at_s) == pytest.approx(closed_form(start, moves, tau_s, at_s), abs=1e-9)
