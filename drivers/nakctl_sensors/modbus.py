"""Controllers on Modbus, RTU at a serial port or TCP, through pymodbus."""

from __future__ import annotations

import time
from typing import Any

from pymodbus import ModbusException
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from nakctl.device.sensor import Raw, SensorSpec, SensorTrouble
from nakctl_sensors.sentences import why_no_port

TCP_PORT = 502
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
        except (ModbusException, OSError) as error:
            raise SensorTrouble("gone", why_no_port(spec.address, error), reopen=True) from None
        if not connected:
            raise SensorTrouble("gone", self._unreachable(), reopen=True)

    def read(self) -> Raw:
        ask = {
            "holding": self.client.read_holding_registers,
            "input": self.client.read_input_registers,
        }[self.options["table"]]
        asked = time.perf_counter()
        answer = self._do(
            lambda: ask(self.options["register"], count=self.type.value[1], device_id=self.options["device"])
        )
        answered = time.perf_counter()
        number = self.client.convert_from_registers(answer.registers, self.type, self.options["words"])
        return Raw(float(number), asked, answered)

    def set(self, raw: float) -> None:
        number = raw if self.options["type"] == "float32" else round(raw)
        registers = self.client.convert_to_registers(number, self.type, self.options["words"])
        register, device = self.options["set_register"], self.options["device"]
        if len(registers) == 1:
            self._do(lambda: self.client.write_register(register, registers[0], device_id=device))
        else:
            self._do(lambda: self.client.write_registers(register, registers, device_id=device))

    def _do(self, act: Any) -> Any:
        try:
            answer = act()
        except ModbusException as error:
            if self.client.is_socket_open():
                text = f"no valid answer from device {self.options['device']}: {_plain(error)}"
                raise SensorTrouble("timeout", text, reopen=True) from None
            raise SensorTrouble("gone", self._unreachable(), reopen=True) from None
        except OSError as error:
            raise SensorTrouble("gone", f"the link is gone: {error}", reopen=True) from None
        if answer.isError():
            text = f"refuses register {self.options['register']} ({_plain(answer)})"
            raise SensorTrouble("garbage", text)
        return answer

    def _unreachable(self) -> str:
        return f"{self.spec.address} cannot be reached: unplugged, switched off, or in use by another program"

    def close(self) -> None:
        self.client.close()


def _client(spec: SensorSpec) -> ModbusSerialClient | ModbusTcpClient:
    options = spec.options
    if options["port"] is not None:
        return ModbusSerialClient(
            options["port"],
            baudrate=options["baud"],
            parity=options["parity"],
            stopbits=options["stop_bits"],
            timeout=spec.timeout_s,
            retries=0,
        )
    host, _, port = options["address"].partition(":")
    return ModbusTcpClient(host, port=int(port or TCP_PORT), timeout=spec.timeout_s, retries=0)


def _plain(said: object) -> str:
    return str(said).removeprefix("Modbus Error: ")
