"""The reference of the language, out of the schema: the same text in the terminal, the docs and an editor.

What stands here beside the schema's own sentences are the forms of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from nakctl.protocol import foreign, schema
from nakctl.protocol.model import EXPECT, KINDS
from nakctl.protocol.result_names import example as result_example
from nakctl.protocol.snippets import example
from nakctl.text import units
from nakctl.text.numbers import wrapped
from nakctl.text.sentences import nearest

# Where words stand that are no kinds, by the name of their model, in the order of a file.
PLACES = {
    "Protocol": "at the top of the file",
    "NamedSweep": "a sweep under spectra, or in geis and peis",
    "Limits": "limits",
    "MeasuredCapacity": "capacity",
    "StopWhen": "stop_when",
    "Short": "short",
    "Expect": "expect",
    "Record": "record",
    "Ranges": "ranges",
    "Cutoff": "until of a step",
    "LoopEnd": "until of a repeat",
    "EndedBy": "if",
    "SpectraUse": "spectra of a step",
    "During": "during",
    "Settling": "wait",
    "SetRamp": "set, of a ramp",
    "LevelRange": "staircase, from one level to another",
}
KIND = "a kind of step"
VALUES = (
    ("a quantity", "0.1 mA/cm2", "a number with a point, and a unit; µ, ² and − are understood"),
    ("several", "0.1, 0.2, 0.5 mA/cm2", "one unit at the end, or a unit each; a blank follows each comma"),
    ("a C-rate", "C/10, 0.5C, 2C", "where a current stands; of the capacity of the cell or the protocol"),
    ("a part of the capacity", "10 % of capacity", "where a charge stands"),
    (
        "an earlier step's charge",
        "same charge as strip-1",
        "in the `for` of strip, plate, charge, discharge and cp: as that step moved when it was done last",
    ),
    ("forever", "forever", "in rest and repeat: until something ends it"),
    ("a parameter", "$name", "declared under params, changed with --set; nothing is computed"),
    ("a level", "$level", "of the staircase around the step, whatever quantity that is"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One word in one place. example: of its value, or of the whole step."""

    word: str
    place: str
    text: str
    example: str


@cache
def _schema() -> dict[str, Any]:
    return schema.schema()


def _definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _schema() if name == "Protocol" else _schema()["$defs"][name]
    return found


def _properties(name: str) -> dict[str, dict[str, Any]]:
    """The words of a model; those of the results, which `expect` takes as well, have a page of their own."""
    found: dict[str, dict[str, Any]] = _definition(name).get("properties", {})
    return found if name != "Expect" else {word: part for word, part in found.items() if word in EXPECT}


@cache
def entries() -> tuple[Entry, ...]:
    """All words: kinds first, then those beside a kind, then the others by place."""
    kinds = [Entry(kind, KIND, _told(model.__name__), example(kind)) for kind, model in KINDS.items()]
    beside: dict[tuple[str, str], list[str]] = {}
    shown: dict[tuple[str, str], str] = {}
    for kind, model in KINDS.items():
        for word, part in _properties(model.__name__).items():
            if word != kind:
                key = word, str(part.get("description", ""))
                beside.setdefault(key, []).append(kind)
                shown.setdefault(key, _value(part))
    refined = [
        Entry(word, f"beside {', '.join(of)}", text, shown[word, text]) for (word, text), of in beside.items()
    ]
    return (*kinds, *sorted(refined, key=lambda entry: entry.word.casefold()), *_others())


def _others() -> Iterator[Entry]:
    for name, place in PLACES.items():
        for word, part in _properties(name).items():
            yield Entry(word, place, str(part.get("description", "")), _value(part))
    for word, part in _definition("Expect")["properties"].items():
        if word not in EXPECT:
            yield Entry(word, "expect, a result", str(part["description"]), f"{word}: {result_example(word)}")


def _told(name: str) -> str:
    return " ".join(str(_definition(name).get("description", "")).split())


def _value(part: dict[str, Any]) -> str:
    """Examples of a value, or what it may be."""
    examples = part.get("examples") or [
        each for one in part.get("anyOf", ()) for each in one.get("examples", ())
    ]
    choices = [each for one in [part, *part.get("anyOf", ())] for each in one.get("enum", ())]
    consts = [one["const"] for one in [part, *part.get("anyOf", ())] if "const" in one]
    default = [f"{part['default']} if left out"] if "default" in part else []
    return ", ".join(map(str, [*(examples or choices or consts), *default]))


# --- looking a word up --------------------------------------------------------------------------------------


def about(word: str) -> list[str] | None:
    """Lines about a word, its values or its unit; None: nobody knows it."""
    lines = [line for entry in entries() if entry.word == word for line in _entry_lines(entry)]
    if word in KINDS:
        of = KINDS[word].__name__
        lines += ["", f"words of {word}:", *_words_of(of, word)]
    for name, place in PLACES.items():
        if place.split(" ")[0].rstrip(",") == word and name != "Protocol":
            lines += ["", f"words of {place}: {_told(name)}", *_words_of(name)]
    for _, found in () if lines else foreign.rows():
        if _is(word, found.words):
            lines.append(f"{word} ({found.of or 'elsewhere'}): here {foreign.written(found)}")
    if word in ("units", "unit"):
        lines += list(unit_lines())
    elif word in ("values", "value"):
        lines += [f"{what:<24}{shown:<26}{text}" for what, shown, text in VALUES]
    elif word in units.SPELLINGS and not lines:
        lines += [f"{word}: {unit_text(word)}"]
    return lines or None


def _is(word: str, known: tuple[str, ...]) -> bool:
    return word in known or foreign.normal(word) in map(foreign.normal, known)


def _entry_lines(entry: Entry) -> Iterator[str]:
    yield f"{entry.word}  ({entry.place})"
    yield from wrapped(entry.text, "    ", "    ")
    for number, line in enumerate(entry.example.split("\n") if entry.example else ()):
        dash = "- " if entry.place == KIND and not number else "  "
        yield f"    {dash}{line}"


def _words_of(name: str, kind: str = "") -> Iterator[str]:
    for word, part in _properties(name).items():
        its = "its kind: " if word == kind else ""
        shown = f" [{_value(part)}]" if _value(part) else ""
        yield from wrapped(f"{its}{part.get('description', '')}{shown}", f"    {word:<18}", " " * 22)


def unit_text(unit: str) -> str:
    found = [name for name, known in units.DIMENSIONS.items() if _measures(unit, name)]
    return units.DIMENSIONS[found[0]].noun if found else "a unit"


def _measures(unit: str, dimension: str) -> bool:
    try:
        units.parse(f"1 {unit}", (dimension,))
    except units.UnitError:
        return False
    return True


def unit_lines() -> Iterator[str]:
    """Each quantity with an example, and the units that measure it."""
    by_dimension: dict[str, list[str]] = {}
    for spelling in units.SPELLINGS:
        for name in units.DIMENSIONS:
            if name not in units.OF_CAPACITY and _measures(spelling, name):
                by_dimension.setdefault(name, []).append(spelling.replace("percent", "%"))
    for name, known in units.DIMENSIONS.items():
        listed = ", ".join(by_dimension.get(name, ()))
        yield f"{known.noun:<28}{known.example:<20}{listed}".rstrip()


def suggestions(word: str) -> list[str]:
    """Words like one that nobody knows."""
    known = dict.fromkeys([entry.word for entry in entries()])
    theirs = [each for _, found in foreign.rows() for each in found.words]
    return nearest(word, [*known, *theirs])


# --- the whole ----------------------------------------------------------------------------------------------


def overview() -> Iterator[str]:
    """All words on one screen."""
    yield "kinds of step"
    for kind in KINDS:
        told = _told(KINDS[kind].__name__).partition(". ")[0].rstrip(".")
        yield from wrapped(told, f"  {kind:<11}", " " * 13)
    yield ""
    yield "words beside a kind"
    refined = dict.fromkeys(entry.word for entry in entries() if entry.place.startswith("beside"))
    yield from wrapped(", ".join(refined), "  ", "  ")
    for name, place in PLACES.items():
        yield f"{place}"
        yield from wrapped(", ".join(_properties(name)), "  ", "  ")
    yield ""
    yield "nakctl words WORD: what it means, with an example; also values, units, and words of EC-Lab, PyBaMM"
    yield "and unicycler"


def page() -> str:
    """docs/words.md"""
    return "".join(f"{line}\n" for line in _page())


def _page() -> Iterator[str]:
    yield from (
        "# The words of a protocol",
        "",
        "Made of the model by `pytest --update-golden tests/protocol/test_reference.py`. `nakctl words WORD`",
        "says the same in the terminal, and an editor shows it beside the word.",
        "",
        "## Kinds of step",
    )
    for kind, model in KINDS.items():
        first, *others = example(kind).split("\n")
        yield from ("", f"### {kind}", "", _cell(_told(model.__name__)), "", "```yaml", f"- {first}")
        yield from (f"  {line}" for line in others)
        yield "```"
        yield from _table(model.__name__)
    for name, place in PLACES.items():
        is_top = name == "Protocol"
        yield from ("", "## Words at the top of the file" if is_top else f"## Words of {place}", "")
        yield from () if is_top else (_cell(_told(name)),)
        yield from _table(name)
    yield from ("", "## Values", "", "| | written | |", "|---|---|---|")
    yield from (f"| {what} | `{shown}` | {_cell(text)} |" for what, shown, text in VALUES)
    yield from ("", "## Units", "", "Small and large letters differ.", "", "```text", *unit_lines(), "```")
    yield from ("", "## Words of other programs", "", "| | theirs | here |", "|---|---|---|")
    for _, found in foreign.rows():
        theirs = ", ".join(f"`{word}`" for word in found.words)
        yield f"| {found.of or 'elsewhere'} | {theirs} | {_cell(foreign.written(found))} |"


def _table(name: str) -> Iterator[str]:
    yield from ("", "| word | | for example |", "|---|---|---|")
    for word, part in _properties(name).items():
        shown = ", ".join(f"`{each}`" for each in re.split(r", (?![^(]*\))", _value(part)) if each)
        yield f"| `{word}` | {_cell(str(part.get('description', '')))} | {shown} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
