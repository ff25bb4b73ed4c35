"""A program is read back as it was written, or refused with a sentence."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from generated import protocol
from hypothesis import given
from hypothesis import strategies as st
from shortened import cell_of

from nakctl.device.cell import Cell
from nakctl.device.ends import End
from nakctl.device.instrument import instrument, instruments
from nakctl.device.program import (
    Ca,
    Cp,
    Eis,
    Hardware,
    HostLoop,
    Loop,
    Ocv,
    Program,
    Segment,
    SetPoint,
    Settle,
    ShortRule,
    StepInfo,
    Test,
)
from nakctl.device.program_json import dump, dump_nodes, load, load_nodes
from nakctl.errors import Mark, RecordError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.lower import lower
from nakctl.protocol import library
from nakctl.protocol.load import load as load_protocol
from nakctl.protocol.load import understand
from nakctl.text.reader import read_text

CELL = Cell("test", 0.5)
HARDWARE = Hardware("1 mA", "5 V", 8)
ABOVE = Test("Ewe", "above", 3.0, 1)

# One of each, and every kind of value.
SMALL = Program(
    instrument="SP-300",
    area_cm2=0.5,
    nodes=(
        SetPoint("chamber", 333.15, "60 degC", "1 set", Mark(4, 5)),
        HostLoop(
            (
                Segment((Ocv(1, math.inf, 1.0, 0.005, HARDWARE), Loop(0, None, True)), loop=True),
                Segment((Ca(2, -0.1, 60.0, 1.0, None, (), "stop", HARDWARE, to_V=0.5),), tops_up=True),
            ),
            None,
        ),
        Segment(
            (
                Cp(3, 1e-3, 600.0, 0.1, None, (ABOVE,), "next", HARDWARE),
                Cp(3, 1e-3, 0.005, 0.005, None, (ABOVE,), "stop", HARDWARE, sentinel=True),
                Eis(3, "GEIS", 1e-3, False, 5e-6, 0.0, 1.0, 1e5, 10.0, 41, "log", 1, 0.1, False, True, HARDWARE),
                Loop(1, 3, False),
            ),
            new_cycle=(0, 2),
            step_s=2.5,
        ),
    ),
    steps=(
        StepInfo(1, "2.1 rest", "OCV", 0, Mark(6, 7), Settle("chamber", 333.15, 0.5, 600.0, "end run", "60 degC", "0.5 K", "10 min")),
        StepInfo(2, "2.2 ca", "CA", 1, Mark(7, 7)),
        StepInfo(3, "3 strip", "GEIS", 2, Mark(8, 5)),
    ),
    ends=(End(1, "limit", "Ewe", "above", 3.0, "end run", "instrument", 0, "Ewe above 3 V", Mark(3, 9)),),
    short=ShortRule(0.5, 10.0, 0.01, 3),
)  # fmt: skip

# Old journals have to stay readable: what changes here is read as before, or gets a new version.
HARDWARE_JSON = {"I_range": "1 mA", "E_range": "5 V", "bandwidth": 8, "Ece": False}
ABOVE_JSON = {"quantity": "Ewe", "side": "above", "value": 3.0, "end": 1, "of_capacity": 0.0}
SMALL_JSON = {
    "version": 1,
    "program": {
        "instrument": "SP-300",
        "area_cm2": 0.5,
        "nodes": [
            {"is": "set point", "sensor": "chamber", "value": 333.15, "text": "60 degC", "label": "1 set", "mark": {"line": 4, "column": 5}, "slope": None},
            {
                "is": "host loop",
                "body": [
                    {
                        "is": "segment",
                        "techniques": [
                            {"is": "OCV", "step": 1, "duration_s": "inf", "every_s": 1.0, "dE_V": 0.005, "hardware": HARDWARE_JSON, "trigger_s": 0.0},
                            {"is": "loop", "to": 0, "times": None, "passes": True, "begins": False},
                        ],
                        "loop": True,
                        "tops_up": False,
                        "new_cycle": [],
                        "step_s": 0.0,
                        "later": [], "charge": None,
                    },
                    {
                        "is": "segment",
                        "techniques": [
                            {"is": "CA", "step": 2, "E_V": -0.1, "duration_s": 60.0, "every_s": 1.0, "dI_A": None, "tests": [], "on_test": "stop", "hardware": HARDWARE_JSON, "sentinel": False, "to_V": 0.5, "trigger_s": 0.0},
                        ],
                        "loop": False,
                        "tops_up": True,
                        "new_cycle": [],
                        "step_s": 0.0,
                        "later": [], "charge": None,
                    },
                ],
                "times": None,
                "until": None,
            },
            {
                "is": "segment",
                "techniques": [
                    {"is": "CP", "step": 3, "I_A": 0.001, "duration_s": 600.0, "every_s": 0.1, "dE_V": None, "tests": [ABOVE_JSON], "on_test": "next", "hardware": HARDWARE_JSON, "sentinel": False, "to_A": None, "of_capacity": False, "time_power": 0, "trigger_s": 0.0},
                    {"is": "CP", "step": 3, "I_A": 0.001, "duration_s": 0.005, "every_s": 0.005, "dE_V": None, "tests": [ABOVE_JSON], "on_test": "stop", "hardware": HARDWARE_JSON, "sentinel": True, "to_A": None, "of_capacity": False, "time_power": 0, "trigger_s": 0.0},
                    {
                        "is": "EIS", "step": 3, "control": "GEIS", "bias": 0.001, "vs_previous": False, "amplitude_peak": 5e-06, "hold_s": 0.0, "every_s": 1.0,
                        "f_first_Hz": 100000.0, "f_last_Hz": 10.0, "n_frequencies": 41, "spacing": "log", "average": 1, "wait_periods": 0.1,
                        "drift_correction": False, "continues": True, "hardware": HARDWARE_JSON, "of_capacity": False, "trigger_s": 0.0,
                    },
                    {"is": "loop", "to": 1, "times": 3, "passes": False, "begins": False},
                ],
                "loop": False,
                "tops_up": False,
                "new_cycle": [0, 2],
                "step_s": 2.5,
                "later": [], "charge": None,
            },
        ],
        "steps": [
            {
                "step_id": 1, "label": "2.1 rest", "technique": "OCV", "level": 0, "mark": {"line": 6, "column": 7},
                "settle": {"sensor": "chamber", "of": 333.15, "within": 0.5, "for_s": 600.0, "then": "end run", "of_text": "60 degC", "within_text": "0.5 K", "for_text": "10 min"},
            },
            {"step_id": 2, "label": "2.2 ca", "technique": "CA", "level": 1, "mark": {"line": 7, "column": 7}, "settle": None},
            {"step_id": 3, "label": "3 strip", "technique": "GEIS", "level": 2, "mark": {"line": 8, "column": 5}, "settle": None},
        ],
        "ends": [
            {"id": 1, "kind": "limit", "quantity": "Ewe", "side": "above", "value": 3.0, "then": "end run", "by": "instrument", "step": 0, "text": "Ewe above 3 V", "mark": {"line": 3, "column": 9}, "sensor": "", "over_s": 0.0, "of_capacity": 0.0},
        ],
        "short": {"fall": 0.5, "within_s": 10.0, "below_V": 0.01, "samples": 3},
        "chain_length": 0,
        "feeds": False,
        "capacity_C": 0.0,
    },
}  # fmt: skip


def through_json(program: Program) -> Program:
    return load(json.loads(json.dumps(dump(program), allow_nan=False)))


def changed(document: Any, *change: Any) -> Any:
    """A copy, with the last of `change` at the place that the others lead to."""
    if len(change) == 1:
        return change[0]
    at, *further = change
    copy = document.copy()
    copy[at] = changed(document[at] if isinstance(document, list) else document.get(at), *further)
    return copy


def without(document: Any, *place: Any) -> Any:
    *way, name = place
    inner = document
    for at in way:
        inner = inner[at]
    return changed(document, *way, {key: value for key, value in inner.items() if key != name})


def test_the_form() -> None:
    assert dump(SMALL) == SMALL_JSON
    assert list(dump(SMALL)["program"]) == list(SMALL_JSON["program"])  # type: ignore[call-overload]
    assert load(SMALL_JSON) == SMALL


@given(st.integers(0, 2**32), st.sampled_from(instruments()))
def test_any_program_is_read_back(seed: int, on: str) -> None:
    plan = compile_protocol(understand(read_text(protocol(seed), "made.yaml"), {}), CELL)
    program = lower(plan, instrument(on))
    assert through_json(program) == program
    assert load_nodes(json.loads(json.dumps(dump_nodes(program.nodes)))) == program.nodes


def test_nothing_is_left() -> None:
    assert load_nodes(dump_nodes(())) == ()


def test_what_is_none_is_refused() -> None:
    with pytest.raises(RecordError, match=r"the program cannot be read: nodes\.0 is none of segment"):
        load_nodes({"version": 1, "nodes": [{"is": "lunch"}]})
    with pytest.raises(RecordError, match="it has the version 7"):
        load_nodes({"version": 7, "nodes": []})


@pytest.mark.parametrize("name", library.names())
@pytest.mark.parametrize("on", instruments())
def test_shipped_protocols_are_read_back(name: str, on: str) -> None:
    program = lower(compile_protocol(load_protocol(name, {}), cell_of(name)), instrument(on))
    assert through_json(program) == program


@given(st.floats())
def test_every_float_is_exact(value: float) -> None:
    read = through_json(replace(SMALL, area_cm2=value)).area_cm2
    assert repr(read) == repr(value)


def test_a_whole_number_is_a_float_where_one_belongs() -> None:
    read = through_json(replace(SMALL, area_cm2=2)).area_cm2
    assert (type(read), read) == (float, 2.0)


@pytest.mark.parametrize("field", ["sentinel", "to_A"])
def test_what_was_added_later_is_read_from_older_programs(field: str) -> None:
    older = without(SMALL_JSON, "program", "nodes", 2, "techniques", 0, field)
    assert load(older) == SMALL


SEGMENT, CP = ("program", "nodes", 2), ("program", "nodes", 2, "techniques", 0)
BROKEN = [
    (changed(SMALL_JSON, "version", 2), "it has the version 2, this nakctl reads version 1"),
    (without(SMALL_JSON, "version"), "it has the version None"),
    ("program for SP-300", "it has the version None"),
    (without(SMALL_JSON, "program"), "program has no fields: None"),
    (without(SMALL_JSON, *CP, "I_A"), r"program\.nodes\.2\.techniques\.0\.I_A is missing"),
    (changed(SMALL_JSON, *CP, "I_A", "0.001"), r"0\.I_A is no number: '0.001'"),
    (changed(SMALL_JSON, *CP, "I_A", None), r"0\.I_A is no number: None"),
    (changed(SMALL_JSON, *CP, "I_A", True), r"0\.I_A is no number: True"),
    (changed(SMALL_JSON, *CP, "I_A", 10**400), r"0\.I_A is no number: 1000"),
    (changed(SMALL_JSON, *CP, "step", 3.0), r"0\.step is no whole number: 3.0"),
    (changed(SMALL_JSON, *CP, "step", True), r"0\.step is no whole number: True"),
    (changed(SMALL_JSON, *CP, "sentinel", 1), r"0\.sentinel is no yes or no: 1"),
    (changed(SMALL_JSON, *CP, "on_test", "go"), r"0\.on_test is none of next, stop: 'go'"),
    (changed(SMALL_JSON, *CP, "E_V", 0.1), r"0\.E_V is nothing that this nakctl knows"),
    (changed(SMALL_JSON, *CP, "is", "CV"), r"0 is none of OCV, CP, CA, DRAW, EIS, loop: 'CV'"),
    (changed(SMALL_JSON, *CP, "is", "segment"), r"0 is none of OCV, CP, CA, DRAW, EIS, loop: 'segment'"),
    (without(SMALL_JSON, *CP, "is"), r"0 is none of .*: None"),
    (changed(SMALL_JSON, *CP, "hardware", None), r"0\.hardware has no fields: None"),
    (changed(SMALL_JSON, *CP, "hardware", "is", "CP"), r"0\.hardware\.is is nothing that"),
    (changed(SMALL_JSON, *SEGMENT, "techniques", {}), r"nodes\.2\.techniques is no list: {}"),
    (changed(SMALL_JSON, "program", "instrument", 300), r"program\.instrument is no text: 300"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_what_is_no_program_is_refused(document: Any, said: str) -> None:
    with pytest.raises(RecordError, match=f"the program cannot be read: .*{said}"):
        load(document)


def places(document: Any, *way: Any) -> Iterator[tuple[Any, ...]]:
    yield way
    if isinstance(document, dict | list):
        for at in document if isinstance(document, dict) else range(len(document)):
            yield from places(document[at], *way, at)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(places(SMALL_JSON), key=str)), JSON)
def test_whatever_stands_in_a_place_makes_a_program_or_a_sentence(place: tuple[Any, ...], value: Any) -> None:
    try:
        program = load(changed(SMALL_JSON, *place, value))
    except RecordError:
        return
    assert repr(through_json(program)) == repr(program)


def test_a_long_program_is_quick() -> None:
    """0.1 and 0.2 s on the machine that it was written on; a loop that is not linear takes minutes."""
    technique = Cp(3, 1e-3, 600.0, 0.1, None, (ABOVE, ABOVE), "stop", HARDWARE)
    long = replace(SMALL, nodes=(Segment((technique,) * 50),) * 200)
    begun_s = time.process_time()
    assert load(dump(long)) == long
    assert time.process_time() - begun_s < 3.0


def test_it_costs_no_large_import() -> None:
    """The keeper of the runs has to stay small."""
    said = "import sys, nakctl.device.program_json; print({'numpy', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
