"""The verifying process (`verify`), as whoever seals sees it; started before that one has loaded HDF5."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from nakctl.errors import RecordError
from nakctl.record.process import Helper


class Verifier:
    """A verifying process, started early: it loads its libraries while the file is still being written."""

    def __init__(self) -> None:
        self._helper = Helper("verify", asked=True)

    def __enter__(self) -> Verifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._helper.give_up()

    def confirm(
        self,
        path: Path,
        tables: Mapping[str, tuple[int, Mapping[str, int]]],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """tables: rows, and checksum by column. RecordError if the file holds anything else.

        Returns what its rows mean, for /entry/results. meanwhile: called about twice a second.
        """
        self._helper.ask({"path": str(path.resolve()), "tables": tables})
        said = self._helper.wait(_as_answer, meanwhile)
        if isinstance(said, str):
            raise RecordError(f"{path} could not be read back: {said}")
        faults, found = said
        if faults:
            raise RecordError(f"{path} is not what the journal holds: {'; '.join(faults)}")
        return found


def _as_answer(said: object) -> tuple[list[str], dict[str, Any]] | None:
    """Faults, and conclusions."""
    if not isinstance(said, dict) or not isinstance(said.get("faults"), list):
        return None
    found = said.get("found")
    return [str(each) for each in said["faults"]], found if isinstance(found, dict) else {}
