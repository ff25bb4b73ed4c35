"""A pseudo-terminal with a name of its own: the system gives its own names to somebody else at once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class PseudoTerminal:
    """name: of the port; ours: the end of the instrument."""

    def __init__(self, ours: int, name: Path) -> None:
        self.ours, self.name = ours, str(name)
        self._is_cut = False

    def cut(self) -> None:
        """The adapter is pulled out."""
        if not self._is_cut:
            self._is_cut = True
            Path(self.name).unlink()
            os.close(self.ours)


@contextmanager
def pseudo_terminal() -> Iterator[PseudoTerminal]:
    """There while this lasts, if nobody cuts it."""
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # names of ports begin with /dev
        name = Path(folder, "tty")
        name.symlink_to(os.ttyname(theirs))
        port = PseudoTerminal(ours, name)
        try:
            yield port
        finally:
            port.cut()
            os.close(theirs)
