"""Shipped protocols, for tests: the cell of each, and parameters that make it short (less of each step)."""

from __future__ import annotations

from functools import cache

from nakctl.device.cell import Cell
from nakctl.protocol.load import load

CELLS = {  # on which they show something; those of the paper are for NaK50
    "arrhenius": "blocking",
    "ccv-cycling": "full-cell",
    "cv": "double-layer",
    "gitt": "full-cell",
    "hebb-wagner": "blocking",
    "hold-until-current": "full-cell",
    "hppc": "full-cell",
    "lsv": "blocking",
    "rate-test": "full-cell",
    "transference": "Li-symmetric",
}
WITH_SENSORS = {"arrhenius"}

SHORT = {
    "arrhenius": {"temperatures": "25 degC, 35 degC", "soak": "1 min"},
    "ccd": {"levels": "0.05, 0.1 mA/cm2", "half_cycle": "75 s"},
    "ccd-na-symmetric": {"last": "0.4 mA/cm2", "half_cycle": "75 s"},
    "ccv-cycling": {"cycles": "2", "charge": "2C", "discharge": "2C", "taper": "C/2"},
    "cv": {"cycles": "2", "rate": "50 mV/s"},
    "direct-strip": {"capacity": "0.1 mAh/cm2"},
    "galvanostatic-cycling": {"half_cycle": "5 min", "cycles": "3"},
    "gitt": {"current": "C/2", "pulse": "30 min", "steady": "20 mV/h"},
    "hebb-wagner": {"longest": "22 min"},
    "hold-until-current": {"charge": "2C", "small": "0.5 mA/cm2"},
    "hppc": {"move": "2C", "bottom": "3.8 V"},
    "lsv": {"rate": "10 mV/s"},
    "plate-geis-ocv": {"capacity": "0.01 mAh/cm2", "rest": "12 min"},
    "plate-to-cutoff": {"capacity": "0.05 mAh/cm2"},
    "pristine-eis": {},
    "pulsed-strip": {"pulses": "20"},
    "pulsed-strip-quarter": {"capacity": "0.003 mAh/cm2"},
    "rate-test": {"charge": "2C", "rates": "1C, 2C", "cycles": "1"},
    "sgeis-plate-rest": {"last": "0.07 mA/cm2", "rest": "5 min"},
    "sgeis-strip-rest": {"last": "0.07 mA/cm2", "rest": "5 min"},
    "staircase-strip": {"levels": "0.2, 0.4 mA/cm2", "hold": "3 min"},
    "transference": {"hold": "2 min"},
}


def parameters(name: str, instrument: str) -> dict[str, str]:
    """With the highest frequency a VMP-3 has, where the protocol asks for more."""
    highest = {"f_max": "1 MHz"} if instrument == "VMP-3" and "f_max" in load(name, {}).params else {}
    return SHORT[name] | highest


def cell_name(protocol: str) -> str:
    return CELLS.get(protocol, "NaK50")


@cache
def cell_of(protocol: str) -> Cell:
    """As its simulator describes it."""
    from nakctl_sim.driver import driver

    return driver.cell(cell_name(protocol))
