"""What the contract suite needs to try a channel: a clock driven by hand, segments, a reader, a successor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from nakctl.device.channel import POINT, SAMPLE, Channel, Notice, Reading, Rows, State, Watch
from nakctl.device.driver import ClockLike
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Loop, Ocv, Segment, Test

RANGE = Hardware("1 mA", "5 V", 5)
NOTHING = Watch()
MAX_READS = 200_000
MOST_MEMO_BYTES = 4096
MARK = "nakctl 6fd3a1e2-8c1d-4c55-9d3e-1f0a7b2c4d5e 1 1"


class MakeChannel(Protocol):
    """Channels under contract. One can be dropped, as when its program is killed, and another be made that
    speaks for what goes on there."""

    def __call__(self, clock: ClockLike | None = None, cell: str = "randles", seed: int = 1) -> Channel: ...

    def again(self, dropped: Channel, *, is_cut: bool = True) -> Channel:
        """Opened to adopt. is_cut: the connection of the one that was dropped is gone with it."""


@dataclass
class Run:
    """All that came out of one segment; reads: how many rows each read brought."""

    samples: Rows
    points: Rows
    notices: list[Notice] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)


def through_json(memo: Mapping[str, Any]) -> dict[str, Any]:
    """As it comes out of a record."""
    text = json.dumps(memo, allow_nan=False)
    assert len(text) <= MOST_MEMO_BYTES
    kept: dict[str, Any] = json.loads(text)
    return kept


class AdoptedEachRead:
    """A channel that is dropped after its start and after every read: another one goes on with what the memo
    of that read says."""

    def __init__(self, channel: Channel, make: MakeChannel) -> None:
        self.channel = channel
        self._make = make
        self._segment = Segment(())
        self._started = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)

    def load(self, segment: Segment, mark: str = "") -> None:
        self.channel.load(segment, mark or MARK)
        self._segment, self._started = segment, False

    def start(self) -> None:
        self.channel.start()
        self._started = True
        self._drop({}, MARK)

    def read(self, watch: Watch) -> Reading:
        reading = self.channel.read(watch)
        if self._started:
            self._drop(reading.memo)
        return reading

    def _drop(self, memo: Mapping[str, Any], mark: str = "") -> None:
        self.channel = self._make.again(self.channel)
        self.channel.adopt(self._segment, through_json(memo), mark)


def start(channel: Channel, clock: ClockLike, segment: Segment) -> None:
    channel.load(segment)
    clock.sleep(0.5)
    channel.start()


def run(
    channel: Channel, clock: ClockLike, segment: Segment, watch: Watch = NOTHING, pause_s: float = 0.1
) -> Run:
    start(channel, clock, segment)
    return drain(channel, clock, watch, pause_s)


def drain(channel: Channel, clock: ClockLike, watch: Watch = NOTHING, pause_s: float = 0.1) -> Run:
    """Read until STOPPED."""
    readings = []
    for _ in range(MAX_READS):
        reading = channel.read(watch)
        readings.append(reading)
        if reading.state is State.STOPPED:
            break
        if not reading.more:
            clock.sleep(pause_s)
    else:
        raise AssertionError(f"no end after {MAX_READS} reads")
    return collected(readings)


def fetch(channel: Channel, watch: Watch = NOTHING) -> list[Reading]:
    """Read as long as more rows may wait."""
    readings = [channel.read(watch)]
    while readings[-1].more:
        readings.append(channel.read(watch))
    return readings


def collected(readings: Sequence[Reading]) -> Run:
    return Run(
        samples=np.concatenate([np.zeros(0, SAMPLE), *(one.samples for one in readings)], dtype=SAMPLE),
        points=np.concatenate([np.zeros(0, POINT), *(one.points for one in readings)], dtype=POINT),
        notices=[notice for one in readings for notice in one.notices],
        reads=[len(one.samples) + len(one.points) for one in readings],
    )


def ocv(duration_s: float, every_s: float = 1.0, dE_V: float | None = None) -> Ocv:
    return Ocv(1, duration_s, every_s, dE_V, RANGE)


def cp(
    I_A: float,
    duration_s: float,
    every_s: float = 1.0,
    *tests: Test,
    on_test: str = "next",
    dE_V: float | None = None,
    hardware: Hardware = RANGE,
) -> Cp:
    return Cp(2, I_A, duration_s, every_s, dE_V, tests, on_test, hardware)  # type: ignore[arg-type]


def ca(E_V: float, duration_s: float, every_s: float = 1.0, *tests: Test, on_test: str = "next") -> Ca:
    return Ca(3, E_V, duration_s, every_s, None, tests, on_test, RANGE)  # type: ignore[arg-type]


def ramp(
    from_A: float, to_A: float, duration_s: float, every_s: float = 1.0, *tests: Test, on_test: str = "next"
) -> Cp:
    return Cp(2, from_A, duration_s, every_s, None, tests, on_test, RANGE, to_A=to_A)  # type: ignore[arg-type]


def scan(
    from_V: float, to_V: float, duration_s: float, every_s: float = 1.0, *tests: Test, on_test: str = "next"
) -> Ca:
    return Ca(3, from_V, duration_s, every_s, None, tests, on_test, RANGE, to_V=to_V)  # type: ignore[arg-type]


def draw(control: str, level: float, duration_s: float, every_s: float = 1.0) -> Draw:
    return Draw(5, control, level, duration_s, every_s, None, RANGE)  # type: ignore[arg-type]


def eis(
    control: str = "GEIS",
    bias: float = 0.0,
    amplitude: float = 50e-6,
    n: int = 5,
    first_Hz: float = 1e5,
    last_Hz: float = 10.0,
    hold_s: float = 1.0,
    vs_previous: bool = False,
    average: int = 1,
    hardware: Hardware = RANGE,
) -> Eis:
    return Eis(
        step=4,
        control=control,  # type: ignore[arg-type]
        bias=bias,
        vs_previous=vs_previous,
        amplitude_peak=amplitude,
        hold_s=hold_s,
        every_s=0.5,
        f_first_Hz=first_Hz,
        f_last_Hz=last_Hz,
        n_frequencies=n,
        spacing="log",
        average=average,
        wait_periods=0.1,
        drift_correction=False,
        continues=False,
        hardware=hardware,
    )


def chain(*techniques: Ocv | Cp | Ca | Draw | Eis | Loop) -> Segment:
    return Segment(techniques)


def pulses(times: int | None, on_s: float = 1.0, off_s: float = 2.0) -> Segment:
    return chain(cp(0.4e-3, on_s, 0.2), ocv(off_s, 0.5), Loop(0, times, passes=True))


MIXED = chain(ocv(2.0), cp(0.2e-3, 3.0, 0.1), eis(), ca(0.05, 2.0), eis("PEIS", 0.0, 5e-3, vs_previous=True))
MOVING = chain(
    ocv(1.0), scan(0.0, 0.21, 2.1, 0.5), scan(0.21, -0.1, 3.1, 0.5), Loop(1, 2, passes=True),
    ramp(0.0, 0.4e-3, 2.2, 0.3, Test("Ewe", "above", 0.05)), eis(hold_s=0.5),
)  # fmt: skip
DRAWING = chain(cp(0.2e-3, 1.1), draw("POWER", 1e-5, 3.3), draw("LOAD", 1e3, 2.2), ocv(1.0))
