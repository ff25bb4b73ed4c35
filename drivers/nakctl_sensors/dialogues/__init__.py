"""Ready dialogues: one YAML file per instrument, each with the source it was written from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from nakctl.text.reader import read_file

FOLDER = Path(__file__).parent


def dialogue_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def dialogue(name: str) -> dict[str, Any] | None:
    """The words of a ready dialogue; None if there is none of this name."""
    return _read(name) if name in dialogue_names() else None


@cache
def _read(name: str) -> dict[str, Any]:
    return read_file(FOLDER / f"{name}.yaml", ours=True).data
