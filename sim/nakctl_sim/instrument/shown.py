"""What a channel shows at the moment: TCurrentValues."""

from __future__ import annotations

from nakctl.device.channel import Flag
from nakctl.device.program import Loop
from nakctl_sim.instrument.abi import State, TCurrentValues
from nakctl_sim.instrument.board import Board
from nakctl_sim.instrument.translate import timebase_of


def current_values(board: Board, timebase_s: float | None) -> TCurrentValues:
    """timebase_s: of the rows that go with it; None: of the technique under way."""
    shown = TCurrentValues(
        State=State.RUN if board.running else State.STOP,
        MemFilled=board.memory.filled,
        TimeBase=_timebase_s(board) if timebase_s is None else timebase_s,
        ElapsedTime=board.elapsed_s,
        OptErr=board.option_error[0],
        OptPos=board.option_error[1],
    )
    _measured(board, shown)
    _ranges(board, shown)
    overloads = Flag(board.take_overloads())
    shown.Ioverflow = int(Flag.I_OVERLOAD in overloads)
    shown.Eoverflow = int(Flag.E_OVERLOAD in overloads)
    return shown


def _timebase_s(board: Board) -> float:
    received = board.chain[board.entry] if board.chain else None
    if received is None or received.file.timebase not in board.instrument.timebase_s:
        return 0.0
    return timebase_of(received, board.instrument)


def _measured(board: Board, shown: TCurrentValues) -> None:
    """What is at the terminals now; range and frequency of the newest row, while the channel runs."""
    shown.Ewe, shown.I, shown.Ece = board.at_terminals()
    if not board.running or board.last is None:
        return
    samples, points = board.last.samples, board.last.points
    if len(points) and not (len(samples) and samples["time_s"][-1] > points["time_s"][-1]):
        shown.Freq, shown.IRange = float(points["frequency_Hz"][-1]), int(points["I_range"][-1])
    else:
        shown.IRange = int(samples["I_range"][-1])


def _ranges(board: Board, shown: TCurrentValues) -> None:
    ranges = {each.name: each for each in board.instrument.E_ranges}
    technique = board.technique
    if technique is None or isinstance(technique, Loop):
        widest = board.instrument.E_ranges[-1]
    else:
        widest = ranges[technique.hardware.E_range]
    shown.EweRangeMin = shown.EceRangeMin = widest.low_V
    shown.EweRangeMax = shown.EceRangeMax = widest.high_V
