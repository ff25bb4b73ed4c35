"""What this very channel can do, said before anything runs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from biologic_bench import (
    VMP3,
    bench,
    calls_of,
    chain,
    channel_says,
    cp,
    eis,
    ocv,
    run,
)

from nakctl.device.program import Hardware, Loop
from nakctl.errors import ChainTooLong, LimitError
from nakctl_biologic.errors import EclibError
from nakctl_sim.instrument.habits import Habits

SLOWEST_POINT_s = VMP3.eis_s_per_average


def test_a_board_with_narrower_ranges_than_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said before anything is loaded, for every segment of the run."""
    channel_says(monkeypatch, MinIRange=5, MaxIRange=8, MaxBandwidth=4)
    one = bench()
    fits = replace(cp(), hardware=Hardware("1 mA", "5 V", 4))
    one.channel.check(chain(fits))
    for hardware, words in (
        (Hardware("1 uA", "5 V", 4), "no range 1 uA; there are: 10 uA, 100 uA, 1 mA, 10 mA"),
        (Hardware("1 mA", "5 V", 5), "bandwidths 1 to 4"),
    ):
        with pytest.raises(LimitError, match=words):
            one.channel.check(chain(fits, replace(fits, hardware=hardware)))
    assert calls_of(one)["BL_LoadTechnique"] == 0


def test_how_long_a_chain_may_be_is_tried_once() -> None:
    """The longest is loaded, and not started; what is no longer needs no further try."""
    one = bench(habits=Habits(chain_length=4))
    one.channel.check(chain(*4 * [cp()]))
    loads = calls_of(one)["BL_LoadTechnique"]
    assert loads == 4
    one.channel.check(chain(*3 * [cp()]))
    assert calls_of(one)["BL_LoadTechnique"] == loads
    with pytest.raises(ChainTooLong, match="-405") as caught:
        one.channel.check(chain(*6 * [cp()]))
    assert caught.value.techniques == 6
    assert calls_of(one)["BL_StartChannel"] == 0
    run(one, chain(cp(), ocv()))


def test_a_memory_that_is_too_small_for_what_is_recorded() -> None:
    one = bench(habits=Habits(memory_bytes=40_000))
    slow, fast = chain(ocv(100.0, 2e-3)), chain(ocv(100.0, 1e-3), cp())
    one.channel.check(slow)
    with pytest.raises(LimitError, match=r"40000 bytes, holds 3\.33 s of what the chain records fastest"):
        one.channel.check(fast)
    assert one.channel.memory_s(slow) == pytest.approx(40_000 / (12 / 2e-3))


def test_how_long_a_memory_lasts() -> None:
    """Rows of five words every 0.5 s, or of fifteen for each frequency."""
    one = bench("VMP-3", habits=Habits(memory_bytes=40_000))
    assert one.channel.memory_s(chain(cp(), ocv(2.0, 1.0), Loop(0, 3, passes=True))) == pytest.approx(1000.0)
    assert one.channel.memory_s(chain(eis(n=3))) == pytest.approx(40_000 / (60 / SLOWEST_POINT_s))
    assert one.channel.memory_s(chain()) == math.inf


def test_a_memory_of_unknown_size_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    channel_says(monkeypatch, MemSize=0)
    one = bench()
    fast = chain(ocv(0.5, 4e-5))
    one.channel.check(fast)
    assert math.isnan(one.channel.memory_s(fast))
    assert len(run(one, fast).samples) == 12_501


def test_how_long_a_call_may_take() -> None:
    """Two tries to connect, and a long chain to load."""
    assert bench().channel.patience_s == 30


def test_a_range_that_this_channel_lacks() -> None:
    one = bench()
    with pytest.raises(LimitError, match="no range 1 A"):
        one.channel.load(chain(ocv(), replace(cp(), hardware=Hardware("1 A", "5 V", 5))))
    assert run(one, chain(ocv(0.5))).codes() == []  # nothing was loaded half


def test_a_chain_that_is_too_long() -> None:
    one = bench(habits=Habits(chain_length=3))
    with pytest.raises(EclibError, match=r"TECH_MEMFULL -405 .*Lower chain_length"):
        one.channel.load(chain(*[ocv()] * 4))
    assert run(one, chain(*[ocv(0.5)] * 3)).codes() == []
