"""Compile a function if numba is there; else it runs as it stands, slower, with the same numbers."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
PACKAGE = Path(__file__).parents[1]
COMPILED = ("cell", "executor")  # the rooms that hold compiled code
# No divisor is ever 0, parameters are checked when they are read: looking at each costs a fifth of the time.
SETTINGS: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}


def jit(function: F) -> F:
    """numba.njit without fastmath, kept on disk; NAKCTL_NO_NUMBA=1 leaves the function plain."""
    if os.environ.get("NAKCTL_NO_NUMBA") == "1":
        return function
    try:
        import numba
    except ImportError:
        return function
    config: Any = numba.config  # its names are made when numba starts
    usual_folder = config.CACHE_DIR
    config.CACHE_DIR = cache_folder(usual_folder)
    try:
        return cast(F, numba.njit(cache=True, **SETTINGS)(function))
    except RuntimeError:  # neither this folder nor those that numba tries next can be written
        return cast(F, numba.njit(**SETTINGS)(function))
    finally:
        config.CACHE_DIR = usual_folder


@cache
def cache_folder(usual_folder: str) -> str:
    """Compiled code includes what it calls, but numba compares only the file of the function itself: a
    folder for each state of all those sources keeps a change of the physics from being overlooked."""
    digest = hashlib.sha256()
    for source in sorted(each for room in COMPILED for each in (PACKAGE / room).rglob("*.py")):
        digest.update(source.read_bytes())
    return str(Path(usual_folder or PACKAGE / "__pycache__") / f"nakctl-{digest.hexdigest()[:12]}")
