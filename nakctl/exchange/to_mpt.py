"""EC-Lab's text: a file per technique and one for the whole run, for programs that read `.mpt`.

Columns have EC-Lab's names and units (mA, mA.h, -Im), so that other programs recognise them. Ns counts steps
from 0, as EC-Lab does: it is step_id - 1. Qo is the charge at the start of the run, in every file.
Who reads what, and what they ask of the form, is tried in tests/exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np

from nakctl.exchange.placing import Parts
from nakctl.exchange.source import Array, Block, Source, one_line, shortest
from nakctl.exchange.text import tab_separated

# By our techniques: EC-Lab's name, and its mode (1: the current is held, 2: the potential, 3: neither).
TECHNIQUES = {
    "OCV": ("Open Circuit Voltage", 3),
    "CP": ("Chronopotentiometry", 1),
    "CA": ("Chronoamperometry / Chronocoulometry", 2),
    "CV": ("Cyclic Voltammetry", 2),
    "LSV": ("Linear Sweep Voltammetry", 2),
    "PEIS": ("Potentio Electrochemical Impedance Spectroscopy", 2),
    "GEIS": ("Galvano Electrochemical Impedance Spectroscopy", 1),
}
_OF_ALL = ("Modulo Bat", 3)  # with which EC-Lab does many things in one technique
_WIDTH = 20  # of a value in the table of settings
_UNKNOWN = 3
_MILLI = 3  # A in mA: the power of ten

Rows = Callable[[], Iterator[dict[str, Array]]]


def parts(source: Source) -> Parts:
    made: dict[str, Callable[[Path], None]] = {}
    for number, technique in enumerate(_techniques(source), 1):
        end = f"_{number:02}_{technique}.mpt"
        name = TECHNIQUES.get(technique, (technique, 0))[0]
        if technique in ("PEIS", "GEIS"):
            if _spectra_of(source, technique).any():
                made[end] = partial(_write, source, name, partial(_points, source, technique))
        else:
            made[end] = partial(_write, source, name, partial(_samples, source, technique))
    if source.count("samples"):
        made[".mpt"] = partial(_write, source, _OF_ALL[0], partial(_samples, source, None))
    return made


def _techniques(source: Source) -> list[str]:
    """Of which there is something, as they come in the run."""
    steps, found = source.steps, np.zeros(len(source.steps["step_count"]), np.bool_)
    for table, rows in (("samples", source.run.samples), ("spectra", source.run.spectra)):
        counts, mask = rows["step_count"], source.rows[table]
        found |= np.isin(steps["step_count"], counts if mask is None else counts[mask])
    return [each for each in dict.fromkeys(steps["technique"][found].tolist()) if each]


def _spectra_of(source: Source, technique: str) -> Array:
    """Numbers of the spectra that steps of this technique took."""
    steps, spectra, mask = source.steps, source.run.spectra, source.rows["spectra"]
    mine = np.isin(spectra["step_count"], steps["step_count"][steps["technique"] == technique])
    numbers: Array = spectra["spectrum"][mine if mask is None else mine & mask]
    return numbers


def _samples(source: Source, technique: str | None) -> Iterator[dict[str, Array]]:
    """Rows of all steps of this technique; None: every row."""
    modes = _Modes(source)
    for block in source.blocks("samples"):
        kind = modes.of(block["step_count"])
        here = slice(None) if technique is None else kind == technique
        yield _of_samples({name: values[here] for name, values in block.items()}, kind[here])


class _Modes:
    """What a step is, by its step_count; "" where nobody says."""

    def __init__(self, source: Source) -> None:
        self._counts = source.steps["step_count"].astype(np.int64)
        self._kinds = source.steps["technique"].astype("U16")

    def of(self, step_count: Array) -> Array:
        found = np.full(int(max(step_count.max(), self._counts.max(initial=0))) + 1, "", "U16")
        found[self._counts] = self._kinds
        kinds: Array = found[step_count]
        return kinds


def _of_samples(block: Block, kind: Array) -> dict[str, Array]:
    names, places = np.unique(kind, return_inverse=True)
    mode = np.array([TECHNIQUES.get(each, ("", _UNKNOWN))[1] for each in names.tolist()], np.int64)[places]
    control = np.nan_to_num(block["control"], nan=0.0)  # EC-Lab has no word for none
    I_mA = shortest(block["I"], _MILLI)
    no = np.zeros(len(kind), np.int64)
    found = {
        "mode": mode,
        "ox/red": (I_mA > 0).astype(np.int64),
        "error": (block["flags"] & 3 != 0).astype(np.int64),  # an overload
        "control changes": no,
        "Ns changes": no,
        "counter inc.": no,
        "Ns": block["step_id"].astype(np.int64) - 1,
        "time/s": block["time"],
        "control/V/mA": np.where(mode == 1, shortest(control, _MILLI), shortest(control)),
        "Ewe/V": block["Ewe"],
    }
    found |= {"Ece/V": block["Ece"]} if "Ece" in block else {}
    return found | {
        "I/mA": I_mA,
        "(Q-Qo)/mA.h": block["Q"] * 1000,
        "cycle number": block["cycle"],
    }


def _points(source: Source, technique: str) -> Iterator[dict[str, Array]]:
    """Points of spectra. The first three columns are where pyimpspec looks for them."""
    spectra, steps = source.run.spectra, source.steps
    mine = _spectra_of(source, technique)
    cycle_of = dict(zip(spectra["spectrum"].tolist(), spectra["cycle"].tolist(), strict=True))
    step_of = dict(zip(steps["step_count"].tolist(), steps["step_id"].tolist(), strict=True))
    for block in source.blocks("impedance"):
        here = np.isin(block["spectrum"], mine)
        yield _of_points({name: values[here] for name, values in block.items()}, cycle_of, step_of)


def _of_points(block: Block, cycle_of: dict[int, int], step_of: dict[int, int]) -> dict[str, Array]:
    numbers = block["spectrum"].tolist()
    found = {
        "freq/Hz": block["frequency"],
        "Re(Z)/Ohm": block["Z_re"],
        "-Im(Z)/Ohm": -block["Z_im"],
        "|Z|/Ohm": block["Z_abs"],
        "Phase(Z)/deg": block["Z_phase"],
        "time/s": block["time"],
        "<Ewe>/V": block["E_dc"],
        "<I>/mA": shortest(block["I_dc"], _MILLI),
        "cycle number": np.array([cycle_of[each] for each in numbers], np.int64),
        "|Ewe|/V": block["E_amp"],
        "|I|/A": block["I_amp"],
        "Ns": np.array([step_of[each] for each in block["step_count"].tolist()], np.int64) - 1,
        "z cycle": block["spectrum"],
    }
    if "Zce_re" not in block or not np.isfinite(block["Zce_re"]).any():
        return found
    return found | {
        "<Ece>/V": block["Ece_dc"],
        "|Ece|/V": block["Ece_amp"],
        "Re(Zce)/Ohm": block["Zce_re"],
        "-Im(Zce)/Ohm": -block["Zce_im"],
    }


def _write(source: Source, technique: str, rows: Rows, path: Path) -> None:
    with path.open("wb") as file:
        for k, block in enumerate(rows()):
            if k == 0:
                file.write(_header(source, technique, list(block)))
            file.write(tab_separated(block))


def _header(source: Source, technique: str, columns: list[str]) -> bytes:
    """With a tab behind the last column, as EC-Lab has it since version 11."""
    lines = ["", technique, "", *_facts(source), *_settings(source), "", "\t".join((*columns, ""))]
    first = ["EC-Lab ASCII FILE", f"Nb header lines : {len(lines) + 2}"]
    return "".join(f"{line}\r\n" for line in first + lines).encode("latin-1", "backslashreplace")


def _facts(source: Source) -> Iterator[str]:
    about = source.about
    yield "Run on channel : 1"
    yield "CE vs. WE compliance from -10 V to 10 V"
    yield f"Acquisition started on : {_eclab_date(source.run.header.start_time)}"
    yield f"Device : {about['instrument']}"
    yield f"{about['exported_by']} (software)"
    for name, text in about.items():
        yield f"Comments : {name}: {text}"
    if source.run.header.area_cm2 is not None:
        yield f"Electrode surface area : {source.run.header.area_cm2:.9g} cm²"
    yield "Cycle Definition : Charge/Discharge alternance"


def _eclab_date(start_time: str) -> str:
    """As a clock on the wall beside the instrument showed it: EC-Lab notes no time zone."""
    try:
        return datetime.fromisoformat(start_time).strftime("%m/%d/%Y %H:%M:%S.%f")[:-3]
    except ValueError:
        return one_line(start_time) or "01/01/1970 00:00:00.000"


def _settings(source: Source) -> Iterator[str]:
    """yadg looks for the ranges of each Ns there."""
    highest = int(source.run.samples["step_id"].max(initial=0))
    for name, each in (
        ("Ns", [str(k) for k in range(highest)]),
        ("E range min (V)", ["-10.000"] * highest),
        ("E range max (V)", ["10.000"] * highest),
        ("I Range", ["Auto"] * highest),
    ):
        yield "".join(word.ljust(_WIDTH) for word in (name, *each))
