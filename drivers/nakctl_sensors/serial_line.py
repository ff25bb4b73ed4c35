"""Instruments at a serial port, through pyserial: asked, or listened to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import serial

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors import ports
from nakctl_sensors.line_buffer import LineBuffer, Width, is_whole
from nakctl_sensors.reply import decoded, number_in, obeyed, shown
from nakctl_sensors.sentences import why_no_port

SLICES = 2  # in so many waits in a row nothing comes: that is a pause, and no delay of ours
MOST_THROWN_AWAY = 5
LATE_s = 0.3  # for an answer that comes after its time
_WHOLE_LINES = ("no_value", "wrong_unit", "pattern")  # troubles with what was heard from end to end
_BROKE_OFF = ("half_line", "timeout")  # troubles after which a rest may come
_Done = TypeVar("_Done")


class SerialSource:
    """One line per reading: the answer to a query, or, without one, each line that comes by itself.

    Nothing counts that may be the tail of a line: after opening, after a pause, after garbage, one that is
    listened to is in step again behind the next terminator, one that is asked once the line is quiet and one
    answer was thrown away.
    """

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        self.listens = spec.options["query"] is None
        self.end: bytes = spec.options["terminator"].encode()
        own_end = spec.options["send_terminator"]  # "" is one, too: single characters are commands to some
        self.own_end: bytes = (spec.options["terminator"] if own_end is None else own_end).encode()
        self.pause_s = self.options["pause_s"]
        self.slice_s = self.pause_s / SLICES
        self.port = opened(self.options, self.slice_s)
        self.port.write_timeout = spec.timeout_s
        self.lines, self.width = LineBuffer(self.end), Width()
        self.quiet_s = self.pause_s  # how long nothing may come before it is asked again
        self.came = time.perf_counter()  # the last bytes
        self.in_step = True  # the next answer is one to the next question
        for line in self.options["setup"]:
            self.port.write(line.encode() + self.own_end)

    def read(self) -> Raw:
        return self._kept_in_step(self._heard if self.listens else self._asked)

    def _kept_in_step(self, act: Callable[[], _Done]) -> _Done:
        """After a trouble nothing counts that may be of it."""
        try:
            return act()
        except (
            serial.SerialException,
            OSError,
            TypeError,
        ) as error:  # TypeError: closed under pyserial's feet
            raise SensorTrouble("gone", f"the port is gone: {error}", reopen=True) from None
        except SensorTrouble as trouble:
            if trouble.code not in _WHOLE_LINES:
                self.lines.lose()
                self.in_step = self.in_step and trouble.code not in _BROKE_OFF
                self.quiet_s = max(self.quiet_s, LATE_s if trouble.code == "timeout" else self.pause_s)
            raise

    def _asked(self) -> Raw:
        for _ in range(MOST_THROWN_AWAY):
            self._wait_until_quiet()
            if self.in_step:
                break
            self._answer(self.options["query"])  # the rest of an answer that broke off may come with this one
            self.in_step = True
        else:
            raise SensorTrouble("garbage", "sends parts of lines without being asked")
        line, asked = self._answer(self.options["query"])
        return self._raw(line, asked, time.perf_counter())

    def _answer(self, line: str) -> tuple[bytes, float]:
        """What it says to this line, and when it was asked."""
        self._wait_until_quiet()
        self.lines.begin()
        asked = time.perf_counter()
        self.port.write(line.encode() + self.own_end)
        return self._line(asked), asked

    def _heard(self) -> Raw:
        """The next whole line. It was sent while its characters, and those behind it, travelled."""
        line = self._line(time.perf_counter())
        answered = time.perf_counter()
        characters = len(line) + len(self.end) + len(self.lines.held) + self.port.in_waiting
        return self._raw(line, answered - 10 * characters / self.options["baud"], answered)

    def _raw(self, line: bytes, asked: float, answered: float) -> Raw:
        said = number_in(decoded(line), self.options)
        if not self.width.fits(line):
            text = f"sent {shown(decoded(line))}, and all lines before had {self.width.usual} characters"
            raise SensorTrouble("half_line", text)
        return Raw(said.value, asked, answered, said.unit)

    def _wait_until_quiet(self) -> None:
        """What still comes is no answer to the next question. Ends of lines are, at most, of the last one."""
        late = self.lines.held + self.port.read(self.port.in_waiting)
        if late.strip():
            self.quiet_s = max(self.quiet_s, self.pause_s)
        until, silent_s = time.perf_counter() + self.spec.timeout_s, 0.0
        while silent_s < self.quiet_s:
            data = self.port.read(self.port.in_waiting or 1)
            late += data
            silent_s = 0.0 if data else silent_s + self.slice_s
            if data and time.perf_counter() > until:
                raise SensorTrouble("garbage", "sends without being asked: leave out `query` to listen to it")
        self.quiet_s = 0.0
        self.in_step = self.in_step and is_whole(late, self.end)

    def _line(self, since: float) -> bytes:
        """The next whole one; SensorTrouble if none comes within the time-out."""
        silent = 0
        while (line := self.lines.take()) is None:
            waited_s = time.perf_counter() - since
            if (cut := self.lines.cut) is not None:
                self.lines.cut = None
                raise SensorTrouble(*cut)
            if silent and waited_s > self.spec.timeout_s:
                raise self._silence(waited_s)
            data = self._more()
            silent = 0 if data else silent + 1
            if silent >= SLICES:
                self.lines.pause()
        return line

    def _more(self) -> bytes:
        """What has come. Where we come too late to have seen a pause, no half of a line is kept."""
        data: bytes = self.port.read(self.port.in_waiting or 1)
        now = time.perf_counter()
        if data:
            if now - self.came > self.pause_s and self.lines.held:
                self.lines.lose()
            self.lines.feed(data)
            self.came = now
        return data

    def _silence(self, waited_s: float) -> SensorTrouble:
        if self.lines.held:
            said = shown(self.lines.held.decode("ascii", errors="replace"))
            return SensorTrouble("half_line", f"sent {said} and no end of the line within {waited_s:.2g} s")
        return SensorTrouble("timeout", f"did not answer within {waited_s:.2g} s")

    def set(self, raw: float) -> None:
        line = self.options["set"].format(value=raw)
        if self.options["set_answers"] and not self.listens:
            answer, _ = self._kept_in_step(lambda: self._answer(line))
            obeyed(decoded(answer), self.options["set_answers"])
        else:  # what it says to that is not to be told from what it sends by itself
            self._kept_in_step(lambda: self.port.write(line.encode() + self.own_end))

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
    port = ports.found(options["port"])
    try:
        link = serial.serial_for_url(port, **settings, **_alone(port))
    except (serial.SerialException, OSError, ValueError) as error:
        raise SensorTrouble("gone", why_no_port(port, error), reopen=True) from None
    ports.remember(port)
    return link


def _alone(port: str) -> dict[str, bool]:
    """Two programs at one port get half of the characters each: ask the system for it alone."""
    return {} if "://" in port else {"exclusive": True}
