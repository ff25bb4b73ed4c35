"""Recordings of EC-Lab -> the tables of a result file, as `booking.layout` has them.

A step is what EC-Lab does without changing its mode, its Ns or its technique; of a cyclic voltammogram, one
sweep. A row of a spectrum is a point, and a sample of its DC values as well, as our driver books them. Why a
step ended EC-Lab does not say, so nobody does: `end_kind` is empty.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nakctl.booking import layout
from nakctl.booking.table import cut
from nakctl.device.channel import Flag
from nakctl.exchange.joined import Ints, Joined
from nakctl.exchange.quantities import ECE
from nakctl.exchange.recording import Floats
from nakctl.text.numbers import si

Rows = Any  # structured arrays

_AT_REST = 0.01  # of its amplitude: a bias below this is none, but noise
_HELD = {"CP": "A", "GEIS": "A", "CA": "V", "PEIS": "V"}


def tables(joined: Joined) -> dict[str, Rows]:
    """Those that have rows: samples, steps, impedance, spectra."""
    f_Hz, z_ohm = joined.of_all("f_Hz"), joined.of_all("z_ohm")
    first = _first_rows(joined)
    step = np.repeat(np.arange(1, len(first) + 1), np.diff([*first, len(joined)]))
    samples = _samples(joined, step, _control(joined, first), f_Hz)
    made = {"samples": samples, "steps": _steps(joined, samples, first)}
    place = np.flatnonzero((f_Hz > 0) & np.isfinite(z_ohm))
    if len(place) == 0:
        return made
    number = _numbers(f_Hz[place], place, step[place])
    points = _points(joined, samples, place, number, f_Hz[place], z_ohm[place])
    return made | {"impedance": points, "spectra": _sweeps(joined, samples, place, number)}


def _first_rows(joined: Joined) -> Ints:
    """Of each step."""
    changes = np.zeros(len(joined) - 1, bool)
    for values in (joined.piece, joined.kind, joined.steps):
        changes |= values[1:] != values[:-1]
    changes |= _turns(joined)
    return np.concatenate([[0], np.flatnonzero(changes) + 1])


def _turns(joined: Joined) -> Any:
    """Where a sweep of a cyclic voltammogram turns round, by the potential that was asked for."""
    way = np.sign(np.diff(joined.of_all("control")))
    turned = np.zeros(len(way), bool)
    moves = np.flatnonzero((way == 1) | (way == -1))
    turned[moves[1:][way[moves[1:]] != way[moves[:-1]]]] = True
    return turned & (joined.kind[1:] == "CV")


def _step_ids(joined: Joined) -> Ints:
    """Ns + 1; of further recordings counted on."""
    many = [int(each.Ns.max()) + 1 for each in joined.recorded]
    return np.cumsum([0, *many[:-1]])[joined.of] + joined.steps + 1


def _control(joined: Joined, first: Ints) -> Floats:
    """As EC-Lab has it; where its columns do not tell, what was measured in the middle of the step."""
    control: Floats = joined.of_all("control").copy()
    measured = {"A": joined.of_all("I_A"), "V": joined.of_all("Ewe_V")}
    amplitude_A = joined.column("|I|/A")
    for start, stop in zip(first, np.append(first[1:], len(joined)), strict=True):
        unit = _HELD.get(str(joined.kind[start]), "")
        if unit and not np.isfinite(control[start:stop]).any():
            noise = amplitude_A[start:stop] if unit == "A" else np.zeros(0)
            control[start:stop] = _measured(measured[unit][start:stop], noise)
    return control


def _measured(values: Floats, amplitude: Floats) -> float:
    """The median, for want of a set value. NaN where nothing was measured; 0 for no bias."""
    known, sizes = values[np.isfinite(values)], amplitude[np.isfinite(amplitude)]
    if len(known) == 0:
        return float("nan")
    middle = float(np.median(known))
    return 0.0 if len(sizes) and abs(middle) < _AT_REST * float(sizes.max()) else middle


def _samples(joined: Joined, step: Ints, control: Floats, f_Hz: Floats) -> Rows:
    three = any(each.recording.find(*ECE) is not None for each in joined.recorded)
    made = np.zeros(len(joined), (layout.SAMPLES_3E if three else layout.SAMPLES).dtype)
    made["time"], made["Q"] = joined.time_s, joined.Q_Ah
    made["Ewe"], made["I"] = joined.of_all("Ewe_V"), joined.of_all("I_A")
    if three:
        made["Ece"] = joined.column(*ECE)
    made["step_count"], made["step_id"], made["cycle"] = step, _step_ids(joined), joined.of_all("cycle")
    made["I_range"], made["control"] = joined.of_all("I_range"), control
    no_value = ~(np.isfinite(made["Ewe"]) & np.isfinite(made["I"]))
    bits = ((f_Hz > 0, Flag.FROM_EIS), (no_value, Flag.NO_VALUE), (joined.bad_time, Flag.BAD_TIME))
    for rows, flag in bits:
        made["flags"][rows] |= flag.value
    return made


def _steps(joined: Joined, samples: Rows, first: Ints) -> Rows:
    made = np.zeros(len(first), layout.STEPS.dtype)
    last = np.append(first[1:], len(samples)) - 1
    made["step_count"] = np.arange(1, len(first) + 1)
    made["step_id"], made["cycle"] = samples["step_id"][first], samples["cycle"][first]
    made["technique"] = np.char.encode(joined.kind[first], "ascii")
    made["label"] = [cut(_label(joined, row, samples["control"][row]), 64) for row in first.tolist()]
    # as a run of ours is booked: a step begins with the last sample of the one before it
    made["t_start"] = np.append(samples["time"][:1], samples["time"][last[:-1]])
    made["t_end"], made["first_row"], made["row_count"] = samples["time"][last], first, last - first + 1
    made["end_value"] = np.nan
    return made


def _label(joined: Joined, row: int, control: float) -> str:
    """The number as EC-Lab counts, from 1; of several files the file before it."""
    number = str(joined.steps[row] + 1)
    if len(joined.recorded) > 1:
        number = f"{joined.of[row] + 1}.{number}"
    kind = str(joined.kind[row])
    held = si(float(f"{control:.4g}"), _HELD[kind]) if kind in _HELD and np.isfinite(control) else ""
    return " ".join(filter(None, (number, kind.lower() or "step", held)))


def _numbers(f_Hz: Floats, place: Ints, step: Ints) -> Ints:
    """Of the spectrum of each point, from 1: another one begins where the sweep goes back to its first
    frequency, or where something else came between."""
    way = np.sign(np.diff(f_Hz))
    usual = -1.0 if np.count_nonzero(way < 0) >= np.count_nonzero(way > 0) else 1.0
    begins = (way == -usual) | (np.diff(place) > 1) | (np.diff(step) != 0)
    return 1 + np.concatenate([[0], np.cumsum(begins)])


def _points(joined: Joined, samples: Rows, place: Ints, number: Ints, f_Hz: Floats, z_ohm: Any) -> Rows:
    three = "Ece" in samples.dtype.names
    made = np.zeros(len(place), (layout.IMPEDANCE_3E if three else layout.IMPEDANCE).dtype)
    made["time"], made["spectrum"] = joined.time_s[place], number
    made["step_count"], made["frequency"] = samples["step_count"][place], f_Hz
    made["Z_re"], made["Z_im"], made["Z_abs"] = z_ohm.real, z_ohm.imag, np.abs(z_ohm)
    made["Z_phase"] = np.degrees(np.angle(z_ohm))
    made["E_dc"], made["I_dc"] = samples["Ewe"][place], samples["I"][place]
    named = {"E_amp": "|Ewe|/V", "I_amp": "|I|/A"}
    if three:
        named |= {"Zce_re": "Re(Zce)/Ohm", "Zce_im": "-Im(Zce)/Ohm", "Ece_amp": "|Ece|/V"}
        made["Ece_dc"] = samples["Ece"][place]
    for name, column in named.items():
        made[name] = (-1 if name == "Zce_im" else 1) * joined.column(column)[place]
    return made


def _sweeps(joined: Joined, samples: Rows, place: Ints, number: Ints) -> Rows:
    """complete: with as many points as the longest of its recording, which is all that can be told."""
    _, first, count = np.unique(number, return_index=True, return_counts=True)
    made = np.zeros(len(first), layout.SPECTRA.dtype)
    row = place[first]
    made["spectrum"] = np.arange(1, len(first) + 1)
    made["step_count"], made["cycle"] = samples["step_count"][row], samples["cycle"][row]
    made["time"], made["first_row"], made["row_count"] = joined.time_s[row], first, count
    longest = np.zeros(len(joined.recorded), np.int64)
    np.maximum.at(longest, joined.of[row], count)
    made["complete"] = count == longest[joined.of[row]]
    return made
