"""What the command line asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options. summary "-": on standard output, and all else on standard error."""

    base: str | None = None
    all: bool = False
    jobs: int | None = None
    timeout_s: float = 1800.0
    junit: Path | None = None
    summary: str | None = None
    keep: Path | None = None
    rig: Path | None = None
    as_json: bool = False
