"""Every habit in every setting that is told apart, and nothing else changed by it."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from eclib_bench import Api, bench
from eclib_rows import Buffer, decode, samples
from eclib_techniques import E_ABOVE, Chain, cplimit, impedance, loop, ocv, scan
from time_bases import base_s

from nakctl.errors import RigError
from nakctl_sim.habits import ChannelHabits, with_words
from nakctl_sim.instrument.habits import Habits
from nakctl_sim.instrument.library import connect


def run(chain: list[Chain], like: str = "SP-300", poll_s: float = 0.5, **habits: Any) -> list[Buffer]:
    with bench(like, habits=Habits(**habits)) as (api, clock):
        assert set(api.load_chain(like, *chain)) == {0}
        return api.run(clock, poll_s)


def loops(buffers: list[Buffer]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for buffer in buffers:
        at = buffer.infos["TechniqueIndex"], buffer.infos["loop"]
        if not found or found[-1] != at:
            found.append(at)
    return found


@pytest.mark.parametrize("first", [0, 1])
def test_loop_from(first: int) -> None:
    buffers = run([ocv(1.0), cplimit(seconds=1.0), loop(0, 3), ocv(1.0)], loop_from=first)
    passes = [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2), (3, 0)]
    assert loops(buffers) == [(technique, first + n) for technique, n in passes]


@pytest.mark.parametrize(
    ("habit", "inner"), [("innermost", [0, 1, 0, 1]), ("outermost", [0, 0, 1, 1]), ("total", [0, 1, 2, 3])]
)
def test_nested_loops(habit: Any, inner: list[int]) -> None:
    chain = [ocv(0.6), loop(0, 2), cplimit(seconds=0.6), loop(0, 2)]
    buffers = run(chain, nested_loop=habit, first_start_time="zero")
    starts = {b.infos["StartTime"]: b.infos["loop"] for b in buffers if b.infos["TechniqueIndex"] == 0}
    assert list(starts.values()) == inner
    assert [n for at, n in loops(buffers) if at == 2] == [0, 1]


@pytest.mark.parametrize("poll_s", [0.1, 0.5])
@pytest.mark.parametrize(
    ("order", "handed_over"),
    [
        ("visits", [(0, 0), (1, 0), (0, 1), (1, 1)]),
        ("time", [(0, 0), (1, 0), (0, 0), (1, 0), (0, 1), (1, 1), (0, 1), (1, 1)]),
    ],
)
def test_a_late_row_before_or_behind_the_next_technique(
    order: Any, handed_over: list[tuple[int, int]], poll_s: float
) -> None:
    """It says which technique, pass and start it belongs to."""
    chain = [cplimit(seconds=1.0), ocv(1.0, 0.5), loop(0, 2)]
    usual = run(chain, poll_s=poll_s)
    late = run(chain, poll_s=poll_s, late_row_s=2 * base_s(), rows_in_order_of=order)
    assert loops(late) == handed_over
    assert {start_of(each) for each in late} == {start_of(each) for each in usual}
    expected, found = samples(usual), samples(late)
    assert len(found) == len(expected)
    assert np.all(np.diff(found[:, 0]) > 0) == (order == "time")


@pytest.mark.parametrize("order", ["visits", "time"])
def test_a_late_row_that_the_end_of_the_chain_overtakes(order: Any) -> None:
    """Stopped at the very end of a technique: its last row is there all the same."""
    with bench("SP-300", habits=Habits(late_row_s=2.0, rows_in_order_of=order)) as (api, clock):
        api.load_chain("SP-300", cplimit(seconds=1.0), ocv(10.0, 0.5))
        api.start()
        clock.sleep(1.7)
        seen = samples(api.drain())
        api.stop()
        found = np.concatenate([seen, samples(api.drain())])
    assert found[found[:, 3] == 0][-1, 0] == pytest.approx(3.0, abs=1e-3)
    assert len(found[found[:, 3] == 1]) >= 2


def start_of(buffer: Buffer) -> tuple[int, int, float]:
    start_s = buffer.infos["StartTime"]
    return buffer.infos["TechniqueIndex"], buffer.infos["loop"], 0.0 if math.isnan(start_s) else start_s


@pytest.mark.parametrize("habit", ["float", "integer"])
def test_column_14_of_a_vmp3(habit: Any) -> None:
    rows = [
        row for b in run([impedance()], "VMP-3", I_range_column=habit) for row in b.rows if len(row) == 15
    ]
    assert {decode(row[14]) if habit == "float" else row[14] for row in rows} == {7}


@pytest.mark.parametrize("reads", [0, 3])
def test_stop_is_read_right_after_the_start(reads: int) -> None:
    with bench(habits=Habits(stop_reads=reads)) as (api, clock):
        api.load_chain("SP-300", ocv(5.0, 0.1))
        api.start()
        clock.sleep(1.0)
        seen = [api.data() for _ in range(reads + 1)]
        assert [b.values["State"] for b in seen] == [0] * reads + [1]
        assert [b.infos["NbRows"] for b in seen] == [0] * reads + [11]
        assert [b.values["MemFilled"] for b in seen] == [0] * (reads + 1)
        api.stop()


@pytest.mark.parametrize("habit", ["nan", "zero"])
def test_start_time_of_the_first_technique(habit: Any) -> None:
    starts = [b.infos["StartTime"] for b in run([ocv(1.0), loop(0, 2), ocv(1.0)], first_start_time=habit)]
    assert (math.isnan(starts[0])) == (habit == "nan")
    assert starts[0] == 0.0 or habit == "nan"
    assert sorted({start_s for start_s in starts if start_s > 0}) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("live_s", "poll_s", "all_there"), [(0.2, 1.5, False), (0.2, 0.02, True), (math.inf, 1.5, True)]
)
@pytest.mark.parametrize("counted", [True, False])
def test_impedance_rows_live_for_a_while(
    live_s: float, poll_s: float, all_there: bool, counted: bool
) -> None:
    buffers = run(
        [impedance(Frequency_number=8)], poll_s=poll_s, eis_rows_live_s=live_s, eis_loss_counted=counted
    )
    rows = sum(b.infos["NbRows"] for b in buffers if b.infos["ProcessIndex"] == 1)
    assert (rows == 8) == all_there
    skipped = sum(b.infos["IRQskipped"] for b in buffers)
    assert (skipped > 0) == (counted and not all_there)
    assert len(samples(buffers)) == 5  # the hold is not touched


@pytest.mark.parametrize(("again", "code"), [(True, 0), (False, -104)])
def test_start_again_without_load(again: bool, code: int) -> None:
    with bench(habits=Habits(restart=again)) as (api, clock):
        api.load_chain("SP-300", ocv(1.0))
        api.run(clock)
        assert api.start() == code


@pytest.mark.parametrize("code", [-9, -103, -308])
def test_what_eclab_firmware_answers(code: Any) -> None:
    with bench(habits=Habits(eclab_code=code), faults=["eclab"]) as (api, _):
        assert api.load_chain("SP-300", ocv()) == [code]
        assert api.start() == api.stop() == api.data().code == code


@pytest.mark.parametrize("code", [0, -308])
def test_channel_infos_without_kernel_are_valid(code: Any) -> None:
    with bench(habits=Habits(infos_code=code), faults=["eclab"]) as (api, _):
        assert api.channel_infos()[0] == code
        assert api.channel_infos()[1]["FirmwareCode"] == 1
        assert api.channel_infos()[1]["MemSize"] > 0


@pytest.mark.parametrize(("habit", "technique"), [("rows", "OCV"), ("running", "CPLIMIT")])
def test_whose_time_base_it_is(habit: Any, technique: str) -> None:
    buffers = run([ocv(1.0), cplimit(seconds=1.0)], poll_s=1.5, timebase_of=habit)
    assert f"{buffers[0].values['TimeBase']:.7g}" == f"{base_s(technique):.7g}"


@pytest.mark.parametrize(("habit", "later"), [("read", 1), ("next row", 0)])
def test_how_long_an_overflow_is_seen(habit: Any, later: int) -> None:
    with bench(habits=Habits(overflow_until=habit)) as (api, clock):
        api.load_chain("SP-300", cplimit(2e-3, seconds=1.0), ocv(2.0))
        api.start()
        clock.sleep(0.6)
        assert api.values()["Iover"] == 1
        clock.sleep(1.4)
        assert api.values()["Iover"] == later
        clock.sleep(0.1)
        assert api.values()["Iover"] == 0


def test_connections() -> None:
    with bench(habits=Habits(connections=2)) as (first, _):
        second, third = (Api(connect(first.address), first.address) for _ in range(2))
        assert second.connect()[1][-1] == 2
        assert third.connect()[0] == -207
        assert third.device == -1
        assert first("BL_Disconnect", first.device) == 0
        assert third.connect()[0] == 0


CV = scan("cv", [0.0, 0.1, 0.0, 0.0, 0.0], [0.1] * 5, 0.01)


@pytest.mark.parametrize(("habit", "turn_s"), [("V/s", 1.0), ("mV/s", 1000.0)])
def test_the_unit_of_a_cv_s_rate(habit: Any, turn_s: float) -> None:
    got = samples(run([CV], poll_s=10.0, cv_rate=habit))
    assert got[np.argmax(got[:, 1]), 0] == pytest.approx(turn_s, rel=0.01)


@pytest.mark.parametrize(("habit", "codes"), [("scans", [0, -403]), ("vertices", [-403, 0])])
def test_what_scan_number_counts(habit: Any, codes: list[int]) -> None:
    name, found = scan("vscanlimit", [0.0, 0.1], [0.1] * 2, 0.01)
    others = [each for each in found if each[0] != "Scan_number"]
    with bench(habits=Habits(scan_number=habit)) as (api, _):
        counts = [api.load_chain("SP-300", (name, [*others, ("Scan_number", 0, n, 0)]))[0] for n in (0, 1)]
    assert counts == codes


@pytest.mark.parametrize(("habit", "end_V"), [("target", 0.15), ("origin", 0.05)])
def test_whose_tests_a_scan_obeys(habit: Any, end_V: float) -> None:
    tests = [[(E_ABOVE, 0.05)], [(E_ABOVE, 0.15)]]
    got = samples(run([scan("vscanlimit", [0.0, 0.2], [0.1] * 2, 0.01, tests)], scan_tests_of=habit))
    assert got[-1, 1] == pytest.approx(end_V, abs=1e-3)


@pytest.mark.parametrize(("control", "columns"), [(True, 6), (False, 5)])
def test_the_first_column_of_a_ramp_on_a_vmp3(control: bool, columns: int) -> None:
    ramp = scan("iscanlimit", [0.0, 1e-4], [1e-4] * 2, 1e-5)
    for like, expected in (("VMP-3", columns), ("SP-300", 5)):
        buffers = run([ramp], like, iscan_control=control)
        assert {b.infos["NbCols"] for b in buffers} == {expected}
        assert samples(buffers)[-1, 2] == pytest.approx(1e-4, abs=1e-6)


def test_means_of_a_scan() -> None:
    """Over the last half of 30 mV: 7.5 mV behind, at the vertex too."""
    chain = [scan("vscanlimit", [0.0, 0.3], [0.1] * 2, 0.03)]
    usual, means = samples(run(chain)), samples(run(chain, scan_means=True))
    assert np.array_equal(means[:, 0], usual[:, 0])
    assert usual[1:, 1] - means[1:, 1] == pytest.approx(np.full(10, 0.0075), abs=5e-4)


WORDS = [
    ("loop_from=1", "loop_from", 1),
    ("nested_loop=total", "nested_loop", "total"),
    ("eis_rows_live_s=0.25", "eis_rows_live_s", 0.25),
    ("restart=true", "restart", True),
    ("kernel=False", "kernel", False),
    ("eclab_code=-308", "eclab_code", -308),
    ("overflow_until=next row", "overflow_until", "next row"),
    ("chain_length=7", "chain_length", 7),
]


@pytest.mark.parametrize(("word", "name", "value"), WORDS)
def test_habits_as_words(word: str, name: str, value: Any) -> None:
    changed = with_words(Habits(), [word])
    assert {f.name for f in fields(Habits) if getattr(changed, f.name) != getattr(Habits(), f.name)} == {name}
    assert getattr(changed, name) == value


@pytest.mark.parametrize(
    "word", ["loop_from=2", "loops=1", "restart=perhaps", "chain_length=long", "loop_from"]
)
def test_words_that_are_no_habit(word: str) -> None:
    with pytest.raises(RigError):
        with_words(Habits(), [word])


def test_every_habit_is_explained() -> None:
    doc = f"{ChannelHabits.__doc__}{Habits.__doc__}"
    assert all(f"\n    {each.name} " in doc for each in fields(Habits))
