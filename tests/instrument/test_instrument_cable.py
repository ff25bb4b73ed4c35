"""A cable pulled for a while: nothing gets through, and the channel goes on."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eclib_bench import Api, bench
from eclib_rows import samples
from eclib_techniques import cplimit, ocv

from nakctl_sim.instrument.habits import Habits


def reconnecting(api: Api, clock: Any, poll_s: float, until: int) -> tuple[list[Any], set[int]]:
    """Read as a program does that does not give up; the rows, and the codes it met."""
    buffers, met = [], set()
    for _ in range(until):
        clock.sleep(poll_s)
        buffer = api.data()
        met.add(buffer.code)
        if buffer.code == -1:
            met.add(api.connect()[0])
        elif buffer.code == 0 and buffer.infos["NbRows"]:
            buffers.append(buffer)
        elif buffer.code == 0 and buffer.values["State"] == 0:
            return buffers, met
    raise AssertionError("no end")


CHAIN = cplimit(seconds=6.0, every_s=0.05), ocv(2.0, 0.05)


@pytest.mark.parametrize("seed", range(100))
def test_a_pulled_cable_costs_no_row(seed: int) -> None:
    chance = random.Random(seed)
    at_s, length_s = chance.uniform(0, 8), chance.uniform(0.25, 3)
    with bench(faults=[f"cable={length_s:.3f}s@t{at_s:.3f}"]) as (api, clock):
        api.load_chain("SP-300", *CHAIN)
        api.start()
        buffers, met = reconnecting(api, clock, 0.2, 500)
    times = samples(buffers)[:, 0]
    assert len(times) == 121 + 41
    assert (times[1:] > times[:-1]).all()
    assert met >= {0, -200, -1} or at_s > 7.7


def test_a_cable_out_for_too_long_costs_rows_that_are_counted() -> None:
    with bench(faults=["cable=3s@t1"], habits=Habits(memory_bytes=30 * 20)) as (api, clock):
        api.load_chain("SP-300", *CHAIN)
        api.start()
        buffers, _ = reconnecting(api, clock, 0.05, 500)
    lost = sum(buffer.infos["IRQskipped"] for buffer in buffers)
    assert lost > 20
    assert len(samples(buffers)) + lost == 121 + 41


def test_a_cable_pulled_for_some_calls() -> None:
    with bench(faults=["cable=3calls@call3"]) as (api, _):
        assert [api("BL_TestConnection", 0) for _ in range(3)] == [0, -200, -200]
        assert api.connect()[0] == -201
        assert api.device == -1
        assert api("BL_TestConnection", 0) == -1
        assert api.connect()[0] == 0
        assert api("BL_TestConnection", api.device) == 0


def test_a_connection_that_survives() -> None:
    with bench(faults=["cable=1calls@call2"], habits=Habits(cable_keeps=True)) as (api, _):
        assert [api("BL_TestConnection", 0) for _ in range(2)] == [-200, 0]
