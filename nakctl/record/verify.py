"""A fresh look at a sealed file: every column read back and compared with the checksums of its source.

`python -m nakctl.record.verify` is a process of its own, so that what it reads comes from the file and not
from a cache of the process that wrote it. The question comes as JSON on standard input, the faults go out as
JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py

from nakctl.errors import RecordError

_ROWS_AT_A_TIME = 1 << 20


class Verifier:
    """A verifying process, started early: it loads its libraries while the file is still being written."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nakctl.record.verify"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Verifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def confirm(self, path: Path, tables: Mapping[str, tuple[int, Mapping[str, int]]]) -> None:
        """tables: rows, and checksum by column. RecordError if the file holds anything else."""
        question = json.dumps({"path": str(path), "tables": tables})
        answer, _ = self._process.communicate(question)
        faults = json.loads(answer) if answer else [f"it cannot be read (code {self._process.returncode})"]
        if faults:
            raise RecordError(f"{path} is not what the journal holds: {'; '.join(faults)}")


def faults_of(path: Path, tables: Mapping[str, tuple[int, Mapping[str, int]]]) -> Iterator[str]:
    """What differs between the file and what it should hold; nothing if all is well."""
    with h5py.File(path, "r") as file:
        for name, (rows, checksums) in tables.items():
            for column, checksum in checksums.items():
                dataset = file[f"entry/{name}/{column}"]
                if len(dataset) != rows:
                    yield f"{name}/{column} has {len(dataset)} rows instead of {rows}"
                elif _checksum(dataset) != checksum:
                    yield f"{name}/{column} differs"


def _checksum(dataset: Any) -> int:
    crc = 0
    for start in range(0, len(dataset), _ROWS_AT_A_TIME):
        values = dataset[start : start + _ROWS_AT_A_TIME]
        crc = zlib.crc32(values.data, crc)
    return crc


def main() -> int:
    asked = sys.stdin.read()
    if not asked:
        return 1  # the sealing process is gone
    question = json.loads(asked)
    try:
        faults = list(faults_of(Path(question["path"]), question["tables"]))
    except (OSError, RuntimeError, KeyError) as error:
        faults = [f"it cannot be read: {error}"]
    sys.stdout.write(json.dumps(faults))
    return 0


if __name__ == "__main__":
    sys.exit(main())
