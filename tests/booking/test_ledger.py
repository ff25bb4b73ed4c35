"""Booking: steps, cycles, spectra and charge out of rows that only name a technique and a pass."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hand_made import book, cp, end, geis, info, loop, points, program, reading, rest, rows
from hypothesis import given
from hypothesis import strategies as st

from nakctl.booking import layout
from nakctl.booking.ending import Ending
from nakctl.booking.ledger import Booked, Ledger
from nakctl.device.channel import Flag, State
from nakctl.device.ends import End
from nakctl.device.program import Segment, Test

PULSES = Segment((cp(1), rest(2), loop(0, 3)))


def booked(
    segment: Segment, steps: list, *readings, ends: tuple[End, ...] = (), new_cycle: bool = False
) -> tuple[Ledger, list[Booked]]:
    ledger = Ledger(program(segment, steps=steps, ends=ends), layout.SAMPLES.dtype)
    ledger.open_segment(segment, 100.0, new_cycle)
    return ledger, [book(ledger, each) for each in readings]


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


def test_a_spectrum_does_not_go_on_in_the_next_chain() -> None:
    segment, one = Segment((geis(1),)), points((1, 1e3, 0, 0))
    ledger, [first] = booked(segment, [info(1)], reading(rows(), one))
    ledger.open_segment(segment, 200.0, new_cycle=False)
    second = book(ledger, reading(rows(), one))
    assert [*first.impedance["spectrum"], *second.impedance["spectrum"]] == [1, 2]
    assert second.spectra["complete"].tolist() == [0]


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


def test_levels_that_begin_a_chain_are_cycles_too() -> None:
    steps = [info(1, level=1), info(2, level=2), info(3)]
    ledger, [first] = booked(Segment((cp(1),)), steps, reading(rows((1, 0, 1e-3, 0, 0))))
    for step in (2, 3):
        ledger.open_segment(Segment((cp(step),)), 100.0 * step, new_cycle=False)
        last = book(ledger, reading(rows((1, 0, 1e-3, 0, 0))))
        assert (first.samples["cycle"][0], last.samples["cycle"][0]) == (1, 2)


def test_the_host_s_loops_count_cycles_too() -> None:
    segment = Segment((cp(1),))
    ledger, [first] = booked(segment, [info(1)], reading(rows((1, 0, 1e-3, 0, 0)), state=State.STOPPED))
    ledger.open_segment(segment, 200.0, new_cycle=True)
    second = book(ledger, reading(rows((1, 0, 1e-3, 0, 0))))
    assert (first.samples["cycle"][0], second.samples["cycle"][0]) == (1, 2)
    assert (second.samples["step_count"][0], len(second.steps)) == (2, 1)


def test_what_is_left_of_a_program_says_where_cycles_begin() -> None:
    """The rest of a pass, then a loop of the passes that are left."""
    segment = Segment((cp(2), cp(1), cp(2), loop(1, 2)), new_cycle=(1,))
    data = [(1, 0, 0), (2, 1, 0), (3, 2, 0), (4, 1, 1), (5, 2, 1)]
    data = rows(*((time_s, 0.0, 1e-3, technique, passes) for time_s, technique, passes in data))
    _, [book] = booked(segment, [info(1), info(2)], reading(data))
    assert book.samples["cycle"].tolist() == [1, 2, 2, 3, 3]
    assert book.samples["step_count"].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("new_cycle", "cycles", "steps"), [((0,), [1, 2], [1, 2]), ((), [1, 1], [1, 1])])
def test_it_may_begin_with_a_cycle_or_go_on_with_a_step(
    new_cycle: tuple[int, ...], cycles: list[int], steps: list[int]
) -> None:
    row = reading(rows((1, 0, 1e-3, 0, 0)))
    ledger, [first] = booked(Segment((cp(1),)), [info(1)], row)
    ledger.open_segment(Segment((cp(1),), new_cycle=new_cycle), 200.0, new_cycle=False)
    both = np.concatenate([first.samples, book(ledger, row).samples])
    assert both["cycle"].tolist() == cycles
    assert both["step_count"].tolist() == steps


def test_charge_flows_between_rows_of_a_chain_and_not_between_segments() -> None:
    ledger, [first] = booked(
        Segment((cp(1),)), [info(1)], reading(rows((3600, 0, 2e-3, 0, 0)), state=State.STOPPED)
    )
    assert first.samples["Q"][-1] == pytest.approx(2e-3)
    ledger.open_segment(Segment((cp(1),)), 9999.0, new_cycle=False)
    assert book(ledger, reading(rows((1800, 0, -2e-3, 0, 0)))).samples["Q"][-1] == pytest.approx(1e-3)


def test_between_two_techniques_it_is_the_new_current_that_flows() -> None:
    """The last row of a technique is that of its end."""
    data = rows(
        (1, 0, 1e-3, 0, 0), (10, 0, 1e-3, 0, 0), (12, 0, 0, 1, 0), (20, 0, 0, 1, 0), (21, 0, 1e-3, 0, 1)
    )
    _, [book] = booked(PULSES, [info(1), info(2)], reading(data))
    assert book.samples["Q"] * 3600 == pytest.approx([1e-3, 10e-3, 10e-3, 10e-3, 11e-3])


# --- why a step ended ----------------------------------------------------------------------------------

CUT = end(1, "Ewe", "above", 1.0, by="instrument")
LIMIT = end(2, "Ewe", "above", 3.0, kind="limit", by="instrument")
TESTS = (Test("Ewe", "above", 1.0, 1),)
GOES_ON = cp(1, tests=TESTS, on_test="next")
SENTINEL = cp(1, tests=(Test("Ewe", "above", 2.9, 2),), sentinel=True, duration_s=0.005)


def why(steps: np.ndarray) -> list[tuple[str, str, int]]:
    return [(row["end_reason"].decode(), row["end_kind"].decode(), int(row["end_id"])) for row in steps]


WHOLE = ("duration", "duration", 0)
AT_THE_CUTOFF = ("Ewe above 1 V", "cutoff", 1)


@pytest.mark.parametrize("flag", [Flag.TEST_MET, Flag(0)], ids=["flagged", "left before its time"])
def test_a_met_test_is_the_reason_of_the_step(flag: Flag) -> None:
    """Also where the instrument writes no row at a met test: then the last row lies before it."""
    segment = Segment((GOES_ON, rest(2)))
    first = rows((1, 0.5, 1e-3, 0, 0), (2, 1.0, 1e-3, 0, 0), flag=flag)
    ledger, books = booked(
        segment, [info(1), info(2)], reading(first), reading(rows((3, 0, 0, 1, 0))), ends=(CUT, LIMIT)
    )
    assert why(books[1].steps) == [AT_THE_CUTOFF]
    assert books[1].steps["end_value"].tolist() == [1.0]
    assert why(ledger.finish()) == [WHOLE]


def test_a_step_that_lasted_is_none_that_was_cut() -> None:
    segment = Segment((GOES_ON, rest(2)))
    data = rows((1, 0.5, 1e-3, 0, 0), (10, 0.9, 1e-3, 0, 0), (11, 0, 0, 1, 0))
    _, [book] = booked(segment, [info(1), info(2)], reading(data), ends=(CUT, LIMIT))
    assert why(book.steps) == [WHOLE]


@pytest.mark.parametrize("cut_at", [1, 2, 3])
def test_a_sentinel_belongs_to_the_step_whose_cutoff_it_follows(cut_at: int) -> None:
    segment = Segment((GOES_ON, SENTINEL, rest(2)))
    data = rows((1, 1.1, 1e-3, 0, 0), (1.005, 1.1, 1e-3, 1, 0), (3, 0, 0, 2, 0))
    data["flags"][0] = Flag.TEST_MET
    parts = [reading(data[:cut_at]), reading(data[cut_at:])]
    ledger, books = booked(segment, [info(1), info(2)], *parts, ends=(CUT, LIMIT))
    steps = np.concatenate([*(book.steps for book in books), ledger.finish()])
    assert why(steps) == [AT_THE_CUTOFF, WHOLE]
    assert steps["row_count"].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("before_V", "Ewe_V", "kind"),
    [
        (0.8, 1.01, "cutoff"),
        (0.98, 0.99, "cutoff"),
        (0.9, 0.91, "cutoff"),
        (0.4, 0.75, "cutoff"),  # it moves that fast
        (0.8, 0.85, "interrupted"),
        (0.04, 0.04, "interrupted"),
    ],
)
def test_the_sentinel_s_row_shows_whether_it_was_the_cutoff(before_V: float, Ewe_V: float, kind: str) -> None:
    """Where no row is written at a test; it may be that something else ended the technique."""
    segment = Segment((GOES_ON, SENTINEL, rest(2)))
    data = rows((4, 0.04, 1e-3, 0, 0), (5, before_V, 1e-3, 0, 0), (5.5, Ewe_V, 1e-3, 1, 0), (5.6, 0, 0, 2, 0))
    ledger, [book] = booked(segment, [info(1), info(2)], reading(data), ends=(CUT, LIMIT))
    assert [row["end_kind"].decode() for row in book.steps] == [kind]
    assert bool(ledger.left_early) == (kind == "interrupted")


@pytest.mark.parametrize("cut_at", range(5))
@pytest.mark.parametrize(
    ("part_V", "next_V", "kind"),
    [
        (
            0.5,
            1.01,
            "cutoff",
        ),  # met in the first part, where no row was written, and so in the second at once
        (1.01, 1.01, "cutoff"),
        (0.5, 0.52, "interrupted"),
    ],
)
def test_a_step_in_parts_ends_once(part_V: float, next_V: float, kind: str, cut_at: int) -> None:
    segment = Segment((GOES_ON, GOES_ON, SENTINEL, rest(2)))
    data = rows(
        (4, part_V, 1e-3, 0, 0), (4.001, next_V, 1e-3, 1, 0), (4.002, next_V, 1e-3, 2, 0), (4.1, 0, 0, 3, 0)
    )  # fmt: skip
    parts = [reading(data[:cut_at]), reading(data[cut_at:])]
    ledger, books = booked(segment, [info(1), info(2)], *parts, ends=(CUT, LIMIT))
    steps = np.concatenate([*(book.steps for book in books), ledger.finish()])
    assert [row["end_kind"].decode() for row in steps] == [kind, "duration"]
    assert steps["row_count"].tolist() == [3, 1]
    assert bool(ledger.left_early) == (kind == "interrupted")


@pytest.mark.parametrize("later_s", [4.01, 14.1])
def test_a_part_that_was_left_is_no_end_of_its_step(later_s: float) -> None:
    """A test that noise met, and that the next part did not meet: it lasted its time."""
    segment = Segment((GOES_ON, GOES_ON, rest(2)))
    data = rows((4, 1.001, 1e-3, 0, 0), (later_s, 0.999, 1e-3, 1, 0), (14.1, 0, 0, 2, 0))
    _, [first, second] = booked(
        segment, [info(1), info(2)], reading(data[:2]), reading(data[2:]), ends=(CUT, LIMIT)
    )
    assert why(np.concatenate([first.steps, second.steps])) == [WHOLE]


def test_a_limit_met_in_the_sentinel_is_graver_than_the_cutoff_before_it() -> None:
    segment = Segment((GOES_ON, SENTINEL, rest(2)))
    data = rows((1, 3.1, 1e-3, 0, 0), (1.005, 3.1, 1e-3, 1, 0), flag=Flag.TEST_MET)
    ledger, _ = booked(segment, [info(1), info(2)], reading(data), ends=(CUT, LIMIT))
    ledger.note_end(Ending("end run", "limit: Ewe above 3 V", "stopped", "limit", 2, 3.1))
    assert why(ledger.finish()) == [("limit: Ewe above 3 V", "limit", 2)]


def test_every_pass_of_a_loop_has_its_own_reason() -> None:
    segment = Segment((GOES_ON, rest(2), loop(0, 3)))
    data = rows(
        (5, 1.1, 1e-3, 0, 0), (6, 0, 0, 1, 0), (15, 0, 0, 1, 0),
        (25, 0.5, 1e-3, 0, 1), (26, 0, 0, 1, 1), (35, 0, 0, 1, 1), (37, 1.1, 1e-3, 0, 2), (38, 0, 0, 1, 2),
    )  # fmt: skip
    ledger, [book] = booked(segment, [info(1), info(2)], reading(data), ends=(CUT, LIMIT))
    steps = np.concatenate([book.steps, ledger.finish()])
    assert why(steps[steps["step_id"] == 1]) == [AT_THE_CUTOFF, WHOLE, AT_THE_CUTOFF]
    assert why(steps[steps["step_id"] == 2]) == [WHOLE] * 3


@pytest.mark.parametrize("cut_at", [0, 1, 2, 3])
def test_a_technique_that_is_left_early_with_no_test_to_explain_it_is_told(cut_at: int) -> None:
    segment = Segment((rest(2), cp(1), rest(2)))
    data = rows((10, 0, 0, 0, 0), (15, 0.5, 1e-3, 1, 0), (15.1, 0, 0, 2, 0))
    ledger, _ = booked(segment, [info(1), info(2)], reading(data[:cut_at]), reading(data[cut_at:]))
    assert ledger.left_early == "step 1 step was left after 5.1 of 10 s, and no test explains it"


def test_the_host_s_reason_goes_to_the_running_step() -> None:
    ledger, _ = booked(Segment((cp(1),)), [info(1)], reading(rows((1, 0, 1e-3, 0, 0))))
    ledger.note_end(Ending("end run", "short", kind="rule", end_id=1, value=0.01))
    assert why(ledger.finish()) == [("short", "rule", 1)]


# --- rows that are not as they should be ---------------------------------------------------------------


def test_rows_are_sorted_within_a_visit_only() -> None:
    """A last row 10 us behind the first row of the next technique makes no further step."""
    segment = Segment((cp(1), rest(2), cp(3)))
    data = rows(
        (1, 1, 1e-3, 0, 0),
        (10.00001, 1, 1e-3, 0, 0),
        (10.0, 0, 0, 1, 0),
        (20, 0, 0, 1, 0),
        (21, 1, 1e-3, 2, 0),
    )
    ledger, [book] = booked(segment, [info(1), info(2), info(3)], reading(data))
    assert book.samples["step_id"].tolist() == [1, 1, 2, 2, 3]
    assert len(book.steps) + len(ledger.finish()) == 3
    assert (np.diff(book.samples["Q"]) >= 0).all()


def test_points_and_samples_of_one_visit_are_sorted_by_time_and_visits_are_not_mixed() -> None:
    segment = Segment((cp(1), geis(1), cp(1)))
    data = rows((1, 0, 1e-3, 0, 0), (10.00001, 0, 1e-3, 0, 0), (12, 0, 1e-3, 1, 0), (15.0, 0, 1e-3, 2, 0))
    eis = points((10.0, 1e3, 1, 0), (13, 1e2, 1, 0), (15.00001, 10, 1, 0))
    _, [book] = booked(segment, [info(1)], reading(data, eis))
    assert book.samples["time"].tolist() == pytest.approx([101, 110.00001, 110, 112, 113, 115.00001, 115])
    assert book.impedance["spectrum"].tolist() == [1, 1, 1]


def test_what_is_no_number_adds_nothing_to_the_charge() -> None:
    data = rows(*((float(k), 0.1, 1e-3, 0, 0) for k in range(1, 7)))
    data["I_A"][2] = np.nan
    data["Ewe_V"][4] = np.nan
    ledger, [book] = booked(Segment((cp(1),)), [info(1)], reading(data))
    assert book.samples["Q"][-1] * 3600 == pytest.approx(4e-3)
    assert np.isfinite(book.samples["Q"]).all()
    assert ledger.finish()["row_count"].tolist() == [6]


def test_a_time_that_goes_back_moves_no_charge() -> None:
    data = rows((1, 0.1, 1e-3, 0, 0), (3, 0.1, 1e-3, 0, 0), (3, 0.1, 1e-3, 0, 0), (5, 0.1, 1e-3, 0, 0))
    _, [book] = booked(Segment((cp(1),)), [info(1)], reading(data))
    assert book.samples["Q"][-1] * 3600 == pytest.approx(5e-3)


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
