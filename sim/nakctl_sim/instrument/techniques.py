"""The technique files this instrument can execute: names, numbers, and the parameters each understands.

Labels, types and array rules: the vendor's manual as transcribed in public drivers (helao-async, nupylab,
Matlab4Potentiostat, EPICS-ECLab). A per-step parameter comes as one record per step, index 0, 1, 2 ...
A scan has one more vertex than it has ways between them, and the first vertex has a rate that nobody uses.
Techniques that the files of a package hold but that are not imitated here are refused at load like corrupted
files (-402), so that nobody mistakes them for executed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PureWindowsPath

from nakctl_sim.instrument.abi import Board, Kind
from nakctl_sim.instrument.codes import Code, Refused

MAX_STEPS = 20
MAX_LONG = 99  # of those whose Step_number or Scan_number goes to 98
CV_VERTICES = 5  # Ei, E1, E2, Ei, Ef
CV_SCAN_NUMBER = 2
MAX_INCREMENTS = 98  # of a staircase
INT, BOOL, SINGLE = Kind.INT, Kind.BOOL, Kind.SINGLE
SUFFIX = {Board.ESSENTIAL: "", Board.PREMIUM: "4", Board.DIGICORE: "5"}
KERNEL = {Board.ESSENTIAL: "kernel.bin", Board.PREMIUM: "kernel4.bin", Board.DIGICORE: "kernel5.bin"}
FPGA = {Board.ESSENTIAL: "vmp_ii_0437_a6.xlx", Board.PREMIUM: "vmp_iv_0395_aa.xlx", Board.DIGICORE: ""}

Labels = dict[str, Kind]


@dataclass(frozen=True, slots=True)
class TechniqueFile:
    """One technique of the library.

    timebase  name of its time base in the instrument's data (cp, ca, vscan, iscan and cv go by that of the
              variants with limits: the simulated potentiostat knows no other); "" for those that take no time
    scalars, arrays, optional   labels with types: one record each; one per step; may be left out
    most     steps or vertices that it takes
    """

    name: str
    number: int
    timebase: str = ""
    scalars: Labels = field(default_factory=dict)
    arrays: Labels = field(default_factory=dict)
    optional: Labels = field(default_factory=dict)
    most: int = MAX_STEPS


_HARDWARE: Labels = {"I_Range": INT, "E_Range": INT, "Bandwidth": INT, "tb": SINGLE, "xctr": INT}
_TEST_ARRAYS: Labels = {
    **{f"Test{n}_Config": INT for n in (1, 2, 3)},
    **{f"Test{n}_Value": SINGLE for n in (1, 2, 3)},
    "Exit_Cond": INT,
}


def _stepped(name: str, number: int, timebase: str, level: str, delta: str, *, tests: bool) -> TechniqueFile:
    arrays = {level: SINGLE, "vs_initial": BOOL, "Duration_step": SINGLE}
    return TechniqueFile(
        name,
        number,
        timebase,
        {"Step_number": INT, "Record_every_dT": SINGLE, "N_Cycles": INT},
        arrays | (_TEST_ARRAYS if tests else {}),
        {delta: SINGLE} | _HARDWARE,
    )


def _scan(name: str, number: int, timebase: str, unit: str, most: int) -> TechniqueFile:
    """vscan and iscan, with tests where there are at most 20 vertices; cv."""
    driven, measured = ("E", "I") if unit == "Voltage" else ("I", "E")
    scalars = {"Scan_number": INT, f"Record_every_d{driven}": SINGLE, "N_Cycles": INT}
    scalars |= {f"{edge}_measuring_{measured}": SINGLE for edge in ("Begin", "End")}
    arrays = {f"{unit}_step": SINGLE, "vs_initial": BOOL, "Scan_Rate": SINGLE}
    if name == "cv":
        scalars |= {"Average_over_dE": BOOL}
    if name.endswith("limit"):
        arrays |= _TEST_ARRAYS
    return TechniqueFile(name, number, timebase, scalars, arrays, _HARDWARE, most)


def _drawing(name: str, number: int, timebase: str, level: str) -> TechniqueFile:
    arrays = {level: SINGLE, "vs_initial": BOOL, "Duration_step": SINGLE}
    scalars = {"Step_number": INT, "Record_every_dT": SINGLE, "N_Cycles": INT}
    return TechniqueFile(
        name, number, timebase, scalars, arrays, {"Record_every_dE": SINGLE} | _HARDWARE, MAX_LONG
    )


def _impedance(name: str, number: int, control: str, unit: str, *, staircase: bool) -> TechniqueFile:
    ends = {f"Final_{unit}_step": SINGLE, "Step_number": INT}
    scalars = {
        "vs_initial": BOOL,
        f"Initial_{unit}_step": SINGLE,
        "Duration_step": SINGLE,
        "Record_every_dT": SINGLE,
        "Initial_frequency": SINGLE,
        "Final_frequency": SINGLE,
        "sweep": BOOL,
        f"Amplitude_{unit}": SINGLE,
        "Frequency_number": INT,
        "Average_N_times": INT,
        "Correction": BOOL,
        "Wait_for_steady": SINGLE,
    }
    delta = "Record_every_dE" if unit == "Current" else "Record_every_dI"
    optional = {"vs_final": BOOL, delta: SINGLE} | _HARDWARE
    if staircase:
        return TechniqueFile(name, number, control, scalars | ends, {}, optional)
    return TechniqueFile(name, number, control, scalars, {}, optional | ends)


_ALL = (
    TechniqueFile(
        "ocv",
        100,
        "OCV",
        {"Rest_time_T": SINGLE, "Record_every_dT": SINGLE},
        {},
        {"Record_every_dE": SINGLE} | _HARDWARE,
    ),
    _stepped("ca", 101, "CALIMIT", "Voltage_step", "Record_every_dI", tests=False),
    _stepped("cp", 102, "CPLIMIT", "Current_step", "Record_every_dE", tests=False),
    _stepped("calimit", 157, "CALIMIT", "Voltage_step", "Record_every_dI", tests=True),
    _stepped("cplimit", 155, "CPLIMIT", "Current_step", "Record_every_dE", tests=True),
    _scan("cv", 103, "VSCANLIMIT", "Voltage", CV_VERTICES),
    _scan("vscan", 124, "VSCANLIMIT", "Voltage", MAX_LONG + 1),
    _scan("vscanlimit", 158, "VSCANLIMIT", "Voltage", MAX_STEPS),
    _scan("iscan", 125, "ISCANLIMIT", "Current", MAX_LONG + 1),
    _scan("iscanlimit", 156, "ISCANLIMIT", "Current", MAX_STEPS),
    _drawing("pow", 110, "POW", "Power_step"),
    _drawing("load", 111, "LOAD", "Load_step"),
    _impedance("peis", 104, "PEIS", "Voltage", staircase=False),
    _impedance("geis", 107, "GEIS", "Current", staircase=False),
    _impedance("seisp", 113, "PEIS", "Voltage", staircase=True),
    _impedance("seisg", 114, "GEIS", "Current", staircase=True),
    TechniqueFile("loop", 150, "", {"loop_N_times": INT, "protocol_number": INT}, {}, {}),
    TechniqueFile("to", 151, "", {"Trigger_Logic": INT, "Trigger_Duration": SINGLE}, {}, {}),
    TechniqueFile("ti", 152, "", {"Trigger_Logic": INT}, {}, {}),
    TechniqueFile("tos", 153, "", {"Trigger_Logic": INT}, {}, {}),
)
TECHNIQUES = {each.name: each for each in _ALL}
# The other files of a package (release 6.08).
NOT_IMITATED = frozenset(
    {
        *("casg", "casp", "cpp", "dnpv", "dpa", "dpv", "evt", "gc", "gzir", "ircmp", "lasv", "lp"),
        *("mp", "npv", "pdp", "psp", "pzir", "rnpv", "swv", "zra"),
    }
)
ON_ESSENTIAL_ALONE = frozenset({"pow", "load"})  # the packages hold them without suffix only


def technique_file(path: str, board: Board) -> TechniqueFile:
    """By the name of its file, which must be the one for this board. Refused: -400, -401, -402."""
    name = PureWindowsPath(path).name.lower()
    if not name.endswith(".ecc"):
        raise Refused(Code.ECC_FILE_NOT_EXISTS)
    stem, known = name.removesuffix(".ecc"), TECHNIQUES.keys() | NOT_IMITATED
    for_boards = {
        technique + suffix: board
        for technique in known
        for board, suffix in SUFFIX.items()
        if board == Board.ESSENTIAL or technique not in ON_ESSENTIAL_ALONE
    }
    if stem not in for_boards:
        raise Refused(Code.ECC_FILE_NOT_EXISTS)
    if for_boards[stem] != board:
        raise Refused(Code.INCOMPATIBLE_ECC)
    technique = stem.removesuffix(SUFFIX[board]) if SUFFIX[board] else stem
    if technique not in TECHNIQUES:
        raise Refused(Code.ECC_FILE_CORRUPTED)
    return TECHNIQUES[technique]
