"""A settings file of EC-Lab becomes the draft of a protocol."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from nakctl.convert import from_holds, from_mb, from_scans, notation
from nakctl.convert.draft import Draft, Step
from nakctl.convert.from_eis import Sweeps, geis, peis
from nakctl.convert.from_holds import Hardware
from nakctl.convert.known import refusal
from nakctl.convert.loops import Crossing, Jump, nested
from nakctl.convert.reading import Column, Notes
from nakctl.convert.settings import Settings, Technique
from nakctl.errors import Fault, InputError, Mark

_HOLDS: dict[str, Callable[[Column, Hardware], list[Step]]] = {
    "Open Circuit Voltage": from_holds.ocv,
    "Chronopotentiometry": from_holds.cp,
    "Chronoamperometry / Chronocoulometry": from_holds.ca,
    "Galvanostatic Cycling with Potential Limitation": from_holds.gcpl,
    "Galvanostatic Cycling with Potential Limitation 6": from_holds.gcpl,
    "Cyclic Voltammetry": from_scans.cv,
    "Linear Sweep Voltammetry": from_scans.lsv,
}
_SPECTRA: dict[str, Callable[[Column, Hardware, Sweeps], list[Step]]] = {
    "Galvano Electrochemical Impedance Spectroscopy": geis,
    "Potentio Electrochemical Impedance Spectroscopy": peis,
}
# Lines of the header that a reader of the protocol should know of: (how they begin, what to say).
_HEADER = {
    "Potential control : Ewe-Ece": "EC-Lab controls Ewe-Ece: the same in a cell of two electrodes only",
    "Record Ece": "EC-Lab records Ece as well",
    "Turn to OCV between techniques": "EC-Lab opens the cell between techniques; a rest says so here",
    "Electrode connection : CE": "EC-Lab's electrode connection is CE to ground",
    "Electrode connection : WE": "EC-Lab's electrode connection is WE to ground",
}


def draft(settings: Settings) -> tuple[Draft, tuple[Fault, ...]]:
    """The protocol, and what a person should look at. InputError with every fault."""
    return _Import(settings).draft()


class _Import:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.notes = Notes(settings)
        self.sweeps = Sweeps()
        self.profiles = from_mb.Profiles(PurePath(settings.file).stem)
        self.limits, window = self.limits_and_window()
        self.hardware = Hardware(settings.said("Device"), window)

    def draft(self) -> tuple[Draft, tuple[Fault, ...]]:
        items: list[list[Step]] = []
        jumps: list[Jump] = []
        for index, technique in enumerate(self.settings.techniques):
            if technique.name == "Loop":
                items.append([])
                jumps += filter(None, [self.loop(technique, index)])
            else:
                items.append(self.technique(technique))
        steps = self.nested(items, jumps)
        if not steps and not self.notes.faults:
            self.notes.fault(Mark(1, 1), "nothing in this file lasts any time: there is no step to write")
        if self.notes.faults:
            raise InputError(sorted(self.notes.faults, key=lambda fault: fault.mark))
        stem = PurePath(self.settings.file).stem
        made = Draft(stem, self.source(), steps, self.remarks(), {}, {}, self.sweeps.declared, self.limits)
        made.tables.update(self.profiles.texts)
        comment = self.settings.said("Comments")
        if comment:
            made.head["about"] = comment
        return made, tuple(sorted(self.notes.told, key=lambda fault: fault.mark))

    def nested(self, items: list[list[Step]], jumps: list[Jump]) -> list[Step]:
        try:
            return nested(items, jumps)
        except Crossing as crossing:
            self.notes.fault(crossing.mark, str(crossing))
            return []

    # --- techniques ------------------------------------------------------------------------------------

    def technique(self, technique: Technique) -> list[Step]:
        columns = [Column(technique, i, self.notes) for i in range(technique.columns)]
        if technique.name in _HOLDS:
            read = _HOLDS[technique.name]
            items = [read(column, self.hardware) for column in columns]
            scanned = technique.name == "Cyclic Voltammetry"  # its nc cycles are its own
            jumps = [jump for column in columns if not scanned and (jump := self.goto(column))]
        elif technique.name in _SPECTRA:
            sweep = _SPECTRA[technique.name]
            items, jumps = [sweep(column, self.hardware, self.sweeps) for column in columns], []
        elif technique.name == "Modulo Bat":
            items = []
            for column in columns:
                before = [step for steps in items for step in steps]
                items.append(from_mb.sequence(column, self.hardware, self.sweeps, self.profiles, before))
            jumps = [jump for column in columns if (jump := from_mb.jump(column))]
        else:
            self.notes.fault(technique.mark, refusal(technique.name))
            return []
        steps = self.nested(items, jumps)
        if steps:
            told = [remark for column in columns for remark in column.remarks()]
            title = f"technique {technique.number}: {technique.name}"
            steps[0] = {"#": [title, *dict.fromkeys(told), *steps[0].get("#", [])]} | {
                word: value for word, value in steps[0].items() if word != "#"
            }
        return steps

    def goto(self, column: Column) -> Jump | None:
        """`goto Ns'` for `nc cycles` times: a loop inside of a technique."""
        times = column.count("nc cycles")
        to = column.count("goto Ns'")
        if not times:
            return None
        if to > column.index:
            column.fault("goto Ns'", f"a loop to sequence {to} does not go back")
            return None
        return Jump(column.index, to, times + 1, column.at("nc cycles"))

    def loop(self, technique: Technique, index: int) -> Jump | None:
        column = Column(technique, 0, self.notes)
        column.required("goto Ne")
        to, times = column.count("goto Ne"), column.count("nt times")
        if not 1 <= to <= index:
            column.fault("goto Ne", f"a loop to technique {to} does not go back")
            return None
        return Jump(index, to - 1, times + 1, column.at("nt times"))

    # --- the header ------------------------------------------------------------------------------------

    def limits_and_window(self) -> tuple[dict[str, Any], tuple[float, float]]:
        """`limits`: EC-Lab's safety limits, or its potential range where it sets none."""
        low, high, most = (self.safety(name) for name in ("Ewe min", "Ewe max", "|I|"))
        ranged = self.E_range()
        words: dict[str, Any] = {}
        if low is None or high is None:
            said = "no safety limit on Ewe" if low is None and high is None else "one safety limit on Ewe"
            words["#Ewe"] = f"EC-Lab's potential range: the file sets {said}"
        ends = [ranged[0] if low is None else low, ranged[1] if high is None else high]
        if ends[0] >= ends[1]:
            at = next((m for line, m in self.settings.header if line.startswith("	Ewe m")), Mark(1, 1))
            shown = " and ".join(f"{notation.plain(end)} V" for end in ends)
            self.notes.fault(
                at, f"the limits of Ewe are {shown}, which leaves nothing: set or clear them in EC-Lab"
            )
        words["Ewe"] = [f"{notation.plain(end)} V" for end in ends]
        if most is not None:
            words["I"] = f"{notation.plain(most)} mA"
        return words, (float(ends[0]), float(ends[1]))

    def safety(self, name: str) -> Decimal | None:
        """EC-Lab writes 0 where a limit is not set, if it writes it at all."""
        for line, mark in self.settings.header:
            label, equals, value = line.strip().partition(" = ")
            if equals and label == name and line.startswith("\t"):
                try:
                    found = notation.number(value.split()[0])
                except (notation.NotationError, IndexError):
                    self.notes.fault(mark, f"{label}: {value!r} is no number")
                    return None
                return found if found or name != "|I|" else None
        return None

    def E_range(self) -> tuple[Decimal, Decimal]:
        for line, mark in self.settings.header:
            name, _, said = line.partition(" : ")
            if name in ("Ewe ctrl range", "Ecell ctrl range"):
                try:
                    low, high = (
                        notation.number(part.split("=")[1].split()[0]) for part in said.split(", max")
                    )
                    return low, high
                except (IndexError, ValueError):
                    self.notes.fault(
                        mark, "this line does not tell the potential range: min = ... V, max = ... V"
                    )
                    return Decimal(-10), Decimal(10)
        for technique in self.settings.techniques:
            ends = [
                Column(technique, 0, self.notes).amount(f"E range {e} (V)", unit="V") for e in ("min", "max")
            ]
            if ends[0] is not None and ends[1] is not None:
                return ends[0].value, ends[1].value
        self.notes.fault(Mark(1, 1), "the file tells no potential range (`Ewe ctrl range : min = ...`)")
        return Decimal(-10), Decimal(10)

    def source(self) -> str:
        version = next((line for line, _ in self.settings.header if line.startswith("EC-LAB for")), "")
        number = version.partition(" v")[2].partition(" ")[0]
        device = self.settings.said("Device")
        told = [f"EC-Lab {number}".strip(), *filter(None, [device])]
        return f"EC-Lab settings {PurePath(self.settings.file).name} ({', '.join(told)})"

    def remarks(self) -> list[str]:
        header = [line.rstrip() for line, _ in self.settings.header]
        found = [told for begins, told in _HEADER.items() for line in header if line.startswith(begins)]
        filtered = self.settings.said("Ewe,I filtering")
        if filtered not in ("", "<None>"):
            found.append(f"EC-Lab filters Ewe and I: {filtered}")
        area = self.settings.said("Electrode surface area").split(" ")[0].replace(",", ".")
        if area.strip("0.") not in ("", "1"):  # 0.001 is what stands there if nobody typed anything
            found.append(f"EC-Lab's electrode surface area: {area} cm2; here the area belongs to the cell")
        return list(dict.fromkeys(found))
