"""Plays what stands in doubles/NAME.yaml: an instrument's side of a dialogue, at a real link.

A double is data only, and knows nothing of the dialogue that it proves:

line       how its port is set: baud, bits, parity; a pseudo-terminal has none of these, so they are compared
ends       what a line to the instrument ends with; left out: it sends by itself
first      lines that it is sent before the first query
exchanges  asked and answer (null: not asked) or registers; and value, or `refused: true`
set        value, and what must have been sent, or what the registers hold then
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import yaml
from pseudo_terminal import pseudo_terminal

FOLDER = Path(__file__).parent / "doubles"
PATIENCE_s = 30.0  # a fault of the test; nothing waits that long


def double_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def double(name: str) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return made


@dataclass(frozen=True)
class Turn:
    """The instrument waits for these bytes, then sends its own."""

    expected: bytes
    answer: bytes
    heard: Future[str]


class Played:
    """An instrument at the other end of a link, turn by turn. `place`: words of rig.yaml that lead to it."""

    def __init__(self, connected: Callable[[], int], place: dict[str, Any]) -> None:
        self.place = place
        self.turns: SimpleQueue[Turn | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._play, args=[connected])
        self.thread.start()

    def expect(self, asked: str | None, ends: str, answer: str) -> Future[str]:
        """What it will have heard, once it has answered."""
        turn = Turn(((asked or "") + ends).encode(), answer.encode(), Future())
        self.turns.put(turn)
        return turn.heard

    def _play(self, connected: Callable[[], int]) -> None:
        link: int | None = None
        while (turn := self.turns.get()) is not None:
            if link is None:
                link = connected()
            heard = b""
            while len(heard) < len(turn.expected) and select.select([link], [], [], PATIENCE_s)[0]:
                heard += os.read(link, 256)
            os.write(link, turn.answer)
            turn.heard.set_result(heard.decode())

    def over(self) -> None:
        self.turns.put(None)
        self.thread.join()


@contextmanager
def at_a_terminal() -> Iterator[Played]:
    """At one end of a pseudo-terminal."""
    with pseudo_terminal() as port:
        played = Played(lambda: port.ours, {"port": port.name})
        try:
            yield played
        finally:
            played.over()


@contextmanager
def at_a_socket() -> Iterator[Played]:
    """At a port of this computer, for VISA."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(PATIENCE_s)
    links: list[socket.socket] = []

    def connected() -> int:
        links.append(server.accept()[0])
        return links[0].fileno()

    address = f"TCPIP::127.0.0.1::{server.getsockname()[1]}::SOCKET"
    played = Played(connected, {"address": address, "backend": "@py"})
    try:
        yield played
    finally:
        played.over()
        for link in [*links, server]:
            link.close()
