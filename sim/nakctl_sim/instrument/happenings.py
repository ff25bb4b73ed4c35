"""What each fault does to a channel."""

from __future__ import annotations

import math
from collections.abc import Callable

from nakctl.device.channel import Flag
from nakctl_sim.instrument.abi import Firmware
from nakctl_sim.instrument.board import Board
from nakctl_sim.instrument.faults import Fault
from nakctl_sim.instrument.received import Received
from nakctl_sim.instrument.techniques import TECHNIQUES

FOREIGN_REST = Received(
    TECHNIQUES["ocv"],
    {"Rest_time_T": [36000.0], "Record_every_dT": [1.0], "Record_every_dE": [math.inf]},
)
OVERLOAD_MESSAGE = "I overflow: the current is beyond its range"


def stopped(board: Board, fault: Fault) -> None:
    board.halt(fault.at_s)


def early_end(board: Board, fault: Fault) -> None:
    board.skip(fault.at_s)


def lost_kernel(board: Board, fault: Fault) -> None:
    board.halt(fault.at_s)
    board.memory.clear()
    board.firmware = Firmware.NONE


def eclab(board: Board, fault: Fault) -> None:
    board.halt(fault.at_s)
    board.firmware = Firmware.INTERPRETER


def kernel(board: Board, _fault: Fault) -> None:
    board.kernel_fits = False


def taken(board: Board, fault: Fault) -> None:
    board.halt(fault.at_s)
    board.experiment = b""
    board.load(FOREIGN_REST, first=True, last=True)
    board.start()


def stolen(board: Board, _fault: Fault) -> None:
    board.memory.clear()


def memory_full(board: Board, _fault: Fault) -> None:
    board.memory.be_full()


def stop_ignored(board: Board, fault: Fault) -> None:
    board.deaf_until_s = fault.at_s + fault.length_s


def option(board: Board, fault: Fault) -> None:
    code, _, position = fault.value.partition(":")
    board.option_error = int(code), int(position)


def message(board: Board, fault: Fault) -> None:
    board.messages.append(fault.value)


def overload(board: Board, _fault: Fault) -> None:
    board.overloads |= int(Flag.I_OVERLOAD)
    board.messages.append(OVERLOAD_MESSAGE)


HAPPENINGS: dict[str, Callable[[Board, Fault], None]] = {
    "eclab": eclab,
    "kernel": kernel,
    "lost-kernel": lost_kernel,
    "stopped": stopped,
    "early-end": early_end,
    "taken": taken,
    "stolen": stolen,
    "memory-full": memory_full,
    "stop-ignored": stop_ignored,
    "option": option,
    "message": message,
    "overload": overload,
}
ALL_CHANNELS = {"option", "message"}  # their value is no channel
OTHER_PROGRAM = {"guest", "stopped", "taken", "stolen"}  # another PC is connected from then on
