"""Rows as the instrument stores and hands them over: columns, groups, consumption, loops, memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from eclib_bench import bench
from eclib_rows import Buffer, decode, samples, time_s
from eclib_techniques import E_ABOVE, Chain, cplimit, drawing, impedance, loop, ocv, scan, stepped
from time_bases import base_s, counted_s

from nakctl.run.clock import FreeClock
from nakctl_sim.instrument.habits import Habits

LIKES = ("SP-300", "VMP-3")
COLUMNS = [
    ("ocv", 0, 3, 4, 100),
    ("cplimit", 0, 5, 5, 155),
    ("calimit", 0, 5, 5, 157),
    ("cp", 0, 5, 5, 102),
    ("ca", 0, 5, 5, 101),
    ("cv", 0, 5, 6, 103),
    ("vscan", 0, 5, 6, 124),
    ("vscanlimit", 0, 5, 6, 158),
    ("iscan", 0, 5, 5, 125),
    ("iscanlimit", 0, 5, 5, 156),
    ("geis", 0, 4, 4, 107),
    ("geis", 1, 14, 15, 107),
    ("peis", 0, 4, 4, 104),
    ("peis", 1, 14, 15, 104),
    ("seisg", 0, 5, 5, 114),
    ("seisg", 1, 15, 16, 114),
    ("seisp", 0, 5, 5, 113),
    ("seisp", 1, 15, 16, 113),
]


def technique(name: str) -> Chain:
    if name == "ocv":
        return ocv()
    if name == "cv":
        return scan("cv", [0.0, 0.05, -0.05, 0.0, 0.01], [0.1] * 5, 0.01)
    if "scan" in name:
        return (
            scan(name, [0.0, 0.05], [0.1] * 2, 0.01)
            if name[0] == "v"
            else scan(name, [0.0, 1e-4], [1e-4] * 2, 1e-5)
        )
    if name[:2] in ("cp", "ca"):
        return stepped(name, [1e-4 if name.startswith("cp") else 0.05], [1.0])
    return impedance(name, Step_number=1 if name.startswith("seis") else 0)


def run(like: str, *chain: Chain, habits: Habits | None = None, poll_s: float = 0.5) -> list[Buffer]:
    with bench(like, habits=habits) as (api, clock):
        assert set(api.load_chain(like, *chain)) == {0}
        return api.run(clock, poll_s)


def facts(buffers: list[Buffer], *names: str) -> list[Any]:
    """Of each buffer, repetitions left out."""
    found: list[Any] = []
    for buffer in buffers:
        fact = tuple(buffer.infos[name] for name in names)
        if not found or found[-1] != fact:
            found.append(fact)
    return found


@pytest.mark.parametrize(("name", "process", "sp300", "vmp3", "number"), COLUMNS)
def test_columns(name: str, process: int, sp300: int, vmp3: int, number: int) -> None:
    for like, columns in zip(LIKES, (sp300, vmp3), strict=True):
        found = [b for b in run(like, technique(name)) if b.infos["ProcessIndex"] == process]
        assert {(b.infos["NbCols"], b.infos["TechniqueID"]) for b in found} == {(columns, number)}


@pytest.mark.parametrize(("name", "level", "number"), [("pow", 1e-5, 110), ("load", 1e3, 111)])
def test_columns_of_a_power_and_a_load(name: str, level: float, number: int) -> None:
    buffers = run("VMP-3", drawing(name, [level, 2 * level], [1.0, 1.0]))
    assert {(b.infos["NbCols"], b.infos["TechniqueID"]) for b in buffers} == {(6, number)}
    rows = [row for b in buffers for row in b.rows]
    assert [decode(row[4]) for row in rows] == pytest.approx(3 * [level] + 3 * [2 * level], rel=1e-6)
    for row in rows if name == "pow" else []:
        assert decode(row[2]) * decode(row[3]) == pytest.approx(decode(row[4]), rel=0.02)


def check_way(buffers: list[Buffer], turns: list[tuple[float, float, int]]) -> None:
    """turns: time and Ewe at each vertex, and the cycle of the way to there."""
    rows = [(time_s(b, row), decode(row[-2]), row[-1]) for b in buffers for row in b.rows]
    rows = [
        row for row in rows if not any(0 < row[0] - turn[0] < 2e-3 for turn in turns)
    ]  # the first of a way
    at_s, set_V = [each[0] for each in turns], [each[1] for each in turns]
    assert rows[-1][0] == pytest.approx(at_s[-1], abs=2e-3)
    for row_s, Ewe, cycle in rows:
        assert Ewe == pytest.approx(np.interp(row_s, at_s, set_V), abs=1e-3)
        assert cycle == next(turn[2] for turn in turns if turn[0] >= row_s - 2e-3)


@pytest.mark.parametrize("like", LIKES)
def test_the_way_of_a_scan(like: str) -> None:
    """Each rate is that of the way to its vertex; the cycle stands in the last column."""
    buffers = run(like, scan("vscan", [0.0, 0.2, -0.1], [9.0, 0.1, 0.3], 0.05, cycles=1))
    check_way(buffers, [(0, 0, 0), (2, 0.2, 0), (3, -0.1, 0), (3.0001, 0, 1), (5, 0.2, 1), (6, -0.1, 1)])
    assert sum(len(b.rows) for b in buffers) == pytest.approx(2 * (5 + 7), abs=4)  # a row each 50 mV


@pytest.mark.parametrize("like", LIKES)
def test_the_way_of_a_cv(like: str) -> None:
    """Ei, E1, E2, Ei, twice, then to Ef."""
    buffers = run(like, scan("cv", [0.0, 0.2, -0.1, 0.0, 0.05], [0.1] * 5, 0.01, cycles=1))
    twice = [(2, 0.2, 0), (5, -0.1, 0), (6, 0, 0), (8, 0.2, 1), (11, -0.1, 1), (12, 0, 1)]
    check_way(buffers, [(0, 0, 0), *twice, (12.5, 0.05, 1)])


def test_a_scan_on_a_vmp3_tells_the_potential_that_is_set() -> None:
    for buffer in run("VMP-3", scan("vscanlimit", [0.05, 0.25], [0.1] * 2, 0.05)):
        for row in buffer.rows:
            set_V = 0.05 + 0.1 * time_s(buffer, row)
            assert decode(row[2]) == pytest.approx(set_V, abs=1e-5)
            assert decode(row[4]) == pytest.approx(set_V, abs=4e-4)
            assert set_V / 310 < decode(row[3]) < set_V / 140


def test_words_of_a_rest() -> None:
    first, second = run("SP-300", ocv(1.0, 0.5))[0].rows[:2]
    assert first[:2] == [0, 1]  # one time base after the start
    assert second[:2] == [0, 25000]
    assert abs(decode(second[2])) < 0.1


@pytest.mark.parametrize("like", LIKES)
def test_steps_and_cycles_of_one_technique(like: str) -> None:
    buffers = run(like, ocv(), stepped("cplimit", [1e-4, -1e-4], [1.0, 1.0], cycles=2))
    assert {b.infos["StartTime"] for b in buffers if b.infos["TechniqueIndex"] == 1} == {2.0}
    rows = [(time_s(b, row), decode(row[3]) > 0, row[4]) for b in buffers for row in b.rows if len(row) == 5]
    assert [cycle for *_, cycle in rows] == sorted(cycle for *_, cycle in rows)
    assert {cycle for *_, cycle in rows} == {0, 1, 2}
    step_s = counted_s(1.0, like=like)
    at_its_end_s = base_s(like=like) / 2  # the row there is still the step's
    for at_s, positive, cycle in rows:
        passed_s = at_s - 2.0 - at_its_end_s
        assert cycle == int(passed_s / (2 * step_s))
        assert positive == (passed_s % (2 * step_s) < step_s)


def test_staircase_has_its_step_in_every_row() -> None:
    buffers = run("VMP-3", impedance("seisg", Final_Current_step=2e-4, Step_number=2, Frequency_number=3))
    order = [(b.infos["ProcessIndex"], row[-1]) for b in buffers for row in b.rows]
    steps = [step for _, step in order]
    assert steps == sorted(steps)
    assert [step for process, step in order if process == 1] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    dc_A = [decode(row[5]) for b in buffers for row in b.rows if b.infos["ProcessIndex"] == 1]
    assert dc_A == pytest.approx([0, 0, 0, 1e-4, 1e-4, 1e-4, 2e-4, 2e-4, 2e-4], rel=0.01, abs=1e-7)


def test_impedance_rows() -> None:
    row = next(b for b in run("SP-300", impedance()) if b.infos["ProcessIndex"] == 1).rows[0]
    values = [decode(word) for word in row]
    assert values[0] == pytest.approx(1e5, rel=1e-4)
    assert values[2] == pytest.approx(50e-6, rel=0.01)  # peak, as asked
    assert -math.pi / 2 < values[3] < 0  # radians; a capacitor is negative
    assert values[13] > 1.0  # the hold is over
    assert [values[place] for place in (6, 11, 12)] == [0.0] * 3
    assert values[7:11] == pytest.approx([7.7] * 4)  # of the counter electrode, not to be used


def test_impedance_rows_of_a_vmp3_tell_of_the_counter_electrode() -> None:
    """That is the reference here: 0, but for the current."""
    row = next(b for b in run("VMP-3", impedance()) if b.infos["ProcessIndex"] == 1).rows[0]
    values = [decode(word) for word in row]
    assert values[7:11] == [0.0, values[2], 0.0, 0.0]


def test_a_buffer_is_one_group_of_at_most_1000_words() -> None:
    every_s = 50 * base_s()  # whole time bases, so that 500 intervals are just the duration
    with bench() as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=500 * every_s, every_s=every_s), ocv(0.1, 0.01), loop(0, 2))
        api.start()
        clock.sleep(10.0)
        sizes = [(b.infos["TechniqueIndex"], b.infos["NbRows"]) for b in api.drain()]
    assert sizes == [(0, 200), (0, 200), (0, 101), (1, 11)] * 2


def test_rows_are_handed_over_once_however_often_one_asks() -> None:
    chain = cplimit(seconds=3.0, every_s=0.01), impedance(Frequency_number=7), ocv(1.0, 0.1)
    often, once = run("SP-300", *chain, poll_s=0.03), run("SP-300", *chain, poll_s=100.0)
    assert [row for b in often for row in b.rows] == [row for b in once for row in b.rows]
    assert len(often) > len(once)


def test_words_after_the_rows_mean_nothing() -> None:
    garbage = run("SP-300", ocv())[0]
    assert set(garbage.words[garbage.infos["NbRows"] * 3 :]) == {0xDEADBEEF}
    zero = run("SP-300", ocv(), habits=Habits(padding="zero"))[0]
    assert set(zero.words[zero.infos["NbRows"] * 3 :]) == {0}


def test_finished_is_stop_and_empty() -> None:
    with bench() as (api, clock):
        api.load_chain("SP-300", ocv(1.0, 0.01))
        api.start()
        assert api.values()["State"] == 1
        clock.sleep(5.0)
        values = api.values()
        assert (values["State"], values["MemFilled"]) == (0, 101 * 3 * 4)
        assert api.channel_infos()[1]["MemFilled"] == 101 * 3 * 4
        assert sum(b.infos["NbRows"] for b in api.drain()) == 101
        assert api.values()["MemFilled"] == 0


def test_time_base_belongs_to_the_technique() -> None:
    bases = {
        b.infos["TechniqueID"]: b.values["TimeBase"] for b in run("SP-300", ocv(), cplimit(), impedance())
    }
    known = {100: base_s("OCV"), 155: base_s("CPLIMIT"), 107: base_s("GEIS")}
    assert {number: f"{base:.7g}" for number, base in bases.items()} == {
        number: f"{base:.7g}" for number, base in known.items()
    }
    assert bases[100] != known[100]  # it is a single


def test_a_test_leads_to_the_next_step_or_stops() -> None:
    met = [[(E_ABOVE, -5.0)], [(E_ABOVE, 5.0)]]
    on = run("SP-300", stepped("cplimit", [1e-4, 2e-4], [5.0, 1.0], tests=met, exits=[0, 0]), ocv(1.0))
    assert facts(on, "TechniqueIndex") == [(0,), (1,)]
    assert samples(on)[-1, 0] < 2.5
    off = run("SP-300", stepped("cplimit", [1e-4, 2e-4], [5.0, 1.0], tests=met, exits=[2, 0]), ocv(1.0))
    assert facts(off, "TechniqueIndex") == [(0,)]
    assert len(samples(off)) == 1


def test_stop_keeps_the_rows_and_opens_the_cell() -> None:
    with bench() as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=100.0, every_s=0.1))
        api.start()
        clock.sleep(1.05)
        assert api.stop() == 0
        values = api.values()
        assert (values["State"], values["I"]) == (0, 0.0)
        assert values["Elapsed"] == pytest.approx(1.05)
        clock.sleep(5.0)
        assert sum(b.infos["NbRows"] for b in api.drain()) == 11
        assert api.stop() == 0


def test_current_values_while_running() -> None:
    with bench("SP-300") as (api, clock):
        api.load_chain("SP-300", cplimit(1e-4, seconds=3.0), impedance(Duration_step=0.0))
        api.start()
        clock.sleep(1.1)
        values = api.values()
        assert values["I"] == pytest.approx(1e-4, rel=1e-3)
        assert values["Ewe"] != 0.0
        assert (values["IRange"], values["EweMin"], values["EweMax"]) == (7, -5.0, 5.0)
        assert values["Elapsed"] == pytest.approx(1.0, abs=0.11)
        clock.sleep(3.0)
        assert api.values()["Freq"] == pytest.approx(1e5, rel=0.99)


@pytest.mark.parametrize(("policy", "kept"), [("overwrite", "newest"), ("stop", "oldest")])
def test_memory_full(policy: Any, kept: str) -> None:
    habits = Habits(memory_bytes=60 * 12, memory_full=policy)
    with bench(habits=habits) as (api, clock):
        api.load_chain("SP-300", ocv(10.0, 0.1))
        api.start()
        clock.sleep(20.0)
        values = api.values()
        assert (values["State"], values["MemFilled"]) == (0, 720)
        buffers = api.drain()
        times = samples(buffers)[:, 0]
        assert len(times) == 60
        assert (times[-1] == pytest.approx(10.0)) == (kept == "newest")
        assert (times[0] < 0.01) == (kept == "oldest")
        lost = buffers[0].infos["IRQskipped"]
        assert lost == 101 - 60 if policy == "overwrite" else lost > 0
        assert api.data().infos["IRQskipped"] == 0


def test_a_stopped_memory_stops_the_run_early() -> None:
    with bench(habits=Habits(memory_bytes=60 * 12, memory_full="stop")) as (api, clock):
        api.load_chain("SP-300", ocv(10.0, 0.1))
        api.start()
        for _ in range(7):
            clock.sleep(1.0)
        assert api.values()["State"] == 0
        assert api.values()["Elapsed"] == pytest.approx(6.0, abs=1e-4)  # the row of 6.0 s does not fit


def test_on_a_free_clock_reading_ends_and_the_run_does_too() -> None:
    chain = cplimit(seconds=3.0, every_s=0.01), impedance(), ocv(1.0, 0.1)
    expected = [row for b in run("SP-300", *chain) for row in b.rows]
    clock = FreeClock()
    with bench(clock=clock) as (api, _):
        api.load_chain("SP-300", *chain)
        loaded_s = clock.now_s()
        api.start()
        reads: list[list[Buffer]] = [[]]
        values = api.values()
        while values["State"] or values["MemFilled"]:
            reads.append(api.drain())
            values = api.values()
        assert clock.now_s() - loaded_s == pytest.approx(values["Elapsed"])
    assert len(reads) > 10
    assert [row for read in reads for b in read for row in b.rows] == expected
