"""Which instruments are there: the vendor's finder (blfind), and asking one address."""

from __future__ import annotations

import ctypes
from ctypes import byref

from nakctl.device.inspection import Found
from nakctl.device.instrument import instrument
from nakctl.errors import ChannelError, RigError
from nakctl_biologic.address import link_of
from nakctl_biologic.codes import DEVICES, board_of, device_name
from nakctl_biologic.device import Device
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import EclibError
from nakctl_biologic.opening import FAMILIES

FINDER_BYTES = 4096
USB, ETHERNET = "BL_FindEChemUsbDev", "BL_FindEChemEthDev"


def search(eclib: Eclib) -> tuple[Found, ...]:
    """Everything that answers on USB and in the network of this computer.

    ChannelError: there is no finder, or neither way could be searched.
    """
    ways = [name for name in (USB, ETHERNET) if eclib.has(name)]
    if not ways:
        raise ChannelError(f"{eclib.provider} has no finder: blfind64.dll belongs beside the library")
    found: dict[str, Found] = {}
    failures: list[EclibError] = []
    for name in ways:
        try:
            found |= {each.address: each for each in parse(_ask(eclib, name))}
        except EclibError as error:
            failures.append(error)
    if len(failures) == len(ways):
        raise failures[-1]
    return tuple(found.values())


def _ask(eclib: Eclib, name: str) -> str:
    """The finder writes UTF-16, whose length it counts in one way or the other: it ends with a NUL."""
    buffer = ctypes.create_string_buffer(FINDER_BYTES)
    size, count = ctypes.c_uint32(FINDER_BYTES), ctypes.c_uint32()
    eclib.call(name, buffer, byref(size), byref(count))
    return buffer.raw.decode("utf-16-le", "replace").partition("\0")[0]


def parse(text: str) -> tuple[Found, ...]:
    """Devices are parted by %, their fields by $. Source: the vendor's Python example (kbio).

    Ethernet$address$gateway$netmask$mac$identifier$kind$serial$name, or USB$index$...$kind$serial.
    """
    rows = [row.split("$") for row in text.split("%") if row.strip()]
    return tuple(found for row in rows if (found := _found([field.strip() for field in row])) is not None)


def _found(fields: list[str]) -> Found | None:
    """None: fewer fields than it takes to know the instrument."""
    link = fields[0].lower()
    if link == "usb" and len(fields) >= 4:
        return Found(f"USB{fields[1]}", fields[-2], model_of(fields[-2]), link, serial=fields[-1])
    if link == "ethernet" and len(fields) >= 9:
        return Found(fields[1], fields[6], model_of(fields[6]), link, serial=fields[7], name=fields[8])
    return None


def identify(device: Device) -> Found:
    """What sits at the address of a connected device. It does not tell its serial number."""
    kind = device_name(device.infos.DeviceCode)
    numbers = tuple(number + 1 for number in device.plugged())
    return Found(
        device.address,
        kind or f"device code {device.infos.DeviceCode}",
        model_of(kind),
        link_of(device.address),
        channels=numbers,
    )


def model_of(kind: str | None) -> str:
    """The instrument whose data serve this kind best: its own, or that of its family; "" if unknown."""
    if kind is None:
        return ""
    try:
        return instrument(kind).name
    except RigError:
        known = {_plain(each): each for each in DEVICES}.get(_plain(kind))
    return "" if known is None else FAMILIES.get(board_of(known), "")


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()
