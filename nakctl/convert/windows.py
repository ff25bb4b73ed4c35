"""The potential ranges that EC-Lab offers, and the names of its current ranges."""

from __future__ import annotations

from nakctl.device.instrument import Instrument

# As its settings files have them; any other can be typed in.
E_WINDOWS = ((-2.5, 2.5), (0.0, 5.0), (-5.0, 5.0), (-10.0, 10.0))
_SCAN_STEPS_V = {5.0: 100e-6, 10.0: 200e-6, 20.0: 20 / 65536}
# Devices whose largest range, which EC-Lab calls 1 A, is one of 500 mA; of the others it is one of 400 mA.
_FAMILY_300 = ("SP-200", "SP-240", "SP-300", "VSP-300", "VMP-300")


def window_for(low_V: float, high_V: float) -> tuple[float, float]:
    """The smallest that holds these; the largest if none does."""
    fitting = (each for each in E_WINDOWS if each[0] <= low_V and high_V <= each[1])
    return next(fitting, E_WINDOWS[-1])


def scan_step_V(span_V: float) -> float | None:
    """The steps in which EC-Lab moves the potential in a scan, by the span of the range; None: not known."""
    return _SCAN_STEPS_V.get(span_V)


def potential_range_here(low_V: float, high_V: float) -> str | None:
    """`2.5 V` of -2.5 V to 2.5 V; None: none of ours."""
    return f"{high_V:g} V" if low_V == -high_V and high_V in (2.5, 5.0, 10.0) else None


def current_range_here(written: str, device: str) -> str | None:
    """None: EC-Lab chooses."""
    if written.startswith("Auto") or not written:
        return None
    if written == "1 A":
        return "500 mA" if device in _FAMILY_300 else "400 mA"
    return written.replace("\u00b5", "u")


def current_range_there(ours: str) -> str:
    return "1 A" if ours in ("400 mA", "500 mA") else ours.replace("uA", "\u00b5A")


def current_range_for(needed_A: float, instrument: Instrument) -> str | None:
    """Our name of the smallest range that holds a current; None if none does."""
    return next((each.name for each in instrument.I_ranges if each.shows(needed_A)), None)
