"""Mistakes that people make who know other programs, or who write a value where words belong.

Reads the data as written, as the rules do. What it says takes the place of what the model would say there:
the model knows what is wrong, and this what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import pairwise, takewhile
from typing import Any, NamedTuple

from nakctl.protocol import foreign
from nakctl.protocol.model import KINDS, Limits, NamedSweep, Protocol, Record, kind_of
from nakctl.protocol.written import quantity, words
from nakctl.text import lookalikes
from nakctl.text.faults import Problem
from nakctl.text.reader import Loc
from nakctl.text.sentences import words_of

CONDITION_WORDS = (
    "Ewe_above", "Ewe_below", "I_above", "I_below", "charge", "dEwe_dt_above", "dEwe_dt_below", "dI_dt_above",
    "dI_dt_below", "short", "then", "over",
)  # fmt: skip
_CURRENTS = ("areal current", "current", "C-rate")
_COMPARED = re.compile(r"\|?(\w+)\|?\s*(>=?|<=?|above|below|over|under)\s*(.+)")
_MISSING_BLANK = re.compile(r"([A-Za-z_]\w*):(\S.*)")
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)\s*=\s*(\S.*)")
_QUANTITY = re.compile(r"[+-]?\.?\d")
_TIMES = re.compile(r"(\d+)\s*(?:x|times|cycles|cycle)|x\s*(\d+)", re.IGNORECASE)
_PYBAMM = re.compile(
    r"(Charge|Discharge) at (\S+(?: m?A)?)(?: for ([\d.]+ \w+))?(?: or)?(?: until (\S+ ?\S+))?|"
    r"Rest for ([\d.]+ \w+)|Hold at ([\d.]+ ?m?V)(?: until (\S+ ?\S*))?",
    re.IGNORECASE,
)
_SPOKEN = {"hour": "h", "minute": "min", "second": "s"}
_MISSPELT = 0.85  # more like one of ours than this is a slip of the hand


class Mistake(NamedTuple):
    """instead  (where, part of what is said there) that is no news beside it."""

    problem: Problem
    instead: tuple[tuple[Loc, str], ...] = ()


def understood(data: dict[str, Any], others: Iterable[Problem]) -> list[Problem]:
    """What others say, and what was meant; without what says the same twice."""
    found = list(_of_file(data))
    dropped = [each for mistake in found for each in mistake.instead]
    kept = [one for one in others if not any(_says(one, loc, text) for loc, text in dropped)]
    return [*(mistake.problem for mistake in found), *kept]


def _says(problem: Problem, loc: Loc, text: str) -> bool:
    return problem.loc[: len(loc)] == loc and text in problem.message


def _of_file(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from _strangers(data, (), "top", words_of(Protocol))
    yield from _of_record(data.get("record"), ("record",))
    yield from _of_limits(data.get("limits"), ("limits",))
    if isinstance(expected := data.get("expect"), str):
        yield Mistake(Problem(("expect",), f"{expected}: write `expect: {{ends: {expected}}}`"))
    for name, sweep in words(data.get("spectra")).items():
        if isinstance(sweep, dict):
            yield from _strangers(sweep, ("spectra", name), "sweep", words_of(NamedSweep))
    yield from _of_steps(data.get("steps"), ("steps",))
    yield from _lists_in_braces(data, ())


def _lists_in_braces(value: Any, loc: Loc) -> Iterator[Mistake]:
    """`{I: 1 uA, 10 uA}`: YAML takes what follows the comma for the next word."""
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from _lists_in_braces(part, (*loc, i))
    elif isinstance(value, dict):
        yield from _list_in_braces(value, loc)
        for word, part in value.items():
            yield from _lists_in_braces(part, (*loc, word))


def _list_in_braces(given: dict[str, Any], loc: Loc) -> Iterator[Mistake]:
    written = list(given)
    for at, (word, after) in enumerate(pairwise(written), 1):
        if given[word] is None or not _is_torn_off(given, after):
            continue
        rest = list(takewhile(lambda each: _is_torn_off(given, each), written[at:]))
        values = ", ".join(map(str, [given[word], *rest]))
        text = f"in braces a comma ends the value: write `{word}: '{values}'`"
        said = tuple(((*loc, each), told) for each in rest for told in ("has no value", "is no word of"))
        yield Mistake(Problem((*loc, after), text, at_key=True), (*said, ((*loc, word), "has no unit")))


def _is_torn_off(given: dict[str, Any], word: str) -> bool:
    return given[word] is None and _QUANTITY.match(str(word)) is not None


# --- words that are somebody else's ------------------------------------------------------------------------


def _strangers(given: Mapping[str, Any], loc: Loc, place: str, own: list[str]) -> Iterator[Mistake]:
    folded = {word.casefold() for word in own}
    for word, value in given.items():
        if word in own or word.casefold() in folded:
            continue
        theirs = place != "top" and foreign.is_written(word, place)
        odd = theirs or lookalikes.found_in(word) is not None
        if not odd and get_close_matches(word, own, 1, _MISSPELT):
            continue
        yield from _stranger(word, value, loc, place)


def _stranger(word: str, value: object, loc: Loc, place: str) -> Iterator[Mistake]:
    at = (*loc, word)
    named = lookalikes.found_in(word)
    if named is not None:
        yield Mistake(Problem(at, f"{named}: write {lookalikes.plainly(word)}", at_key=True))
        return
    compared = _COMPARED.fullmatch(word)
    if compared and value is None:
        said = _condition(compared, f"{word} is a condition")
        instead = ((at, "has no value"), (loc, "needs one of"), (loc, "is no word of"))
        yield Mistake(Problem(at, said, at_key=True), instead)
        return
    other = foreign.known(word, place)
    if other is None:
        return
    whose = f"{word} is {other.of}'s word" if other.of else f"{word} is no word here"
    write = foreign.written(other, value)
    found: tuple[tuple[Loc, str], ...] = (
        (loc, f"needs the word {other.ours} "), (loc, f"{other.ours} is missing"), (loc, "needs one of"),
        (loc, "is no step"), (loc, "this step has no kind"),
    )  # fmt: skip
    yield Mistake(Problem(at, f"{whose}: write {write}", at_key=True), found)


# --- steps -------------------------------------------------------------------------------------------------


def _of_steps(steps: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(steps, dict):
        dashed = next((word for word in steps if word.startswith("-")), None)
        if dashed is not None:
            yield Mistake(Problem(loc, f"{dashed}: a blank is missing: write `- {dashed[1:]}: ...`"))
        else:
            yield Mistake(Problem(loc, "each step begins with a dash and a blank: `- rest: 10 min`"))
        return
    if isinstance(steps, str):
        yield Mistake(Problem(loc, f"{steps}: steps is a list: write `- {steps}` on the next line"))
        return
    for i, step in enumerate(steps if isinstance(steps, list) else []):
        if isinstance(step, dict):
            yield from _of_step(step, (*loc, i))
        elif isinstance(step, str):
            yield from _step_as_text(step, (*loc, i))


def _step_as_text(text: str, loc: Loc) -> Iterator[Mistake]:
    plain = lookalikes.plainly(text)
    pybamm = _PYBAMM.fullmatch(text)
    if pybamm:
        yield Mistake(Problem(loc, f"{text}: PyBaMM's sentence; here it is {_from_pybamm(pybamm)}"))
    elif found := _MISSING_BLANK.fullmatch(plain):
        why = lookalikes.found_in(text) or "a blank is missing after the colon"
        yield Mistake(Problem(loc, f"{text}: {why}: write `{found[1]}: {found[2]}`"))
    elif found := _ASSIGNED.fullmatch(text):
        yield Mistake(Problem(loc, f"{text}: a colon follows a word: write `{found[1]}: {found[2]}`"))
    elif text in KINDS:
        yield Mistake(Problem(loc, f"{text} needs its value: {example(text)}"))


def _from_pybamm(found: re.Match[str]) -> str:
    word, rate, time, end, rest, held, taper = (part and _time(part) for part in found.groups())
    if rest:
        return f"`rest: {rest}`"
    if held:
        return f"`ca: {held}`" + (f" with `until: {{I_below: {taper}}}`" if taper else "")
    above = "above" if str(word).casefold() == "charge" else "below"
    said = [f"`{str(word).casefold()}: {rate}`"]
    said += [f"`for: {time}`"] if time else []
    said += [f"`until: {{Ewe_{above}: {end}}}`"] if end else []
    return " with ".join(said[:2]) + (f" and {said[2]}" if said[2:] else "")


def _time(text: str) -> str:
    """`1 hour` as `1 h`."""
    return re.sub(r"(hour|minute|second)s?$", lambda unit: _SPOKEN[unit[1].casefold()], text, flags=re.I)


def _of_step(step: dict[str, Any], loc: Loc) -> Iterator[Mistake]:
    kind = kind_of(step)
    if kind is None:
        every_word = {word for model in KINDS.values() for word in words_of(model)}
        strangers = {word: value for word, value in step.items() if word not in every_word}
        yield from _strangers(strangers, loc, "step", list(KINDS))
        yield from _rest_beside(step, loc)
        return
    beside = {word: value for word, value in step.items() if kind != "rest" or not _is_time(word)}
    yield from _strangers(beside, loc, "refinement", words_of(KINDS[kind]))
    for word in step.keys() - beside.keys() - {"for", "rest"}:
        text = f"rest says its time itself: write `rest: {step[word]}`"
        yield Mistake(Problem((*loc, word), text, at_key=True))
    yield from _of_kind(kind, step[kind], (*loc, kind))
    if kind == "rest" and "for" in step:
        word, instead = (
            ("for", ()) if step["rest"] is not None else ("rest", (((*loc, "for"), "is no word of"),))
        )
        text = f"rest says its time itself: write `rest: {step['for']}`"
        yield Mistake(Problem((*loc, word), text, at_key=True), instead)
    for name in ("record", "record_off"):
        yield from _of_record(step.get(name), (*loc, name))
    until = step.get("until")
    if kind != "repeat":
        for at, one in _numbered(until, (*loc, "until")):
            yield from _of_until(one, at)
    yield from _shapes_beside(step, loc)
    if kind in ("repeat", "staircase"):
        yield from _of_steps(step.get("steps"), (*loc, "steps"))


def _is_time(word: str) -> bool:
    other = foreign.known(word, "refinement")
    return word == "for" or (other is not None and other.ours == "for")


def _rest_beside(step: dict[str, Any], loc: Loc) -> Iterator[Mistake]:
    """`- for: 1 h` and the like: the refinement of a step that its dash cut off."""
    if "steps" in step or not step:
        return
    word = next(iter(step))
    if all(each in ("for", "until", "record", "spectra", "label", "ranges", "during") for each in step):
        text = f"{word} refines a step: it stands under the step before, without a dash of its own"
        yield Mistake(Problem((*loc, word), text, True), ((loc, "this step has no kind"),))


def _numbered(until: Any, loc: Loc) -> list[tuple[Loc, Any]]:
    return [((*loc, i), one) for i, one in enumerate(until)] if isinstance(until, list) else [(loc, until)]


EXAMPLES = {
    "rest": "`rest: 10 min`", "strip": "`strip: 0.1 mA/cm2`", "plate": "`plate: 0.1 mA/cm2`",
    "charge": "`charge: C/10`", "discharge": "`discharge: C/10`", "cp": "`cp: -0.1 mA/cm2`",
    "ca": "`ca: 0.1 V`",
    "geis": "`geis: NAME` of a sweep under spectra", "peis": "`peis: NAME` of a sweep under spectra",
    "pulse": "`pulse: {strip: 1 mA/cm2}`", "ramp": "`ramp: {strip: 2 mA/cm2}`",
    "wait": "`wait: {sensor: chamber, within: 1 K, of: 60 degC, for: 10 min, at_most: 2 h, then: end run}`",
    "set": "`set: {chamber: 60 degC}`", "repeat": "`repeat: 10`",
    "staircase": "`staircase: 0.1, 0.2, 0.5 mA/cm2`",
    "cv": "`cv: 5 V, -0.2 V`", "lsv": "`lsv: 6 V`", "power": "`power: -5 mW/cm2`", "load": "`load: 1 kohm`",
    "profile": "`profile: drive.csv`", "ask": "`ask: change the pressure now`",
}  # fmt: skip


def example(kind: str) -> str:
    return EXAMPLES.get(kind, f"`{kind}: ...`")


def _of_kind(kind: str, value: Any, loc: Loc) -> Iterator[Mistake]:
    """The value of a kind word that has another form than it takes."""
    if kind in ("pulse", "ramp") and value is not None and not isinstance(value, dict):
        current = value if quantity(value, _CURRENTS) else "1 mA/cm2"
        text = f"{value}: which way? Write `{kind}: {{strip: {current}}}`, or plate"
        yield Mistake(Problem(loc, text))
    elif kind == "wait" and value is not None and not isinstance(value, dict):
        rest = value if quantity(value, ("time",)) else "10 min"
        text = f"wait waits for a sensor, {example('wait')}; for a time alone write `rest: {rest}`"
        yield Mistake(Problem(loc, text))
    elif kind == "set" and value is not None and not isinstance(value, dict):
        yield Mistake(
            Problem(loc, f"{value}: of what? Write `set: {{chamber: {value}}}`, by the sensor's name")
        )
    elif kind == "set" and isinstance(value, dict) and "rate" in value and len(value) == 2:
        [(name, to)] = [item for item in value.items() if item[0] != "rate"]
        ramp = f"`set: {{{name}: {{to: {to}, rate: {value['rate']}}}}}`"
        yield Mistake(
            Problem((*loc, "rate"), f"a ramp belongs to its sensor: write {ramp}", at_key=True),
            ((loc, "expected"),),
        )
    elif kind == "repeat" and isinstance(value, str) and (found := _TIMES.fullmatch(value.strip())):
        yield Mistake(Problem(loc, f"{value}: the number alone: write `repeat: {found[1] or found[2]}`"))
    elif kind in ("geis", "peis"):
        yield from _of_spectrum(kind, value, loc)
    elif kind in ("strip", "plate", "charge", "discharge", "cp", "ca", "rest", "power", "load"):
        yield from _of_held(kind, value, loc)
    elif kind == "staircase" and isinstance(value, dict) and "levels" in value:
        text = f"levels stand there themselves: write `staircase: {value['levels']}`"
        yield Mistake(Problem(loc, text), ((loc, "is no word of"),))


def _of_spectrum(kind: str, value: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(value, dict):
        yield from _strangers(value, loc, "sweep", words_of(NamedSweep))
        return
    if quantity(value, (*_CURRENTS, "potential")):
        text = f"{value}: {kind} takes the name of a sweep, or `{{amplitude: {value}, from: 1 MHz, to: 1 Hz, "
        yield Mistake(Problem(loc, text + "per_decade: 10}`; a bias is `during`"))


def _of_held(kind: str, value: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(value, dict):
        inner = next((each for each in value.values() if isinstance(each, str)), None)
        write = f"`{kind}: {inner}`" if inner is not None else example(kind)
        text = f"{kind} takes its value itself, its other words stand below it: write {write}"
        yield Mistake(Problem(loc, text))
    elif isinstance(value, list):
        levels = ", ".join(map(str, value))
        if len(value) == 1:
            yield Mistake(Problem(loc, f"one value stands without brackets: write `{kind}: {levels}`"))
            return
        text = f"{kind} takes one value; several are a `staircase: {levels}` around `{kind}: $level`"
        yield Mistake(Problem(loc, text))
    elif (
        kind in ("strip", "plate", "charge", "discharge", "cp")
        and quantity(value, _CURRENTS) is None  # 1C is one here
        and quantity(value, ("charge", "areal charge"))
    ):
        text = f"{value} is a charge; {kind} takes a current, and the charge is `for: {value}` below it"
        yield Mistake(Problem(loc, text))


def _shapes_beside(step: dict[str, Any], loc: Loc) -> Iterator[Mistake]:
    ranges, during, spectra = step.get("ranges"), step.get("during"), step.get("spectra")
    if isinstance(ranges, str):
        word = "I" if quantity(ranges, ("current",)) else "E"
        yield Mistake(Problem((*loc, "ranges"), f"{ranges}: of what? Write `ranges: {{{word}: {ranges}}}`"))
    if isinstance(during, str | int | float):
        word = "ca" if quantity(during, ("potential",)) else "strip"
        way = "" if word == "ca" else ", or plate"
        yield Mistake(Problem((*loc, "during"), f"{during}: write `during: {{{word}: {during}}}`{way}"))
    if isinstance(spectra, dict) and "use" not in spectra:
        text = (
            "spectra names a sweep: write `spectra: {use: NAME, every: 5 min}`, and the sweep under spectra "
        )
        instead = (((*loc, "spectra"), "needs the word use"), ((*loc, "spectra"), "is no word of"))
        yield Mistake(Problem((*loc, "spectra"), text + "at the top of the file"), instead)


# --- record, until, limits ----------------------------------------------------------------------------------


def _of_record(value: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(value, dict):
        yield from _strangers(value, loc, "record", words_of(Record))
    elif value is not None:
        frequency = quantity(value, ("frequency",))
        if frequency is not None:
            every = f"{1 / frequency.value:.4g} s"
            yield Mistake(Problem(loc, f"{value}: write the time between rows, `record: {{every: {every}}}`"))
            return
        word = "dE" if quantity(value, ("potential",)) else "dI" if quantity(value, _CURRENTS) else "every"
        shown = value if quantity(value, ("time", "potential", *_CURRENTS)) else "1 s"
        yield Mistake(Problem(loc, f"{value}: write `record: {{{word}: {shown}}}`"))


def _of_until(value: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(value, dict):
        yield from _strangers(value, loc, "condition", list(CONDITION_WORDS))
        then = value.get("then")
        meant = foreign.consequence(then) if isinstance(then, str) else None
        if meant is not None:
            said = Problem((*loc, "then"), f"then: {then} is written `then: {meant}`")
            yield Mistake(said, ((loc, "must be next step"),))
    elif isinstance(value, str):
        compared = _COMPARED.fullmatch(value.strip())
        if compared:
            yield Mistake(Problem(loc, _condition(compared, f"{value} is a condition")))
        elif value.strip().casefold() in ("short", "short circuit"):
            yield Mistake(Problem(loc, f"{value}: write `until: {{short: true}}`"))
        else:
            yield Mistake(Problem(loc, _bare_condition(value)))


def _bare_condition(value: str) -> str:
    if quantity(value, ("potential",)):
        return f"{value}: from which side? Write `until: {{Ewe_above: {value}}}` or `{{Ewe_below: {value}}}`"
    if quantity(value, ("charge", "areal charge")):
        return f"{value}: write `until: {{charge: {value}}}`, or `for: {value}`"
    if quantity(value, _CURRENTS):
        return f"{value}: write `until: {{I_below: {value}}}`"
    if quantity(value, ("time",)):
        return f"{value}: a time is `for: {value}`, not until"
    return f"{value}: until is words with values: write `until: {{Ewe_above: 3 V}}`"


def _condition(found: re.Match[str], what: str) -> str:
    """`Ewe > 3 V` as words."""
    name, sign, value = found[1], found[2], found[3].strip()
    side = "above" if sign[0] == ">" or sign in ("above", "over") else "below"
    known = {"i": "I", "current": "I", "q": "charge", "charge": "charge", "capacity": "charge"}
    word = known.get(name.casefold(), "Ewe")
    if name.casefold() in ("t", "time"):
        return f"{what} on time: write `for: {value}` beside until"
    write = f"charge: {value}" if word == "charge" else f"{word}_{side}: {value}"
    return f"{what}: conditions are words: write `until: {{{write}}}`"


def _of_limits(value: Any, loc: Loc) -> Iterator[Mistake]:
    if isinstance(value, list):
        ends = ", ".join(map(str, value))
        yield Mistake(Problem(loc, f"[{ends}]: of what? Write `limits: {{Ewe: [{ends}]}}`"))
    elif isinstance(value, str):
        yield Mistake(Problem(loc, f"{value}: write `limits: {{Ewe: [-3 V, {value}], time: 100 h}}`"))
    elif isinstance(value, dict):
        yield from _strangers(value, loc, "limit", words_of(Limits))
        window = value.get("Ewe")
        if isinstance(window, str):
            found = quantity(window, ("potential",))
            shown = f"[-{window}, {window}]" if found and found.value > 0 else "[-3 V, 3 V]"
            yield Mistake(Problem((*loc, "Ewe"), f"{window}: both ends are needed: write `Ewe: {shown}`"))
        elif isinstance(window, dict):
            ends = ", ".join(map(str, window.values()))
            yield Mistake(Problem((*loc, "Ewe"), f"both ends stand in brackets: write `Ewe: [{ends}]`"))
        most = value.get("I")
        if isinstance(most, list):
            yield Mistake(Problem((*loc, "I"), f"one value, for both directions: write `I: {most[-1]}`"))
