"""YAML as protocols, cells and rigs use it: plain values with the line they stand on.

The scalars are those of YAML 1.2 (`true`, `false`, `null`, numbers): `on`, `no`, `1:30` and dates stay text.
What invites surprises is refused with a sentence: duplicate keys, tabs, anchors, tags, several documents.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml

from nakctl.errors import Fault, InputError, Mark
from nakctl.text.meant import file_like

Loc = tuple[str | int, ...]

MOST_BYTES = 256 * 1024
DEEPEST = 32
_WIDEST = 160
# Tabs, control characters, surrogates, and line ends that only YAML knows: editors would count other lines.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\ue002\ufeff\ufffe\uffff]"
)
_INTEGER = re.compile(r"[-+]?[0-9]{1,15}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# `[0.15, 0.45] mA/cm2`: a unit after a list of numbers is that of each. YAML has no such thing, and is shown
# signs of ours in the place of these brackets and commas: one for one, so that all places stay.
_SHARED_UNIT = re.compile(
    r"\[[ ]*[-+.\d][-+.\deE ]*(?:,[ ]*[-+.\d][-+.\deE ]*)+\](?=[ ]*[A-Za-z%\u00b0\u00b5\u03bc\u03a9\u2126]"
    r"[^,:{}\[\]\"'#\n]*(?:[,}\]\n]|[ ]#|$))"
)
_OURS = str.maketrans("[,]", "\ue000\ue001\ue002")
_YAMLS = str.maketrans("\ue000\ue001\ue002", "[,]")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, and the key before it (the value itself, in a list)."""

    key: Mark
    value: Mark


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its values as plain Python, and where each stands.

    data    the mapping at the top
    places  by location, e.g. ("steps", 1, "for"); the whole file is ()
    """

    file: str
    text: str
    data: dict[str, Any]
    places: Mapping[Loc, Place]

    def mark(self, loc: Loc) -> Mark:
        """Of the value at loc, or of the nearest thing around it that exists."""
        return self._place(loc).value

    def key_mark(self, loc: Loc) -> Mark:
        """Of the key that leads to loc, or of the nearest thing around it that exists."""
        return self._place(loc).key

    def _place(self, loc: Loc) -> Place:
        while loc not in self.places:
            loc = loc[:-1]
        return self.places[loc]

    def line_text(self, line: int) -> str:
        lines = self.text.split("\n")
        return lines[line - 1].rstrip()[:_WIDEST] if 1 <= line <= len(lines) else ""

    def fault(self, mark: Mark, message: str) -> Fault:
        return Fault(self.file, mark, message, self.line_text(mark.line))


def read_file(path: Path | str, error: type[InputError] = InputError, *, ours: bool = False) -> Document:
    """The YAML file at path. Raises `error`, with every fault that was found.

    ours: it comes along with nakctl, without fault: the C parser may read it, which is many times as fast,
    but does not refuse the same things in the same words
    """
    return read_text(read_plain(path, MOST_BYTES, error), str(path), error, ours=ours)


def read_plain(path: Path | str, most_bytes: int, error: type[InputError] = InputError) -> str:
    """The text in a file of at most so many bytes. Raises `error`: there is none, or it is no UTF-8."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(most_bytes + 1)
    except OSError as problem:
        raise error(_no_file(path, problem)) from None
    return _decode(raw, str(path), most_bytes, error)


def _no_file(path: Path, problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return f"{path}: there is no such file{file_like(path)}"
    if path.is_dir():
        return f"{path} is a folder: name one file in it"
    return f"{path} cannot be read: {problem.strerror}"


def _decode(raw: bytes, file: str, most_bytes: int, error: type[InputError]) -> str:
    def refuse(line: int, message: str) -> NoReturn:
        raise error([Fault(file, Mark(line, 1), message)])

    if len(raw) > most_bytes:
        refuse(1, f"the file is longer than {most_bytes // 1024} kB: nothing that nakctl reads is")
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        refuse(1, "the file is saved as UTF-16: save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        refuse(
            line,
            f"byte {raw[problem.start]:#x} is not UTF-8 (a µ from an old editor?): save the file as UTF-8",
        )


def read_text(text: str, file: str, error: type[InputError] = InputError, *, ours: bool = False) -> Document:
    """The YAML in text; `file` is its name in faults. Raises `error`, with every fault that was found."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blank = Document(file, text, {}, {(): Place(Mark(1, 1), Mark(1, 1))})
    data, places, slips = _understand(text, _FAST if ours else yaml.SafeLoader)
    if slips:
        raise error(
            blank.fault(slip.mark, slip.message) for slip in sorted(slips, key=lambda slip: slip.mark)
        )
    return Document(file, text, data, places)


class _Slip(Exception):
    """Something that may not stand where it stands. Raised only if nothing after it can be understood."""

    def __init__(self, mark: Mark, message: str) -> None:
        super().__init__(message)
        self.mark, self.message = mark, message


def _understand(text: str, loader: Any) -> tuple[dict[str, Any], dict[Loc, Place], list[_Slip]]:
    reading = _Reading(text, loader)
    try:
        _refuse_unseen(text)
        return reading.document(), reading.places, reading.slips
    except yaml.MarkedYAMLError as problem:
        from nakctl.text.slips import explain

        slip = _Slip(*explain(problem, text))
    except _Slip as stop:
        slip = stop
    return {}, {}, [*reading.slips, slip]


def _refuse_unseen(text: str) -> None:
    """Tabs and control characters, before YAML stumbles over them in its own words."""
    found = _UNSEEN.search(text)
    if found is not None:
        before = text[: found.start()]
        mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
        if found[0] == "\t":
            raise _Slip(mark, "a tab stands here: use spaces")
        raise _Slip(mark, f"an invisible character (U+{ord(found[0]):04X}) stands here: delete it")


class _Reading:
    """Turns the events of YAML into values, noting where each stands and what is no part of the language."""

    def __init__(self, text: str, loader: Any) -> None:
        shown = _SHARED_UNIT.sub(lambda found: found[0].translate(_OURS), text)
        self.events: Iterator[Any] = yaml.parse(shown, Loader=loader)
        self.places: dict[Loc, Place] = {}
        self.slips: list[_Slip] = []

    def document(self) -> dict[str, Any]:
        """The one mapping of the file."""
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _Slip(Mark(1, 1), "the file is empty")
        if start.version or start.tags:
            self.note(start, "a line with % is not part of the language: delete it")
        top = next(self.events)
        if not isinstance(top, yaml.MappingStartEvent):
            raise _Slip(_mark(top), "expected words with values, such as `name: a title`")
        self.places[()] = Place(_mark(top), _mark(top))
        data: dict[str, Any] = self.value(top, ())
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Slip(_mark(after), "a second document begins here: one file holds one document")
        return data

    def note(self, event: yaml.Event, message: str) -> None:
        self.slips.append(_Slip(_mark(event), message))

    def value(self, event: Any, loc: Loc) -> Any:
        """The value that begins with event."""
        if len(loc) > DEEPEST:
            raise _Slip(_mark(event), f"nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self.note(
                event, "anchors and aliases (& and *) are not part of the language: use params and $name"
            )
        if isinstance(event, yaml.AliasEvent):
            return None
        if event.tag is not None:
            self.note(event, f"the tag {event.tag} is not part of the language: write the plain value")
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(loc)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(loc)
        if event.implicit[0] and event.value.startswith("\ue000"):
            return self.sharing_a_unit(event, loc)
        text = event.value.translate(_YAMLS)
        return plain(text) if event.implicit[0] else text

    def mapping(self, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for event in self.until(yaml.MappingEndEvent):
            key = self.key(event, loc)
            if key in values:
                first = self.places[(*loc, key)].key.line
                self.note(event, f"{key} stands here a second time, first on line {first}")
            value = next(self.events)
            self.places[(*loc, key)] = Place(_mark(event), _mark(value))
            values[key] = self.value(value, (*loc, key))
        return values

    def sequence(self, loc: Loc) -> list[Any]:
        values: list[Any] = []
        for event in self.until(yaml.SequenceEndEvent):
            at = (*loc, len(values))
            self.places[at] = Place(_mark(event), _mark(event))
            values.append(self.value(event, at))
        return values

    def sharing_a_unit(self, event: Any, loc: Loc) -> list[Any]:
        """`[0.15, 0.45] mA/cm2` as `[0.15 mA/cm2, 0.45 mA/cm2]`."""
        numbers, _, unit = event.value[1:].partition("\ue002")
        mark, at = _mark(event), 1
        values: list[Any] = []
        for number in numbers.split("\ue001"):
            begin = Mark(mark.line, mark.column + at + len(number) - len(number.lstrip()))
            self.places[(*loc, len(values))] = Place(begin, begin)
            values.append(f"{number.strip()} {unit.strip()}")
            at += len(number) + 1
        return values

    def key(self, event: Any, loc: Loc) -> str:
        """A key is a word; anything else is noted and stands in by its text."""
        key = self.value(event, loc)
        if not isinstance(key, str):
            self.note(event, _no_word(event))
        elif key == "<<":
            self.note(event, "merge keys (<<) are not part of the language: use params and $name")
        return str(key)

    def until(self, end: type[yaml.Event]) -> Iterator[Any]:
        while not isinstance(event := next(self.events), end):
            yield event


def _no_word(event: Any) -> str:
    """Why something that is no text stands before a colon."""
    if isinstance(event, yaml.MappingStartEvent):
        return "braces in braces are no word: a parameter is written $name, without braces"
    return f"{getattr(event, 'value', 'a list')} cannot be a word: words are text"


def plain(text: str) -> str | int | float | bool | None:
    """An unquoted scalar as YAML 1.2 has it: `on`, `no`, `1:30`, dates and `.inf` are text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)
