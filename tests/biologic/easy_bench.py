"""The real easy_biologic package on any platform: its own code, run against a virtual instrument.

Replaced are the name of the platform and `ctypes.WinDLL`, nothing of the package.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from nakctl_sim.instrument import connect_library

HANDLE_BYTES = 8
Record = tuple[str, int, int, int]  # label, type, bits, index


class Handle(ctypes._CFuncPtr):  # type: ignore[name-defined,misc]
    """A function of a library as ctypes makes it: no prototype.

    Structures that do not fit a register go by reference, as the convention of 64-bit Windows has it; other
    systems would spread them over registers.
    """

    _flags_ = 1  # cdecl, the only convention there is on 64 bits
    _restype_ = ctypes.c_int

    def __call__(self, *arguments: Any) -> Any:
        return super().__call__(*map(_by_reference, arguments))


def _by_reference(argument: Any) -> Any:
    large = isinstance(argument, ctypes.Structure) and ctypes.sizeof(argument) > HANDLE_BYTES
    return ctypes.byref(argument) if large else argument


@dataclass
class Easy:
    """The package's modules."""

    ec_lib: ModuleType
    data_parser: ModuleType
    device: ModuleType
    programs: ModuleType
    fields: ModuleType
    errors: ModuleType
    loads: list[list[Record]] = field(default_factory=list)

    def watch_loads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keep the records of every BL_LoadTechnique, and answer that all is well."""

        def keep(_id: Any, _channel: Any, _file: Any, params: Any, *_: Any) -> int:
            records = [params.pParams[k] for k in range(params.len)]
            self.loads.append([_record(each) for each in records])
            return 0

        monkeypatch.setattr(self.ec_lib, "BL_LoadTechnique", keep)


def _record(param: Any) -> Record:
    data = bytes(param)
    label = data[:64].rstrip(b"\0").decode()
    return (label, *(int.from_bytes(data[at : at + 4], "little") for at in (64, 68, 72)))  # type: ignore[return-value]


def library(address: str) -> type:
    """A WinDLL whose every file is the virtual instrument's library."""
    functions = connect_library(address)

    class WinDLL:
        def __init__(self, path: str) -> None:
            self.path = path

        def __getitem__(self, name: str) -> Handle:
            function = getattr(functions, name, None)
            if function is None and name != "BL_SetConfig":
                raise AttributeError(name)
            stand_in = functions.BL_GetLibVersion if function is None else function
            handle = Handle(ctypes.cast(stand_in, ctypes.c_void_p).value)
            handle.__name__ = name
            return handle

    return WinDLL


@contextmanager
def easy_biologic(address: str) -> Iterator[Easy]:
    """The package, imported anew with the virtual instrument at `address` as its library."""
    before = {name for name in sys.modules if name.startswith("easy_biologic")}
    assert not before
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(platform, "system", lambda: "Windows")
        patch.setattr(ctypes, "WinDLL", library(address), raising=False)
        names = (
            "lib.ec_lib",
            "lib.data_parser",
            "device",
            "base_programs",
            "lib.technique_fields",
            "lib.ec_errors",
        )
        try:
            yield Easy(*(import_module(f"easy_biologic.{name}") for name in names))
        finally:
            for name in [name for name in sys.modules if name.startswith("easy_biologic")]:
                del sys.modules[name]
