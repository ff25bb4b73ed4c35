"""NaK | NASICON | Na as a cell whose numbers are looked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from nakctl.device.fitting import Answer, Asked, Course, Seen, Symbol, Together, Values, Written
from nakctl.errors import InputError
from nakctl.text.units import parse
from nakctl_sim.cell import catalog
from nakctl_sim.cell.catalog import NakDescription, shipped_file
from nakctl_sim.cell.cell_file import NakFile
from nakctl_sim.cell.models import PELLET_cm, mole_ratio
from nakctl_sim.cell.numbers import FARADAY_C_MOL, GAS_J_MOL_K
from nakctl_sim.fitting import parametric
from nakctl_sim.fitting.cell_text import comments as commented
from nakctl_sim.fitting.cell_text import number, quoted
from nakctl_sim.fitting.nak_words import METALS, percent_K

USUAL, SODIUM = "NaK50", "Na-symmetric"
SLOWEST_s = 10.0  # a slower arc is the foot of diffusion
BEYOND_V = 0.1  # of what the composition gives: a reference may drift, but not so far

_RESTING = "a spectrum at rest"
_FAST = "a spectrum at rest, up to beyond the arc of the grain boundaries"
_SLOW = "a spectrum at rest, down to the arc of the interface"
_STRIPPED = "strip currents up to where Ewe begins to run away"
_LOOSE = "spectra under strip currents beyond where Ewe runs away"
_SHAPE = "long stripping near the threshold at several currents, and spectra at rest between"
_ALLOYS = "runs of a second alloy"
_WARM = "spectra at several temperatures, with a thermometer beside the run"

# Spreads: of resistances and time constants a factor of 5 to 10, of what the paper's cells gave 2 to 3; of
# what is bound to the electrolyte or to the liquid less. C_w and the shape of the slow loss are uncertain as
# well, though no run of one alloy tells them: what goes together with them is as uncertain as that makes it.
SOUGHT: parametric.Sought = {
    "L": (1.5, "frequencies at which the cable shows"),
    "R_s": (1.5, _RESTING),
    "R_gb": (1.5, _FAST),
    "tau_gb": (2.3, _FAST),
    "n_gb": (0.1, _FAST),
    "R_c": (1.5, "a spectrum at rest, and currents to tell it from R_ct"),
    "R_ct": (1.5, "a spectrum at rest, and currents to tell it from R_c"),
    "tau_int": (2.3, _SLOW),
    "n_int": (0.1, _SLOW),
    "a_tau": (0.7, "spectra under strip currents"),
    "tau_f1": (1.0, _LOOSE),
    "n_f1": (0.1, _LOOSE),
    "K_m": (1.0, _STRIPPED),
    "T_D": (1.0, "a rest after a strip current, with rows each second or faster"),
    "C_w": (0.05, _ALLOYS),
    "w_c": (0.3, _ALLOYS),
    "sig_m": (0.3, _STRIPPED),
    "n_m": (0.3, _STRIPPED),
    "q_v": (0.7, "fast rows just after a strip current beyond the threshold began"),
    "kap": (1.0, "stripping near the threshold for long, and a spectrum at rest after"),
    "h_p": (0.3, _SHAPE),
    "n_p": (0.2, _SHAPE),
    "a_p": (0.3, _SHAPE),
    "tau_p": (1.0, "spectra through hours of rest after stripping"),
    "m_0": (1.0, "plating, with spectra"),
    "tau_a": (1.0, "plating, and spectra through hours of rest after"),
    "E_s": (0.3, _WARM),
    "E_gb": (0.3, _WARM),
    "E_int": (0.3, _WARM),
}
FOLLOWS: parametric.Follows = {
    "R_s": ("E_s", -1),
    **dict.fromkeys(("R_gb", "tau_gb"), ("E_gb", -1)),
    **dict.fromkeys(("R_c", "R_ct", "tau_int", "tau_f1"), ("E_int", -1)),
}
EXPONENTS, SCANNED = dict.fromkeys(("n_gb", "n_int", "n_f1"), 0.3), ("K_m",)
DEPLETING = ("K_m", "T_D", "C_w", "w_c", "sig_m", "n_m", "q_v", "a_tau", "kap", "h_p", "n_p", "a_p", "tau_p")
KEPT = {
    "v_Na, v_K, c_K, c_Na": "of the liquid, the same in all cells",
    "c_ref": "where R_ct holds: chosen",
    "b_p, tau_m": "the shape of a law, which no short run shows",
    "th_0, j_c, tau_f, R_short": "only a short while plating shows them, and a fit ends before one",
}


class NakSubject:
    """See `nakctl.device.fitting.Subject`."""

    model = "nak"
    kept = KEPT

    def __init__(self, asked: Asked, seen: Seen) -> None:
        self._begun, self.said = _begun(asked)
        self._working = str(asked.sample.get("working_electrode") or self._begun.cell.working)
        self._like = asked.like
        self._shipped = shipped_file(NakFile).parameters
        self.read = parametric.read_temperature(asked.T_K)
        given = parametric.come_to(self._begun.parameters, asked.T_K, FOLLOWS)
        self._found = replace(self._begun, parameters=given)
        self.start = _start(self._found, seen)
        self.symbols = self._symbols()
        self.together = _together(self._found, {symbol.name for symbol in self.symbols})
        E_V = _equilibrium_V(self._found)
        self.rest_V = (E_V - BEYOND_V, E_V + BEYOND_V)

    def _symbols(self) -> tuple[Symbol, ...]:
        """Where the cell has none of something, and the spectrum shows none, nothing is looked for."""
        sodium = self._found.composition_wt_percent_K == 0
        names = [name for name in SOUGHT if self.start[name] > 0 and not (sodium and name in DEPLETING)]
        given = self._found.parameters
        return parametric.symbols(SOUGHT, names, given, self._shipped, linear=EXPONENTS, scanned=SCANNED)

    def answer(self, values: Values, course: Course) -> Answer:
        return parametric.answered(self._found, values, course)

    def file_text(self, written: Sequence[Written], comments: Sequence[str], note: str) -> str:
        found, cell = self._found, self._found.cell
        lines = [
            *commented(comments),
            "model: nak",
            "",
            "cells:",
            f"  {quoted(cell.name)}:",
            f"    working: {quoted(self._working)}",
            f"    composition_wt_percent_K: {number(found.composition_wt_percent_K)}",
            f"    area: {number(cell.area_cm2)} cm2",
            f"    NaK_volume: {cell.facts['NaK_volume']}",
            f"    pellet_thickness: {number(10.0 * found.pellet_thickness_cm)} mm",
            f"    note: {quoted(note)}",
            "    parameters:",
            *parametric.parameter_lines(written, found.parameters, self._shipped, self._like),
        ]
        return "\n".join([*lines, ""])


def _begun(asked: Asked) -> tuple[NakDescription, tuple[str, ...]]:
    """The cell that a fit begins with, built as the sample was, and what of that was taken for granted."""
    said: list[str] = []
    percent, by_name = percent_K(asked.sample)
    if asked.percent_K is not None:
        percent, by_name = asked.percent_K, False
    if by_name:
        said.append(f"composition: {percent:g} wt% K, by the name of the cell (--composition)")
    like = asked.like or (SODIUM if percent == 0 else USUAL)
    begun = catalog.read(like)
    if not isinstance(begun, NakDescription):
        raise InputError(f"--like {like}: its model is {begun.cell.facts['model']}, and nak is to be fitted")
    if percent is None:
        percent = begun.composition_wt_percent_K
        said.append(f"composition: no file says it, {percent:g} wt% K as in {like} (--composition)")
    thickness_cm = asked.thickness_cm or parametric.length_cm(asked.sample)
    if thickness_cm is None:
        thickness_cm = begun.pellet_thickness_cm
        said.append(f"pellet: no file says how thick, {10 * thickness_cm:g} mm as in {like} (--thickness)")
    volume_cm3, volume = begun.NaK_volume_cm3, str(begun.cell.facts["NaK_volume"])
    if told := (asked.sample.get("facts") or {}).get("NaK_volume"):
        volume_cm3, volume = parse(told, ("volume",)).value, str(told)
    elif not asked.like and percent:
        said.append(f"NaK: no file says how much, {volume} as in {like} (--like)")
    facts = begun.cell.facts | {"NaK_volume": volume}
    found = replace(
        begun,
        cell=replace(begun.cell, name=asked.name, area_cm2=asked.area_cm2, facts=facts),
        composition_wt_percent_K=min(percent, METALS["K"]),
        NaK_volume_cm3=volume_cm3,
        pellet_thickness_cm=thickness_cm,
    )
    return found, tuple(said)


def _start(found: NakDescription, seen: Seen) -> dict[str, float]:
    """Two arcs of a spectrum are grain boundaries and interface; of one the time says which it is."""
    given = found.parameters
    cm2, thickness = found.cell.area_cm2, found.pellet_thickness_cm / PELLET_cm
    start = {"R_s": seen.ohmic_ohm * cm2 / thickness, "L": seen.inductance_henry}
    arcs = [arc for arc in seen.arcs if arc.tau_s < SLOWEST_s]
    fast, slow = parametric.two_arcs(arcs, given["tau_gb"], given["tau_int"])
    if fast is not None:
        start |= {"R_gb": fast.R_ohm * cm2 / thickness, "tau_gb": fast.tau_s, "n_gb": fast.n}
    else:  # it hides behind the highest frequency
        share = given["R_s"] / (given["R_s"] + given["R_gb"])
        start |= {"R_gb": start["R_s"] * (1.0 - share), "R_s": start["R_s"] * share}
    if slow is not None:
        usual = given["R_c"] + given["R_ct"] * _share_of_transfer(found)
        factor = slow.R_ohm * cm2 / usual if usual else 0.0
        start |= {name: given[name] * factor for name in ("R_c", "R_ct")} if usual else {}
        start |= {} if usual else {"R_c": slow.R_ohm * cm2}
        start |= {"tau_int": slow.tau_s, "n_int": slow.n}
    return given | {name: value for name, value in start.items() if value > 0}


def _together(found: NakDescription, looked_for: set[str]) -> tuple[Together, ...]:
    """Charge transfer goes as 1/c: what a spectrum at rest shows of it depends on the alloy. The stress that
    loosens the contact is i/(K_m M): what is seen is the current at which it reaches sig_m."""
    c_b = _bulk(found)
    share = _share_of_transfer(found)
    of_ct = "R_ct" if math.isclose(share, 1.0, rel_tol=1e-3) else f"{share:.3g} R_ct"
    electrolyte, interface = ("R_s", "R_gb"), ("R_c", "R_ct")
    contact = ("K_m", "sig_m", "C_w", "w_c")

    def of_electrolyte(values: Values) -> float:
        return values["R_s"] + values["R_gb"]

    def of_interface(values: Values) -> float:
        return values["R_c"] + share * values["R_ct"]

    def threshold(values: Values) -> float:
        return values["K_m"] * values["sig_m"] * _margin((c_b - values["C_w"]) / values["w_c"], values["w_c"])

    made = (
        Together("R_s + R_gb", "ohm cm2", of_electrolyte, electrolyte, electrolyte),
        Together(f"R_c + {of_ct}", "ohm cm2", of_interface, interface, interface),
        Together("K_m sig_m M", "mA/cm2", threshold, contact, ("K_m",)),
    )
    return tuple(one for one in made if looked_for.issuperset(one.members))


def _bulk(found: NakDescription) -> float:
    """c_b of the fresh liquid, mol/L, (3.1) of the model."""
    r, given = mole_ratio(found.composition_wt_percent_K), found.parameters
    return 1000.0 * r / (r * given["v_Na"] + given["v_K"])


def _share_of_transfer(found: NakDescription) -> float:
    """Of R_ct, in the fresh interface: (3.7) of the model, with a film at the liquidus on metal, (3.2)."""
    given = found.parameters
    return given["c_ref"] / min(max(_bulk(found), given["c_K"]), given["c_Na"])


def _margin(y: float, w_c: float) -> float:
    """M, (3.3) of the model; y = (c_b - C_w)/w_c."""
    return w_c * (max(y, 0.0) + math.log1p(math.exp(-abs(y))))


def _equilibrium_V(found: NakDescription) -> float:
    """E of the fresh liquid, (3.7) of the model."""
    given = found.parameters
    r_K = given["c_K"] * given["v_K"] / (1000.0 - given["c_K"] * given["v_Na"])
    r = max(mole_ratio(found.composition_wt_percent_K), r_K)
    return -GAS_J_MOL_K * given["T"] / FARADAY_C_MOL * math.log(r / (1.0 + r))
