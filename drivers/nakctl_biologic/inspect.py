"""Looking at an instrument without running anything: what `doctor` and `channels` tell.

No rows and no messages are taken from any channel, so a run that goes on elsewhere does not notice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from nakctl.device.inspection import ChannelState, Chassis, Diagnosis, Found
from nakctl.errors import ChannelError, LinkLost, NakctlError
from nakctl_biologic import find
from nakctl_biologic.codes import STATES, Board, Firmware
from nakctl_biologic.device import Device
from nakctl_biologic.eclib import Eclib
from nakctl_biologic.errors import EclibError
from nakctl_biologic.examine import FIRMWARE, examine, failed, firmware_name, signature
from nakctl_biologic.opening import FAMILIES
from nakctl_biologic.packages import check_files, release_of
from nakctl_biologic.providers import open_library

OPEN_LIBRARY = (
    "Give the device in rig.yaml an sdk_path with the folder of the lab's OEM package (on 64-bit Windows)."
)
NEWER = "Use a package from 6.08 on: older ones cannot tell what kind of board a channel has."


def connect(options: Mapping[str, object]) -> Device:
    """A connected device. RigError, ChannelError."""
    device = Device(Eclib(open_library(options)), str(options.get("address", "")))
    device.connect()
    return device


@contextmanager
def connected(options: Mapping[str, object]) -> Iterator[Device]:
    device = connect(options)
    try:
        yield device
    finally:
        device.disconnect()


def discover(options: Mapping[str, object]) -> tuple[Found, ...]:
    return find.search(Eclib(open_library(options)))


def identify(options: Mapping[str, object]) -> Found:
    with connected(options) as device:
        return find.identify(device)


def channels(chassis: Chassis) -> tuple[ChannelState, ...]:
    with connected(chassis.options) as device:
        return tuple(_state(device, number) for number in device.plugged())


def _state(device: Device, channel: int) -> ChannelState:
    """Without the library's kernel a channel tells little more than that."""
    try:
        code, infos = device.channel_infos(channel)
        firmware = firmware_name(code, infos)
        if firmware != FIRMWARE[Firmware.KERNEL]:
            return ChannelState(channel + 1, "not ours", firmware)
        values = device.values(channel)
        state = STATES.get(values.State, f"state {values.State}")
        owner = signature(device, channel)
    except EclibError as error:
        return ChannelState(channel + 1, f"no answer: {error.name}")
    return ChannelState(channel + 1, state, firmware, owner, values.Ewe, values.I)


# --- the examination -------------------------------------------------------------------------------------


def inspect(chassis: Chassis) -> Iterator[Diagnosis]:
    """Library, connection, files, channels; ends where there is no getting further."""
    try:
        eclib = Eclib(open_library(chassis.options))
    except NakctlError as error:
        yield failed("library", error, OPEN_LIBRARY)
        return
    yield _library(eclib)
    if not chassis.address:
        yield from check_files(eclib.folder, eclib.version(), _boards_of(chassis))
        return
    device = Device(eclib, chassis.address)
    try:
        device.connect()
    except ChannelError as error:
        yield failed("connection", error)
        yield from check_files(eclib.folder, eclib.version(), _boards_of(chassis))
        return
    try:
        yield from examine(chassis, device)
    except ChannelError as error:
        yield failed("connection" if isinstance(error, LinkLost) else "instrument", error)
    finally:
        device.disconnect()


def _library(eclib: Eclib) -> Diagnosis:
    version = eclib.version()
    release = release_of(version)
    told = f"{eclib.provider}, version {version}{f' (package {release})' if release else ''}"
    if eclib.has("BL_GetChannelBoardType"):
        return Diagnosis("library", "ok", told)
    return Diagnosis("library", "warning", told, NEWER)


def _boards_of(chassis: Chassis) -> tuple[Board, ...]:
    """The boards to expect in a device that cannot be asked."""
    known = {board for board, family in FAMILIES.items() if family == chassis.model}
    return tuple(known or FAMILIES)
