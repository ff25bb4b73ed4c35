"""What the columns of the rows mean, per technique, process and board. Data.

Source: the field tables of easy-biologic, nupylab and helao-async, which agree, but for the second column of
an OCV on a VMP-3 (it is Ece) and the last one of an impedance row there (integer or float). Of scans tomato,
of ramps tomato and Matlab4Potentiostat, of power and load nupylab. Whether a ramp's row on a VMP-3 begins
with the current that is set, as that of a scan does with the potential, is not certain: their number tells.
"""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.errors import ChannelError
from nakctl_biologic.codes import Board, Id

DC, IMPEDANCE = 0, 1  # TDataInfos.ProcessIndex

# First columns of a row of process 0: two words of time (high, low), then these.
TIMES = ("high", "low")
OPEN = {Board.ESSENTIAL: ("Ewe", "Ece"), Board.PREMIUM: ("Ewe",), Board.DIGICORE: ("Ewe",)}
DRIVEN = ("Ewe", "I", "cycle")
HELD = ("Ewe", "I")
CONTROL = "set"  # the level that was asked for
SCANNED = ("I", "Ewe", "cycle")  # means over a part of the row's time
POWERED = ("Ewe", "I", "P", "cycle")
LOADED = ("Ewe", "I", "R", "cycle")
HELD_STAIRCASE = ("Ewe", "I", "step")

# Bits of xctr, each of which appends a column to a row: boards of the VMP-300 family have it.
XCTR = {"Ece": 1 << 0}

# Process 1. Columns 6, 11 and 12 may hold anything; t is an absolute time in s.
POINT_COLUMNS = (
    "frequency", "|Ewe|", "|I|", "phase", "Ewe", "I", "",
    "|Ece|", "|Ice|", "phase Ce", "Ece", "", "", "t",
)  # fmt: skip
INTEGERS = frozenset({"high", "low", "cycle", "step", "I range"})


@dataclass(frozen=True, slots=True)
class Layout:
    """columns by name, in their order."""

    columns: tuple[str, ...]

    def place(self, name: str) -> int:
        return self.columns.index(name)

    def __contains__(self, name: str) -> bool:
        return name in self.columns


def layout(technique: int, process: int, board: Board, extras: tuple[str, ...] = ()) -> Layout:
    """How the rows of a technique look. extras: what was asked for by xctr, in the order of its bits.
    ChannelError: there is no such technique or process."""
    found = _points(technique, board) if process == IMPEDANCE else _samples(technique, board)
    if found is None or process not in (DC, IMPEDANCE):
        raise ChannelError(f"rows of technique {technique}, process {process}: no known layout")
    return Layout(found.columns + extras) if process == DC and extras else found


def other_layout(technique: int, board: Board) -> Layout | None:
    """How samples may look as well."""
    if technique == Id.ISCANLIMIT and board is Board.ESSENTIAL:
        return Layout((*TIMES, CONTROL, *SCANNED))
    return None


def _samples(technique: int, board: Board) -> Layout | None:
    match technique:
        case Id.OCV:
            return Layout(TIMES + OPEN[board])
        case Id.CPLIMIT | Id.CALIMIT:
            return Layout(TIMES + DRIVEN)
        case Id.VSCANLIMIT:
            control = (CONTROL,) if board is Board.ESSENTIAL else ()
            return Layout(TIMES + control + SCANNED)
        case Id.ISCANLIMIT:
            return Layout(TIMES + SCANNED)
        case Id.POW:
            return Layout(TIMES + POWERED)
        case Id.LOAD:
            return Layout(TIMES + LOADED)
        case Id.GEIS | Id.PEIS:
            return Layout(TIMES + HELD)
        case Id.SGEIS | Id.SPEIS:
            return Layout(TIMES + HELD_STAIRCASE)
    return None


def _points(technique: int, board: Board) -> Layout | None:
    if technique not in (Id.GEIS, Id.PEIS, Id.SGEIS, Id.SPEIS):
        return None
    extra = ("I range",) if board is Board.ESSENTIAL else ()
    staircase = ("step",) if technique in (Id.SGEIS, Id.SPEIS) else ()
    return Layout(POINT_COLUMNS + extra + staircase)
