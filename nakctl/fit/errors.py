"""How uncertain readings are. Nobody knows beforehand, least of all how far a model of a few arcs is from a
cell: a fit begins with what is usual, and goes on with what it left over.

Neighbours that are off together count as fewer readings than they are. Where Ewe stands still its scatter
tells nothing, and the instrument's resolution does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.fit.history import History
from nakctl.fit.rows import Bools, Complex, Floats, Ints

USUAL_SHARE = 3e-3  # of how far Ewe is from where it was first, beside its noise
USUAL_Z = 1e-2  # of |Z|, each of its parts
# Nothing is nearer than this: neither a record nor a model of a cell is finer.
LEAST_V, LEAST_SHARE, LEAST_Z = 2e-5, 1e-3, 1e-3
TOO_ROUGH = 0.2  # of |Z|: the mean of such quotients is not the quotient of the means, so they do not count
SPARSE = 4.0  # times the frequency before: between such points an arc bends as much as noise would
FEWEST, MOST_GROUPS = 8, 20  # readings that tell a scatter, and groups of frequencies
MIDDLE_OF = 5  # neighbours
MOST_ALIKE = 0.95  # as far as it is believed
MEDIAN_MODULUS = 1.1774  # of a complex number, over the standard deviation of its parts (Rayleigh)
MEDIAN_SIZE = 0.6745  # of a real one
NO_LIKENESS = 2.0  # times the standard error that a correlation of neighbours in noise has
OF_THREE = 1.5**0.5  # the noise of a reading less the mean of its two neighbours, over its own


@dataclass(frozen=True, slots=True)
class Block:
    """Readings of one kind (`Ewe` or `Z`) of one run, at rest or under a current. rows: of the history."""

    run: int
    of: str
    at_rest: bool
    rows: Bools


@dataclass(frozen=True, slots=True)
class Errors:
    """Standard deviations, each (n,) of a history.

    z         of each part of Z, over |Z|; inf: it does not count
    size_ohm  |Z| without its noise: else points that came out too small would count too much
    """

    Ewe_V: Floats
    z: Floats
    size_ohm: Floats


def blocks(history: History) -> Iterator[Block]:
    """All that have readings."""
    for of, read in (("Ewe", history.Ewe_V), ("Z", history.z_ohm)):
        for run in range(len(history.parts)):
            for at_rest in (True, False):
                rows = np.isfinite(read) & (history.run == run) & (history.at_rest == at_rest)
                if rows.any():
                    yield Block(run, of, at_rest, rows)


def usual(history: History) -> Errors:
    """Before anything is fitted."""
    rough = roughness(history)
    z = np.where(rough > TOO_ROUGH, np.inf, np.hypot(USUAL_Z, rough))
    return Errors(_of_potentials(history, USUAL_SHARE), z, _sizes_ohm(history))


def left_over(before: Errors, history: History, left_V: Floats, left_z: Complex, numbers: int) -> Errors:
    """By what a fit of so many numbers left over, (n,) of Ewe and of Z over |Z|: by run and frequency, at
    rest and not. A group of points that fits well by chance counts no more than its neighbours allow."""
    Ewe_V, z = _of_potentials(history, LEAST_SHARE), before.z.copy()
    fitted = _taken_by_numbers(history, numbers)
    for block in blocks(history):
        if block.of == "Ewe":
            Ewe_V[block.rows] *= max(1.0, fitted * scatter(left_V[block.rows] / Ewe_V[block.rows]))
        else:
            groups = _neighbours(np.flatnonzero(block.rows), history.course.f_Hz)
            sizes = np.array([USUAL_Z * scatter(left_z[rows] / USUAL_Z) for rows in groups])
            for rows, size in zip(groups, _not_by_chance(sizes), strict=True):
                z[rows] = np.where(np.isinf(z[rows]), np.inf, max(LEAST_Z, fitted * size))
    return Errors(Ewe_V, z, before.size_ohm)


def _not_by_chance(sizes: Floats) -> Floats:
    """Each at least as large as the geometric mean of it and its neighbours."""
    logs = np.log(np.maximum(sizes, 1e-9))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(logs, 1, mode="edge"), 3)
    return np.asarray(np.exp(np.maximum(logs, around.mean(axis=1))))


def _taken_by_numbers(history: History, numbers: int) -> float:
    """Numbers that are fitted take their share of the scatter."""
    readings = np.count_nonzero(np.isfinite(history.Ewe_V)) + 2 * np.count_nonzero(np.isfinite(history.z_ohm))
    return float(np.sqrt(readings / max(readings - numbers, 0.5 * readings)))


def scatter(left: Floats | Complex) -> float:
    """Robust standard deviation of the parts, larger where neighbours are alike; 1 of few."""
    left = left[np.isfinite(left)]
    if len(left) < FEWEST:
        return 1.0
    usual_size = MEDIAN_MODULUS if np.iscomplexobj(left) else MEDIAN_SIZE
    together = min(max(alike(left), 0.0), MOST_ALIKE)
    size = float(np.median(np.abs(left))) / usual_size
    return size * float(np.sqrt((1.0 + together) / (1.0 - together)))


def is_noise(left: Floats | Complex) -> bool:
    """Whether neighbours among what a fit left over have nothing to do with each other."""
    parts = 2 if np.iscomplexobj(left) else 1
    return bool(alike(left) < NO_LIKENESS / np.sqrt(parts * max(len(left), 1)))


def alike(values: Floats | Complex) -> float:
    """Correlation of neighbours, of complex numbers the mean of both parts: 0 is noise."""
    if np.iscomplexobj(values):
        return 0.5 * (_alike(values.real) + _alike(values.imag))
    return _alike(np.asarray(values, np.float64))


def _alike(values: Floats) -> float:
    if len(values) < 3 or not np.isfinite(values).all() or not np.ptp(values) > 0:
        return 0.0
    around = values - values.mean()
    return float((around[1:] * around[:-1]).sum() / (around**2).sum())


def roughness(history: History) -> Floats:
    """(n,): how far points of a spectrum lie beside the middle of their neighbours, over |Z|: so much is
    noise whatever the model. 0 where nothing is compared, or where points are too far apart to tell."""
    found = np.zeros(len(history.Ewe_V))
    for rows in _spectra(history):
        z_ohm, f_Hz = history.z_ohm[rows], history.course.f_Hz[rows]
        if len(rows) < 3 or float(np.median(np.abs(np.diff(np.log(f_Hz))))) > np.log(SPARSE):
            continue
        log_z = np.log(np.abs(z_ohm)) + 1j * np.unwrap(np.angle(z_ohm))  # in which most of Z is straight
        beside = np.zeros(len(rows), np.complex128)
        beside[1:-1] = log_z[1:-1] - 0.5 * (log_z[2:] + log_z[:-2])
        for some in _neighbours(np.arange(len(rows)), f_Hz):
            found[rows[some]] = float(np.median(np.abs(beside[some]))) / MEDIAN_MODULUS / OF_THREE
    return found


def noise(history: History, block: Block) -> float:
    """Rms of what readings of a block scatter whatever the model: of Ewe in V, of Z over |Z|."""
    if block.of == "Z":
        of_parts = float(np.median(roughness(history)[block.rows]))
        return max(LEAST_Z, 1.414 * of_parts)
    noise_V = _noise_V(history.Ewe_V[block.rows], history.step[block.rows])
    rounding_V = float(np.median(_rounding_V(history)[block.rows]))
    return max(LEAST_V, noise_V, rounding_V)


def _sizes_ohm(history: History) -> Floats:
    """(n,): |Z|, each the middle one of its neighbours."""
    found = np.full(len(history.Ewe_V), np.nan)
    for rows in _spectra(history):
        around = np.pad(np.abs(history.z_ohm[rows]), MIDDLE_OF // 2, mode="edge")
        found[rows] = np.median(np.lib.stride_tricks.sliding_window_view(around, MIDDLE_OF), axis=1)
    return found


def _spectra(history: History) -> Iterator[Ints]:
    """Rows of each, in the order measured."""
    numbers = np.stack([history.run, history.spectrum], axis=1)
    for run, spectrum in np.unique(numbers[history.spectrum > 0], axis=0):
        yield np.flatnonzero((history.run == run) & (history.spectrum == spectrum))


def _neighbours(rows: Ints, f_Hz: Floats) -> list[npt.NDArray[np.intp]]:
    """Groups of FEWEST points or more, at frequencies next to each other."""
    in_order = rows[np.argsort(f_Hz[rows], kind="stable")]
    return list(np.array_split(in_order, min(max(1, len(rows) // FEWEST), MOST_GROUPS)))


def _of_potentials(history: History, share: float) -> Floats:
    """(n,) of Ewe: its noise, and a share of how far it is from where it was first."""
    noise_V = np.zeros(len(history.Ewe_V))
    for block in blocks(history):
        if block.of == "Ewe":
            noise_V[block.rows] = _noise_V(history.Ewe_V[block.rows], history.step[block.rows])
    return np.hypot(np.maximum(noise_V, np.maximum(LEAST_V, _rounding_V(history))), share * _away_V(history))


def _noise_V(Ewe_V: Floats, step: Ints) -> float:
    """By how far readings lie beside the middle of their neighbours in their step."""
    within = (step[1:-1] == step[2:]) & (step[1:-1] == step[:-2])
    beside_V = (Ewe_V[1:-1] - 0.5 * (Ewe_V[2:] + Ewe_V[:-2]))[within]
    return float(np.median(np.abs(beside_V))) / MEDIAN_SIZE / OF_THREE if len(beside_V) >= FEWEST else 0.0


def _away_V(history: History) -> Floats:
    """(n,): how far Ewe is from where it was first in its run."""
    found = np.zeros(len(history.Ewe_V))
    for run in range(len(history.parts)):
        rows = (history.run == run) & np.isfinite(history.Ewe_V)
        if rows.any():
            found[rows] = np.abs(history.Ewe_V[rows] - history.Ewe_V[rows][0])
    return found


def _rounding_V(history: History) -> Floats:
    """(n,): standard deviation of what the resolution leaves open. Where Ewe stands still all readings are
    rounded to the same value, and their scatter tells nothing."""
    found = np.zeros(len(history.Ewe_V))
    known = np.isfinite(history.Ewe_V)
    numbers = np.stack([history.run, history.step], axis=1)
    for run, step in np.unique(numbers[known], axis=0):
        rows = known & (history.run == run) & (history.step == step)
        values_V = np.unique(history.Ewe_V[rows])
        if len(values_V) > 1:
            found[rows] = float(np.diff(values_V).min()) / 12.0**0.5
    return found
