"""Which of nakctl's files is this YAML file, if it is one at all? Asked of a folder in which others lie, too.

Its first word says it. A slip in that word makes it no stranger, nor does a fault anywhere else: what is
taken for a stranger is passed over, and its faults are told by nobody.
"""

from __future__ import annotations

import codecs
import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from nakctl.errors import InputError
from nakctl.protocol.model import KINDS
from nakctl.text.reader import MOST_BYTES, read_text

Kind = Literal["protocol", "rig", "cells", "campaign"]
FIRST_WORDS: Mapping[str, Kind] = {"nakctl": "protocol", "nakctl-rig": "rig", "nakctl-campaign": "campaign"}
_SCHEMAS: Mapping[str, Kind] = {f"{kind}.schema.json": kind for kind in FIRST_WORDS.values()}
_NEAR = 0.8  # nakct, naktcl and Nakctl are; kubectl is not
_SCHEMA = re.compile(r"\A\ufeff?(?:#.*\n)*?# *yaml-language-server: *\$schema=(?:.*/)?(\S+)")
_WORD = re.compile(r"""^["']?([A-Za-z][\w-]*)["']?[ \t]*:""", re.MULTILINE)
_OTHERS = frozenset({"limits", "params", "spectra", "record", "stop_when", "rules", "finally"})
_DECISIVE = frozenset({"steps", "cells"})
SUFFIXES = (".yaml", ".yml")
VENV = "pyvenv.cfg"  # it stands in an environment of Python
_NEVER = frozenset({"node_modules", "__pycache__", "site-packages"})


def kind_of_file(text: str) -> Kind | None:
    """None: it is not one of ours."""
    schema = _SCHEMA.match(text)
    if schema is not None and schema[1] in _SCHEMAS:
        return _SCHEMAS[schema[1]]
    words = dict.fromkeys(_WORD.findall(text))
    if not (_by_first_word(words) or _DECISIVE & words.keys() or text.lstrip().startswith("{")):
        return None  # of others, and it may be long
    try:
        data = read_text(text, "").data
    except InputError:
        data = words
    return _by_first_word(data) or _by_others(data)


def _by_first_word(data: Mapping[str, Any]) -> Kind | None:
    for word, kind in FIRST_WORDS.items():
        if word in data:
            return kind
    for word in data:
        near = difflib.get_close_matches(word.casefold(), FIRST_WORDS, 1, _NEAR)
        if near:
            return FIRST_WORDS[near[0]]
    return None


def _by_others(data: Mapping[str, Any]) -> Kind | None:
    """A protocol whose first word was forgotten, or the file of a simulated cell, which has none."""
    steps = data.get("steps")
    if isinstance(steps, list) and _OTHERS & data.keys():
        known = [step for step in steps if isinstance(step, dict) and KINDS.keys() & step.keys()]
        return "protocol" if known else None
    return "cells" if isinstance(data.get("cells"), dict) and isinstance(data.get("model"), str) else None


def kind_of_path(path: Path) -> Kind | None:
    """Of a file, however it is encoded: to say so is for who reads it. None also of one that is not there."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES)
    except OSError:
        return None
    is_utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return kind_of_file(raw.decode("utf-16" if is_utf16 else "utf-8-sig", "replace"))


def is_yaml(path: Path) -> bool:
    """By its name, also in capitals."""
    return path.suffix.lower() in SUFFIXES


def files_in(folder: Path) -> list[Path]:
    """Ours, in a folder and in those in it, sorted; see `walked`."""
    found = (folder / name for name in walked(folder) if is_yaml(name))
    return [path for path in sorted(found) if path.is_file() and kind_of_path(path) is not None]


def walked(folder: Path) -> Iterator[Path]:
    """All files, as seen from the folder; none of hidden folders, environments of Python and their like."""
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not is_of_others(Path(name)))
        inner[:] = [name for name in inner if not (Path(place) / name / VENV).exists()]
        yield from (Path(place).relative_to(folder) / name for name in sorted(names))


def is_of_others(folder: Path) -> bool:
    """A folder, or one around it, is hidden or kept by a program."""
    return any(part.startswith(".") or part in _NEVER for part in folder.parts)
