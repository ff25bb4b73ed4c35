"""What there is to know of each kind of technique, in one place: read by lowering, estimates, checks, texts,
booking, drivers and simulator. A new kind begins here.

What an instrument's own technique of that kind costs and how fast it is stands in `instruments/*.toml`; how a
vendor calls its parameters and lays out its rows, in the driver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Cp, Done, Draw, Eis, Ocv, Technique, Tested
from nakctl.errors import LimitError

Imposed = Literal["", "I", "Ewe", "P", "R"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of technique.

    name      in the record, in plans and in sentences
    loaded    the vendor's technique that carries it out, after which its time base is named in the data of an
              instrument. One that has no time base there does not exist on that instrument
    imposes   the quantity that the instrument keeps to; "": none, the cell is open
    unit      of its level
    changes   the reading whose change may ask for a row, beside time; "": none
    """

    name: str
    loaded: str
    imposes: Imposed = ""
    unit: str = ""
    changes: Literal["", "Ewe", "I"] = ""

    @property
    def cannot_break(self) -> str:
        """The quantity of an End that the instrument keeps within by itself."""
        return {"I": "|I|", "Ewe": "Ewe"}.get(self.imposes, "")

    @property
    def leaves_current_open(self) -> bool:
        """Whether only the cell decides on the current that flows."""
        return self.imposes in ("Ewe", "P", "R")


# CP and CA are always loaded as their variants with limits, and so are ramps and scans: those do all that the
# plain ones do, and one kind of row and one time base is simpler than two.
OCV = Kind("OCV", "OCV", changes="Ewe")
CP = Kind("CP", "CPLIMIT", "I", "A", "Ewe")
CA = Kind("CA", "CALIMIT", "Ewe", "V", "I")
RAMP = Kind("RAMP", "ISCANLIMIT", "I", "A")
SCAN = Kind("SCAN", "VSCANLIMIT", "Ewe", "V")
POWER = Kind("POWER", "POW", "P", "W", "Ewe")
LOAD = Kind("LOAD", "LOAD", "R", "ohm", "Ewe")
GEIS = Kind("GEIS", "GEIS", "I", "A")
PEIS = Kind("PEIS", "PEIS", "Ewe", "V")

KINDS = {kind.name: kind for kind in (OCV, CP, CA, RAMP, SCAN, POWER, LOAD, GEIS, PEIS)}


def kind_of(technique: Done) -> Kind:
    match technique:
        case Ocv():
            return OCV
        case Cp():
            return CP if technique.to_A is None else RAMP
        case Ca():
            return CA if technique.to_V is None else SCAN
        case Draw() | Eis():
            return KINDS[technique.control]


def loaded_as(technique: Done) -> str:
    """Of its kind: see there."""
    return kind_of(technique).loaded


def timebase_of(technique: Done, instrument: Instrument) -> float:
    """In s, with what an extra value in its rows adds. LimitError: the instrument has no such technique."""
    kind = kind_of(technique)
    if kind.loaded not in instrument.timebase_s:
        what = {"P": "constant power", "R": "constant load"}.get(kind.imposes, kind.name)
        raise LimitError(
            f"{instrument.name} has no technique for {what}: use a channel that has one (a VMP-3), or hold a "
            "current or a potential instead"
        )
    base_s = instrument.timebase_s[kind.loaded]
    if not (instrument.Ece_timebase_s and Ece_is_recorded(technique, instrument)):
        return base_s
    return math.ceil((base_s + instrument.Ece_timebase_s) * 1e6 - 1e-6) / 1e6


def Ece_is_recorded(technique: Done, instrument: Instrument) -> bool:
    """Whether its rows have Ece. Where they have not, only what the channel shows at the moment has."""
    return technique.hardware.Ece and loaded_as(technique) in instrument.Ece_rows


def level_of(technique: Technique) -> float:
    """What is imposed, in the unit of its kind; NaN: nothing is, or it changes, or only the channel knows."""
    match technique:
        case Cp(to=None) | Ca(to=None) | Draw():
            return technique.level
        case Eis(vs_previous=False):
            return technique.bias
        case _:
            return math.nan


def set_A(technique: Technique) -> float:
    """The current that flows at least, all the time; 0: the cell decides. NaN: nothing is driven."""
    match technique:
        case Cp(I_A=first_A, to_A=last_A):
            ends_A = (first_A, first_A if last_A is None else last_A)
            return math.copysign(min(map(abs, ends_A)), first_A) if ends_A[0] * ends_A[1] > 0 else 0.0
        case Eis(control="GEIS"):
            return technique.bias
        case Ca() | Draw() | Eis(vs_previous=False):
            return 0.0
        case _:
            return math.nan


def change_of(technique: Done) -> float | None:
    """By how much the reading named by `Kind.changes` may move before a row is kept; None: no matter."""
    match technique:
        case Ocv() | Cp() | Draw():
            return technique.dE_V
        case Ca():
            return technique.dI_A
        case Eis():
            return None


def drives(technique: Done) -> str | None:
    """A direction of current, a potential, a power, or nothing (the cell is at rest)."""
    match technique:
        case Cp(I_A=first_A, to_A=last_A):
            mean_A = first_A if last_A is None else first_A + last_A
            return None if mean_A == 0 else "strips" if mean_A > 0 else "plates"
        case Eis(control="GEIS", bias=level):
            return None if level == 0 else "strips" if level > 0 else "plates"
        case Draw():
            return "power"
        case Ca() | Eis(control="PEIS", vs_previous=False):
            return "potential"
        case _:
            return None


def stops(technique: Technique | None) -> bool:
    """Whether a test that is met ends the chain."""
    return isinstance(technique, Tested) and technique.on_test == "stop"
