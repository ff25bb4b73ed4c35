"""The numbers of a cell from its runs: first estimates, then all numbers at once, and in the end those alone
that the runs tell, with all others where they stood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from nakctl.device.fitting import Asked, Seen, Subject
from nakctl.errors import InputError
from nakctl.fit import errors
from nakctl.fit.certainty import strengths
from nakctl.fit.findings import Fit
from nakctl.fit.history import History, Part, history
from nakctl.fit.misfit import Misfit, free
from nakctl.fit.search import CLOSE, NEAR, Told, begun_at, searched
from nakctl.fit.seen import FEWEST_Hz, first_spectrum, seen
from nakctl.fit.settling import settled
from nakctl.record.read import Run

STRONG = 0.3  # standard deviations: a number that moves the readings by less is not looked for
TIMES = 2  # all numbers at once: with errors that are usual, and with those that were left over


def fit(
    runs: Sequence[Run],
    subject_of: Callable[[Asked, Seen], Subject],
    asked: Asked,
    within: float,
    told: Told,
) -> Fit:
    """within: relative; what is known so well by three standard errors is found. InputError: the runs do not
    allow it."""
    told("reading")
    read = history(runs)
    first = first_spectrum(read)
    if first is None:
        raise InputError(_no_spectrum(read.parts))
    shown = seen(read, first)
    subject = subject_of(replace(asked, T_K=read.T_K), shown)
    _refuse_another_cell(subject, shown, read.parts[first[0]])
    return settled(*best(subject, read, told), within, told)


def _no_spectrum(parts: Sequence[Part]) -> str:
    files = ", ".join(part.path for part in parts)
    said = [f"\n{part.path}: {'; '.join(part.said)}" for part in parts if part.said]
    return (
        f"{files}: no complete spectrum of {FEWEST_Hz} frequencies or more; a fit begins with the impedance "
        f"of the fresh cell{''.join(said)}"
    )


def _refuse_another_cell(subject: Subject, shown: Seen, part: Part) -> None:
    low_V, high_V = subject.rest_V
    if shown.rest_V is not None and not low_V <= shown.rest_V <= high_V:
        raise InputError(
            f"{part.path}: Ewe at rest is {shown.rest_V:.3g} V, and a cell of model {subject.model} has "
            f"{low_V:.2g} to {high_V:.2g} V: it is another cell; --model circuit takes any"
        )


def best(subject: Subject, read: History, told: Told) -> tuple[Misfit, dict[str, float]]:
    """All numbers that move the readings where they fit best, with what is expected of each beforehand. The
    misfit has all numbers, also those that move nothing."""
    values = dict(subject.start)
    frees = [free(symbol, values[symbol.name]) for symbol in subject.symbols]
    misfit = Misfit(subject, read, errors.usual(read), tuple(frees), values)
    told("first estimates")
    values = begun_at(misfit, values, subject.symbols)
    for time in range(1, TIMES + 1):
        whole = misfit.of(frees, values)
        strong = np.flatnonzero(strengths(whole, whole.x(values)) > STRONG)
        misfit = misfit.of([frees[k] for k in strong], values)
        telling = _telling(told, f"{len(strong)} numbers, {time} of {TIMES}")
        values = searched(misfit, values, telling, CLOSE if time == TIMES else NEAR)
        misfit = misfit.weighed(values)
    return misfit.of(frees, values), values


def _telling(told: Told, what: str) -> Told:
    return lambda step: told(f"{what}: {step}")
