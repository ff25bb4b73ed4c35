"""Which model a cell has that is to be fitted."""

from __future__ import annotations

from nakctl.device.fitting import Asked, Seen, Subject
from nakctl.errors import InputError
from nakctl_sim.cell import catalog
from nakctl_sim.fitting.circuit import CircuitSubject
from nakctl_sim.fitting.fitted import NOT_FITTED
from nakctl_sim.fitting.nak import NakSubject
from nakctl_sim.fitting.nak_words import is_told
from nakctl_sim.fitting.polarising import PolarisingSubject


def subject(asked: Asked, seen: Seen) -> Subject:
    """By its model, or by the words for the sample: a circuit says nothing of what it is made of."""
    model = asked.model or _of_like(asked.like) or ("nak" if is_told(asked.sample) else "circuit")
    if model in NOT_FITTED:
        raise InputError(f"--like {asked.like}: {NOT_FITTED[model]}")
    if asked.percent_K is not None and model != "nak":
        raise InputError(f"--composition is for --model nak, and the cell is fitted as {model}")
    if asked.thickness_cm is not None and model == "circuit":
        raise InputError("--thickness: a circuit has none, and the cell is fitted as one (--model)")
    if model == "nak":
        return NakSubject(asked, seen)
    if model == "circuit":
        return CircuitSubject(asked, seen)
    return PolarisingSubject(asked, seen, model)


def _of_like(like: str) -> str:
    return str(catalog.describe(like).facts["model"]) if like else ""
