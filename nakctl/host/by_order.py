"""`nakctl.host.by_order FILE`: be the process whose module, environment and folder stand in the file.

The Task Scheduler of Windows starts this one: it hands over a command line and nothing else.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any


def main(file: Path) -> None:
    order = take(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    said = open(order["output"] or os.devnull, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115, PTH123
    sys.stdin, sys.stdout, sys.stderr = open(os.devnull, encoding="utf-8"), said, said  # noqa: SIM115, PTH123
    sys.argv = [sys.argv[0], *order["arguments"]]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def take(file: Path) -> dict[str, Any]:
    """What it says, for this process alone. FileNotFoundError: it was taken back."""
    taken = file.with_suffix(".taken")
    file.rename(taken)
    try:
        order: dict[str, Any] = json.loads(taken.read_text(encoding="utf-8"))
    finally:
        taken.unlink()
    return order


if __name__ == "__main__":
    main(Path(sys.argv[1]))
