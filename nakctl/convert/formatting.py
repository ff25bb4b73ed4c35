"""Protocols, rigs and cells in one layout. What they say is not changed: both are read and compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from nakctl.device.cell import Cell
from nakctl.errors import Fault, InputError, Mark, ProtocolError
from nakctl.plan.compile import compile_protocol
from nakctl.plan.meaning import meaning
from nakctl.protocol.expect import Bound, Expected
from nakctl.protocol.load import Loaded, understand
from nakctl.protocol.model import Expect, Protocol, Ranges
from nakctl.protocol.params import bind
from nakctl.text.layout import NotLaidOut, laid_out
from nakctl.text.quantities import Quantities, Quantity, Relative
from nakctl.text.reader import Document, Loc, read_text
from nakctl.text.spelling import respelled

ORDER = tuple(field.alias or name for name, field in Protocol.model_fields.items())
# To compare plans with: it has what any protocol may ask a cell for.
ANY_CELL = Cell("any", 1.0, capacity_C=3.6, working_is="positive", three_electrodes=True)


def formatted_protocol(document: Document, loaded: Loaded | None) -> str:
    """With its words in the order of the reference as well, and quantities in one spelling.

    loaded: the protocol that the document says; None: it has faults, then quantities stay as they are.
    """
    spelled = {} if loaded is None else _respelled(document, loaded.protocol)
    for instead in (spelled, {}):
        made = _in_order(read_text(formatted(document, instead), document.file))
        again = _require_same(document, made, instead)
        if loaded is None or _same_plan(loaded, again):
            return made
    raise _unsafe(document)


def formatted(document: Document, spelled: Mapping[Loc, str] | None = None) -> str:
    """Any YAML file of ours. spelled: values to write in another way."""
    spelled = spelled or {}
    instead = {
        (mark.line, mark.column): text for loc, text in spelled.items() for mark in [document.mark(loc)]
    }
    try:
        made = laid_out(document.text, instead)
    except NotLaidOut as error:
        raise InputError([document.fault(Mark(error.line, 1), error.message)]) from None
    _require_same(document, made, spelled)
    return made


def quantities_of(model: BaseModel, data: Mapping[str, Any]) -> Iterator[Loc]:
    """Where the data of a model say a quantity as text, or several."""
    return _quantities(model, data, ())


def spelled_anew(document: Document, locs: Iterable[Loc]) -> dict[Loc, str]:
    """Those that are written in another way than they will be; what stands in quotes stays."""
    found = {}
    for loc in locs:
        text = _at(document.data, loc)
        if isinstance(text, str) and _is_plain(document, loc, text) and respelled(text) != text:
            found[loc] = respelled(text)
    return found


def _respelled(document: Document, model: BaseModel) -> dict[Loc, str]:
    """Of a protocol: a parameter, if it is a quantity wherever it is used."""
    bound = bind(document, {})
    found, uses = [], dict.fromkeys(bound.used)
    of_params: dict[Loc, list[set[Loc]]] = {use: [] for use in uses}
    for loc in _quantities(model, bound.data, ()):
        use = next((loc[:end] for end in range(len(loc) + 1) if loc[:end] in bound.used), None)
        if use is None:
            found.append(loc)
        else:
            of_params[use].append({("params", bound.used[use], *loc[len(use) :])})
    for name in dict.fromkeys(bound.used.values()):
        each = [set().union(*of_params[use]) for use, used in bound.used.items() if used == name]
        found += sorted(set.intersection(*each), key=str)
    return spelled_anew(document, found)


def _quantities(model: Any, data: Any, loc: Loc) -> Iterator[Loc]:
    if isinstance(data, str) and isinstance(model, Quantity | Quantities | Relative | Bound):
        yield loc
    elif isinstance(model, Ranges):
        yield from ((*loc, word) for word in ("I", "E") if isinstance(data.get(word), str))
    else:
        for part, made, value in _parts(model, data):
            yield from _quantities(made, value, (*loc, part))


def _parts(model: Any, data: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """What a value holds, as the model has it and as it was written."""
    match model, data:
        case BaseModel(), dict():
            words = {field.alias or name: name for name, field in type(model).model_fields.items()}
            known = {word: getattr(model, name) for word, name in words.items()}
            known |= model.figures if isinstance(model, Expect) else {}
            yield from ((word, known[word], value) for word, value in data.items())
        case [BaseModel() as only], dict():
            yield from _parts(only, data)
        case Expected(), list() | dict():
            ends = data.items() if isinstance(data, dict) else zip((0, 1), data, strict=True)
            yield from ((end, model.high if end in (1, "below") else model.low, value) for end, value in ends)
        case dict(), dict():
            yield from ((word, model[word], value) for word, value in data.items())
        case Quantities(), list():
            yield from ((k, model.values[k], value) for k, value in enumerate(data))
        case ((list() | tuple()), list()):
            yield from ((k, model[k], value) for k, value in enumerate(data))
        case _:
            return


def _is_plain(document: Document, loc: Loc, text: str) -> bool:
    """It stands on one line, without quotes."""
    mark = document.mark(loc)
    return document.text.split("\n")[mark.line - 1][mark.column - 1 :].startswith(text)


def _at(data: Any, loc: Loc) -> Any:
    for part in loc:
        data = data[part]
    return data


# --- the order of words ----------------------------------------------------------------------------------


def _in_order(document: Document) -> str:
    """The words at the top in the order of the reference, each with the comments right above it. What stands
    above the first one is about the file, and stays there; so does what stands at the end."""
    begins = {str(loc[0]): place.key.line - 1 for loc, place in document.places.items() if len(loc) == 1}
    ordered = sorted(begins, key=_place_of(list(begins)))
    if ordered == list(begins) or len(set(begins.values())) < len(begins):
        return document.text
    lines = document.text.removesuffix("\n").split("\n")
    top, *others = begins.values()
    starts, last = [top, *(_begin(lines, line) for line in others)], _last(lines)
    blocks = dict(zip(begins, map(slice, starts, [*starts[1:], last]), strict=True))
    body = [line for word in ordered for line in lines[blocks[word]]]
    made = [*lines[:top], *_without_blank_ends(body), *lines[last:]]
    return laid_out("\n".join(made) + "\n")


def _place_of(words: Sequence[str]) -> Any:
    """What to sort by: one that the reference does not know stays behind the one before it."""
    places: dict[str, float] = {}
    before = -1.0
    for word in words:
        before = float(ORDER.index(word)) if word in ORDER else before
        places[word] = before
    return places.__getitem__


def _begin(lines: Sequence[str], line: int) -> int:
    """With the comments right above it, and the blank lines above those."""
    while line > 0 and lines[line - 1].startswith("#"):
        line -= 1
    while line > 0 and not lines[line - 1]:
        line -= 1
    return line


def _last(lines: Sequence[str]) -> int:
    """Where the comments at the end begin."""
    line = len(lines)
    while line > 0 and (lines[line - 1].startswith("#") or not lines[line - 1]):
        line -= 1
    return line


def _without_blank_ends(lines: Sequence[str]) -> Sequence[str]:
    while lines and not lines[0]:
        lines = lines[1:]
    return lines


# --- the same ------------------------------------------------------------------------------------------


def _require_same(document: Document, made: str, spelled: Mapping[Loc, str]) -> Document:
    """Every value is what it was, but for those that are spelled in another way. What was read anew."""
    again = read_text(made, document.file)
    before = _leaves(document) | {loc: repr(text) for loc, text in spelled.items()}
    if before != _leaves(again):
        raise _unsafe(document)
    return again


def _leaves(document: Document) -> dict[Loc, str]:
    """All values that hold no others, by where they stand; of those that do, what they are."""
    found = {}
    for loc in document.places:
        value = _at(document.data, loc)
        found[loc] = type(value).__name__ if isinstance(value, dict | list) else repr(value)
    return found


def _same_plan(loaded: Loaded, again: Document) -> bool:
    try:
        anew = replace(understand(again, {}), profiles=loaded.profiles, texts=loaded.texts)
    except ProtocolError:
        return False
    return bool(_planned(anew) == _planned(loaded))


def _planned(loaded: Loaded) -> Any:
    try:
        return meaning(compile_protocol(loaded, ANY_CELL))
    except ProtocolError as error:
        return len(error.faults)


def _unsafe(document: Document) -> InputError:
    message = "laid out anew it would say something else, so it is left as it is"
    return InputError([Fault(document.file, Mark(1, 1), message)])
