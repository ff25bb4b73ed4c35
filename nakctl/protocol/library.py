"""The protocols that come with nakctl: files in `protocols/`, named without their ending."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nakctl.errors import InputError
from nakctl.text.meant import did_you_mean, file_like

_OURS = b'"title": "nakctl '  # of a schema that was made here


@cache
def folder() -> Path:
    """Inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "protocols"
    return installed if installed.is_dir() else package.parent / "protocols"


def names() -> tuple[str, ...]:
    """The names of all shipped protocols, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.yaml")))


def find(name_or_path: str | Path) -> Path:
    """The file that is meant: one at exactly this path first, else the shipped protocol of this name."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    name = str(name_or_path)
    if name in names():
        return folder() / f"{name}.yaml"
    raise InputError(_unknown(name, path))


def schema_beside(file: Path, shipped: Path | None = None) -> Path:
    """The schema in the folder of a protocol, where its first line looks for it; or of a campaign, which is
    shipped in a folder of its own.

    One of an older nakctl is renewed: words that it does not know would be red, though they are right.
    """
    name = "protocol" if shipped in (None, folder()) else "campaign"
    source = (shipped or folder()) / f"{name}.schema.json"
    beside = file.parent / source.name
    if not beside.exists() or _OURS in beside.read_bytes():
        beside.write_bytes(source.read_bytes())
    return beside


def _unknown(name: str, path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name one file in it"
    if (folder() / "campaigns" / f"{name}.yaml").is_file():
        return f"{name} is a campaign, no protocol: nakctl campaign {name}"
    hint = file_like(path) or did_you_mean(path.stem, names()) or ";"
    return f"{name} is neither a file nor a shipped protocol{hint} shipped are: {', '.join(names())}"
