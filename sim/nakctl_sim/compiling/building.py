"""The compiled module is made: by Cython, and by the compiler for extensions of this Python."""

from __future__ import annotations

import re
import shutil
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from nakctl_sim.compiling.joining import joined
from nakctl_sim.compiling.sources import PACKAGE, STEM, SUFFIX, compiled_name

# Every result is rounded as Python rounds it: nothing is fused, and nothing is taken in another order.
OF_MSVC = ["/O2", "/fp:precise"]
OF_OTHERS = ["-O2", "-g0", "-ffp-contract=off", "-fno-fast-math"]
QUIET = ["-w"]  # what Cython writes is not ours to mend
BY_PYTHON = re.compile(r"PyNumber_\w+\(.*__PYX_ERR\(0, (\d+),")


class CannotCompileError(Exception):
    """Says why."""


def build(folder: Path) -> Path:
    """The compiled module, in this folder. CannotCompileError: no Cython, no compiler, or it failed."""
    with tempfile.TemporaryDirectory(prefix="nakctl-") as scratch:
        try:
            made = _compiled(translated(Path(scratch)), Path(scratch))
        except (Exception, SystemExit) as error:  # whatever Cython, setuptools or a compiler stumble over
            raise CannotCompileError(f"{type(error).__name__}: {error}") from error
        return Path(shutil.copy2(made, folder / made.name))


def build_in_place() -> Path:
    """Beside the sources, as an editable installation wants it; what was made of other sources is gone."""
    there = PACKAGE / f"{compiled_name()}{SUFFIX}"
    made = there if there.is_file() else build(PACKAGE)
    for other in PACKAGE.glob(f"{STEM}*{SUFFIX}"):
        if other != made:
            with suppress(OSError):  # Windows: it is in use
                other.unlink()
    return made


def translated(scratch: Path) -> Any:
    """The extension, whose source is C."""
    from Cython.Build import cythonize
    from setuptools import Extension

    source = scratch / f"{compiled_name()}.py"
    source.write_text(joined(), "utf-8")
    flags = OF_MSVC if sysconfig.get_platform().startswith("win") else OF_OTHERS + QUIET
    extension = Extension(source.stem, [str(source)], extra_compile_args=flags)
    return cythonize([extension], quiet=True, build_dir=str(scratch))[0]


def left_to_python(extension: Any, scratch: Path) -> list[str]:
    """Lines that calculate with objects of Python, for want of a type: right, but slow."""
    lines = (scratch / f"{extension.name}.py").read_text("utf-8").splitlines()
    code = Path(extension.sources[0]).read_text("utf-8")
    return [lines[number - 1].strip() for number in sorted({int(each) for each in BY_PYTHON.findall(code)})]


def _compiled(extension: Any, scratch: Path) -> Path:
    from setuptools import Distribution

    of = Distribution({"name": extension.name, "ext_modules": [extension]})
    command = of.get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(scratch / "lib"), str(scratch / "temp")
    command.ensure_finalized()
    command.run()
    return scratch / "lib" / f"{extension.name}{SUFFIX}"
