"""What channels promise of a cell with three electrodes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from channel_bench import NOTHING, RANGE, MakeChannel, run

from nakctl.device.channel import OF_COUNTER, Channel, Reading, State, Watch
from nakctl.device.instrument import instrument
from nakctl.device.program import Ca, Cp, Done, Eis, Ocv, Segment
from nakctl.device.techniques import Ece_is_recorded
from nakctl.run.clock import FreeClock

ALSO_DROPPED = True
CELL = "three-electrode-dummy"
AT_REST_V, STEADY_V = -0.3, -0.3 - 0.2e-3 * 450.0  # Ece at open circuit, and long after 0.2 mA began
THREE = replace(RANGE, Ece=True)


def chain(hardware=THREE) -> Segment:  # type: ignore[no-untyped-def]
    sweep = Eis(1, "GEIS", 0.0, False, 2e-5, 0.0, 1.0, 1e3, 10.0, 3, "log", 1, 0.1, False, False, hardware)
    return Segment((
        Ocv(1, 1.0, 0.5, None, hardware),
        Cp(1, 0.2e-3, 2.0, 0.5, None, (), "next", hardware),
        Ca(1, 0.6, 1.0, 0.5, None, (), "next", hardware),
        sweep,
    ))  # fmt: skip


def test_Ece_is_in_the_rows_of_which_the_instrument_says_so(make_channel: MakeChannel) -> None:
    channel = make_channel(clock := FreeClock(), CELL)
    data, segment = instrument(channel.info.instrument), chain()
    found = run(channel, clock, segment)
    techniques: list[Done] = list(segment.techniques)  # type: ignore[arg-type]
    for at, technique in enumerate(techniques[:3]):
        rows = found.samples[found.samples["technique"] == at]
        assert len(rows)
        is_recorded = Ece_is_recorded(technique, data)
        assert (np.isfinite(rows["Ece_V"]) == is_recorded).all(), at
    for name in OF_COUNTER:
        assert np.isfinite(found.points[name]).all() == data.half_cells
    at_rest = found.samples[found.samples["technique"] == 0]
    assert at_rest["Ece_V"] == pytest.approx(AT_REST_V, abs=2e-3)
    if data.half_cells:
        assert (found.points["Zce_re_ohm"] > 0).all()


def test_of_two_electrodes_nothing_is_said_of_Ece(make_channel: MakeChannel) -> None:
    """But where rows have it anyway; files have no such column then."""
    channel = make_channel(clock := FreeClock(), CELL)
    found = run(channel, clock, chain(RANGE))
    driven = found.samples[found.samples["technique"] > 0]
    assert np.isnan(driven["Ece_V"]).all()
    for name in OF_COUNTER:
        assert np.isnan(found.points[name]).all()


@pytest.mark.parametrize(("hardware", "is_told"), [(THREE, True), (RANGE, False)])
def test_a_look_has_it_where_the_chain_asks_for_it(
    make_channel: MakeChannel, hardware: object, is_told: bool
) -> None:
    channel = make_channel(FreeClock(), CELL)
    channel.load(Segment((Cp(1, 0.2e-3, 60.0, 10.0, None, (), "next", hardware),)))  # type: ignore[arg-type]
    channel.start()
    looks = [each.look for each in _reads(channel, until_s=30.0) if each.look is not None]
    assert looks
    assert all(math.isfinite(look.Ece_V) is is_told for look in looks)
    if is_told:
        assert looks[-1].Ece_V == pytest.approx(STEADY_V, abs=2e-3)
    channel.stop()


def _reads(channel: Channel, until_s: float) -> list[Reading]:
    found = []
    for _ in range(10_000):
        found.append(channel.read(Watch(every_s=1.0)))
        look = found[-1].look
        if found[-1].state is State.STOPPED or (look is not None and look.elapsed_s >= until_s):
            return found
    raise AssertionError("it does not get there")


@pytest.mark.parametrize(
    "watch",
    [Watch(Ece_min_V=-0.35), Watch(Ewe_minus_Ece_max_V=0.95)],
    ids=["Ece", "Ewe-Ece"],
)
def test_it_is_watched_between_rows(make_watching_channel: MakeChannel, watch: Watch) -> None:
    """Both are passed some 10 to 100 ms after the current began; rows are 10 s apart."""
    channel = make_watching_channel(FreeClock(), CELL)
    channel.load(Segment((Cp(1, 0.2e-3, 60.0, 10.0, None, (), "next", THREE),)))
    channel.start()
    for _ in range(10):
        look = channel.read(watch).look
        assert look is not None
        if look.Ece_V < -0.35 or look.Ewe_V - look.Ece_V > 0.95:
            break
    assert 0.0 < look.elapsed_s < 0.3
    assert channel.read(NOTHING).look is not None
