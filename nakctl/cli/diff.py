"""`nakctl diff BEFORE AFTER`, `nakctl diff --base REVISION [FILE|DIR...]`"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nakctl.cli import console
from nakctl.cli.check import errors, named
from nakctl.cli.json_output import print_json
from nakctl.cli.prepare import Prepared, Wishes, prepare
from nakctl.cli.revision import changed_since, unpacked, where_it_left
from nakctl.errors import ExitCode, InputError
from nakctl.plan.scene import Scene
from nakctl.protocol.kind_of_file import is_yaml, kind_of_path
from nakctl.render.difference import Difference, compare
from nakctl.render.difference.told import as_json, markdown, text
from nakctl.render.view import View
from nakctl.rig import RIG_FILE


@dataclass(frozen=True, slots=True)
class Compared:
    """One protocol beside an earlier one.

    difference  None: one of the two could not be read, or there is but one; then `told` says so
    is_new      it was not there before
    """

    file: str
    difference: Difference | None
    same_text: bool = False
    told: str = ""
    is_new: bool = False
    error: InputError | None = None


def diff(files: list[str], base: str | None, wishes: Wishes, how: str, exit_code: bool) -> int:
    """how: text, markdown or json."""
    with ExitStack() as folders:
        if base is not None:
            seen = list(since(base, files, wishes, folders))
        elif len(files) == 2:
            seen = [_two(files[0], files[1], wishes, folders)]
        else:
            raise InputError("name two protocols, or one revision and files: nakctl diff --base main FILE...")
    _tell(seen, how)
    if any(each.error is not None for each in seen):
        return ExitCode.BAD_INPUT
    differs = any(each.difference is None or not each.difference.same for each in seen)
    return ExitCode.FAILED if exit_code and differs else ExitCode.DONE


def since(base: str, files: Iterable[str], wishes: Wishes, folders: ExitStack) -> Iterator[Compared]:
    """Protocols of these files and folders beside what they were at the revision; none named: those changed.

    Of the other side cell and channel are those of its own rig, if it has one. InputError: no such revision.
    """
    here = Path()
    commit = where_it_left(base, here)
    then = folders.enter_context(unpacked(commit, here))
    chosen = list(named(files, ours=True)) if files else [str(path) for path in _changed(commit, here, then)]
    for file in chosen:
        if kind_of_path(Path(file)) not in ("rig", "cells", "campaign"):
            yield _since(base, then, file, wishes)


def _changed(commit: str, here: Path, then: Path) -> Iterator[Path]:
    for path in changed_since(commit, here):
        if is_yaml(path) and kind_of_path(path if path.is_file() else then / path) == "protocol":
            yield path


def _since(base: str, then: Path, file: str, wishes: Wishes) -> Compared:
    if not Path(file).is_file():
        return Compared(file, None, told="removed")
    try:
        now = prepare(file, wishes)
    except InputError as error:
        return Compared(file, None, error=error)
    before = then / file
    if Path(file).is_absolute() or not before.is_file():
        return Compared(file, None, told=f"new: {_summary(now)}", is_new=True)
    try:
        was = prepare(str(before), at_that_time(wishes, then))
    except InputError as error:
        why = _as_called(error, str(then), base)
        return Compared(file, None, told=f"could not be read at {base}, and is now: {_summary(now)}\n{why}")
    return _compared(file, was, now, f"{base}:{file}", file)


def at_that_time(wishes: Wishes, then: Path) -> Wishes:
    """With the rig of that time, unless one is named, or there was none."""
    rig = then / RIG_FILE
    return replace(wishes, rig=rig) if wishes.rig is None and rig.is_file() else wishes


def _two(before: str, after: str, wishes: Wishes, folders: ExitStack) -> Compared:
    """Each a file, the name of a shipped protocol, or REVISION:FILE."""
    try:
        was, now = (_side(each, wishes, folders) for each in (before, after))
    except InputError as error:
        return Compared(after, None, error=error)
    return _compared(after, was, now, before, after)


def _side(named_so: str, wishes: Wishes, folders: ExitStack) -> Prepared:
    revision, colon, name = named_so.partition(":")
    if not colon or Path(named_so).exists() or (len(revision) == 1 and sys.platform == "win32"):
        return prepare(named_so, wishes)
    then = folders.enter_context(unpacked(revision, Path()))
    path = then / name
    if not path.is_file():
        raise InputError(f"there is no file {name} at {revision}")
    try:
        return prepare(str(path), at_that_time(wishes, then))
    except InputError as error:
        raise InputError(_as_called(error, str(then), revision)) from None


def _as_called(error: InputError, then: str, revision: str) -> str:
    """With the revision in place of the folder that it was unpacked into."""
    return str(error).replace(f"{then}/", f"{revision}:").replace(f"{then}\\", f"{revision}:")


def _compared(file: str, was: Prepared, now: Prepared, before: str, after: str) -> Compared:
    difference = compare(view(was), view(now), before, after)
    return Compared(file, difference, was.loaded.document.text == now.loaded.document.text)


def view(ready: Prepared) -> View:
    return View(Scene(ready.plan, ready.program, ready.instrument), ready.estimate)


def _summary(now: Prepared) -> str:
    from nakctl.text.numbers import duration, plural

    seconds = now.estimate.duration_s
    lasts = "without end" if seconds is None else duration(seconds)
    return f"{now.plan.name}, {lasts}, {plural(len(now.program.steps), 'step')}"


# --- telling -------------------------------------------------------------------------------------------


def _tell(seen: list[Compared], how: str) -> None:
    if how == "json":
        print_json({"files": [_json(each) for each in seen]})
        return
    told = [_told(each, how) for each in seen if each.error is None]
    if told:
        print("\n".join(told), end="")
    elif not seen:
        print("no protocol has changed")
    console.say(*(str(each.error) for each in seen if each.error is not None), to=sys.stderr)


def _told(compared: Compared, how: str) -> str:
    if compared.difference is None:
        first, _, more = compared.told.partition("\n")
        if how == "markdown":
            return f"#### {compared.file}\n\n{first}\n" + (f"\n```\n{more}\n```\n" if more else "")
        return f"{compared.file}: {first}\n" + (f"{more}\n" if more else "")
    render = markdown if how == "markdown" else text
    return render(compared.difference, compared.same_text)


def _json(compared: Compared) -> dict[str, Any]:
    found = None if compared.difference is None else as_json(compared.difference)
    faults = [] if compared.error is None else errors(compared.error)
    told = {"file": compared.file, "is_new": compared.is_new, "same_text": compared.same_text}
    return told | {"told": compared.told, "difference": found, "errors": faults}
