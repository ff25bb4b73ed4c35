"""What of a run is drawn: all of it, or the part that was asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError
from nakctl.record.read import Run
from nakctl.text.numbers import duration

_NAMED = 12  # of what there is, in one sentence

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choice:
    """None, or empty: all of it, or what suits.

    from_s, to_s  of the time of the run
    steps    their numbers ("2.1"; "2": all of 2), or a part of their labels
    cycles, spectra  their numbers in the file
    curves   how many of several spectra, pulses or cycles are drawn
    """

    from_s: float | None = None
    to_s: float | None = None
    steps: tuple[str, ...] = ()
    cycles: tuple[int, ...] = ()
    spectra: tuple[int, ...] = ()
    curves: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether a part of the samples is meant, and not all of them."""
        return bool(self.steps or self.cycles) or self.from_s is not None or self.to_s is not None


ALL = Choice()


def rows(run: Run, choice: Choice) -> Ints | slice:
    """Of samples, in order. InputError, which says what there is, if there are none."""
    if not choice.is_part:
        return slice(None)
    samples = run.samples
    inside = _within(samples["time"], choice)
    if choice.cycles:
        inside &= np.isin(samples["cycle"], choice.cycles)
    if choice.steps:
        inside &= np.isin(samples["step_count"], run.steps["step_count"][_steps(run, choice)])
    if not inside.any():
        raise InputError(f"{run.path} has no samples {_asked(choice)}; {_there_is(run)}")
    return np.flatnonzero(inside)


def steps(run: Run, choice: Choice) -> Bools:
    """Which of the steps, (n,): those that begin in the time asked for. InputError if there are none."""
    inside = _within(run.steps["t_start"], choice)
    if choice.cycles:
        inside &= np.isin(run.steps["cycle"], choice.cycles)
    if choice.steps:
        inside &= _steps(run, choice)
    if choice.is_part and not inside.any():
        raise InputError(f"{run.path} has no steps {_asked(choice)}; {_there_is(run)}")
    return inside


def spectra(run: Run, choice: Choice) -> Ints:
    """Places in the table of spectra, of complete ones. InputError if none of them is meant."""
    table = run.spectra
    inside = (table["complete"] != 0) & _within(table["time"], choice)
    if choice.spectra:
        inside &= np.isin(table["spectrum"], choice.spectra)
    if choice.cycles:
        inside &= np.isin(table["cycle"], choice.cycles)
    if choice.steps:
        inside &= np.isin(table["step_count"], run.steps["step_count"][_steps(run, choice)])
    if not inside.any():
        raise InputError(f"{run.path} has no complete spectra {_asked(choice)}".rstrip() + f"; {_known(run)}")
    return np.flatnonzero(inside)


def evenly(places: Ints, most: int) -> Ints:
    """At most `most` of them, the first and the last among them."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, max(most, 1)).round().astype(np.intp)]


def _within(time_s: npt.NDArray[np.float64], choice: Choice) -> Bools:
    inside = np.ones(len(time_s), bool)
    if choice.from_s is not None:
        inside &= time_s >= choice.from_s
    if choice.to_s is not None:
        inside &= time_s <= choice.to_s
    return inside


def _steps(run: Run, choice: Choice) -> Bools:
    labels = run.steps["label"]
    known = list(dict.fromkeys(labels.tolist()))
    found = np.zeros(len(labels), bool)
    for asked in choice.steps:
        mine = [label for label in known if _is_meant(asked, label)]
        if not mine:
            raise InputError(f"{run.path} has no step {asked!r}; there are: {_few(known)}")
        found |= np.isin(labels, mine)
    return found


def _is_meant(asked: str, label: str) -> bool:
    number, _, words = label.partition(" ")
    if asked[:1].isdigit() and asked.replace(".", "").isdigit():
        return number == asked or number.startswith(f"{asked}.")
    return asked.casefold() in (words.casefold() or label.casefold())


def _asked(choice: Choice) -> str:
    said = []
    if choice.from_s is not None:
        said.append(f"from {duration(choice.from_s)} on")
    if choice.to_s is not None:
        said.append(f"until {duration(choice.to_s)}")
    if choice.steps:
        said.append(f"of step {', '.join(choice.steps)}")
    if choice.cycles:
        said.append(f"of cycle {_ranges(choice.cycles)}")
    if choice.spectra:
        said.append(f"of number {_ranges(choice.spectra)}")
    return " ".join(said)


def _there_is(run: Run) -> str:
    cycles = np.unique(run.steps["cycle"]).tolist()
    return f"it lasted {duration(run.header.duration_s)}, in cycles {_ranges(tuple(cycles)) or 'none'}"


def _known(run: Run) -> str:
    whole = run.spectra["complete"] != 0
    numbers = _ranges(tuple(run.spectra["spectrum"][whole].tolist()))
    if not numbers:
        return "there is none at all"
    first_s, last_s = (duration(float(run.spectra["time"][whole][k])) for k in (0, -1))
    return f"there are {numbers}, from {first_s} to {last_s}"


def _ranges(numbers: tuple[int, ...]) -> str:
    """1-5, 7."""
    said: list[list[int]] = []
    for each in sorted(set(numbers)):
        if said and each == said[-1][1] + 1:
            said[-1][1] = each
        else:
            said.append([each, each])
    texts = [f"{low}-{high}" if high > low else str(low) for low, high in said]
    return ", ".join(texts[:_NAMED]) + (" ..." if len(texts) > _NAMED else "")


def _few(labels: list[str]) -> str:
    return ", ".join(labels[:_NAMED]) + (" ..." if len(labels) > _NAMED else "")
