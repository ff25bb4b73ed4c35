"""nakctl: battery experiments as reviewed protocols, run on potentiostat channels, kept in one file."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` has it, which a folder of runs may have as well
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nakctl.door.joined import Joined
    from nakctl.door.run import Run
    from nakctl.record import read

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "concat", "open"]


def open(path: str | Path) -> Run:
    """A run's result file, live, killed or sealed; arrays are read when they are asked for.

    Raises InputError if there is no such file, RecordError if it cannot be read.
    """
    from nakctl.door.run import open_run

    return open_run(path)


def concat(
    runs: read.Run | str | Path | Sequence[read.Run | str | Path], gap_s: float | None = None
) -> Joined:
    """The samples of several runs as one table, in the order of time.

    Columns are those of `samples`, with `time` in s from the start of the first run, `run` (1, 2, ...) and
    `unix_time`. What a run has not is NaN. Q, step_count and cycle are those of each run, and begin anew.
    Files that do not know their time zone, as those of EC-Lab, are put in order, and have no `unix_time`.

    gap_s  None: where the files say that they began. Else they are put one behind the other in the order
           given, this far apart, and there is no `unix_time`: runs in virtual time take none, so their
           starts lie too close.
    Raises InputError if runs overlap, or one does not say when it began.
    """
    from nakctl.door import joined

    return joined.concat(runs, gap_s)


def __getattr__(name: str) -> object:
    if name == "Run":  # late, because it loads numpy
        from nakctl.door.run import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
