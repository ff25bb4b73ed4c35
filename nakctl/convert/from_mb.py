"""Modulo Bat of EC-Lab: sequences of many kinds, each with up to three limits, in one technique."""

from __future__ import annotations

import re
from decimal import Decimal

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.convert.from_eis import Sweeps
from nakctl.convert.from_holds import Hardware
from nakctl.convert.loops import Jump
from nakctl.convert.reading import Amount, Column
from nakctl.convert.tables import Table, as_profile

REST, CURRENT, POTENTIAL = "rest", "cp", "ca"
_KINDS = {"Rest": REST, "CC": CURRENT, "CV": POTENTIAL}
_REFUSED = {
    "TI": "triggers are no part of a protocol: write `ask` or a rest",
    "TO": "leave this sequence out, and write `trigger_out` in the step behind it",
    "CP": "write `power: ...` by hand; no public file shows its rows",
    "CR": "write `load: ...` by hand; no public file shows its rows",
    "CS": "write `ramp: ...` by hand; no public file shows its rows",
}
_CHARGE = re.compile(r"\|?(Δ|d)?Q(-Qo|abs)?\|?")


class Profiles:
    """The tables of a file as they stand beside a protocol: texts by name."""

    def __init__(self, file: str) -> None:
        self.stem = re.sub(r"[^\w-]+", "_", file) or "profile"
        self.texts: dict[str, str] = {}

    def name(self, table: Table, text: str) -> str:
        name = f"{self.stem}_{table.technique}_{table.sequence}.csv"
        self.texts[name] = text
        return name


def sequence(
    column: Column, hardware: Hardware, sweeps: Sweeps, profiles: Profiles, before: list[Step]
) -> list[Step]:
    """The steps of one sequence. before: those before it, which leave the level that EIS measures at."""
    kind = column.text("ctrl_type")
    column.asked |= {row.label for row in column.technique.rows}
    if kind in ("PEIS", "GEIS"):
        return _spectrum(column, kind.lower(), hardware, sweeps, before)
    if kind == "VS":
        return _scan(column, hardware)
    if kind == "UP":
        return _profile(column, hardware, profiles)
    if kind in _KINDS:
        return _hold(column, _KINDS[kind], hardware)
    if kind != "Loop":
        known = _REFUSED.get(
            kind, "nakctl knows Rest, CC, CV, VS, PEIS, GEIS and Loop: write it as one of them"
        )
        column.fault("ctrl_type", f"{kind or 'no kind'}: {known}")
    return []


def jump(column: Column) -> Jump | None:
    """A sequence that is a loop."""
    if column.text("ctrl_type") != "Loop":
        return None
    to = column.count("ctrl_seq")
    if to >= column.index:
        column.fault("ctrl_seq", f"a loop to sequence {to} does not go back")
        return None
    return Jump(column.index, to, column.count("ctrl_repeat") + 1, column.at("ctrl_repeat"))


def _hold(column: Column, kind: str, hardware: Hardware) -> list[Step]:
    lasts, ends = _limits(column, kind)
    level = _level(column, kind)
    if lasts is None:
        column.fault("lim1_type", "no limit on the time: nakctl wants one; add a Time limit to this sequence")
        return []
    if level is None:
        return []
    until: Step = {"until": ends[0] if len(ends) == 1 else ends} if ends else {}
    kept = _record(column, kind)
    if kind == REST:
        return [{"rest": lasts} | until | kept]
    return [{kind: level, "for": lasts} | until | kept | hardware.words(column)]


def _scan(column: Column, hardware: Hardware) -> list[Step]:
    """One scan: its rate, where it begins, where it ends."""
    rate, first, last = (column.amount(f"ctrl{n}_val", f"ctrl{n}_val_unit") for n in (1, 2, 3))
    if rate is None or first is None or last is None:
        column.fault("ctrl1_val", "a scan needs its rate and both potentials")
        return []
    if {column.text("ctrl2_val_vs"), column.text("ctrl3_val_vs")} - {"Ref", "Ce", ""}:
        column.fault("ctrl2_val_vs", "a scan between relative potentials: write the potentials themselves")
    if column.count("lim_nb"):
        column.fault("lim1_type", "a limit of a scan: leave it out, or end the step with `until` by hand")
    words: Step = {"lsv": last.text, "from": first.text, "rate": rate.size}
    return [words | _record(column, "lsv") | hardware.words(column)]


def _profile(column: Column, hardware: Hardware, profiles: Profiles) -> list[Step]:
    """An urban profile: its table stands behind the techniques."""
    own = (column.technique.number, column.index)
    table = next((each for each in column.settings.tables if (each.technique, each.sequence) == own), None)
    if table is None:
        text = (
            "the table of this urban profile is not in the file: write `profile: FILE.csv` by hand, a table "
        )
        column.fault("ctrl_type", text + "of `time/s,I/mA` or `time/s,Ewe/V`")
        return []
    kind = CURRENT if table.drives_current else POTENTIAL
    lasts_s, ends = _limits_s(column, kind)
    if lasts_s is not None and lasts_s > table.lasts_s:
        over = (
            f"the table is over after {notation.duration(table.lasts_s)}, and no public file shows what then"
        )
        column.fault("lim1_value", f"{over}: set this limit to the end of the table, or leave it out")
        return []
    if kind == POTENTIAL and ends:
        column.fault(
            "lim1_type", "a limit of a profile of potentials: leave it out, or write `until` by hand"
        )
        return []
    text = as_profile(table, lasts_s, column.notes.fault)
    if not text:
        return []
    column.notes.tell(table.mark, _HELD)
    until: Step = {"until": ends[0] if len(ends) == 1 else ends} if ends else {}
    kept = _record(column, "lsv")
    step: Step = {"#": [_HELD], "profile": profiles.name(table, text)} | until | kept | hardware.words(column)
    return [step]


_HELD = (
    "a value is held until the time of the next one; EC-Lab's file does not say so: compare it with its plot"
)


def _level(column: Column, kind: str) -> str | None:
    """Currents are written without sign beside Charge or Discharge, by unicycler with one beside Charge."""
    if kind == REST:
        return ""
    if column.text("Apply I/C") not in ("I", ""):
        column.fault("Apply I/C", f"{column.text('Apply I/C')}: set the current itself (I)")
        return None
    level = column.amount("ctrl1_val", "ctrl1_val_unit")
    if level is None:
        column.fault("ctrl1_val", "this sequence sets no value")
        return None
    against = column.text("ctrl1_val_vs")
    if against not in ("", "<None>", "Ref", "Ce"):
        column.fault("ctrl1_val_vs", f"vs. {against}: write the value itself")
        return None
    if kind == POTENTIAL or column.text("charge/discharge") != "Discharge":
        return level.text
    if level.value < 0:
        column.fault("ctrl1_val", "a negative current beside Discharge: nobody can tell the direction")
    return Amount(-level.value, level.unit).text


def _limits(column: Column, kind: str) -> tuple[str | None, list[Step]]:
    """The time, and the cutoffs."""
    lasts_s, ends = _limits_s(column, kind)
    return (None if lasts_s is None else notation.duration(lasts_s)), ends


def _limits_s(column: Column, kind: str) -> tuple[Decimal | None, list[Step]]:
    """The time in s, and the cutoffs."""
    lasts_s: Decimal | None = None
    ends: list[Step] = []
    for n in range(1, column.count("lim_nb") + 1):
        what, side = column.text(f"lim{n}_type"), column.text(f"lim{n}_comp")
        amount = column.amount(f"lim{n}_value", f"lim{n}_value_unit")
        if amount is None:
            column.fault(f"lim{n}_value", "this limit has no value")
            continue
        then = _action(column, n)
        if what == "Time":
            if then:
                column.fault(f"lim{n}_action", "after its time a step goes on with the next one in nakctl")
            lasts_s = amount.value * Decimal(notation.SECONDS[amount.unit])
            continue
        word = _condition(what, side, kind)
        if word is None:
            column.fault(f"lim{n}_type", f"{what} {side}: a step of kind {kind} cannot end on this in nakctl")
            continue
        ends.append({word: amount.text if word.startswith("Ewe") else amount.size} | then)
    return lasts_s, ends


def _condition(what: str, side: str, kind: str) -> str | None:
    above = side == ">"
    if what in ("Ewe", "Ecell"):
        return "Ewe_above" if above else "Ewe_below"
    if what == "|I|" and kind in (POTENTIAL, "peis"):
        return "I_above" if above else "I_below"
    if _CHARGE.fullmatch(what) and above and kind != REST:
        return "charge"
    return None


def _action(column: Column, n: int) -> Step:
    """What follows. The next sequence is what nakctl does anyway; a jump out of a loop ends the loop."""
    match column.text(f"lim{n}_action"):
        case "Stop":
            return {"then": "end run"}
        case "Goto sequence":
            target = column.count(f"lim{n}_seq")
            if target == column.index + 1:
                return {}
            if target == _end_of_loop(column):
                return {"then": "end loop"}
            column.fault(
                f"lim{n}_seq", f"a jump to sequence {target}: nakctl ends a step, its loop or the run"
            )
        case _:
            pass
    return {}


def _end_of_loop(column: Column) -> int | None:
    """The sequence after the innermost loop around this one."""
    for index in range(column.index + 1, column.technique.columns):
        after = Column(column.technique, index, column.notes)
        if after.text("ctrl_type") == "Loop" and after.count("ctrl_seq") <= column.index:
            return index + 1
    return None


def _record(column: Column, kind: str) -> Step:
    words: Step = {}
    for n in range(1, column.count("rec_nb") + 1):
        what, amount = column.text(f"rec{n}_type"), column.amount(f"rec{n}_value", f"rec{n}_value_unit")
        if amount is None or not amount.value:
            continue
        if what == "Time":
            words["every"] = notation.duration(amount.value * Decimal(notation.SECONDS[amount.unit]))
        elif what in ("Ewe", "Ecell") and kind != POTENTIAL:
            words["dE"] = amount.size
        elif what == "I" and kind == POTENTIAL:
            words["dI"] = amount.size
    return {"record": words} if words else {}


def _spectrum(
    column: Column, kind: str, hardware: Hardware, sweeps: Sweeps, before: list[Step]
) -> list[Step]:
    """EC-Lab measures it at the current or potential that the sequence before left."""
    amplitude, first, last = (column.amount(f"ctrl{n}_val", f"ctrl{n}_val_unit") for n in (1, 2, 3))
    if amplitude is None or first is None or last is None:
        column.fault("ctrl1_val", "this sequence has no amplitude, or no frequencies")
        return []
    if kind == "geis" and amplitude.unit.endswith("V"):
        column.fault("ctrl1_val_unit", "an amplitude in V for GEIS: nakctl sets the current")
        return []
    words = {
        "kind": kind, "amplitude": amplitude.size, "from": first.text, "to": last.text,
        "per_decade": column.count("ctrl_Nd"), "average": max(1, column.count("ctrl_Na")),
    }  # fmt: skip
    if column.count("ctrl_corr"):
        words["drift_correction"] = True
    step: Step = {kind: sweeps.name(words | hardware.words(column))}
    wanted = "cp" if kind == "geis" else "ca"
    lasts, ends = _limits(column, kind)
    if lasts is not None:
        column.fault("lim1_type", "a time limit of a spectrum: in nakctl a spectrum is measured to its end")
    step |= {"until": ends[0] if len(ends) == 1 else ends} if ends else {}
    held = next((each for each in reversed(before) if "rest" in each or "cp" in each or "ca" in each), None)
    if held is None or "rest" in held:
        return [step]
    if wanted not in held:
        column.fault("ctrl_type", f"{kind.upper()} after another control: put a Rest or a {wanted} before it")
        return []
    return [step | {"during": {wanted: held[wanted]}}]
