"""What of a run is drawn: all of it, or the part that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.part import Part, nothing, over_steps, samples_of, spectra_of

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choice(Part):
    """A part of a run, and how many of several spectra, pulses or cycles are drawn (None: what suits)."""

    curves: int | None = None


ALL = Choice()


def rows(run: Run, choice: Choice) -> Ints | slice:
    """Of samples, in order. InputError, which says what there is, if there are none."""
    if not choice.is_of_samples:
        return slice(None)
    inside = samples_of(run, choice)
    if not inside.any():
        raise nothing(run, "samples", choice)
    return np.flatnonzero(inside)


def steps(run: Run, choice: Choice) -> Bools:
    """Which of the steps, (n,). InputError if there are none."""
    inside = over_steps(run, choice)
    if choice.is_of_samples and not inside.any():
        raise nothing(run, "steps", choice)
    return inside


def spectra(run: Run, choice: Choice) -> Ints:
    """Places in the table of spectra, of complete ones. InputError if none of them is meant."""
    inside = (run.spectra["complete"] != 0) & spectra_of(run, choice)
    if not inside.any():
        raise nothing(run, "complete spectra", choice)
    return np.flatnonzero(inside)


def evenly(places: Ints, most: int) -> Ints:
    """At most `most` of them, the first and the last among them."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, max(most, 1)).round().astype(np.intp)]
