"""A connected instrument, looked at from the outside to the inside: what `doctor` tells of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from nakctl.device.inspection import Chassis, Diagnosis, Severity
from nakctl.device.instrument import Instrument, instrument, instruments
from nakctl.errors import LinkLost, NakctlError
from nakctl_biologic import find
from nakctl_biologic.codes import STATES, Board, Firmware, device_name
from nakctl_biologic.device import Device
from nakctl_biologic.errors import NO_KERNEL, EclibError
from nakctl_biologic.packages import check_files
from nakctl_biologic.remedies import EC_LAB, option_error
from nakctl_biologic.structures import ChannelInfos

PINGS = 20
FIRMWARE: dict[int, str] = {
    Firmware.NONE: "none",
    Firmware.EC_LAB: "EC-Lab",
    Firmware.KERNEL: "kernel",
    Firmware.INVALID: "invalid",
}
AMPLIFIER = "Let the amplifier cool and look at its lamps; power-cycle the instrument if the error stays."
ANOTHER_KIND = "Write the right model of this device into rig.yaml, or correct its address."
FEWER_PROGRAMS = "Close EC-Lab and other programs on this instrument: they may stop or reload its channels."
SLOW = "Connect the computer and the instrument by one switch, by cable, without WLAN or VPN."
NOT_THERE = "Correct the channel's number in rig.yaml (from 1, as on the front panel), or plug the board."
RANGES = "Use the ranges the board has, and correct this value in nakctl's data (device/instruments/*.toml)."


def examine(chassis: Chassis, device: Device) -> Iterator[Diagnosis]:
    yield _kind(chassis, device)
    yield _speed(chassis, device)
    yield _company(device)
    plugged = device.plugged()
    yield from _map(chassis, plugged)
    boards = {number: device.board(number) for number in plugged}
    yield from check_files(device.eclib.folder, device.eclib.version(), set(boards.values()))
    for number, board in boards.items():
        yield from _channel(chassis, device, number, board)


def _kind(chassis: Chassis, device: Device) -> Diagnosis:
    infos = device.infos
    kind = device_name(infos.DeviceCode)
    if kind is None:
        return Diagnosis(
            "instrument", "error", f"its device code {infos.DeviceCode} is unknown", ANOTHER_KIND
        )
    told = f"{kind} at {device.address}, firmware {infos.FirmwareVersion / 100:.2f}"
    if chassis.model and find.model_of(kind) != chassis.model:
        return Diagnosis("instrument", "error", f"{told}; the rig says {chassis.model}", ANOTHER_KIND)
    return Diagnosis("instrument", "ok", told)


def _speed(chassis: Chassis, device: Device) -> Diagnosis:
    """How long a call takes: impedance rows have to be fetched often."""
    took_s = []
    for _ in range(PINGS):
        start_s = time.perf_counter()
        device.eclib.call("BL_TestConnection", device.id)
        took_s.append(time.perf_counter() - start_s)
    median_s = statistics.median(took_s)
    told = f"a call takes {1000 * median_s:.1f} ms, at worst {1000 * max(took_s):.1f} ms ({PINGS} calls)"
    allowed_s = _data(chassis, device).eis_poll_s / 2
    if median_s <= allowed_s:
        return Diagnosis("speed", "ok", told)
    return Diagnosis("speed", "warning", f"{told}; spectra need {1000 * allowed_s:.0f} ms", SLOW)


def _company(device: Device) -> Diagnosis:
    programs = device.infos.NbOfConnectedPC
    if programs <= 1:
        return Diagnosis("programs", "ok", "nobody else is connected")
    told = f"{programs} programs are connected, this one included"
    return Diagnosis("programs", "warning", told, FEWER_PROGRAMS)


def _map(chassis: Chassis, plugged: tuple[int, ...]) -> Iterator[Diagnosis]:
    """Which slots hold a board, in numbers of the front panel, and whether the rig's are among them."""
    there = [number + 1 for number in plugged]
    holes = sorted(set(range(1, max(there, default=0))) - set(there))
    told = ", ".join(map(str, there)) or "none"
    yield Diagnosis(
        "channels",
        "ok" if there else "error",
        f"{told}; empty: {', '.join(map(str, holes))}" if holes else told,
        "" if there else "Switch the instrument off and on again, and look which boards it shows.",
    )
    for number, name in sorted(chassis.channels.items()):
        if number not in there:
            yield Diagnosis(name, "error", f"there is no channel {number} in this instrument", NOT_THERE)


def _channel(chassis: Chassis, device: Device, number: int, board: Board) -> Iterator[Diagnosis]:
    about = chassis.channels.get(number + 1, f"channel {number + 1}")
    try:
        code, infos = device.channel_infos(number)
        yield _firmware(
            about, firmware_name(code, infos), infos, board, wanted=number + 1 in chassis.channels
        )
        if code == 0 and infos.FirmwareCode == Firmware.KERNEL:
            yield from _ranges(about, infos, _data(chassis, device))
            yield from _now(about, device, number)
    except LinkLost:
        raise
    except EclibError as error:
        yield failed(about, error)


def _now(about: str, device: Device, number: int) -> Iterator[Diagnosis]:
    """What the channel does at this moment."""
    values = device.values(number)
    owner = signature(device, number)
    state = f"{STATES.get(values.State, f'state {values.State}')}{f' ({owner})' if owner else ''}"
    yield Diagnosis(about, "ok", f"{state}, Ewe {values.Ewe:+.4f} V, I {values.I:+.3g} A")
    if values.OptErr:
        yield Diagnosis(about, "error", option_error(values.OptErr, values.OptPos), AMPLIFIER)


def _firmware(about: str, firmware: str, infos: ChannelInfos, board: Board, *, wanted: bool) -> Diagnosis:
    """On a channel that the rig does not name, EC-Lab may be at home."""
    hardware = f"{board.name} board {infos.BoardSerialNumber}, memory {infos.MemSize / 2**20:.3g} MB"
    if firmware == FIRMWARE[Firmware.KERNEL]:
        return Diagnosis(about, "ok", f"{hardware}; the library's kernel {infos.FirmwareVersion / 100:.2f}")
    severity: Severity = "error" if wanted else "warning"
    if firmware == FIRMWARE[Firmware.EC_LAB]:
        return Diagnosis(about, severity, f"{hardware}; the firmware of EC-Lab is on it", EC_LAB)
    load = "Allow the library's kernel to be loaded with --load-firmware."
    return Diagnosis(about, severity, f"{hardware}; the library's kernel is not on it ({firmware})", load)


def _ranges(about: str, infos: ChannelInfos, data: Instrument) -> Iterator[Diagnosis]:
    """Less than nakctl's data promise is trouble; more is none."""
    names = {each.code: each.name for each in data.I_ranges}
    low, high = infos.MinIRange, infos.MaxIRange
    told = f"current ranges {names.get(low, f'code {low}')} to {names.get(high, f'code {high}')}"
    lacking = [name for code, name in names.items() if not low <= code <= high]
    if lacking:
        yield Diagnosis(about, "warning", f"{told}: not {', '.join(lacking)}", RANGES)
    else:
        yield Diagnosis(about, "ok", told)
    if infos.MaxBandwidth < data.bandwidth_max:
        fact = f"bandwidths up to {infos.MaxBandwidth}, not {data.bandwidth_max}"
        yield Diagnosis(about, "warning", fact, RANGES)


def _data(chassis: Chassis, device: Device) -> Instrument:
    """What nakctl knows of such an instrument; of one that it does not know, what the rig says."""
    kind = find.model_of(device_name(device.infos.DeviceCode))
    return instrument(kind or chassis.model or instruments()[0])


# --- shared with `inspect` ---


def firmware_name(code: int, infos: ChannelInfos) -> str:
    """code: what BL_GetChannelInfos answered."""
    if code == -9:
        return FIRMWARE[Firmware.EC_LAB]
    if code in NO_KERNEL and infos.FirmwareCode == Firmware.KERNEL:  # the code has the last word
        return FIRMWARE[Firmware.NONE]
    return FIRMWARE.get(infos.FirmwareCode, f"code {infos.FirmwareCode}")


def signature(device: Device, channel: int) -> str:
    return device.signature(channel).strip() if device.eclib.has("BL_GetExperimentInfos") else ""


def failed(about: str, error: NakctlError, remedy: str = "") -> Diagnosis:
    """remedy: for an error that brings none of its own."""
    if isinstance(error, EclibError):
        return Diagnosis(about, "error", str(error).removesuffix(error.remedy).strip(), error.remedy)
    fact, _, told = str(error).partition(". ")
    return Diagnosis(about, "error", fact, told or remedy)
