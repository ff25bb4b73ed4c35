"""What is refused when a technique is loaded, changed or started, and with which code."""

from __future__ import annotations

import ctypes as c
from typing import Any

import pytest
from eclib_bench import BOOL, INT, SINGLE, Parameters, bench
from eclib_techniques import (
    E_ABOVE,
    E_BELOW,
    I_ABOVE,
    I_BELOW,
    I_BELOW_AND,
    Chain,
    cplimit,
    drawing,
    impedance,
    loop,
    ocv,
    scan,
    stepped,
)
from time_bases import counted_s

from nakctl_sim.instrument.habits import Habits

FILES = [
    ("SP-300", "ocv4.ecc", 0),
    ("SP-300", r"C:\EC-Lab\lib\OCV4.ecc", 0),
    ("SP-300", "/opt/sdk/ocv4.ecc", 0),
    ("VMP-3", "ocv.ecc", 0),
    ("SP-300", "ocv.ecc", -401),
    ("VMP-3", "ocv4.ecc", -401),
    ("VMP-3", "ocv5.ecc", -401),
    ("SP-300", "ocv9.ecc", -400),
    ("SP-300", "ocv4", -400),
    ("SP-300", "", -400),
    ("SP-300", "mp4.ecc", -402),
    ("SP-300", "pow4.ecc", -400),
    ("SP-300", "load5.ecc", -400),
    ("SP-300", "pow.ecc", -401),
]


@pytest.mark.parametrize(("like", "file", "code"), FILES)
def test_the_file_has_to_fit_the_board(like: str, file: str, code: int) -> None:
    with bench(like) as (api, _):
        assert api.load(file, ocv()[1]) == code


def without(chain: Chain, label: str) -> Chain:
    return chain[0], [each for each in chain[1] if each[0] != label]


def replaced(chain: Chain, label: str, kind: int, value: Any, index: int = 0) -> Chain:
    name, parameters = without(chain, label)
    return name, [*parameters, (label, kind, value, index)]


def added(chain: Chain, *more: tuple[str, int, Any, int]) -> Chain:
    return chain[0], [*chain[1], *more]


def ends_on(*slots: tuple[int, float], exit_cond: int = 0) -> Chain:
    return cplimit(tests=[list(slots)], exits=[exit_cond])


GOOD: dict[str, Chain] = {
    "ocv": ocv(),
    "ocv with a time base": added(ocv(), ("tb", SINGLE, 2e-5, 0)),
    "ocv with every hardware label": added(
        ocv(), ("I_Range", INT, 12, 0), ("Bandwidth", INT, 8, 0), ("xctr", INT, 0, 0)
    ),
    "ocv with Ece and its time base": added(ocv(), ("xctr", INT, 1, 0), ("tb", SINGLE, 2.5e-5, 0)),
    "cp": stepped("cp", [1e-4], [1.0]),
    "ca": stepped("ca", [0.1], [1.0], I_range=12),
    "calimit": stepped("calimit", [0.1, 0.2], [1.0, 2.0], exits=[0, 2], tests=[[(E_ABOVE, 1.0)], []]),
    "20 steps": stepped("cplimit", [1e-4] * 20, [1.0] * 20),
    "window": ends_on((E_ABOVE, 2.0), (E_BELOW, -2.0), exit_cond=2),
    "|I| above": ends_on((I_ABOVE, 1e-3), (I_BELOW, -1e-3)),
    "|I| below, or Ewe": ends_on((I_BELOW_AND, 1e-5), (I_ABOVE, -1e-5), (E_ABOVE, 1.0), exit_cond=1),
    "kept ranges": replaced(cplimit(), "I_Range", INT, -1),
    "geis": impedance("geis"),
    "geis without finals": without(without(impedance("geis"), "Final_Current_step"), "vs_final"),
    "peis against the rest": impedance("peis", vs_initial=True),
    "staircase": impedance("seisg", Final_Current_step=1e-4, Step_number=98),
    "vscan": scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01),
    "100 vertices": scan("vscan", [0.0, 0.1] * 50, [0.1] * 100, 0.01),
    "vscanlimit": scan("vscanlimit", [0.0, 0.1, 0.0], [0.1] * 3, 0.01, [[(E_ABOVE, 1.0)]] * 3, [0, 0, 2]),
    "20 vertices with tests": scan("vscanlimit", [0.0, 0.1] * 10, [0.1] * 20, 0.01),
    "first rate of no use": scan("vscan", [0.0, 0.1], [0.0, 0.1], 0.01),
    "next technique at the last vertex": scan("vscanlimit", [0.0, 0.1], [0.1] * 2, 0.01, exits=[0, 1]),
    "iscan": scan("iscan", [0.0, 1e-4], [1e-4] * 2, 1e-5),
    "iscanlimit": scan("iscanlimit", [0.0, 1e-4], [1e-4] * 2, 1e-5, [[(E_ABOVE, 1.0)]] * 2),
    "cv": scan("cv", [0.0, 0.1, -0.1, 0.0, 0.0], [0.1] * 5, 0.01),
    "trigger out": ("to", [("Trigger_Logic", INT, 1, 0), ("Trigger_Duration", SINGLE, 0.1, 0)]),
}
BAD: dict[str, Chain] = {
    "unknown label": added(ocv(), ("Rest_time", SINGLE, 1.0, 0)),
    "case of a label": replaced(without(ocv(), "Rest_time_T"), "rest_time_t", SINGLE, 1.0),
    "wrong type": replaced(ocv(), "Rest_time_T", INT, 1),
    "bool as int": replaced(impedance("geis"), "sweep", INT, 1),
    "bool 255": replaced(impedance("geis"), "sweep", BOOL, 255),
    "missing": without(ocv(), "Record_every_dT"),
    "twice": added(ocv(), ("Rest_time_T", SINGLE, 2.0, 0)),
    "scalar with an index": replaced(ocv(), "Rest_time_T", SINGLE, 1.0, 1),
    "negative index": replaced(ocv(), "Rest_time_T", SINGLE, 1.0, -1),
    "no number": replaced(ocv(), "Rest_time_T", SINGLE, float("nan")),
    "negative time": replaced(ocv(), "Rest_time_T", SINGLE, -1.0),
    "longer than can be counted": replaced(ocv(), "Rest_time_T", SINGLE, 43000.0),
    "infinite interval": replaced(ocv(), "Record_every_dT", SINGLE, float("inf")),
    "other time base": added(ocv(), ("tb", SINGLE, 1e-3, 0)),
    "extra columns without their time base": added(ocv(), ("xctr", INT, 1, 0)),
    "other extra columns": added(ocv(), ("xctr", INT, 2, 0), ("tb", SINGLE, 2.5e-5, 0)),
    "extra columns of a spectrum": added(
        impedance("geis"), ("xctr", INT, 1, 0), ("tb", SINGLE, 2.9e-5, 0)
    ),
    "unknown range": replaced(ocv(), "E_Range", INT, 7),
    "bandwidth": added(ocv(), ("Bandwidth", INT, 10, 0)),
    "position of the chain as step index": (
        "cplimit",
        [(label, kind, value, 1) for label, kind, value, _ in cplimit()[1]],
    ),
    "a step too few": without(added(cplimit(), ("Current_step", SINGLE, 1.0, 1)), "Exit_Cond"),
    "a level too many": added(cplimit(), ("Current_step", SINGLE, 1.0, 1)),
    "a hole among the steps": added(without(cplimit(), "Current_step"), ("Current_step", SINGLE, 1.0, 1)),
    "21 steps": stepped("cplimit", [1e-4] * 21, [1.0] * 21),
    "AUTO under current control": replaced(cplimit(), "I_Range", INT, 12),
    "no range under current control": without(impedance("geis"), "I_Range"),
    "relative to the step before": replaced(cplimit(), "vs_initial", BOOL, True),
    "negative repetitions": replaced(cplimit(), "N_Cycles", INT, -1),
    "unknown exit": ends_on((E_ABOVE, 1.0), exit_cond=3),
    "exit before the last step": stepped("cplimit", [1e-4] * 2, [1.0] * 2, exits=[1, 0]),
    "auxiliary input": ends_on((1 | 1 << 5, 1.0)),
    "unknown comparison": ends_on((1 | 2 << 2, 1.0)),
    "one side of a current": ends_on((I_ABOVE, 1e-3)),
    "lopsided current": ends_on((I_ABOVE, 1e-3), (I_BELOW, -2e-3)),
    "AND of potentials": ends_on((E_ABOVE | 2, 0.0), (E_BELOW, 1.0)),
    "AND at the end": ends_on((E_ABOVE, 1.0), (I_BELOW_AND, 1e-5), (I_ABOVE, -1e-5)),
    "vertices that are not counted": replaced(scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01), "Scan_number", INT, 1),
    "101 vertices": scan("vscan", [0.0] + [0.0, 0.1] * 50, [0.1] * 101, 0.01),
    "21 vertices with tests": scan("vscanlimit", [0.0] + [0.0, 0.1] * 10, [0.1] * 21, 0.01),
    "one vertex": scan("vscan", [0.1], [0.1], 0.01),
    "no rate": scan("vscan", [0.0, 0.1], [0.1, 0.0], 0.01),
    "negative rate": scan("vscan", [0.1, 0.0], [0.1, -0.1], 0.01),
    "slower than can be counted": scan("vscan", [0.0, 0.1], [1e-7] * 2, 0.01),
    "relative to the vertex before": added(
        replaced(scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01), "vs_initial", BOOL, False),
        ("vs_initial", BOOL, True, 1),
    ),
    "measured before it begins": scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01, begin=-0.1),
    "measured backwards": scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01, begin=0.9, end=0.5),
    "label of the other scan": added(scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01), ("Begin_measuring_E", SINGLE, 0.5, 0)),
    "tests without limits": added(scan("vscan", [0.0, 0.1], [0.1] * 2, 0.01), ("Exit_Cond", INT, 0, 0)),
    "AUTO under a ramp": replaced(scan("iscan", [0.0, 1e-4], [1e-4] * 2, 1e-5), "I_Range", INT, 12),
    "a cv of four": scan("cv", [0.0, 0.1, -0.1, 0.0], [0.1] * 4, 0.01),
    "a cv that is not 2": replaced(scan("cv", [0.0, 0.1, -0.1, 0.0, 0.0], [0.1] * 5, 0.01), "Scan_number", INT, 3),
    "no frequency": impedance("geis", Frequency_number=0),
    "zero frequency": impedance("geis", Final_frequency=0.0),
    "beyond the highest frequency": impedance("geis", Initial_frequency=8e6),
    "no average": impedance("peis", Average_N_times=0),
    "bias relative under current": impedance("geis", vs_initial=True),
    "too many levels": impedance("seisg", Step_number=99),
    "loop to itself": loop(0, 2),
    "loop ahead": loop(3, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_accepted(name: str) -> None:
    with bench() as (api, _):
        assert api.load_chain("SP-300", GOOD[name]) == [0]


@pytest.mark.parametrize("name", BAD)
def test_refused(name: str) -> None:
    with bench() as (api, _):
        assert api.load_chain("SP-300", BAD[name]) == [-403]
        assert api.start() == -6


@pytest.mark.parametrize("name", ["pow", "load"])
def test_power_and_load_are_of_the_vmp3_alone(name: str) -> None:
    good, auto = drawing(name, [1e3], [1.0]), replaced(drawing(name, [1e3], [1.0]), "I_Range", INT, 12)
    with bench("VMP-3") as (api, _):
        assert api.load_chain("VMP-3", good) == [0]
        assert api.load_chain("VMP-3", auto) == [-403]
        assert api.load_chain("VMP-3", drawing(name, [1e3] * 99, [1.0] * 99)) == [0]
        assert api.load_chain("VMP-3", drawing(name, [1e3] * 100, [1.0] * 100)) == [-403]


def test_a_load_is_more_than_none() -> None:
    with bench("VMP-3") as (api, _):
        assert api.load_chain("VMP-3", drawing("load", [0.0], [1.0])) == [-403]


def test_loops_over_nothing_or_for_less_than_ever() -> None:
    with bench() as (api, _):
        assert api.load_chain("SP-300", ocv(), loop(0, -1)) == [0, 0]
        assert api.load_chain("SP-300", ocv(), loop(0, -2)) == [0, -403]
        assert api.load_chain("SP-300", ocv(), loop(0, 2), loop(1, 2)) == [0, 0, -403]


def test_first_and_last() -> None:
    with bench() as (api, _):
        assert api.load("ocv4.ecc", ocv()[1], first=False) == -403
        assert api.load("ocv4.ecc", ocv()[1], first=True, last=False) == 0
        assert api.start() == -6
        assert api.load("ocv4.ecc", ocv()[1], first=False, last=True) == 0
        assert api.load("ocv4.ecc", ocv()[1], first=False, last=True) == -403
        assert api.channel_infos()[1]["NbOfTechniques"] == 2
        assert api.load("ocv4.ecc", ocv()[1]) == 0
        assert api.channel_infos()[1]["NbOfTechniques"] == 1


def test_a_chain_holds_so_many() -> None:
    with bench(habits=Habits(chain_length=3)) as (api, _):
        assert api.load_chain("SP-300", *[ocv()] * 4) == [0, 0, 0, -405]
    with bench() as (api, _):
        assert api.load_chain("SP-300", *[ocv()] * 61)[-2:] == [0, -405]


def test_nothing_is_loaded_while_it_runs() -> None:
    with bench() as (api, clock):
        api.load_chain("SP-300", ocv(10.0))
        api.start()
        assert api.load("ocv4.ecc", ocv()[1]) == -13
        assert api.start() == -13
        clock.sleep(11.0)
        assert api.load("ocv4.ecc", ocv()[1]) == 0


@pytest.mark.parametrize(("habit", "code"), [("flag", 0), ("refuse", -403)])
def test_a_current_beyond_its_range(habit: Any, code: int) -> None:
    with bench(habits=Habits(beyond_range=habit)) as (api, _clock):
        assert api.load_chain("SP-300", cplimit(2e-3)) == [code]
        assert api.load_chain("SP-300", impedance("geis", Amplitude_Current=2e-3)) == [code]
        for last_A in (2e-3, -2e-3):
            levels = impedance("seisg", Final_Current_step=last_A, Step_number=4)
            assert api.load_chain("SP-300", levels) == [code]


def test_updates() -> None:
    changed: Parameters = [("Rest_time_T", SINGLE, 5.0, 0)]
    with bench() as (api, clock):
        api.load_chain("SP-300", ocv(1.0), ocv(1.0))
        assert api.update(1, "cplimit4.ecc", changed) == -15
        assert api.update(2, "ocv4.ecc", changed) == -15
        assert api.update(1, "ocv.ecc", changed) == -401
        assert api.update(1, "ocv4.ecc", [("Rest", SINGLE, 5.0, 0)]) == -403
        assert api.update(1, "ocv4.ecc", changed * 11) == -15
        assert api.update(1, "ocv4.ecc", changed) == 0
        lengths = [buffer.values["Elapsed"] for buffer in api.run(clock)]
        assert lengths[-1] == pytest.approx(6.0)


def test_updates_while_running() -> None:
    with bench() as (api, clock):
        api.load_chain("SP-300", ocv(1.0), ocv(1.0), loop(0, 2))
        api.start()
        clock.sleep(0.5)
        assert api.update(0, "ocv4.ecc", [("Rest_time_T", SINGLE, 5.0, 0)]) == -15
        assert api.update(1, "ocv4.ecc", [("Rest_time_T", SINGLE, 3.0, 0)]) == 0
        clock.sleep(20.0)
        starts = [buffer.infos["StartTime"] for buffer in api.drain()]
        assert starts[1:] == [1.0, 4.0, 5.0]
        assert api.values()["Elapsed"] == pytest.approx(8.0)


def test_what_follows_what_stays_while_running() -> None:
    with bench() as (api, clock):
        api.load_chain("SP-300", ocv(1.0), cplimit(seconds=1.0), loop(0, 2))
        api.start()
        clock.sleep(0.5)
        assert api.update(1, "cplimit4.ecc", [("N_Cycles", INT, 2, 0)]) == -15
        assert api.update(2, "loop4.ecc", [("loop_N_times", INT, 5, 0)]) == -15
        clock.sleep(20.0)
        assert api.values()["Elapsed"] == pytest.approx(2 * (1.0 + counted_s(1.0)))


def test_the_running_technique_may_change_where_that_is_the_habit() -> None:
    with bench(habits=Habits(update_running=True)) as (api, clock):
        api.load_chain("SP-300", ocv(1.0))
        api.start()
        clock.sleep(0.5)
        assert api.update(0, "ocv4.ecc", [("Rest_time_T", SINGLE, 5.0, 0)]) == 0
        clock.sleep(20.0)
        assert api.values()["Elapsed"] == pytest.approx(5.0)


def test_technique_infos() -> None:
    with bench() as (api, _):
        api.load_chain("SP-300", ocv(), cplimit())
        infos = (c.c_int32 * 8)()
        assert api("BL_GetTechniqueInfos", api.device, 0, 1, infos) == 0
        assert list(infos)[:3] == [155, 1, len(cplimit()[1])]
        assert api("BL_GetTechniqueInfos", api.device, 0, 2, infos) == -4


def test_an_empty_list_of_parameters() -> None:
    with bench() as (api, _):
        assert api.load("ocv4.ecc", []) == -403
