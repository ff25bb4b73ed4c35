"""The names of the built-in cells, for who waits for a key: read, and neither understood nor checked."""

from __future__ import annotations

from pathlib import Path

import yaml

FILES = ("nak.yaml", "circuits.yaml", "batteries.yaml", "symmetric.yaml", "blocking.yaml")


def notes() -> dict[str, str]:
    """What each cell says of itself, by its name, in the order of the catalog."""
    read = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = [yaml.load((Path(__file__).parent / file).read_text("utf-8"), read)["cells"] for file in FILES]
    return {str(name): str(words.get("note", "")) for cells in found for name, words in cells.items()}
