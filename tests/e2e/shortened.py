"""Parameters that make the shipped protocols short: the same steps, less of each."""

from __future__ import annotations

from nakctl.protocol.load import load

SHORT = {
    "ccd": {"levels": "0.05, 0.1 mA/cm2", "half_cycle": "75 s"},
    "ccd-na-symmetric": {"last": "0.4 mA/cm2", "half_cycle": "75 s"},
    "direct-strip": {"capacity": "0.1 mAh/cm2"},
    "galvanostatic-cycling": {"half_cycle": "5 min", "cycles": "3"},
    "plate-geis-ocv": {"capacity": "0.01 mAh/cm2", "rest": "12 min"},
    "plate-to-cutoff": {"capacity": "0.05 mAh/cm2"},
    "pristine-eis": {},
    "pulsed-strip": {"pulses": "20"},
    "pulsed-strip-quarter": {"capacity": "0.003 mAh/cm2"},
    "sgeis-plate-rest": {"last": "0.07 mA/cm2", "rest": "5 min"},
    "sgeis-strip-rest": {"last": "0.07 mA/cm2", "rest": "5 min"},
    "staircase-strip": {"levels": "0.2, 0.4 mA/cm2", "hold": "3 min"},
}


def parameters(name: str, instrument: str) -> dict[str, str]:
    """With the highest frequency a VMP-3 has, where the protocol asks for more."""
    highest = {"f_max": "1 MHz"} if instrument == "VMP-3" and "f_max" in load(name, {}).params else {}
    return SHORT[name] | highest
