"""Compiled code is made, or read from the disk, before any clock runs."""

from __future__ import annotations

import math

from nakctl.device.channel import Watch
from nakctl.device.instrument import Instrument
from nakctl.device.program import Ca, Eis, Hardware, Ocv, Segment
from nakctl_sim.cell.models import Model
from nakctl_sim.potentiostat import Potentiostat


def warm_up(model: Model, instrument: Instrument) -> None:
    """Load (the first time ever: make) the compiled code now, not under a clock that is already running."""
    current, potential = instrument.I_ranges[-1].name, instrument.E_ranges[-1].name
    settings = Hardware(current, potential, instrument.bandwidth)
    moment_s = 10 * instrument.timebase_s["OCV"]
    throwaway = Potentiostat(model, instrument, seed=0)
    throwaway.load(
        Segment(
            (
                Ocv(1, moment_s, moment_s, None, settings),
                Ca(1, 0.0, moment_s, moment_s, None, (), "next", settings),
                Eis(
                    1, "GEIS", 0.0, False, 1e-9, 0.0, 1.0, 1e3, 1e3, 1, "log", 1, 0.0, False, False, settings
                ),
            )
        )
    )
    throwaway.start()
    throwaway.run(math.inf, Watch())
    throwaway.rest(moment_s)
    throwaway.peek(throwaway.reached_s)
    throwaway.skip()
