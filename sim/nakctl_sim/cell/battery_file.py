"""Every word of the file of a cell with two electrodes that store charge."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nakctl.text.quantities import Quantity, quantity
from nakctl_sim.cell.cell_file import (
    Area,
    Declared,
    Kelvin,
    KJ_mol,
    Ohm_cm2,
    Parameter,
    Symbols,
    Word,
    at_most_one,
    in_unit,
    no_reference,
    refused,
)


def from_zero(value: Quantity) -> Quantity:
    if value.value < 0:
        raise refused(f"{value} must be at least 0 %")
    return value


StateOfCharge = Annotated[
    Quantity,
    quantity("fraction"),
    AfterValidator(no_reference),
    AfterValidator(from_zero),
    AfterValidator(at_most_one),
]


def rising(values: tuple[float, ...]) -> tuple[float, ...]:
    """Only then does a charge cost energy."""
    for k in range(1, len(values)):
        if values[k] < values[k - 1]:
            raise refused(
                f"{values[k]:g} stands after {values[k - 1]:g}: "
                "the potential rises with what is oxidised, from full of it to empty"
            )
    return values


class Curve(Word):
    """A potential at equal distances of the oxidised fraction, from 0 to 1; one value: always that."""

    unit: Literal["V"]
    status: Literal["P", "L", "F", "A"]
    source: str
    values: Annotated[tuple[float, ...], Field(min_length=1, max_length=101), AfterValidator(rising)]


class Electrode(Word):
    """One electrode, per area of the cell. Q left out: more than ever flows; without D or L: no diffusion."""

    E: Curve
    Q: Annotated[Parameter | None, in_unit("mAh/cm2")] = None
    D: Annotated[Parameter | None, in_unit("cm2/s")] = None
    L: Annotated[Parameter | None, in_unit("um")] = Field(
        None, description="thickness of a plate, from one side"
    )
    j_0: Annotated[Parameter | None, in_unit("mA/cm2")] = None
    C_dl: Annotated[Parameter | None, in_unit("uF/cm2")] = None

    def given(self) -> dict[str, float | tuple[float, ...]]:
        """Symbol: value, or values, of those that are given."""
        values = {name: getattr(self, name) for name in ("Q", "D", "L", "j_0", "C_dl")}
        return {name: value.value for name, value in values.items() if value} | {"E": self.E.values}


class BatteryParameters(Symbols):
    """Left out: as shipped."""

    T: Kelvin = None
    T_ref: Kelvin = None
    R_s: Ohm_cm2 = None
    f_pos: Annotated[Parameter | None, in_unit("1", highest=1.0, zero=True)] = None
    k_leak: Annotated[Parameter | None, in_unit("1/d", highest=10.0, zero=True)] = None
    E_s: KJ_mol = None
    E_ct: KJ_mol = None
    E_D: KJ_mol = None


class BatteryCell(Declared):
    """One cell. positive, negative: entries of `electrodes`."""

    area: Area
    positive: str
    negative: str
    working_is: Literal["positive", "negative"] = "positive"
    three_electrodes: bool = Field(False, strict=True)
    reference: str = ""
    electrolyte: str = ""
    state_of_charge: StateOfCharge = Quantity(0.0, "fraction", "0 %")
    note: str = ""
    parameters: BatteryParameters = BatteryParameters()


class BatteryFile(Word):
    """A file with `model: battery`."""

    model: Literal["battery"]
    cells: dict[str, BatteryCell] = Field(min_length=1)
    electrodes: dict[str, Electrode] = Field(default_factory=dict)
    parameters: BatteryParameters = BatteryParameters()
