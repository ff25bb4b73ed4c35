"""Instruments that VISA reaches (GPIB, USB, TCP, serial), through pyvisa."""

from __future__ import annotations

import time
from typing import Any

import pyvisa
from pyvisa import constants

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.line_buffer import LONGEST_LINE, is_whole
from nakctl_sensors.reply import decoded, number_in, obeyed, shown
from nakctl_sensors.sentences import why_no_backend

# Addresses whose last answer did not come, or not whole: its rest may come over the next link.
_broke_off: set[str] = set()
QUIET_ms, AT_ONCE_ms = 50, 1
MOST_THROWN_AWAY = 5


class ScpiSource:
    """One question, one line of answer.

    A bus such as GPIB or USB says where an answer ends; a stream, which is a socket or a serial port, has
    only its characters. After an answer that did not come in time, or not whole, the link is made anew: the
    rest might come yet, and would then be taken for the answer to the next question.
    """

    listens = False

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        try:
            self.manager = pyvisa.ResourceManager(self.options["backend"])
        except (OSError, ValueError) as error:
            raise SensorTrouble("gone", why_no_backend(self.options["backend"], error), reopen=True) from None
        self.link: Any = self._opened()
        self.end: bytes = self.options["terminator"].encode()
        self._is_stream = self.link.resource_class != "INSTR" or _is_serial(self.link)
        self.is_quiet = False
        if self._is_stream:
            self.link.timeout = 1000 * self.options["pause_s"]
        for line in self.options["setup"]:
            self._do(lambda line=line: self.link.write(line))

    def _opened(self) -> Any:
        end = self.options["terminator"]
        own_end = self.options["send_terminator"] or end
        settings = {"read_termination": end, "write_termination": own_end}
        if self.options["baud"] is not None:
            settings["baud_rate"] = self.options["baud"]
        timeout_ms = max(1, round(self.spec.timeout_s * 1000))
        try:
            return self.manager.open_resource(
                self.spec.address, open_timeout=timeout_ms, timeout=timeout_ms, **settings
            )
        except (pyvisa.Error, OSError, ValueError) as error:
            raise self._unreachable(error) from None

    def _discarded(self, quiet_ms: int) -> bytes:
        """What comes until nothing comes for so long: a box between network and serial port keeps what was
        sent."""
        usual_ms, self.link.timeout = self.link.timeout, quiet_ms
        until, found = time.perf_counter() + self.spec.timeout_s, b""
        try:
            while time.perf_counter() < until:
                found += self.link.read_bytes(1)
        except pyvisa.VisaIOError as error:
            if not _is_timeout(error):
                raise
        finally:
            self.link.timeout = usual_ms
        return found

    def read(self) -> Raw:
        if self._is_stream:
            self._come_into_step()
        asked = time.perf_counter()
        line = self.ask(self.options["query"])
        answered = time.perf_counter()
        said = number_in(line, self.options)
        return Raw(said.value, asked, answered, said.unit)

    def _come_into_step(self) -> None:
        """So that what comes next is the answer to the next question, from its beginning.

        The rest of an answer that broke off may come with the next one, which is thrown away with it.
        """
        for _ in range(MOST_THROWN_AWAY):
            late = self._do(lambda: self._discarded(AT_ONCE_ms if self.is_quiet else QUIET_ms))
            self.is_quiet = self.in_step and is_whole(late, self.end)
            if self.is_quiet:
                return
            self.ask(self.options["query"])
        raise SensorTrouble("garbage", "sends parts of lines without being asked", reopen=True)

    def ask(self, query: str) -> str:
        """The line that it answers."""
        line: bytes = self._do(lambda: self._answer(query))
        return decoded(line.removesuffix(self.end))

    @property
    def in_step(self) -> bool:
        """The next answer is one to the next question."""
        return self.spec.address not in _broke_off

    def _answer(self, query: str) -> bytes:
        if not self._is_stream:
            self.link.write(query)
            return bytes(self.link.read_raw())  # the bus says where an answer ends
        _broke_off.add(self.spec.address)
        self.link.write(query)
        line = self._line()
        _broke_off.discard(self.spec.address)
        return line

    def _line(self) -> bytes:
        """Character by character: what a library hands over at once may be the halves of two lines."""
        line, until = b"", time.perf_counter() + self.spec.timeout_s
        while not line.endswith(self.end):
            before = time.perf_counter()
            try:
                line += self.link.read_bytes(1)
                stood_still = len(line) > 1 and time.perf_counter() - before > self.options["pause_s"]
            except pyvisa.VisaIOError as error:
                if not _is_timeout(error) or (not line and time.perf_counter() > until):
                    raise
                stood_still = line != b""
            if stood_still:
                said = shown(line.decode("ascii", errors="replace"))
                text = f"sent a line that stood still within {said}"
                raise SensorTrouble("half_line", text, reopen=True)
            if len(line) > LONGEST_LINE:
                text = f"sent {len(line)} characters without the end of a line"
                raise SensorTrouble("garbage", text, reopen=True)
        return line

    def set(self, raw: float) -> None:
        line = self.options["set"].format(value=raw)
        if self.options["set_answers"]:
            obeyed(self.ask(line), self.options["set_answers"])
        else:
            self._do(lambda: self.link.write(line))

    def _do(self, act: Any) -> Any:
        try:
            return act()
        except pyvisa.VisaIOError as error:
            if _is_timeout(error):
                text = f"did not answer within {self.spec.timeout_s:.2g} s"
                raise SensorTrouble("timeout", text, reopen=True) from None
            raise self._unreachable(error) from None
        except (pyvisa.Error, OSError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> SensorTrouble:
        return SensorTrouble("gone", f"{self.spec.address} cannot be reached: {error}", reopen=True)

    def close(self) -> None:
        self.link.close()


def _is_serial(link: Any) -> bool:
    return bool(link.interface_type == constants.InterfaceType.asrl)


def _is_timeout(error: pyvisa.VisaIOError) -> bool:
    return bool(error.error_code == constants.StatusCode.error_timeout)
