"""What each cycle of a run moved: charge and energy each way, efficiencies, mean voltages.

A cycle is what the file counts as one (column `cycle`): a pass of a loop, or a level of a staircase.
Charge is that of the file's column Q, which was integrated while the run was recorded. Spectra at rest
move none: what is counted during them is the offset of the instrument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nakctl.record.read import Run
from nakctl.results.areal import charge_mAh_cm2
from nakctl.results.current import current_steps
from nakctl.results.excitation import sweeps_at_rest

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BLOCK = 1 << 17  # rows looked at together: ten million need no second copy of themselves
# Of the charge of one direction: less than that in the other is a spectrum, and no half cycle.
BOTH_WAYS = 0.01
LEAST_BACK = 0.25  # of the charge that a cycle took, for it to show a capacity
_LAST = "steps done"


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles of a run, each (n,). "strip" is I > 0, which oxidises the working electrode, "plate" I < 0.

    In a battery whose working electrode is the positive one, strip is to charge it, plate to discharge it;
    where it is the negative one the other way round: `charge_is`.

    number          as in the file
    start_s, duration_s  from the last sample of the cycle before to its own last one
    strip_Ah, plate_Ah   charge, both >= 0. Uncertain by the accuracy of the instrument's current, and by
                         half a row at each turn
    strip_Wh, plate_Wh   energy that went into the cell: integral of E I dt, by trapezoids over the rows; E
                         is Ewe, with three electrodes Ewe - Ece. < 0: the cell gave it off
    strip_s, plate_s     how long that current flowed
    whole           False of a last cycle that the end of the run cut, or that lacks a direction which others
                    have
    area_cm2        None: not known
    charge_is       "strip" or "plate"; "": the file does not say which electrode is the positive one
    first_is        the direction that a cycle begins with
    """

    number: Ints
    start_s: Floats
    duration_s: Floats
    strip_Ah: Floats
    plate_Ah: Floats
    strip_Wh: Floats
    plate_Wh: Floats
    strip_s: Floats
    plate_s: Floats
    whole: npt.NDArray[np.bool_]
    area_cm2: float | None
    charge_is: Literal["strip", "plate", ""]
    first_is: Literal["strip", "plate"]

    def __len__(self) -> int:
        return len(self.number)

    @property
    def strip_mAh_cm2(self) -> Floats:
        """NaN where no area is known; so is `plate_mAh_cm2`."""
        return _areal(self.strip_Ah, self.area_cm2)

    @property
    def plate_mAh_cm2(self) -> Floats:
        return _areal(self.plate_Ah, self.area_cm2)

    @property
    def net_Ah(self) -> Floats:
        """The coulombic balance: what was stripped and not plated."""
        return self.strip_Ah - self.plate_Ah

    @property
    def coulombic_efficiency(self) -> Floats:
        """Of a battery discharged over charged, else the second direction over the first. NaN: one is
        missing."""
        first = self.charge_is or self.first_is
        strip, plate = self.strip_Ah, self.plate_Ah
        ratio = _over(plate, strip) if first == "strip" else _over(strip, plate)
        return np.where(self.both_ways, ratio, np.nan)

    @property
    def energy_efficiency(self) -> Floats:
        """Energy given off over energy put in. NaN of a cell that gives off none, as a symmetric one."""
        put_in = np.maximum(self.strip_Wh, 0.0) + np.maximum(self.plate_Wh, 0.0)
        given_off = np.maximum(-self.strip_Wh, 0.0) + np.maximum(-self.plate_Wh, 0.0)
        return np.where(given_off > 0, _over(given_off, put_in), np.nan)

    @property
    def strip_V(self) -> Floats:
        """Mean voltage of the charge that was stripped."""
        return _over(self.strip_Wh, self.strip_Ah)

    @property
    def plate_V(self) -> Floats:
        return -_over(self.plate_Wh, self.plate_Ah)

    @property
    def strip_A(self) -> Floats:
        """Mean current while it was > 0."""
        return 3600.0 * _over(self.strip_Ah, self.strip_s)

    @property
    def plate_A(self) -> Floats:
        return -3600.0 * _over(self.plate_Ah, self.plate_s)

    @property
    def both_ways(self) -> npt.NDArray[np.bool_]:
        """Whether there are two half cycles in it."""
        small, large = np.minimum(self.strip_Ah, self.plate_Ah), np.maximum(self.strip_Ah, self.plate_Ah)
        return np.asarray(small > BOTH_WAYS * large)


def _over(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.divide(one, other, out=np.full(len(one), np.nan), where=other > 0))


def _areal(Q_Ah: Floats, area_cm2: float | None) -> Floats:
    return charge_mAh_cm2(Q_Ah, area_cm2) if area_cm2 else np.full(len(Q_Ah), np.nan)


def cycles(run: Run) -> Cycles:
    """Of a run without samples there are none."""
    samples = run.samples
    cycle = samples["cycle"]
    firsts = np.flatnonzero(cycle[1:] != cycle[:-1]) + 1 if len(cycle) else np.zeros(0, np.intp)
    firsts = np.append(0, firsts) if len(cycle) else firsts
    sums = np.zeros((6, len(firsts)))
    quiet = run.steps["step_count"][sweeps_at_rest(run)]
    for begin in range(0, len(cycle), BLOCK):
        end = min(begin + BLOCK, len(cycle))
        mine = slice(int(np.searchsorted(firsts, begin, "right")) - 1, int(np.searchsorted(firsts, end)))
        at = np.maximum(firsts[mine] - begin, 0)
        sums[:, mine] += np.add.reduceat(_moved(run, begin, end, quiet), at, axis=1)
    lasts = np.append(firsts[1:], len(cycle)) - 1 if len(cycle) else firsts
    start_s = samples["time"][np.maximum(firsts - 1, 0)]
    strip_Ah, plate_Ah, strip_Wh, plate_Wh, strip_s, plate_s = sums
    charge_is, first_is = _words(run)
    return Cycles(
        number=cycle[firsts].astype(np.int64),
        start_s=start_s,
        duration_s=samples["time"][lasts] - start_s,
        strip_Ah=strip_Ah,
        plate_Ah=plate_Ah,
        strip_Wh=strip_Wh,
        plate_Wh=plate_Wh,
        strip_s=strip_s,
        plate_s=plate_s,
        whole=_whole(run, strip_Ah, plate_Ah),
        area_cm2=run.header.area_cm2 or None,
        charge_is=charge_is,
        first_is=first_is,
    )


def _moved(run: Run, begin: int, end: int, quiet: npt.NDArray[Any]) -> Floats:
    """Charge (Ah), energy (Wh) and time (s) of each row, (6, n): of I > 0 and of I < 0.

    As the charge was counted: between two rows of a step the mean counts, from one step to the next the new
    row. quiet: steps that move none.
    """
    samples, before = run.samples, max(begin - 1, 0)
    padding = [0.0] if begin == 0 else []
    Q_Ah = np.append(padding, samples["Q"][before:end])
    dQ_Ah = np.nan_to_num(np.diff(Q_Ah))
    dt_s = np.nan_to_num(
        np.diff(samples["time"][before:end], prepend=samples["time"][:1] if begin == 0 else [])
    )
    E_V = cell_voltage_V(run, slice(before, end))
    step = samples["step_count"][before:end]
    dQ_Ah[np.isin(samples["step_count"][begin:end], quiet)] = 0.0
    same = step[1:] == step[:-1]
    mean_V = np.where(same, (E_V[1:] + E_V[:-1]) / 2, E_V[1:])
    mean_V = np.append(E_V[:1], mean_V) if begin == 0 else mean_V
    dW_Wh = np.nan_to_num(mean_V) * dQ_Ah
    found = np.empty((6, len(dQ_Ah)))
    strips, plates = dQ_Ah > 0, dQ_Ah < 0
    for k, values in enumerate((np.abs(dQ_Ah), dW_Wh, dt_s)):
        np.multiply(values, strips, out=found[2 * k])
        np.multiply(values, plates, out=found[2 * k + 1])
    return found


def cell_voltage_V(run: Run, rows: slice) -> Floats:
    """Between the terminals: with a third electrode Ewe - Ece."""
    Ewe_V: Floats = run.samples["Ewe"][rows].astype(np.float64)
    return np.asarray(Ewe_V - run.samples["Ece"][rows]) if run.has_third_electrode else Ewe_V


def _words(run: Run) -> tuple[Literal["strip", "plate", ""], Literal["strip", "plate"]]:
    known: dict[Any, Literal["strip", "plate"]] = {"positive": "strip", "negative": "plate"}
    I_A = current_steps(run).I_A
    return known.get(run.header.sample.get("working_is"), ""), "plate" if len(I_A) and I_A[0] < 0 else "strip"


def _whole(run: Run, strip_Ah: Floats, plate_Ah: Floats) -> npt.NDArray[np.bool_]:
    whole = np.ones(len(strip_Ah), np.bool_)
    if len(whole) == 0:
        return whole
    ways = np.minimum(strip_Ah, plate_Ah) > BOTH_WAYS * np.maximum(strip_Ah, plate_Ah)
    whole[-1] = run.header.end.kind == _LAST and (bool(ways[-1]) or not ways[:-1].any())
    return whole


@dataclass(frozen=True, slots=True)
class Rates:
    """Capacity against current. Each (n,): the currents of one direction in their order, of cycles that are
    whole.

    I_A, capacity_Ah  mean of its cycles; spread_Ah: their standard deviation, NaN of fewer than two
    count             how many
    kept              capacity over that of the first current
    """

    I_A: Floats
    capacity_Ah: Floats
    spread_Ah: Floats
    count: Ints
    kept: Floats


def rate_capability(run: Run, direction: Literal["strip", "plate"] | None = None) -> Rates:
    """direction: that of discharging, where the file says it, else plating. Currents within 2 % are one, if
    they follow one another. Cycles that put back what they took: a step of a pulse test is none.
    """
    found = cycles(run)
    way = direction or ("strip" if found.charge_is == "plate" else "plate")
    I_A, Q_Ah = (found.strip_A, found.strip_Ah) if way == "strip" else (found.plate_A, found.plate_Ah)
    other_Ah = found.plate_Ah if way == "strip" else found.strip_Ah
    used = found.whole & (Q_Ah > 0) & (other_Ah > LEAST_BACK * Q_Ah)
    I_A, Q_Ah = I_A[used], Q_Ah[used]
    new = np.append(True, np.abs(np.diff(I_A)) > 0.02 * np.abs(I_A[:-1]))[: len(I_A)]
    parts = np.split(np.arange(len(I_A)), np.flatnonzero(new)[1:]) if len(I_A) else []
    capacity_Ah = np.array([Q_Ah[part].mean() for part in parts])
    return Rates(
        I_A=np.array([I_A[part].mean() for part in parts]),
        capacity_Ah=capacity_Ah,
        spread_Ah=np.array([Q_Ah[part].std(ddof=1) if len(part) > 1 else np.nan for part in parts]),
        count=np.array([len(part) for part in parts], np.int64),
        kept=capacity_Ah / capacity_Ah[0] if len(capacity_Ah) else capacity_Ah,
    )
