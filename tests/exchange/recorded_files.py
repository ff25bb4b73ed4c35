"""Recordings as EC-Lab writes them, by hand: text by its look, `.mpr` after what galvani knows of its form."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

START = datetime(2024, 1, 10, 11, 2, 29, 886000)
Columns = Mapping[str, Sequence[float]]

NAMES = {
    "OCV": ("Open Circuit Voltage", 0x0B),
    "CP": ("Chronopotentiometry", 0x19),
    "CA": ("Chronoamperometry / Chronocoulometry", 0x18),
    "CV": ("Cyclic Voltammetry", 0x06),
    "LSV": ("Linear Sweep Voltammetry", 0x6C),
    "PEIS": ("Potentio Electrochemical Impedance Spectroscopy", 0x1D),
    "GEIS": ("Galvano Electrochemical Impedance Spectroscopy", 0x1E),
    "GCPL": ("Galvanostatic Cycling with Potential Limitation", 0x04),
    "MB": ("Modulo Bat", 0x7F),
    "ZIR": ("IR compensation (PEIS)", 0x32),
}

# One small recording of each technique, as columns of EC-Lab.
OCV: Columns = {"mode": [3, 3, 3], "time/s": [0, 1, 2], "Ewe/V": [3.421, 3.422, 3.4225]}
CP: Columns = {
    "mode": [1, 1, 1, 1],
    "Ns": [0, 0, 1, 1],
    "time/s": [3, 4, 5, 6.5],
    "control/mA": [0.02, 0.02, -0.03, -0.03],
    "<Ewe>/V": [3.43, 3.44, 3.41, 3.40],
    "I/mA": [0.020003, 0.019998, -0.03, -0.030001],
    "(Q-Qo)/C": [2e-5, 4e-5, 1e-5, -3.5e-5],
}
CA: Columns = {
    "mode": [2, 2, 2],
    "time/s": [7, 8, 9],
    "control/V": [3.5, 3.5, 3.5],
    "Ewe/V": [3.4999, 3.5, 3.5001],
    "<I>/mA": [0.4, 0.2, 0.1],
    "dQ/C": [4e-4, 6e-4, 7e-4],  # from the beginning of the Ns on, as in yadg's mp.issue_183 and ca.issue_134
}
CV: Columns = {
    "mode": [2] * 7,
    "time/s": [0, 1, 2, 3, 4, 5, 6],
    "control/V": [0, 0.1, 0.2, 0.1, 0, 0.1, 0.2],
    "Ewe/V": [0, 0.1, 0.2, 0.1, 0, 0.1, 0.2],
    "<I>/mA": [0.1, 0.2, 0.3, -0.1, -0.2, 0.2, 0.3],
    "cycle number": [1, 1, 1, 1, 2, 2, 2],
}
LSV: Columns = {name: values[:3] for name, values in CV.items() if name != "cycle number"}
_F_Hz = [1e5, 1e3, 12.5, 1e5, 1e3, 12.5, 1e5, 1e3]
GEIS: Columns = {
    "freq/Hz": [0, *_F_Hz],
    "Re(Z)/Ohm": [0, 10, 20, 30, 11, 21, 31, 12, 22],
    "-Im(Z)/Ohm": [0, 1, 5, 2, 1.1, 5.1, 2.1, -0.5, 5.2],
    "|Z|/Ohm": [0.0] * 9,
    "Phase(Z)/deg": [0.0] * 9,
    "time/s": [10, 11, 11.5, 12, 13, 13.5, 14, 15, 15.5],
    "<Ewe>/V": [3.3, 3.31, 3.31, 3.32, 3.33, 3.33, 3.34, 3.34, 3.34],
    "<I>/mA": [0.38, 0.3801, 0.38, 0.38, 0.38, 0.38, 0.3799, 0.38, 0.38],
    "cycle number": [1, 1, 1, 1, 2, 2, 2, 3, 3],
    "|Ewe|/V": [0, 1e-3, 2e-3, 3e-3, 1e-3, 2e-3, 3e-3, 1e-3, 2e-3],
    "|I|/A": [0, *[5e-5] * 8],
}
PEIS: Columns = {
    name: [0.0] * 9 if name == "<I>/mA" else values for name, values in GEIS.items() if name != "cycle number"
} | {"|Ewe|/V": [0, *[0.01] * 8], "|I|/A": [0, *range(1, 9)]}
# A cycle: rest, 30 uA, then the potential held within the same sequence; and the same once more.
GCPL: Columns = {
    "mode": [3, 1, 1, 2, 3, 1, 1, 2],
    "Ns": [0, 1, 1, 1, 0, 1, 1, 1],
    "time/s": [0, 10, 20, 30, 40, 50, 60, 70],
    "control/V/mA": [0, 0.03, 0.03, 4.2, 0, 0.03, 0.03, 4.2],
    "Ewe/V": [3.4, 4.0, 4.2, 4.2, 4.1, 4.15, 4.2, 4.2],
    "dq/mA.h": [0, 8e-5, 8e-5, 4e-5, 0, 8e-5, 8e-5, 2e-5],
    "(Q-Qo)/mA.h": [0, 8e-5, 1.6e-4, 2e-4, 2e-4, 2.8e-4, 3.6e-4, 3.8e-4],
    "half cycle": [0, 0, 0, 0, 2, 2, 2, 2],
}
MB: Columns = {
    "mode": [3, 1, 1, 1, 2, 1],
    "Ns": [0, 1, 2, 2, 2, 1],
    "time/s": [0, 1, 2, 3, 4, 5],
    "control/V/mA": [0, 0.1, 0.1, 0.1, 0.1, 0.1],
    "Ewe/V": [3.4, 3.5, 3.5, 3.5, 3.5, 3.5],
    "I/mA": [0, 0.1, 0.1, 0.1, 0.1, 0.1],
    "freq/Hz": [0, 0, 1e4, 1e3, 1e2, 0],
    "|Z|/Ohm": [0, 0, 10, 20, 30, 0],
    "Phase(Z)/deg": [0, 0, -10, -20, -30, 0],
    "cycle number": [0] * 6,
}
EACH = {
    "OCV": OCV, "CP": CP, "CA": CA, "CV": CV, "LSV": LSV, "GEIS": GEIS, "PEIS": PEIS, "GCPL": GCPL, "MB": MB,
}  # fmt: skip


def later(columns: Columns, by_s: float) -> dict[str, Sequence[float]]:
    return {
        name: [v + by_s for v in values] if name == "time/s" else values for name, values in columns.items()
    }


def twice(columns: Columns, apart_s: float) -> dict[str, Sequence[float]]:
    """As EC-Lab records in a loop: its charge begins anew."""
    again = later(columns, apart_s)
    return {name: [*values, *again[name]] for name, values in columns.items()}


def mpt(
    technique: str,
    columns: Columns,
    *,
    comma: bool = False,
    start: datetime | None = START,
    loops: Sequence[int] = (),
    area: str = "0.500 cm²",
    comments: Sequence[str] = (),
) -> bytes:
    """loops: rows at which passes begin, the first included."""
    head = ["", NAMES[technique][0], "", "Run on channel : 1 (SN 15265)", "User : ada"]
    if start is not None:
        head.append(f"Acquisition started on : {start:%m/%d/%Y %H:%M:%S}.{start.microsecond // 1000:03}")
    head += ["Device : SP-300 (SN 1854)", "EC-Lab for windows v11.50 (software)", "Electrode material : Na"]
    head += [f"Comments : {each}" for each in comments]
    head += [
        f"Electrode surface area : {area.replace('.', ',') if comma else area}",
        "Characteristic mass : 0.001 g",
    ]
    head += ["Cycle Definition : Charge/Discharge alternance", ""]
    ends = [*loops[1:], len(columns["time/s"])]
    head += [f"Number of loops : {len(loops)}"] if loops else []
    head += [
        f"Loop {k} from point number {a} to {b - 1}"
        for k, (a, b) in enumerate(zip(loops, ends, strict=False))
    ]
    first = ["EC-Lab ASCII FILE", f"Nb header lines : {len(head) + 3}{' ' * 26}"]
    names, *rows = body(columns)
    if comma:
        rows = [row.replace(".", ",") for row in rows]
    return ("\r\n".join([*first, *head, names, *rows]) + "\r\n").encode("latin-1")


def body(columns: Columns) -> list[str]:
    """The names, with a tab behind them, and rows as EC-Lab writes numbers."""
    rows = zip(*columns.values(), strict=True)
    return ["\t".join((*columns, "")), *("\t".join(map(number, row)) for row in rows)]


def number(value: float) -> str:
    mantissa, _, exponent = f"{value:.15E}".partition("E")
    return f"{mantissa}E{int(exponent):+04}"


# Numbers of columns in .mpr, and what they are kept as.
_COLUMNS = {
    "time/s": (4, "<f8"), "control/V/mA": (5, "<f4"), "Ewe/V": (6, "<f4"), "dq/mA.h": (7, "<f8"),
    "I/mA": (8, "<f4"), "<I>/mA": (76, "<f4"), "(Q-Qo)/mA.h": (13, "<f8"), "control/V": (19, "<f4"),
    "control/mA": (20, "<f4"), "cycle number": (24, "<f8"), "freq/Hz": (32, "<f4"), "|Ewe|/V": (33, "<f4"),
    "|I|/A": (34, "<f4"), "Phase(Z)/deg": (35, "<f4"), "|Z|/Ohm": (36, "<f4"), "Re(Z)/Ohm": (37, "<f4"),
    "-Im(Z)/Ohm": (38, "<f4"), "I Range": (39, "<u2"), "<Ewe>/V": (77, "<f4"), "Ns": (131, "<u2"),
    "(Q-Qo)/C": (178, "<f4"), "dQ/C": (179, "<f4"), "step time/s": (182, "<f8"), "half cycle": (212, "<u4"),
    "unheard-of": (250, "<f4"),
}  # fmt: skip


def mpr(
    technique: str,
    columns: Columns,
    *,
    start: datetime | None = START,
    loops: Sequence[int] = (),
    area: tuple[float, int] = (0.5, 2),
    comments: str = "",
) -> bytes:
    """area: and the number of its unit."""
    settings = bytearray(0x300)
    settings[0] = NAMES[technique][1]
    settings[7 : 8 + len(comments)] = bytes([len(comments)]) + comments.encode()
    settings[0x11E:0x121] = b"\x02Na"
    struct.pack_into("<f", settings, 0x0211, area[0])
    struct.pack_into("<fBB", settings, 0x024C, 0.001, area[1], 1)
    made = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + b"\0" * 4
    made += _module("VMP Set", settings) + _module("VMP data", _data(columns))
    if loops:
        ends = [*loops, len(columns["time/s"])]
        made += _module("VMP loop", struct.pack(f"<I{len(ends)}I", len(ends), *ends))
    if start is None:
        return made
    log = bytearray(0x400)
    log[9] = 1
    log[0x3B7:0x3BD] = b"\x0511.50"
    struct.pack_into("<d", log, 0x0249, (start - datetime(1899, 12, 30)) / timedelta(days=1))
    return made + _module("VMP LOG", log)


def _module(name: str, data: bytes | bytearray) -> bytes:
    head = b"MODULE" + name.encode().ljust(10) + b"".ljust(25)
    return head + struct.pack("<II", len(data), 0) + f"{START:%m/%d/%y}".encode() + bytes(data)


def _data(columns: Columns) -> bytes:
    """The first layout of the module. Flags share a byte, which lies where the first of them stands."""
    numbers = [1 if name == "mode" else _COLUMNS[name][0] for name in columns]
    kinds = [("mode", "u1") if name == "mode" else (name, _COLUMNS[name][1]) for name in columns]
    rows: Any = np.zeros(len(columns["time/s"]), kinds)
    for name, values in columns.items():
        rows[name] = values
    head = struct.pack("<IB", len(rows), len(numbers)) + bytes(numbers)
    return head.ljust(100, b"\0") + rows.tobytes()
