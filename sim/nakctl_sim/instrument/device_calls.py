"""Calls about the device and its channels' firmware. Each gets the session and the arguments that go in."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_int32
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING

from nakctl_sim.instrument.abi import N_CHANNELS, Firmware, State, TChannelInfos, TDeviceInfos
from nakctl_sim.instrument.abi import Board as Kind
from nakctl_sim.instrument.board import Board
from nakctl_sim.instrument.calls import Answer
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.techniques import FPGA, KERNEL

if TYPE_CHECKING:
    from nakctl_sim.instrument.device import Session, VirtualInstrument

DEVICE_CODE = {Kind.PREMIUM: 16, Kind.ESSENTIAL: 5}
SLOTS = {Kind.PREMIUM: 2, Kind.ESSENTIAL: 16}
FIRMWARE_VERSION = 1143  # hundredths
AMPLIFIER_NONE = 0


def connect(session: Session, address: str | None, _timeout_s: int) -> Answer:
    """By the address the library was asked for, with or without its scheme."""
    instrument = session.instrument
    nobody = (bytes(c_int32(-1)),)
    if not address:
        return Answer(Code.INVALID_IP_ADDRESS, nobody)
    if address not in _names(session.address):
        return Answer(Code.CONNECTION_FAILED, nobody)
    if instrument.connected >= instrument.habits.connections and not session.ids:
        return Answer(Code.MAX_CONNECTIONS_REACHED, nobody)
    instrument.join(session)
    device = next(session.numbers)
    session.ids[device] = instrument.troubles.cuts
    return Answer(Code.OK, (bytes(c_int32(device)), bytes(device_infos(instrument))))


def _names(address: str) -> set[str]:
    place = address.partition("://")[2]
    return {address, place, place.rpartition(":")[0]}


def device_infos(instrument: VirtualInstrument) -> TDeviceInfos:
    return TDeviceInfos(
        DeviceCode=DEVICE_CODE[instrument.kind],
        RAMSize=64,
        CPU=1,
        NumberOfChannels=len(instrument.boards),
        NumberOfSlots=max(SLOTS[instrument.kind], max(instrument.boards) + 1),
        FirmwareVersion=FIRMWARE_VERSION,
        FirmwareDate_yyyy=2024,
        FirmwareDate_mm=2,
        FirmwareDate_dd=1,
        NbOfConnectedPC=instrument.connected,
    )


def disconnect(session: Session, device: int) -> Answer:
    """Fine for what is not connected, too."""
    session.ids.pop(device, None)
    if not session.ids:
        session.instrument.leave(session)
    return Answer(Code.OK)


def test_connection(session: Session, device: int) -> Answer:
    session.check(device)
    return Answer(Code.OK)


def channels_plugged(session: Session, device: int, size: int) -> Answer:
    boards = session.check(device).boards
    return Answer(Code.OK, (bytes(int(n in boards) for n in range(min(size, N_CHANNELS))),))


def is_plugged(session: Session, device: int, channel: int) -> Answer:
    return Answer(int(channel in session.check(device).boards))


def board_type(session: Session, device: int, channel: int) -> Answer:
    return Answer(Code.OK, (bytes(c_int32(session.check(device).board(channel).kind)),))


def channel_infos(session: Session, device: int, channel: int) -> Answer:
    instrument = session.check(device)
    board = instrument.board(channel)
    board.go_on(polled=False)
    ranges = [each.code for each in board.instrument.I_ranges]
    infos = TChannelInfos(
        Channel=channel,
        BoardVersion=1,
        BoardSerialNumber=1000 + channel,
        FirmwareCode=board.firmware,
        FirmwareVersion=FIRMWARE_VERSION,
        AmpCode=AMPLIFIER_NONE,
        MemSize=board.memory.size,
        MemFilled=board.memory.filled,
        State=State.RUN if board.running else State.STOP,
        MaxIRange=max(ranges),
        MinIRange=min(ranges),
        MaxBandwidth=instrument.data.bandwidth_max,
        NbOfTechniques=len(board.chain),
    )
    has_kernel = board.firmware == Firmware.KERNEL
    return Answer(Code.OK if has_kernel else instrument.habits.infos_code, (bytes(infos),))


def load_firmware(
    session: Session,
    device: int,
    chosen: list[int],
    length: int,
    _show_gauge: bool,
    force: bool,
    kernel: str | None,
    fpga: str | None,
) -> Answer:
    instrument = session.check(device)
    _check_files(instrument.kind, kernel, fpga)
    return each_channel(chosen, length, lambda channel: _load_kernel(instrument.board(channel), force=force))


def _load_kernel(board: Board, *, force: bool) -> None:
    """Restarts the channel, unless it has that kernel already."""
    if not board.kernel_fits:
        raise Refused(Code.FIRMWARE_INCOMPATIBLE)
    if force or board.firmware != Firmware.KERNEL:
        board.go_on(polled=False)
        board.stop()
        board.forget()
        board.firmware = Firmware.KERNEL


def _check_files(kind: Kind, kernel: str | None, fpga: str | None) -> None:
    """NULL is the right one for the board; the right name is right in any folder."""
    if kernel and _file(kernel) not in KERNEL.values():
        raise Refused(Code.FIRMWARE_FILE_NOT_EXISTS)
    if kernel and _file(kernel) != KERNEL[kind]:
        raise Refused(Code.FIRMWARE_INVALID_FILE)
    if fpga and _file(fpga) not in FPGA.values():
        raise Refused(Code.XILINX_FILE_NOT_EXISTS)
    if fpga and _file(fpga) != FPGA[kind]:
        raise Refused(Code.XILINX_INVALID_FILE)


def _file(path: str) -> str:
    return PureWindowsPath(path).name.lower()


def each_channel(chosen: list[int], length: int, do: Callable[[int], None]) -> Answer:
    """What came of each chosen channel; the call itself is well as soon as there was one."""
    results = [0] * min(length, N_CHANNELS)
    channels = [channel for channel in range(len(results)) if chosen[channel]]
    for channel in channels:
        try:
            do(channel)
        except Refused as refused:
            results[channel] = refused.code
    code = Code.OK if channels else Code.NO_CHANNEL_SELECTED
    return Answer(code, (bytes((c_int32 * len(results))(*results)),))


DEVICE_CALLS: dict[str, Callable[..., Answer]] = {
    "BL_Connect": connect,
    "BL_Disconnect": disconnect,
    "BL_TestConnection": test_connection,
    "BL_GetChannelsPlugged": channels_plugged,
    "BL_IsChannelPlugged": is_plugged,
    "BL_GetChannelBoardType": board_type,
    "BL_GetChannelInfos": channel_infos,
    "BL_LoadFirmware": load_firmware,
}
