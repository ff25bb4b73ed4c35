"""What is written into /entry/results while a run is sealed: the figures that `nakctl show` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nakctl.record.read import Run, open_run
from nakctl.results.catalogue import VERSION, Quantity, quantity, version
from nakctl.results.summary import figures, told

_BESIDE = ("text", VERSION)  # what follows from the figures, and who drew them


def conclusions(path: Path) -> dict[str, Any]:
    """By the names of `nakctl show --json`: numbers with units and what they are. text: the sentences of
    `show`."""
    with open_run(path) as run:
        found = figures(run)
    said = found | {"text": "\n".join(told(found)), VERSION: version()}
    return {name: _described(value, quantity(name)) for name, value in said.items()}


def _described(value: Any, known: Quantity | None) -> Any:
    if known is None:
        return value
    units = {"units": known.units} if known.units else {}
    return {"value": value, **units, "definition": known.text}


def concluded(run: Run) -> dict[str, Any] | None:
    """The figures as they stand in the file, if it is sealed and they were drawn by this version; else
    None."""
    kept = run.header.results
    if not run.header.sealed or kept.get(VERSION) != version():
        return None
    figures_kept = {name: value for name, value in kept.items() if name not in _BESIDE}
    return {name: _plain(value, known) for name, value in figures_kept.items() if (known := quantity(name))}


def _plain(value: Any, known: Quantity) -> Any:
    bare = value["value"] if isinstance(value, dict) and known.units else value
    return bool(bare) if known.kind == "truth" else bare
