"""Every word of a cell's file. What stands in `nak.yaml` and `circuits.yaml` is read by the same rules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from nakctl.text.quantities import Quantity, Ref, quantity


def refused(why: str) -> PydanticCustomError:
    """The error whose sentence reaches the user as it stands."""
    return PydanticCustomError("quantity", "{why}", {"why": why})


def no_reference(value: Quantity | Ref) -> Quantity:
    if isinstance(value, Ref):
        raise refused(f"{value}: a cell has no parameters or levels to refer to; write the value")
    return value


def at_most_one(value: Quantity) -> Quantity:
    if value.value > 1:
        raise refused(f"{value} must be at most 100 %")
    return value


_PLAIN = AfterValidator(no_reference)
Area = Annotated[Quantity, quantity("area"), _PLAIN]
Length = Annotated[Quantity, quantity("length", sign="positive"), _PLAIN]
Volume = Annotated[Quantity, quantity("volume"), _PLAIN]
Potential = Annotated[Quantity, quantity("potential"), _PLAIN]
Resistance = Annotated[Quantity, quantity("resistance"), _PLAIN]
Capacitance = Annotated[Quantity, quantity("capacitance"), _PLAIN]
Fraction = Annotated[Quantity, quantity("fraction", sign="positive"), _PLAIN, AfterValidator(at_most_one)]
Capacity = Annotated[Quantity, quantity("charge", "areal charge"), _PLAIN]
Exponent = Annotated[float, Field(strict=True, gt=0, le=1)]


class Word(BaseModel):
    """Base of all words: nothing unknown passes, nothing changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )


class Parameter(Word):
    """One number of the model, and where it comes from."""

    value: float = Field(strict=True)
    unit: str = Field(description="the unit this symbol always has; it stands there to be read")
    status: Literal["P", "L", "F", "A"] = Field(
        description="stated by the paper, literature, fitted, assumed"
    )
    source: str


def in_unit(unit: str, lowest: float = 0.0, highest: float = 1e12, *, zero: bool = False) -> AfterValidator:
    """A parameter above `lowest` (or equal to it, with `zero`) and up to `highest`."""

    def check(parameter: Parameter | None) -> Parameter | None:
        if parameter is None:
            return None
        value = parameter.value
        if parameter.unit != unit:
            raise refused(f"this symbol is always in {unit}, not in {parameter.unit}")
        if not (lowest < value or (zero and value == lowest)) or value > highest:
            bound = "at least" if zero else "above"
            raise refused(f"value must be {bound} {lowest:g} and at most {highest:g}, not {value:g}")
        return parameter

    return AfterValidator(check)


Ohm_cm2 = Annotated[Parameter | None, in_unit("ohm cm2", zero=True)]
Mol_L = Annotated[Parameter | None, in_unit("mol/L")]
Seconds = Annotated[Parameter | None, in_unit("s")]
Number = Annotated[Parameter | None, in_unit("1")]
UpToOne = Annotated[Parameter | None, in_unit("1", highest=1.0)]
Molar_volume = Annotated[Parameter | None, in_unit("cm3/mol")]
Areal_charge = Annotated[Parameter | None, in_unit("mC/cm2")]


Kelvin = Annotated[Parameter | None, in_unit("K")]
KJ_mol = Annotated[Parameter | None, in_unit("kJ/mol", highest=500.0, zero=True)]


class Symbols(Word):
    """Base of the parameters of a model, each a `Parameter` or left out."""

    def given(self) -> dict[str, float]:
        """Symbol: value, of those that are given."""
        found = {symbol: getattr(self, symbol) for symbol in type(self).model_fields}
        return {symbol: parameter.value for symbol, parameter in found.items() if parameter is not None}


class Parameters(Symbols):
    """The symbols of the model in their order in the description of the model; left out: as shipped."""

    T: Kelvin = None
    T_ref: Kelvin = None
    E_s: KJ_mol = None
    E_gb: KJ_mol = None
    E_int: KJ_mol = None
    v_Na: Molar_volume = None  # noqa: N815 - the symbol
    v_K: Molar_volume = None
    c_K: Mol_L = None
    c_Na: Mol_L = None  # noqa: N815 - the symbol
    R_s: Ohm_cm2 = None
    R_gb: Ohm_cm2 = None
    tau_gb: Seconds = None
    n_gb: UpToOne = None
    R_c: Ohm_cm2 = None
    R_ct: Ohm_cm2 = None
    c_ref: Mol_L = None
    tau_int: Seconds = None
    n_int: UpToOne = None
    a_tau: Annotated[Parameter | None, in_unit("1", zero=True)] = None
    tau_f1: Seconds = None
    n_f1: UpToOne = None
    K_m: Annotated[Parameter | None, in_unit("mA/cm2 per mol/L")] = None
    T_D: Seconds = None
    C_w: Mol_L = None
    w_c: Mol_L = None
    sig_m: Number = None
    n_m: Annotated[Parameter | None, in_unit("1", highest=20.0)] = None
    q_v: Areal_charge = None
    tau_m: Seconds = None
    kap: Annotated[Parameter | None, in_unit("cm2/mC", zero=True)] = None
    h_p: Number = None
    n_p: Annotated[Parameter | None, in_unit("1", highest=20.0)] = None
    a_p: Annotated[Parameter | None, in_unit("1", highest=20.0)] = None
    tau_p: Seconds = None
    b_p: Annotated[Parameter | None, in_unit("1", lowest=1.0, highest=20.0, zero=True)] = None
    m_0: Areal_charge = None
    tau_a: Seconds = None
    th_0: UpToOne = None
    j_c: Annotated[Parameter | None, in_unit("mA/cm2")] = None
    tau_f: Seconds = None
    R_short: Ohm_cm2 = None
    L: Annotated[Parameter | None, in_unit("H", zero=True)] = None


class Declared(Word):
    """What a cell says of itself for protocols to refer to; none of it changes what the model does.

    capacity    what C/10 refers to, of the whole cell or per area
    working_is  the electrode on WE: charging oxidises a positive one and reduces a negative one
    """

    capacity: Capacity | None = None
    working_is: Literal["positive", "negative"] | None = None


class Build(Word):
    """What the experimenter chooses; left out: as shipped."""

    area: Area | None = None
    NaK_volume: Volume | None = None
    pellet_thickness: Length | None = None
    contact_fraction: Fraction | None = Field(
        None, description="th_0 of this contact, instead of the parameter"
    )
    counter: str | None = None
    reference: str | None = None
    electrolyte: str | None = None


class Scatter(Word):
    """Another specimen of the cell, the same one for the same seed."""

    seed: int = Field(strict=True, ge=0)


class NakCell(Build, Declared):
    """One cell of the NaK model: its electrode, and what it has different from `build` and `parameters`."""

    working: str
    composition_wt_percent_K: float = Field(strict=True, ge=0, le=99.99)
    note: str = ""
    scatter: Scatter | None = None
    parameters: Parameters = Parameters()


class NakFile(Word):
    """A file with `model: nak`."""

    model: Literal["nak"]
    cells: dict[str, NakCell] = Field(min_length=1)
    build: Build = Build()
    parameters: Parameters = Parameters()


class Pair(Word):
    """A resistor and a capacitor in parallel; with n below 1 a ZARC in its impedance."""

    R: Resistance
    C: Capacitance
    n: Exponent = 1.0


class CounterCircuit(Word):
    """source + series + pair, from the counter to the reference electrode."""

    source: Potential | None = Field(None, description="its open-circuit potential")
    series: Resistance | None = None
    pair: Pair | None = None


class CircuitCell(Declared):
    """source + series + capacitor + pairs, from the working to the reference electrode.

    counter: a third electrode; left out: the counter electrode is the reference.
    """

    area: Area
    source: Potential | None = Field(None, description="open-circuit potential")
    series: Resistance | None = None
    capacitor: Capacitance | None = None
    pairs: tuple[Pair, ...] = Field((), max_length=4)
    counter: CounterCircuit | None = None
    note: str = ""


class CircuitFile(Word):
    """A file with `model: circuit`."""

    model: Literal["circuit"]
    cells: dict[str, CircuitCell] = Field(min_length=1)
