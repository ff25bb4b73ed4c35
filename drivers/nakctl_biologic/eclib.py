"""The vendor's library, called from one thread.

Nothing says that the library may be entered twice at a time (its code -12 suggests the contrary), so all
calls of this process, for all instruments, go through one worker thread. A call is made once: whether it is
worth to be made again is for whoever watches the cell to say.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from nakctl_biologic.errors import failure
from nakctl_biologic.functions import OPTIONAL, PROTOTYPES, bind
from nakctl_biologic.providers import Library

TEXT_BYTES = 4096

Asked = tuple["Future[int]", Callable[..., int], tuple[Any, ...]]


class _Worker:
    """The one thread. It is a daemon: a call that never comes back cannot keep the program from ending."""

    def __init__(self) -> None:
        self._asked: SimpleQueue[Asked] = SimpleQueue()
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[..., int], arguments: tuple[Any, ...]) -> int:
        """Wait for the calls before this one, and for its answer."""
        with self._begun:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="eclib", daemon=True)
                self._thread.start()
        answer: Future[int] = Future()
        self._asked.put((answer, function, arguments))
        return answer.result()

    def _work(self) -> None:
        while True:
            answer, function, arguments = self._asked.get()
            try:
                answer.set_result(int(function(*arguments)))
            except BaseException as error:  # noqa: BLE001  it belongs to whoever asked
                answer.set_exception(error)


_WORKER = _Worker()


class Eclib:
    """The functions of one loaded library.

    Errors: EclibError, or EclibLinkLost where the call was not heard or not answered.
    """

    def __init__(self, library: Library) -> None:
        self._library = library  # keeps what the addresses point to
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
        self, name: str, *arguments: Any, channel: int | None = None, accept: frozenset[int] = frozenset()
    ) -> int:
        """The result, if it is not negative or is among those accepted. channel: numbered from 1, for the
        error alone."""
        code = self._once(name, *arguments)
        if code >= 0 or code in accept:
            return code
        raise failure(name, code, channel, "" if name.startswith("BL_Find") else self.error_text(code))

    def _once(self, name: str, *arguments: Any) -> int:
        return _WORKER.call(self._functions[name], arguments)

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
