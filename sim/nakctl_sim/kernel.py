"""The simulated cell and the machine on it: the same source as it stands, or compiled to C.

Both give the same numbers to the last bit. Plain Python takes some thirty times as long for what is computed
here, which is next to nothing in a short dry run and all of it in fifty thousand pulses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from nakctl.errors import RigError
from nakctl_sim.cell.arithmetic import Numbers
from nakctl_sim.compiling.sources import AGAIN, EXPORTED, PACKAGE, STEM, SUFFIX, compiled_name, known_as
from nakctl_sim.executor import registers as r

WISH = "NAKCTL_KERNEL"  # plain, or nothing but compiled; also while nakctl is installed
Chain = list[r.Technique]
Floats = npt.NDArray[np.float64]
Making = Callable[[Sequence[float] | Floats], Numbers]


@dataclass(frozen=True, slots=True)
class Kernel:
    """told: which one, and if it is the plain one why; remedy: what to do about that, or "". stale: there is
    code compiled from other sources. numbers: makes those that the functions take, zeros: so many of them.
    """

    told: str
    numbers: Making
    zeros: Callable[[int], Numbers]
    Cell: type[r.Cell]
    Machine: type[r.Machine]
    Tape: type[r.Tape]
    Technique: type[r.Technique]
    advance: Callable[[int, Numbers, Numbers, float, float], float]
    counter_voltage: Callable[[int, Numbers, Numbers, float], float]
    step_hint: Callable[[int, Numbers, Numbers, float, float], float]
    voltage: Callable[[int, Numbers, Numbers, float], float]
    open_cell: Callable[[r.Machine, r.Cell, float], None]
    peek: Callable[[r.Machine, Chain, r.Cell, float], tuple[float, float]]
    enter: Callable[[r.Tape, Chain], None]
    run: Callable[[r.Tape, Chain, r.Cell, float, float, bool], int]
    skip: Callable[[r.Tape, Chain, r.Cell], None]
    sweep: Callable[[r.Tape, Chain, r.Cell, Numbers, Numbers, Numbers, float, float, bool, int], int]

    remedy: str = ""
    stale: bool = False

    @property
    def compiled(self) -> bool:
        return self.numbers is _array


@cache
def present() -> Kernel:
    """The compiled one, if it was made of these sources. RigError: it is not what was asked for."""
    wish = os.environ.get(WISH, "")
    if wish not in ("", "plain", "compiled"):
        raise RigError(f"{WISH}={wish}: plain or compiled")
    if wish == "plain":
        return plain(f"plain Python, as {WISH} asks")
    kernel = _best()
    if wish == "compiled" and not kernel.compiled:
        raise RigError(f"{WISH}=compiled, and there is {kernel.told}")
    return kernel


def _best() -> Kernel:
    try:
        module = import_module(f"{PACKAGE.name}.{compiled_name()}")
    except ImportError:
        return _why_plain()
    found = _found(lambda source, name: getattr(module, known_as(source, name)))
    return Kernel("compiled", _array, lambda count: cast(Numbers, np.zeros(count)), **found)


def _why_plain() -> Kernel:
    if any(PACKAGE.glob(f"{STEM}*{SUFFIX}")):
        told = "plain Python, because what is compiled here was made of other sources"
        return plain(told, remedy=f"`{AGAIN}` compiles these", stale=True)
    told = "plain Python, because there was no C compiler when nakctl was installed"
    return plain(told, remedy="long dry runs are slow; install it again where there is one")


def plain(told: str = "plain Python", **why: Any) -> Kernel:
    """The sources as they stand."""
    found = _found(lambda source, name: getattr(import_module(f"{PACKAGE.name}.{source}"), name))
    return Kernel(told, _list, lambda count: [0.0] * count, **found, **why)


def _array(values: Sequence[float] | Floats) -> Numbers:
    return cast(Numbers, np.array(values, dtype=np.float64))


def _list(values: Sequence[float] | Floats) -> Numbers:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _found(find: Callable[[str, str], Any]) -> dict[str, Any]:
    return {name: find(source, name) for source, names in EXPORTED.items() for name in names}
