"""Where the library comes from, as the rig says: three providers of the same functions.

- easy_biologic  the package of that name: it finds and loads a library of its own set of vendor files. Taken
                 from it are the function handles and the folder of that set, nothing else.
- sdk_path       the lab's own OEM package: its folder, or any library with this ABI by its path.
- an address with a scheme (`sim://...`): the entry point of that name in the group `nakctl.eclib`, called
  with the address; its functions are attributes.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from nakctl.errors import ChannelError, RigError
from nakctl.offered import named, offered
from nakctl_biologic.address import GROUP
from nakctl_biologic.functions import PROTOTYPES

LIBRARY = "EClib64.dll"
FINDER = "blfind64.dll"


@dataclass(frozen=True, slots=True)
class Library:
    """Functions of the vendor's ABI.

    addresses  where each function is; those that the library lacks are missing
    folder     of the technique files and kernels; None: the library knows by itself
    simulated  no instrument is behind it
    owner      kept alive as long as the addresses are used
    """

    name: str
    addresses: Mapping[str, int]
    folder: Path | None
    simulated: bool
    owner: Any

    def address(self, function: str) -> int | None:
        return self.addresses.get(function)


def open_library(options: Mapping[str, object]) -> Library:
    """The library that a place's options ask for: `address`, `provider`, `sdk_path`.

    RigError if there is no such provider or file; ChannelError if it cannot be loaded.
    """
    address, sdk_path = str(options.get("address", "")), options.get("sdk_path")
    if options.get("provider") == "easy_biologic":
        sdk_path = None
    scheme, separator, _ = address.partition("://")
    if separator:
        return _from_entry_point(scheme, address)
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        raise ChannelError("the library of the instrument needs a 64-bit Python")
    if sdk_path is not None:
        return _from_path(Path(str(sdk_path)))
    return _from_easy_biologic()


def _from_entry_point(scheme: str, address: str) -> Library:
    point = named(GROUP, scheme)
    if point is None:
        known = ", ".join(f"{name}://" for name in sorted({each.name for each in offered(GROUP)})) or "none"
        raise RigError(f"{address}: no library answers to {scheme}://; there are: {known}")
    owner = point.load()(address)
    functions = {name: getattr(owner, name, None) for name in PROTOTYPES}
    return Library(f"{scheme}://", _addresses(functions), None, True, owner)


def _from_path(path: Path) -> Library:
    file = path / LIBRARY if path.is_dir() else path
    if not file.is_file():
        raise RigError(f"sdk_path: there is no {file}")
    folder = file.resolve().parent
    if sys.platform == "win32":
        os.add_dll_directory(str(folder))
    libraries = [_load(file), *(_load(each) for each in (folder / FINDER,) if each.is_file())]
    functions = {name: _first(libraries, name) for name in PROTOTYPES}
    return Library(str(file), _addresses(functions), folder, False, libraries)


def _load(file: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(file.resolve()))
    except OSError as error:
        raise ChannelError(f"{file} cannot be loaded: {error}") from None


def _from_easy_biologic() -> Library:
    try:
        with warnings.catch_warnings():  # what it uses is deprecated, which is not for its user to mend
            warnings.simplefilter("ignore")
            ec_lib = import_module("easy_biologic.lib.ec_lib")
            ec_find = import_module("easy_biologic.lib.ec_find")
            common = import_module("easy_biologic.common")
    except (ImportError, OSError) as error:
        raise ChannelError(
            f"easy_biologic cannot be used here: {str(error).rstrip('.')}. Give the rig's device an sdk_path "
            "with the lab's own OEM package, or install easy-biologic and setuptools<81 (Windows only)."
        ) from None
    functions = {
        name: _handle(ec_find if name.startswith("BL_Find") else ec_lib, name) for name in PROTOTYPES
    }
    folder = Path(common.technique_directory())
    return Library("easy_biologic", _addresses(functions), folder, False, (ec_lib, ec_find))


def _handle(module: ModuleType, name: str) -> Any:
    """The package's handle of a function; not every one has one, so else from the library it loaded.

    Each module stands for one library: both have a function BL_GetErrorMsg, and they differ.
    """
    if name in vars(module):
        return vars(module)[name]
    return _first([vars(module)["__dll"]], name)


def _first(libraries: list[Any], name: str) -> Any:
    """The function of the first library that has it."""
    for library in libraries:
        try:
            return library[name]
        except AttributeError:
            continue
    return None


def _addresses(functions: Mapping[str, Any]) -> dict[str, int]:
    found = {}
    for name, function in functions.items():
        address = None if function is None else ctypes.cast(function, ctypes.c_void_p).value
        if address is not None:
            found[name] = address
    return found
