"""Four instruments whose faults come and go on demand: SCPI over TCP, two serial lines, Modbus TCP."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from bench import spec_of
from pseudo_terminal import PseudoTerminal, pseudo_terminal

from nakctl.device.sensor import SensorSpec

NAMES = ("meter", "load", "oven", "chamber")
EXPLODES = r"^((?:\d|\d\d)+)$"
SENDS_EVERY_s = 0.2  # the one that sends by itself


class Instrument:
    """fault: "" or silent, garbage, half line, cut, no value, sentinel, unit, frozen, explodes."""

    def __init__(self, form: str = "") -> None:
        self.form, self.fault, self.count = form, "", 0
        self.over = threading.Event()

    def line(self) -> bytes:
        """Its next answer without the end of the line."""
        if self.fault != "frozen":
            self.count += 1
        said = self.form.format(self.count / 100 if "." in self.form else self.count)
        match self.fault:
            case "garbage":
                return b"#&%!"
            case "half line":
                return said.encode()[:3]
            case "no value":
                return b"nan V"
            case "sentinel":
                return b"+9.9E+37 V"
            case "unit":
                return said.replace("kg", "mm").replace(" V", " A").replace("degC", "V").encode()
            case "explodes":
                return b"9" * 60 + b"!"
            case _:
                return said.encode()

    def frame(self, asked: bytes) -> bytes:
        """The answer of Modbus TCP to a question for a number of 32 bits."""
        if self.fault != "frozen":
            self.count += 1
        value = float("nan") if self.fault == "no value" else 20 + self.count / 100
        told = struct.pack(">BBBf", asked[6], asked[7], 4, value)
        if self.fault == "garbage":
            told = struct.pack(">BBB", asked[6], asked[7] | 0x80, 4)  # it says that it has failed
        answer = asked[:4] + struct.pack(">H", len(told)) + told
        return answer[:8] if self.fault == "half line" else answer

    def answer(self, asked: bytes) -> bytes:
        """To a question in text; b"" if none comes."""
        if self.fault == "silent":
            return b""
        return self.line() + (b"" if self.fault == "half line" else b"\n")

    def answer_frame(self, asked: bytes) -> bytes:
        return b"" if self.fault == "silent" or len(asked) < 8 else self.frame(asked)


@contextmanager
def over_tcp(instrument: Instrument, answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """The port at which it listens. A cut link is refused until the fault is over."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def serve() -> None:
        nonlocal server
        links: list[socket.socket] = []
        while not instrument.over.is_set():
            if instrument.fault == "cut":
                for each in (*links, server):
                    each.close()
                links = []
                while instrument.fault == "cut" and not instrument.over.wait(0.02):
                    pass
                server = socket.create_server(("127.0.0.1", port))
            for each in select.select([server, *links], [], [], 0.02)[0]:
                if each is server:
                    links.append(server.accept()[0])
                    continue
                with contextlib.suppress(OSError):
                    if asked := each.recv(256):
                        each.sendall(answer(asked))
                        continue
                links.remove(each)
                each.close()
        for each in (*links, server):
            each.close()

    with _running(instrument, serve):
        yield port


@contextmanager
def over_serial(instrument: Instrument, by_itself: bool) -> Iterator[str]:
    """The name of the port. Once it is cut, it stays away."""

    def serve(port: PseudoTerminal) -> None:
        next_at = time.monotonic()
        while not instrument.over.is_set() and instrument.fault != "cut":
            if by_itself:
                instrument.over.wait(max(0.0, next_at - time.monotonic()))
                next_at += SENDS_EVERY_s
                asked = b""
            elif not select.select([port.ours], [], [], 0.02)[0] or not (asked := _taken(port.ours)):
                continue
            with contextlib.suppress(BlockingIOError):
                os.write(port.ours, instrument.answer(asked))
        port.cut()

    with pseudo_terminal() as port:
        os.set_blocking(port.ours, False)
        with _running(instrument, partial(serve, port)):
            yield port.name


def _taken(port: int) -> bytes:
    try:
        return os.read(port, 256)
    except OSError:  # nobody has it open
        time.sleep(0.02)
        return b""


@contextmanager
def _running(instrument: Instrument, serve: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        instrument.over.set()
        thread.join()


@contextmanager
def four(
    explodes: bool = False, **words: Any
) -> Iterator[tuple[dict[str, Instrument], tuple[SensorSpec, ...]]]:
    """The instruments by name, and what reads them. words: of all sensors; explodes: with such a pattern."""
    pattern = {"pattern": EXPLODES, "says": None, "terminator": "\n"}
    forms = dict.fromkeys(NAMES, "{:d}") if explodes else {
        "meter": "{:+.4E} V", "load": "ST,GS,{:+09.2f}kg", "oven": "{:.2f} degC", "chamber": ""
    }  # fmt: skip
    known = {name: Instrument(forms[name]) for name in NAMES}
    unit = {"pattern": r"(?P<value>nan|[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)\s*(?P<unit>[A-Za-z]+)"}
    with ExitStack() as stack:
        meter = stack.enter_context(over_tcp(known["meter"], known["meter"].answer))
        load = stack.enter_context(over_serial(known["load"], by_itself=True))
        oven = stack.enter_context(over_serial(known["oven"], by_itself=False))
        chamber = stack.enter_context(over_tcp(known["chamber"], known["chamber"].answer_frame))
        rows = {
            "meter": {"kind": "scpi", "address": f"TCPIP::127.0.0.1::{meter}::SOCKET", "backend": "@py", "unit": "V",
                      "every": "0.5 s", **(pattern if explodes else unit | {"says": "V"})},
            "load": {"kind": "serial", "like": "loadcell-ascii", "port": load, "every": "0.2 s",
                     **(pattern if explodes else {"terminator": "\n"})},
            "oven": {"kind": "serial", "port": oven, "query": "T?", "unit": "degC", "every": "1 s",
                     **(pattern if explodes else unit | {"says": "degC"})},
            "chamber": {"kind": "modbus", "address": f"127.0.0.1:{chamber}", "register": 1, "type": "float32",
                        "unit": "degC", "every": "0.5 s"},
        }  # fmt: skip
        yield known, tuple(spec_of(name, **row, **words) for name, row in rows.items())
