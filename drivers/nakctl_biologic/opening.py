"""From a row of the rig to an open channel: connect, look at what is there, refuse what is not safe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nakctl.device.channel import ChannelInfo, Notice
from nakctl.device.driver import ClockLike, Place
from nakctl.device.instrument import Instrument, instrument
from nakctl.errors import ChannelError, RigError
from nakctl_biologic.channel import BiologicChannel
from nakctl_biologic.codes import RUN, STATES, STOP, Board, Firmware, device_name
from nakctl_biologic.device import Device
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import EclibError, failure
from nakctl_biologic.link import Link
from nakctl_biologic.providers import open_library
from nakctl_biologic.structures import ChannelInfos, HardwareConf

STANDARD = 0  # THardwareConf.Conn: electrodes connected as printed on the cable
GROUNDING = {0: "grounded", 1: "floating"}
FAMILIES = {Board.ESSENTIAL: "VMP-3", Board.PREMIUM: "SP-300", Board.DIGICORE: "SP-300"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a connected channel says of itself."""

    device: str
    board: Board
    infos: ChannelInfos
    facts: dict[str, Any]


def open_channel(place: Place, clock: ClockLike, *, adopting: bool = False) -> BiologicChannel:
    """RigError: the rig describes another instrument. ChannelError: it cannot be used.

    adopting: to go on with what is there: that is looked at, and nothing is changed.
    """
    address = place.options.get("address")
    if not address:
        raise RigError(f"{place.name}: its device has no address")
    eclib = Eclib(open_library(place.options))
    device = Device(eclib, str(address))
    device.connect()
    try:
        found = _examine(device, place, adopting)
        return _channel(device, place, found, clock, adopting)
    except BaseException:
        device.disconnect()
        raise


def _channel(device: Device, place: Place, found: Found, clock: ClockLike, adopting: bool) -> BiologicChannel:
    info = ChannelInfo(place.instrument, place.name, device.eclib.simulated, found.facts)
    link = Link(device, place.channel - 1, clock)
    notices = [] if adopting else _notices(device)  # the one before may still be counted among the others
    limited = _limited(place, found)
    return BiologicChannel(link, found.board, limited, clock, info, notices, adopting=adopting)


def _examine(device: Device, place: Place, adopting: bool) -> Found:
    """Everything that has to be right before the first load, in the order in which it can be asked."""
    name = device_name(device.infos.DeviceCode)
    if name is None:
        raise ChannelError(f"{device.address} is a device with the unknown code {device.infos.DeviceCode}")
    if not adopting:
        _keep_a_link_free(device, place)
    number = place.channel - 1
    plugged = device.plugged()
    if number not in plugged:
        there_are = ", ".join(str(each + 1) for each in plugged) or "none"
        raise ChannelError(f"{place.name}: {name} has no channel {place.channel}; plugged are: {there_are}")
    board = device.board(number)
    infos = _left_there(device, place) if adopting else with_kernel(device, place, board)
    family = instrument(place.instrument).family
    if FAMILIES[board] != family:
        raise RigError(
            f"{place.name}: the rig says {place.instrument}, but channel {place.channel} of this {name} has "
            f"a board of type {board.name}, which is of the {FAMILIES[board]} family"
        )
    hardware = _standard_hardware(device, number, adopting) if board is Board.PREMIUM else {}
    return Found(name, board, infos, _facts(device, place, name, board, infos) | hardware)


def _keep_a_link_free(device: Device, place: Place) -> None:
    """ChannelError: this would be the last program that the instrument lets in."""
    known = instrument(place.instrument).connections
    most, there = int(str(place.options.get("connections", known))), device.infos.NbOfConnectedPC
    if there >= most:
        raise ChannelError(
            f"{place.name}: {there} programs are connected to {device.address} with this one, of {most} that "
            "it lets in, as far as is known. One link stays free, so that `nakctl stop` reaches a cell whose "
            "program died: close EC-Lab and others that are connected; if it lets in more, write "
            "`connections: N` at its device in rig.yaml"
        )


def _left_there(device: Device, place: Place) -> ChannelInfos:
    """The infos of a channel, whatever it does. ChannelTaken: the library's kernel is not on it any more."""
    code, infos = device.channel_infos(place.channel - 1)
    if code < 0 or infos.FirmwareCode != Firmware.KERNEL:
        raise failure("BL_GetChannelInfos", code if code < 0 else -9, place.channel)
    return infos


def with_kernel(device: Device, place: Place, board: Board) -> ChannelInfos:
    """The infos of a channel at rest, the library's kernel being on it.

    Another firmware is not evicted unasked, and none at all from a channel that is in use.
    """
    number = place.channel - 1
    code, infos = device.channel_infos(number)
    _refuse_in_use(place, infos)
    if code == 0 and infos.FirmwareCode == Firmware.KERNEL:
        if infos.MemFilled > 0:
            _discard_rows(device, number)
        return infos
    blank = code == 0 and infos.FirmwareCode == Firmware.NONE
    if not blank and not place.options.get("load_firmware", False):
        raise EclibError("BL_GetChannelInfos", code if code < 0 else -9, place.channel)
    device.load_firmware(number, board)
    code, infos = device.channel_infos(number)
    if code < 0 or infos.FirmwareCode != Firmware.KERNEL:
        raise EclibError("BL_LoadFirmware", -308, place.channel)
    return infos


def _refuse_in_use(place: Place, infos: ChannelInfos) -> None:
    """ChannelError: an experiment is on it, or rows of one. What it says of that holds under any firmware."""
    name = f"{place.name}: channel {place.channel}"
    if infos.State == RUN:
        raise ChannelError(f"{name} is running something. {EclibError('', -13).remedy}")
    if infos.State != STOP:
        state = STATES.get(infos.State, f"in state {infos.State}")
        raise ChannelError(
            f"{name} is {state}: its cell may be connected. Let its experiment finish or stop it in the "
            "program that started it."
        )
    if infos.MemFilled > 0 and not place.options.get("discard_rows", False):
        raise ChannelError(
            f"{name} holds {infos.MemFilled} bytes of rows that nobody has fetched. Fetch them with the "
            "program that started the experiment, or throw them away with --discard-rows."
        )


def _discard_rows(device: Device, number: int) -> None:
    """Rows that somebody was asked about, and said to throw away."""
    while device.data(number)[0].n_rows > 0:
        pass


def _standard_hardware(device: Device, number: int, adopting: bool) -> dict[str, Any]:
    """SP-300 family: electrodes connected as on the cable. The grounding is left as the lab chose it."""
    if not device.eclib.has("BL_GetHardConf"):
        return {}
    conf = device.hardware_conf(number)
    if conf.Conn != STANDARD and not adopting:
        device.set_hardware_conf(number, HardwareConf(STANDARD, conf.Ground))
    return {"grounding": GROUNDING.get(conf.Ground, str(conf.Ground)), "connection_was": conf.Conn}


def _facts(device: Device, place: Place, name: str, board: Board, infos: ChannelInfos) -> dict[str, Any]:
    return {
        "instrument": place.instrument,
        "device": name,
        "address": device.address,
        "channel_number": place.channel,
        "library": device.eclib.version(),
        "library_from": device.eclib.provider,
        "board": board.name,
        "board_serial": infos.BoardSerialNumber,
        "board_version": infos.BoardVersion,
        "device_firmware": device.infos.FirmwareVersion / 100,
        "kernel": infos.FirmwareVersion,
        "amplifier": infos.AmpCode,
        "memory_bytes": infos.MemSize,
        "connected_programs": device.infos.NbOfConnectedPC,
    }


def _limited(place: Place, found: Found) -> Instrument:
    """The instrument of the rig, less what this very channel does not have."""
    whole = instrument(place.instrument)
    low, high = found.infos.MinIRange, found.infos.MaxIRange
    ranges = tuple(each for each in whole.I_ranges if low <= each.code <= high)
    bandwidth = min(whole.bandwidth_max, found.infos.MaxBandwidth)
    return replace(whole, I_ranges=ranges or whole.I_ranges, bandwidth_max=bandwidth or whole.bandwidth_max)


def _notices(device: Device) -> list[Notice]:
    others = device.infos.NbOfConnectedPC - 1
    if others < 1:
        return []
    text = f"{others} other connections to {device.address}: leave this channel alone there"
    return [Notice(0.0, 1, "other-programs", text, {"others": others})]
