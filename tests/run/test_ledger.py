"""Booking: steps, cycles, spectra and charge out of rows that only name a technique and a pass."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from booking import cp, cutoff, geis, info, loop, points, program, reading, rest, rows
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.channel import Flag, State
from nakctl.device.program import Segment, Test
from nakctl.record import layout
from nakctl.run.ledger import Booked, Ledger

PULSES = Segment((cp(1), rest(2), loop(0, 3)))


def booked(segment: Segment, steps: list, *readings, new_cycle: bool = False) -> tuple[Ledger, list[Booked]]:
    ledger = Ledger(program(segment, steps=steps), layout.SAMPLES.dtype)
    ledger.open_segment(segment, 100.0, new_cycle)
    return ledger, [ledger.book(each) for each in readings]


def test_a_pass_of_a_loop_is_a_new_cycle_and_its_techniques_new_steps() -> None:
    data = rows((0, 1, 1e-3, 0, 0), (1, 1, 1e-3, 0, 0), (2, 0, 0, 1, 0), (3, 1, 1e-3, 0, 1), (4, 0, 0, 1, 1))
    _, [book] = booked(PULSES, [info(1), info(2)], reading(data))
    assert book.samples["step_count"].tolist() == [1, 1, 2, 3, 4]
    assert book.samples["step_id"].tolist() == [1, 1, 2, 1, 2]
    assert book.samples["cycle"].tolist() == [1, 1, 1, 2, 2]
    assert book.samples["time"].tolist() == [100, 101, 102, 103, 104]


def test_steps_are_closed_with_their_rows_and_times() -> None:
    data = rows(
        (0, 1, 1e-3, 0, 0), (10, 1, 1e-3, 0, 0), (11, 0, 0, 1, 0), (20, 0, 0, 1, 0), (21, 1, 1e-3, 0, 1)
    )
    ledger, [book] = booked(PULSES, [info(1), info(2)], reading(data))
    assert book.steps["row_count"].tolist() == [2, 2]
    assert book.steps["first_row"].tolist() == [0, 2]
    assert book.steps["t_start"].tolist() == [100, 110]
    assert book.steps["t_end"].tolist() == [110, 120]
    last = ledger.finish()
    assert (last["step_count"][0], last["first_row"][0], last["row_count"][0]) == (3, 4, 1)
    assert len(ledger.finish()) == 0


def test_spectra_of_one_step_do_not_make_new_steps_or_cycles() -> None:
    segment = Segment((geis(1), loop(0, 2, passes=False), cp(1)))
    eis = points((1, 1e3, 0, 0), (2, 1e2, 0, 0), (3, 10, 0, 0), (4, 1e3, 0, 1), (5, 1e2, 0, 1))
    data = rows((6, 0.2, 1e-3, 2, 0))
    _, [book] = booked(segment, [info(1)], reading(data, eis, State.STOPPED))
    assert set(book.samples["step_count"]) == {1}
    assert set(book.samples["cycle"]) == {1}
    assert book.impedance["spectrum"].tolist() == [1, 1, 1, 2, 2]
    assert book.spectra["complete"].tolist() == [1, 0]
    assert book.spectra["first_row"].tolist() == [0, 3]
    assert (book.samples["flags"] & Flag.FROM_EIS > 0).tolist() == [True] * 5 + [False]


def test_sweeps_that_continue_are_one_spectrum() -> None:
    segment = Segment((geis(1, 2), geis(1, 1, continues=True)))
    eis = points((1, 1e3, 0, 0), (2, 1e2, 0, 0), (3, 10, 1, 0))
    _, [book] = booked(segment, [info(1)], reading(rows(), eis, State.STOPPED))
    assert book.impedance["spectrum"].tolist() == [1, 1, 1]
    assert book.spectra["complete"].tolist() == [1]


def test_impedance_is_complex_with_its_true_sign() -> None:
    _, [book] = booked(Segment((geis(1),)), [info(1)], reading(rows(), points((1, 1e3, 0, 0))))
    row = book.impedance[0]
    assert (row["Z_abs"], row["Z_im"]) == (5.0, -4.0)
    assert row["Z_phase"] == pytest.approx(-53.1301, abs=1e-3)


def test_levels_of_a_staircase_are_cycles_and_the_rest_before_it_is_not() -> None:
    segment = Segment((rest(1), cp(2), cp(3)))
    data = rows((1, 0, 0, 0, 0), (2, 0, 1e-3, 1, 0), (3, 0, 1e-3, 2, 0))
    _, [book] = booked(segment, [info(1), info(2, level=1), info(3, level=2)], reading(data))
    assert book.samples["cycle"].tolist() == [1, 1, 2]


def test_the_host_s_loops_count_cycles_too() -> None:
    segment = Segment((cp(1),))
    ledger, [first] = booked(segment, [info(1)], reading(rows((1, 0, 1e-3, 0, 0)), state=State.STOPPED))
    ledger.open_segment(segment, 200.0, new_cycle=True)
    second = ledger.book(reading(rows((1, 0, 1e-3, 0, 0))))
    assert (first.samples["cycle"][0], second.samples["cycle"][0]) == (1, 2)
    assert (second.samples["step_count"][0], len(second.steps)) == (2, 1)


def test_charge_flows_between_rows_of_a_chain_and_not_between_segments() -> None:
    ledger, [book] = booked(
        Segment((cp(1),)), [info(1)], reading(rows((3600, 0, 2e-3, 0, 0)), state=State.STOPPED)
    )
    assert book.samples["Q"][-1] == pytest.approx(2e-3)
    ledger.open_segment(Segment((cp(1),)), 9999.0, new_cycle=False)
    assert ledger.book(reading(rows((1800, 0, -2e-3, 0, 0)))).samples["Q"][-1] == pytest.approx(1e-3)


def test_a_met_test_is_the_reason_of_the_step() -> None:
    tests, cut = (Test("Ewe", "above", 1.0),), cutoff("Ewe", "above", 1.0, by="instrument")
    segment = Segment((cp(1, tests=tests, on_test="next"), rest(2)))
    first = rows((1, 0.5, 1e-3, 0, 0), (2, 1.0, 1e-3, 0, 0), flag=Flag.TEST_MET)
    ledger, books = booked(
        segment, [info(1, cutoffs=(cut,)), info(2)], reading(first), reading(rows((3, 0, 0, 1, 0)))
    )
    assert books[1].steps["end_reason"].tolist() == [b"Ewe above 1 V"]
    assert ledger.finish()["end_reason"].tolist() == [b"duration"]


def test_the_host_s_reason_goes_to_the_running_step() -> None:
    ledger, _ = booked(Segment((cp(1),)), [info(1)], reading(rows((1, 0, 1e-3, 0, 0))))
    ledger.note_end("short")
    assert ledger.finish()["end_reason"].tolist() == [b"short"]


ROWS = [(float(k), k / 10, 1e-3 * (k % 3), k % 2, k // 2) for k in range(12)]


@given(st.lists(st.integers(0, 12), max_size=6))
def test_how_rows_are_cut_into_reads_changes_nothing(cuts: list[int]) -> None:
    """Also the step charge, which a read must carry over to the next."""
    whole_ledger, [whole] = booked(PULSES, [info(1), info(2)], reading(rows(*ROWS)))
    edges = [0, *sorted(cuts), 12]
    parts = [reading(rows(*ROWS[a:b])) for a, b in pairwise(edges)]
    ledger, books = booked(PULSES, [info(1), info(2)], *parts)
    for name in ("samples", "steps", "step_charge_Ah"):
        assert (
            np.concatenate([getattr(book, name) for book in books]).tobytes()
            == getattr(whole, name).tobytes()
        )
    assert ledger.finish().tobytes() == whole_ledger.finish().tobytes()
