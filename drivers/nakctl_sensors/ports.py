"""The serial ports of this computer, and the USB adapters behind them, wherever the system has put them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nakctl.device.sensor import SensorTrouble
from nakctl_sensors.port_names import Usb, usb_of

_FTDI = 0x0403
# What this process had open by the name of a port: its name as a USB adapter, by its serial number.
_was: dict[str, Usb] = {}


def there() -> list[Any]:
    """What pyserial knows of each port, in order of their names."""
    from serial.tools import list_ports

    try:
        return sorted(list_ports.comports())
    except OSError:  # a list that the system refuses is no reason not to read
        return []


def serial_number(info: Any) -> str:
    """Of the adapter; "" if it has none. What Windows makes up for one without has a & in it, and changes."""
    number = str(info.serial_number or "")
    return "" if "&" in number else number


def usb_name(info: Any) -> str:
    """`usb:SERIAL`, `usb:VID:PID` if it has no serial number, "" if it is no USB adapter."""
    if info.vid is None:
        return ""
    return f"usb:{serial_number(info) or f'{info.vid:04X}:{info.pid:04X}'}"


def description(info: Any) -> str:
    """What the system says about it beyond its name."""
    return "" if info.description in (None, "n/a", info.name) else str(info.description)


def described(info: Any) -> str:
    """The port in a list of them."""
    said = ", ".join(filter(None, (usb_name(info), description(info))))
    return f"{info.device} ({said})" if said else str(info.device)


def listed(infos: Iterable[Any]) -> str:
    """All of them in one sentence."""
    return ", ".join(map(described, infos)) or "none"


def fits(info: Any, usb: Usb) -> bool:
    """This port is that of the adapter. Windows writes A behind the serial number of one by FTDI."""
    if not usb.serial:
        return (info.vid, info.pid) == (usb.vid, usb.pid)
    has, asked = serial_number(info).upper(), usb.serial.upper()
    return bool(has) and (has == asked or (info.vid == _FTDI and f"{asked}A" == has))


def found(port: str) -> str:
    """The port as the system calls it now. SensorTrouble if no adapter fits, or several."""
    usb = usb_of(port)
    if usb is None:
        return port
    infos = there()
    fitting = [info for info in infos if fits(info, usb)]
    if len(fitting) == 1:
        return str(fitting[0].device)
    if not fitting:
        text = f"there is no adapter {port} (unplugged?); there are: {listed(infos)}"
        raise SensorTrouble("gone", text, reopen=True)
    which = ", ".join(str(info.device) for info in fitting)
    names = sorted({usb_name(info) for info in fitting})
    if len(names) == len(fitting):
        which += f": write {' or '.join(f'`port: {name}`' for name in names)}"
    else:
        which += ", and nothing tells them apart: name the port itself"
    raise SensorTrouble("gone", f"{len(fitting)} ports fit {port}: {which}", reopen=True)


def remember(device: str) -> None:
    """An adapter with a serial number was opened by this name."""
    infos = [] if "://" in device else [info for info in there() if info.device == device]
    _was.pop(device, None)
    if infos and infos[0].vid is not None and serial_number(infos[0]):
        _was[device] = Usb(serial_number(infos[0]))


def moved(device: str, infos: Iterable[Any]) -> str:
    """A sentence about the adapter that was there, if it is at another port now; else ""."""
    was = _was.get(device)
    now = [info for info in infos if fits(info, was)] if was is not None else []
    if was is None or len(now) != 1 or now[0].device == device:
        return ""
    return (
        f"{device} is gone: the adapter with serial number {was.serial}, which was there, is at "
        f"{now[0].device} now; `port: usb:{was.serial}` finds it wherever it is"
    )
