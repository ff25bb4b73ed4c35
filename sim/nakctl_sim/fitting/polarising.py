"""A symmetric cell, or one that blocks, whose numbers are looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nakctl.device.fitting import Answer, Arc, Asked, Course, Read, Seen, Together, Values, Written
from nakctl.errors import InputError
from nakctl_sim.cell import catalog
from nakctl_sim.cell.catalog import PolarisingDescription, shipped_file
from nakctl_sim.cell.cell_file import Symbols
from nakctl_sim.cell.numbers import CM_PER_UM
from nakctl_sim.cell.polarising_file import BlockingFile, SymmetricFile
from nakctl_sim.fitting import parametric
from nakctl_sim.fitting.cell_text import comments as commented
from nakctl_sim.fitting.cell_text import number, quoted

USUAL = {"symmetric": "Li-symmetric", "blocking": "blocking"}
BEYOND_V = 0.2
_RESTING = "a spectrum of the fresh cell"
_STEADY = "a current or a potential held until it is steady"
_WARM = "spectra at several temperatures, with a thermometer beside the run"

# As in `nak.SOUGHT`: spread, and what runs have to hold.
SYMMETRIC: parametric.Sought = {
    "sigma": (2.3, _RESTING),
    "t_plus": (0.7, _STEADY),
    "D": (2.3, "rows while a potential settles under a current, or a spectrum down to mHz"),
    "j_lim": (1.0, "a current of more than a third of it, held until it is steady"),
    "R_ct": (1.5, _RESTING),
    "C_dl": (2.3, _RESTING),
    "R_film": (1.5, _RESTING),
    "R_grown": (1.0, "spectra over hours"),
    "tau_grown": (1.5, "spectra over hours"),
    "C_film": (2.3, _RESTING),
    "E_a": (0.3, _WARM),
    "E_ct": (0.3, _WARM),
}
BLOCKING: parametric.Sought = {
    "sigma": (2.3, _RESTING),
    "sigma_gb": (2.3, f"{_RESTING}, up to beyond its arc"),
    "C_gb": (2.3, f"{_RESTING}, up to beyond its arc"),
    "sigma_e": (4.6, _STEADY),
    "v_e": (0.5, f"{_STEADY}, at several potentials"),
    "D_e": (2.3, "rows while a current settles under a potential, or a spectrum down to mHz"),
    "E_a": (0.3, _WARM),
    "E_e": (0.3, _WARM),
}
OF_SYMMETRIC: parametric.Follows = {
    **dict.fromkeys(("sigma", "j_lim", "D"), ("E_a", 1)),
    **dict.fromkeys(("R_ct", "R_film", "R_grown"), ("E_ct", -1)),
}
OF_BLOCKING: parametric.Follows = {"sigma": ("E_a", 1), "sigma_gb": ("E_a", 1), "sigma_e": ("E_e", 1)}
SLOW_s = 1.0  # a slower arc is the profile of the salt or of the carriers


class PolarisingSubject:
    """See `nakctl.device.fitting.Subject`."""

    together: tuple[Together, ...] = ()
    rest_V = (-BEYOND_V, BEYOND_V)
    kept: Mapping[str, str] = {"l": "a thickness, which is measured otherwise"}

    def __init__(self, asked: Asked, seen: Seen, model: str) -> None:
        self.model, self._like = model, asked.like
        like = asked.like or USUAL[model]
        begun = catalog.read(like)
        if not isinstance(begun, PolarisingDescription) or begun.blocks != (model == "blocking"):
            its = begun.cell.facts["model"]
            raise InputError(f"--like {like}: its model is {its}, and {model} is to be fitted")
        self._begun = begun
        thickness_cm = asked.thickness_cm or parametric.length_cm(asked.sample)
        self.read = parametric.read_temperature(asked.T_K)
        if thickness_cm is None:
            l_um = begun.parameters["l"]
            self.said: tuple[str, ...] = (
                f"electrolyte: no file says how thick, {l_um:g} um as in {like} (--thickness)",
            )
        else:
            self.said = ()
            self.read["l"] = Read(thickness_cm / CM_PER_UM, "um", "as the cell was described")
        read = {name: one.value for name, one in self.read.items()}
        cell = replace(begun.cell, name=asked.name, area_cm2=asked.area_cm2)
        cell = replace(cell, working=str(asked.sample.get("working_electrode") or cell.working))
        follows = OF_BLOCKING if begun.blocks else OF_SYMMETRIC
        given = parametric.come_to(begun.parameters, asked.T_K, follows)
        self._found = replace(begun, cell=cell, parameters=given | read)
        sought = BLOCKING if begun.blocks else SYMMETRIC
        self._shipped: Symbols = (
            shipped_file(BlockingFile).parameters if begun.blocks else shipped_file(SymmetricFile).parameters
        )
        self.start = self._found.parameters | _start(self._found, seen)
        self.symbols = parametric.symbols(
            sought, tuple(sought), self._found.parameters, self._shipped, linear={"t_plus": 0.01}
        )

    def answer(self, values: Values, course: Course) -> Answer:
        return parametric.answered(self._found, values, course)

    def file_text(self, written: Sequence[Written], comments: Sequence[str], note: str) -> str:
        cell = self._found.cell
        electrode = "working" if self._found.blocks else "electrode"
        lines = [
            *commented(comments),
            f"model: {self.model}",
            "",
            "cells:",
            f"  {quoted(cell.name)}:",
            f"    area: {number(cell.area_cm2)} cm2",
            f"    {electrode}: {quoted(cell.working)}",
            f"    note: {quoted(note)}",
            "    parameters:",
            *parametric.parameter_lines(written, self._found.parameters, self._shipped, self._like),
        ]
        return "\n".join([*lines, ""])


def _start(found: PolarisingDescription, seen: Seen) -> dict[str, float]:
    """Resistances through the whole cell: what is fast is the electrolyte, arcs are what lies on it."""
    given, cm2 = found.parameters, found.cell.area_cm2
    l_cm = given["l"] * CM_PER_UM
    start = {"sigma": l_cm / (max(seen.ohmic_ohm, 1e-9) * cm2)}
    arcs = [arc for arc in seen.arcs if arc.tau_s < SLOW_s]
    if found.blocks:
        if arcs:
            start |= {"sigma_gb": l_cm / (arcs[0].R_ohm * cm2), "C_gb": _microfarad_cm2(arcs[0], cm2)}
        return start
    film_s, transfer_s = (1e-6 * given[R] * given[C] for R, C in (("R_film", "C_film"), ("R_ct", "C_dl")))
    film, transfer = parametric.two_arcs(arcs, film_s, transfer_s)
    if film is not None:
        start |= {"R_film": film.R_ohm * cm2, "C_film": _microfarad_cm2(film, cm2)}
        start["R_grown"] = start["R_film"] * given["R_grown"] / given["R_film"]
    if transfer is not None:
        start |= {"R_ct": transfer.R_ohm * cm2, "C_dl": _microfarad_cm2(transfer, cm2)}
    return start


def _microfarad_cm2(arc: Arc, cm2: float) -> float:
    return 1e6 * arc.tau_s / (arc.R_ohm * cm2)
