"""What a fit found, as values."""

from __future__ import annotations

from dataclasses import dataclass

from nakctl.device.fitting import Certain, Subject, Values
from nakctl.fit.errors import Block
from nakctl.fit.history import History


@dataclass(frozen=True, slots=True)
class Found:
    """One number of the cell.

    shipped   where it stood; None: nowhere, the model begins with nothing
    error     two standard errors, in its unit; None: not known
    certain   found: known within what was asked for. roughly: within a half, or what it was does not fit.
              together: only with others, see `Combined`. read: beside the runs. no: it is where it stood
    why       of "no": the reason
    blocks    what it is known from, the most telling first
    """

    symbol: str
    unit: str
    shipped: float | None
    value: float
    error: float | None
    certain: Certain
    why: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """A combination that is known where its members are not; error and certain as in `Found`."""

    name: str
    unit: str
    shipped: float | None
    value: float
    error: float
    certain: Certain
    members: tuple[str, ...]
    carried_by: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Left:
    """What the fitted cell leaves over of one block.

    rms    of Ewe in V, of a spectrum relative to |Z|
    steady the part of it that neighbours share: the cell is not quite what the model is. 0: it is noise
    noise  rms of what readings scatter whatever the model
    span   of Ewe in all runs, in V; 1 of spectra
    """

    block: Block
    rms: float
    steady: float
    noise: float
    span: float

    @property
    def share(self) -> float:
        """Of what was read: no number is better known than what it is known from is described."""
        return self.steady / self.span if self.span > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """values: of all symbols, as they are in the fitted cell. offsets_V: by run, of Ewe against the model's;
    None: no Ewe was compared."""

    subject: Subject
    history: History
    values: Values
    found: tuple[Found, ...]
    combined: tuple[Combined, ...]
    left: tuple[Left, ...]
    offsets_V: tuple[float | None, ...]
