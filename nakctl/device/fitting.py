"""What a simulator offers whose cells can be fitted to records of one: `Fits`, and the values it deals in.

A record is given as a `Course`: which current flowed when. The model answers with the potential and the
impedance that a cell of given numbers would have shown. So nothing has to be known of programs and
instruments, and recordings of other programs will do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]
    Complex = npt.NDArray[np.complex128]

Values = Mapping[str, float]  # by symbol, in the model's units
Certain = Literal["found", "roughly", "together", "read", "no"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One number of a model that may be looked for.

    value      where it stands as long as nothing is found: as shipped, or in the cell that was named
    low, high  what it can be
    spread     how far from `value` it may well be before anything is known, one standard deviation of its
               logarithm, or of itself: linear, such as an exponent
    needs      what runs have to hold for it
    scan       its start is looked for among values far apart: a fit would not come from one to the other
    """

    name: str
    unit: str
    value: float
    low: float
    high: float
    spread: float
    needs: str = ""
    linear: bool = False
    scan: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """Numbers of which runs may show one combination only.

    of          it, of all values of the model
    members     what is not known by itself then
    carried_by  what is multiplied by one factor, so that the combination comes out; the other members stay
    """

    name: str
    unit: str
    of: Callable[[Values], float]
    members: tuple[str, ...]
    carried_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A number that was read beside the runs, or with them, and is not looked for; source: where."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Course:
    """What flowed through cells, one stretch after the other, each (n,).

    dt_s     how long it took; 0: the cell is only looked at
    I_A      the current meanwhile, constant; > 0 strips the working electrode
    end_A    the current at its end, at which the cell is looked at
    f_Hz     where its impedance was measured at the end; NaN: it was not
    T_K      its temperature; NaN: nobody knows, then it is as the model has it
    fresh    a cell that never saw a current begins here
    """

    dt_s: Floats
    I_A: Floats
    end_A: Floats
    f_Hz: Floats
    T_K: Floats
    fresh: Bools

    def __len__(self) -> int:
        return len(self.dt_s)


@dataclass(frozen=True, slots=True)
class Answer:
    """At the end of each stretch, (n,): Ewe, and Z = E/I, NaN where it was not asked for."""

    Ewe_V: Floats
    z_ohm: Complex


@dataclass(frozen=True, slots=True)
class Arc:
    """R/(1 + (j w tau)^n)."""

    R_ohm: float
    tau_s: float
    n: float = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the first spectrum shows without the model, and the rest before any current.

    ohmic_ohm  what is faster than all arcs; inductance_henry beside it
    arcs       from fast to slow
    farad      a capacitor that blocks; None: none does
    rest_V     Ewe at open circuit, +- rest_error_V; None: there was no rest
    """

    ohmic_ohm: float
    inductance_henry: float
    arcs: tuple[Arc, ...]
    farad: float | None = None
    rest_V: float | None = None
    rest_error_V: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """The cell that is to be fitted, as files and command line say.

    model      "": what suits the sample
    like       a cell of the simulator or of a file to begin with; "": what suits the sample
    sample     what result files say of it: name, electrodes, electrolyte, facts
    percent_K, thickness_cm  as the command line says; None: as the sample says
    T_K        at which it was measured; None: nobody knows
    """

    name: str
    area_cm2: float
    sample: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    like: str = ""
    percent_K: float | None = None
    thickness_cm: float | None = None
    T_K: float | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A number for the file of a cell. certain: "no": it stays; source: where it comes from."""

    symbol: str
    value: float
    certain: Certain
    source: str


class Subject(Protocol):
    """A model of one cell whose numbers are looked for.

    symbols   those that are looked for; start: where their search begins, by what the spectrum shows
    together  the wider combinations behind the narrower ones
    read      by symbol, what is not looked for but was measured beside the runs
    kept      symbols that no fit looks for, and why
    said      what was taken for granted of the cell, in sentences
    rest_V    range of Ewe at open circuit that a cell of this model can have
    """

    @property
    def model(self) -> str: ...
    @property
    def symbols(self) -> tuple[Symbol, ...]: ...
    @property
    def start(self) -> Values: ...
    @property
    def together(self) -> tuple[Together, ...]: ...
    @property
    def read(self) -> Mapping[str, Read]: ...
    @property
    def kept(self) -> Mapping[str, str]: ...
    @property
    def said(self) -> tuple[str, ...]: ...
    @property
    def rest_V(self) -> tuple[float, float]: ...

    def answer(self, values: Values, course: Course) -> Answer:
        """What a cell with these values would have shown; what is not among them is as in the cell that the
        fit begins with."""

    def file_text(self, written: Sequence[Written], comments: Sequence[str], note: str) -> str:
        """The cell's file, by the rules of the simulator. comments: lines for its head."""


@runtime_checkable
class Fits(Protocol):
    """A driver whose simulated cells can be fitted. not_fitted: models of cells that cannot be, and why."""

    fit_models: tuple[str, ...]
    not_fitted: Mapping[str, str]

    def subject(self, asked: Asked, seen: Seen) -> Subject:
        """InputError, CellError: it cannot be fitted so."""
