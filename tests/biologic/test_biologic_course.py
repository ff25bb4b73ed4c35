"""From a start to its end, by what stands beside each block."""

from __future__ import annotations

import pytest

from nakctl.errors import ChannelError
from nakctl_biologic.codes import RUN, STOP
from nakctl_biologic.course import PATIENT_READS, Course, PATIENCE_s, Stage
from nakctl_biologic.structures import CurrentValues

RUNS, STANDS, FILLED = (
    CurrentValues(State=RUN),
    CurrentValues(State=STOP),
    CurrentValues(State=STOP, MemFilled=40),
)


def test_it_is_over_at_the_second_empty_read_that_says_stop() -> None:
    course = Course("channel 1", 0.0)
    said = [(RUNS, 3), (STANDS, 2), (STANDS, 0), (RUNS, 0), (STANDS, 0), (STANDS, 0)]
    stages = [course.go_on(values, n_rows, k) for k, (values, n_rows) in enumerate(said)]
    going, settling = Stage.UNDER_WAY, Stage.SETTLING
    assert stages == [going, settling, Stage.OVER, going, settling, Stage.OVER]


def test_a_memory_that_goes_on_handing_over_is_waited_for_as_long_as_it_does() -> None:
    """A row comes, and patience begins anew."""
    course = Course("channel 1", 0.0)
    course.go_on(RUNS, 1, 0.0)
    for begin_s in (10.0, 20.0, 30.0):
        waited = [course.go_on(FILLED, 0, begin_s + k * 0.1) for k in range(PATIENT_READS)]
        assert set(waited) == {Stage.UNDER_WAY}  # not yet so long
        assert course.go_on(FILLED, 1, begin_s + PATIENCE_s) is Stage.SETTLING
    waited = [course.go_on(FILLED, 0, 40.0 + k) for k in range(PATIENT_READS)]
    assert (waited[-2], waited[-1], course.left_bytes) == (Stage.UNDER_WAY, Stage.OVER, 40)


def test_one_that_does_not_begin_is_a_fault_but_after_another_program_it_was_never_started() -> None:
    """Which may have died before it asked for the start. Both are waited for."""
    for by_another in (False, True):
        course = Course("channel 1", 0.0, by_another=by_another)
        waited = [course.go_on(STANDS, 0, PATIENCE_s + k) for k in range(PATIENT_READS - 1)]
        assert set(waited) == {Stage.UNDER_WAY}
        if by_another:
            assert course.go_on(STANDS, 0, 60.0) is Stage.OVER
        else:
            with pytest.raises(ChannelError, match="does not run"):
                course.go_on(STANDS, 0, 60.0)
