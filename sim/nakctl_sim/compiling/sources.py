"""What is compiled, and the name under which the result can be found.

The name tells of which sources it was made: code that was compiled from others has another name, and is not
found at all.
"""

from __future__ import annotations

import hashlib
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
# Each may use those before it.
SOURCES = (
    "cell.arithmetic",
    "cell.nak",
    "cell.nak_cell",
    "cell.circuit",
    "cell.battery",
    "cell.polarising",
    "cell.kernel",
    "executor.registers",
    "executor.drive",
    "executor.reading",
    "executor.unread",
    "executor.machine",
)
# What Python makes and calls of it.
EXPORTED = {
    "executor.registers": ("Cell", "Machine", "Tape", "Technique"),
    "cell.kernel": ("advance", "counter_voltage", "step_hint", "voltage"),
    "executor.unread": ("open_cell", "peek"),
    "executor.machine": ("enter", "run", "skip", "sweep"),
}
MAKERS = ("compiling.joining", "compiling.building")  # another one makes other code of the same sources
STEM = "_kernel_"
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))  # each Python has its own
AGAIN = "pip install -e ."


def path_of(module: str) -> Path:
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def compiled_name() -> str:
    """Of the compiled module, inside this package. OSError: the sources cannot be read."""
    digest = hashlib.sha256()
    for module in (*SOURCES, *MAKERS):
        digest.update(path_of(module).read_bytes())
    return STEM + digest.hexdigest()[:16]


def known_as(source: str, name: str) -> str:
    """A name of a source, in the module that all of them become."""
    return f"{source.rpartition('.')[2]}__{name}"
