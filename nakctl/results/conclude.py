"""What is written into /entry/results while a run is sealed: the figures that `nakctl show` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nakctl.record.read import open_run
from nakctl.results.summary import figures, told

# Units as UDUNITS reads them, by the end of a name; the longest that fits.
_UNITS = {
    "_mAh_cm2": "mA*h/cm^2",
    "_mA_cm2": "mA/cm^2",
    "_ohm_cm2": "ohm*cm^2",
    "_ohm": "ohm",
    "_mA": "mA",
    "_V": "V",
    "_s": "s",
}


def conclusions(path: Path) -> dict[str, Any]:
    """By the names of `nakctl show --json`: numbers with units. text: the same as the sentences of `show`."""
    with open_run(path) as run:
        found = figures(run)
    kept = {name: _with_units(name, value) for name, value in found.items()}
    return kept | {"text": "\n".join(told(found))}


def _with_units(name: str, value: Any) -> Any:
    units = next((units for end, units in _UNITS.items() if name.endswith(end)), None)
    return value if units is None else {"value": value, "units": units}
