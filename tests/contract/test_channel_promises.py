"""One test or more per promise of nakctl.device.channel, in their order."""

from __future__ import annotations

import numpy as np
import pytest
from channel_bench import (
    MIXED,
    MakeChannel,
    ca,
    chain,
    cp,
    drain,
    eis,
    ocv,
    pulses,
    run,
    start,
)

from nakctl.device.channel import Flag, State, Watch
from nakctl.device.instrument import instruments
from nakctl.device.program import Hardware, Loop, Segment, Test
from nakctl.errors import ChannelError
from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.clock import StepClock

ALSO_DROPPED = True
ONCE = Watch()
RANGE_SMALL = Hardware("10 uA", "5 V", 5)


# 1. load, start, then read again and again; load may follow as soon as a read said STOPPED


def test_segments_follow_one_another(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    for segment in (pulses(2), MIXED, chain(ocv(1.0))):
        done = run(channel, clock, segment)
        assert done.samples["technique"].max() == max(
            at for at, one in enumerate(segment.techniques) if not isinstance(one, Loop)
        )


def test_load_replaces_what_is_loaded(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    channel.load(pulses(100))
    done = run(channel, clock, chain(ocv(3.0)))
    assert done.samples["time_s"][-1] == pytest.approx(3.0)


@pytest.mark.parametrize("misuse", ["start unloaded", "start twice", "load while running"])
def test_out_of_order(make_channel: MakeChannel, misuse: str) -> None:
    channel = make_channel()
    if misuse != "start unloaded":
        channel.load(MIXED)
        channel.start()
    with pytest.raises(ChannelError):
        channel.load(MIXED) if misuse == "load while running" else channel.start()


# 2. rows in the order of time, each exactly once


@pytest.mark.parametrize("segment", [pulses(50), MIXED], ids=["pulses", "mixed"])
def test_rows_in_order_of_time(make_channel: MakeChannel, segment: Segment) -> None:
    clock = FreeClock()
    done = run(make_channel(clock), clock, segment)
    assert np.all(np.diff(done.samples["time_s"]) > 0)
    assert np.all(np.diff(done.points["time_s"]) > 0)


def test_a_large_run_comes_in_several_reads(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    done = run(make_channel(clock), clock, chain(ocv(70.0, 1e-3)))
    assert len(done.reads) > 2
    assert len(done.samples) == 70_001
    assert np.allclose(done.samples["time_s"][1:], np.arange(1, 70_001) * 1e-3, atol=1e-9)


# 3. STOPPED when the chain is over and every row was handed over; not between load and start


def test_not_stopped_between_load_and_start(make_channel: MakeChannel) -> None:
    channel = make_channel()
    channel.load(pulses(1))
    assert channel.read(ONCE).state is State.RUNNING


def test_stopped_comes_with_or_after_the_last_row(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    done = run(channel, clock, pulses(3))
    assert done.samples["time_s"][-1] == pytest.approx(9.0, abs=1e-3)
    after = channel.read(ONCE)
    assert after.state is State.STOPPED
    assert len(after.samples) == len(after.points) == 0


# 4. stop opens the cell, in any state, any number of times, and loses no row


@pytest.mark.parametrize("loaded", [False, True])
def test_stop_before_start(make_channel: MakeChannel, loaded: bool) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    if loaded:
        channel.load(pulses(1))
    channel.stop()
    assert drain(channel, clock).reads == [0]
    assert len(run(channel, clock, pulses(1)).samples) > 0


@pytest.mark.parametrize("stop_s", [0.0, 0.5, 1.7, 3.0, 4.9, 6.3, 8.1])
def test_stop_while_running_loses_no_row(make_channel: MakeChannel, stop_s: float) -> None:
    """Whatever runs at that time: what was made until then is what a whole run makes."""
    clock = StepClock()
    whole = run(make_channel(clock), clock, MIXED)
    channel = make_channel(clock)
    start(channel, clock, MIXED)
    clock.sleep(stop_s)
    first = channel.read(ONCE)
    channel.stop()
    channel.stop()
    rest = drain(channel, clock, pause_s=0.05)

    samples = np.concatenate([first.samples, rest.samples])
    points = np.concatenate([first.points, rest.points])
    end_s = stop_s + 1.0  # a host's reaction
    assert samples.tobytes() == whole.samples[: len(samples)].tobytes()
    assert points.tobytes() == whole.points[: len(points)].tobytes()
    assert (
        np.sum(whole.samples["time_s"] <= stop_s) <= len(samples) <= np.sum(whole.samples["time_s"] <= end_s)
    )
    assert np.sum(whole.points["time_s"] <= stop_s) <= len(points) <= np.sum(whole.points["time_s"] <= end_s)


def test_stop_with_many_rows_waiting(make_channel: MakeChannel) -> None:
    """More than one read carries: the host did not look for a minute."""
    clock = StepClock()
    channel = make_channel(clock)
    start(channel, clock, chain(ocv(100.0, 1e-3)))
    clock.sleep(60.0)
    channel.stop()
    samples = drain(channel, clock).samples
    assert len(samples) >= 60_001
    assert np.all(np.diff(samples["time_s"][1:]) < 1.1e-3)


def test_stop_opens_the_cell(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    start(channel, clock, chain(cp(0.5e-3, 3e4, 1.0)))
    under_current = channel.read(Watch(every_s=10.0)).samples["Ewe_V"][-1]
    channel.stop()
    drain(channel, clock)
    rest = run(channel, clock, chain(ocv(10.0))).samples
    assert under_current == pytest.approx(0.15, rel=0.01)
    assert rest["Ewe_V"][-1] == pytest.approx(0.0, abs=1e-3)


def test_stop_when_it_is_over(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    run(channel, clock, pulses(1))
    channel.stop()
    assert drain(channel, clock).reads == [0]
    assert len(run(channel, clock, pulses(1)).samples) > 0


@pytest.mark.parametrize("running", [False, True])
def test_close_in_any_state_and_twice(make_channel: MakeChannel, running: bool) -> None:
    channel = make_channel()
    if running:
        channel.load(pulses(None))
        channel.start()
    channel.close()
    channel.close()
    with pytest.raises(ChannelError):
        channel.read(ONCE)
    with pytest.raises(ChannelError):
        channel.load(pulses(1))


# 5. times count from the start of the segment


def test_times_start_again_with_each_segment(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    channel = make_channel(clock)
    for _ in range(2):
        samples = run(channel, clock, chain(ocv(5.0))).samples
        assert 0 < samples["time_s"][0] < 1e-3
        assert samples["time_s"][-1] == pytest.approx(5.0, abs=1e-3)
        assert samples["time_s"].dtype == np.float64


# 6. the last row of a technique that a test ended is the row that met the test


MET = {
    "Ewe above": (cp(0.8e-3, 60.0, 1.0, Test("Ewe", "above", 0.2)), lambda row: row["Ewe_V"] > 0.2),
    "Ewe below": (cp(-0.8e-3, 60.0, 1.0, Test("Ewe", "below", -0.2)), lambda row: row["Ewe_V"] < -0.2),
    "Ewe below 0": (cp(-0.8e-3, 60.0, 1.0, Test("Ewe", "below", 0.0)), lambda row: row["Ewe_V"] < 0),
    "|I| below": (ca(0.1, 60.0, 1.0, Test("|I|", "below", 0.4e-3)), lambda row: abs(row["I_A"]) < 0.4e-3),
    "|I| above": (ca(-0.1, 60.0, 1.0, Test("|I|", "above", 0.1e-3)), lambda row: abs(row["I_A"]) > 0.1e-3),
    "second of two": (
        cp(0.8e-3, 60.0, 1.0, Test("Ewe", "below", -1.0), Test("Ewe", "above", 0.2)),
        lambda row: row["Ewe_V"] > 0.2,
    ),
}


@pytest.mark.parametrize("case", MET)
def test_the_row_that_met_the_test_is_the_last(make_channel: MakeChannel, case: str) -> None:
    technique, met = MET[case]
    clock = FreeClock()
    samples = run(make_channel(clock), clock, chain(technique)).samples
    assert met(samples[-1])
    assert not any(met(row) for row in samples[:-1])
    assert samples["time_s"][-1] < 5.0
    assert [bool(flags & Flag.TEST_MET) for flags in samples["flags"]] == [False] * (len(samples) - 1) + [
        True
    ]


@pytest.mark.parametrize(("on_test", "techniques"), [("next", {0, 1}), ("stop", {0})])
def test_what_follows_a_test(make_channel: MakeChannel, on_test: str, techniques: set[int]) -> None:
    clock = FreeClock()
    ends = cp(0.8e-3, 60.0, 1.0, Test("Ewe", "above", 0.1), on_test=on_test)
    done = run(make_channel(clock), clock, chain(ends, ocv(1.0), Loop(0, 3, passes=True)))
    assert set(done.samples["technique"]) == techniques
    assert done.samples["passes"].max() == (2 if on_test == "next" else 0)


def test_a_limit_of_0_V_counts(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    done = run(make_channel(clock), clock, chain(cp(0.1e-3, 60.0, 1.0, Test("Ewe", "above", 0.0))))
    assert len(done.samples) == 1


# 7. what the experiment survives is a Notice


def test_an_overload_is_noticed_and_survived(make_channel: MakeChannel) -> None:
    clock = FreeClock()
    done = run(make_channel(clock, "open-lead"), clock, chain(cp(1e-6, 30.0), ocv(1.0)))
    assert done.samples["technique"][-1] == 1
    overloaded = done.samples["flags"] & Flag.E_OVERLOAD != 0
    assert overloaded.any()
    assert np.all(np.abs(done.samples["Ewe_V"]) <= 5.0)
    first = done.samples["time_s"][overloaded][0]
    notice = next(notice for notice in done.notices if notice.code == "overload")
    assert notice.time_s == pytest.approx(first)
    assert notice.severity >= 1


def test_info_says_what_it_is(make_channel: MakeChannel) -> None:
    info = make_channel(seed=7).info
    assert info.instrument in instruments()
    assert info.channel
    assert isinstance(info.simulated, bool)


# what a row holds


def test_sign_of_the_current(make_channel: MakeChannel) -> None:
    """I > 0 oxidises: Ewe rises. At open circuit the current is 0."""
    clock = FreeClock()
    segment = chain(cp(0.3e-3, 5.0), ocv(5.0), cp(-0.3e-3, 5.0))
    samples = run(make_channel(clock), clock, segment).samples
    strip, rest, plate = (samples[samples["technique"] == at] for at in range(3))
    assert np.allclose(strip["I_A"], 0.3e-3, rtol=2e-3)
    assert np.all(strip["Ewe_V"] > 0.01)
    assert np.all(rest["I_A"] == 0)
    assert np.allclose(plate["I_A"], -0.3e-3, rtol=2e-3)
    assert np.all(plate["Ewe_V"][1:] < -0.01)


def test_impedance_of_a_known_circuit(make_channel: MakeChannel) -> None:
    """Three plateaus of the dummy cell; a capacitor has Im < 0."""
    clock = FreeClock()
    sweep = eis(amplitude=5e-6, n=19, first_Hz=1e5, last_Hz=0.1, hardware=RANGE_SMALL)
    points = run(make_channel(clock, "dummy"), clock, chain(sweep)).points
    Z = points["Z_re_ohm"] + 1j * points["Z_im_ohm"]
    assert len(Z) == 19
    assert Z[0] == pytest.approx(100.0, abs=30.0)
    assert Z[-1].real == pytest.approx(2100.0, rel=0.02)
    assert Z.imag.min() < -400
    assert np.allclose(points["E_amp_V"] / points["I_amp_A"], np.abs(Z), rtol=0.01)
