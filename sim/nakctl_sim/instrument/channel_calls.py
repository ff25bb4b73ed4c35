"""Calls about one channel's run: load, start, stop, values, data. Each gets the session and what goes in."""

from __future__ import annotations

import math
from collections.abc import Callable
from ctypes import c_int32
from typing import TYPE_CHECKING

import numpy as np

from nakctl_sim.instrument.abi import (
    DATA_WORDS,
    Firmware,
    State,
    TCurrentValues,
    TDataInfos,
    TExperimentInfos,
    THardwareConf,
    TTechniqueInfos,
)
from nakctl_sim.instrument.abi import Board as Kind
from nakctl_sim.instrument.arguments import buffered
from nakctl_sim.instrument.board import Board
from nakctl_sim.instrument.c3x import Words
from nakctl_sim.instrument.calls import Answer
from nakctl_sim.instrument.codes import Code, Refused
from nakctl_sim.instrument.device_calls import each_channel
from nakctl_sim.instrument.memory import Group
from nakctl_sim.instrument.received import RECORD, receive, update
from nakctl_sim.instrument.shown import current_values
from nakctl_sim.instrument.techniques import technique_file

if TYPE_CHECKING:
    from nakctl_sim.instrument.device import Session, VirtualInstrument

GARBAGE = np.uint32(0xDEADBEEF)


def ready(instrument: VirtualInstrument, channel: int) -> Board:
    """The board as it is now, with our kernel on it. Refused: what keeps it from working."""
    board = usable(instrument, instrument.board(channel))
    board.go_on(polled=False)
    return board


def usable(instrument: VirtualInstrument, board: Board) -> Board:
    if board.firmware == Firmware.INTERPRETER:
        raise Refused(instrument.habits.eclab_code)
    if board.firmware != Firmware.KERNEL:
        raise Refused(Code.FIRMWARE_NOT_LOADED)
    if not board.kernel_fits:
        raise Refused(Code.FIRMWARE_INCOMPATIBLE)
    return board


def load_technique(
    session: Session,
    device: int,
    channel: int,
    path: str | None,
    records: bytes,
    first: bool,
    last: bool,
    _display: bool,
) -> Answer:
    board = ready(session.check(device), channel)
    file = technique_file(path or "", board.kind)
    board.load(receive(file, records, board.scans_from), first=first, last=last)
    return Answer(Code.OK)


def update_parameters(
    session: Session, device: int, channel: int, at: int, records: bytes, path: str | None
) -> Answer:
    instrument = session.check(device)
    board = ready(instrument, channel)
    too_many = len(records) > instrument.habits.update_length * RECORD.size
    if not 0 <= at < len(board.chain) or too_many:
        raise Refused(Code.UPDATE_PARAMETERS)
    if technique_file(path or "", board.kind) != board.chain[at].file:
        raise Refused(Code.UPDATE_PARAMETERS)
    board.change(at, update(board.chain[at], taken(board, at, records), board.scans_from))
    return Answer(Code.OK)


def taken(board: Board, at: int, records: bytes) -> bytes:
    """Those parameters that the instrument does not ignore. Refused: it does not take them."""
    what, of_range = board.update_habits(at)
    each = [records[k : k + RECORD.size] for k in range(0, len(records), RECORD.size)]
    others = [one for one in each if not one.startswith(b"I_Range\0")]
    if what == "refused" or (of_range == "refused" and len(others) < len(each)):
        raise Refused(Code.UPDATE_PARAMETERS)
    return b"" if what == "ignored" else b"".join(others if of_range == "ignored" else each)


def technique_infos(session: Session, device: int, channel: int, at: int) -> Answer:
    board = ready(session.check(device), channel)
    if not 0 <= at < len(board.chain):
        raise Refused(Code.INVALID_PARAMETERS)
    received = board.chain[at]
    count = sum(map(len, received.values.values()))
    return Answer(Code.OK, (bytes(TTechniqueInfos(id=received.file.number, index=at, nbParams=count)),))


def start(session: Session, device: int, channel: int) -> Answer:
    ready(session.check(device), channel).start()
    return Answer(Code.OK)


def stop(session: Session, device: int, channel: int) -> Answer:
    """Fine for what stands still, too."""
    ready(session.check(device), channel).stop()
    return Answer(Code.OK)


def start_all(session: Session, device: int, chosen: list[int], length: int) -> Answer:
    instrument = session.check(device)
    return each_channel(chosen, length, lambda channel: ready(instrument, channel).start())


def stop_all(session: Session, device: int, chosen: list[int], length: int) -> Answer:
    instrument = session.check(device)
    return each_channel(chosen, length, lambda channel: ready(instrument, channel).stop())


def values(session: Session, device: int, channel: int) -> Answer:
    instrument = session.check(device)
    board = usable(instrument, instrument.board(channel))
    board.go_on()
    if board.stop_reads:
        board.stop_reads -= 1
        return Answer(Code.OK, (bytes(TCurrentValues(State=State.STOP)),))
    return Answer(Code.OK, (bytes(current_values(board, None)),))


def data(session: Session, device: int, channel: int) -> Answer:
    instrument = session.check(device)
    board = usable(instrument, instrument.board(channel))
    if board.stop_reads:
        board.stop_reads -= 1
        return _handed_over(instrument, board, None, TCurrentValues(State=State.STOP))
    board.go_on(polled=board.hungry)
    lost = board.expire()
    if instrument.habits.eis_loss_counted:
        board.skipped += lost
    taken = board.memory.take()
    board.hungry = taken is None
    of_rows = instrument.habits.timebase_of == "rows" and taken is not None
    shown = current_values(board, taken[0].timebase_s if taken is not None and of_rows else None)
    return _handed_over(instrument, board, taken, shown)


def _handed_over(
    instrument: VirtualInstrument, board: Board, taken: tuple[Group, Words] | None, shown: TCurrentValues
) -> Answer:
    zero = instrument.habits.padding == "zero"
    buffer = np.full(DATA_WORDS, 0 if zero else GARBAGE, "<u4")
    infos = TDataInfos(IRQskipped=board.skipped)
    board.skipped = 0
    if taken is not None:
        group, words = taken
        buffer[: words.size] = words.ravel()
        infos.NbRows, infos.NbCols = words.shape
        infos.TechniqueIndex, infos.TechniqueID = group.entry, group.number
        infos.ProcessIndex, infos.loop = group.process, group.loop
        no_start = group.start_s == 0.0 and instrument.habits.first_start_time == "nan"
        infos.StartTime = math.nan if no_start else group.start_s
    return Answer(Code.OK, (buffer.tobytes(), bytes(infos), bytes(shown)))


def message(session: Session, device: int, channel: int, room: int) -> Answer:
    """One at a time; empty when there are no more."""
    board = session.check(device).board(channel)
    text = board.messages.popleft() if board.messages else ""
    raw = text.encode("latin-1", "replace")[: max(room - 1, 0)] + b"\0"
    return Answer(Code.OK, (buffered(len(raw), raw) if room else None,))


def option_error(session: Session, device: int, channel: int) -> Answer:
    code, position = session.check(device).board(channel).option_error
    return Answer(Code.OK, (bytes(c_int32(code)), bytes(c_int32(position))))


def hardware(session: Session, device: int, channel: int) -> Answer:
    board = _configurable(session, device, channel)
    return Answer(Code.OK, (bytes(THardwareConf(*board.hardware)),))


def set_hardware(session: Session, device: int, channel: int, asked: THardwareConf) -> Answer:
    board = _configurable(session, device, channel)
    if not (0 <= asked.Conn <= 3 and 0 <= asked.Ground <= 1):
        raise Refused(Code.INVALID_PARAMETERS)
    if board.running:
        raise Refused(Code.CHANNEL_RUNNING)
    board.hardware = asked.Conn, asked.Ground
    return Answer(Code.OK)


def _configurable(session: Session, device: int, channel: int) -> Board:
    """Only boards of the SP-300 family are."""
    board = ready(session.check(device), channel)
    if board.kind == Kind.ESSENTIAL:
        raise Refused(Code.DEVICE_NOT_ALLOWED)
    return board


def experiment(session: Session, device: int, channel: int) -> Answer:
    kept = ready(session.check(device), channel).experiment
    return Answer(Code.OK, (kept or bytes(TExperimentInfos()),))


def set_experiment(session: Session, device: int, channel: int, infos: TExperimentInfos) -> Answer:
    ready(session.check(device), channel).experiment = bytes(infos)
    return Answer(Code.OK)


CHANNEL_CALLS: dict[str, Callable[..., Answer]] = {
    "BL_GetHardConf": hardware,
    "BL_SetHardConf": set_hardware,
    "BL_GetOptErr": option_error,
    "BL_GetMessage": message,
    "BL_GetExperimentInfos": experiment,
    "BL_SetExperimentInfos": set_experiment,
    "BL_LoadTechnique": load_technique,
    "BL_UpdateParameters": update_parameters,
    "BL_GetTechniqueInfos": technique_infos,
    "BL_StartChannel": start,
    "BL_StartChannels": start_all,
    "BL_StopChannel": stop,
    "BL_StopChannels": stop_all,
    "BL_GetCurrentValues": values,
    "BL_GetData": data,
}
