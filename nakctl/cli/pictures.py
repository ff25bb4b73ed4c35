"""Where a picture may go. Asked before anything is drawn."""

from __future__ import annotations

from pathlib import Path

from nakctl.errors import InputError

FORMATS = (".png", ".pdf", ".svg")


def check_target(path: Path, what: str = "a picture", endings: tuple[str, ...] = FORMATS) -> Path:
    """The path itself. InputError if it cannot or must not be written there."""
    if path.suffix.lower() not in endings:
        one_of = "in one of " if len(endings) > 1 else "in "
        raise InputError(f"{path}: the name of {what} ends {one_of}{', '.join(endings)}")
    if path.exists():
        raise InputError(f"{path} exists already; nothing is overwritten")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    return path
