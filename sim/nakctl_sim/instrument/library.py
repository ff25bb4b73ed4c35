"""The library as a caller sees it: C function pointers, whose calls are answered here or by an instrument."""

from __future__ import annotations

import ctypes
import ipaddress
import threading
from typing import TYPE_CHECKING, Any, Protocol

from nakctl.errors import RigError
from nakctl_sim.instrument.calls import CALLS, Answer, Call
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.local import Local

if TYPE_CHECKING:
    from nakctl_sim.instrument.device import VirtualInstrument

SCHEME, HERE = "sim://", "inprocess"
IN_PROCESS: dict[str, VirtualInstrument] = {}


class Desk(Protocol):
    """Whoever answers calls."""

    def answer(self, name: str, fields: tuple[bytes, ...]) -> Answer: ...


class Library:
    """Its attributes BL_... are C function pointers, alive as long as it is.

    One call at a time: a call while another is under way answers -12.
    """

    def __init__(self, address: str, instrument: Desk) -> None:
        busy = threading.Lock()
        local = Local(address)
        for name, call in CALLS.items():
            setattr(self, name, _function(name, call, local if call.local else instrument, busy))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the library has no function {name}")


def _function(name: str, call: Call, desk: Desk, busy: threading.Lock) -> Any:
    types = [ctype for argument in call.arguments for ctype in argument.ctypes]
    prototype = ctypes.CFUNCTYPE(call.result, *types)

    def function(*given: Any) -> Any:
        if not busy.acquire(blocking=False):
            return _result(call, Code.FUNCTION_IN_PROGRESS)
        try:
            return _result(call, _forward(name, call, given, desk))
        except Refused as refused:
            return _result(call, refused.code)
        finally:
            busy.release()

    return prototype(function)


def _forward(name: str, call: Call, given: tuple[Any, ...], desk: Desk) -> int:
    """Read the arguments, ask, write back."""
    places = []
    rest = given
    for argument in call.arguments:
        places.append(rest[: len(argument.ctypes)])
        rest = rest[len(argument.ctypes) :]
    fields = tuple(argument.take(*place) for argument, place in zip(call.arguments, places, strict=True))
    answered = desk.answer(name, fields)
    out = [pair for pair in zip(call.arguments, places, strict=True) if pair[0].comes_out]
    for (argument, place), data in zip(out, answered.out, strict=False):
        if data is not None:
            argument.write(data, *place)  # type: ignore[union-attr]
    return answered.code


def _result(call: Call, code: int) -> int | bool:
    """The functions that say yes or no say yes with 1, and no in every trouble."""
    return code if call.result is ctypes.c_int32 else code > 0


def connect(address: str) -> Library:
    """RigError: the address is none of ours."""
    place = address.removeprefix(SCHEME)
    if place.startswith(f"{HERE}/"):
        return Library(address, _here(place.removeprefix(f"{HERE}/")).session(address))
    from nakctl_sim.instrument.client import Client

    host, port = host_and_port(address)
    return Library(address, Client(host, port))


def _here(name: str) -> VirtualInstrument:
    if name not in IN_PROCESS:
        known = ", ".join(IN_PROCESS) or "none"
        raise RigError(f"no virtual instrument {name} in this process; there are: {known}")
    return IN_PROCESS[name]


def host_and_port(address: str) -> tuple[str, int]:
    """Of `sim://127.0.0.1:5025`. RigError: not a port of this computer."""
    host, _, port = address.removeprefix(SCHEME).rpartition(":")
    host = host.strip("[]")
    if not (is_loopback(host) and port.isdigit() and 0 < int(port) < 65536):
        raise RigError(f"{address}: a virtual instrument is at sim://127.0.0.1:PORT or sim://inprocess/NAME")
    return host, int(port)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
