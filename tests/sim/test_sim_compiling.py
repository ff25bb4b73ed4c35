"""From plain sources to a compiled module: what is refused, what is built, and what if nothing can be."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nakctl_sim.compiling import building
from nakctl_sim.compiling.joining import NotCompilableError, Source, joined
from nakctl_sim.compiling.sources import PACKAGE, SUFFIX, compiled_name
from nakctl_sim.kernel import present

ROOT = Path(__file__).parents[2]


def source(folder: Path, text: str) -> Source:
    """A source of its own, as if it were a cell's."""
    path = folder / "cell" / "mine.py"
    path.parent.mkdir(exist_ok=True)
    head = "import math\nfrom dataclasses import dataclass\nfrom nakctl_sim.cell.arithmetic import Numbers, clip\n"
    path.write_text(f"from __future__ import annotations\n{head}{text}", "utf-8")
    try:
        return Source(loaded("nakctl_sim.cell.mine", path), ("voltage",))
    finally:
        del sys.modules["nakctl_sim.cell.mine"]


def loaded(name: str, path: Path | str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # a dataclass looks for its module there
    spec.loader.exec_module(module)
    return module


MINE = """
OHM, WEIGHTS, NEVER = 2, (0.5, 0.25), math.inf

@dataclass
class Mine:
    p: Numbers
    n: int = 0

def voltage(p: Numbers, I_A: float) -> float:
    \"\"\"Told here.\"\"\"
    k: int = min(int(I_A), 1)
    mine = clip(I_A * p[OHM] + WEIGHTS[k], 0.0, NEVER)
    return half(mine) if mine > 0.0 else math.exp(-I_A)

def half(volts: float) -> float:
    volts *= 0.5
    return volts
"""


def test_every_name_is_told_apart_and_everything_has_a_type(tmp_path: Path) -> None:
    mine = source(tmp_path, MINE)
    assert mine.constants() == ["mine__WEIGHTS = cython.declare(cython.double[2], [0.5, 0.25])"]
    [record] = mine.records()
    assert "class mine__Mine:\n    p = cython.declare(cython.double[::1], visibility='public')" in record
    voltage, half = mine.functions()
    assert voltage == (
        "@cython.ccall\n@cython.exceptval(check=False)\n"
        "def mine__voltage(p: cython.double[::1], I_A: cython.double) -> cython.double:\n"
        "    k: cython.Py_ssize_t = min(cython.cast(cython.Py_ssize_t, I_A), 1)\n"
        "    mine = arithmetic__clip(I_A * p[2] + mine__WEIGHTS[k], 0.0, math.INFINITY)\n"
        "    return mine__half(mine) if mine > 0.0 else math.exp(-I_A)\n"
    )
    assert half.startswith("@cython.cfunc\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "def f(x) -> float:\n    return x",
            "cell/mine.py:5: every parameter and every result needs an annotation",
        ),
        ("def f(x: float):\n    return x", "cell/mine.py:5: every parameter"),
        ("def f(x: str) -> float:\n    return 0.0", "str: a type is one of float, int, bool"),
        ("def f(x: float = 1.0) -> float:\n    return x", "f: parameters by position, without defaults"),
        ("def f(x: float) -> float:\n    return x**2", "cell/mine.py:6: a power is square"),
        ("def f(x: float) -> float:\n    x **= 2\n    return x", "a power is square"),
        ("def f(x: float) -> float:\n    return x % 2.0", "% is another in C"),
        ("def f(x: int) -> int:\n    return x // 2", "// is another in C"),
        ("def f(x: Numbers) -> float:\n    return x[-1]", "x[-1]: an index is one place, counted from 0"),
        ("def f(x: float) -> float:\n    return math.gamma(x)", "math.gamma is none of asinh, "),
        ("def f(x: float) -> float:\n    return sorted([x])[0]", "sorted is neither a number nor a function"),
        ("TEXT = 'a'\ndef f(x: float) -> bool:\n    return TEXT == 'b'", "TEXT is neither a number"),
        ("class C:\n    def f(self) -> None: ...", "a class holds fields and nothing else"),
    ],
)
def test_what_cannot_be_compiled_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    mine = source(tmp_path, text)
    with pytest.raises(NotCompilableError) as refused:
        [*mine.records(), *mine.functions()]
    assert told in str(refused.value)


def test_all_sources_can_be_compiled() -> None:
    assert "def machine__run(tape: registers__Tape, chain: list, cell: registers__Cell" in joined()


def test_nothing_is_left_to_python(tmp_path: Path) -> None:
    """A variable without a type is right, but as slow as Python: `min` of whole numbers makes one."""
    pytest.importorskip("Cython")
    assert building.left_to_python(building.translated(tmp_path), tmp_path) == []


# --- built, or not --------------------------------------------------------------------------------------

SMALL = """\
# cython: language_level=3
import cython
@cython.ccall
def mine__twice(x: cython.double) -> cython.double:
    return 2.0 * x
def mine__slow(x):
    return 2.0 * x
"""


has_compiler = pytest.mark.skipif(not (present().compiled or shutil.which("cc")), reason="no C compiler here")


def test_what_is_left_to_python_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("Cython")
    monkeypatch.setattr(building, "joined", lambda: SMALL)
    assert building.left_to_python(building.translated(tmp_path), tmp_path) == ["return 2.0 * x"]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """That of the installation, which compiles something small."""
    pytest.importorskip("Cython")
    interface = pytest.importorskip("hatchling.builders.hooks.plugin.interface")
    monkeypatch.setattr(building, "joined", lambda: SMALL)
    monkeypatch.delenv("NAKCTL_KERNEL", raising=False)
    module = loaded("hatch_build", ROOT / "hatch_build.py")

    class Told:
        def __init__(self) -> None:
            self.warnings: list[str] = []

        def display_warning(self, text: str) -> None:
            self.warnings.append(text)

    assert issubclass(module.CompiledKernel, interface.BuildHookInterface)
    return module.CompiledKernel(str(ROOT), {}, None, None, "", "wheel", Told())


def data() -> dict[str, Any]:
    return {"force_include": {}, "pure_python": True, "infer_tag": False}


@has_compiler
def test_a_wheel_has_the_compiled_module_and_is_one_of_a_platform(hook: Any) -> None:
    wheel = data()
    hook.initialize("standard", wheel)
    [(made, place)] = wheel["force_include"].items()
    assert place == f"nakctl_sim/{compiled_name()}{SUFFIX}"
    assert (wheel["pure_python"], wheel["infer_tag"]) == (False, True)
    assert hook.app.warnings == []
    assert loaded(compiled_name(), made).mine__twice(1.5) == 3.0
    hook.finalize("standard", wheel, "")
    assert not Path(made).exists()


def test_without_a_compiler_the_installation_goes_on(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "/bin/false" if Path("/bin/false").exists() else "no-such-compiler")
    wheel = data()
    hook.initialize("standard", wheel)
    assert wheel == data()
    [told] = hook.app.warnings
    assert told.startswith("the simulated cell is not compiled, and slower: ")
    monkeypatch.setenv("NAKCTL_KERNEL", "compiled")
    with pytest.raises(building.CannotCompileError):
        hook.initialize("standard", wheel)
    monkeypatch.setenv("NAKCTL_KERNEL", "plain")
    hook.initialize("standard", wheel)
    assert wheel == data()


@has_compiler
def test_an_editable_installation_has_it_beside_the_sources(
    hook: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """And what was made of other sources is gone, but for that of other Pythons."""
    monkeypatch.setattr(building, "PACKAGE", tmp_path)
    old, other = tmp_path / f"_kernel_0{SUFFIX}", tmp_path / "_kernel_0.cpython-39-other.so"
    for file in (old, other):
        file.touch()
    editable = data()
    hook.initialize("editable", editable)
    assert editable == data()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [other.name, f"{compiled_name()}{SUFFIX}"]
    )
    assert tmp_path != PACKAGE
