"""What the tests of the driver share: channels over a virtual instrument, blocks of words written by hand."""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from nakctl.device.cell import Cell
from nakctl.device.channel import POINT, SAMPLE, Notice, Rows, State, Watch
from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import instrument
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Loop, Ocv, Segment, Test
from nakctl_biologic import params
from nakctl_biologic.channel import BiologicChannel
from nakctl_biologic.codes import Board
from nakctl_biologic.opening import open_channel
from nakctl_biologic.rows import Block
from nakctl_biologic.visits import Visits
from nakctl_sim.instrument import device_calls, register
from nakctl_sim.instrument.clock import StepClock
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.faults import Troubles, fault
from nakctl_sim.instrument.habits import Habits

SP300, VMP3 = instrument("SP-300"), instrument("VMP-3")
RANGE = Hardware("1 mA", "5 V", 5)
FAMILIES = {"SP-300": Board.PREMIUM, "VMP-3": Board.ESSENTIAL}
CELL = Cell("randles", 1.0)
NOTHING = Watch()


def ocv(duration_s: float = 2.0, every_s: float = 0.5, dE_V: float | None = None) -> Ocv:
    return Ocv(1, duration_s, every_s, dE_V, RANGE)


def cp(
    I_A: float = 2e-4, duration_s: float = 2.0, *tests: Test, on_test: str = "next", every_s: float = 0.5
) -> Cp:
    return Cp(2, I_A, duration_s, every_s, None, tests, on_test, RANGE)  # type: ignore[arg-type]


def ca(E_V: float = 0.05, duration_s: float = 2.0, *tests: Test, on_test: str = "stop") -> Ca:
    return Ca(3, E_V, duration_s, 0.5, None, tests, on_test, RANGE)  # type: ignore[arg-type]


def scan(from_V: float, to_V: float, duration_s: float, *tests: Test, every_s: float = 0.5) -> Ca:
    return Ca(3, from_V, duration_s, every_s, None, tests, "next", RANGE, to_V=to_V)


def ramp(from_A: float, to_A: float, duration_s: float, *tests: Test, every_s: float = 0.5) -> Cp:
    return Cp(2, from_A, duration_s, every_s, None, tests, "next", RANGE, to_A=to_A)


def draw(control: str, level: float, duration_s: float = 2.0, every_s: float = 0.5) -> Draw:
    return Draw(5, control, level, duration_s, every_s, None, RANGE)  # type: ignore[arg-type]


def eis(
    control: str = "GEIS", n: int = 5, bias: float = 0.0, hold_s: float = 0.0, vs_previous: bool = False
) -> Eis:
    amplitude = 5e-5 if control == "GEIS" else 5e-3
    return Eis(
        4, control, bias, vs_previous, amplitude, hold_s, 0.5,  # type: ignore[arg-type]
        1e5, 10.0, n, "log", 1, 0.1, False, False, RANGE,
    )  # fmt: skip


def chain(*techniques: Ocv | Cp | Ca | Draw | Eis | Loop) -> Segment:
    return Segment(techniques)


@dataclass
class Bench:
    """A channel of the driver over a virtual instrument, and the clock both live by."""

    channel: BiologicChannel
    instrument: VirtualInstrument
    clock: ClockLike


def bench(
    like: str = "SP-300",
    cell: str = "randles",
    habits: Habits = Habits(),  # noqa: B008
    faults: Sequence[str] = (),
    clock: ClockLike | None = None,
    channel: int = 1,
    seed: int = 1,
    **options: object,
) -> Bench:
    clock = clock or StepClock()
    virtual = VirtualInstrument(like, {1: cell}, clock, seed, habits, [fault(text) for text in faults])
    address = register("bench", virtual)
    place = Place("bench", "biologic", like, channel, {"address": address} | options)
    return Bench(open_channel(place, clock), virtual, clock)


@dataclass
class Run:
    """All that came out of one segment."""

    samples: Rows
    points: Rows
    notices: list[Notice] = field(default_factory=list)

    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices]


def run(one: Bench, segment: Segment, pause_s: float = 0.05) -> Run:
    one.channel.load(segment)
    one.channel.start()
    return drain(one, pause_s)


def drain(one: Bench, pause_s: float = 0.05, most: int = 20_000) -> Run:
    """Read until STOPPED."""
    samples, points, notices = [np.zeros(0, SAMPLE)], [np.zeros(0, POINT)], []
    for _ in range(most):
        reading = one.channel.read(NOTHING)
        samples.append(reading.samples)
        points.append(reading.points)
        notices += reading.notices
        if reading.state is State.STOPPED:
            return Run(np.concatenate(samples), np.concatenate(points), notices)
        if not reading.more:
            one.clock.sleep(pause_s)
    raise AssertionError(f"no end after {most} reads")


# Chains and situations that several tests look at.

MIXED = chain(
    ocv(1.0), cp(2e-4, 1.0), eis(n=4, hold_s=0.5), ca(0.05, 1.0), eis("PEIS", n=3, vs_previous=True)
)


def pulsed(segment: Segment, *places: int) -> Segment:
    """With a pulse at the trigger output as these techniques begin."""
    techniques = [
        replace(each, trigger_s=1e-3) if at in places and not isinstance(each, Loop) else each
        for at, each in enumerate(segment.techniques)
    ]
    return replace(segment, techniques=tuple(techniques))


PULSES = chain(cp(4e-4, 0.5), ocv(0.5), Loop(0, 5, passes=True))
MOVING = chain(
    ocv(0.5), scan(0.0, 0.21, 2.1), scan(0.21, -0.11, 3.2, Test("|I|", "above", 5e-3)), Loop(1, 2, passes=True),
    ramp(0.0, 5e-4, 2.2, Test("Ewe", "above", 0.1)), ocv(0.5),
)  # fmt: skip
DRAWING = chain(cp(2e-4, 1.0), draw("POWER", 1e-5), draw("LOAD", 1e3), ocv(0.5))
SPECTRA = chain(ocv(0.5), eis(n=3), Loop(1, 3, passes=False), cp(1e-4, 0.5), Loop(0, 2, passes=True))


def reference(like: str, segment: Segment) -> Run:
    done = run(bench(like), segment)
    assert done.codes() == []
    return done


def interrupted(fault: str, segment: Segment = MIXED, pause_s: float = 0.05, **habits: Any) -> Run:
    return run(bench(habits=Habits(**habits), faults=[fault]), segment, pause_s=pause_s)


def under_current(*faults: str, every_s: float = 0.5) -> Bench:
    """200 uA for long, after two seconds, all rows read."""
    one = bench(faults=faults)
    one.channel.load(chain(cp(2e-4, 100.0, every_s=every_s)))
    one.channel.start()
    one.clock.sleep(2.0)
    while one.channel.read(NOTHING).more:
        pass
    return one


@contextmanager
def troubles(one: Bench, *faults: str) -> Iterator[None]:
    """From now on, calls counted from now."""
    before = one.instrument.troubles
    one.instrument.troubles = Troubles([fault(text) for text in faults])
    yield
    one.instrument.troubles = before


def channel_says(monkeypatch: pytest.MonkeyPatch, **said: int) -> None:
    """What the virtual instrument shows of every channel, whatever is on it."""
    shown = device_calls.TChannelInfos
    monkeypatch.setattr(device_calls, "TChannelInfos", lambda **infos: shown(**infos | said))


def calls_of(one: Bench) -> Counter[str]:
    """How often the instrument was asked for what."""
    return one.instrument.troubles._calls


# Whoever goes on with a channel that was dropped.

# All that a place may allow to be thrown away.
OPTIONS = {"address": "sim://inprocess/bench", "load_firmware": True, "discard_rows": True}
LONG = chain(cp(2e-4, 100.0))
MARK = "nakctl 6fd3a1e2-8c1d-4c55-9d3e-1f0a7b2c4d5e 1 1"


def through_json(memo: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps(memo, allow_nan=False)
    assert len(text) <= 4096
    kept: dict[str, Any] = json.loads(text)
    return kept


def successor(one: Bench, clock: ClockLike | None = None) -> BiologicChannel:
    """Of a program that was killed: its connection is gone."""
    for session in list(one.instrument._sessions):
        session.close()
    place = Place("bench", "biologic", one.instrument.data.name, 1, OPTIONS)
    return open_channel(place, clock or one.clock, adopting=True)


def visits_of(segment: Segment) -> Visits:
    """Of an SP-300."""
    return Visits(segment, params.chain(segment, SP300, Board.PREMIUM), SP300, Board.PREMIUM)


# Words by the definition of the format, number by number: written apart from the code under test.


def c3x(value: float) -> int:
    """The word of one number that a C3x float can hold exactly."""
    if value == 0:
        return 0x80000000
    mantissa, exponent = math.frexp(value)  # 0.5 <= |mantissa| < 1
    mantissa, exponent = mantissa * 2, exponent - 1
    if mantissa < 0 and mantissa == -1.0:
        mantissa, exponent = -2.0, exponent - 1
    sign = 1 if mantissa < 0 else 0
    fraction = round((mantissa + 2 if sign else mantissa - 1) * 2**23)
    return ((exponent & 0xFF) << 24) | (sign << 23) | fraction


def c3x_single(value: float) -> int:
    """The word of the single nearest to a number."""
    return c3x(struct.unpack("<f", struct.pack("<f", value))[0])


def block(
    words: Sequence[Sequence[int]],
    id: int,
    process: int = 0,
    technique: int = 0,
    loop: int = 0,
    start_s: float = math.nan,
    timebase_s: float = 1.99999994948e-05,
    lost: int = 0,
) -> Block:
    table = np.array(words, np.uint32)
    return Block(
        table.ravel(), len(table), table.shape[1], technique, id, process, loop, start_s, timebase_s, lost
    )
