"""nakctl: battery experiments as reviewed protocols, run on potentiostat channels, kept in one file."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which a folder of runs may have as well
if TYPE_CHECKING:
    from pathlib import Path

    from nakctl.record.read import Run

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(path: str | Path) -> Run:
    """A run's result file, live, killed or sealed; arrays are read when they are asked for."""
    from nakctl.record.read import open_run

    return open_run(path)
