"""The side of the instrument: answers calls on a loopback port. It lives on when its clients die."""

from __future__ import annotations

import os
import socket
import socketserver

from nakctl.errors import ChannelError, RigError
from nakctl_sim.instrument.device import VirtualInstrument
from nakctl_sim.instrument.library import SCHEME, is_loopback
from nakctl_sim.instrument.wire import STILL_BUSY, WireError, pack_answer, receive, send, unpack_request


class Server(socketserver.ThreadingTCPServer):
    """port 0: any that is free; see `address`. RigError: not of this computer; ChannelError: it is taken."""

    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let two servers have one port

    def __init__(self, instrument: VirtualInstrument, port: int, host: str = "127.0.0.1") -> None:
        if not is_loopback(host):
            raise RigError(f"{host}: a virtual instrument listens on this computer only")
        self.instrument = instrument
        try:
            super().__init__((host, port), _Visit)
        except OSError as error:
            raise ChannelError(f"port {port}: {error.strerror or error}") from None

    @property
    def address(self) -> str:
        """As a rig names it."""
        host, port = self.server_address[:2]
        return f"{SCHEME}{host!s}:{port}"


class _Visit(socketserver.BaseRequestHandler):
    """One client, until it hangs up or talks nonsense."""

    server: Server
    request: socket.socket

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.server.instrument.session(self.server.address)
        session.still_busy = lambda: send(self.request, STILL_BUSY)
        try:
            while (message := receive(self.request)) is not None:
                send(self.request, pack_answer(session.answer(*unpack_request(message))))
        except (OSError, WireError):
            return  # it is gone, or was no client of ours
        finally:
            session.close()
