"""The side of the library: forwards each call to an instrument in another process.

Nobody there: -201. The link breaks or is silent for too long: -200, and -1 from then on until BL_Connect
finds the instrument again. A call that hangs in the instrument hangs here.
"""

from __future__ import annotations

import socket
import weakref

from nakctl_sim.instrument.calls import Answer
from nakctl_sim.instrument.codes import Code
from nakctl_sim.instrument.wire import STILL_BUSY, WireError, pack_request, receive, send, unpack_answer

NO_DEVICE = (-1).to_bytes(4, "little", signed=True)
DEFAULT_TIMEOUT_s = 5.0


class Client:
    """One TCP link, made by the first BL_Connect and again after it broke. It is one program to the other
    side: closing it, or dying, gives all its connections up."""

    def __init__(self, host: str, port: int) -> None:
        self._place = host, port
        self._link: socket.socket | None = None

    def answer(self, name: str, fields: tuple[bytes, ...]) -> Answer:
        if name == "BL_Connect" and not self._connected(float(fields[1][0])):
            return Answer(Code.CONNECTION_FAILED, (NO_DEVICE,))
        if self._link is None:
            return Answer(Code.OK if name == "BL_Disconnect" else Code.NOT_CONNECTED)
        try:
            send(self._link, pack_request(name, fields))
            while (message := receive(self._link)) == STILL_BUSY:
                continue
            if message is None:
                raise WireError("hung up")
            return unpack_answer(message)
        except (OSError, WireError):
            self._hang_up()
            return Answer(Code.COMM_FAILED, (NO_DEVICE,) if name == "BL_Connect" else ())

    def _connected(self, timeout_s: float) -> bool:
        if self._link is None:
            try:
                self._link = socket.create_connection(self._place, timeout_s or DEFAULT_TIMEOUT_s)
                self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                weakref.finalize(self, self._link.close)  # the library is never closed, only let go of
            except OSError:
                return False
        return True

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None
