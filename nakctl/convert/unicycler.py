"""Protocols of aurora-unicycler: JSON with a list of steps under `method`.

Source of the words: the documentation and models of aurora-unicycler 0.4; the readings are our own. JSON is
read as YAML, of which it is a part, so that faults have their line and column.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any

from nakctl.convert import notation
from nakctl.convert.asked import Asked, limits_around
from nakctl.convert.draft import Draft, Step
from nakctl.convert.from_eis import Sweeps
from nakctl.convert.loops import Crossing, Jump, nested
from nakctl.errors import Fault, InputError
from nakctl.text.reader import Document, Loc, read_text

_WORDS: dict[str, tuple[str, ...]] = {
    "open_circuit_voltage": ("until_time_s",),
    "constant_current": ("rate_C", "current_mA", "until_time_s", "until_voltage_V"),
    "constant_voltage": ("voltage_V", "until_time_s", "until_rate_C", "until_current_mA"),
    "impedance_spectroscopy": (
        "amplitude_V", "amplitude_mA", "start_frequency_Hz", "end_frequency_Hz", "points_per_decade",
        "measures_per_point", "drift_correction",
    ),
    "voltage_scan": ("start_voltage_V", "end_voltage_V", "scan_rate_mV_per_s"),
    "loop": ("loop_to", "cycle_count"),
    "tag": ("tag",),
}  # fmt: skip


def is_one(text: str) -> bool:
    """Whether this JSON is a protocol of unicycler."""
    try:
        data = json.loads(text)
    except ValueError:
        return False
    return isinstance(data, dict) and "method" in data


def draft(text: str, file: str, asked: Asked) -> tuple[Draft, tuple[Fault, ...]]:
    """The protocol, and what a person should look at. InputError with every fault."""
    document = read_text(text.replace("\t", " "), file)
    return _Reading(document, asked).draft()


class _Reading:
    def __init__(self, document: Document, asked: Asked) -> None:
        self.document, self.asked = document, asked
        self.faults: list[Fault] = []
        self.told: list[Fault] = []
        self.potentials: list[Decimal] = []
        self.sweeps = Sweeps()
        sample = _words(document.data.get("sample"))
        own = self.value(sample.get("capacity_mAh"), ("sample", "capacity_mAh"))
        if own is not None and asked.capacity is None:
            self.asked = Asked(f"{notation.plain(own)} mAh", asked.working, asked.limits, asked.longest)
        self.name = str(sample.get("name") or "")

    def draft(self) -> tuple[Draft, tuple[Fault, ...]]:
        steps = self.steps()
        limits = self.limits()
        if self.faults:
            raise InputError(sorted(set(self.faults), key=lambda fault: (fault.mark, fault.message)))
        file = PurePath(self.document.file)
        name = file.stem if self.name.startswith("$") or not self.name else self.name
        made = Draft(name, f"aurora-unicycler protocol {file.name}", steps, limits=limits)
        made.spectra = self.sweeps.declared
        made.head |= self.record()
        return made, tuple(self.told)

    def fault(self, loc: Loc, message: str) -> None:
        self.faults.append(self.document.fault(self.document.mark(loc), message))

    def tell(self, loc: Loc, message: str) -> None:
        self.told.append(self.document.fault(self.document.mark(loc), message))

    def value(self, written: Any, loc: Loc) -> Decimal | None:
        """A number; unicycler writes numbers as text too, and nothing as an empty text."""
        if written is None or written == "":
            return None
        try:
            if isinstance(written, bool):
                raise InvalidOperation
            return Decimal(str(written))
        except InvalidOperation:
            self.fault(loc, f"{written!r} is no number")
            return None

    # --- the whole protocol ----------------------------------------------------------------------------

    def record(self) -> dict[str, Any]:
        words: Step = {}
        written = _words(self.document.data.get("record"))
        for word, name, unit in (
            ("every", "time_s", "s"),
            ("dE", "voltage_V", "V"),
            ("dI", "current_mA", "mA"),
        ):
            value = self.value(written.get(name), ("record", name))
            if value:
                words[word] = notation.duration(value) if unit == "s" else f"{notation.plain(value)} {unit}"
        return {"record": words} if words else {}

    def limits(self) -> dict[str, Any]:
        written = _words(self.document.data.get("safety"))
        said = {name: self.value(value, ("safety", name)) for name, value in written.items()}
        low, high = said.get("min_voltage_V"), said.get("max_voltage_V")
        if low is not None and high is not None and self.asked.limits is None:
            words: dict[str, Any] = {"Ewe": [f"{notation.plain(low)} V", f"{notation.plain(high)} V"]}
        else:
            named = [end for end in (low, high) if end is not None]
            words = limits_around(
                self.asked, [*self.potentials, *named], lambda why: self.fault(("safety",), why)
            )
        currents = [abs(said[n]) for n in ("min_current_mA", "max_current_mA") if said.get(n) is not None]  # type: ignore[arg-type]
        if currents:
            words["I"] = f"{notation.plain(max(currents))} mA"
            if len(set(currents)) > 1:
                words["#I"] = "the larger of unicycler's two: nakctl limits |I|"
        if said.get("max_capacity_mAh"):
            loc = ("safety", "max_capacity_mAh")
            self.fault(loc, "a limit on the charge of a run cannot be said: end the steps on `charge`")
        if said.get("delay_s"):
            self.tell(("safety", "delay_s"), "delay_s is left out: nakctl's limits act at once")
        return words

    def steps(self) -> list[Step]:
        method = self.document.data.get("method")
        if not isinstance(method, list) or not method:
            self.fault(("method",), "method is a list of steps")
            return []
        items: list[list[Step]] = []
        jumps: list[Jump] = []
        tags = {
            str(_words(one).get("tag")): i for i, one in enumerate(method) if _words(one).get("step") == "tag"
        }
        for index, step in enumerate(method):
            items.append(self.step(step, index))
            if _words(step).get("step") == "loop":
                jumps += self.jump(_words(step), index, tags)
        try:
            return nested(items, jumps)
        except Crossing as crossing:
            self.faults.append(self.document.fault(crossing.mark, str(crossing)))
            return []

    def jump(self, step: dict[str, Any], index: int, tags: dict[str, int]) -> list[Jump]:
        """loop_to is a tag, or counts the steps from 1, tags among them; cycle_count counts all passes."""
        loc: Loc = ("method", index, "loop_to")
        to, passes = (
            step.get("loop_to", 1),
            self.value(step.get("cycle_count"), ("method", index, "cycle_count")),
        )
        target = tags.get(to, -1) if isinstance(to, str) and not to.isdigit() else int(to) - 1
        if not 0 <= target < index:
            self.fault(loc, f"{to} is no earlier step or tag")
            return []
        if passes is None or passes < 1:
            self.fault(("method", index), "a loop needs its cycle_count, 1 or more")
            return []
        return [Jump(index, target, int(passes), self.document.mark(("method", index)))]

    # --- steps -----------------------------------------------------------------------------------------

    def step(self, step: Any, index: int) -> list[Step]:
        loc: Loc = ("method", index)
        kind = _words(step).get("step")
        if kind not in _WORDS:
            self.fault(loc, f"{kind!r} is no step of unicycler: {', '.join(_WORDS)}")
            return []
        for word in _words(step):
            if word not in (*_WORDS[kind], "step", "id"):
                self.fault((*loc, word), f"{word} is no word of {kind}: {', '.join(_WORDS[kind])}")
        read: dict[str, Callable[[dict[str, Any], Loc], list[Step]]] = {
            "open_circuit_voltage": self.rest,
            "constant_current": self.current,
            "constant_voltage": self.hold,
            "impedance_spectroscopy": self.spectrum,
            "voltage_scan": self.scan,
        }
        return read[kind](step, loc) if kind in read else []

    def number(self, step: dict[str, Any], word: str, loc: Loc) -> Decimal | None:
        return self.value(step.get(word), (*loc, word))

    def rest(self, step: dict[str, Any], loc: Loc) -> list[Step]:
        lasts = self.number(step, "until_time_s", loc)
        if not lasts:
            self.fault(loc, "open_circuit_voltage needs until_time_s")
            return []
        return [{"rest": notation.duration(lasts)}]

    def rate(self, step: dict[str, Any], rate: str, current: str, loc: Loc) -> tuple[Decimal, str] | None:
        """The sign and the size of a current; a C-rate comes first, as in unicycler."""
        written = step.get(rate)
        found = (
            _rate(written) if isinstance(written, str) and "/" in written else self.number(step, rate, loc)
        )
        if found:
            size = self.asked.current(abs(found), str(written), lambda why: self.fault((*loc, rate), why))
            return None if size is None else (found, size)
        value = self.number(step, current, loc)
        return (value, f"{notation.plain(abs(value))} mA") if value else None

    def current(self, step: dict[str, Any], loc: Loc) -> list[Step]:
        """I > 0 charges, in unicycler."""
        known = len(self.faults)
        level = self.rate(step, "rate_C", "current_mA", loc)
        if level is None:
            if len(self.faults) == known:
                self.fault(loc, "constant_current needs rate_C or current_mA")
            return []
        word = self.asked.word("charge" if level[0] > 0 else "discharge")
        limit = self.number(step, "until_voltage_V", loc)
        until: Step = {}
        if limit is not None:
            self.potentials.append(limit)
            until = {"until": {"Ewe_above" if word == "strip" else "Ewe_below": f"{notation.plain(limit)} V"}}
        return [{word: level[1]} | self.lasting(step, loc) | until]

    def hold(self, step: dict[str, Any], loc: Loc) -> list[Step]:
        level = self.number(step, "voltage_V", loc)
        if level is None:
            self.fault(loc, "constant_voltage needs voltage_V")
            return []
        self.potentials.append(level)
        end = self.rate(step, "until_rate_C", "until_current_mA", loc)
        until: Step = {"until": {"I_below": end[1]}} if end else {}
        return [{"ca": f"{notation.plain(level)} V"} | self.lasting(step, loc) | until]

    def lasting(self, step: dict[str, Any], loc: Loc) -> Step:
        lasts = self.number(step, "until_time_s", loc)
        if lasts:
            return {"for": notation.duration(lasts)}
        return self.asked.without_time(lambda why: self.fault(loc, why))

    def scan(self, step: dict[str, Any], loc: Loc) -> list[Step]:
        first, last, rate = (self.number(step, word, loc) for word in _WORDS["voltage_scan"])
        if first is None or last is None or not rate:
            self.fault(loc, f"voltage_scan needs {', '.join(_WORDS['voltage_scan'])}")
            return []
        self.potentials += [first, last]
        ends = {"lsv": f"{notation.plain(last)} V", "from": f"{notation.plain(first)} V"}
        return [ends | {"rate": f"{notation.plain(rate)} mV/s"}]

    def spectrum(self, step: dict[str, Any], loc: Loc) -> list[Step]:
        potential, current = (self.number(step, word, loc) for word in ("amplitude_V", "amplitude_mA"))
        first, last = (self.number(step, word, loc) for word in ("start_frequency_Hz", "end_frequency_Hz"))
        if (potential is None) == (current is None) or not first or not last:
            self.fault(loc, "impedance_spectroscopy needs amplitude_V or amplitude_mA, and both frequencies")
            return []
        kind = "peis" if current is None else "geis"
        amplitude = _scaled(potential, "V") if current is None else _scaled(current / 1000, "A")
        words: dict[str, Any] = {
            "kind": kind, "amplitude": amplitude, "from": _scaled(first, "Hz"), "to": _scaled(last, "Hz"),
            "per_decade": int(self.number(step, "points_per_decade", loc) or 10),
            "average": int(self.number(step, "measures_per_point", loc) or 1),
        }  # fmt: skip
        if step.get("drift_correction") is True:
            words["drift_correction"] = True
        return [{kind: self.sweeps.name(words)}]


def _words(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rate(text: str) -> Decimal | None:
    """`C/5`, `D/2` (a discharge), `1/5`."""
    over, _, under = text.replace(" ", "").partition("/")
    sign = -1 if "D" in over else 1
    number = over.replace("C", "").replace("D", "")
    try:
        return sign * Decimal(number or 1) / Decimal(under)
    except (InvalidOperation, ZeroDivisionError):
        return None


def _scaled(value: Decimal | None, unit: str) -> str:
    prefixes = "um_kM" if unit == "Hz" else "pnum_"
    number, shown = notation.scaled(float(value or 0), unit, prefixes, 6)
    return notation.quantity(Decimal(number), shown)
