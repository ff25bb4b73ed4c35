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


def suiting(runs: Sequence[Run]) -> Iterator[tuple[Kind, Figure]]:
    """Of those of the runs that a kind suits; a kind that suits none of them is left out."""
    own = _OWN | (_NOT_OF_ONE if len(runs) == 1 else set())
    for name, kind in KINDS.items():
        mine = [run for run in runs if name not in own and kind.suits(run)]
        if mine and (figure := _made(kind, mine)) is not None:
            yield kind, figure


def title_of(kind: Kind) -> str:
    return _TITLES.get(kind.name, kind.name.replace("-", " ").capitalize())


def _made(kind: Kind, runs: Sequence[Run]) -> Figure | None:
    """None: there is nothing to draw after all."""
    try:
        return kind.make(runs)
    except InputError:
        return None
