"""`nakctl watch`: runs as they are seen from outside, until they are over. Asks no run, and holds none up."""

from __future__ import annotations

import math
import signal

from nakctl.cli.screen.drawing import kind_here
from nakctl.cli.which_run import find_run, is_live, known_runs
from nakctl.errors import ExitCode, InputError


def watch(names: list[str], minutes: float | None, as_lines: bool) -> int:
    """names: of runs; without any, all that live. InputError: there is no such run."""
    if minutes is not None and not 0 < minutes < math.inf:
        raise InputError(f"--minutes {minutes:g}: give a number above 0")
    runs = [find_run(name) for name in names] if names else [run for run in known_runs() if is_live(run)]
    runs = list({run.path: run for run in runs}.values())
    if not runs:
        print("no run is going on; nakctl status tells of those that were left")
        return ExitCode.DONE
    from nakctl.cli.screen.follow import follow

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the terminal is left as it was
    try:
        follow(
            runs, "lines" if as_lines else kind_here(), back_s=math.inf if minutes is None else 60 * minutes
        )
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.DONE
