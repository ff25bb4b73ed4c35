"""A virtual SP-300 or VMP-3 below the ABI of the vendor's C library.

It offers the `BL_*` functions as C function pointers and executes the parameters it receives on a simulated
potentiostat and cell. What it knows of the library comes from the vendor's published headers, the published
table of the development package and from what users of the hardware wrote down; it shares no encoding or
decoding code with any driver, so that it can bear witness for one.

- in this process, in the time of a clock: `register(name, VirtualInstrument(...))`, then `sim://inprocess/name`
- as a process of its own: `python -m nakctl_sim.instrument --like sp300 --port N`, then `sim://127.0.0.1:N`

`connect_library` is the entry point `sim` of `nakctl.eclib`. Importing this package is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nakctl_sim.instrument.device import VirtualInstrument

__all__ = ["connect_library", "forget", "register"]


def connect_library(address: str) -> Any:
    """An object whose attributes BL_Connect, BL_GetData ... are C function pointers. RigError: no such place.

    It answers for the instrument at `sim://inprocess/NAME` or `sim://127.0.0.1:PORT`; nobody needs to
    listen there yet.
    """
    from nakctl_sim.instrument.library import connect

    return connect(address)


def register(name: str, instrument: VirtualInstrument) -> str:
    """Make an instrument of this process known; its address."""
    from nakctl_sim.instrument import library

    library.IN_PROCESS[name] = instrument
    return f"{library.SCHEME}{library.HERE}/{name}"


def forget(name: str) -> None:
    from nakctl_sim.instrument import library

    library.IN_PROCESS.pop(name, None)
