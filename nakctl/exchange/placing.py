"""Where exported files go: nothing is overwritten, and what has its name is whole.

Each is written under a hidden name beside it, and all get their names when all are whole: a full disk leaves
none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from nakctl.errors import InputError
from nakctl.record.files import put_in_place, sync_file, sync_folder

Write = Callable[[Path], None]
Parts = Mapping[str, Write]  # by the end of the file's name, its ending included


def targets(run: Path, parts: Parts, ending: str, out: Path | None, *, many: str) -> dict[Path, Write]:
    """The name of each file. InputError if one of them is there already.

    out   a file with the ending of the format, whose name the others begin with; or a folder, which may be
          new; None: beside the run, or where there are many files in a folder of that name there
    """
    folder, stem, named = run.parent, run.stem, False
    if out is None and many and len(parts) > 1:
        folder = run.with_name(f"{run.stem}-{many}")
    if out is not None:
        named = out.name.lower().endswith(ending) and not out.is_dir()
        folder, stem = (out.parent, out.name[: -len(ending)]) if named else (out, run.stem)
        if named and len(parts) == 1:
            parts = {ending: next(iter(parts.values()))}
    _refuse_other(folder, new=not named)
    found = {folder / f"{stem}{end}": write for end, write in parts.items()}
    for path in found:
        if path.exists():
            raise InputError(f"{path} exists already; nothing is overwritten")
    return found


def write(files: Mapping[Path, Write]) -> None:
    """All of them, or none."""
    hidden = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in files}
    folders = _made({path.parent for path in files})
    placed: list[Path] = []
    try:
        for path, make in files.items():
            make(hidden[path])
            sync_file(hidden[path])
        for path, temporary in hidden.items():
            if path.exists():
                raise InputError(f"{path} was made meanwhile by somebody else; nothing is overwritten")
            put_in_place(temporary, path)
            placed.append(path)
    except BaseException:
        for left in (*hidden.values(), *placed):
            left.unlink(missing_ok=True)
        for folder in folders:
            folder.rmdir()
        raise
    for folder in {path.parent for path in files}:
        sync_folder(folder)


def _made(folders: set[Path]) -> list[Path]:
    """Those that were not there."""
    new = [folder for folder in folders if not folder.exists()]
    for folder in new:
        folder.mkdir()
    return new


def _refuse_other(folder: Path, *, new: bool) -> None:
    """InputError for anything but a folder. new: it may still have to be made."""
    if folder.is_file():
        raise InputError(f"{folder} is a file: a folder is needed, or a name with the ending of the format")
    needed = folder.parent if new else folder
    if not folder.is_dir() and not needed.is_dir():
        raise InputError(f"there is no folder {needed}")
