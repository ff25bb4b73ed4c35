"""Instruments at a serial port, through pyserial: asked, or listened to."""

from __future__ import annotations

import time
from typing import Any

import serial

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.reply import decoded, number_in, shown
from nakctl_sensors.sentences import why_no_port

_LONGEST_LINE = 512


class SerialSource:
    """One line per reading: the answer to a query, or, without one, each line that comes by itself."""

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        self.listens = spec.options["query"] is None
        self.end: bytes = spec.options["terminator"].encode()
        self.own_end: bytes = (spec.options["send_terminator"] or spec.options["terminator"]).encode()
        self.port = opened(self.options, spec.timeout_s)
        for line in self.options["setup"]:
            self.port.write(line.encode() + self.own_end)

    def read(self) -> Raw:
        try:
            return self._heard() if self.listens else self._asked()
        except (
            serial.SerialException,
            OSError,
            TypeError,
        ) as error:  # TypeError: closed under pyserial's feet
            raise SensorTrouble("gone", f"the port is gone: {error}", reopen=True) from None

    def _asked(self) -> Raw:
        self.port.reset_input_buffer()  # a late answer to the last question is no answer to this one
        asked = time.perf_counter()
        self.port.write(self.options["query"].encode() + self.own_end)
        line = self._line(asked)
        answered = time.perf_counter()
        return Raw(number_in(decoded(line), self.options), asked, answered)

    def _heard(self) -> Raw:
        """The next whole line. It was sent while its characters, and those behind it, travelled."""
        line = self._line(time.perf_counter())
        answered = time.perf_counter()
        travel_s = 10 * (len(line) + self.port.in_waiting) / self.options["baud"]
        return Raw(number_in(decoded(line), self.options), answered - travel_s, answered)

    def _line(self, since: float) -> bytes:
        """Up to the terminator; SensorTrouble if nothing more comes for the time-out."""
        line: bytes = b""
        while more := self.port.read_until(self.end, _LONGEST_LINE):
            line += more
            if line.endswith(self.end):
                return line
            if len(line) >= _LONGEST_LINE:
                raise SensorTrouble("garbage", f"sent {len(line)} characters without the end of a line")
        waited_s = time.perf_counter() - since
        if line:
            said = shown(line.decode("ascii", errors="replace"))
            raise SensorTrouble("half_line", f"sent {said} and no end of the line within {waited_s:.2g} s")
        raise SensorTrouble("timeout", f"did not answer within {waited_s:.2g} s")

    def set(self, raw: float) -> None:
        try:
            self.port.write(self.options["set"].format(value=raw).encode() + self.own_end)
            if self.options["set_answers"]:
                self._line(time.perf_counter())
        except (serial.SerialException, OSError, TypeError) as error:
            raise SensorTrouble("gone", f"the port is gone: {error}", reopen=True) from None

    def close(self) -> None:
        self.port.close()


def opened(options: dict[str, Any], timeout_s: float) -> serial.SerialBase:
    """The port, open. SensorTrouble says what to do if it cannot be."""
    settings = {
        "baudrate": options["baud"],
        "bytesize": options["bits"],
        "parity": options["parity"],
        "stopbits": options["stop_bits"],
        "timeout": timeout_s,
        "write_timeout": timeout_s,
    }
    try:
        return serial.serial_for_url(options["port"], **settings, **_alone(options["port"]))
    except (serial.SerialException, OSError, ValueError) as error:
        raise SensorTrouble("gone", why_no_port(options["port"], error), reopen=True) from None


def _alone(port: str) -> dict[str, bool]:
    """Two programs at one port get half of the characters each: ask the system for it alone."""
    return {} if "://" in port else {"exclusive": True}
