"""The values of an equivalent circuit that describe a spectrum, each with its standard error.

Least squares on (Z - model) / |Z|, Re and Im, over the logarithms of the values (none can be negative)
and the exponents of constant phase elements as they are (0.3 to 1). Standard errors follow from the
curvature at the minimum, with the scatter that the residuals show. A value that the data do not hold (a
third of it or more is error, or it stands at the end of its range) is said to be not determined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nakctl.errors import InputError, need
from nakctl.results.circuit_starts import is_alpha, starts
from nakctl.results.circuits import Circuit, Element, elements, impedance, parsed, relaxations, unit_of
from nakctl.results.drt import Complex, Floats, usable

TWO_ARCS = "R0-p(R1,CPE1)-p(R2,CPE2)"
LEAST_ALPHA, MOST_ALPHA = 0.3, 1.0
DECADES = 8.0  # that a value may leave its start by
UNDETERMINED = 1 / 3  # relative standard error: 0 is within three of them
AT_THE_END = 1e-6  # of a range: taken for at its end
MOST_ROUNDS = 200
GOOD = 0.02  # of |Z|, root mean square: no other start is tried then


@dataclass(frozen=True, slots=True)
class Value:
    """Of the circuit, or what follows from it; error: standard error, infinite if nothing holds it."""

    name: str
    value: float
    error: float
    unit: str
    determined: bool


@dataclass(frozen=True, slots=True)
class CircuitFit:
    """
    values      of the elements, from left to right
    relaxations of every R beside a C or CPE in a p(...): tau (s), and the capacitance tau / R, of a CPE the
                effective one, (R^(1 - alpha) Q)^(1 / alpha) (Hsu and Mansfeld, Corrosion 57, 2001, 747)
    chi_square  sum of |Z - model|^2 / |Z|^2; reduced: over the degrees of freedom
    z           (n,) what the circuit makes of the frequencies
    determined  whether there is a fit, and each of its values is determined
    """

    circuit: str
    unit: str
    values: tuple[Value, ...]
    relaxations: tuple[Value, ...]
    chi_square: float
    reduced: float
    z: Complex
    determined: bool

    def __getitem__(self, name: str) -> Value:
        """One of values or relaxations. LookupError: there is none of that name."""
        return {one.name: one for one in (*self.values, *self.relaxations)}[name]


def fit_circuit(
    f_Hz: Floats,
    z: Complex,
    circuit: str = TWO_ARCS,
    start: Mapping[str, float] | None = None,
    unit: str = "ohm",
) -> CircuitFit:
    """f_Hz and z, (n,): one spectrum, Z = E/I, in `unit`. InputError: the circuit or `start` cannot be read.

    start: some or all of the values; what is left out begins at what the DRT of the spectrum shows. Arcs are
    expected from fast to slow. Fewer numbers than values, or such as are none: not determined.
    NotInstalled without scipy, which the extra `fit` brings.
    """
    need("a fit of a circuit", "fit", "scipy")
    read = parsed(circuit)
    names = [name for element in elements(read) for name in element.names]
    given = _given(start or {}, names, circuit)
    if not usable(f_Hz, z) or 2 * len(f_Hz) <= len(names) or not (np.abs(z) > 0).all():
        return _nothing(read, circuit, unit, names, len(f_Hz))
    first, x, jacobian, cost = _best(read, names, given, f_Hz, z, unit)
    errors, correlations = _errors(jacobian, 2.0 * cost, 2 * len(f_Hz) - len(names))
    at_end = _at_end(names, x, first)
    values = _values(read, names, x, errors, at_end, unit)
    chi_square = 2.0 * cost
    return CircuitFit(
        circuit=circuit,
        unit=unit,
        values=values,
        relaxations=_relaxations(read, names, x, errors, correlations, unit),
        chi_square=chi_square,
        reduced=chi_square / (2 * len(f_Hz) - len(names)),
        z=impedance(read, _as_values(names, x), f_Hz),
        determined=all(value.determined for value in values),
    )


def _given(start: Mapping[str, float], names: Sequence[str], circuit: str) -> dict[str, float]:
    for name, value in start.items():
        if name not in names:
            raise InputError(f"start: {circuit} has no {name!r}; its values are {', '.join(names)}")
        if not (np.isfinite(value) and value > 0):
            raise InputError(f"start: {name} is {value}, expected a number above 0")
        if is_alpha(name) and not LEAST_ALPHA <= value <= MOST_ALPHA:
            raise InputError(f"start: {name} is {value:g}, expected {LEAST_ALPHA:g} to {MOST_ALPHA:g}")
    return dict(start)


def _best(
    circuit: Circuit, names: Sequence[str], given: dict[str, float], f_Hz: Floats, z: Complex, unit: str
) -> tuple[dict[str, float], Floats, Floats, float]:
    """The start, x, the Jacobian there, half the sum of squares: of the first start that leads to a fit."""
    found = []
    for start in starts(circuit, f_Hz, z, unit):
        first = start | given
        found.append((first, *_fitted(circuit, names, first, f_Hz, z)))
        if found[-1][3] < GOOD**2 * len(f_Hz):
            break
    return min(found, key=lambda one: one[3])


def _fitted(
    circuit: Circuit, names: Sequence[str], first: Mapping[str, float], f_Hz: Floats, z: Complex
) -> tuple[Floats, Floats, float]:
    """x: logarithms, and exponents as they are."""
    from scipy.optimize import least_squares  # not for who fits nothing

    def residuals(x: Floats) -> Floats:
        with np.errstate(all="ignore"):
            missing = (impedance(circuit, _as_values(names, x), f_Hz) - z) / np.abs(z)
        both = np.concatenate([missing.real, missing.imag])
        return np.asarray(np.nan_to_num(both, nan=1e6, posinf=1e6, neginf=-1e6))

    low, high = _range(names, first)
    begin = np.array([first[name] if is_alpha(name) else np.log(first[name]) for name in names])
    inside = np.clip(begin, low + 1e-9, high - 1e-9)
    found = least_squares(residuals, inside, bounds=(low, high), max_nfev=MOST_ROUNDS)
    return np.asarray(found.x), np.asarray(found.jac), float(found.cost)


def _range(names: Sequence[str], first: Mapping[str, float]) -> tuple[Floats, Floats]:
    wide = DECADES * np.log(10.0)
    low = [LEAST_ALPHA if is_alpha(name) else np.log(first[name]) - wide for name in names]
    high = [MOST_ALPHA if is_alpha(name) else np.log(first[name]) + wide for name in names]
    return np.array(low), np.array(high)


def _as_values(names: Sequence[str], x: Floats) -> dict[str, float]:
    return {
        name: float(value if is_alpha(name) else np.exp(value)) for name, value in zip(names, x, strict=True)
    }


def _errors(jacobian: Floats, chi_square: float, freedom: int) -> tuple[Floats, Floats]:
    """Standard errors of x, infinite where nothing holds it, and the covariance of the others."""
    _, sizes, directions = np.linalg.svd(jacobian, full_matrices=False)
    held = sizes > 1e-9 * sizes.max(initial=0.0)
    scaled = directions[held] / sizes[held, None]
    covariance = scaled.T @ scaled * (chi_square / freedom)
    errors = np.sqrt(np.diag(covariance))
    errors[(np.abs(directions[~held]) > 1e-3).any(axis=0)] = np.inf
    return errors, covariance


def _at_end(names: Sequence[str], x: Floats, first: Mapping[str, float]) -> npt.NDArray[np.bool_]:
    """An exponent of 1 is a capacitor, and as good as any."""
    low, high = _range(names, first)
    near = AT_THE_END * (high - low)
    upper = np.array([not is_alpha(name) for name in names])
    return np.asarray((x - low < near) | ((high - x < near) & upper))


def _values(
    circuit: Circuit,
    names: Sequence[str],
    x: Floats,
    errors: Floats,
    at_end: npt.NDArray[np.bool_],
    unit: str,
) -> tuple[Value, ...]:
    units = {name: unit_of(element, name, unit) for element in elements(circuit) for name in element.names}
    found = []
    for k, (name, value) in enumerate(_as_values(names, x).items()):
        relative = float(errors[k]) / value if is_alpha(name) else float(errors[k])
        known = relative < UNDETERMINED and not at_end[k]
        found.append(Value(name, value, relative * value, units[name], bool(known)))
    return tuple(found)


def _relaxations(
    circuit: Circuit, names: Sequence[str], x: Floats, errors: Floats, covariance: Floats, unit: str
) -> tuple[Value, ...]:
    found: list[Value] = []
    for resistance, capacitance in relaxations(circuit):
        log_tau, slope = _log_tau(resistance, capacitance, names, x)
        log_C, slope_C = log_tau - x[names.index(resistance.name)], slope.copy()
        slope_C[names.index(resistance.name)] -= 1.0
        farad = "F/cm2" if unit == "ohm cm2" else "F"
        label = f"{resistance.name}_{capacitance.name}"
        found.append(_derived(f"tau_{label}", log_tau, slope, errors, covariance, "s"))
        found.append(_derived(f"C_{label}", log_C, slope_C, errors, covariance, farad))
    return tuple(found)


def _log_tau(
    resistance: Element, capacitance: Element, names: Sequence[str], x: Floats
) -> tuple[float, Floats]:
    """ln tau, and how it goes with x: tau = R C, or (R Q)^(1 / alpha)."""
    slope = np.zeros(len(names))
    R = names.index(resistance.name)
    if capacitance.kind == "C":
        other = names.index(capacitance.name)
        slope[[R, other]] = 1.0
        return float(x[R] + x[other]), slope
    Q, alpha = (names.index(name) for name in capacitance.names)
    log_tau = float((x[R] + x[Q]) / x[alpha])
    slope[[R, Q]], slope[alpha] = 1.0 / x[alpha], -log_tau / x[alpha]
    return log_tau, slope


def _derived(name: str, log: float, slope: Floats, errors: Floats, covariance: Floats, unit: str) -> Value:
    unheld = bool(np.isinf(errors[slope != 0]).any())
    relative = np.inf if unheld else float(np.sqrt(np.maximum(slope @ covariance @ slope, 0.0)))
    value = float(np.exp(log))
    return Value(name, value, relative * value, unit, relative < UNDETERMINED)


def _nothing(circuit: Circuit, text: str, unit: str, names: Sequence[str], n: int) -> CircuitFit:
    units = {name: unit_of(element, name, unit) for element in elements(circuit) for name in element.names}
    values = tuple(Value(name, np.nan, np.nan, units[name], False) for name in names)
    return CircuitFit(text, unit, values, (), np.nan, np.nan, np.full(n, np.nan + 0j), False)
