"""How much sodium a NaK electrode holds, by arithmetic from what the file says of the cell."""

from __future__ import annotations

from nakctl.record.read import Run
from nakctl.results.areal import area_cm2
from nakctl.text.units import parse

NA_G_MOL, K_G_MOL = 22.990, 39.098
FARADAY_C_MOL = 96485.33
LIQUIDUS_WT_PERCENT_K = 88.0  # at 25 C; beyond it potassium precipitates


def sodium_mAh_cm2(run: Run) -> tuple[float, float]:
    """In the liquid in all, and until the bulk reaches the potassium liquidus; areal.

    KeyError, ValueError: of no cell of such an alloy.
    """
    facts = run.header.instrument["facts"]["cell_parameters"]
    parameters = facts["parameters"]
    volume_cm3 = parse(facts["NaK_volume"], ("volume",)).value
    ratio = _ratio(facts["composition_wt_percent_K"])
    potassium_mol = volume_cm3 / (ratio * parameters["v_Na"] + parameters["v_K"])
    per_ratio_mAh_cm2 = potassium_mol * FARADAY_C_MOL / 3.6 / area_cm2(run)
    return ratio * per_ratio_mAh_cm2, (ratio - _ratio(LIQUIDUS_WT_PERCENT_K)) * per_ratio_mAh_cm2


def _ratio(wt_percent_K: float) -> float:
    """Na : K by moles. ValueError: it is no alloy of both."""
    if not 0.0 < wt_percent_K < 100.0:
        raise ValueError(f"{wt_percent_K:g} wt % K is no alloy of Na and K")
    return ((100.0 - wt_percent_K) / NA_G_MOL) / (wt_percent_K / K_G_MOL)
