"""Instruments that VISA reaches (GPIB, USB, TCP, serial), through pyvisa."""

from __future__ import annotations

import time
from typing import Any

import pyvisa
from pyvisa import constants

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.reply import number_in
from nakctl_sensors.sentences import why_no_backend


class ScpiSource:
    """One question, one line of answer.

    After an answer that did not come in time the link is made anew: it might come yet, and would then be
    taken for the answer to the next question.
    """

    listens = False

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        try:
            self.manager = pyvisa.ResourceManager(self.options["backend"])
        except (OSError, ValueError) as error:
            raise SensorTrouble("gone", why_no_backend(self.options["backend"], error), reopen=True) from None
        self.link: Any = self._opened()
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

    def read(self) -> Raw:
        asked = time.perf_counter()
        line = self.ask(self.options["query"])
        answered = time.perf_counter()
        return Raw(number_in(line.strip(), self.options), asked, answered)

    def ask(self, query: str) -> str:
        """The line that it answers."""
        line: str = self._do(lambda: self.link.query(query))
        return line

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
        except UnicodeDecodeError as error:
            raise SensorTrouble("garbage", f"answered {error.object[:60]!r}, which is no text") from None
        except (pyvisa.Error, OSError) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> SensorTrouble:
        return SensorTrouble("gone", f"{self.spec.address} cannot be reached: {error}", reopen=True)

    def close(self) -> None:
        self.link.close()
