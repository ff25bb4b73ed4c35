"""`--step --cycle --spectrum --from --to`: which part of a run is asked for, as it is typed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from nakctl.errors import InputError

if TYPE_CHECKING:
    from nakctl.figures.choice import Choice
    from nakctl.results.part import Part


@dataclass(frozen=True, slots=True)
class Asked:
    """None: the option was not given."""

    steps: tuple[str, ...] = ()
    cycle: str | None = None
    spectrum: str | None = None
    since: str | None = None
    until: str | None = None

    def part(self) -> Part:
        """InputError: it is none."""
        from nakctl.results.part import Part, ranges

        from_s, to_s = _seconds(self.since, "--from"), _seconds(self.until, "--to")
        if from_s is not None and to_s is not None and from_s >= to_s:
            raise InputError(f"--from {self.since} --to {self.until}: that is no time at all")
        cycles = () if self.cycle is None else ranges(self.cycle, "--cycle")
        spectra = () if self.spectrum is None else ranges(self.spectrum, "--spectrum")
        return Part(self.steps, cycles, spectra, from_s, to_s)

    def choice(self, curves: int | None) -> Choice:
        from nakctl.figures.choice import Choice

        return Choice(**asdict(self.part()), curves=curves)


def _seconds(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    from nakctl.text.units import UnitError, parse

    try:
        return parse(text, ("time",), zero=True).value
    except UnitError as error:
        raise InputError(f"{option}: {error}") from None
