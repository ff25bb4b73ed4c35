"""USB adapters that the system puts where it likes: by serial number, after a move, and in lists.

The list of ports is the one thing that is made up: its entries are pyserial's, their devices pseudo-terminals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bench import Script, spec_of, talking_pty
from serial.tools.list_ports_common import ListPortInfo

from nakctl.device.sensor import SensorTrouble, load_kind, load_service
from nakctl.errors import RigError
from nakctl_sensors import ports

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")


def adapter(device: str, serial: str | None, vid: int = 0x0403, pid: int = 0x6001) -> ListPortInfo:
    info = ListPortInfo(device)
    info.vid, info.pid, info.serial_number = vid, pid, serial
    info.product = "FT232R USB UART" if vid == 0x0403 else "USB Serial"
    info.apply_usb_info()
    return info


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ListPortInfo]]:
    """What is plugged in: a list to change."""
    infos: list[ListPortInfo] = []
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: list(infos))
    monkeypatch.setattr(ports, "_was", {})
    yield infos


@pytest.fixture
def tty() -> Iterator[str]:
    with talking_pty(Script(lambda count: 20.0), 0.01, "{:.1f}") as name:
        yield name


def read(port: str) -> float:
    return load_service().read_once(spec_of("a", kind="serial", port=port, unit="kg", timeout="1 s")).value


def trouble(act: Callable[[], Any]) -> str:
    with pytest.raises(SensorTrouble) as told:
        act()
    assert (told.value.code, told.value.reopen) == ("gone", True)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("port", ["usb:A50285BI", "usb:a50285bi", "USB:0403:6001"])
def test_an_adapter_is_found_by_what_it_is(plugged: list[ListPortInfo], tty: str, port: str) -> None:
    plugged += [
        ListPortInfo("/dev/ttyS0"),
        adapter(tty, "A50285BI"),
        adapter("/dev/ttyUSB9", None, 0x1A86, 0x7523),
    ]
    assert read(port) == 20.0


def test_it_is_found_at_every_opening_anew(plugged: list[ListPortInfo], tty: str) -> None:
    spec = spec_of("a", kind="serial", port="usb:A50285BI", unit="kg", timeout="1 s")
    plugged.append(adapter("/dev/ttyNOWHERE", "A50285BI"))
    assert "/dev/ttyNOWHERE" in trouble(lambda: load_service().read_once(spec))
    plugged[:] = [adapter(tty, "A50285BI")]
    assert load_service().read_once(spec).value == 20.0


def test_windows_writes_a_letter_behind_the_number(plugged: list[ListPortInfo], tty: str) -> None:
    plugged.append(adapter(tty, "A50285BIA"))
    assert read("usb:A50285BI") == 20.0


def test_none_and_several(plugged: list[ListPortInfo]) -> None:
    plugged += [ListPortInfo("/dev/ttyS0"), adapter("/dev/ttyUSB0", "A1"), adapter("/dev/ttyUSB1", "A2")]
    said = trouble(lambda: read("usb:A3"))
    assert "there is no adapter usb:A3 (unplugged?); there are: /dev/ttyS0, " in said
    assert "/dev/ttyUSB0 (usb:A1, FT232R USB UART), /dev/ttyUSB1 (usb:A2, FT232R USB UART)" in said
    said = trouble(lambda: read("usb:0403:6001"))
    assert "/dev/ttyUSB0, /dev/ttyUSB1: write `port: usb:A1` or `port: usb:A2`" in said
    plugged += [adapter("/dev/ttyUSB2", "A1")]
    assert "2 ports fit usb:A1: /dev/ttyUSB0, /dev/ttyUSB2, and nothing" in trouble(lambda: read("usb:A1"))


def test_adapters_without_serial_numbers(plugged: list[ListPortInfo], tty: str) -> None:
    plugged.append(adapter(tty, None, 0x1A86, 0x7523))
    assert read("usb:1a86:7523") == 20.0
    plugged.append(adapter("/dev/ttyUSB1", "6&1A2B3C&0&2", 0x1A86, 0x7523))  # made up by Windows
    assert "nothing tells them apart" in trouble(lambda: read("usb:1a86:7523"))


def test_a_port_that_moved(plugged: list[ListPortInfo], request: pytest.FixtureRequest) -> None:
    with talking_pty(Script(lambda count: 20.0), 0.01, "{:.1f}") as before:
        plugged.append(adapter(before, "A50285BI"))
        assert read(before) == 20.0
        # Held open, or the system gives the freed number to the next pseudo-terminal, of another test.
        held = os.open(before, os.O_RDWR | os.O_NOCTTY)
        request.addfinalizer(lambda: os.close(held))
    plugged[:] = [adapter("/dev/ttyUSB7", "A50285BI"), adapter("/dev/ttyUSB8", "B")]
    assert trouble(lambda: read(before)) == (
        f"{before} is gone: the adapter with serial number A50285BI, which was there, is at /dev/ttyUSB7 now; "
        "`port: usb:A50285BI` finds it wherever it is"
    )
    plugged[:] = [adapter("/dev/ttyUSB8", "B")]
    said = trouble(lambda: read(before))
    assert f"there is no port {before} (unplugged?); there are: /dev/ttyUSB8 (usb:B, FT232R USB UART)" in said


def test_modbus_finds_it_and_says_why_not(plugged: list[ListPortInfo], tty: str) -> None:
    words = {"kind": "modbus", "unit": "degC", "register": 1, "timeout": "100 ms"}
    plugged.append(adapter("/dev/ttyNOWHERE", "A1"))
    spec = spec_of("a", port="usb:A1", **words)
    assert "there is no port /dev/ttyNOWHERE" in trouble(lambda: load_kind("modbus").open(spec, None))
    assert "there is no adapter usb:A2" in trouble(
        lambda: load_kind("modbus").open(spec_of("a", port="usb:A2", **words), None)
    )
    plugged[:] = [adapter(tty, "A1")]
    source = load_kind("modbus").open(spec, None)
    assert source.client.comm_params.host == tty
    source.close()


def test_the_ports_are_listed(plugged: list[ListPortInfo], capsys: pytest.CaptureFixture[str]) -> None:
    from nakctl.cli.app import app

    def listed() -> list[str]:
        with pytest.raises(SystemExit) as ended:
            app(["sensors", "probe"])
        assert (ended.value.code or 0) == 0
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert listed() == ["this computer has no serial ports; nakctl sensors probe takes VISA addresses, too"]
    plugged += [
        adapter("/dev/ttyUSB10", "B"),
        adapter("/dev/ttyUSB9", None, 0x1A86, 0x7523),
        ListPortInfo("/dev/ttyS0"),
    ]
    assert listed() == [
        "/dev/ttyS0",
        "/dev/ttyUSB9 usb:1A86:7523 USB Serial",
        "/dev/ttyUSB10 usb:B FT232R USB UART",
    ]


def test_probe_refuses_what_is_no_port() -> None:
    with pytest.raises(RigError, match="write COM3"):
        load_service().probe("COM 3", {}, print)
