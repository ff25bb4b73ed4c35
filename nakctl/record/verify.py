"""A fresh look at a sealed file, by another process: are all its rows there, and what do they mean?

Every column is read back and compared with the checksums of its source.

`nakctl.record.verify` (see `process`) is a process of its own, so that what it reads comes from the file and
not from a cache of the process that wrote it. And a conclusion that takes all memory or never comes to an end
costs the answer, not the file. The question comes as JSON on standard input.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py

from nakctl import isolated
from nakctl.record.process import Beat, answer, answer_so_far

_ROWS_AT_A_TIME = 1 << 20


def faults_of(
    path: Path,
    tables: Mapping[str, tuple[int, Mapping[str, int]]],
    at: Callable[[str], None] = lambda doing: None,
) -> Iterator[str]:
    """What differs between the file and what it should hold; nothing if all is well. at: as for sealing."""
    with h5py.File(path, "r") as file:
        for name, (rows, checksums) in tables.items():
            for column, checksum in checksums.items():
                dataset = file[f"entry/{name}/{column}"]
                if len(dataset) != rows:
                    yield f"{name}/{column} has {len(dataset)} rows instead of {rows}"
                elif _checksum(dataset, at) != checksum:
                    yield f"{name}/{column} differs"


def _checksum(dataset: Any, at: Callable[[str], None]) -> int:
    crc = 0
    for start in range(0, len(dataset), _ROWS_AT_A_TIME):
        values = dataset[start : start + _ROWS_AT_A_TIME]
        crc = zlib.crc32(values.data, crc)
        at("verifying")
    return crc


def main() -> None:
    isolated.begin()
    # now, while the file is still being written
    from nakctl.record.conclusions import TROUBLE, conclusions, made_ready

    points = made_ready()
    asked = sys.stdin.read()
    if not asked:
        return  # the sealing process is gone
    question = json.loads(asked)
    path, at = Path(question["path"]), Beat()
    try:
        faults = list(faults_of(path, question["tables"], at))
    except (OSError, RuntimeError, KeyError) as error:
        faults = [f"it cannot be read: {error}"]
    if faults:
        answer({"faults": faults, "found": {}})
    at("concluding")
    answer_so_far(
        {"faults": [], "found": {TROUBLE: "the process that drew conclusions did not end in order"}}
    )
    # Who opens it again for each column finds what was read of it so far.
    with h5py.File(path, "r", locking=False):
        found = conclusions(path, points)
    answer({"faults": [], "found": found})


if __name__ == "__main__":
    main()
