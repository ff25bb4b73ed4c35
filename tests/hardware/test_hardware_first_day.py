"""A first day on an instrument of known habits finds out exactly these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nakctl.device.inspection import Chassis, Lesson
from nakctl.errors import ChannelError
from nakctl_biologic.driver import driver
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.habits import Habits

Virtual = Callable[..., str]

ODD = Habits(
    loop_from=1,
    nested_loop="outermost",
    I_range_column="integer",
    stop_reads=3,
    first_start_time="zero",
    eis_rows_live_s=0.3,
    eis_loss_counted=True,
    chain_length=37,
    updates="refused",
    restart=True,
    timebase_of="running",
    memory_bytes=2**18,
    memory_full="stop",
    cv_rate="mV/s",
    iscan_control=True,
    scan_means=True,
)


def learned(
    virtual: Virtual, model: str, habits: Habits, faults: tuple[str, ...] = (), cell: str = "NaK50"
) -> dict[str, Lesson]:
    """By question, with what was found."""
    clock = StepClock()
    address = virtual(model, habits=habits, faults=faults, clock=clock, cells={1: cell})
    chassis = Chassis("bench", "biologic", "", {}, {"address": address})
    return {lesson.question: lesson for lesson in driver.first_day(chassis, 1, clock)}  # type: ignore[attr-defined]


QUESTIONS: list[tuple[str, Any, Any]] = [
    ("Do reads right after the start say STOP?", "0 read(s) did", "3 read(s) did"),
    ("What is StartTime of the first technique?", "NaN", 0.0),
    ("Does TimeBase belong to the rows of the buffer?", "yes", "no: to the technique that runs, or ran last"),
    ("From which number does TDataInfos.loop count?", 0, 1),
    ("What does TDataInfos.loop count in nested loops?", "the innermost loop", "the outermost loop"),
    ("May a chain be started again without loading it?", "no", "yes"),
    ("How many techniques does a chain hold?", 60, 37),
    (
        "Does the channel take updates of techniques that do not run?",
        "yes",
        "refused: GEN_UPDATEPARAMETERS -15",
    ),
    ("Is a current range taken in such an update?", "yes", "refused: GEN_UPDATEPARAMETERS -15"),
    ("Does a technique that was made a fence stop the chain?", "yes", "refused: GEN_UPDATEPARAMETERS -15"),
    ("Is column 14 of impedance rows a float or an integer?", "float", "integer"),
    ("Are impedance rows lost when they are fetched late?", "none", "7 of 7 were, counted by IRQskipped"),
    ("Does Scan_number count scans or vertices, from 0?", "scans", "scans"),
    ("Is the rate of a scan in V/s?", "yes", "yes"),
    (
        "Of what are <Ewe> and <I> of a scan's rows the mean?",
        "their moment",
        "the second half of their time",
    ),
    ("Which columns has a row of a ramp?", "I, Ewe, cycle", "set, I, Ewe, cycle"),
    ("Is Scan_Rate of the vendor's cv in V/s or in mV/s?", "V/s", "mV/s"),
    (
        "What becomes of rows when the memory is full?",
        "the oldest are overwritten",
        "the channel stops, or drops the newest",
    ),
]


# How chains end, with usual habits.
ENDS = {
    "Is a row written where a test is met (next)?": "yes",
    "Is a row written where a test is met (stop)?": "yes",
    "Is a row written at the end of a technique?": "yes",
    "From when does ElapsedTime count?": "the start of the chain",
    "Does ElapsedTime stand still after the end?": "yes",
    "Does another program's stop show as STOP, with the rows kept?": "yes",
    "How long does a point at 1 Hz take?": 1.0,
    "What does MemFilled beside a block count?": "what is left",
    "Is a range that the board does not have refused when it is loaded?": "yes",
    "Does a channel say anything but RUN and STOP?": "no",
}


@pytest.mark.parametrize("odd", [False, True], ids=["usual habits", "odd habits"])
def test_every_habit_is_found_out(virtual: Virtual, odd: bool) -> None:
    found = learned(virtual, "VMP-3", ODD if odd else Habits(memory_bytes=2**18))
    assert {question: found[question].found for question, _, _ in QUESTIONS} == {
        question: strange if odd else plain for question, plain, strange in QUESTIONS
    }
    changed = [each.bears_on for each in found.values() if each.verdict == "changed"]
    assert changed == (["vmp3.toml: chain_length", *3 * ["vmp3.toml: feeds"]] if odd else [])
    assert not [each for each in found.values() if each.verdict == "unsettled"]
    assert all(each.advice for each in found.values() if each.verdict == "changed")
    if not odd:
        assert {question: found[question].found for question in ENDS} == ENDS


@pytest.mark.parametrize(
    ("habits", "found"),
    [
        ({"updates": "ignored"}, ["no: answered, and ignored"] * 2 + ["no: the chain goes on"]),
        ({"update_range": "ignored"}, ["yes", "no: answered, and ignored", "yes"]),
        ({"updates": "ignored after a pass"}, ["no: answered, and ignored"] * 2 + ["no: the chain goes on"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_answered_and_ignored_is_seen(
    virtual: Virtual, habits: dict[str, Any], found: list[str]
) -> None:
    lessons = learned(virtual, "SP-300", Habits(memory_bytes=2**18, **habits))
    of_feeds = [each for each in lessons.values() if each.bears_on == "sp300.toml: feeds"]
    assert [each.found for each in of_feeds] == found


def test_an_sp_300_confirms_its_data(virtual: Virtual) -> None:
    found = learned(virtual, "SP-300", Habits(memory_bytes=2**18))
    confirmed = {each.bears_on for each in found.values() if each.verdict == "confirmed"}
    for name in ("timebase_s.OCV", "timebase_s.GEIS", "eis_s_per_average", "I_ranges", "f_max_Hz"):
        assert f"sp300.toml: {name}" in confirmed
    assert len(confirmed) == len({each.bears_on for each in found.values()})
    assert {question: found[question].found for question in ENDS} == ENDS


def test_a_board_with_fewer_ranges_changes_the_data(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nakctl_sim.instrument import device_calls

    shown = device_calls.TChannelInfos
    monkeypatch.setattr(device_calls, "TChannelInfos", lambda **said: shown(**said | {"MinIRange": 5}))
    found = learned(virtual, "SP-300", Habits(memory_bytes=2**18))
    lesson = found["Which current ranges does the board have?"]
    assert (lesson.found, lesson.verdict) == ("codes 5 to 10", "changed")
    lesson = found["Is a range that the board does not have refused when it is loaded?"]
    assert (lesson.found, lesson.verdict) == ("no: code 4 is taken", "changed")


def test_a_cell_that_does_not_decay_cannot_tell_of_tests(virtual: Virtual) -> None:
    """The test is never met, or by the first row, which is written anyway."""
    lesson = learned(virtual, "SP-300", Habits(), cell="open-lead")[
        "Is a row written where a test is met (next)?"
    ]
    assert (lesson.verdict, lesson.found) == ("unsettled", "the test was met at once or never")
    assert "1 uF" in lesson.advice


def test_a_short_circuit_cannot_tell_of_scans(virtual: Virtual) -> None:
    found = learned(virtual, "SP-300", Habits(), cell="shorted-lead")
    lesson = found["Does Scan_number count scans or vertices, from 0?"]
    assert (lesson.verdict, lesson.found) == ("unsettled", "too much current flowed to tell")
    assert "Is Scan_Rate of the vendor's cv in V/s or in mV/s?" not in found


def test_scans_that_count_vertices(virtual: Virtual) -> None:
    found = learned(virtual, "SP-300", Habits(scan_number="vertices"))
    lesson = found["Does Scan_number count scans or vertices, from 0?"]
    assert (lesson.found, lesson.verdict) == ("vertices", "changed")
    assert "Run no scan" in lesson.advice
    assert "Is the rate of a scan in V/s?" not in found
    assert found["Which columns has a row of a ramp?"].found == "it is not taken"


def test_a_second_connection_may_be_refused(virtual: Virtual) -> None:
    lesson = learned(virtual, "SP-300", Habits(), ("BL_Connect=-207@call2",))[
        "Does another program's stop show as STOP, with the rows kept?"
    ]
    assert (lesson.verdict, lesson.found) == ("unsettled", "a second connection was refused")


@pytest.mark.parametrize(
    ("said", "question", "told"),
    [
        ({"State": 2}, "Does a channel say anything but RUN and STOP?", "paused"),
        ({"ElapsedTime": 0.1}, "From when does ElapsedTime count?", "something else"),
        ({"MemFilled": 1}, "What does MemFilled beside a block count?", "something else"),
    ],
)
def test_what_a_strange_instrument_says(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch, said: dict[str, float], question: str, told: str
) -> None:
    """While it runs; ElapsedTime always, and MemFilled also beside blocks with rows."""
    from nakctl_sim.instrument import channel_calls

    shown = channel_calls.current_values

    def strange(board: Any, timebase_s: float | None) -> Any:
        values = shown(board, timebase_s)
        if values.State or "ElapsedTime" in said or (timebase_s is not None and "MemFilled" in said):
            for name, value in said.items():
                setattr(values, name, value)
        return values

    monkeypatch.setattr(channel_calls, "current_values", strange)
    assert learned(virtual, "SP-300", Habits(memory_bytes=2**18))[question].found == told


def day(virtual: Virtual, faults: list[str]) -> Iterator[Lesson]:
    clock = StepClock()
    chassis = Chassis("bench", "biologic", "", {}, {"address": virtual(faults=faults, clock=clock)})
    return driver.first_day(chassis, 1, clock)  # type: ignore[attr-defined,no-any-return]


def test_a_stop_that_is_not_obeyed_ends_the_day(virtual: Virtual) -> None:
    lessons: dict[str, Lesson] = {}
    with pytest.raises(ChannelError, match="went on after a stop"):
        for lesson in day(virtual, ["stop-ignored=1"]):
            lessons[lesson.question] = lesson
    after = lessons["Is the cell open after a stop?"]
    assert after.verdict == "changed"
    assert "Do not leave cells" in after.advice


@pytest.mark.parametrize(
    ("faults", "told"), [(["eclab=1"], "--load-firmware"), (["missing=1"], "no channel 1")]
)
def test_a_channel_that_cannot_be_used_is_left_alone(virtual: Virtual, faults: list[str], told: str) -> None:
    with pytest.raises(ChannelError, match=told):
        next(day(virtual, faults))


def test_a_cable_pulled_in_between_ends_the_day(virtual: Virtual) -> None:
    lessons: list[Lesson] = []
    with pytest.raises(ChannelError, match="cable"):
        lessons.extend(day(virtual, ["cable=@call200"]))
