"""Trouble that ends runs, and habits of the potentiostat: the same in this process and behind a port."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from eclib_bench import Api, bench, serving
from eclib_rows import Buffer, points, samples
from eclib_techniques import E_ABOVE, cplimit, impedance, loop, ocv
from patience import PATIENCE_s
from time_bases import SAME_s, base_s, counted_s

from nakctl_sim.instrument import connect_library
from nakctl_sim.instrument.habits import Habits

Via = Callable[..., Any]


@pytest.fixture(params=[bench, serving], ids=["here", "port"])
def via(request: pytest.FixtureRequest) -> Via:
    """A connected program and the clock of its instrument."""
    made: Via = request.param
    return made


def another(api: Api) -> Api:
    """Program."""
    other = Api(connect_library(api.address), api.address)
    assert other.connect()[0] == 0
    return other


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_s
    while not true():
        assert time.monotonic() < deadline_s


def run(via: Via, *chain: Any, **habits: Any) -> list[Buffer]:
    with via(habits=Habits(**habits)) as (api, clock):
        assert set(api.load_chain("SP-300", *chain)) == {0}
        buffers: list[Buffer] = api.run(clock)
        return buffers


# what ends a chain


@pytest.mark.parametrize("at_s", [1.3, 4.7, 7.25])
def test_another_program_stops_the_channel(via: Via, at_s: float) -> None:
    """At that time, whenever somebody asks next; the rows until then wait."""
    with via(faults=[f"stopped=1@t{at_s}"]) as (api, clock):
        api.load_chain("SP-300", ocv(3.0), cplimit(seconds=3.0), impedance(Final_frequency=0.2))
        api.start()
        clock.sleep(60.0)
        values = api.values()
        assert (values["State"], values["I"]) == (0, 0.0)
        assert values["Elapsed"] == pytest.approx(at_s)
        found = samples(api.drain())
        assert at_s - 3.5 < found[-1, 0] <= at_s
        assert api.connect()[1][-1] == 2
        assert api.load_chain("SP-300", ocv(1.0)) == [0]


def test_a_kernel_that_is_lost(via: Via) -> None:
    with via(faults=["lost-kernel=1@t2.2"]) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=60.0))
        api.start()
        clock.sleep(2.1)  # the fifth row stands within a few time bases of 2 s
        assert len(samples(api.drain())) == 5
        clock.sleep(2.0)
        assert (api.data().code, api.stop()) == (-308, -308)
        infos = api.channel_infos()[1]
        assert (infos["FirmwareCode"], infos["State"], infos["MemFilled"]) == (0, 0, 0)


def test_a_technique_that_ends_early(via: Via) -> None:
    with via(faults=["early-end=1@t2.2"]) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=60.0), ocv(1.0))
        buffers = api.run(clock)
    found = samples(buffers)
    assert found[found[:, 3] == 0][-1, 0] == pytest.approx(4 * counted_s(0.5), abs=SAME_s)
    assert found[-1, 0] == pytest.approx(3.2, abs=1e-3)


@pytest.mark.parametrize("rows", [7, 60, 301])
def test_a_memory_that_ends_the_run(via: Via, rows: int) -> None:
    """At the row that does not fit, not when somebody asks; the cell is open from there."""
    habits, every_s = Habits(memory_full="stop", memory_bytes=rows * 20), counted_s(0.1)
    with via(habits=habits) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=100.0, every_s=0.1))
        api.start()
        clock.sleep(90.0)
        values = api.values()
        assert (values["State"], values["I"], values["MemFilled"]) == (0, 0.0, rows * 20)
        assert values["Elapsed"] == pytest.approx(rows * every_s)
        found = samples(api.drain())
        assert len(found) == rows
        assert found[-1, 0] == pytest.approx((rows - 1) * every_s, abs=SAME_s)


@pytest.mark.parametrize("read_at_s", [(), (2.1,), (2.3,), (2.1, 2.3)])
def test_a_memory_that_is_full_all_at_once(via: Via, read_at_s: tuple[float, ...]) -> None:
    """Reading makes no room in it."""
    with via(habits=Habits(memory_full="stop"), faults=["memory-full=1@t2.2"]) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=60.0))
        api.start()
        read = []
        for at_s in (*read_at_s, 30.0):
            clock.sleep(at_s - clock.now_s())
            read += api.drain()
        assert (api.values()["State"], api.values()["I"]) == (0, 0.0)
        assert len(samples(read)) == 5


# stops


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("BL_StopChannel=-104:10s@t5", -104),
        ("BL_StopChannel=-104:10s@call1", -104),
        ("stop-ignored=1:10s@t5", 0),
    ],
)
def test_a_stop_that_is_refused_or_ignored_for_a_while(via: Via, fault: str, code: int) -> None:
    with via(faults=[fault]) as (api, clock):
        api.load_chain("SP-300", ocv(100.0))
        api.start()
        clock.sleep(5.0)
        codes = []
        for _ in range(11):
            codes.append((api.stop(), api.values()["State"]))
            clock.sleep(1.0)
        assert codes == [(code, 1)] * 10 + [(0, 0)]


# calls that hang, and answers that are lost


def test_a_call_that_hangs_for_a_while(via: Via) -> None:
    """It was carried out, and comes back late; another program goes on meanwhile."""
    with via(faults=["hang=BL_GetData:0.5s@call2"]) as (api, clock):
        other = another(api)
        api.load_chain("SP-300", ocv(100.0))
        api.start()
        assert api.data().code == 0
        clock.sleep(3.0)
        found: list[Buffer] = []
        started_s = time.monotonic()
        caller = threading.Thread(target=lambda: found.append(api.data()))
        caller.start()
        wait_until(lambda: other.values()["MemFilled"] == 0)
        caller.join()
        assert time.monotonic() - started_s >= 0.5
        assert (found[0].code, len(found[0].rows)) == (0, 7)
        assert api.data().code == 0


def test_a_call_that_never_comes_back(via: Via) -> None:
    """Not even after the time that its caller gives a link; and only that one."""
    with via(faults=["hang=BL_StopChannel@t2"]) as (api, clock):
        other = another(api)
        api.load_chain("SP-300", ocv(100.0))
        api.start()
        clock.sleep(2.0)
        caller = threading.Thread(target=api.stop)
        caller.start()
        wait_until(lambda: other.values()["State"] == 0)
        assert caller.is_alive()
        assert other.stop() == 0
        assert len(other.drain()) == 1
        assert caller.is_alive()
    caller.join()


def test_a_reply_that_is_lost(via: Via) -> None:
    """Rows were taken from the memory, and nobody has them."""
    with via(faults=["lost-reply@call2", "lost-reply=BL_StartChannel@call1"]) as (api, clock):
        api.load_chain("SP-300", ocv(4.0))
        assert api.start() == -200
        assert api.values()["State"] == 1  # it was heard
        clock.sleep(1.2)
        first = samples([api.data()])
        clock.sleep(1.0)
        assert api.data().code == -200
        clock.sleep(10.0)
        rest = samples(api.drain())
        assert first[-1, 0] == pytest.approx(1.0)
        assert rest[0, 0] == pytest.approx(2.5)


READER = """
import sys
from eclib_bench import Api, connect_library
api = Api(connect_library(sys.argv[1]), sys.argv[1])
api.connect()
api.data()
"""


def test_a_block_is_gone_when_its_reader_dies_in_the_call() -> None:
    with serving(faults=["hang=BL_GetData@call1"]) as (api, clock):
        api.load_chain("SP-300", ocv(4.0))
        api.start()
        clock.sleep(2.2)
        here = Path(__file__).parent
        with subprocess.Popen([sys.executable, "-c", READER, api.address], cwd=here) as reader:
            wait_until(lambda: api.values()["MemFilled"] == 0)
            reader.kill()
        clock.sleep(10.0)
        assert samples(api.drain())[0, 0] == pytest.approx(2.5)


# habits of the potentiostat


def test_rows_at_tests_and_ends(via: Via) -> None:
    """Without them the chain goes on at the same times, and says when each technique began."""
    limit = cplimit(4e-4, 60.0, 1.0, tests=[[(E_ABOVE, 0.1)]], exits=[1])
    chain = ocv(2.0, 0.5), limit, ocv(1.0, 0.5), loop(0, 2)
    usual = run(via, *chain)
    bare = run(via, *chain, test_row=False, end_row=False)
    ends = [2.0, 2.0 + met_s(usual), 3.0 + met_s(usual)]
    found, expected = samples(bare)[:, 0], samples(usual)[:, 0]
    missing = [time_s for time_s in expected if not np.any(np.isclose(found, time_s, rtol=0, atol=1e-6))]
    assert missing == pytest.approx([*ends, *(ends[2] + end_s for end_s in ends)], abs=2e-3)
    assert starts(usual)[0] == 2.0
    assert starts(bare) == pytest.approx(starts(usual), abs=1e-6)


def met_s(buffers: list[Buffer]) -> float:
    """How long the technique with the test took."""
    first = samples([b for b in buffers if b.infos["TechniqueIndex"] == 1 and b.infos["loop"] == 0])
    return float(first[-1, 0] - 2.0)


def starts(buffers: list[Buffer]) -> list[float]:
    return sorted({b.infos["StartTime"] for b in buffers if b.infos["StartTime"] > 0})


def test_slower_frequencies(via: Via) -> None:
    usual, slow = (points(run(via, impedance(), eis_factor=factor)) for factor in (1.0, 1.35))
    assert slow[:, 0] - 1.0 == pytest.approx(1.35 * (usual[:, 0] - 1.0), abs=1e-4)


def test_a_last_row_that_is_late(via: Via) -> None:
    """By whole ticks of its technique; the first of a rest comes one time base of the rest after the end."""
    found = samples(run(via, cplimit(seconds=1.0), ocv(1.0), late_row_s=base_s()))
    late = found[found[:, 3] == 0][-1, 0]
    first = found[found[:, 3] == 1][0, 0]
    assert first < late < first + 2 * base_s()  # late by one, and at the nearest tick


# habits of what it shows


@pytest.mark.parametrize(("habit", "after_s"), [("stands", 3.0), ("goes on", 10.0), ("zero", 0.0)])
def test_elapsed_time_after_a_stop(via: Via, habit: Any, after_s: float) -> None:
    with via(habits=Habits(elapsed_after_stop=habit)) as (api, clock):
        api.load_chain("SP-300", ocv(100.0, 50.0))
        api.start()
        clock.sleep(3.0)
        assert api.values()["Elapsed"] == pytest.approx(3.0)
        api.stop()
        clock.sleep(7.0)
        assert api.values()["Elapsed"] == pytest.approx(after_s)


def test_values_are_those_of_the_moment(via: Via) -> None:
    """Between rows, and within a frequency of 100 s."""
    sweep = impedance(
        Duration_step=0.0,
        Initial_frequency=0.01,
        Final_frequency=0.01,
        Frequency_number=1,
        Initial_Current_step=1e-4,
    )
    with via(cell="dummy") as (api, clock):
        api.load_chain("SP-300", ocv(5.0, 5.0), sweep)
        api.start()
        clock.sleep(4.0)
        assert api.values()["Elapsed"] == np.float32(4.0)
        assert api.values()["I"] == 0.0
        clock.sleep(1.1)
        values = api.values()
        assert (values["State"], values["I"]) == (1, np.float32(1e-4))
        assert values["Ewe"] == pytest.approx(1e-4 * (1100 + 1000 * (1 - np.exp(-1.0))), rel=1e-3)
        clock.sleep(50.0)
        assert api.values()["Ewe"] == pytest.approx(0.21, rel=1e-4)
        assert api.values()["Elapsed"] == np.float32(55.1)


@pytest.mark.parametrize(("code", "answer"), [(4, -403), (5, 0), (8, 0), (9, -403)])
def test_narrower_ranges(via: Via, code: int, answer: int) -> None:
    with via(habits=Habits(I_range_min=5, I_range_max=8)) as (api, _clock):
        infos = api.channel_infos()[1]
        assert (infos["MinIRange"], infos["MaxIRange"]) == (5, 8)
        assert api.load_chain("SP-300", cplimit(1e-6, I_range=code)) == [answer]
