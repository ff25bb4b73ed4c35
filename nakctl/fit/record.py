"""One run as a fit sees it: what flowed through the cell, and what was read of it, row by row."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from nakctl.fit.currents import UNUSABLE, currents
from nakctl.fit.rows import Bools, Floats, Ints, Rows
from nakctl.record.read import Run
from nakctl.results.excitation import reached
from nakctl.results.shorts import verdict
from nakctl.text.numbers import duration

# Ewe was set there, and too little is read of the current to give it back: much of it flows before the second
# row. Where a potential, a power or a load was held, that is forgotten in the end.
SET_EWE = ("PEIS", "SCAN", "CA", "POWER", "LOAD")
HELD = ("CA", "POWER", "LOAD")
A_GAP_s, A_GAP = 5.0, 5.0  # a step whose first row comes so late, over the usual distance, began later
MOST_STEPS = 6000  # are looked at: more would take minutes each time that the cell is replayed
SHORT_WITHIN_s = 120.0  # so long before it is certain a short has grown
ZERO_K = {"degC": 273.15, "K": 0.0}
THERMOMETERS = ("cell", "chamber")  # words in their names, the better one first


@dataclass(frozen=True, slots=True)
class Recorded:
    """Of one run: its rows, and what was left out, in words. whole: its cell can be followed to its end."""

    rows: Rows
    said: tuple[str, ...] = ()
    whole: bool = True

    def until(self, which: Bools, said: str) -> Recorded:
        """Without what comes after the rows that are kept."""
        return Recorded(self.rows.of(which), (*self.said, said), whole=False)


def recorded(run: Run) -> Recorded:
    """All of a run, but not what follows a short."""
    looked_at = min(len(run.steps), MOST_STEPS)
    kept_A, rests = currents(run, looked_at)
    rows = _in_order([_samples(run, kept_A, rests), _points(run, kept_A, rests)], _openings(run))
    found = Recorded(replace(rows, T_K=_temperature_K(run, rows.time_s)))
    if looked_at < len(run.steps):
        until_s = float(run.steps["t_start"][looked_at])
        said = f"left out from {duration(until_s)} on, beyond {MOST_STEPS} steps"
        found = found.until(found.rows.step < looked_at, said)
    short = verdict(run)
    if short is not None and short.short is not None:
        until_s = short.short.time_s - SHORT_WITHIN_s
        begins = f" from {duration(until_s)} on" if until_s > 0 else ""
        found = found.until(found.rows.time_s <= until_s, f"left out{begins}, as it shorted")
    return found


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
    if log is None:
        return np.full(len(time_s), np.nan)
    value_K = log.value + ZERO_K[log.units]
    seen = np.isfinite(value_K) & (value_K > 0.0)
    if not seen.any():
        return np.full(len(time_s), np.nan)
    return np.interp(time_s, log.time[seen], value_K[seen])
