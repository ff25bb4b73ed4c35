"""`python -m nakctl_sim.compiling`: compile the sources of a checkout, or say what is wrong with them.

It needs Cython and setuptools, which `pip install -e .` brings along for itself alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from nakctl_sim.compiling.building import CannotCompileError, build_in_place, left_to_python, translated
from nakctl_sim.compiling.joining import NotCompilableError


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="nakctl-") as scratch:
            slow = left_to_python(translated(Path(scratch)), Path(scratch))
        made = build_in_place()
    except (NotCompilableError, CannotCompileError, ImportError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"slow, a variable in it needs an annotation: {line}\n" for line in slow))
    sys.stdout.write(f"compiled: {made}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
