"""An unknown word at any place of any file: what it stands in is told as people call it, never as a class."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from nakctl.device.driver import Place
from nakctl.errors import InputError
from nakctl.protocol.load import load
from nakctl.rig import find_rig
from nakctl.text.sentences import words_of
from nakctl_sensors import rig_entry
from nakctl_sensors.dialogues import dialogue
from nakctl_sim import driver as sim_driver
from nakctl_sim.cell import catalog
from nakctl_sim.habits import with_words
from nakctl_sim.instrument.faults import fault
from nakctl_sim.instrument.habits import Habits

STRANGER = "zzqx"
WAIT = {
    "sensor": "press",
    "within": "1 MPa",
    "of": "10 MPa",
    "for": "1 s",
    "at_most": "1 h",
    "then": "end run",
}
HOLD = {"ca": "0 V", "for": "1 s", "record": {"every": "1 s"}, "until": [{"I_below": "1 uA"}]}
PROTOCOL = {
    "nakctl": 1,
    "name": "Every model once",
    "spectra": {"slow": {"kind": "peis", "amplitude": "10 mV", "frequencies": "1 kHz, 10 Hz"}},
    "record": {"every": "1 s"},
    "limits": {"Ewe": ["-3 V", "3 V"], "sensors": {"press": ["1 MPa", "12 MPa"]}},
    "stop_when": {"short": {"Ewe_falls_by": "75 %", "within": "2 min", "below": "15 mV"}},
    "steps": [
        {"rest": "1 s", "spectra": {"use": "slow", "every": "1 min"}},
        {"strip": "1 mA", "for": "1 s", "until": {"Ewe_above": "2 V"}},
        {"plate": "1 mA", "for": "1 s", "ranges": {"I": "1 mA"}},
        {"cp": "1 mA", "for": "1 s"},
        HOLD,
        {"peis": "slow", "during": {"ca": "0 V"}},
        {"geis": {"amplitude": "1 uA", "frequencies": "1 kHz, 10 Hz"}},
        {"pulse": {"strip": "1 mA"}, "on": "1 s", "off": "1 s", "repeat": 2},
        {"wait": WAIT},
        {"set": {"press": "10 MPa"}},
        {"repeat": 2, "until": {"charge": "1 mAh"}, "steps": [HOLD]},
        {"staircase": {"from": "1 mA", "to": "2 mA", "step": "1 mA"}, "as": "level", "steps": [HOLD]},
    ],
    "finally": "rest",
}
RIG = {
    "nakctl-rig": 1,
    "devices": {"bench": {"driver": "sim", "model": "SP-300"}},
    "channels": {"left": {"device": "bench"}},
    "cells": {"mine": {"channel": "left", "area": "1 cm2"}},
}
REAL = {
    "scpi": {"kind": "scpi", "address": "x", "unit": "V"},
    "serial": {"kind": "serial", "port": "x", "unit": "MPa", "calibration": {"points": [[0, 0], [1, 1]]}},
    "modbus": {"kind": "modbus", "port": "x", "register": 1, "unit": "degC"},
}
SENSORS = {
    **REAL,
    "sim": {"kind": "sim", "model": "press", "table": [["0 s", "2 MPa"]]},
    "like": {"kind": "scpi", "address": "x", "like": "keithley2000"},
    "stand-in": {"kind": "serial", "port": "x", "unit": "bar", "simulated_as": {"model": "press"}},
}
NAK = {
    "model": "nak",
    "cells": {"mine": {"working": "NaK55", "composition_wt_percent_K": 55, "scatter": {"seed": 1}}},
    "build": {"area": "1 cm2"},
    "parameters": {"j_c": {"value": 3, "unit": "mA/cm2", "status": "F", "source": "me"}},
}
CIRCUIT = {
    "model": "circuit",
    "cells": {"mine": {"area": "1 cm2", "pairs": [{"R": "1 ohm", "C": "1 uF"}]}},
}


def read_rig(path: Path) -> None:
    find_rig(path)


def read_cell(path: Path) -> None:
    catalog.read(str(path))


def of_sensor(name: str) -> dict[str, Any]:
    return {"nakctl-rig": 1, "sensors": {"one": SENSORS[name]}}


# What is read, by whom, and what an unknown word at its top is told to be no word of.
FILES: list[tuple[dict[str, Any], Callable[[Path], object], str]] = [
    (PROTOCOL, load, "a protocol"),
    (RIG, read_rig, "a rig file"),
    *((of_sensor(name), read_rig, "a rig file") for name in SENSORS),
    (NAK, read_cell, "a cell's file"),
    (CIRCUIT, read_cell, "a cell's file"),
]
NAMES = ["protocol", "rig", *SENSORS, "nak", "circuit"]


def mappings(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where words stand."""
    if isinstance(node, dict):
        yield path
    if isinstance(node, dict | list):
        for word, below in node.items() if isinstance(node, dict) else enumerate(node):
            yield from mappings(below, (*path, word))


def with_stranger(data: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    data = copy.deepcopy(data)
    node: Any = data
    for part in path:
        node = node[part]
    node[STRANGER] = 1
    return data


def told(path: Path, data: dict[str, Any], read: Callable[[Path], object]) -> str:
    """What a user reads, without the lines of the file."""
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    try:
        read(path)
    except InputError as error:
        return "\n".join(fault.message for fault in error.faults) or str(error)
    return ""


def models(of: type[BaseModel] = BaseModel) -> set[type[BaseModel]]:
    """All of ours that are imported."""
    below = {each for one in of.__subclasses__() for each in (one, *models(one))}
    return {each for each in below if each.__module__.startswith("nakctl") and each.model_fields}


def class_names() -> list[str]:
    """Those of all models, but for the ones that are words of a file, too: `record`, `limits`."""
    words = {word.casefold() for model in models() for word in words_of(model)}
    return sorted({model.__name__ for model in models() if model.__name__.casefold() not in words})


def assert_human(message: str, whole: str) -> None:
    """Names such as SimWords stand nowhere; those that are English, such as Sweep, not in the place of one."""
    said = message.replace(whole, "")
    for name in class_names():
        english = name == name.capitalize()
        named = rf"no word of {name}\b|\b{name} needs the word" if english else name
        assert not re.search(named, said, re.IGNORECASE), message
    assert "None" not in said


def test_the_files_have_no_fault_without_the_stranger(tmp_path: Path) -> None:
    for data, read, _ in FILES:
        assert told(tmp_path / "a.yaml", data, read) == ""


def test_the_names_of_classes_are_known() -> None:
    assert {"SimWords", "RigWords", "NakFile", "CircuitFile", "ScpiWords"} <= {*class_names()}
    assert "Calibration" not in class_names()


@pytest.mark.parametrize(("data", "read", "whole"), FILES, ids=NAMES)
def test_an_unknown_word_anywhere(
    tmp_path: Path, data: dict[str, Any], read: Callable[[Path], object], whole: str
) -> None:
    for path in mappings(data):
        message = told(tmp_path / "a.yaml", with_stranger(data, path), read)
        assert message, path
        assert_human(message, whole)
    top = told(tmp_path / "a.yaml", with_stranger(data, ()), read)
    assert top.startswith(f"{STRANGER} is no word of {whole}; its words are: ")


@pytest.mark.parametrize("name", SENSORS)
def test_an_unknown_word_of_a_sensor(tmp_path: Path, name: str) -> None:
    message = told(tmp_path / "a.yaml", with_stranger(of_sensor(name), ("sensors", "one")), read_rig)
    kind = SENSORS[name]["kind"]
    assert message.startswith(f"{STRANGER} is no word of a sensor of kind {kind}; its words are: kind, ")


def test_an_unknown_word_of_a_dialogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = {**(dialogue("keithley2000") or {}), STRANGER: 1}
    monkeypatch.setattr(rig_entry, "dialogue", lambda name: strange)
    message = told(tmp_path / "a.yaml", of_sensor("like"), read_rig)
    assert message.startswith(f"{STRANGER} is no word of a sensor of kind scpi")
    assert_human(message, "")


MISSING = [
    (PROTOCOL, "name", load, "a protocol needs the word name"),
    (NAK, "cells", read_cell, "a cell's file needs the word cells"),
    (RIG, "nakctl-rig", read_rig, "a rig file needs the word nakctl-rig"),
]


@pytest.mark.parametrize(("data", "word", "read", "phrase"), MISSING)
def test_a_missing_word_of_the_whole(
    tmp_path: Path, data: dict[str, Any], word: str, read: Callable[[Path], object], phrase: str
) -> None:
    message = told(tmp_path / "a.yaml", {key: value for key, value in data.items() if key != word}, read)
    assert message.startswith(phrase)


PLACE = Place("left", "sim", "SP-300", 1, {"habits": {STRANGER: True}, "trouble": [STRANGER]})
OTHERS = {
    "habits of a channel": lambda: sim_driver.habits(PLACE),
    "trouble of a channel": lambda: sim_driver.trouble_of(PLACE),
    "habits of an instrument": lambda: with_words(Habits(), [f"{STRANGER}=1"]),
    "faults of an instrument": lambda: fault(STRANGER),
}


@pytest.mark.parametrize("name", OTHERS)
def test_words_that_no_model_reads(name: str) -> None:
    with pytest.raises(InputError, match=STRANGER) as refused:
        OTHERS[name]()
    assert_human(str(refused.value), "")
    assert "Habits" not in str(refused.value)
