"""The campaigns that come with nakctl: files in `protocols/campaigns/`, named without their ending."""

from __future__ import annotations

from pathlib import Path

from nakctl.errors import InputError
from nakctl.protocol import library
from nakctl.text.meant import did_you_mean


def folder() -> Path:
    return library.folder() / "campaigns"


def names() -> tuple[str, ...]:
    """Sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.yaml")))


def find(name_or_path: str) -> Path:
    """The file that is meant: one at exactly this path first, else the shipped campaign of this name."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    if name_or_path in names():
        return folder() / f"{name_or_path}.yaml"
    if path.is_dir():
        raise InputError(f"{path} is a folder: name one file in it")
    hint = did_you_mean(path.stem, names()) or ";"
    raise InputError(
        f"{name_or_path} is neither a file nor a shipped campaign{hint} shipped are: {', '.join(names())}"
    )
