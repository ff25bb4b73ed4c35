"""Cells ready to be simulated: numbers for the kernels, and the impedance of their linearised state."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from nakctl.device.cell import Cell
from nakctl_sim.cell import battery, catalog, circuit, kernel, nak, polarising
from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.cell.catalog import (
    BatteryDescription,
    CircuitDescription,
    Description,
    NakDescription,
    PolarisingDescription,
)
from nakctl_sim.cell.impedance import (
    battery_impedance,
    circuit_counter_impedance,
    circuit_impedance,
    nak_impedance,
    polarising_impedance,
)
from nakctl_sim.cell.numbers import (
    FARADAY_C_MOL,
    GAS_J_MOL_K,
    battery_numbers,
    blocking_numbers,
    faster,
    symmetric_numbers,
)

Floats = npt.NDArray[np.float64]
Complex = npt.NDArray[np.complex128]

NA_G_MOL, K_G_MOL = 22.990, 39.098
PELLET_cm = 0.15  # R_s and R_gb are given for this thickness
PURE_NA_WT_PERCENT_K = 1e-7  # the ratio Na : K must stay finite
SCATTER = 0.05  # one standard deviation of the logarithm
POLARISING = (kernel.SYMMETRIC, kernel.BLOCKING)
SCATTERED = ("th_0", "R_c", "K_m")

names = catalog.names


@dataclass(frozen=True, slots=True)
class Model:
    """One simulated cell.

    kind  one of those of the kernel
    p     (m,) parameters, in the kernel's order
    x0    (k,) state of the pristine cell; the state is all there is to know of a cell's past
    at    p at another temperature in K; None: nothing is known of what that changes
    """

    name: str
    kind: int
    area_cm2: float
    p: Floats
    x0: Floats
    cell: Cell
    at: Callable[[float], Floats] | None = None

    def come_to(self, x: Numbers | Floats, T_K: float) -> None:
        """Change p, and with it what the state x holds in ohm, to those of this temperature."""
        if self.at is None:
            return
        grown_ohm = self.p[polarising.GROWN_OHM] if self.kind in POLARISING else 0.0
        self.p[:] = self.at(T_K)
        if grown_ohm:
            x[polarising.FILM] *= self.p[polarising.GROWN_OHM] / grown_ohm

    def state(self) -> Floats:
        """A pristine cell: a copy, to be changed by kernel.advance."""
        return self.x0.copy()

    def impedance(self, x: Floats, f_Hz: Floats) -> Complex:
        """Impedance of Ewe in ohm at each frequency, (n,); a capacitor has Im < 0.

        x: (n, k), the state at the instant each frequency is measured, or (k,) for one state.
        """
        states = self._states(x, f_Hz)
        if self.kind == kernel.NAK:
            return nak_impedance(self.p, states, f_Hz)
        if self.kind == kernel.CIRCUIT:
            return circuit_impedance(self.p, f_Hz)
        if self.kind == kernel.BATTERY:
            working, counter = self._halves(states, f_Hz)
            return working if self.cell.three_electrodes else working + counter
        return polarising_impedance(self.p, states, f_Hz, blocks=self.kind == kernel.BLOCKING)

    def counter_impedance(self, x: Floats, f_Hz: Floats) -> Complex:
        """The same of the counter electrode, -Ece/I: like `impedance` it has Re > 0, and the whole cell is
        the sum of both. 0 where the counter electrode is the reference."""
        if self.kind == kernel.BATTERY and self.cell.three_electrodes:
            return self._halves(self._states(x, f_Hz), f_Hz)[1]
        if self.kind == kernel.CIRCUIT and self.cell.three_electrodes:
            return circuit_counter_impedance(self.p, f_Hz)
        return np.zeros(len(f_Hz), dtype=np.complex128)

    def _states(self, x: Floats, f_Hz: Floats) -> Floats:
        return np.ascontiguousarray(np.broadcast_to(x, (len(f_Hz), len(self.x0))))

    def _halves(self, states: Floats, f_Hz: Floats) -> tuple[Complex, Complex]:
        """Working and counter electrode."""
        positive, negative = battery_impedance(self.p, states, f_Hz)
        return (positive, negative) if self.p[battery.WORKING_IS] > 0.0 else (negative, positive)


def load_model(name_or_path: str, scatter_seed: int | None = None, area_cm2: float | None = None) -> Model:
    """A built-in cell or that of a file. CellError: there is none, or the file has faults.

    scatter_seed: makes another specimen of it, with th_0, R_c and K_m scattered by 5 % (log-normal); else the
    file's `scatter`, if it has one.
    area_cm2: of the cell that it stands for, if that is another one: what is given per area goes with it, all
    else stays (a circuit is made of parts; they are those of the whole cell).
    """
    found = catalog.read(name_or_path)
    if area_cm2 is not None:
        found = replace(found, cell=replace(found.cell, area_cm2=area_cm2))
    if isinstance(found, NakDescription):
        seed = found.scatter_seed if scatter_seed is None else scatter_seed
        found = found if seed is None else specimen(found, seed)
    p, x0, kind = numbers_of(found)
    at = None if isinstance(found, CircuitDescription) else partial(numbers_at, found)
    return Model(found.cell.name, kind, found.cell.area_cm2, p, x0, found.cell, at)


def numbers_of(found: Description) -> tuple[Floats, Floats, int]:
    """Parameters, state of the pristine cell, and kind."""
    if isinstance(found, CircuitDescription):
        return circuit_parameters(found), np.zeros(circuit.STATES), kernel.CIRCUIT
    if isinstance(found, BatteryDescription):
        return *battery_numbers(found), kernel.BATTERY
    if isinstance(found, PolarisingDescription) and found.blocks:
        return *blocking_numbers(found), kernel.BLOCKING
    if isinstance(found, PolarisingDescription):
        return *symmetric_numbers(found), kernel.SYMMETRIC
    return nak_parameters(found), np.zeros(nak.STATES), kernel.NAK


def numbers_at(found: NakDescription | BatteryDescription | PolarisingDescription, T_K: float) -> Floats:
    """The parameters of the same cell at another temperature."""
    return numbers_of(replace(found, parameters=found.parameters | {"T": T_K}))[0]


def circuit_parameters(found: CircuitDescription) -> Floats:
    parts = found.circuit
    p = np.zeros(circuit.PARAMETERS)
    p[circuit.PAIR_S : circuit.COUNTER_V] = 1.0  # time constant and exponent of a pair that is not there
    p[circuit.COUNTER_PAIR_S] = p[circuit.COUNTER_PAIR_N] = 1.0
    p[circuit.SOURCE_V] = parts.source.value if parts.source is not None else 0.0
    p[circuit.SERIES_OHM] = parts.series.value if parts.series is not None else 0.0
    p[circuit.PER_FARAD] = 1.0 / parts.capacitor.value if parts.capacitor is not None else 0.0
    for k, pair in enumerate(parts.pairs):
        p[circuit.PAIR_OHM + k] = pair.R.value
        p[circuit.PAIR_S + k] = pair.R.value * pair.C.value
        p[circuit.PAIR_N + k] = pair.n
    counter = parts.counter
    if counter is not None:
        p[circuit.COUNTER_V] = counter.source.value if counter.source is not None else 0.0
        p[circuit.COUNTER_OHM] = counter.series.value if counter.series is not None else 0.0
        if counter.pair is not None:
            p[circuit.COUNTER_PAIR_OHM] = counter.pair.R.value
            p[circuit.COUNTER_PAIR_S] = counter.pair.R.value * counter.pair.C.value
            p[circuit.COUNTER_PAIR_N] = counter.pair.n
    return p


def nak_parameters(found: NakDescription) -> Floats:
    """The parameters of the file, and those that follow from composition, volume, area and thickness."""
    given = found.parameters
    area_cm2, r_0 = found.cell.area_cm2, mole_ratio(found.composition_wt_percent_K)
    potassium_mol_cm2 = found.NaK_volume_cm3 / (r_0 * given["v_Na"] + given["v_K"]) / area_cm2
    thickness = found.pellet_thickness_cm / PELLET_cm
    speed = {name: faster(given[name], given["T"], given["T_ref"]) for name in ("E_s", "E_gb", "E_int")}
    derived = {
        "area": area_cm2,
        "r_0": r_0,
        "Q_r": 1000.0 * FARADAY_C_MOL * potassium_mol_cm2,
        "r_K": given["c_K"] * given["v_K"] / (1000.0 - given["c_K"] * given["v_Na"]),
        "RT_F": GAS_J_MOL_K * given["T"] / FARADAY_C_MOL,
        "R_s": given["R_s"] * thickness / speed["E_s"],
        "R_gb": given["R_gb"] * thickness / speed["E_gb"],
        "tau_gb": given["tau_gb"] / speed["E_gb"],
    }
    derived |= {name: given[name] / speed["E_int"] for name in ("R_c", "R_ct", "tau_int", "tau_f1")}
    return np.array([(given | derived)[name] for name in nak.PARAMETERS])


def mole_ratio(composition_wt_percent_K: float) -> float:
    """Na : K."""
    percent = max(composition_wt_percent_K, PURE_NA_WT_PERCENT_K)
    return ((100.0 - percent) / NA_G_MOL) / (percent / K_G_MOL)


def specimen(found: NakDescription, seed: int) -> NakDescription:
    """Another cell built in the same way; its facts say which."""
    chance = random.Random(seed)
    other = {name: found.parameters[name] * chance.lognormvariate(0.0, SCATTER) for name in SCATTERED}
    parameters = found.parameters | other | {"th_0": min(other["th_0"], 1.0)}
    facts = found.cell.facts | {"parameters": parameters, "scatter_seed": seed}
    return replace(found, cell=replace(found.cell, facts=facts), parameters=parameters)
