"""Every ready dialogue against a scripted double of its instrument, through the real source and a real link."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from bench import modbus_server, spec_of
from doubles_player import PATIENCE_s, Played, at_a_socket, at_a_terminal, double, double_names

from nakctl.device.sensor import SensorSpec, SensorTrouble, Source
from nakctl.run.clock import FreeClock
from nakctl_sensors.dialogues import dialogue, dialogue_names
from nakctl_sensors.kinds import modbus, scpi, serial
from nakctl_sensors.reply import value_of

KINDS = {"modbus": modbus, "scpi": scpi, "serial": serial}
_TERMINAL_ONLY = pytest.mark.skipif(os.name != "posix", reason="needs pseudo-terminals")
SPEAKING = [
    pytest.param(name, marks=_TERMINAL_ONLY if (dialogue(name) or {}).get("kind") == "serial" else ())
    for name in double_names()
    if (dialogue(name) or {}).get("kind") != "modbus"
]
MODBUS = [name for name in double_names() if (dialogue(name) or {}).get("kind") == "modbus"]
PLACED = re.compile(r"\b(?:page|pages|section|sections|table) [A-Z]*-?\d")
TALK = ("timeout", "gone", "half_line")  # faults of the link, not of what was said


def _spec(name: str, **place: Any) -> SensorSpec:
    """With time enough for a busy computer."""
    kind = (dialogue(name) or {})["kind"]
    return spec_of("a", kind=kind, like=name, timeout="20 s", **place)


@contextmanager
def _source(spec: SensorSpec) -> Iterator[Source]:
    source = KINDS[spec.kind].open(spec, FreeClock())
    try:
        yield source
    finally:
        source.close()


def _agrees(source: Source, spec: SensorSpec, said: dict[str, Any]) -> None:
    """It reads the value, or refuses because of what was said."""
    if "value" in said:
        assert value_of(source.read(), spec) == pytest.approx(said["value"], rel=1e-9), said
        return
    assert said["refused"] is True
    with pytest.raises(SensorTrouble) as told:
        value_of(source.read(), spec)
    assert told.value.code not in TALK, said


# --- the sources ------------------------------------------------------------------------------------------


def test_every_dialogue_has_a_double_and_every_double_a_dialogue() -> None:
    assert double_names() == dialogue_names()


@pytest.mark.parametrize("name", dialogue_names())
def test_a_source_is_a_place_in_a_manual_or_says_that_it_is_an_example(name: str) -> None:
    source = (dialogue(name) or {})["source"]
    assert source.startswith("example: ") or PLACED.search(source)
    assert "verified" in source or not source.startswith("example: ")
    assert "not tried on" in source


@pytest.mark.parametrize("name", double_names())
def test_a_double_shows_values_and_what_is_none(name: str) -> None:
    exchanges = double(name)["exchanges"]
    assert any("value" in each for each in exchanges)
    assert any("refused" in each for each in exchanges)
    settable = {"set", "set_register"} & set(dialogue(name) or {})
    assert bool(settable) == ("set" in double(name))


@pytest.mark.parametrize("name", [name for name in double_names() if "line" in double(name)])
def test_the_port_is_set_as_the_instrument_has_it(name: str) -> None:
    options = _spec(name, port="x").options
    assert {word: options[word] for word in ("baud", "bits", "parity")} == double(name)["line"]


# --- the dialogues ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SPEAKING)
def test_what_the_double_says_is_read_or_refused(name: str) -> None:
    played_by = at_a_terminal if (dialogue(name) or {})["kind"] == "serial" else at_a_socket
    with ExitStack() as stack:
        _converse(stack, name, stack.enter_context(played_by()))


def _converse(stack: ExitStack, name: str, instrument: Played) -> None:
    script = double(name)
    # A pseudo-terminal has no parity and eight bits.
    plain = {"bits": 8, "parity": "N"} if "port" in instrument.place else {}
    spec = _spec(name, **instrument.place, **plain)
    if "ends" not in script:
        for said in script["exchanges"]:
            _is_overheard(spec, instrument, said)
        return
    ends: str = script["ends"]
    first = [(line, instrument.expect(line, ends, "")) for line in script.get("first", [])]
    source: Any = stack.enter_context(_source(spec))
    for line, heard in first:
        assert heard.result(PATIENCE_s) == line + ends
    for said in script["exchanges"]:
        if not source.in_step:  # the first answer after opening, and after garbage, is thrown away
            instrument.expect(said["asked"], ends, said["answer"])
        heard = instrument.expect(said["asked"], ends, said["answer"])
        _agrees(source, spec, said)
        assert heard.result(PATIENCE_s) == said["asked"] + ends
    for said in script.get("set", []):
        heard = instrument.expect(said["sent"], ends, said.get("answer", ""))
        source.set(spec.raw(said["value"]))
        assert heard.result(PATIENCE_s) == said["sent"] + ends


def _is_overheard(spec: SensorSpec, instrument: Played, said: dict[str, Any]) -> None:
    """It was speaking when we came: what counts begins behind the end of a line."""
    line: str = said["answer"]
    assert said["asked"] is None
    with _source(spec) as source:
        instrument.expect(None, "", line[len(line.rstrip("\r\n")) :] + line)
        _agrees(source, spec, said)


@pytest.mark.parametrize("name", MODBUS)
def test_what_the_registers_hold_is_read_or_refused(name: str) -> None:
    for said in double(name)["exchanges"]:
        with modbus_server(said["registers"]) as port:
            spec = _spec(name, address=f"127.0.0.1:{port}")
            with _source(spec) as source:
                _agrees(source, spec, said)


@pytest.mark.parametrize("name", [name for name in MODBUS if "set" in double(name)])
def test_a_set_point_lands_in_its_registers(name: str) -> None:
    for said in double(name)["set"]:
        ((register, expected),) = said["registers"].items()
        with modbus_server({register: [0] * len(expected)}) as port:
            spec = _spec(name, address=f"127.0.0.1:{port}")
            with _source(spec) as source:
                source.set(spec.raw(said["value"]))
                held: Any = source
                answer = held.client.read_holding_registers(register, count=len(expected), device_id=1)
                assert answer.registers == expected
