"""One run as a fit sees it: what flowed through the cell, and what was read of it, row by row."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from nakctl.device.channel import Flag
from nakctl.record.read import Run
from nakctl.results.excitation import SWEEPS, reached, sweeps_at_rest
from nakctl.results.shorts import verdict
from nakctl.text.numbers import duration

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Complex = npt.NDArray[np.complex128]

UNUSABLE = (Flag.I_OVERLOAD | Flag.E_OVERLOAD | Flag.NO_VALUE | Flag.BAD_TIME).value
# Ewe was set there, and too little is read of the current to give it back: much of it flows before the second
# row. Where a potential, a power or a load was held, that is forgotten in the end.
SET_EWE = ("PEIS", "SCAN", "CA", "POWER", "LOAD")
HELD = ("CA", "POWER", "LOAD")
AS_SET = 0.02  # so near to what was set a current is what was set, as the instrument gave it
LITTLE = 0.2  # of the amplitude
TOLD = 3.0  # standard errors
A_GAP_s, A_GAP = 5.0, 5.0  # a step whose first row comes so late, over the usual distance, began later
MOST_STEPS = 6000  # are looked at: more would take minutes each time that the cell is replayed
SHORT_WITHIN_s = 120.0  # so long before it is certain a short has grown
ZERO_K = {"degC": 273.15, "K": 0.0}
THERMOMETERS = ("cell", "chamber")  # words in their names, the better one first


@dataclass(frozen=True, slots=True)
class Rows:
    """In the order of time, each (n,): samples, points of spectra, and moments at which the cell was opened.

    time_s    of the run
    I_A       since the row before; end_A: at this row
    Ewe_V     NaN: none that counts
    f_Hz, z_ohm  of a point; NaN of other rows
    spectrum  its number; 0 of other rows
    at_rest   no current flows, but what little a spectrum needs
    step      row of the table of steps
    T_K       NaN: nobody knows
    """

    time_s: Floats
    I_A: Floats
    end_A: Floats
    Ewe_V: Floats
    f_Hz: Floats
    z_ohm: Complex
    spectrum: Ints
    at_rest: Bools
    step: Ints
    T_K: Floats

    def __len__(self) -> int:
        return len(self.time_s)

    def of(self, which: Bools | Ints) -> Rows:
        return Rows(*(getattr(self, field.name)[which] for field in fields(self)))


def rows_of(run: Run) -> tuple[Rows, tuple[str, ...]]:
    """All of a run, but not what follows a short. And what was left out, in sentences."""
    little = _little(run)
    looked_at = min(len(run.steps), MOST_STEPS)
    kept_A = np.full(len(run.steps), np.nan)
    kept_A[:looked_at] = [_kept_A(run, place, little[place]) for place in range(looked_at)]
    rests = np.asarray(little | (kept_A == 0))
    found = _in_order([_samples(run, kept_A, rests), _points(run, kept_A, rests)], _openings(run))
    found = replace(found, T_K=_temperature_K(run, found.time_s))
    said = []
    if looked_at < len(run.steps):
        found = found.of(found.step < looked_at)
        until_s = float(run.steps["t_start"][looked_at])
        said.append(f"left out from {duration(until_s)} on, beyond {MOST_STEPS} steps")
    short = verdict(run)
    if short is not None and short.short is not None:
        until_s = short.short.time_s - SHORT_WITHIN_s
        found = found.of(found.time_s <= until_s)
        said.append(f"left out from {duration(until_s)} on, as it shorted")
    return found, tuple(said)


def _little(run: Run) -> Bools:
    """Which steps are spectra with no direct current, or so little that the cell is at rest all the same: a
    potential that is held is not quite that of the cell."""
    found, steps, table = sweeps_at_rest(run), run.steps, run.impedance
    for place in np.flatnonzero(np.isin(steps["technique"], SWEEPS) & ~found):
        mine = table["step_count"] == steps["step_count"][place]
        if mine.any():
            I_A, amplitude_A = (table[name][mine].astype(np.float64) for name in ("I_dc", "I_amp"))
            found[place] = abs(float(I_A.mean())) <= LITTLE * float(np.median(amplitude_A))
    return found


def _kept_A(run: Run, place: int, little: np.bool_) -> float:
    """The current of a step that kept one, NaN of others. What was read of it is nearer to the truth than
    what was set."""
    technique, first = run.steps["technique"][place], int(run.steps["first_row"][place])
    rows = slice(first, first + int(run.steps["row_count"][place]))
    if technique == "OCV":
        return 0.0
    control_A, read_A = (run.samples[name][rows].astype(np.float64) for name in ("control", "I"))
    known_A = read_A[np.isfinite(read_A) & ((run.samples["flags"][rows] & UNUSABLE) == 0)]
    if little:
        return _mean_A(known_A) if technique == "PEIS" else 0.0
    if technique not in ("CP", "GEIS"):
        return np.nan
    if len(known_A) == 0:
        return float(control_A[0]) if len(control_A) else np.nan
    middle_A = float(np.median(known_A))
    set_A = float(control_A[0])
    moved = np.isfinite(set_A) and (np.ptp(control_A) > 0 or abs(middle_A - set_A) > AS_SET * abs(set_A))
    return np.nan if moved else middle_A


def _mean_A(known_A: Floats) -> float:
    """Of a potential that was held at rest: none, if it is not told from noise."""
    if len(known_A) < 2:
        return 0.0
    mean_A, error_A = float(known_A.mean()), float(known_A.std(ddof=1)) / len(known_A) ** 0.5
    return mean_A if abs(mean_A) > TOLD * error_A else 0.0


def _samples(run: Run, kept_A: Floats, rests: Bools) -> Rows:
    rows = run.samples
    step = _step_of(run, rows["step_count"])
    I_A, control_A = rows["I"].astype(np.float64), kept_A[step]
    read_A = _filled(I_A)
    begins = np.append(True, step[1:] != step[:-1])[: len(step)]
    meanwhile_A = np.where(begins, read_A, 0.5 * (read_A + np.roll(read_A, 1)))
    kept = np.isfinite(control_A)
    technique = run.steps["technique"][step]
    ends = np.append(begins[1:], True)[: len(step)]
    answers = ~np.isin(technique, SET_EWE) | (np.isin(technique, HELD) & ends)
    counts = ((rows["flags"] & UNUSABLE) == 0) & answers
    return Rows(
        time_s=np.maximum.accumulate(rows["time"].astype(np.float64)),
        I_A=np.where(kept, control_A, meanwhile_A),
        end_A=np.where(kept, control_A, read_A),
        Ewe_V=np.where(counts, rows["Ewe"].astype(np.float64), np.nan),
        f_Hz=np.full(len(rows), np.nan),
        z_ohm=np.full(len(rows), np.nan + 0j),
        spectrum=np.zeros(len(rows), np.intp),
        at_rest=rests[step],
        step=step,
        T_K=np.full(len(rows), np.nan),
    )


def _points(run: Run, kept_A: Floats, rests: Bools) -> Rows:
    """Of complete spectra, where the amplitude came through."""
    table = run.impedance
    z_ohm = np.asarray(table["Z_re"] + 1j * table["Z_im"], np.complex128)
    used = _reached(run) & np.isfinite(z_ohm) & (np.abs(z_ohm) > 0) & (table["frequency"] > 0)
    where = np.flatnonzero(used)
    step = _step_of(run, table["step_count"][where])
    I_A = np.where(np.isfinite(kept_A[step]), kept_A[step], _filled(table["I_dc"][where].astype(np.float64)))
    return Rows(
        time_s=table["time"][where].astype(np.float64),
        I_A=I_A,
        end_A=I_A,
        Ewe_V=np.full(len(where), np.nan),
        f_Hz=table["frequency"][where].astype(np.float64),
        z_ohm=z_ohm[where],
        spectrum=table["spectrum"][where].astype(np.intp),
        at_rest=rests[step],
        step=step,
        T_K=np.full(len(where), np.nan),
    )


def _reached(run: Run) -> Bools:
    used, table = np.zeros(len(run.impedance), np.bool_), run.spectra
    f_Hz, E_V, I_A = (run.impedance[name].astype(np.float64) for name in ("frequency", "E_amp", "I_amp"))
    for place in np.flatnonzero(table["complete"]):
        first = int(table["first_row"][place])
        part = slice(first, first + int(table["row_count"][place]))
        used[part] = reached(f_Hz[part], E_V[None, part], I_A[None, part])[0]
    return used


def _step_of(run: Run, step_count: npt.NDArray[np.integer]) -> Ints:
    """Rows of the table of steps."""
    last = max(len(run.steps) - 1, 0)
    return np.minimum(np.searchsorted(run.steps["step_count"], step_count), last).astype(np.intp)


def _filled(values: Floats) -> Floats:
    """What is no number stays as it was before; 0 at the beginning."""
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, np.where(known, values, 0.0)[last], 0.0)


def _openings(run: Run) -> list[tuple[float, float]]:
    """From when to when the cell lay open between what was recorded, in order, none within another."""
    chains, steps, time_s = run.chains, run.steps, run.samples["time"]
    found = [
        (float(chains["open_from"][k]), float(chains["open_from"][k] + chains["open"][k]))
        for k in range(len(chains))
        if chains["step_before"][k]
    ]
    for place in range(1, len(steps)):
        first = int(steps["first_row"][place])
        times_s = time_s[first : first + int(steps["row_count"][place])]
        if len(times_s) < 2 or first == 0:
            continue
        usual_s = float(np.median(np.diff(times_s)))
        last_s, begun_s = float(time_s[first - 1]), float(times_s[0]) - usual_s
        if begun_s - last_s > max(A_GAP_s, A_GAP * usual_s):
            found.append((last_s, begun_s))
    apart: list[tuple[float, float]] = []
    for from_s, to_s in sorted(found):
        if apart and from_s <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(apart[-1][1], to_s))
        else:
            apart.append((from_s, to_s))
    return apart


def _in_order(tables: list[Rows], openings: list[tuple[float, float]]) -> Rows:
    """What was read, and two rows more for each opening: until the first the current before it flowed, from
    there to the second none did."""
    edges = [_edges(np.array([opening[k] for opening in openings])) for k in (0, 1)]
    both = (*tables, *edges)
    joined = Rows(*(np.concatenate([getattr(one, field.name) for one in both]) for field in fields(Rows)))
    kind = np.repeat(np.arange(len(both)), [len(one) for one in both])
    order = np.lexsort((kind, joined.time_s))
    joined, kind = joined.of(order), kind[order]
    for row in np.flatnonzero(kind >= len(tables)):
        opens = kind[row] == len(tables)
        joined.I_A[row] = joined.end_A[row - 1] if opens and row else 0.0
        joined.step[row] = joined.step[row - 1] if row else 0
    return joined


def _edges(time_s: Floats) -> Rows:
    n = len(time_s)
    none, zero = np.full(n, np.nan), np.zeros(n)
    counts = np.zeros(n, np.intp)
    return Rows(
        time_s.astype(np.float64), zero.copy(), zero.copy(), none, none, none + 0j, counts,
        np.ones(n, np.bool_), counts.copy(), none,
    )  # fmt: skip


def _temperature_K(run: Run, time_s: Floats) -> Floats:
    """By the only thermometer beside the run; of several by that of the cell, or else of the chamber."""
    logs = {name: log for name, log in run.aux.items() if log.units in ZERO_K}
    by_name = [log for word in THERMOMETERS for name, log in logs.items() if word in name.lower()]
    log = next(iter(logs.values())) if len(logs) == 1 else next(iter(by_name), None)
    seen = np.zeros(0, np.bool_) if log is None else np.isfinite(log.value)
    if log is None or not seen.any():
        return np.full(len(time_s), np.nan)
    return np.interp(time_s, log.time[seen], log.value[seen]) + ZERO_K[log.units]
