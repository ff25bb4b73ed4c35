"""Trouble of a simulated channel, asked for by words of its place: on a free clock and on a paced one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sim_bench import cp, eis, ocv
from time_bases import SAME_s, counted_s

from nakctl.device.channel import Channel, Reading, Rows, State, Watch
from nakctl.device.driver import Place
from nakctl.device.program import Segment, Technique
from nakctl.errors import ChannelError, LinkLost, RigError
from nakctl.rig import find_rig
from nakctl.run.clock import FreeClock
from nakctl_sim.driver import driver
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.trouble import Trouble, trouble

LOOK_s = 0.25
EVERY_s = counted_s(0.5)  # of the rows of CHAIN's first technique: row 40 stands near 20 s, not always at it
CHAIN = cp(0.2e-3, 30.0, 0.5), ocv(30.0, 0.5), cp(0.3e-3, 30.0, 0.5), eis(bias=1e-4, f_last_Hz=0.1)


@dataclass
class Bench:
    """A channel that is read every LOOK_s, whichever clock it lives by; begun: when `start` came back."""

    channel: Channel
    clock: Any
    begun_s: float = 0.0

    def start(self, *techniques: Technique) -> None:
        self.channel.load(Segment(techniques or CHAIN))
        self.channel.start()
        self.begun_s = self.clock.now_s()

    @property
    def now_s(self) -> float:
        return float(self.clock.now_s() - self.begun_s)

    def read(self) -> Reading:
        self.clock.sleep(LOOK_s)
        return self.channel.read(Watch(every_s=LOOK_s))

    def read_until(self, time_s: float) -> list[Reading]:
        readings: list[Reading] = []
        while self.now_s < time_s - 1e-9 and not (readings and readings[-1].state is State.STOPPED):
            readings.append(self.read())
        return readings


@pytest.fixture(params=[FreeClock, StepClock])
def clock(request: pytest.FixtureRequest) -> Any:
    return request.param()


def bench(clock: Any, *troubles: str, **habits: object) -> Bench:
    options = {"trouble": list(troubles), "habits": habits}
    place = Place("sim", "sim", "SP-300", 1, options)
    return Bench(driver.open(place, driver.cell("randles"), clock, 1), clock)


def samples(readings: list[Reading]) -> Rows:
    return np.concatenate([reading.samples for reading in readings])


def loaded_s(clock: Any) -> float:
    """When `start` is called: a free clock goes on while a chain is loaded."""
    return 0.5 if isinstance(clock, FreeClock) else 0.0


@pytest.mark.parametrize("at_s", [0.7, 17.3, 42.4, 71.9, 93.3])
def test_another_program_stops_the_channel(clock: Any, at_s: float) -> None:
    """Wherever it is: STOPPED, the rows until then, nothing after, no word why."""
    whole = samples(undisturbed())
    one = bench(clock, f"stopped@t{at_s + loaded_s(clock)}")
    one.start()
    readings = one.read_until(200.0)
    assert readings[-1].state is State.STOPPED
    assert samples(readings).tobytes() == whole[whole["time_s"] <= at_s].tobytes()
    assert not any(reading.notices for reading in readings)
    look = one.channel.look()
    assert look is not None
    assert (look.running, look.I_A) == (False, 0.0)
    assert look.elapsed_s == pytest.approx(at_s)
    one.start(ocv(1.0))
    assert len(samples(one.read_until(5.0))) == 2


def undisturbed() -> list[Reading]:
    one = bench(FreeClock())
    one.start()
    return one.read_until(200.0)


def test_a_full_memory_stops_the_channel(clock: Any) -> None:
    one = bench(clock, f"memory-full@t{20.1 + loaded_s(clock)}")
    one.start()
    readings = one.read_until(200.0)
    assert readings[-1].state is State.STOPPED
    assert samples(readings)["time_s"][-1] == pytest.approx(40 * EVERY_s, abs=SAME_s)
    filled = [reading.look.filled for reading in readings if reading.look is not None]
    assert max(filled) == 1.0
    look = one.channel.look()
    assert look is not None
    assert (look.running, look.filled) == (False, 0.0)


def test_a_lost_kernel(clock: Any) -> None:
    """Every call fails from then on; what was fetched before is what was made before."""
    one = bench(clock, f"lost-kernel@t{20.3 + loaded_s(clock)}")  # row 40 was read at 20.25 s at the latest
    one.start()
    readings: list[Reading] = []
    with pytest.raises(ChannelError, match="firmware"):
        readings += one.read_until(20.0)
        while True:
            readings.append(one.read())
    assert samples(readings)["time_s"][-1] == pytest.approx(40 * EVERY_s, abs=SAME_s)
    assert all(reading.state is State.RUNNING for reading in readings)
    for call in (one.channel.look, one.channel.stop, one.read):
        with pytest.raises(ChannelError, match="firmware"):
            call()


def test_a_technique_that_ends_early(clock: Any) -> None:
    one = bench(clock, f"early-end@t{20.1 + loaded_s(clock)}")
    one.start(cp(0.2e-3, 30.0, 0.5), ocv(5.0, 0.5))
    found = samples(one.read_until(200.0))
    assert found["time_s"][found["technique"] == 0][-1] == pytest.approx(40 * EVERY_s, abs=SAME_s)
    assert found["time_s"][-1] == pytest.approx(25.1)


def test_a_stop_that_is_refused_for_a_while(clock: Any) -> None:
    one = bench(clock, f"stop-refused@t{5.0 + loaded_s(clock)}:10s")
    one.start()
    one.read_until(5.0)
    while one.now_s < 14.9:
        with pytest.raises(ChannelError, match="refuses"):
            one.channel.stop()
        assert len(one.read().samples) + len(one.read().samples) == 1  # and the record goes on
    one.read_until(15.0)
    one.channel.stop()
    assert one.read_until(200.0)[-1].state is State.STOPPED
    assert one.now_s < 16.0


def test_a_stop_that_is_ignored_for_a_while(clock: Any) -> None:
    one = bench(clock, f"stop-ignored@t{loaded_s(clock)}:10s")
    one.start()
    while one.now_s < 9.9:
        one.channel.stop()
        one.read()
        look = one.channel.look()
        assert look is not None
        assert look.running
    one.read()
    one.channel.stop()
    assert one.read_until(200.0)[-1].state is State.STOPPED


def test_a_link_that_is_down_for_a_while(clock: Any) -> None:
    """Nobody answers, the channel goes on, and no row is lost."""
    one = bench(clock, f"silent@t{5.1 + loaded_s(clock)}:10s")
    one.start()
    readings = one.read_until(5.0)
    readings += one.read_until(15.0)
    mute = [reading for reading in readings if reading.look is None]
    assert len(mute) in (39, 40)
    assert all(len(reading.samples) == 0 and reading.state is State.RUNNING for reading in mute)
    readings += one.read_until(200.0)
    found = samples(readings)
    assert found.tobytes() == samples(undisturbed()).tobytes()
    notices = [notice for reading in readings for notice in reading.notices]
    assert [notice.code for notice in notices] == ["link"]


def test_a_read_that_knows_no_haste_meets_the_silence_too() -> None:
    """On a free clock one read could go to the end: it comes back when the link goes down, and when it is up."""
    one = bench(FreeClock(), "silent@t5.6:10s")
    one.start()
    readings = [one.channel.read(Watch()) for _ in range(3)]
    assert [reading.look is None for reading in readings] == [True, False, False]
    assert samples(readings[:2])["time_s"][-1] == pytest.approx(15.1, abs=0.5)
    assert readings[-1].state is State.STOPPED


def test_nobody_hears_what_is_asked_while_the_link_is_down(clock: Any) -> None:
    one = bench(clock, f"silent@t{5.0 + loaded_s(clock)}")
    one.start()
    one.read_until(6.0)
    assert one.channel.look() is None
    with pytest.raises(LinkLost):
        one.channel.stop()
    assert one.read().state is State.RUNNING


def test_a_chain_that_ends_while_the_link_is_down(clock: Any) -> None:
    """A loop of reads gets on, and hears of it afterwards."""
    one = bench(clock, f"silent@t{1.0 + loaded_s(clock)}:20s")
    one.start(ocv(3.0, 0.5))
    readings = one.read_until(200.0)
    assert readings[-1].state is State.STOPPED
    assert one.now_s == pytest.approx(21.0, abs=LOOK_s)
    assert len(samples(readings)) == 7


def test_a_slow_start(clock: Any) -> None:
    """The chain counts its time from when it begins; until then the channel stands."""
    one = bench(clock, "slow-start:3s")
    one.start(cp(0.2e-3, 5.0, 0.5))
    before = one.read_until(2.9)
    assert all(reading.look is not None and not reading.look.running for reading in before[:-1])
    assert len(samples(before)) == 0
    readings = one.read_until(6.0)
    assert readings[-1].look is not None
    assert readings[-1].look.running
    assert one.now_s - readings[-1].look.elapsed_s == pytest.approx(3.0)
    readings += one.read_until(200.0)
    assert samples(readings)["time_s"][0] < 1e-3
    assert samples(readings)["time_s"][-1] == pytest.approx(counted_s(5.0), abs=SAME_s)


def test_a_slow_start_is_told_to_the_moment() -> None:
    """Where time is virtual a read may go on for hours: the first that shows the chain's clock is a short one,
    so that both clocks can be tied."""
    clock = FreeClock()
    one = bench(clock, "slow-start:3s")
    one.start(ocv(100.0, 50.0))
    while True:
        before_s = one.now_s
        look = one.channel.read(Watch()).look
        assert look is not None
        if look.elapsed_s > 0:
            break
    assert before_s == 3.0
    assert one.now_s - look.elapsed_s == pytest.approx(3.0, abs=SAME_s)
    assert look.elapsed_s < 1e-3
    assert one.channel.read(Watch()).state is State.STOPPED


def test_a_stop_before_a_slow_start(clock: Any) -> None:
    one = bench(clock, "slow-start:3s")
    one.start()
    one.channel.stop()
    assert one.read().state is State.STOPPED
    one.start(ocv(1.0))
    assert len(samples(one.read_until(10.0))) == 2


def test_habits_are_words_of_a_place(clock: Any) -> None:
    one = bench(clock, end_row=False, eis_factor=2)
    one.start(ocv(3.0, 1.0))
    assert samples(one.read_until(200.0))["time_s"][-1] == pytest.approx(2.0)
    assert one.channel.info.facts["habits"] == {"end_row": False, "eis_factor": 2}


RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: sim, model: sp300, habits: {eis_factor: 1.35, test_row: false}, trouble: ["stopped@t7.25"]}
channels:
  one: {device: bench}
"""


def test_habits_and_trouble_from_a_rig(tmp_path: Path) -> None:
    file = tmp_path / "rig.yaml"
    file.write_text(RIG)
    channel = driver.open(find_rig(file).place("one"), driver.cell("randles"), FreeClock(), 1)
    assert channel.info.facts["habits"] == {"eis_factor": 1.35, "test_row": False}
    channel.load(Segment(CHAIN))
    channel.start()
    assert channel.read(Watch()).samples["time_s"][-1] == pytest.approx(13 * EVERY_s, abs=SAME_s)
    assert channel.read(Watch()).state is State.STOPPED


FORMS = [
    ("stopped@t75", Trouble("stopped", 75.0)),
    ("stop-refused", Trouble("stop-refused")),
    ("stop-refused@t0:10s", Trouble("stop-refused", 0.0, 10.0)),
    ("silent@t30.5:0.5s", Trouble("silent", 30.5, 0.5)),
    ("slow-start:3s", Trouble("slow-start", 0.0, 3.0)),
]
NO_TROUBLE = [
    "",
    "stoped@t75",
    "stopped",
    "stopped@75",
    "stopped@t75:3s",
    "slow-start",
    "slow-start@t3:3s",
    "silent:5",
]


@pytest.mark.parametrize(("text", "made"), FORMS)
def test_forms(text: str, made: Trouble) -> None:
    assert trouble(text) == made


@pytest.mark.parametrize("text", NO_TROUBLE)
def test_no_trouble(text: str) -> None:
    with pytest.raises(RigError, match="trouble"):
        trouble(text)


@pytest.mark.parametrize("options", [{"trouble": "stopped@t5"}, {"trouble": [5]}, {"habits": ["test_row"]}])
def test_words_of_another_shape(options: dict[str, object]) -> None:
    with pytest.raises(RigError, match="sim: "):
        driver.open(Place("sim", "sim", "SP-300", 1, options), driver.cell("randles"), FreeClock(), 1)
