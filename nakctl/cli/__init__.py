"""The command line: the only place that prints. Commands import what they need when they run."""

from __future__ import annotations

import gc
import os
import sys

_GARBAGE_AFTER = 150_000  # new objects; all that a start makes stays, and is looked through every 700 else


def main() -> None:
    """Entry point of the `nakctl` command."""
    gc.set_threshold(_GARBAGE_AFTER)
    # No process of ours multiplies large matrices: starting threads for that takes each a tenth of a second.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Nor has it plugins of pydantic, for which that would look through all packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if sys.argv[1:2] == ["_complete"]:  # a shell, while somebody presses Tab
        from nakctl.cli.completion import shells

        shells.answer(sys.argv[2:])
        return
    from nakctl.cli import console
    from nakctl.cli.app import app
    from nakctl.cli.asked_for import asked_for

    console.forgive()
    try:
        asked_for(app, sys.argv[1:])()
    except SystemExit as end:
        console.leave_if_standing(end.code)
        raise
    finally:
        gc.freeze()  # Python's own end would look through everything, several times
