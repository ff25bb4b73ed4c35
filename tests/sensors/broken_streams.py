"""Instruments whose lines are cut, stand still, are mixed with noise, come late or twice: real ports and sockets.

Each value is sent once and is a number of its own, so that the tail of one, or two halves of two, is none that was
ever sent. Bytes that a wire loses in the middle of a line *without* a pause leave a number that nobody can tell
from a right one: those are not among the cuts here.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from bench import spec_of
from pseudo_terminal import pseudo_terminal

from nakctl.device.sensor import Raw, SensorTrouble, load_kind

NOISE = b"\x80\xfe\x00\xf8\x07#!?*~@&{}\x7f"
PAUSE_s, TIMEOUT_s = 0.03, 0.12
HOWS = ("cut", "late", "hole", "noise", "twice")


@dataclass
class Broken:
    """What is sent, and how it is broken. whole: the values that went out in one piece."""

    random: random.Random
    whole: set[float] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)
    breaks: int = 0
    rest: bytes = b""

    def pieces(self, frame: Callable[[float], bytes], noise: bool = True) -> Iterator[tuple[bytes, float]]:
        """One answer as it goes out: bytes, and how long nothing follows them."""
        value = self.random.randrange(1_000_000, 9_999_999) / 1000
        sent = frame(value)
        how = self.random.choice(HOWS if noise else tuple(each for each in HOWS if each != "noise"))
        how = self.random.choice(("whole", how))
        if self.rest:  # of an answer that broke off, at last
            yield self.rest, 0.0
            self.rest = b""
        at = self.random.randrange(1, len(sent) - 1)
        later = self.random.randrange(at + 1, len(sent))
        self.breaks += how != "whole"
        match how:
            case "whole":
                self.whole.add(value)
                yield sent, 0.0
            case "cut":
                yield sent[:at], 3 * PAUSE_s
                self.rest = sent[at:] if self.random.random() < 0.5 else b""
            case "late":  # perhaps whole in the end: who reads it may drop it, or take it
                self.whole.add(value)
                yield sent[:at], self.random.choice((1.5 * PAUSE_s, 1.5 * TIMEOUT_s))
                yield sent[at:], 0.0
            case "hole":
                yield sent[:at], 3 * PAUSE_s
                yield sent[later:], 3 * PAUSE_s
            case "noise":
                self.whole.add(value)
                yield sent[:at] + bytes([self.random.choice(NOISE)]) + sent[at:], 0.0
            case "twice":
                self.whole.add(value)
                yield sent + sent, 0.0


def line(value: float) -> bytes:
    return f"ST,GS,{value:+010.3f}kg\r\n".encode()


@contextmanager
def running(serve: Callable[[], None], broken: Broken) -> Iterator[None]:
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        broken.over.set()
        thread.join()


@contextmanager
def on_a_pty(broken: Broken, asked: bool) -> Iterator[str]:
    def serve(ours: int) -> None:
        while not broken.over.is_set():
            if asked:
                try:
                    os.read(ours, 256)
                except BlockingIOError:
                    broken.over.wait(0.001)
                    continue
            for data, pause_s in broken.pieces(line):
                try:
                    os.write(ours, data)
                except BlockingIOError:  # nobody reads, and so it is lost
                    broken.over.wait(3 * PAUSE_s)
                broken.over.wait(pause_s or 0.002)

    with pseudo_terminal() as port:
        os.set_blocking(port.ours, False)
        with running(partial(serve, port.ours), broken):
            yield port.name


@contextmanager
def on_a_socket(broken: Broken, answer: Callable[[bytes], Iterator[tuple[bytes, float]]]) -> Iterator[int]:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)

    def serve() -> None:
        while not broken.over.is_set():
            try:
                link, _ = server.accept()
            except TimeoutError:
                continue
            with link:
                link.settimeout(0.05)
                _talk(link, broken, answer)

    with running(serve, broken):
        yield server.getsockname()[1]
    server.close()


def _talk(
    link: socket.socket, broken: Broken, answer: Callable[[bytes], Iterator[tuple[bytes, float]]]
) -> None:
    while not broken.over.is_set():
        try:
            asked = link.recv(256)
            if not asked:
                return
            for data, pause_s in answer(asked):
                link.sendall(data)
                broken.over.wait(pause_s)
        except TimeoutError:
            continue
        except OSError:
            return


def modbus_tcp(broken: Broken, asked: bytes) -> Iterator[tuple[bytes, float]]:
    """TCP loses and alters nothing on the way, and its frames carry no checksum: no noise within them."""
    head = asked[:2]

    def frame(value: float) -> bytes:
        return head + struct.pack(">HHBBBf", 0, 7, 1, 3, 4, value)

    return broken.pieces(frame, noise=False)


def modbus_rtu(broken: Broken, asked: bytes) -> Iterator[tuple[bytes, float]]:
    from pymodbus.framer.rtu import FramerRTU

    def frame(value: float) -> bytes:
        body = struct.pack(">BBBf", 1, 3, 4, value)
        return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")

    return broken.pieces(frame)


KINDS = ("serial, listened to", "serial, asked", "scpi, TCP", "modbus, TCP", "modbus, RTU")


def broken_kind(kind: str, trials: int, seed: int) -> tuple[int, int, int]:
    """(breaks, values read, values that were never sent whole) of one kind of sensor."""
    broken = Broken(random.Random(seed))
    line_words: dict[str, Any] = {"unit": "kg", "timeout": f"{TIMEOUT_s} s"}
    float_words = {"unit": "kg", "register": 1, "type": "float32", "timeout": f"{TIMEOUT_s} s"}
    ends = {"terminator": "\r\n", "pause": f"{PAUSE_s} s"}
    match kind:
        case "serial, listened to":
            with on_a_pty(broken, asked=False) as tty:
                return _read(broken, trials, kind="serial", port=tty, **ends, **line_words)
        case "serial, asked":
            with on_a_pty(broken, asked=True) as tty:
                return _read(broken, trials, kind="serial", port=tty, query="Q", **ends, **line_words)
        case "scpi, TCP":
            with on_a_socket(broken, lambda _: broken.pieces(line)) as port:
                address = f"TCPIP::127.0.0.1::{port}::SOCKET"
                words = {"kind": "scpi", "address": address, "backend": "@py", **ends, **line_words}
                return _read(broken, trials, **words)
        case "modbus, TCP":
            with on_a_socket(broken, lambda asked: modbus_tcp(broken, asked)) as port:
                return _read(broken, trials, kind="modbus", address=f"127.0.0.1:{port}", **float_words)
        case _:
            with on_a_socket(broken, lambda asked: modbus_rtu(broken, asked)) as port:
                place = f"socket://127.0.0.1:{port}"
                return _read(broken, trials, kind="modbus", port=place, **float_words)


def _read(broken: Broken, trials: int, **words: Any) -> tuple[int, int, int]:
    """Read on, as a watcher does, until it was broken that often."""
    spec, kind = spec_of("a", **words), load_kind(words["kind"])
    values: list[Raw] = []
    source: Any = None
    until = time.monotonic() + trials + 60
    while broken.breaks < trials and time.monotonic() < until:
        try:
            source = source or kind.open(spec, SimpleNamespace())
            values.append(source.read())
        except SensorTrouble as trouble:
            if trouble.reopen and source is not None:
                source.close()
                source = None
    if source is not None:
        source.close()
    assert broken.breaks >= trials, "it took too long"
    exact = {struct.unpack(">f", struct.pack(">f", value))[0] for value in broken.whole} | broken.whole
    return broken.breaks, len(values), sum(raw.value not in exact for raw in values)
