"""What the instrument hands over as words is what the simulated channel hands over as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from eclib_bench import bench
from eclib_rows import Buffer, points, samples
from eclib_techniques import of

from nakctl.device.channel import POINT, SAMPLE, ChannelInfo, Rows, State, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Ca, Cp, Draw, Eis, Hardware, Loop, Ocv, Segment, Technique, Test
from nakctl_sim.board import SimBoard
from nakctl_sim.cell.models import load_model
from nakctl_sim.channel import SimChannel
from nakctl_sim.instrument.clock import StepClock

RANGE = Hardware("1 mA", "5 V", 5)
LIKES = ("SP-300", "VMP-3")
POLL_s, PAUSE_s = 0.5, 7.3


def eis(control: Any = "GEIS", bias: float = 0.0, amplitude: float = 5e-5, vs_previous: bool = False) -> Eis:
    return Eis(
        4, control, bias, vs_previous, amplitude, 1.0, 0.25, 1e5, 10.0, 9, "log", 2, 0.1, False, False, RANGE
    )


def window(*tests: Test, then: Any = "next", I_A: float = 2e-4) -> Cp:
    return Cp(2, I_A, 60.0, 0.3, None, tests, then, RANGE)


HOLD = Ca(3, 0.05, 20.0, 0.5, None, (Test("|I|", "below", 2e-5),), "next", RANGE)
REST = Ocv(1, 2.3, 0.5, None, RANGE)
SCAN = Ca(3, 0.05, 20.0, 0.5, None, (Test("|I|", "above", 1e-3),), "next", RANGE, to_V=-0.15)
RAMP = Cp(2, 0.0, 50.0, 0.3, None, (Test("Ewe", "above", 0.12),), "next", RANGE, to_A=1e-3)
SEGMENTS: dict[str, tuple[Technique, ...]] = {
    "rest": (REST,),
    "rest by change": (Ocv(1, 5.0, 5.0, 1e-3, RANGE),),
    "window": (window(Test("Ewe", "above", 1.0), Test("Ewe", "below", -1.0)),),
    "stopped": (window(Test("Ewe", "above", 0.03), then="stop"), REST),
    "no test": (window(),),
    "large current": (window(Test("|I|", "above", 1e-4)), HOLD),
    "everything": (REST, window(Test("Ewe", "above", 2.0)), eis(), HOLD, eis("PEIS", 0.0, 5e-3, True)),
    "loop": (window(Test("Ewe", "above", 0.03)), REST, Loop(0, 3, passes=True), eis(bias=1e-4)),
    "scan": (REST, SCAN, SCAN),
    "ramp": (RAMP, REST),
    "ramp stopped": (
        Cp(2, 0.0, 50.0, 0.3, None, (Test("Ewe", "above", 0.12),), "stop", RANGE, to_A=1e-3),
        REST,
    ),
    "loops": (
        REST,
        window(Test("Ewe", "above", 0.03)),
        Loop(0, 2, passes=False),
        eis(),
        Loop(0, 2, passes=True),
    ),
}


def on_channel(like: str, cell: str, *chains: tuple[Technique, ...]) -> tuple[Rows, Rows]:
    """One chain after the other, PAUSE_s between them."""
    clock = StepClock()
    board = SimBoard(load_model(cell), instrument(like), clock, seed=7)
    channel = SimChannel(board, ChannelInfo(like, "sim", True))
    found = []
    for chain in chains:
        channel.load(Segment(chain))
        channel.start()
        state = State.RUNNING
        while state is not State.STOPPED:
            clock.sleep(POLL_s)
            found.append(channel.read(Watch()))
            state = found[-1].state
        clock.sleep(PAUSE_s)
    return (
        np.concatenate([np.zeros(0, SAMPLE), *(one.samples for one in found)]),
        np.concatenate([np.zeros(0, POINT), *(one.points for one in found)]),
    )


def on_instrument(like: str, cell: str, *chains: tuple[Technique, ...]) -> list[Buffer]:
    buffers: list[Buffer] = []
    with bench(like, cell, seed=7) as (api, clock):
        for chain in chains:
            codes = api.load_chain(like, *(of(technique, instrument(like)) for technique in chain))
            assert set(codes) == {0}
            buffers += api.run(clock, POLL_s)
            clock.sleep(PAUSE_s)
    return buffers


@pytest.mark.parametrize("name", SEGMENTS)
@pytest.mark.parametrize("like", LIKES)
def test_same_rows_to_single_precision(like: str, name: str) -> None:
    expected, spectra = on_channel(like, "NaK50", SEGMENTS[name])
    buffers = on_instrument(like, "NaK50", SEGMENTS[name])
    got, got_spectra = samples(buffers), points(buffers)
    assert len(got) == len(expected)
    assert len(got_spectra) == len(spectra)
    assert np.array_equal(np.float32(got[:, 1]), expected["Ewe_V"])
    assert np.array_equal(np.float32(got[:, 2]), expected["I_A"])
    assert np.array_equal(got[:, 3], expected["technique"])
    np.testing.assert_allclose(got[:, 0], expected["time_s"], rtol=0, atol=31e-6)  # half a tick
    z = spectra["Z_re_ohm"] + 1j * spectra["Z_im_ohm"]
    np.testing.assert_allclose(got_spectra[:, 2] + 1j * got_spectra[:, 3], z, rtol=5e-7)
    for column, field in ((0, "time_s"), (1, "frequency_Hz"), (4, "E_dc_V"), (5, "I_dc_A")):
        assert np.array_equal(np.float32(got_spectra[:, column]), np.float32(spectra[field]))


@pytest.mark.parametrize(("control", "level"), [("POWER", 1e-4), ("POWER", -1e-5), ("LOAD", 2e3)])
def test_same_rows_of_a_power_and_a_load(control: Any, level: float) -> None:
    chain = (window(), Draw(1, control, level, 20.0, 0.5, None, RANGE), REST)
    expected, _ = on_channel("VMP-3", "NaK50", chain)
    got = samples(on_instrument("VMP-3", "NaK50", chain))
    assert np.array_equal(np.float32(got[:, 1]), expected["Ewe_V"])
    assert np.array_equal(np.float32(got[:, 2]), expected["I_A"])
    np.testing.assert_allclose(got[:, 0], expected["time_s"], rtol=0, atol=51e-6)


@pytest.mark.parametrize("like", LIKES)
def test_between_chains_the_cell_rests(like: str) -> None:
    chain = (window(Test("Ewe", "above", 2.0)), REST)
    expected, _ = on_channel(like, "NaK50", chain, chain)
    got = samples(on_instrument(like, "NaK50", chain, chain))
    assert np.array_equal(np.float32(got[:, 1]), expected["Ewe_V"])
    first, second = np.split(got[:, 1], 2)
    assert not np.array_equal(first, second)
