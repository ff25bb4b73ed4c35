"""From a start to its end, by what stands beside each block."""

from __future__ import annotations

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
