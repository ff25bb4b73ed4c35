"""What a channel makes of time: clocks, watches, loops, chance."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from channel_bench import (
    MAX_READS,
    MIXED,
    MOVING,
    MakeChannel,
    Run,
    chain,
    collected,
    cp,
    eis,
    fetch,
    ocv,
    pulses,
    run,
    start,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nakctl.device.channel import Rows, State, Watch
from nakctl.device.program import Ca, Cp, Eis, Loop, Ocv, Segment
from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.clock import StepClock

STEP_CELL = "NaK50"


def same(one: Run, other: Run) -> bool:
    """Bit for bit."""
    return one.samples.tobytes() == other.samples.tobytes() and one.points.tobytes() == other.points.tobytes()


@pytest.mark.parametrize("segment", [pulses(20), MIXED], ids=["pulses", "mixed"])
def test_the_seed_fixes_every_row(make_channel: MakeChannel, segment: Segment) -> None:
    runs = [run(make_channel(clock, STEP_CELL, seed), clock, segment) for clock, seed in pairs(1, 1, 2)]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def pairs(*seeds: int) -> list[tuple[FreeClock, int]]:
    return [(FreeClock(), seed) for seed in seeds]


@pytest.mark.parametrize("pause_s", [0.023, 0.1, 0.77])
@pytest.mark.parametrize("segment", [pulses(7), MIXED, MOVING], ids=["pulses", "mixed", "moving"])
def test_rows_do_not_depend_on_how_they_are_read(
    make_channel: MakeChannel, segment: Segment, pause_s: float
) -> None:
    free, paced = FreeClock(), StepClock()
    at_once = run(make_channel(free, STEP_CELL), free, segment)
    piecemeal = run(make_channel(paced, STEP_CELL), paced, segment, pause_s=pause_s)
    watched = run(
        make_channel(FreeClock(), STEP_CELL), FreeClock(), segment, Watch(every_s=0.3, Ewe_max_V=0.1)
    )
    assert len(piecemeal.reads) > 10
    assert same(at_once, piecemeal)
    assert same(at_once, watched)


def test_a_paced_run_is_never_ahead_of_its_clock(make_channel: MakeChannel) -> None:
    clock = StepClock()
    channel = make_channel(clock)
    start(channel, clock, MIXED)
    started_s = clock.now_s()
    for _ in range(100):
        clock.sleep(0.11)
        fetched = collected(fetch(channel))
        for rows in (fetched.samples, fetched.points):
            assert np.all(rows["time_s"] <= clock.now_s() - started_s + 1e-9)
            assert np.all(rows["time_s"] >= clock.now_s() - started_s - 0.11 - 1e-2)


def test_a_long_rest_takes_no_time(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    done = run(make_channel(clock, STEP_CELL), clock, chain(ocv(39_600.0, 60.0), ocv(14_400.0, 60.0)))
    assert done.samples["time_s"][-1] == pytest.approx(54_000.0, abs=0.01)
    assert len(done.samples) == 660 + 1 + 240 + 1
    assert clock.now_s() == pytest.approx(54_000.0, abs=2.0)


def test_the_cell_lives_on_and_rests_between_segments(make_channel: MakeChannel) -> None:
    """A capacitor keeps what a segment left, less what runs off while the next one is loaded."""
    clock = FreeClock()
    channel = make_channel(clock, "dummy")
    run(channel, clock, chain(cp(0.5e-3, 1.0)))
    left_s = clock.now_s()
    after = run(channel, clock, chain(ocv(1.0))).samples["Ewe_V"]
    idle_s = clock.now_s() - 1.0 - left_s
    assert 0.2 < idle_s < 2.0
    assert after[0] == pytest.approx(0.5 * np.exp(-idle_s / 0.1), abs=2e-3)
    assert after[-1] == pytest.approx(0.0, abs=1e-3)


# watches


WAKING = {
    "Ewe_max_V": (Watch(Ewe_max_V=0.1), lambda row: row["Ewe_V"] > 0.1),
    "Ewe_min_V": (Watch(Ewe_min_V=-0.1), lambda row: row["Ewe_V"] < -0.1),
    "I_max_A": (Watch(I_max_A=0.5e-3), lambda row: abs(row["I_A"]) > 0.5e-3),
    "I_min_A": (Watch(I_min_A=0.1e-3), lambda row: 0 < abs(row["I_A"]) < 0.1e-3),
}


@pytest.mark.parametrize("case", WAKING)
def test_a_watch_hands_over_at_once(make_watching_channel: MakeChannel, case: str) -> None:
    """The first read that holds a row beyond the watch ends with it."""
    watch, beyond = WAKING[case]
    clock = FreeClock()
    channel = make_watching_channel(clock)
    steps = [cp(current, 5.0, 0.1) for current in (0.2e-3, -0.8e-3, 0.8e-3, -0.05e-3)]
    start(channel, clock, chain(ocv(5.0), *steps))
    samples = channel.read(watch).samples
    assert [bool(beyond(row)) for row in samples] == [False] * (len(samples) - 1) + [True]


def test_a_watch_tells_of_a_fall_to_0_V_once(make_watching_channel: MakeChannel) -> None:
    """Low from the start is no fall, and staying low is no news; rest does not count."""
    clock = FreeClock()
    channel = make_watching_channel(clock)
    start(channel, clock, chain(*(cp(current, 5.0, 0.1) for current in (0.05e-3, 0.8e-3, 0.05e-3)), ocv(5.0)))
    watch = Watch(Ewe_near_0_V=0.02)
    fell, later = channel.read(watch), channel.read(watch)
    last = fell.samples[-1]
    assert last["technique"] == 2
    assert abs(last["Ewe_V"]) <= 0.02 < abs(fell.samples[-2]["Ewe_V"])
    assert later.state is State.STOPPED


def test_a_watch_sees_the_bias_of_a_sweep(make_watching_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_watching_channel(clock)
    start(channel, clock, chain(eis(bias=0.2e-3, hold_s=0.0, n=40)))
    assert len(channel.read(Watch(I_max_A=0.1e-3)).points) == 1
    assert 1 <= len(channel.read(Watch(every_s=1.0)).points) <= 5


UP = {"first_Hz": 1.0, "last_Hz": 1e5, "n": 16, "hold_s": 0.0}
DOWN = {"first_Hz": 1e5, "last_Hz": 1.0, "n": 16, "hold_s": 0.0}
PEAKS: dict[str, tuple[Eis, Callable[[Rows], Any]]] = {
    "Ewe_max_V": (eis(**DOWN), lambda rows: rows["E_dc_V"].astype(float) + rows["E_amp_V"]),
    "Ewe_min_V": (eis(bias=-1e-4, **DOWN), lambda rows: rows["E_dc_V"].astype(float) - rows["E_amp_V"]),
    "I_max_A": (
        eis("PEIS", 0.0, 0.02, **UP),
        lambda rows: abs(rows["I_dc_A"].astype(float)) + rows["I_amp_A"],
    ),
}


@pytest.mark.parametrize("case", PEAKS)
@pytest.mark.parametrize("share", [0.01, 0.7, 0.9999])
def test_a_watch_sees_the_peaks_of_a_sweep(
    make_watching_channel: MakeChannel, case: str, share: float
) -> None:
    """DC value and amplitude together, as recorded: the read ends with the first frequency beyond."""
    sweep, peak = PEAKS[case]
    clock = FreeClock()
    usual = peak(run(make_watching_channel(clock), clock, chain(sweep, ocv(1.0))).points)
    bound = share * float(usual[np.argmax(abs(usual))])
    first = int(np.argmax(abs(usual) > abs(bound)))
    channel = make_watching_channel(FreeClock())
    start(channel, FreeClock(), chain(sweep, ocv(1.0)))
    reading = channel.read(Watch(**{case: bound}))
    assert len(reading.points) == first + 1
    assert len(reading.samples) == 0  # those of the rest that follows


def test_a_watch_on_peaks_changes_no_row(make_watching_channel: MakeChannel) -> None:
    """Woken at many frequencies, and again after each."""
    segment = chain(
        ocv(0.5), eis(n=20), Loop(1, 3, passes=False), eis("PEIS", 0.0, 5e-3), Loop(0, 2, passes=True)
    )
    usual, other = FreeClock(), FreeClock()
    at_once = run(make_watching_channel(usual, STEP_CELL), usual, segment)
    watch = Watch(Ewe_max_V=float(np.median(at_once.points["E_dc_V"] + at_once.points["E_amp_V"])))
    watched = run(make_watching_channel(other, STEP_CELL), other, segment, watch)
    assert same(at_once, watched)
    assert len(watched.reads) > 50


def test_looking_every_so_often(make_watching_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_watching_channel(clock)
    start(channel, clock, chain(ocv(100.0, 0.5)))
    started_s = clock.now_s()
    for n in range(1, 5):
        channel.read(Watch(every_s=10.0))
        assert clock.now_s() - started_s == pytest.approx(10.0 * n, abs=1.0)


# loops, and programs made by chance


def test_loops_count_their_passes(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    nested = chain(ocv(0.5), cp(1e-4, 0.5), Loop(1, 3, passes=False), ocv(0.25), Loop(0, 2, passes=True))
    assert visits(run(make_channel(clock), clock, nested)) == [
        (0, 0), (1, 0), (1, 1), (1, 2), (3, 0), (0, 1), (1, 3), (1, 4), (1, 5), (3, 1),
    ]  # fmt: skip


def test_an_endless_loop_goes_on(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    start(channel, clock, pulses(None))
    passes = 0
    for _ in range(MAX_READS):
        reading = channel.read(Watch())
        assert reading.state is State.RUNNING
        passes = max([passes, *reading.samples["passes"][-1:].tolist()])
        if passes > 30:
            return
    raise AssertionError(f"{passes} passes after {MAX_READS} reads")


def visits(done: Run) -> list[tuple[int, int]]:
    """Technique and pass, in the order in which rows tell of them."""
    rows = [(row["time_s"], int(row["technique"]), int(row["passes"])) for row in done.samples]
    rows += [(row["time_s"], int(row["technique"]), int(row["passes"])) for row in done.points]
    return [key for key, _ in groupby(visit[1:] for visit in sorted(rows))]


seconds = st.integers(1, 3000).map(lambda ms: ms * 1e-3)
intervals = st.integers(10, 1000).map(lambda ms: ms * 1e-3)
leaves = st.one_of(
    st.builds(ocv, seconds, intervals),
    st.builds(cp, st.sampled_from([-4e-4, 0.0, 1e-4, 4e-4]), seconds, intervals),
    st.builds(
        eis,
        control=st.just("GEIS"),
        bias=st.sampled_from([0.0, 2e-4]),
        n=st.integers(1, 3),
        hold_s=st.sampled_from([0.0, 0.25]),
    ),
)
Tree = tuple[int, list["Tree | Ocv | Cp | Ca | Eis"]]
trees = st.recursive(
    leaves,
    lambda nodes: st.tuples(st.integers(1, 3), st.lists(nodes, min_size=1, max_size=3)),
    max_leaves=5,
)


def flattened(nodes: list, techniques: list) -> list[int]:
    """Append the chain of a tree to techniques; the order in which its techniques are to be visited."""
    order: list[int] = []
    for node in nodes:
        if isinstance(node, tuple):
            times, body = node
            to = len(techniques)
            order += flattened(body, techniques) * times
            techniques.append(Loop(to, times, passes=True))
        else:
            order.append(len(techniques))
            techniques.append(node)
    return order


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=st.lists(trees, min_size=1, max_size=3), pause_s=st.sampled_from([None, 0.05, 1.3]))
def test_any_program(make_channel: MakeChannel, nodes: list, pause_s: float | None) -> None:
    techniques: list = []
    order = flattened(nodes, techniques)
    clock = FreeClock() if pause_s is None else StepClock()
    done = run(make_channel(clock), clock, Segment(tuple(techniques)), pause_s=pause_s or 0.1)

    expected = [(at, order[:n].count(at)) for n, at in enumerate(order)]
    assert visits(done) == expected
    end_s = 0.0
    for at, passes in expected:
        end_s = check_visit(done, techniques[at], at, passes, end_s)


def check_visit(done: Run, technique: Ocv | Cp | Eis, at: int, passes: int, start_s: float) -> float:
    """Its rows lie in its time, none is missing; when it ended."""
    samples = done.samples[(done.samples["technique"] == at) & (done.samples["passes"] == passes)]
    points = done.points[(done.points["technique"] == at) & (done.points["passes"] == passes)]
    times_s = samples["time_s"] - start_s
    held_s = technique.hold_s if isinstance(technique, Eis) else technique.duration_s
    if held_s > 0:
        ticks = 2e-4  # a few time bases
        assert 0 < times_s[0] < ticks
        assert times_s[-1] == pytest.approx(held_s, abs=ticks)
        assert np.all(np.diff(times_s) < technique.every_s + ticks)
        assert len(times_s) <= held_s / technique.every_s + 2.5
    if isinstance(technique, Eis):
        assert len(points) == technique.n_frequencies
        return float(points["time_s"][-1])
    assert len(points) == 0
    return float(samples["time_s"][-1])
