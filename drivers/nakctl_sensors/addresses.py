"""Where an instrument stands, from the words of rig.yaml: told before anything is opened, and pure.

Each text is either taken, in its usual spelling, or refused with what is wrong and what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from nakctl_sensors.modbus_names import Endpoint, Register, endpoint, register
from nakctl_sensors.port_names import serial_port
from nakctl_sensors.spelling import Wrong
from nakctl_sensors.visa_names import Visa, visa

__all__ = ["Endpoint", "Register", "Visa", "Wrong", "endpoint", "in_place", "register", "serial_port", "visa"]

Found = tuple[dict[str, Any], list[tuple[str, Wrong]]]


def in_place(options: Mapping[str, Any], given: Collection[str]) -> Found:
    """What the words about the place become, and which of them are wrong.

    options: of all words of one sensor; given: those that somebody wrote.
    """
    look = _KINDS.get(options["kind"])
    return look(options, given) if look else ({}, [])


def _scpi(options: Mapping[str, Any], given: Collection[str]) -> Found:
    found = visa(options["address"], options["backend"])
    if isinstance(found, Wrong):
        return {}, [("address", found)]
    if found.serial is False and options["baud"] is not None:
        return {}, [("baud", Wrong(f"has no effect: {found.text} is no serial port; leave it out"))]
    return {"address": found.text}, []


def _serial(options: Mapping[str, Any], given: Collection[str]) -> Found:
    found = serial_port(options["port"])
    return ({}, [("port", found)]) if isinstance(found, Wrong) else ({"port": found}, [])


def _modbus(options: Mapping[str, Any], given: Collection[str]) -> Found:
    becomes: dict[str, Any] = {}
    wrong: list[tuple[str, Wrong]] = []
    if (options["port"] is None) == (options["address"] is None):
        wrong.append(("", Wrong("a modbus sensor has a port (RTU) or an address (TCP), one of them")))
    if options["address"] is not None and isinstance(found := endpoint(options["address"]), Wrong):
        wrong.append(("address", found))
    if options["port"] is not None:
        at, badly = _serial(options, given)
        becomes |= at
        wrong += badly
        if not 1 <= options["device"] <= 247:
            wrong.append(("device", Wrong(_no_device(options["device"]))))
    wide = options["type"] in ("int32", "uint32", "float32")
    if "words" in given and not wide:
        why = f"has no effect: numbers of type {options['type']} are one register"
        wrong.append(("words", Wrong(why, "bytes for the order within it, or leave it out")))
    for word in ("register", "set_register"):
        if options[word] is not None:
            place = _register(word, options, given, 2 if wide else 1)
            if isinstance(place, Wrong):
                wrong.append(("table" if place.offer.startswith("table:") else word, place))
            else:
                becomes |= {word: place.number, f"{word}_written": options[word]}
                becomes |= {"table": place.table} if word == "register" else {}
    return becomes, wrong


def _no_device(device: int) -> str:
    if device == 0:
        return "0 speaks to all devices on the line, and none answers: they have numbers from 1 to 247"
    return f"there is no device {device} on a serial line: they have numbers from 1 to 247"


def _register(word: str, options: Mapping[str, Any], given: Collection[str], count: int) -> Register | Wrong:
    """Only holding registers can be written."""
    if word == "register":
        return register(
            options[word], options["counting"], options["table"] if "table" in given else None, count
        )
    place = register(options[word], options["counting"], None, count)
    if isinstance(place, Register) and place.table == "input":
        return Wrong(f"{options[word]} is an input register in manuals, and those cannot be written")
    return place


_KINDS: dict[str, Callable[[Mapping[str, Any], Collection[str]], Found]] = {
    "scpi": _scpi,
    "serial": _serial,
    "modbus": _modbus,
}
