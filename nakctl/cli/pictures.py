"""Where a picture may go. Asked before anything is drawn."""

from __future__ import annotations

from pathlib import Path

from nakctl.errors import InputError

FORMATS = (".png", ".pdf", ".svg")


def check_target(path: Path) -> Path:
    """The path itself. InputError if a picture cannot or must not be written there."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: the name of a picture ends in one of {', '.join(FORMATS)}")
    if path.exists():
        raise InputError(f"{path} exists already; nothing is overwritten")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}")
    return path
