"""How who asks gets in: the port, and how many at a time."""

from __future__ import annotations

import os
import socket
from typing import Any

from tornado.httpserver import HTTPServer

from nakctl.cli.serving.guard import LOOPBACK
from nakctl.errors import InputError

_LAST_PORT = 65535
_CONNECTIONS = 100  # a browser has up to six


class Web(HTTPServer):
    """Of more connections than a few people have the oldest are left.

    Else whoever of this computer opens enough of them, without any token, keeps all others out; and a server
    that can open no more tries it again and again, with all the computer's time.
    """

    def initialize(self, *args: Any, **about: Any) -> None:
        self._streams: list[Any] = []
        super().initialize(*args, **about)

    def handle_stream(self, stream: Any, address: Any) -> None:
        self._streams = [each for each in self._streams if not each.closed()]
        while len(self._streams) >= _CONNECTIONS:
            self._streams.pop(0).close()
        self._streams.append(stream)
        super().handle_stream(stream, address)


def socket_at(port: int) -> socket.socket:
    """It listens. port: 0: any that is free. InputError if it is taken, or none."""
    if not 0 <= port <= _LAST_PORT:  # a greater one would be cut short by the system
        raise InputError(f"port {port} is none: there are 1 to {_LAST_PORT}, and 0 for any that is free")
    listening = socket.socket()
    if os.name == "posix":  # at once where a server has just ended; on Windows it would let two listen
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        why = "is not for every user" if isinstance(error, PermissionError) else "is taken"
        raise InputError(f"port {port} {why}: --port N gives another one, 0 any that is free") from None
    listening.listen(128)
    listening.setblocking(False)
    return listening
