"""The vendor's library, called from one thread.

Nothing says that the library may be entered twice at a time (its code -12 suggests the contrary), so all
calls of this process, for all instruments, go through one worker thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nakctl_biologic.errors import failure
from nakctl_biologic.functions import OPTIONAL, PROTOTYPES, bind
from nakctl_biologic.providers import Library
from nakctl_biologic.remedies import look_up

TRIES = 4  # of a call that may succeed a moment later
PAUSE_s = 0.05
TEXT_BYTES = 4096

_WORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="eclib")


class Eclib:
    """The functions of one loaded library. sleep: how to wait before a call is tried again.

    Errors: EclibError, or EclibLinkLost where the instrument does not answer.
    """

    def __init__(self, library: Library, sleep: Callable[[float], None]) -> None:
        self._library = library  # keeps what the addresses point to
        self._sleep = sleep
        self._functions = {
            name: bind(name, address) for name in PROTOTYPES if (address := library.address(name)) is not None
        }
        missing = [name for name in PROTOTYPES if name not in self._functions and name not in OPTIONAL]
        if missing:
            raise failure(missing[0], -10, text=f"{library.name} lacks {', '.join(missing)}")

    @property
    def folder(self) -> Path | None:
        """Where the technique files and kernels lie, if that is known."""
        return self._library.folder

    @property
    def simulated(self) -> bool:
        return self._library.simulated

    @property
    def provider(self) -> str:
        return self._library.name

    def has(self, name: str) -> bool:
        return name in self._functions

    def call(
        self,
        name: str,
        *arguments: Any,
        channel: int | None = None,
        accept: frozenset[int] = frozenset(),
        tries: int = TRIES,
    ) -> int:
        """The result, if it is not negative or is among those accepted. Tried again while the library says
        that this may help. channel: numbered from 1, for the error alone."""
        for left in reversed(range(tries)):
            code = self._once(name, *arguments)
            if code >= 0 or code in accept:
                return code
            if look_up(name, code).kind != "again" or left == 0:
                break
            self._sleep(PAUSE_s)
        raise failure(name, code, channel, "" if name.startswith("BL_Find") else self.error_text(code))

    def _once(self, name: str, *arguments: Any) -> int:
        return int(_WORKER.submit(self._functions[name], *arguments).result())

    def error_text(self, code: int) -> str:
        """The library's words for a code; it has none for some."""
        return self._text("BL_GetErrorMsg", code)

    def version(self) -> str:
        return self._text("BL_GetLibVersion")

    def _text(self, name: str, *arguments: Any) -> str:
        """What a function writes into a buffer, whose size in and out is its last argument."""
        buffer, size = ctypes.create_string_buffer(TEXT_BYTES), ctypes.c_uint32(TEXT_BYTES)
        code = self._once(name, *arguments, buffer, ctypes.byref(size))
        return buffer.value.decode("latin-1").strip() if code == 0 else ""

    def message(self, device: int, channel: int) -> str:
        """The next message of a channel (0-based here as in the library), empty if there is none."""
        buffer, size = ctypes.create_string_buffer(TEXT_BYTES), ctypes.c_uint32(TEXT_BYTES)
        self.call("BL_GetMessage", device, channel, buffer, ctypes.byref(size), channel=channel + 1)
        return buffer.value.decode("latin-1").strip()
