"""What a run means: pure functions over its arrays, each with definition, units, source and uncertainty.

    import nakctl
    from nakctl.results import cycles, staircase

    run = nakctl.open("run.h5")
    cycles(run).coulombic_efficiency, staircase(run).threshold_mA_cm2

What a run does not show is None, NaN or empty, never a number. Names are loaded when they are asked for, and
none is that of a module. What the quantities of `nakctl show` are: docs/results.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FROM = {
    "areal": ("UnknownArea",),
    "arrhenius": ("Arrhenius", "activation", "activation_energy_kJ_mol"),
    "capacity": ("critical_capacity_mAh_cm2", "on_time_charge_mAh_cm2", "rises", "seconds_to_cutoff"),
    "catalogue": ("Quantity", "quantities"),
    "circuit_fit": ("CircuitFit", "fit_circuit"),
    "current": ("CurrentSteps", "current_steps"),
    "cycling": ("Cycles", "Rates", "cycles", "rate_capability"),
    "dqdv": ("DqDv", "dq_dv"),
    "drt": ("Drt",),
    "gitt": ("Titration", "titration"),
    "interruptions": ("Interruptions",),
    "inventory": ("sodium_mAh_cm2",),
    "peaks": ("Peak",),
    "pulses": ("PulseResistances", "pulse_resistances"),
    "relaxation": ("Relaxations", "mean_relaxation", "plateau_s", "relaxations"),
    "resistance": ("Resistances", "resistances"),
    "shorts": ("Short", "Verdict", "shorted", "verdict"),
    "spectra": ("Spectra", "Spectrum"),
    "staircases": ("Staircase", "staircase"),
    "summary": ("told",),
    "threshold": ("levels", "linearity", "slopes", "threshold_error_mA_cm2", "threshold_mA_cm2"),
    "tracks": ("Track",),
    "transport": ("SteadyCurrents", "Transference", "bruce_vincent", "hebb_wagner", "transference"),
    "validity": ("Validity", "kramers_kronig", "validities"),
    "voltammetry": ("Scan", "ScanPeak", "scans"),
}
_HOME = {name: module for module, names in _FROM.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
