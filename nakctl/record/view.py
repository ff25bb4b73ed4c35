"""What the live view holds beyond a journal that is damaged, or shorter than it was.

The view was filled from the journal while that was whole, so what it has more goes on where the journal ends.
It has no checksums: the journal comes first, and where it is whole nobody asks the view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from nakctl.errors import NakctlError
from nakctl.record import files
from nakctl.record.aux_replay import GrowingTable
from nakctl.record.opening import opened
from nakctl.record.replay import Replay

_ROWS_AT_A_TIME = 1 << 18


@dataclass(frozen=True, slots=True)
class Beyond:
    """rows: taken from the view, by table; last_s: the time of the last one of samples.

    aside: where a view is to be kept that could not be taken in
    """

    rows: dict[str, int] = field(default_factory=dict)
    last_s: float = np.nan
    aside: Path | None = None

    @property
    def note(self) -> str:
        """For the user; "" if there is nothing to say."""
        said = []
        if self.rows:
            counts = ", ".join(f"{count} {name}" for name, count in self.rows.items())
            until = f" (until {self.last_s:.6g} s)" if np.isfinite(self.last_s) else ""
            said.append(f"{counts} beyond that are from the live view{until}, which has no checksums")
        if self.aside is not None:
            said.append(f"the live view cannot be made sense of and is kept: {self.aside}")
        return "; ".join(said)


def take_beyond(path: Path, replay: Replay, *, damaged: bool) -> Beyond:
    """Append to the tables of a file being filled what NAME.h5 has more; all rows must have been written.

    damaged  the journal is: then a view that cannot be read may hold what nothing else does
    """
    if not path.exists():
        return Beyond()
    grown = replay.grown()
    before = {name: growing.rows for name, growing in grown.items()}
    readable = _taken(path, replay, grown)
    replay.write()
    found = {name: growing.rows - before[name] for name, growing in grown.items()}
    taken = {name: count for name, count in found.items() if count}
    last_s = float(replay.entry["samples/time"][-1]) if found["samples"] else np.nan
    return Beyond(taken, last_s, None if readable or not (damaged or taken) else files.view_of(path))


def _taken(path: Path, replay: Replay, grown: Mapping[str, GrowingTable]) -> bool:
    """False if the view is another run's, or cannot be read to its end."""
    try:
        with opened(path) as view:
            if view["entry/entry_identifier_uuid"][()] != replay.entry["entry_identifier_uuid"][()]:
                return False
            for name, growing in grown.items():
                if f"entry/{name}" in view:
                    _append(view[f"entry/{name}"], growing, replay)
    except NakctlError:
        return False
    return True


def _append(group: h5py.Group, growing: GrowingTable, replay: Replay) -> None:
    shortest = min(len(group[name]) for name in growing.table.names)  # a flush may be half done
    for start in range(growing.rows, shortest, _ROWS_AT_A_TIME):
        replay.add_rows(growing, _rows(group, growing.table.dtype, start, shortest))


def _rows(group: h5py.Group, dtype: np.dtype[np.void], start: int, end: int) -> npt.NDArray[np.void]:
    rows = np.empty(min(_ROWS_AT_A_TIME, end - start), dtype)
    for name in dtype.names or ():
        rows[name] = group[name][start : start + len(rows)]
    return rows
