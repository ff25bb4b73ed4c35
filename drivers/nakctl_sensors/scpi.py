"""Instruments that VISA reaches (GPIB, USB, TCP, serial), through pyvisa."""

from __future__ import annotations

import time
from typing import Any

import pyvisa
from pyvisa import constants

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.reply import decoded, number_in, shown
from nakctl_sensors.sentences import why_no_backend

QUIET_ms = 50


class ScpiSource:
    """One question, one line of answer.

    After an answer that did not come in time, or not whole, the link is made anew: the rest might come yet,
    and would then be taken for the answer to the next question. What still comes over a new link is of the
    old one.
    """

    listens = False

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        try:
            self.manager = pyvisa.ResourceManager(self.options["backend"])
        except (OSError, ValueError) as error:
            raise SensorTrouble("gone", why_no_backend(self.options["backend"], error), reopen=True) from None
        self.link: Any = self._opened()
        self._ends_by_character = self.link.resource_class != "INSTR" or self._is_serial()
        if self._ends_by_character:
            self._do(self._discard_what_comes)
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

    def _is_serial(self) -> bool:
        return bool(self.link.interface_type == constants.InterfaceType.asrl)

    def _discard_what_comes(self) -> None:
        """Until nothing comes for a moment: a box between network and serial port keeps what was sent."""
        usual_ms, self.link.timeout = self.link.timeout, QUIET_ms
        until = time.perf_counter() + self.spec.timeout_s
        try:
            while time.perf_counter() < until:
                self.link.read_raw()
        except pyvisa.VisaIOError as error:
            if error.error_code != constants.StatusCode.error_timeout:
                raise
        finally:
            self.link.timeout = usual_ms

    def read(self) -> Raw:
        asked = time.perf_counter()
        line = self.ask(self.options["query"])
        answered = time.perf_counter()
        said = number_in(line, self.options)
        return Raw(said.value, asked, answered, said.unit)

    def ask(self, query: str) -> str:
        """The line that it answers, whole: a library may hand over what came up to its time-out."""

        def answer() -> bytes:
            self.link.write(query)
            return bytes(self.link.read_raw())

        line = self._do(answer)
        end = self.options["terminator"].encode()
        if self._ends_by_character and not line.endswith(end):
            said = shown(line.decode("ascii", errors="replace"))
            raise SensorTrouble("half_line", f"answered {said} without the end of a line", reopen=True)
        return decoded(line.removesuffix(end))

    def set(self, raw: float) -> None:
        line = self.options["set"].format(value=raw)
        ask = self.link.query if self.options["set_answers"] else self.link.write
        self._do(lambda: ask(line))

    def _do(self, act: Any) -> Any:
        try:
            return act()
        except pyvisa.VisaIOError as error:
            if error.error_code == constants.StatusCode.error_timeout:
                text = f"did not answer within {self.spec.timeout_s:.2g} s"
                raise SensorTrouble("timeout", text, reopen=True) from None
            raise self._unreachable(error) from None
        except (pyvisa.Error, OSError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> SensorTrouble:
        return SensorTrouble("gone", f"{self.spec.address} cannot be reached: {error}", reopen=True)

    def close(self) -> None:
        self.link.close()
