"""Controllers on Modbus, RTU at a serial port or TCP, through pymodbus."""

from __future__ import annotations

import logging
import struct
import time
from collections.abc import Callable
from typing import Any

from pymodbus import ModbusException
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.modbus_names import Endpoint, endpoint
from nakctl_sensors.serial_line import opened

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it logs, we tell
# What pymodbus lets out where an answer, or a number, cannot be put into the form that was asked for.
_UNCONVERTED = (struct.error, ValueError, OverflowError, IndexError, TypeError, AttributeError)
_FUNCTION = {"holding": 3, "input": 4}  # what the standard calls reading them
_TYPES = {"int16": "INT16", "uint16": "UINT16", "int32": "INT32", "uint32": "UINT32", "float32": "FLOAT32"}


class ModbusSource:
    """One register, or two for a number of 32 bits."""

    listens = False

    def __init__(self, spec: SensorSpec) -> None:
        self.spec, self.options = spec, spec.options
        self.client: Any = _client(spec)
        self.type = self.client.DATATYPE[_TYPES[self.options["type"]]]
        try:
            connected = self.client.connect()
        except (ModbusException, OSError):
            connected = False
        if not connected:
            raise SensorTrouble("gone", self._unreachable(), reopen=True)

    def read(self) -> Raw:
        ask = {
            "holding": self.client.read_holding_registers,
            "input": self.client.read_input_registers,
        }[self.options["table"]]
        asked = time.perf_counter()
        count = self.type.value[1]
        answer = self._do("register", lambda register, device: ask(register, count=count, device_id=device))
        answered = time.perf_counter()
        if answer.function_code != _FUNCTION[self.options["table"]]:
            text = f"answered another question (function {answer.function_code})"
            raise SensorTrouble("garbage", text, reopen=True)
        return Raw(self._number(answer.registers), asked, answered)

    def _number(self, registers: list[int]) -> float:
        if len(registers) != self.type.value[1]:
            text = f"answered with {len(registers)} registers; asked for were {self.type.value[1]}"
            raise SensorTrouble("garbage", text)
        try:
            ordered = self._ordered(registers)
            return float(self.client.convert_from_registers(ordered, self.type, self.options["words"]))
        except (ModbusException, *_UNCONVERTED) as error:
            text = f"answered {registers}, which is no {self.options['type']}: {_plain(error)}"
            raise SensorTrouble("garbage", text) from None

    def _ordered(self, registers: list[int]) -> list[int]:
        """With the bytes of each register in the standard's order, or from it to the instrument's."""
        if self.options["bytes"] == "big":
            return registers
        return [(register & 0xFF) << 8 | register >> 8 for register in registers]

    def set(self, raw: float) -> None:
        try:
            number = raw if self.options["type"] == "float32" else round(raw)
            made = self.client.convert_to_registers(number, self.type, self.options["words"])
        except _UNCONVERTED:
            text = f"{raw:g} cannot be written: it does not fit into {self.options['type']}"
            raise SensorTrouble("garbage", text) from None
        registers, client = self._ordered(made), self.client

        def write(at: int, device: int) -> Any:
            if len(registers) == 1:
                return client.write_register(at, registers[0], device_id=device)
            return client.write_registers(at, registers, device_id=device)

        self._do("set_register", write)

    def _do(self, word: str, act: Callable[[int, int], Any]) -> Any:
        """word: which register."""
        try:
            answer = act(self.options[word], self.options["device"])
            refused = answer.isError()
        except ModbusException as error:
            if self.client.is_socket_open():
                text = f"no valid answer from device {self.options['device']}: {_plain(error)}"
                code = "timeout" if "No response" in str(error) else "garbage"
                raise SensorTrouble(code, text, reopen=True) from None
            raise SensorTrouble("gone", self._unreachable(), reopen=True) from None
        except OSError as error:
            raise SensorTrouble("gone", f"the link is gone: {error}", reopen=True) from None
        except _UNCONVERTED as error:
            text = f"answered what is no answer of Modbus: {_plain(error)}"
            raise SensorTrouble("garbage", text, reopen=True) from None
        if refused:
            text = f"refuses register {self.options[f'{word}_written']} ({_plain(answer)})"
            raise SensorTrouble("garbage", text)
        return answer

    def _unreachable(self) -> str:
        return f"{self.spec.address} cannot be reached: unplugged, switched off, or in use by another program"

    def close(self) -> None:
        self.client.close()


def _client(spec: SensorSpec) -> ModbusSerialClient | ModbusTcpClient:
    options = spec.options
    if options["port"] is not None:
        link = opened({**options, "bits": 8}, spec.timeout_s)
        client = ModbusSerialClient(
            link.port,
            baudrate=options["baud"],
            parity=options["parity"],
            stopbits=options["stop_bits"],
            timeout=spec.timeout_s,
            retries=0,
        )
        # pymodbus would open the port as well, and keep to itself why it cannot be opened.
        link.inter_byte_timeout = client.inter_byte_timeout
        client.socket = link
        return client
    where = endpoint(options["address"])
    assert isinstance(where, Endpoint)  # or it would be no sensor
    return ModbusTcpClient(where.host, port=where.port, timeout=spec.timeout_s, retries=0)


def _plain(said: object) -> str:
    return str(said).removeprefix("Modbus Error: ")
