"""Instruments for the sensors to talk to: real sockets, pseudo-terminals and Modbus servers, with faults."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from patience import PATIENCE_s
from pseudo_terminal import pseudo_terminal

from nakctl.device.sensor import SensorNotice, SensorSpec, load_kind
from nakctl.run.clock import FreeClock


def spec_of(name: str, **words: Any) -> SensorSpec:
    """The sensor that rig.yaml would describe with these words."""
    spec, problems = load_kind(words["kind"]).spec(name, words)
    assert spec is not None, problems
    return spec


class Script:
    """What an instrument answers, number by number: a value, or one of the faults by name."""

    def __init__(self, value: Callable[[int], float], faults: dict[int, str] | None = None) -> None:
        self.value, self.faults = value, faults or {}
        self.count = 0
        self.armed = True  # until then all is well, and nothing is counted

    def line(self, form: str = "{:+.4E}") -> str | None:
        """The next answer without its end; None: none comes."""
        self.count += self.armed
        match self.faults.get(self.count):
            case "timeout" | "hang":
                return None
            case "garbage":
                return "#&%!"
            case "half_line":
                return form.format(self.value(self.count))[:4] + "\0"
            case "gone":
                raise ConnectionAbortedError
            case "wrong_unit":
                return form.format(self.value(self.count)).replace("kg", "V")
            case _:
                return form.format(self.value(self.count))


def _answer(link: socket.socket, script: Script, over: threading.Event) -> None:
    """One connection, until either side ends it."""
    link.settimeout(0.1)
    with link:
        while not over.is_set():
            try:
                asked = link.recv(256)
            except TimeoutError:
                continue
            except OSError:
                return
            if not asked:
                return
            try:
                line = script.line()
            except ConnectionAbortedError:
                return
            if line is not None:
                whole = not line.endswith("\0")
                link.sendall(line.rstrip("\0").encode() + (b"\n" if whole else b""))


@contextmanager
def tcp_instrument(script: Script) -> Iterator[int]:
    """A SCPI instrument on a port of this computer, which is given. `gone` drops the connection."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    over = threading.Event()

    def accept() -> None:
        while not over.is_set():
            try:
                link, _ = server.accept()
            except TimeoutError:
                continue
            _answer(link, script, over)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        over.set()
        thread.join()
        server.close()


@contextmanager
def talking_pty(script: Script, every_s: float, form: str, end: str = "\r\n") -> Iterator[str]:
    """A pseudo-terminal whose other end sends a line every so often; the name of this end is given."""
    over = threading.Event()

    def talk(ours: int) -> None:
        while not over.wait(every_s):
            line = script.line(form)
            if line is None:
                continue
            whole = not line.endswith("\0")
            try:
                os.write(ours, line.rstrip("\0").encode() + (end.encode() if whole else b""))
            except BlockingIOError:  # nobody reads: the line is lost, as on a wire
                continue

    with pseudo_terminal() as port:
        os.set_blocking(port.ours, False)
        thread = threading.Thread(target=talk, args=(port.ours,))
        thread.start()
        try:
            yield port.name
        finally:
            over.set()
            thread.join()


@contextmanager
def modbus_server(registers: dict[int, list[int]], framer: Any = None) -> Iterator[int]:
    """pymodbus' own server on a port of this computer."""
    from pymodbus import FramerType
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    ready: list[Any] = []
    started = threading.Event()

    async def serve() -> None:
        data = [
            SimData(address, values=values, datatype=DataType.REGISTERS)
            for address, values in sorted(registers.items())
        ]
        server = ModbusTcpServer(
            SimDevice(1, simdata=data), framer=framer or FramerType.SOCKET, address=("127.0.0.1", 0)
        )
        await server.serve_forever(background=True)
        ready.extend([asyncio.get_running_loop(), server, asyncio.Event()])
        started.set()
        await ready[2].wait()
        await asyncio.sleep(0.02)  # connections that were closed just now are still to be seen
        await server.shutdown()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(PATIENCE_s)
    loop, server, over = ready
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


class PacedClock(FreeClock):
    """Virtual time, and so the same rows every time, that goes no faster than `speed` times real time."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self.speed = speed
        self.begun: float | None = None

    def advance_to(self, time_s: float) -> None:
        super().advance_to(time_s)
        if self.begun is None:
            self.begun = time.perf_counter()
        time.sleep(max(0.0, self.begun + self.now_s() / self.speed - time.perf_counter()))


def codes(notices: list[SensorNotice] | tuple[SensorNotice, ...], sensor: str) -> list[str]:
    return [notice.code.removeprefix("sensor_") for notice in notices if notice.sensor == sensor]


def gaps(values: Any, told: list[str]) -> list[int]:
    """Where gaps begin: as many as troubles were told. A busy computer may have made some of the first ones."""
    found = np.flatnonzero(np.isnan(values)).tolist()
    failed = [code for code in told if code != "frozen"]
    assert len(found) == failed.count("back") + (failed[-1:] not in ([], ["back"])), (values, told)
    return found


VISA_DEVICES = """\
spec: "1.1"
devices:
  meter:
    eom:
      TCPIP INSTR: {q: "\\n", r: "\\n"}
    error: ERROR
    dialogues:
      - {q: "*IDN?", r: "KEITHLEY INSTRUMENTS,MODEL DMM6500,1,1"}
      - {q: "READ?", r: "+1.25000000E+00"}
      - {q: ":READ?", r: "+1.25000000E+00"}
  bath:
    eom:
      TCPIP INSTR: {q: "\\n", r: "\\n"}
    error: ERROR
    properties:
      temperature:
        default: 21.5
        getter: {q: "in_pv_00", r: "{:.2f}"}
        setter: {q: "out_sp_00 {:.2f}", r: "OK"}
        specs: {type: float}
resources:
  TCPIP0::meter::inst0::INSTR: {device: meter}
  TCPIP0::bath::inst0::INSTR: {device: bath}
"""


def visa_file(folder: Path) -> str:
    """A back end of pyvisa-sim with two devices."""
    (folder / "bench.yaml").write_text(VISA_DEVICES, encoding="utf-8")
    return f"{folder / 'bench.yaml'}@sim"
