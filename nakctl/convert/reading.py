"""One sequence (column) of a technique of EC-Lab, read value by value.

What cannot be read or said is noted with its line, and a harmless value stands in, so that a file hears of
all its faults at once. Rows that nobody asked for and that say something are remarked on in the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from nakctl.convert import notation
from nakctl.convert.draft import Step
from nakctl.convert.notation import NotationError
from nakctl.convert.settings import Settings, Technique, Value
from nakctl.errors import Fault, Mark

_NOTHING = {"", "pass", "<None>", "Unset"}
# What says how values are kept or shown, and nothing of what the cell gets.
_SILENT = {
    "Ns", "record", "E range min (V)", "E range max (V)", "I Range min", "I Range max", "I Range init",
    "auto rest", "va pourcent", "dq", "dtq (s)", "dQ", "dta (s)", "goto Ns'", "nr cycles", "inc. cycle", "nr",
    "Sel Nd", "Nt", "Step percent", "step percent", "Mode", "Multi Sine",
}  # fmt: skip


@dataclass
class Notes:
    """What was found on the way. told: what a person should look at, beside the comments in the protocol."""

    settings: Settings
    faults: list[Fault] = field(default_factory=list)
    told: list[Fault] = field(default_factory=list)

    def fault(self, mark: Mark, message: str) -> None:
        self.faults.append(self.settings.fault(mark, message))

    def tell(self, mark: Mark, message: str) -> None:
        """Once for each line: what is so in one sequence is so in many."""
        if not any(one.mark.line == mark.line and one.message == message for one in self.told):
            self.told.append(self.settings.fault(mark, message))


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with the unit of EC-Lab. text: in our words."""

    value: Decimal
    unit: str

    @property
    def text(self) -> str:
        return notation.quantity(self.value, self.unit)

    @property
    def size(self) -> str:
        return notation.quantity(abs(self.value), self.unit)

    @property
    def si(self) -> float:
        """In A, V, Hz or Ah: for comparisons only."""
        prefix = self.unit.replace("µ", "u")[:1]
        power = {"p": -12, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6}
        return float(self.value) * 10.0 ** (power.get(prefix, 0) if len(self.unit) > 1 else 0)


class Column:
    """The values of one sequence."""

    def __init__(self, technique: Technique, index: int, notes: Notes) -> None:
        self.technique, self.index, self.notes = technique, index, notes
        self.asked: set[str] = set()

    @property
    def mark(self) -> Mark:
        return self.technique.mark

    @property
    def settings(self) -> Settings:
        return self.notes.settings

    @property
    def named(self) -> str:
        """`technique 2, sequence 3`."""
        sequence = f", sequence {self.index}" if self.technique.columns > 1 else ""
        return f"technique {self.technique.number}{sequence}"

    def has(self, label: str) -> bool:
        return any(row.label == label for row in self.technique.rows)

    def value(self, label: str, nth: int = 0) -> Value | None:
        """What stands there; None if the technique has no such row."""
        self.asked.add(label)
        rows = [row for row in self.technique.rows if row.label == label]
        return rows[nth].values[self.index] if len(rows) > nth else None

    def text(self, label: str, nth: int = 0) -> str:
        found = self.value(label, nth)
        return "" if found is None else found.text

    def at(self, label: str, nth: int = 0) -> Mark:
        found = self.value(label, nth)
        return self.mark if found is None else found.mark

    def fault(self, label: str, message: str, nth: int = 0) -> None:
        self.notes.fault(self.at(label, nth), message)

    def required(self, *labels: str) -> str:
        """The first of these rows that the technique has: EC-Lab renamed some."""
        for label in labels:
            if self.has(label):
                return label
        self.notes.fault(self.mark, f"{self.named} has no row `{labels[0]}`: the file is not whole")
        return labels[0]

    def number(self, label: str, default: int = 0) -> Decimal:
        """default: where there is no such row, or it says nothing."""
        found = self.value(label)
        if found is None or found.text in _NOTHING:
            return Decimal(default)
        try:
            return notation.number(found.text)
        except NotationError as problem:
            self.notes.fault(found.mark, f"{label}: {problem}")
            return Decimal(default)

    def count(self, label: str) -> int:
        return int(self.number(label))

    def seconds(self, *labels: str) -> Decimal:
        label = self.required(*labels)
        found = self.value(label)
        if found is None:
            return Decimal(0)
        try:
            return notation.seconds(found.text)
        except NotationError as problem:
            missing = f"{self.named} has no value here: the file is not whole"
            self.notes.fault(found.mark, f"{label}: {problem}" if found.text else missing)
            return Decimal(0)

    def amount(self, label: str, unit_row: str = "", unit: str = "", nth: int = 0) -> Amount | None:
        """A value whose unit stands in a row of its own, or in the label; None: it says nothing (`pass`)."""
        found = self.value(label, nth)
        if found is None or found.text in _NOTHING:
            return None
        told = self.value(unit_row) if unit_row else None
        spelled = unit if told is None else told.text
        try:
            value = notation.number(found.text)
            notation.our_unit(spelled)
        except NotationError as problem:
            at = told.mark if told is not None and "unit" in str(problem) else found.mark
            self.notes.fault(at, f"{label}: {problem}")
            return None
        return Amount(value, spelled)

    def require_nothing(self, labels: dict[str, str]) -> None:
        """Rows that change what the cell gets, and have no word here. labels: with what to write instead."""
        for label, instead in labels.items():
            found = self.value(label)
            if found is None or found.text in _NOTHING:
                continue
            zero = found.text.replace(",", ".").strip("-0.") == ""
            if not zero:
                self.notes.fault(found.mark, f"{label} {found.text}: {instead}")

    def remarks(self) -> list[str]:
        """Rows that nobody asked for, and that say something."""
        found = []
        for row in self.technique.rows:
            text = row.values[self.index].text
            if (
                row.label in self.asked | _SILENT
                or text in _NOTHING
                or row.label.startswith(("unit", "dunit"))
            ):
                continue
            if text.replace(",", ".").strip("-0.") != "" and not text.startswith("0:00:0"):
                found.append(f"EC-Lab also says {row.label} {text}, for which nakctl has no word")
        return found


def record(every: Decimal, **changes: Amount | None) -> Step:
    """The words of `record`, without those that say nothing."""
    words: Step = {}
    if every:
        words["every"] = notation.duration(every)
    for word, amount in changes.items():
        if amount is not None and amount.value:
            words[word] = amount.size
    return {"record": words} if words else {}
