"""What Bluesky waits for, as `bluesky.protocols.Status` has it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Status:
    """Of something that goes on. what: in words, as in "the start of cell".

    It is done when somebody calls `finish`, once; callbacks run in whatever thread that is.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._error: Exception | None = None
        self._callbacks: list[Callable[[Status], None]] = []
        self._watchers: list[Callable[..., None]] = []

    @property
    def done(self) -> bool:
        return self._over.is_set()

    @property
    def success(self) -> bool:
        return self.done and self._error is None

    def exception(self, timeout: float | None = 0.0) -> Exception | None:
        """Why it failed; None: it did not. TimeoutError: it is not over within so many s (None: ever)."""
        self.wait_done(timeout)
        return self._error

    def wait(self, timeout: float | None = None) -> None:
        """Until it is over; raises why it failed, or TimeoutError."""
        if (error := self.exception(timeout)) is not None:
            raise error

    def wait_done(self, timeout: float | None = None) -> None:
        if not self._over.wait(timeout):
            raise TimeoutError(f"{self.what} is not over yet")

    def add_callback(self, callback: Callable[[Status], None]) -> None:
        """At once, if it is over."""
        with self._lock:
            if not self.done:
                self._callbacks.append(callback)
                return
        callback(self)

    def watch(self, watcher: Callable[..., None]) -> None:
        """For a progress bar: it is called with `name`, `current`, `initial`, `target`, `unit`."""
        self._watchers.append(watcher)

    def progress(self, **facts: object) -> None:
        for watcher in [*self._watchers]:
            watcher(**facts)

    def finish(self, error: Exception | None = None) -> None:
        """error: why it failed. A second time means nothing."""
        with self._lock:
            if self.done:
                return
            self._error = error
            self._over.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)

    def __repr__(self) -> str:
        """A RunEngine says no more than this of one that failed."""
        if self._error is not None:
            return f"{self.what} failed: {self._error}"
        return f"{self.what}: {'done' if self.done else 'not over yet'}"
