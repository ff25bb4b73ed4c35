"""Every word of the files of cells whose electrolyte polarises: symmetric ones, and blocking ones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from nakctl_sim.cell.cell_file import (
    Area,
    Declared,
    Kelvin,
    KJ_mol,
    Ohm_cm2,
    Parameter,
    Seconds,
    Symbols,
    Word,
    in_unit,
)

Conductivity = Annotated[Parameter | None, in_unit("S/cm")]
Diffusivity = Annotated[Parameter | None, in_unit("cm2/s")]
Thickness = Annotated[Parameter | None, in_unit("um")]
Areal_capacitance = Annotated[Parameter | None, in_unit("uF/cm2")]


class SymmetricParameters(Symbols):
    """Left out: as shipped."""

    T: Kelvin = None
    T_ref: Kelvin = None
    l: Thickness = None
    sigma: Conductivity = None
    t_plus: Annotated[Parameter | None, in_unit("1", highest=1.0)] = None
    D: Diffusivity = None
    j_lim: Annotated[Parameter | None, in_unit("mA/cm2")] = None
    R_ct: Ohm_cm2 = None
    C_dl: Areal_capacitance = None
    R_film: Ohm_cm2 = None
    R_grown: Ohm_cm2 = None
    tau_grown: Seconds = None
    C_film: Areal_capacitance = None
    E_a: KJ_mol = None
    E_ct: KJ_mol = None


class BlockingParameters(Symbols):
    """Left out: as shipped."""

    T: Kelvin = None
    T_ref: Kelvin = None
    l: Thickness = None
    sigma: Conductivity = None
    sigma_gb: Conductivity = None
    C_gb: Areal_capacitance = None
    sigma_e: Conductivity = None
    v_e: Annotated[Parameter | None, in_unit("V")] = None
    D_e: Diffusivity = None
    E_a: KJ_mol = None
    E_e: KJ_mol = None


class SymmetricCell(Declared):
    """The same electrode on both sides of an electrolyte."""

    area: Area
    electrode: str = ""
    electrolyte: str = ""
    note: str = ""
    parameters: SymmetricParameters = SymmetricParameters()


class BlockingCell(Declared):
    """A blocking electrode, which lets electrons through only, against a reversible one."""

    area: Area
    working: str = ""
    counter: str = ""
    electrolyte: str = ""
    note: str = ""
    parameters: BlockingParameters = BlockingParameters()


class SymmetricFile(Word):
    """A file with `model: symmetric`."""

    model: Literal["symmetric"]
    cells: dict[str, SymmetricCell] = Field(min_length=1)
    parameters: SymmetricParameters = SymmetricParameters()


class BlockingFile(Word):
    """A file with `model: blocking`."""

    model: Literal["blocking"]
    cells: dict[str, BlockingCell] = Field(min_length=1)
    parameters: BlockingParameters = BlockingParameters()
