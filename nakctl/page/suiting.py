"""Which figures a report has beside its own: every kind that suits its runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nakctl.errors import InputError
from nakctl.figures.figure import Figure
from nakctl.figures.kinds import KINDS, Kind
from nakctl.record.read import Run

# What a page draws in its own way: with every row, and with every spectrum.
_OWN, _NOT_OF_ONE = {"run", "voltage"}, {"nyquist", "capacity"}  # the last is of several
_TITLES = {
    "drt-map": "DRT through the run", "drt": "DRT", "dqdv": "dQ/dV", "cv": "CV", "gitt": "GITT",
    "charge": "Against charge",
}  # fmt: skip


def offered(runs: Sequence[Run]) -> Iterator[Kind]:
    own = _OWN | (_NOT_OF_ONE if len(runs) == 1 else set())
    return (kind for name, kind in KINDS.items() if name not in own)


def suiting(kind: Kind, runs: Sequence[Run]) -> Figure | None:
    """Of those of the runs that it suits. None: it suits none, or nothing is left to draw."""
    mine = [run for run in runs if kind.suits(run)]
    if not mine:
        return None
    try:
        return kind.make(mine)
    except InputError:
        return None


def title_of(kind: Kind) -> str:
    return _TITLES.get(kind.name, kind.name.replace("-", " ").capitalize())
