"""What is really there: the instruments that answer, beside those that the rig names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nakctl.device.driver import Inspector, Place
from nakctl.device.inspection import ChannelState, Chassis, Found
from nakctl.errors import NakctlError, RigError
from nakctl.rig import Rig, driver_names, load_driver
from nakctl.text.meant import did_you_mean


@dataclass(frozen=True, slots=True)
class Seen:
    """One address. found None: it did not answer, and trouble says why; rig: the device's name there."""

    address: str
    driver: str
    found: Found | None
    rig: str = ""
    trouble: str = ""


def inspectors() -> dict[str, Inspector]:
    """The installed drivers that can look for instruments and at them."""
    loaded = {name: load_driver(name) for name in driver_names()}
    return {name: driver for name, driver in loaded.items() if isinstance(driver, Inspector)}


def inspector(driver: str) -> Inspector:
    """RigError: this driver cannot look at its instruments."""
    found = load_driver(driver)
    if isinstance(found, Inspector):
        return found
    raise RigError(f"the driver {driver} cannot look at its instruments")


def chassis(rig: Rig, name: str, words: Mapping[str, object]) -> Chassis:
    """A device of the rig by its name, by one of its channels or by its address; or an address alone.

    words: what to tell the driver of an address that the rig does not know. RigError.
    """
    for device in rig.devices.values():
        if name in (device.name, device.address, *device.channels.values()):
            return device
    for driver, each in inspectors().items():
        if each.takes(name):
            return Chassis(name, driver, "", {}, {"address": name, **words})
    known = [*rig.devices, *(place for device in rig.devices.values() for place in device.channels.values())]
    hint = did_you_mean(name, known) or ";"
    raise RigError(
        f"{name} is neither an address nor a device{hint} "
        f"write four numbers with dots, USB0, or one of: {', '.join(known) or 'rig init makes a rig.yaml'}"
    )


def everything(rig: Rig, words: Mapping[str, object]) -> Iterator[Seen]:
    """Search with every driver, then ask the rig's devices that the search did not meet."""
    searched = [seen for name in inspectors() for seen in _search(rig, name, words)]
    yield from searched
    met = {seen.address for seen in searched}
    for device in rig.devices.values():
        if device.address and device.address not in met:
            yield ask(device)


def ask(device: Chassis) -> Seen:
    """Whether the instrument at this address answers. rig: its name there, if it has one apart from it."""
    name = "" if device.name == device.address else device.name
    try:
        found = inspector(device.driver).identify(device.options)
    except NakctlError as error:
        return Seen(device.address, device.driver, None, name, str(error))
    return Seen(device.address, device.driver, found, name)


def _search(rig: Rig, driver: str, words: Mapping[str, object]) -> Iterator[Seen]:
    names = {device.address: device.name for device in rig.devices.values()}
    for options in _ways(rig, driver, words):
        try:
            for found in inspector(driver).discover(options):
                yield Seen(found.address, driver, found, names.get(found.address, ""))
        except NakctlError as error:
            yield Seen("", driver, None, "", str(error))


def _ways(rig: Rig, driver: str, words: Mapping[str, object]) -> list[dict[str, object]]:
    """What to search with: the words given, else those of the rig's real devices (each set once)."""
    if words or rig.file is None:
        return [dict(words)]
    ways: list[dict[str, object]] = []
    for device in rig.devices.values():
        options = {word: value for word, value in device.options.items() if word != "address"}
        if device.driver == driver and not _is_simulated(device) and options not in ways:
            ways.append(options)
    return ways


def _is_simulated(device: Chassis) -> bool:
    place = Place(device.name, device.driver, device.model, 1, device.options)
    return load_driver(device.driver).simulated(place)


def states(device: Chassis) -> dict[int, ChannelState]:
    """What each channel of a device does, by number. ChannelError, RigError."""
    return {state.number: state for state in inspector(device.driver).channels(device)}
