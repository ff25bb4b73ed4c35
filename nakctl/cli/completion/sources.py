"""Where the names come from that may stand in a place of the command line.

Each is asked for while somebody waits for a key: rig and cells are read as plain YAML and not understood, and
what lists figures and formats would load numpy.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nakctl.cli.completion.asked import Asked
from nakctl.offered import offered

CELL_NAMES = "nakctl.cell_names"  # entry points: name -> note, of cells that drivers bring along
_MOST_BYTES = 256 * 1024
_NO_PROTOCOLS = ("rig.yaml", "rig.yml")
_TITLE = re.compile(r"^name: *(.+)$", re.MULTILINE)


class Name(NamedTuple):
    """One that may stand there. more: something follows without a blank"""

    text: str
    about: str = ""
    more: bool = False
    is_path: bool = False


Source = Callable[[Asked], Iterator[Name]]


# --- files --------------------------------------------------------------------------------------------------


def files(typed: str, suffixes: tuple[str, ...] = (), *, folders_only: bool = False) -> Iterator[Name]:
    """Files in the folder that is typed, all or those with a suffix, and folders to go on with.

    Hidden ones only if a dot is typed.
    """
    folder, begun = os.path.split(typed)
    kept = typed[: len(typed) - len(begun)]
    try:
        found = sorted(os.scandir(Path(folder or ".").expanduser()), key=lambda each: each.name)
    except OSError:
        return
    for each in found:
        if each.name.startswith(".") and not begun.startswith("."):
            continue
        if each.is_dir():
            yield Name(f"{kept}{each.name}/", "a folder", more=True, is_path=True)
        elif not folders_only and (not suffixes or each.name.lower().endswith(suffixes)):
            yield Name(kept + each.name, is_path=True)


def folders(asked: Asked) -> Iterator[Name]:
    return files(asked.typed, folders_only=True)


def yaml_files(asked: Asked) -> Iterator[Name]:
    return files(asked.typed, (".yaml", ".yml"))


def result_files(asked: Asked) -> Iterator[Name]:
    given = set(asked.given.get(asked.param.name, ()))
    return (each for each in files(asked.typed, (".h5",)) if each.text not in given)


def any_files(asked: Asked) -> Iterator[Name]:
    return files(asked.typed)


# --- protocols ----------------------------------------------------------------------------------------------


def shipped(asked: Asked) -> Iterator[Name]:
    from nakctl.protocol import library

    for name in library.names():
        title = _TITLE.search((library.folder() / f"{name}.yaml").read_text("utf-8"))
        yield Name(name, title[1] if title else "")


def protocols(asked: Asked) -> Iterator[Name]:
    """Files here first: they are somebody's own."""
    for each in yaml_files(asked):
        if Path(each.text).name not in _NO_PROTOCOLS:
            yield each
    yield from shipped(asked)


def checked(asked: Asked) -> Iterator[Name]:
    """Rigs and cells, too."""
    yield from yaml_files(asked)
    yield from shipped(asked)


def campaigns(asked: Asked) -> Iterator[Name]:
    from nakctl.campaign import library

    yield from yaml_files(asked)
    for name in library.names():
        yield Name(name, "shipped")


def parameters(asked: Asked) -> Iterator[Name]:
    """Of the protocol that is named before."""
    from nakctl.protocol import library

    file = asked.value("file") or asked.value("files")
    given = {each.partition("=")[0] for each in asked.given.get(asked.param.name, ())}
    params = _yaml(library.find(file)).get("params") if file else None
    for name, value in (params if isinstance(params, dict) else {}).items():
        if name not in given:
            yield Name(f"{name}=", f"{value} in the file", more=True)


def words(asked: Asked) -> Iterator[Name]:
    """Of the language, as its schema has them."""
    from nakctl.protocol import library

    schema = json.loads((library.folder() / "protocol.schema.json").read_text("utf-8"))
    defined = [schema, *schema["$defs"].values()]
    known = {word for each in defined for word in each.get("properties", {})}
    return (Name(word) for word in ("units", "values", *sorted(known, key=str.casefold)))


# --- the rig ------------------------------------------------------------------------------------------------


def _rig(asked: Asked) -> dict[str, Any]:
    """The rig file that is named, or that of the folder; empty if there is none, or it cannot be read."""
    from nakctl.rig import RIG_FILE

    return _yaml(Path(asked.value("rig") or RIG_FILE))


def _yaml(file: Path) -> dict[str, Any]:
    """Its words, all values as texts: `on` is no truth."""
    import yaml

    try:
        if not file.is_file():  # a pipe would be waited for
            return {}
        with file.open("rb") as stream:
            read = yaml.load(stream.read(_MOST_BYTES), getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except (OSError, yaml.YAMLError, ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _entries(rig: Mapping[str, Any], word: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = rig.get(word)
    for name, words in found.items() if isinstance(found, dict) else ():
        yield str(name), words if isinstance(words, dict) else {}


def channels(asked: Asked) -> Iterator[Name]:
    from nakctl.rig import SIMULATED

    for name, words in _entries(_rig(asked), "channels"):
        yield Name(name, f"channel {words.get('channel', '?')} of {words.get('device', '?')}")
    for place in SIMULATED.values():
        yield Name(place.name, f"simulated {place.instrument}")


def cells(asked: Asked) -> Iterator[Name]:
    """Of the rig, on the channel that is named; those that come along; files."""
    channel = asked.value("on")
    for name, words in _entries(_rig(asked), "cells"):
        if channel in (None, words.get("channel")):
            yield Name(name, f"on {words.get('channel', '?')}")
    yield from built_in_cells(asked)
    yield from yaml_files(asked)


def built_in_cells(asked: Asked) -> Iterator[Name]:
    for point in offered(CELL_NAMES):
        for name, note in point.load()().items():
            yield Name(name, note)


def devices(asked: Asked) -> Iterator[Name]:
    for name, words in _entries(_rig(asked), "devices"):
        yield Name(name, str(words.get("model", "")))


# --- runs ---------------------------------------------------------------------------------------------------


def runs(asked: Asked) -> Iterator[Name]:
    """By the channel; by the id where that is being typed, or several are on one channel."""
    from nakctl.record.registry import known_runs

    runs = known_runs()
    places = [run.place for run in runs]
    given = set(asked.given.get(asked.param.name, ()))
    for run in runs:
        alone = bool(run.place) and places.count(run.place) == 1
        about = f"{run.protocol}, cell {run.cell}: {run.path.name}"
        for text, shown in ((run.place, alone), (run.short_id, not alone or bool(asked.typed))):
            if shown and text not in given:
                yield Name(text, about)


def fixed(*texts: str) -> Source:
    return lambda _: (Name(each) for each in texts)
