"""Where exported files go: nothing is overwritten, and what has its name is whole.

Each is written under a hidden name beside it, and all get their names when all are whole: a full disk leaves
none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from nakctl.errors import InputError, RecordError
from nakctl.record.files import put_in_place, sync_file, sync_folder

# Nobody calls a folder so.
_OF_FILES = {
    ".csv", ".tsv", ".txt", ".dat", ".json", ".parquet", ".bdf", ".mpt", ".mpr", ".z", ".nc", ".netcdf",
    ".xlsx", ".xls", ".ods", ".h5", ".hdf5", ".zip", ".gz",
}  # fmt: skip

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
            parts = {out.name[-len(ending) :]: next(iter(parts.values()))}  # .CSV, as it was written
        if not named:
            _refuse_name_of_a_file(out, ending)
    _refuse_other(folder, new=not named)
    found = {folder / f"{stem}{end}": write for end, write in parts.items()}
    for path in found:
        if path.exists():
            raise InputError(f"{path} exists already; nothing is overwritten")
    return found


def write(files: Mapping[Path, Write]) -> None:
    """All of them, or none."""
    hidden = {path: path.with_name(f".{path.name}.{os.getpid()}.part") for path in files}
    new = [folder for folder in {path.parent for path in files} if not folder.exists()]
    placed: list[Path] = []
    try:
        for folder in new:
            folder.mkdir(exist_ok=True)
        for path, make in files.items():
            make(hidden[path])
            sync_file(hidden[path])
        _name(hidden, placed)
    except BaseException as error:
        _clean((*hidden.values(), *placed), new)
        if isinstance(error, OSError):
            folder = next(iter(files)).parent
            raise RecordError(f"nothing was written to {folder}: {error.strerror or error}") from error
        raise
    for folder in {path.parent for path in files}:
        sync_folder(folder)


def _name(hidden: Mapping[Path, Path], placed: list[Path]) -> None:
    """Each of these files gets its name, and is noted in placed."""
    for path, temporary in hidden.items():
        if path.exists():
            raise InputError(f"{path} was made meanwhile by somebody else; nothing is overwritten")
        put_in_place(temporary, path)
        placed.append(path)


def _clean(left: Iterable[Path], folders: Iterable[Path]) -> None:
    """Folders only where nobody else has put something into them."""
    for file in left:
        with suppress(OSError):
            file.unlink(missing_ok=True)
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _refuse_name_of_a_file(out: Path, ending: str) -> None:
    """InputError where a folder would be made of what was meant for a file, or for the terminal."""
    if out.is_dir():
        return
    if str(out) == "-":
        raise InputError("-o -: files are written, and nothing to the terminal; name a file or a folder")
    if out.suffix.lower() in _OF_FILES:
        raise InputError(
            f"{out} is no name for this format, whose files end in {ending}: "
            f"{out.with_name(out.name[: -len(out.suffix)] + ending)}, or a folder"
        )


def _refuse_other(folder: Path, *, new: bool) -> None:
    """InputError for anything but a folder. new: it may still have to be made."""
    if folder.is_file():
        raise InputError(f"{folder} is a file: a folder is needed, or a name with the ending of the format")
    needed = folder.parent if new else folder
    if not folder.is_dir() and not needed.is_dir():
        raise InputError(f"there is no folder {needed}")
