"""Records of the techniques: bytes, indices, test bits, and what is refused."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import pytest
from biologic_bench import SP300, VMP3, ca, chain, cp, draw, eis, ocv, ramp, scan
from hypothesis import given
from hypothesis import strategies as st

from nakctl.device.program import Hardware, Loop, Segment, Test
from nakctl.errors import LimitError
from nakctl_biologic import params
from nakctl_biologic.codes import Board, Id
from nakctl_biologic.conditions import slots
from nakctl_biologic.records import Param, boolean, change, encoded, integer, positive, single

# bytes


@pytest.mark.parametrize(
    ("param", "kind", "bits"),
    [
        (single("x", 1.5), 2, 0x3FC00000),
        (integer("x", -1), 0, 0xFFFFFFFF),
        (boolean("x", True), 1, 1),
        (boolean("x", False), 1, 0),
        (change("x", None), 2, 0x7F800000),
        (single("x", -0.1), 2, 0xBDCCCCCD),
    ],
)
def test_a_record(param: Param, kind: int, bits: int) -> None:
    assert bytes(param) == b"x" + bytes(63) + struct.pack("<iIi", kind, bits, 0)


def test_records_stand_one_after_the_other() -> None:
    data = encoded([single("Rest_time_T", 10.0), replace(integer("Test1_Config", 5), index=3)])
    assert len(data) == 152
    assert data[76:88] == b"Test1_Config"
    assert struct.unpack("<iIi", data[140:152]) == (0, 5, 3)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e39])
def test_an_interval_is_a_positive_number(value: float) -> None:
    with pytest.raises(LimitError, match="Record_every_dT"):
        positive("Record_every_dT", value)


def test_a_change_of_0_is_never_sent() -> None:
    with pytest.raises(LimitError):
        change("Record_every_dE", 0.0)


# labels, types, indices

STEP_LABELS = {
    "vs_initial": "bool", "Duration_step": "single", "Step_number": "int", "Record_every_dT": "single",
    "N_Cycles": "int", "Test1_Config": "int", "Test1_Value": "single", "Test2_Config": "int",
    "Test2_Value": "single", "Test3_Config": "int", "Test3_Value": "single", "Exit_Cond": "int",
}  # fmt: skip
HARDWARE_LABELS = {"I_Range": "int", "E_Range": "int", "Bandwidth": "int"}
EIS_LABELS = {
    "vs_initial": "bool", "vs_final": "bool", "Duration_step": "single", "Step_number": "int",
    "Record_every_dT": "single", "Initial_frequency": "single", "Final_frequency": "single", "sweep": "bool",
    "Frequency_number": "int", "Average_N_times": "int", "Correction": "bool", "Wait_for_steady": "single",
}  # fmt: skip
GEIS_LABELS = {
    "Initial_Current_step": "single", "Final_Current_step": "single", "Amplitude_Current": "single",
    "Record_every_dE": "single",
}  # fmt: skip
PEIS_LABELS = {
    "Initial_Voltage_step": "single", "Final_Voltage_step": "single", "Amplitude_Voltage": "single",
    "Record_every_dI": "single",
}  # fmt: skip
SCAN_LABELS = {
    "vs_initial": "bool", "Scan_Rate": "single", "Scan_number": "int", "N_Cycles": "int",
} | {name: kind for name, kind in STEP_LABELS.items() if name.startswith(("Test", "Exit"))}  # fmt: skip
LABELS = {
    "vscanlimit": (
        scan(0.0, 1.0, 10.0),
        {"Voltage_step": "single", "Record_every_dE": "single"}
        | {"Begin_measuring_I": "single", "End_measuring_I": "single"}
        | SCAN_LABELS,
    ),
    "iscanlimit": (
        ramp(0.0, 1e-3, 10.0),
        {"Current_step": "single", "Record_every_dI": "single"}
        | {"Begin_measuring_E": "single", "End_measuring_E": "single"}
        | SCAN_LABELS,
    ),
    "ocv": (ocv(), {"Rest_time_T": "single", "Record_every_dE": "single", "Record_every_dT": "single"}),
    "cplimit": (cp(), {"Current_step": "single", "Record_every_dE": "single"} | STEP_LABELS),
    "calimit": (ca(), {"Voltage_step": "single", "Record_every_dI": "single"} | STEP_LABELS),
    "geis": (eis(), EIS_LABELS | GEIS_LABELS),
    "peis": (eis("PEIS"), EIS_LABELS | PEIS_LABELS),
}


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize(
    ("board", "suffix"), [(Board.ESSENTIAL, ""), (Board.PREMIUM, "4"), (Board.DIGICORE, "5")]
)
def test_every_label_is_sent_with_its_type(name: str, board: Board, suffix: str) -> None:
    technique, labels = LABELS[name]
    loaded = params.load_as(technique, SP300, board)
    assert loaded.file == f"{name}{suffix}.ecc"
    assert {param.label: param.kind for param in loaded.params} == labels | HARDWARE_LABELS
    assert len({(param.label, param.index) for param in loaded.params}) == len(loaded.params)


def sent(technique: object, board: Board = Board.PREMIUM) -> dict[str, float]:
    return {param.label: param.value for param in params.load_as(technique, SP300, board).params}  # type: ignore[arg-type]


def test_the_place_in_the_chain_is_no_index() -> None:
    """The third technique is told the same as the first: its step has the index 0."""
    loaded = params.chain(chain(cp(), cp(), cp(), Loop(0, 2, passes=True)), SP300, Board.PREMIUM)
    assert loaded[0] == loaded[1] == loaded[2]
    assert {param.index for entry in loaded for param in entry.params} == {0}


@pytest.mark.parametrize("count", [1, 2, 20])
def test_arrays_have_an_element_per_step(count: int) -> None:
    steps = [cp(k * 1e-5, 1.0 + k, Test("Ewe", "above", k * 0.1)) for k in range(count)]
    found = list(params.current_steps(steps, SP300))
    for label in ("Current_step", "vs_initial", "Duration_step", "Test1_Config", "Test3_Value", "Exit_Cond"):
        assert [param.index for param in found if param.label == label] == list(range(count))
    assert [param.value for param in found if param.label == "Test1_Value"] == [k * 0.1 for k in range(count)]
    assert [param.value for param in found if param.label == "Step_number"] == [count - 1]


@pytest.mark.parametrize("count", [0, 21])
def test_too_many_steps(count: int) -> None:
    with pytest.raises(LimitError, match="1 to 20 steps"):
        list(params.potential_steps([ca()] * count, SP300))


@pytest.mark.parametrize(("spacing", "linear"), [("log", False), ("linear", True)])
def test_sweep_is_true_for_linear(spacing: str, linear: bool) -> None:
    assert sent(replace(eis(), spacing=spacing))["sweep"] == linear  # type: ignore[arg-type]


def test_a_spectrum_counts_all_its_frequencies_and_holds_before_it() -> None:
    told = sent(eis(n=71, bias=1e-4, hold_s=2.5))
    assert (told["Frequency_number"], told["Duration_step"], told["Step_number"]) == (71, 2.5, 0)
    assert told["Initial_Current_step"] == told["Final_Current_step"] == 1e-4


@pytest.mark.parametrize("vs_previous", [False, True])
def test_a_bias_against_the_technique_before(vs_previous: bool) -> None:
    told = params.chain(chain(ocv(), eis("PEIS", vs_previous=vs_previous)), SP300, Board.PREMIUM)[1].params
    assert {param.value for param in told if param.label.startswith("vs_")} == {float(vs_previous)}


def test_nothing_is_before_the_first_technique() -> None:
    with pytest.raises(LimitError, match="first technique"):
        params.chain(chain(eis("PEIS", vs_previous=True)), SP300, Board.PREMIUM)


@pytest.mark.parametrize(("times", "jumps"), [(1, 0), (105, 104), (None, -1)])
def test_a_loop_counts_its_jumps(times: int | None, jumps: int) -> None:
    assert sent(Loop(3, times, passes=True)) == {"loop_N_times": jumps, "protocol_number": 3}


def values(technique: object, label: str) -> list[float]:
    """In the order of their index."""
    found = params.load_as(technique, SP300, Board.PREMIUM).params  # type: ignore[arg-type]
    return [param.value for param in sorted(found, key=lambda param: param.index) if param.label == label]


@pytest.mark.parametrize(("from_V", "to_V"), [(0.1, 0.4), (0.4, 0.1), (-0.1, 0.2)])
def test_a_scan_has_two_vertices_and_a_rate_without_a_sign(from_V: float, to_V: float) -> None:
    """0.3 V in 30 s: 10 mV/s as 0.01 V/s, a row each 2 s, which is each 20 mV."""
    one = scan(from_V, to_V, 30.0, Test("Ewe", "above", 3.0), every_s=2.0)
    assert values(one, "Voltage_step") == [from_V, to_V]
    assert values(one, "Scan_Rate") == pytest.approx([0.01, 0.01])
    assert values(one, "Record_every_dE") == pytest.approx([0.02])
    assert values(one, "Scan_number") == [0]
    assert (values(one, "Begin_measuring_I"), values(one, "End_measuring_I")) == ([0.5], [1.0])
    assert (values(one, "Test1_Config"), values(one, "Test1_Value")) == ([5, 5], [3.0, 3.0])
    assert values(one, "Exit_Cond") == [1, 1]


def test_a_ramp_in_amperes() -> None:
    one = ramp(1e-3, -1e-3, 20.0, every_s=1.0)
    assert values(one, "Current_step") == [1e-3, -1e-3]
    assert values(one, "Scan_Rate") == pytest.approx([1e-4, 1e-4])
    assert values(one, "Record_every_dI") == pytest.approx([1e-4])


def test_a_scan_that_goes_nowhere_is_none() -> None:
    with pytest.raises(LimitError, match="Scan_Rate must be above 0"):
        sent(scan(0.1, 0.1, 10.0))


@pytest.mark.parametrize(
    ("control", "file", "label", "id"),
    [("POWER", "pow.ecc", "Power_step", 110), ("LOAD", "load.ecc", "Load_step", 111)],
)
def test_a_power_and_a_load(control: str, file: str, label: str, id: int) -> None:
    loaded = params.load_as(draw(control, 0.5, 20.0), VMP3, Board.ESSENTIAL)
    assert (loaded.file, loaded.id) == (file, id)
    told = {param.label: (param.kind, param.value) for param in loaded.params}
    assert told[label] == ("single", 0.5)
    assert told["Duration_step"] == ("single", 20.0)
    assert told["Step_number"] == ("int", 0)
    assert told["Record_every_dE"] == ("single", math.inf)


@pytest.mark.parametrize(("control", "what"), [("POWER", "constant power"), ("LOAD", "constant load")])
def test_an_sp_300_has_neither(control: str, what: str) -> None:
    with pytest.raises(LimitError, match=f"SP-300 has no technique for {what}: use a channel that has one"):
        params.load_as(draw(control, 0.5), SP300, Board.PREMIUM)


@pytest.mark.parametrize(
    ("control", "file", "id"), [("GEIS", "seisg4.ecc", 114), ("PEIS", "seisp4.ecc", 113)]
)
def test_the_instruments_own_staircase(control: str, file: str, id: int) -> None:
    loaded = params.staircase(eis(control, bias=1e-4), 5e-4, 4, SP300, Board.PREMIUM)
    told = {param.label: param.value for param in loaded.params}
    quantity = "Current" if control == "GEIS" else "Voltage"
    assert (loaded.file, loaded.id) == (file, id)
    assert (told[f"Initial_{quantity}_step"], told[f"Final_{quantity}_step"]) == (1e-4, 5e-4)
    assert told["Step_number"] == 4


@pytest.mark.parametrize("increments", [-1, 99])
def test_a_staircase_has_so_many_levels(increments: int) -> None:
    with pytest.raises(LimitError, match="0 to 98"):
        params.staircase(eis(), 1e-3, increments, SP300, Board.PREMIUM)


def test_triggers() -> None:
    out = params.trigger_out(1, 0.5, Board.ESSENTIAL)
    assert (out.file, [str(param) for param in out.params]) == (
        "TO.ecc", ["Trigger_Logic int 1 0", "Trigger_Duration single 0.5 0"],
    )  # fmt: skip
    assert params.trigger_in(0, Board.PREMIUM).file == "TI4.ecc"
    assert params.trigger_set(0, Board.DIGICORE).file == "TOS5.ecc"


def test_ids_of_the_rows() -> None:
    segment = chain(ocv(), cp(), ca(), eis(), eis("PEIS"), Loop(0, 2, passes=True))
    ids = [entry.id for entry in params.chain(segment, VMP3, Board.ESSENTIAL)]
    assert ids == [Id.OCV, Id.CPLIMIT, Id.CALIMIT, Id.GEIS, Id.PEIS, None]
    assert ids[:-1] == [100, 155, 157, 107, 104]
    segment = chain(ramp(0.0, 1e-3, 1.0), scan(0.0, 1.0, 1.0), draw("POWER", 1.0), draw("LOAD", 1.0))
    assert [entry.id for entry in params.chain(segment, VMP3, Board.ESSENTIAL)] == [156, 158, 110, 111]


# ranges


@pytest.mark.parametrize(
    ("instrument", "name", "code"),
    [(SP300, "10 nA", 2), (SP300, "500 mA", 10), (VMP3, "400 mA", 10), (VMP3, "1 mA", 7)],
)
def test_ranges_go_by_code(instrument: object, name: str, code: int) -> None:
    told = {p.label: p.value for p in params.hardware(Hardware(name, "5 V", 5), instrument)}  # type: ignore[arg-type]
    assert told == {"I_Range": code, "E_Range": 1, "Bandwidth": 5}


@pytest.mark.parametrize(
    "wrong",
    [
        Hardware("AUTO", "5 V", 5),
        Hardware("1 mA", "AUTO", 5),
        Hardware("1 nA", "5 V", 5),
        Hardware("1 mA", "5 V", 8),
    ],
)
def test_ranges_that_are_not_there(wrong: Hardware) -> None:
    """AUTO is no name here, so no current is ever controlled in an automatic range."""
    with pytest.raises(LimitError, match="VMP-3 has"):
        list(params.hardware(wrong, VMP3))


def test_longer_than_the_instrument_counts() -> None:
    assert sent(ocv(42_949.0))["Rest_time_T"] == 42_949.0
    for technique in (ocv(42_950.0), cp(1e-3, 85_900.0), eis(hold_s=51_540.0), scan(0.0, 1.0, 129_000.0)):
        with pytest.raises(LimitError, match="at most"):
            sent(technique)


# tests


def above(value: float, quantity: str = "Ewe") -> Test:
    return Test(quantity, "above", value)  # type: ignore[arg-type]


def below(value: float, quantity: str = "Ewe") -> Test:
    return Test(quantity, "below", value)  # type: ignore[arg-type]


IDLE = (0, 0.0)


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([], [IDLE, IDLE, IDLE]),
        ([above(3.0)], [(5, 3.0), IDLE, IDLE]),
        ([below(0.0)], [(1, 0.0), IDLE, IDLE]),
        ([above(3.0), below(-3.0)], [(5, 3.0), (1, -3.0), IDLE]),
        ([above(1e-3, "|I|")], [(101, 1e-3), (97, -1e-3), IDLE]),
        ([below(1e-6, "|I|")], [(99, 1e-6), (101, -1e-6), IDLE]),
        ([above(3.0), below(1e-6, "|I|")], [(99, 1e-6), (101, -1e-6), (5, 3.0)]),
        ([above(3.0), above(1e-3, "|I|")], [(5, 3.0), (101, 1e-3), (97, -1e-3)]),
    ],
)
def test_slots(tests: list[Test], expected: list[tuple[int, float]]) -> None:
    assert list(slots(tests)) == expected


def test_too_many_tests() -> None:
    with pytest.raises(LimitError, match="3 tests per step"):
        slots([above(1e-3, "|I|"), below(1e-6, "|I|")])


any_test = st.builds(
    Test, st.sampled_from(["Ewe", "|I|"]), st.sampled_from(["above", "below"]), st.floats(0.0, 2.0, width=32)
)


def evaluated(found: tuple[tuple[int, float], ...], E_V: float, I_A: float) -> bool:
    """As the manual says: ((1 op 2) op 3), idle slots and what follows them left out."""
    result, op = False, "or"
    for config, value in found:
        if not config & 1:
            break
        quantity = {0: E_V, 3: I_A}[config >> 5]
        met = quantity > value if config >> 2 & 7 else quantity < value
        result = (result and met) if op == "and" else (result or met)
        op = "and" if config & 2 else "or"
    return result


@given(st.lists(any_test, max_size=3), st.floats(-3, 3, width=32), st.floats(-3, 3, width=32))
def test_slots_mean_what_the_tests_mean(tests: list[Test], E_V: float, I_A: float) -> None:
    """Any one test suffices, whatever the order and the sign of the current."""
    if sum(2 if test.quantity == "|I|" else 1 for test in tests) > 3:
        return

    def met(test: Test) -> bool:
        value = E_V if test.quantity == "Ewe" else abs(I_A)
        return value > test.value if test.side == "above" else value < test.value

    assert evaluated(slots(tests), E_V, I_A) == any(map(met, tests))


@pytest.mark.parametrize(("on_test", "code"), [("next", 1), ("stop", 2)])
def test_what_follows_a_test(on_test: str, code: int) -> None:
    assert sent(cp(1e-4, 1.0, above(0.1), on_test=on_test))["Exit_Cond"] == code


def test_an_empty_chain_is_empty() -> None:
    assert params.chain(Segment(()), SP300, Board.PREMIUM) == ()
