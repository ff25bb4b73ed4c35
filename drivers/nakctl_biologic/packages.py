"""Which files of the OEM package nakctl needs, and whether they belong together."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from nakctl.device.inspection import Diagnosis
from nakctl_biologic.codes import Board
from nakctl_biologic.remedies import FILES_TOGETHER

TECHNIQUES = ("ocv", "cplimit", "calimit", "iscanlimit", "vscanlimit", "geis", "peis", "loop")
ON_ESSENTIAL_ALONE = ("pow", "load")
_DIGITS = 16


def needed(board: Board) -> tuple[str, ...]:
    """The files that a board of this kind is loaded with."""
    names = TECHNIQUES + (ON_ESSENTIAL_ALONE if board is Board.ESSENTIAL else ())
    techniques = (f"{name}{board.suffix}.ecc" for name in names)
    return tuple(name for name in (board.kernel, board.fpga, *techniques) if name)


def release_of(library: str) -> str | None:
    """The release that a library of this version came with; None if it is not known."""
    found: str | None = _table()["libraries"].get(library)
    return found


def check_files(folder: Path | None, library: str, boards: Iterable[Board]) -> Iterator[Diagnosis]:
    """Kernel and technique files for these boards. library: the version it says it has."""
    if folder is None:
        yield Diagnosis("files", "ok", "the library knows its files by itself")
        return
    for board in sorted(boards):
        names = needed(board)
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            yield Diagnosis(
                "files",
                "error",
                f"{folder} lacks {', '.join(missing)} for {board.name} boards",
                FILES_TOGETHER,
            )
        else:
            yield _compared(folder, names, library, board)


def _compared(folder: Path, names: tuple[str, ...], library: str, board: Board) -> Diagnosis:
    """Only a file known to be of another release counts against them: not every build is known."""
    release = release_of(library)
    about = f"{len(names)} files for {board.name} boards in {folder}"
    if release is None or not any(release in each for name in names for each in _releases(name).values()):
        return Diagnosis(
            "files", "ok", f"{about}; whether they fit library {library} cannot be told from here"
        )
    alien = {name: other for name in names if (other := _other_release(folder / name, release))}
    if alien:
        told = ", ".join(f"{name} is of {other}" for name, other in alien.items())
        return Diagnosis("files", "error", f"the library is of package {release}, but {told}", FILES_TOGETHER)
    return Diagnosis("files", "ok", f"{about} go with library {library} (package {release})")


def _other_release(file: Path, release: str) -> str:
    """The releases a file belongs to, if they are known and ours is not among them."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:_DIGITS]
    known = _releases(file.name).get(digest, "")
    return "" if release in known.split() else known


def _releases(name: str) -> dict[str, str]:
    """Digest -> releases of this file."""
    found: dict[str, str] = _table()["files"].get(name, {})
    return found


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("nakctl_biologic").joinpath("packages.toml").read_text("utf-8"))
