"""What to do when the session, or the computer, goes down."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told_of_the_end(callback: Callable[[str], None]) -> Iterator[None]:
    """Have `callback(why)` called when Windows is about to end this process, whatever it does then.

    why  "the window of the console was closed", "the user logs off" or "the computer shuts down"

    It is called in a thread of its own and at most once. Windows ends the process when it returns, or after 5
    seconds: what it does has to be done by then, so it must not join a thread that may hang. It may end the
    process itself. Whoever goes on after that goes on until it is ended.

    Elsewhere nothing: there it is SIGTERM and SIGHUP, which the caller hears.
    """
    if sys.platform == "win32":
        from nakctl.host.windows_end import listening

        with listening(callback):
            yield
    else:
        yield
