"""`nakctl sim instrument`: this process becomes `python -m nakctl_sim.instrument`."""

from __future__ import annotations

import runpy
import sys

from nakctl.cli.prepare import refuse_seed

MODULE = "nakctl_sim.instrument"


def serve(
    like: str,
    port: int,
    speed: float,
    seed: int,
    cells: list[str],
    habits: list[str],
    faults: list[str],
) -> int:
    """Until it is interrupted; its exit code. InputError."""
    refuse_seed(seed)
    options = [f"--like={like}", f"--port={port}", f"--speed={speed!r}", f"--seed={seed}"]
    options += [f"--cell={each}" for each in cells]
    options += [f"--habit={each}" for each in habits]
    options += [f"--fault={each}" for each in faults]
    sys.argv[1:] = options
    try:
        runpy.run_module(MODULE, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0
