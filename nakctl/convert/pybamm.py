"""PyBaMM's experiment strings: `Charge at C/10 for 12 hours or until 4.2 V (1 minute period)`.

From a text with one string a line, a JSON list, or Python source, whose lists of strings are read and never
executed. Source of the grammar: PyBaMM's documentation of `pybamm.step.string`; the readings are our own.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePath

from nakctl.convert import notation
from nakctl.convert.asked import Asked, limits_around
from nakctl.convert.draft import Draft, Step
from nakctl.errors import Fault, InputError, Mark

_NUMBER = r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)"
_QUOTED = re.compile(r"""[\s\[(]*(["'])(.*)\1[\s\]),]*""")
_PERIOD = re.compile(r"\((.*?)\s+period\)$")
_UNTIL = re.compile(r"^(.*?)(?:\s+or)?\s+until\s+(.*)$", re.I)
_FOR = re.compile(r"^(.*?)\s+for\s+(.*)$", re.I)
_AT = re.compile(r"^(charge|discharge|hold)\s+at\s+(.*)$", re.I)
_TEMPERATURE = re.compile(r"\s+at\s+-?\d+(?:\.\d+)?\s*o?C$")
_TIME = re.compile(rf"{_NUMBER}\s*(s|sec|second|min|minute|h|hour|day)s?", re.I)
_VALUE = re.compile(rf"{_NUMBER}\s*(mA|A|mV|V|mW|W|mOhm|Ohm|Ohms)", re.I)
_RATE = re.compile(rf"(?:C\s*/\s*{_NUMBER}|{_NUMBER}\s*C|C)")
_UNITS = {unit.lower(): unit for unit in ("mA", "A", "mV", "V", "mW", "W")}
_EXAMPLES = "`Charge at C/10 until 4.2 V`, `Hold at 4.2 V until 50 mA`, `Rest for 1 hour`"


@dataclass
class Source:
    """Strings with their places, nested as cycles. passes: how often a cycle is done."""

    text: str
    mark: Mark


@dataclass
class Cycle:
    parts: list[Source | Cycle] = field(default_factory=list)
    passes: int = 1


def draft(text: str, file: str, asked: Asked) -> tuple[Draft, tuple[Fault, ...]]:
    """The protocol, and what a person should look at. InputError with every fault."""
    reading = _Reading(text, file, asked)
    cycle = reading.python() if file.endswith(".py") else reading.lines()
    steps = reading.steps(cycle)
    if not steps and not reading.faults:
        reading.fault(Mark(1, 1), f"no step is in this file; steps are {_EXAMPLES}")
    limits = limits_around(asked, reading.potentials, lambda why: reading.fault(Mark(1, 1), why))
    if reading.faults:
        raise InputError(sorted(reading.faults, key=lambda fault: fault.mark))
    name = PurePath(file).name
    made = Draft(PurePath(file).stem, f"PyBaMM experiment {name}", steps, limits=limits)
    if asked.capacity and reading.rates:
        made.remarks.append(f"C-rates are of {asked.capacity}")
    return made, tuple(reading.told)


class _Reading:
    def __init__(self, text: str, file: str, asked: Asked) -> None:
        self.text, self.file, self.asked = text, file, asked
        self.source_lines = text.replace("\r\n", "\n").split("\n")
        self.faults: list[Fault] = []
        self.told: list[Fault] = []
        self.potentials: list[Decimal] = []
        self.rates = False

    def fault(self, mark: Mark, message: str) -> None:
        self.faults.append(self._fault(mark, message))

    def _fault(self, mark: Mark, message: str) -> Fault:
        line = self.source_lines[mark.line - 1].rstrip() if mark.line <= len(self.source_lines) else ""
        return Fault(self.file, mark, message, line.replace("\t", " ")[:160])

    # --- where the strings are -------------------------------------------------------------------------

    def lines(self) -> Cycle:
        """One string a line; quotes around it and commas after it are those of a list."""
        cycle = Cycle()
        for number, line in enumerate(self.source_lines, 1):
            quoted = _QUOTED.fullmatch(line)
            bare = quoted[2].strip() if quoted else line.strip().rstrip(",")
            if bare.strip("[]()") and not bare.startswith("#"):
                cycle.parts.append(Source(bare, Mark(number, line.index(bare) + 1)))
        return cycle

    def python(self) -> Cycle:
        """The list in `Experiment(...)`, else the only lists of strings there are. Nothing is executed."""
        try:
            tree = ast.parse(self.text)
        except (SyntaxError, ValueError) as problem:
            mark = Mark(getattr(problem, "lineno", 1) or 1, getattr(problem, "offset", 1) or 1)
            self.fault(mark, "this is no Python source")
            return Cycle()
        calls = [
            node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == "Experiment"
        ]
        lists = [call.args[0] for call in calls if call.args]
        if not lists:
            values = [node.value for node in tree.body if isinstance(node, ast.Assign | ast.Expr)]
            lists = [node for node in values if isinstance(node, ast.List | ast.BinOp)]
        cycle = Cycle()
        names = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in lists[:1]:
            cycle.parts += self.parts(node, names)
        if len(lists) > 1:
            self.fault(_at(lists[1]), "a second experiment stands here: one file gives one protocol")
        return cycle

    def parts(self, node: ast.expr, names: dict[str, ast.expr], deep: int = 0) -> list[Source | Cycle]:
        if deep > 20:
            self.fault(_at(node), "nested too deep")
            return []
        match node:
            case ast.Constant(value=str(text)):
                return [Source(text, _at(node))]
            case ast.List(elts=elements):
                return [part for each in elements for part in self.parts(each, names, deep + 1)]
            case ast.Tuple(elts=elements):
                return [Cycle([part for each in elements for part in self.parts(each, names, deep + 1)])]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [*self.parts(left, names, deep + 1), *self.parts(right, names, deep + 1)]
            case ast.BinOp(left=left, op=ast.Mult(), right=ast.Constant(value=int(times))) if times > 0:
                return [Cycle(self.parts(left, names, deep + 1), times)]
            case ast.BinOp(left=ast.Constant(value=int(times)), op=ast.Mult(), right=right) if times > 0:
                return [Cycle(self.parts(right, names, deep + 1), times)]
            case ast.Name(id=name) if name in names:
                return self.parts(names[name], names, deep + 1)
            case ast.Call(args=[ast.Constant(value=str(text)), *_]) if _called(node) == "string":
                return [Source(text, _at(node))]
            case _:
                message = (
                    "only lists and tuples of strings, `+` and `* 10` are read here; nothing is executed"
                )
                self.fault(_at(node), message)
                return []

    # --- what they say ---------------------------------------------------------------------------------

    def steps(self, cycle: Cycle) -> list[Step]:
        made: list[Step] = []
        for part in cycle.parts:
            if isinstance(part, Source):
                made += self.step(part)
                continue
            inner = self.steps(part)
            made += [{"repeat": part.passes, "steps": inner}] if part.passes > 1 and inner else inner
        return made

    def step(self, source: Source) -> list[Step]:
        text = " ".join(source.text.split())
        record: Step = {}
        period = _PERIOD.search(text)
        if period:
            every = self.time(period[1], source)
            record = {"record": {"every": every}} if every else {}
            text = text[: period.start()].strip()
        if _TEMPERATURE.search(text):
            self.told.append(
                self._fault(source.mark, "the temperature is left out: write `set` and `wait` for it")
            )
            text = _TEMPERATURE.sub("", text)
        until = _UNTIL.match(text)
        end = until[2] if until else ""
        text = until[1] if until else text
        lasting = _FOR.match(text)
        lasts = self.time(lasting[2].removesuffix(" or"), source) if lasting else ""
        text = lasting[1] if lasting else text
        if lasts is None:
            return []
        if text.lower() == "rest":
            return self.rest(source, lasts, end, record)
        told = _AT.match(text)
        if told is None:
            self.fault(
                source.mark, f"{source.text!r} is no step that PyBaMM's grammar knows; steps are {_EXAMPLES}"
            )
            return []
        if told[1].lower() == "hold":
            return self.hold(source, told[2], lasts, end, record)
        return self.current(source, told[1].lower(), told[2], lasts, end, record)

    def rest(self, source: Source, lasts: str, end: str, record: Step) -> list[Step]:
        if end or not lasts:
            self.fault(source.mark, "a rest needs its time: `Rest for 1 hour`")
            return []
        return [{"rest": lasts} | record]

    def hold(self, source: Source, at: str, lasts: str, end: str, record: Step) -> list[Step]:
        level = self.potential(at, source)
        if level is None:
            return []
        until: Step = {}
        if end:
            limit = self.current_value(end, source)
            if limit is None:
                return []
            until = {"until": {"I_below": limit}}
        return [{"ca": level} | self.time_words(lasts, source) | until | record]

    def current(self, source: Source, way: str, at: str, lasts: str, end: str, record: Step) -> list[Step]:
        drawn = self.drawn(way, at)
        level = self.current_value(at, source) if drawn is None else None
        if level is None and drawn is None:
            return []
        strips = (way == "charge") == (self.asked.working != "negative")
        until: Step = {}
        if end:
            limit = self.potential(end, source)
            if limit is None:
                return []
            # Charging raises Ewe of a positive electrode; of a negative one nobody can say it from here.
            until = {"until": {"Ewe_above" if strips else "Ewe_below": limit}}
        words = (drawn or {self.asked.word(way): level}) | self.time_words(lasts, source)
        return [words | until | record]

    def drawn(self, way: str, at: str) -> Step | None:
        """Constant power, which a charge puts into the cell, or a load, which discharges it."""
        match = _VALUE.fullmatch(at)
        unit = _UNITS.get(match[2].lower(), "") if match else ""
        if match is None or unit.endswith(("A", "V")):
            return None
        size = notation.plain(Decimal(match[1]))
        if unit.endswith("W"):
            return {"power": f"{'' if way == 'charge' else '-'}{size} {unit}"}
        return None if way == "charge" else {"load": f"{size} {'mohm' if match[2][0] == 'm' else 'ohm'}"}

    def time_words(self, lasts: str, source: Source) -> Step:
        if lasts:
            return {"for": lasts}
        return self.asked.without_time(lambda why: self.fault(source.mark, why))

    def potential(self, text: str, source: Source) -> str | None:
        match = _VALUE.fullmatch(text)
        unit = _UNITS.get(match[2].lower(), "") if match else ""
        if match is None or not unit.endswith("V"):
            self.fault(source.mark, f"{text!r} is no potential, such as 4.2 V")
            return None
        value = Decimal(match[1])
        self.potentials.append(value / 1000 if unit == "mV" else value)
        return f"{notation.plain(value)} {unit}"

    def current_value(self, text: str, source: Source) -> str | None:
        """A current, or one from the capacity."""
        match = _VALUE.fullmatch(text)
        unit = _UNITS.get(match[2].lower(), "") if match else ""
        if match is not None and unit.endswith("A"):
            return f"{notation.plain(Decimal(match[1]))} {unit}"
        rate = _RATE.fullmatch(text)
        if rate is not None:
            self.rates = True
            value = 1 / Decimal(rate[1]) if rate[1] else Decimal(rate[2] or 1)
            return self.asked.current(value, text, lambda why: self.fault(source.mark, why))
        self.fault(source.mark, f"{text!r} is no current, such as 2 mA or C/10")
        return None

    def time(self, text: str, source: Source) -> str | None:
        match = _TIME.fullmatch(text.strip())
        if match is None:
            self.fault(source.mark, f"{text!r} is no time, such as 10 seconds, 3 minutes or 1 hour")
            return None
        unit = {"s": "s", "m": "min", "h": "h", "d": "d"}[match[2].lower()[0]]
        return f"{notation.plain(Decimal(match[1]))} {unit}"


def _called(node: ast.Call) -> str:
    """The last part of what is called: `Experiment` of `pybamm.Experiment(...)`."""
    target = node.func
    return (
        target.attr
        if isinstance(target, ast.Attribute)
        else target.id
        if isinstance(target, ast.Name)
        else ""
    )


def _at(node: ast.expr) -> Mark:
    return Mark(node.lineno, node.col_offset + 1)
